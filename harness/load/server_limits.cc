#include "load/server_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace mailproof::load {
namespace {

struct Told {
  std::string_view words;    ///< in lower case
  std::string_view setting;  ///< whose, and what it limits
};
/// As the servers' sources have these texts; the longer of two that begin alike comes first.
constexpr Told kTold[] = {
    {"mail_max_userip_connections", "Dovecot: mail_max_userip_connections, of one user from one address"},
    {"maximum number of connections from user+ip",
     "Dovecot: mail_max_userip_connections, of one user from one address"},
    {"too many open connections (", "Cyrus: maxlogins_per_user and maxlogins_per_host in imapd.conf"},
    {"too many concurrent smtp connections from", "Exim: smtp_accept_max_per_host"},
    {"too many concurrent smtp connections", "Exim: smtp_accept_max"},
    {"error: too many connections from", "Postfix: smtpd_client_connection_count_limit"},
};

}  // namespace

std::optional<std::string_view> setting_behind(std::string_view said) {
  std::string low(said);
  std::transform(low.begin(), low.end(), low.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  for (const Told& one : kTold)
    if (low.find(one.words) != std::string::npos) return one.setting;
  return std::nullopt;
}

std::vector<std::string> limits_told(const LoadResult& result) {
  std::vector<std::string> out;
  std::set<std::string_view> known;
  const auto look = [&](std::string_view said) {
    if (const auto setting = setting_behind(said); setting && known.insert(*setting).second)
      out.push_back(fmt::format("SERVER'S LIMIT: it let no more connections in ({})", *setting));
  };
  look(result.note);
  for (const auto& [what, text] : result.plan.examples) look(text);
  for (const auto& [what, all] : result.all.samples.all())
    for (const auto& sample : all) look(sample.text);
  return out;
}

}  // namespace mailproof::load
