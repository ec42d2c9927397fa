#include "report/probe.h"

#include <algorithm>
#include <sstream>

#include "core/bytes.h"

namespace mailproof::report {
namespace {

void add_words(std::vector<std::string>& out, std::string_view line) {
  std::istringstream words{std::string(line)};
  for (std::string word; words >> word;)
    if (std::find(out.begin(), out.end(), word) == out.end()) out.push_back(word);
}

/// A timestamp in the greeting offers APOP (RFC 1939 section 7).
bool has_timestamp(std::string_view greeting) {
  const auto open = greeting.find('<');
  return open != std::string_view::npos && greeting.find('@', open) != std::string_view::npos &&
         greeting.find('>', open) != std::string_view::npos;
}

}  // namespace

std::vector<std::string> mechanisms(const ProbedEndpoint& endpoint) {
  const auto& offered = endpoint.after_tls ? endpoint.after_tls : endpoint.before_tls;
  std::vector<std::string> out;
  if (!offered) return out;
  const Protocol protocol = endpoint.endpoint.protocol;
  bool login_command = protocol == Protocol::imap;
  for (const std::string& word : *offered) {
    if (protocol == Protocol::imap) {
      if (istarts_with(word, "AUTH=")) out.push_back(word.substr(5));
      if (iequals(word, "LOGINDISABLED")) login_command = false;
    } else if (protocol == Protocol::pop3) {
      if (istarts_with(word, "SASL ")) add_words(out, std::string_view(word).substr(5));
      if (iequals(word, "USER")) out.emplace_back("USER");
    } else if (istarts_with(word, "AUTH ")) {
      add_words(out, std::string_view(word).substr(5));
    }
  }
  if (login_command) out.emplace_back("LOGIN (the command)");
  if (protocol == Protocol::pop3 && has_timestamp(endpoint.greeting)) out.emplace_back("APOP");
  return out;
}

// RFC 9051 section 6.2.3; a POP3 server that wants STLS first offers neither USER nor a mechanism (RFC 2595 section 4);
// RFC 4954 section 4.
bool refuses_plaintext(const ProbedEndpoint& one) {
  const bool takes_logins =
      one.endpoint.protocol == Protocol::imap || one.endpoint.protocol == Protocol::pop3 || one.endpoint.auth;
  const bool offers_none = one.before_tls && mechanisms(one).empty();
  return takes_logins && one.endpoint.tls == TlsMode::none && !one.logged_in && (one.login_refused || offers_none);
}

std::int64_t days_left(const Certificate& certificate, std::chrono::sys_seconds at) {
  return std::chrono::floor<std::chrono::days>(certificate.valid_until - at).count();
}

int probe_status(const Probe& probe) {
  const bool answered = std::any_of(probe.endpoints.begin(), probe.endpoints.end(),
                                    [](const ProbedEndpoint& endpoint) { return endpoint.answered; });
  if (!answered || probe.interrupted) return 3;
  const auto all = obstacles(probe);
  return std::any_of(all.begin(), all.end(), [](const Obstacle& one) { return one.hinders; }) ? 1 : 0;
}

}  // namespace mailproof::report
