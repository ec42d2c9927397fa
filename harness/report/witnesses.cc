#include "report/witnesses.h"

#include <fmt/format.h>

#include <set>
#include <string_view>
#include <utility>

#include "core/bytes.h"
#include "core/words.h"

namespace mailproof::report {
namespace {

using history::Event;
using history::What;

/// Which log it is by how its lines begin.
std::string_view log_of(std::string_view text) {
  if (text.starts_with("postfix/")) return "Postfix's log";
  if (text.starts_with("exim: ")) return "Exim's log";
  for (const std::string_view service : {"imap(", "pop3(", "lmtp(", "lda("})
    if (text.starts_with(service)) return "Dovecot's log";
  return {};
}

/// "imap session qEb" of "imap(alice)<4711><qEb>: Info: expunge: ..."; one that names no session is "imap process
/// 4711".
std::string session_of(std::string_view text) {
  const std::string_view service = text.substr(0, text.find('('));
  const std::size_t pid = text.find(")<");
  if (pid == std::string_view::npos) return std::string(service);
  const std::string_view behind = text.substr(pid + 2);
  const std::string_view process = behind.substr(0, behind.find('>'));
  const std::string_view rest = behind.substr(std::min(behind.size(), process.size() + 1));
  if (!rest.starts_with('<')) return fmt::format("{} process {}", service, printable(process, 40));
  return fmt::format("{} session {}", service, printable(rest.substr(1, rest.find('>') - 1), 60));
}

/// What was answered: "250 2.0.0 Saved" of C="250 2.0.0 Saved", or of status=sent (250 2.0.0 Saved).
std::string answer_in(std::string_view text) {
  for (const auto& [begin, end] : {std::pair<std::string_view, char>{" C=\"", '"'}, {"status=", ')'}}) {
    std::size_t at = text.find(begin);
    if (at == std::string_view::npos) continue;
    at = end == ')' ? text.find('(', at) : at + begin.size() - 1;
    if (at == std::string_view::npos) continue;
    const std::string_view rest = text.substr(at + 1);
    return fmt::format(" ({})", printable(rest.substr(0, rest.rfind(end)), 120));
  }
  return {};
}

/// An MTA's `smtp` hands a message to another MTA, whose mailbox nobody knows from here.
bool to_another(std::string_view text) { return text.starts_with("postfix/smtp["); }

class Reader {
 public:
  Reader(const history::History& history, std::uint32_t message, std::uint32_t account)
      : history_(history), message_(message), account_(account) {}

  Witnesses run() {
    for (const Event& e : history_.events())
      if (e.what == What::observed && e.message == message_ && e.account == account_) see(e);
    if (last_ == "expunged" && !copied_ && saved_.size() <= gone_.size()) out_.became = Fate::removed_by_client;
    if (last_ == "bounced" && !arrived_) out_.became = Fate::bounced;
    if (last_ == "deferred" && !arrived_) out_.became = Fate::queued;
    return std::move(out_);
  }

 private:
  void see(const Event& e) {
    const std::string_view log = log_of(e.text);
    if (log.empty()) return;  // a client's own notes, which stand among the lines of its life
    const std::string box = e.mailbox.empty() ? std::string("a mailbox") : printable(e.mailbox, 60);
    const auto by = [&] { return " by " + session_of(e.text); };
    if (e.code == "delivered" || e.code == "saved") {
      const bool other = to_another(e.text);
      if (log == "Dovecot's log")
        tell(e, log, "saved in " + box, by());
      else
        tell(e, log, (other ? "handed on for " : "delivered to ") + history_.account(account_).name, answer_in(e.text));
      // A delivery stands in several logs: copies are counted by the UIDs that one of them has.
      if (e.code == "saved" && e.uid != 0) saved_.emplace(lower(e.mailbox), e.uid);
      arrived_ = arrived_ || !other;
      last_ = "saved";
    } else if (e.code == "expunged") {
      tell(e, log, "expunged from " + box, by());
      if (e.text.starts_with("imap(") || e.text.starts_with("pop3(")) gone_.emplace(lower(e.mailbox), e.uid);
      last_ = gone_.empty() ? "" : "expunged";
    } else if (e.code == "copied") {
      tell(e, log, "copied to " + box, by());
      copied_ = true;
      last_ = "copied";
    } else if (e.code == "marked") {
      tell(e, log, "marked \\Deleted in " + box, by());
    } else if (e.code == "bounced" || e.code == "deferred") {
      tell(e, log, e.code == "bounced" ? "bounced" : "put off", answer_in(e.text));
      if (last_ != "saved" && last_ != "expunged") last_ = e.code;
    }
  }

  void tell(const Event& e, std::string_view log, const std::string& what, const std::string& how) {
    out_.said.push_back(fmt::format("{}: {} at {}{}", log, what, format_seconds(e.at.time_since_epoch()), how));
  }

  const history::History& history_;
  const std::uint32_t message_, account_;
  Witnesses out_;
  std::string last_;
  std::set<std::pair<std::string, std::uint32_t>> saved_, gone_;  ///< by mailbox and UID
  bool arrived_ = false, copied_ = false;
};

}  // namespace

Witnesses witnesses(const history::History& history, std::uint32_t message, std::uint32_t account) {
  return account == 0 ? Witnesses() : Reader(history, message, account).run();
}

}  // namespace mailproof::report
