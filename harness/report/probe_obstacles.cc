#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "core/units.h"
#include "report/escape.h"
#include "report/probe.h"

namespace mailproof::report {
namespace {

constexpr std::int64_t kSoon = 21;                 // days: time enough to renew a certificate
constexpr std::size_t kCopies = 500;               // of a load, each with an account at least
constexpr std::uint64_t kOpenFiles = 4 * kCopies;  // a copy's devices, and what else the process holds

bool offers(const ProbedEndpoint::Words& words, std::string_view keyword) {
  return words && std::any_of(words->begin(), words->end(), [&](const std::string& word) {
           return istarts_with(word, keyword) && (word.size() == keyword.size() || word[keyword.size()] == ' ');
         });
}

/// The first endpoint of a protocol that tells what it offers to who is logged in.
const ProbedEndpoint* spokesman(const Probe& probe, Protocol protocol) {
  for (const ProbedEndpoint& one : probe.endpoints)
    if (one.endpoint.protocol == protocol && one.after_login) return &one;
  return nullptr;
}

std::string counted(std::uint64_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

class Survey {
 public:
  explicit Survey(const Probe& probe) : probe_(probe) {}

  std::vector<Obstacle> run() {
    for (const ProbedEndpoint& endpoint : probe_.endpoints) look(endpoint);
    for (const ProbedAccount& account : probe_.accounts) look(account);
    protocols();
    surroundings();
    // What makes runs fail stands first.
    std::stable_partition(out_.begin(), out_.end(), [](const Obstacle& one) { return one.hinders; });
    return std::move(out_);
  }

 private:
  void hinders(std::string text) { out_.push_back({true, std::move(text)}); }
  void limits(std::string text) { out_.push_back({false, std::move(text)}); }

  void look(const ProbedEndpoint& one) {
    const std::string where = one.endpoint.label();
    if (refuses_plaintext(one)) {
      // Where devices go that do not ask for a kind of TLS.
      const auto first = std::find_if(probe_.endpoints.begin(), probe_.endpoints.end(), [&](const ProbedEndpoint& any) {
        return any.endpoint.protocol == one.endpoint.protocol;
      });
      &*first == &one
          ? hinders(fmt::format("{} takes no login without TLS, and the target says tls: none", where))
          : limits(fmt::format("{} takes no login without TLS: only stories about that refusal can use it", where));
    } else if (!one.usable && !one.trouble.empty()) {
      hinders(fmt::format("{} cannot be used: {}", where, one_line(one.trouble)));
    }
    if (one.certificate) look(where, *one.certificate);
    if (one.crowd && one.crowd->served < one.crowd->opened)
      limits(fmt::format(
          "{} serves {} of {} connections at once from this address (`connections:` in the target file keeps "
          "runs to it); the others: {}",
          where, one.crowd->served, one.crowd->opened,
          one.crowd->refusals.empty() ? "no answer" : one_line(one.crowd->refusals.front())));
  }

  void look(const std::string& where, const Certificate& certificate) {
    const std::int64_t days = days_left(certificate, probe_.at);
    // A refused certificate is why the endpoint cannot be used, and was said.
    if (!certificate.verified && probe_.insecure)
      limits(fmt::format("the {} of {} {}, which this target says to overlook", plain(certificate.label()), where,
                         plain(certificate.trouble)));
    if (certificate.verified && days < kSoon)
      limits(fmt::format("the certificate of {} expires in {}", where,
                         counted(static_cast<std::uint64_t>(std::max<std::int64_t>(days, 0)), "day")));
  }

  void look(const ProbedAccount& account) {
    login(account, account.imap, "IMAP");
    login(account, account.pop3, "POP3");
    for (const ProbedMailbox& mailbox : account.mailboxes) {
      const std::string where = fmt::format("{} of {}", plain(mailbox.name), account.login);
      const std::uint64_t others = mailbox.messages - std::min(mailbox.messages, mailbox.ours.value_or(0));
      if (!mailbox.ours) {
        hinders(fmt::format("{} holds {}, and whose could not be seen: a run touches only what is ours", where,
                            counted(mailbox.messages, "message")));
      } else if (others != 0) {
        hinders(fmt::format("{} holds {} that {} not ours: a run touches no such mailbox", where,
                            counted(others, "message"), others == 1 ? "is" : "are"));
      }
    }
    if (!account.imap && account.pop3 && account.pop3->messages.value_or(0) != 0)
      hinders(fmt::format("the maildrop of {} holds {}: without IMAP a run touches no such maildrop", account.login,
                          counted(*account.pop3->messages, "message")));
    if (account.quota) limit(account);
  }

  void login(const ProbedAccount& account, const std::optional<ProbedLogin>& login, std::string_view protocol) {
    if (login && !login->ok && login->tried)
      hinders(fmt::format("the login of {} over {} is refused: {}", account.login, protocol, one_line(login->text)));
    if (login && login->ok && !login->messages)
      limits(fmt::format("what {} holds is not told over {}: {}", account.login, protocol, one_line(login->text)));
  }

  void limit(const ProbedAccount& account) {
    if (!account.quotas) return;
    for (const ProbedQuota& quota : *account.quotas) {
      if (!iequals(quota.resource, "STORAGE")) continue;
      if (octets_of_kib(quota.limit) == *account.quota) return;
      return limits(fmt::format("{} should have a quota of {}, and the server says {} ({})", account.login,
                                format_size(*account.quota), format_size(octets_of_kib(quota.limit)),
                                one_line(quota.root)));
    }
    limits(fmt::format("{} should have a quota of {}, and the server tells of none", account.login,
                       format_size(*account.quota)));
  }

  void protocols() {
    if (const ProbedEndpoint* imap = spokesman(probe_, Protocol::imap)) {
      const auto lacks = [&](std::string_view word) { return !offers(imap->after_login, word); };
      if (lacks("UIDPLUS") && lacks("IMAP4rev2"))
        limits(
            "IMAP offers no UIDPLUS: single messages cannot be expunged, and nobody learns the UID of what he saved");
      if (lacks("IDLE") && lacks("IMAP4rev2"))
        limits("IMAP offers no IDLE: devices that wait for news must ask for it");
      if (lacks("QUOTA") && probe_.pool_limited != 0)
        limits("IMAP offers no QUOTA: usage and limits cannot be compared with what is there");
    }
    const ProbedEndpoint* pop3 = spokesman(probe_, Protocol::pop3);
    if (pop3 == nullptr) return;
    for (const std::string_view word : {"UIDL", "TOP"})
      if (!offers(pop3->after_login, word))
        limits(fmt::format("POP3 offers no {}: {}", word,
                           word == "UIDL" ? "a client that leaves mail on the server cannot know what it has"
                                          : "headers cannot be looked at alone"));
    for (const std::string& line : *pop3->after_login)
      if (istarts_with(line, "LOGIN-DELAY ") && !line.substr(12).starts_with("0"))
        limits(fmt::format(
            "POP3 advertises LOGIN-DELAY {}: it may refuse who logs in again sooner; stories wait, up to a minute",
            plain(line.substr(12))));
  }

  void surroundings() {
    const auto has = [&](Protocol protocol) {
      return std::any_of(probe_.endpoints.begin(), probe_.endpoints.end(),
                         [&](const ProbedEndpoint& one) { return one.endpoint.protocol == protocol; });
    };
    if (!has(Protocol::imap) && !has(Protocol::pop3))
      hinders("the target has neither IMAP nor POP3: nobody sees whose mail its mailboxes hold, so nothing is played");
    if (probe_.delivery.empty()) hinders("the target has no way of delivery: no story can send a message");
    for (const Protocol protocol : {Protocol::imap, Protocol::pop3})
      if (!has(protocol)) limits(fmt::format("the target has no {}: its stories do not apply", upper(name(protocol))));
    if (!has(Protocol::smtp)) limits("the target has no SMTP: stories with bounces do not apply");
    if (probe_.pool_limited == 0)
      limits("no account of the target has a quota: stories about full mailboxes do not apply");
    const std::size_t unlimited = probe_.pool - probe_.pool_limited;
    if (unlimited < kCopies)
      limits(fmt::format("the target has {} without a quota: {} copies of a story at once need as many or more",
                         counted(unlimited, "account"), kCopies));
    if (probe_.open_files != 0 && probe_.open_files < kOpenFiles)
      limits(fmt::format("this process may open {} files: {} copies need about {} (ulimit -n)", probe_.open_files,
                         kCopies, kOpenFiles));
  }

  const Probe& probe_;
  std::vector<Obstacle> out_;
};

}  // namespace

std::vector<Obstacle> obstacles(const Probe& probe) { return Survey(probe).run(); }

}  // namespace mailproof::report
