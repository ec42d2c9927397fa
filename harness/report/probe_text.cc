#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "core/units.h"
#include "report/escape.h"
#include "report/probe.h"

namespace mailproof::report {
namespace {

constexpr std::size_t kWidth = 110;
constexpr std::size_t kLabel = 15;

std::string painted(std::string_view text, std::string_view code, const TextStyle& style) {
  return style.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

/// A labelled text, its further lines below its first.
std::string field(std::string_view label, std::string_view text, std::size_t indent = 2) {
  std::string out;
  std::string line = fmt::format("{:{}}{:<{}}", "", indent, label, kLabel);
  const std::size_t margin = line.size();
  std::string all = one_line(text);
  for (std::string_view rest = all; !rest.empty();) {
    std::size_t cut = rest.size();
    if (margin + rest.size() > kWidth) {
      const auto space = rest.rfind(' ', kWidth - margin);
      cut = space == std::string_view::npos || space == 0 ? rest.find(' ') : space;
      if (cut == std::string_view::npos) cut = rest.size();
    }
    out += line + std::string(rest.substr(0, cut)) + "\n";
    rest.remove_prefix(std::min(rest.size(), cut + 1));
    line.assign(margin, ' ');
  }
  return out;
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string out;
  for (const std::string& word : words) out += fmt::format("{}{}", out.empty() ? "" : between, word);
  return out.empty() ? "none" : out;
}

std::string day(std::chrono::sys_seconds at) {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(static_cast<std::time_t>(at.time_since_epoch().count())));
}

std::string certificate_text(const Certificate& c, std::chrono::sys_seconds at) {
  const std::int64_t days = days_left(c, at);
  const std::string left = days < 0    ? fmt::format("expired {} days ago", -days)
                           : days == 1 ? std::string("1 day left")
                                       : fmt::format("{} days left", days);
  return fmt::format("'{}' for {}; from '{}'; valid {} to {}, {}; {}", c.subject, joined(c.names, ", "), c.issuer,
                     day(c.valid_from), day(c.valid_until), left,
                     c.verified ? "verified" : fmt::format("NOT verified: it {}", c.trouble));
}

std::string crowd_text(const ProbedCrowd& crowd) {
  std::string out = fmt::format("{} of {} served at once", crowd.served, crowd.opened);
  if (crowd.logged_in < crowd.opened) out += fmt::format(", {} of them with a login", crowd.logged_in);
  for (const std::string& refusal : crowd.refusals) out += fmt::format("; the others: {}", refusal);
  return out;
}

std::string endpoint_text(const ProbedEndpoint& one, std::chrono::sys_seconds at, const TextStyle& style) {
  const std::string how = one.endpoint.tls == TlsMode::none ? "no TLS" : std::string(name(one.endpoint.tls));
  std::string out =
      fmt::format("\n{} ({}{})\n", painted(one.endpoint.label(), "1", style), how, one.endpoint.auth ? ", login" : "");
  if (!one.trouble.empty()) out += field(one.usable ? "note" : "NOT USABLE", one.trouble);
  if (!one.greeting.empty()) out += field("greeting", one.greeting);
  const std::string_view between = one.endpoint.protocol == Protocol::imap ? " " : ", ";
  if (one.before_tls)
    out += field(one.endpoint.tls == TlsMode::none ? "offers" : "before TLS", joined(*one.before_tls, between));
  if (one.endpoint.protocol == Protocol::pop3 && one.logged_in && !one.before_tls && !one.after_tls)
    out += field("offers", "not told: CAPA is refused");
  if (!one.tls_version.empty()) out += field("TLS", fmt::format("{}, {}", one.tls_version, one.cipher));
  if (one.certificate) out += field("certificate", certificate_text(*one.certificate, at));
  if (one.after_tls) out += field("after TLS", joined(*one.after_tls, between));
  if ((one.before_tls || one.after_tls) && one.endpoint.protocol != Protocol::lmtp)
    out += field("logins", joined(mechanisms(one), ", "));
  if (one.after_login) out += field("after login", joined(*one.after_login, between));
  if (one.crowd) out += field("connections", crowd_text(*one.crowd));
  if (!one.crowd && !one.no_crowd.empty()) out += field("connections", one.no_crowd);
  std::string times;
  if (one.connect_ms) times = fmt::format("{:.2f} ms to the greeting", *one.connect_ms);
  if (one.noop_ms) times += fmt::format("{}{:.2f} ms a NOOP", times.empty() ? "" : ", ", *one.noop_ms);
  if (!times.empty()) out += field("round trip", times);
  return out;
}

std::string login_text(const ProbedLogin& login) {
  if (!login.ok) return fmt::format("{}: {}", login.tried ? "REFUSED" : "not tried", login.text);
  return login.messages ? fmt::format("login ok, {} message{}", *login.messages, *login.messages == 1 ? "" : "s")
                        : fmt::format("login ok; {}", login.text);
}

std::string quota_text(const ProbedQuota& quota) {
  const bool storage = iequals(quota.resource, "STORAGE");
  const auto shown = [&](std::uint64_t n) { return storage ? format_size(octets_of_kib(n)) : fmt::to_string(n); };
  return fmt::format("\"{}\": {} {} of {}", quota.root, quota.resource, shown(quota.used), shown(quota.limit));
}

std::string account_text(const ProbedAccount& account, const TextStyle& style) {
  std::string out = fmt::format(
      "\n{}{}\n", painted(plain(account.login), "1", style),
      account.quota ? fmt::format(" (the target file promises a quota of {})", format_size(*account.quota)) : "");
  if (account.imap) out += field("IMAP", login_text(*account.imap));
  if (account.pop3) out += field("POP3", login_text(*account.pop3));
  for (const ProbedMailbox& mailbox : account.mailboxes)
    out += field("holds", fmt::format("{} in {}{}", mailbox.messages, mailbox.name,
                                      mailbox.ours ? fmt::format(", {} of them ours", *mailbox.ours) : ""));
  if (account.quotas && account.quotas->empty()) out += field("quota", "none");
  if (account.quotas)
    for (const ProbedQuota& quota : *account.quotas) out += field("quota", quota_text(quota));
  return out;
}

}  // namespace

std::string probe_text(const Probe& probe, const TextStyle& style) {
  std::string out = fmt::format("{}: {} account{}, {} with a quota; delivery by {}\n", plain(probe.target), probe.pool,
                                probe.pool == 1 ? "" : "s", probe.pool_limited, joined(probe.delivery, ", "));
  for (const ProbedEndpoint& one : probe.endpoints) out += endpoint_text(one, probe.at, style);
  for (const ProbedAccount& account : probe.accounts) out += account_text(account, style);
  const auto all = obstacles(probe);
  const auto worst = std::count_if(all.begin(), all.end(), [](const Obstacle& one) { return one.hinders; });
  const auto list = [&](bool hinders, std::string_view title, std::string_view code) {
    const auto mine = hinders ? worst : static_cast<std::ptrdiff_t>(all.size()) - worst;
    if (mine == 0) return;
    out += fmt::format("\n{}\n", painted(title, code, style));
    for (const Obstacle& one : all)
      if (one.hinders == hinders) out += fmt::format("  - {}\n", plain(one.text));
  };
  list(true, "Runs would fail:", "1;31");
  list(false, "Runs would be less than they could be:", "33");
  if (probe.interrupted) return out + "\ninterrupted: the rest was not looked at\n";
  if (probe_status(probe) == 3) return out + "\nNothing can be said: no endpoint answered.\n";
  if (worst == 0) out += fmt::format("\n{}\n", painted("Nothing hinders a run.", "32", style));
  return out;
}

}  // namespace mailproof::report
