// Sessions come up, stay up and speak the protocol; and what went wrong with ourselves is said.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "core/bytes.h"
#include "history/announced.h"
#include "judge/case.h"
#include "judge/judges.h"
#include "judge/strangers.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

bool mentions(std::string_view text, std::initializer_list<std::string_view> words) {
  const std::string upper_text = upper(text);
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return upper_text.find(word) != std::string::npos; });
}

std::string_view kind_of_failure(const Event& e) {
  if (e.code == "refused" || e.code == "timeout" || e.code == "unreachable") return "unreachable";
  if (e.code == "tls_failed" || e.code == "tls-failed" || e.code == "tls failed") return "tls-failed";
  if (e.code == "login" ||
      mentions(e.text, {": LOGIN", ": AUTH", ": PASS", ": USER", ": APOP", "AUTHENTICATIONFAILED"}))
    return "login-refused";
  return "bring-up-failed";
}

/// What helps where a server lets no more connections in (RFC 5530 section 3, LIMIT).
std::string_view way_out(const Event& e) {
  const bool full = mentions(e.text, {"[LIMIT]", "NUMBER OF CONNECTIONS", "TOO MANY CONNECTIONS"});
  return full ? "; a run keeps to a limit that the target file names, as in connections: {user: 3}" : "";
}

/// A maildrop that another session has is the lock's business: the scenario may well mean it.
bool expected_lock(const Case& c, const Event& e) {
  return e.session != 0 && c.history.session(e.session).protocol == Protocol::pop3 &&
         mentions(e.text, {"IN-USE", "LOCKED", "IN USE"});
}

/// While the admin restarts or kills the server, and right after it, sessions end and logins fail.
class Outages {
 public:
  explicit Outages(const Case& c) {
    constexpr Duration kAfter = std::chrono::seconds(1);
    for (const Event& done : c.history.about(What::admin)) {
      if (done.command == 0 || (done.type != Type::ok && done.type != Type::fail)) continue;
      const Event& asked = c.history.event(done.command);
      if (asked.code == "restart" || asked.code == "kill") spans_.emplace_back(asked.at, done.at + kAfter);
    }
  }
  bool during(const Event& e) const {
    return std::any_of(spans_.begin(), spans_.end(),
                       [&](const auto& span) { return span.first <= e.at && e.at <= span.second; });
  }

 private:
  std::vector<std::pair<Time, Time>> spans_;
};

/// The scenario said that the login of these sessions may be refused, or must be: its expectation says what came of it,
/// also where the device tried two ways in (LOGIN, then AUTHENTICATE PLAIN), each in a session of its own.
std::set<std::uint32_t> asked_for_welcome(const Case& c) {
  std::set<std::uint32_t> out;
  for (const Event& answer : c.history.about(What::welcome)) {
    if (answer.type == Type::expect || answer.session == 0) continue;
    out.insert(answer.session);
    const std::uint32_t device = c.history.session(answer.session).device;
    for (const Event& e : c.history.about(What::connect))
      if (answer.command != 0 && answer.command < e.index && e.index < answer.index && e.session != 0 &&
          c.history.session(e.session).device == device)
        out.insert(e.session);
  }
  return out;
}

/// Refused for coming too soon after another login, which a server may do (RFC 2449 section 6.5).
std::set<std::uint32_t> came_too_soon(const Case& c) {
  std::set<std::uint32_t> out;
  for (const Event& e : c.history.about(What::observed))
    if (e.code == history::kTooSoon) out.insert(e.session);
  return out;
}

void bring_up(Case& c, const Outages& outages, std::set<std::string>& said) {
  const auto welcomed = asked_for_welcome(c), early = came_too_soon(c);
  for (const Event& e : c.history.about(What::connect)) {
    if (e.type == Type::ok || e.type == Type::invoke || expected_lock(c, e)) continue;
    if (welcomed.contains(e.session) || early.contains(e.session) || outages.during(e)) continue;
    if (!said.insert(e.text).second) continue;
    c.find(
        kind_of_failure(e),
        {"a session that is ready for commands", printable(e.text, 400) + std::string(way_out(e)), {e.index}, 0, ""});
  }
}

void problems(Case& c, const std::set<std::string>& said) {
  for (const Event& e : c.history.about(What::problem, What::audit)) {
    if (e.what == What::problem) {
      const bool known = std::any_of(said.begin(), said.end(), [&](const std::string& text) {
        return !text.empty() && (e.text.find(text) != std::string::npos || text.find(e.text) != std::string::npos);
      });
      if (known) continue;
      const std::string_view kind = e.code == "interrupted"   ? "interrupted"
                                    : e.code == "unreachable" ? "unreachable"
                                    : e.code == "login"       ? "login-refused"
                                    : e.code == "foreign"     ? "foreign-mail"
                                                              : "problem";
      c.find(kind, {"a scenario played to its end", printable(e.text, 400), {e.index}, 0, ""});
    }
    const bool told = e.text == "begin" || e.text == "end" || e.text.starts_with("broken off");
    if (e.what == What::audit && !told)
      c.find("audit-incomplete",
             {"every leased account listed over every protocol", printable(e.text, 400), {e.index}, 0, ""});
  }
}

/// RFC 2177 section 3: a server may take a client that idles for inactive, and say BYE.
bool logged_off(const Event& command, std::string_view text) {
  return command.what == What::idle && text.find(" BYE:") != std::string_view::npos;
}

void ends(Case& c, const Outages& outages) {
  const std::size_t sessions = c.history.sessions().size() + 1;
  std::vector<bool> ready(sessions);
  std::vector<std::uint32_t> running(sessions);  // by session: the newest command without an answer
  std::vector<std::uint32_t> unanswered(sessions);
  const auto concerned = c.history.where(
      [](history::Kind kind) { return kind.type == Type::invoke || completes(kind.type) || kind.what == What::end; });
  for (const Event& e : concerned) {
    if (e.session == 0) continue;
    if (e.what == What::connect && e.type == Type::ok) ready[e.session] = true;
    if (e.type == Type::invoke && e.what != What::connect) running[e.session] = e.index;
    if (e.type == Type::info) unanswered[e.session] = e.index;  // the session's end, told to the command first
    if ((e.type == Type::ok || e.type == Type::fail) && running[e.session] == e.command) running[e.session] = 0;
    if (e.what != What::end || e.type != Type::obs || !ready[e.session]) continue;
    if (e.flags == "clean" || e.flags == "ours" || outages.during(e)) continue;
    const std::string& text = e.text;
    const std::uint32_t command = unanswered[e.session] != 0 ? unanswered[e.session] : running[e.session];
    if (e.flags == "beyond") {
      c.find("beyond-bounds", {"no more than is followed here", printable(text, 400), {command, e.index}, 0, ""});
    } else if (e.flags == "broken") {
      // Both lengths are known where the next reply stood within the literal.
      const bool short_of =
          text.find(" announces ") != std::string::npos && text.find(" within it") != std::string::npos;
      c.find(short_of ? "literal-too-short" : "protocol-broken",
             {short_of ? "as many octets as the literal announces" : "answers within the grammar",
              printable(text, 400),
              {command, e.index},
              0,
              ""});
    } else if (e.code == "timeout") {
      c.find("no-answer", {"an answer within the bound", printable(text, 400), {command, e.index}, 0, ""});
    } else if (command != 0 && !logged_off(c.history.event(command), text)) {
      const Protocol protocol = c.history.session(e.session).protocol;
      const What asked = c.history.event(command).what;
      const bool pop3 = protocol == Protocol::pop3;
      const bool hung_up =
          (protocol == Protocol::imap && asked != What::idle && text.find(" BYE:") == std::string::npos) ||
          (pop3 && asked != What::quit);
      c.find(hung_up ? "hung-up" : "ended-by-server",
             {pop3      ? "the answer"
              : hung_up ? "the answer, or BYE"
                        : "the answer, or BYE between commands and during IDLE",
              fmt::format("{} at {}: {}", c.who(e), c.when(e), printable(text, 400)),
              {command, e.index},
              0,
              ""});
    }
  }
}

}  // namespace

void judge_deviations(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "session", out);
  std::string_view too_deep;
  for (const Event& e : history.about(What::deviation)) {
    if (e.code.starts_with("lmtp.replies.")) continue;
    // The grammar has no bounds for these: they are the reader's own, and the answer is not read any further.
    if (e.code == "imap.line.too_long" || e.code == "imap.literal.too_many") continue;
    if (e.code == "imap.list.too_deep") too_deep = e.text;
    if (!too_deep.empty() && e.text.ends_with(too_deep)) continue;
    if (e.code == "imap.vanished.unreadable") {
      c.find("unreadable-vanished", {"UIDs from 1 on",
                                     fmt::format("{} at {}: {}", c.who(e), c.when(e), printable(e.text, 160)),
                                     {e.index},
                                     0,
                                     ""});
      continue;
    }
    if (e.code == kUnreadableRow) {
      c.find("unreadable-fetch", {"FETCH as the grammar has it",
                                  fmt::format("{} at {}: {}", c.who(e), c.when(e), printable(e.text, 200)),
                                  {e.index},
                                  0,
                                  ""});
      continue;
    }
    if (e.code == "imap.mailbox.utf7") {
      c.find("mailbox-name", {"a name in modified UTF-7",
                              fmt::format("{} at {}: \"{}\"", c.who(e), c.when(e), printable(e.text, 160)),
                              {e.index},
                              0,
                              ""});
      continue;
    }
    c.find("deviation",
           {"what the grammar says",
            fmt::format("{} at {}: {} \"{}\"", c.who(e), c.when(e), printable(e.code, 60), printable(e.text, 160)),
            {e.index},
            0,
            fmt::format(".{}", printable(e.code, 60))});
  }
}

void judge_session(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "session", out);
  const Outages outages(c);
  std::set<std::string> said;
  // A login of others may well be refused.
  if (!history.info.recorded) bring_up(c, outages, said);
  problems(c, said);
  another_run(c);
  ends(c, outages);
  judge_deviations(history, ledger, out);
}

}  // namespace mailproof::judge
