#include "explore/coverage.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "core/bytes.h"

namespace mailproof::explore {
namespace {

using history::Event;
using history::History;
using history::Type;
using history::What;

constexpr auto kStates = std::to_array<State>({
    {"append-cut", "the connection went before an APPEND was answered"},
    {"append-over-quota", "an APPEND was refused because the mailbox is full"},
    {"bounce-seen", "a delivery report came back to a sender"},
    {"command-cut", "the connection went before an IMAP command was answered"},
    {"condstore-delta", "CHANGEDSINCE told a device what it had missed"},
    {"copies-in-one-mailbox", "a message was copied into the mailbox where it is"},
    {"copy-over-quota", "a COPY or MOVE was refused because the mailbox is full"},
    {"copy-then-original-expunged", "what a message was copied from was expunged, and the copy stays"},
    {"customer-full", "an account is refused mail that has no limit of its own"},
    {"dele-never-quit", "DELE was answered and the session ended without QUIT"},
    {"delivery-cut", "the connection went before a delivery was answered"},
    {"delivery-during-idle", "mail came in while somebody idled there"},
    {"delivery-during-pop", "mail came in while somebody had the maildrop"},
    {"delta-after-highest-uid-expunged", "QRESYNC after the highest UID went"},
    {"delta-with-vanished", "QRESYNC told of messages that had gone"},
    {"duplicate-after-lost-answer", "mail was sent again after its answer was lost, and accepted"},
    {"exists-told-in-idle", "EXISTS came while IDLE ran"},
    {"expunge-beside-delivery", "an EXPUNGE ran while mail came in"},
    {"expunge-of-other-session", "a session was told of an expunge that it had not asked for"},
    {"expunge-told-in-command", "EXPUNGE by others came with the answer to another command than NOOP or IDLE"},
    {"expunge-told-in-idle", "EXPUNGE or VANISHED came while IDLE ran"},
    {"fetch-of-expunged", "a message was asked for that another session had expunged"},
    {"flag-told-in-idle", "a change of flags came while IDLE ran"},
    {"flags-of-two-at-once", "two sessions changed flags of one message at the same time"},
    {"lmtp-mixed-replies", "one recipient was accepted, another refused, of the same message"},
    {"mailbox-emptied", "everything that was in a mailbox went, and something came again"},
    {"mailbox-recreated", "a mailbox that was removed or renamed was made again under the old name"},
    {"mailbox-removed-with-mail", "a mailbox was removed that held messages"},
    {"mailbox-renamed-with-mail", "a mailbox was renamed that held messages"},
    {"maildrop-reset", "RSET took back what DELE had marked"},
    {"move-back-and-forth", "a message was moved out of a mailbox and into it again"},
    {"move-beside-delivery", "a MOVE ran while mail came in"},
    {"move-beside-move", "two MOVEs of one account ran at the same time"},
    {"move-of-expunged", "a MOVE of a message that another session had taken"},
    {"over-quota-by-admin", "a quota was set below what is there"},
    {"partial-fetch-over-the-end", "a partial fetch asked for more than there was"},
    {"pop-across-imap-expunge", "a POP3 session went on across an IMAP expunge"},
    {"pop-delete-while-idle", "QUIT removed messages while somebody idled there"},
    {"pop-quit-cut", "the connection went before QUIT was answered"},
    {"pop-retr-of-expunged", "RETR of a message that had gone over IMAP was refused"},
    {"pop-uidl-after-removal", "UIDL was asked for again after something had been removed"},
    {"quota-freed-and-filled", "mail was refused as over quota, something was removed, and mail was accepted again"},
    {"quota-refusal", "mail was refused because the mailbox is full"},
    {"read-over-both", "a message was read whole over IMAP and over POP3"},
    {"refused-mail-sent-again", "refused mail was sent again and accepted"},
    {"removed-by-two", "two sessions asked for the removal of one message"},
    {"restart-in-idle", "the server was stopped while somebody idled"},
    {"restart-in-pop", "the server was stopped while somebody had the maildrop, with something marked"},
    {"same-message-id-again", "a message that everybody had deleted was accepted once more"},
    {"search-in-changed-mailbox", "SEARCH in a mailbox from which another session had expunged"},
    {"second-login-refused", "a second POP3 session was refused while the first had the maildrop"},
    {"store-of-expunged", "flags were set on a message that another session had expunged"},
    {"three-copies", "a message was put into three mailboxes"},
    {"two-expunge-at-once", "two sessions of an account expunged at the same time"},
    {"uidvalidity-changed", "a mailbox was selected with another UIDVALIDITY than before"},
});

using Found = std::set<std::string_view>;

/// A mailbox of an account, as histories name it.
using Where = std::pair<std::uint32_t, std::string>;

bool full(const Event& e) {
  const std::string text = lower(e.text);
  return e.code.ends_with(".2.2") || iequals(e.code, "OVERQUOTA") || text.find("quota") != std::string::npos ||
         text.find("mailbox is full") != std::string::npos;
}

bool expunges(What what) { return what == What::expunge || what == What::move || what == What::close; }

/// What runs at the moment, by the index of its invoke, and what is known so far.
class Walk {
 public:
  explicit Walk(const History& history) : history_(history) {}

  Found run() {
    for (const Event& e : history_.events()) {
      if (e.what == What::audit) break;  // what comes now is ours
      if (e.session != 0 && history_.session(e.session).device == 0) continue;
      see(e);
    }
    return std::move(found_);
  }

 private:
  struct Session {
    std::uint32_t idling = 0;  ///< the invoke of IDLE
    std::string mailbox;
    std::set<std::uint32_t> gone_before;  ///< UIDs that others expunged and that it still believes in
    bool pop_ready = false, marked = false, others_expunged = false;
  };
  struct Message {
    std::set<std::uint32_t> removers;  ///< sessions
    std::set<std::string> mailboxes;
    bool imap = false, pop = false;
    bool lost_answer = false, refused = false, removed = false, copied = false;
    std::set<std::string> left;  ///< mailboxes it was moved out of
  };

  Session& of(const Event& e) { return sessions_[e.session]; }
  const Event& asked(const Event& e) const { return history_.asked(e); }
  Protocol protocol(const Event& e) const { return history_.session(e.session).protocol; }
  std::uint32_t account(const Event& e) const { return history_.account_of(e); }
  void reach(std::string_view state) { found_.insert(state); }

  template <class Is>
  bool running(const Event& beside, Is&& is) const {
    return std::any_of(running_.begin(), running_.end(), [&](std::uint32_t index) {
      const Event& other = history_.event(index);
      return index != beside.index && other.session != beside.session && is(other);
    });
  }
  template <class Is>
  bool any_session(std::uint32_t account, std::uint32_t but, Is&& is) const {
    return std::any_of(sessions_.begin(), sessions_.end(), [&](const auto& one) {
      return one.first != 0 && one.first != but && history_.session(one.first).account == account && is(one.second);
    });
  }

  void see(const Event& e) {
    switch (e.type) {
      case Type::invoke:
        invoked(e);
        running_.insert(e.index);
        break;
      case Type::ok:
      case Type::fail:
      case Type::info:
        running_.erase(asked(e).index);
        answered(e);
        break;
      case Type::obs:
        told(e);
        break;
      default:
        break;
    }
  }

  void invoked(const Event& e) {
    const std::uint32_t mine = account(e);
    const auto of_mine = [&](What what) {
      return running(e, [&](const Event& other) { return other.what == what && account(other) == mine; });
    };
    if (e.what == What::move && of_mine(What::move)) reach("move-beside-move");
    if (e.what == What::expunge && of_mine(What::expunge)) reach("two-expunge-at-once");
    if (e.what == What::store && running(e, [&](const Event& other) {
          return other.what == What::store && account(other) == mine && iequals(other.mailbox, e.mailbox) &&
                 overlap(other.set, e.set);
        }))
      reach("flags-of-two-at-once");
    if (e.what == What::deliver) {
      if (running(e, [](const Event& other) { return other.what == What::move; })) reach("move-beside-delivery");
      if (running(e, [](const Event& other) { return other.what == What::expunge; })) reach("expunge-beside-delivery");
    }
    if (e.what == What::move && running(e, [](const Event& other) { return other.what == What::deliver; }))
      reach("move-beside-delivery");
    if (e.what == What::expunge && running(e, [](const Event& other) { return other.what == What::deliver; }))
      reach("expunge-beside-delivery");
    if (e.what == What::idle) of(e).idling = e.index;
    if (e.what == What::admin && (e.code == "restart" || e.code == "kill"))
      for (const auto& [number, session] : sessions_) {
        if (session.idling != 0) reach("restart-in-idle");
        if (session.pop_ready && session.marked) reach("restart-in-pop");
      }
    if (e.what == What::fetch && e.text.find("CHANGEDSINCE") != std::string::npos) reach("condstore-delta");
    if (e.what == What::search && of(e).others_expunged) reach("search-in-changed-mailbox");
    if (e.what == What::fetch || e.what == What::store || e.what == What::move || e.what == What::copy) {
      const auto& gone = of(e).gone_before;
      const auto uids = history::parse_uids(e.set);
      if (!std::any_of(uids.begin(), uids.end(), [&](std::uint32_t uid) { return gone.contains(uid); })) return;
      if (e.what == What::fetch) reach("fetch-of-expunged");
      if (e.what == What::store) reach("store-of-expunged");
      if (e.what == What::move) reach("move-of-expunged");
    }
  }

  static bool overlap(const std::string& a, const std::string& b) {
    const auto first = history::parse_uids(a), second = history::parse_uids(b);
    return std::any_of(first.begin(), first.end(),
                       [&](std::uint32_t uid) { return std::find(second.begin(), second.end(), uid) != second.end(); });
  }

  void answered(const Event& e) {
    const Event& invoke = asked(e);
    if (e.what == What::idle) of(e).idling = 0;
    if (e.type == Type::info && e.session != 0) cut(e);
    switch (e.what) {
      case What::deliver:
        return delivered(e);
      case What::append:
        if (e.type == Type::fail && full(e)) reach("append-over-quota");
        if (e.type == Type::ok) put(e.message, invoke.mailbox, e);
        return;
      case What::copy:
      case What::move:
        return copied(e, invoke);
      case What::expunge:
      case What::close:
        if (e.type == Type::ok) taken_by(e);
        return;
      case What::select:
      case What::examine:
        return selected(e);
      case What::create:
        if (e.type == Type::ok && old_names_.contains({account(e), invoke.mailbox})) reach("mailbox-recreated");
        return;
      case What::remove:
      case What::rename:
        if (e.type != Type::ok) return;
        old_names_.emplace(account(e), invoke.mailbox);
        if (holds(account(e), invoke.mailbox))
          reach(e.what == What::remove ? "mailbox-removed-with-mail" : "mailbox-renamed-with-mail");
        return;
      case What::connect:
        if (e.type == Type::ok && protocol(e) == Protocol::pop3) of(e).pop_ready = true;
        if (e.type == Type::fail && protocol(e) == Protocol::pop3 &&
            any_session(account(e), e.session, [](const Session& other) { return other.pop_ready; }))
          reach("second-login-refused");
        return;
      case What::dele:
        if (e.type == Type::ok) {
          of(e).marked = true;
          if (invoke.message != 0) messages_[invoke.message].removers.insert(e.session);
          if (invoke.message != 0 && messages_[invoke.message].removers.size() > 1) reach("removed-by-two");
        }
        return;
      case What::rset:
        if (e.type == Type::ok && of(e).marked) reach("maildrop-reset");
        of(e).marked = false;
        return;
      case What::retr:
        if (e.type == Type::ok && of(e).others_expunged) reach("pop-across-imap-expunge");
        if (e.type == Type::fail && of(e).others_expunged) reach("pop-retr-of-expunged");
        return;
      case What::pop_uidl:
        if (e.type == Type::ok && pop_removed_.contains(account(e))) reach("pop-uidl-after-removal");
        return;
      case What::quit:
        return quit(e);
      case What::admin:
        if (e.type == Type::ok && invoke.code == "set_quota" && invoke.get<history::LimitFacts>().octets != 0 &&
            invoke.get<history::LimitFacts>().octets < used_[invoke.account])
          reach("over-quota-by-admin");
        return;
      default:
        return;
    }
  }

  void cut(const Event& e) {
    if (e.what == What::append) reach("append-cut");
    if (e.what == What::deliver) reach("delivery-cut");
    if (e.what == What::quit) reach("pop-quit-cut");
    const bool imap = protocol(e) == Protocol::imap;
    if (imap && e.what != What::idle && e.what != What::connect && e.what != What::logout) reach("command-cut");
  }

  void delivered(const Event& e) {
    if (e.account == 0 || e.message == 0) return;
    Message& message = messages_[e.message];
    if (e.type == Type::ok) {
      if (message.lost_answer) reach("duplicate-after-lost-answer");
      if (message.refused) reach("refused-mail-sent-again");
      if (message.removed && message.mailboxes.empty()) reach("same-message-id-again");
      if (refused_[e.account] && freed_[e.account]) reach("quota-freed-and-filled");
      if (any_session(e.account, 0, [](const Session& one) { return one.idling != 0; })) reach("delivery-during-idle");
      if (any_session(e.account, 0, [](const Session& one) { return one.pop_ready; })) reach("delivery-during-pop");
      put(e.message, "INBOX", e);
    } else if (e.type == Type::info) {
      message.lost_answer = true;
    } else if (full(e)) {
      reach("quota-refusal");
      message.refused = true;
      refused_[e.account] = true;
      freed_[e.account] = false;
      const auto& info = history_.account(e.account);
      if (info.customer != 0 && !info.quota) reach("customer-full");
    }
    // Of one transaction.
    auto& outcomes = replies_[e.command];
    outcomes.insert(e.type);
    if (outcomes.contains(Type::ok) && outcomes.contains(Type::fail) && e.session != 0 && protocol(e) == Protocol::lmtp)
      reach("lmtp-mixed-replies");
  }

  void put(std::uint32_t number, const std::string& mailbox, const Event& e) {
    if (number == 0) return;
    Message& message = messages_[number];
    if (message.left.contains(mailbox)) reach("move-back-and-forth");
    message.mailboxes.insert(mailbox);
    if (message.mailboxes.size() > 2) reach("three-copies");
    const Where where{e.account != 0 ? e.account : account(e), mailbox};
    if (emptied_.contains(where)) reach("mailbox-emptied");
    ++held_[where];
    used_[where.first] += history_.message(number).size;
  }

  void copied(const Event& e, const Event& invoke) {
    if (e.type == Type::fail && full(e)) reach("copy-over-quota");
    if (e.type != Type::ok) return;
    if (e.what == What::copy && iequals(invoke.mailbox, invoke.other_mailbox)) reach("copies-in-one-mailbox");
    for (const std::uint32_t uid : history::parse_uids(invoke.set)) {
      const auto at = at_.find({{account(e), invoke.mailbox}, uid});
      if (at == at_.end()) continue;
      put(at->second, invoke.other_mailbox, e);
      messages_[at->second].copied = messages_[at->second].copied || e.what == What::copy;
      if (e.what != What::move) continue;
      messages_[at->second].left.insert(invoke.mailbox);
      messages_[at->second].mailboxes.erase(invoke.mailbox);
    }
    if (e.what == What::move) taken_by(e);
  }

  /// Others who have the mailbox open believe in what is gone until they are told.
  void taken_by(const Event& e) {
    for (auto& [number, other] : sessions_) {
      if (number == e.session || number == 0 || history_.session(number).account != account(e)) continue;
      if (other.pop_ready || iequals(other.mailbox, asked(e).mailbox)) other.others_expunged = true;
    }
  }

  void selected(const Event& e) {
    if (e.type != Type::ok) return;
    Session& session = of(e);
    session.mailbox = e.mailbox;
    session.gone_before.clear();
    session.others_expunged = false;
    const auto [known, fresh] = uidvalidity_.try_emplace({account(e), e.mailbox}, e.uidvalidity);
    if (!fresh && known->second != e.uidvalidity) reach("uidvalidity-changed");
    known->second = e.uidvalidity;
    if (asked(e).get<history::SelectFacts>().highestmodseq != 0 && highest_gone_.contains({account(e), e.mailbox}))
      reach("delta-after-highest-uid-expunged");
  }

  void quit(const Event& e) {
    Session& session = of(e);
    if (e.type == Type::ok && session.marked) {
      pop_removed_.insert(account(e));
      freed_[account(e)] = true;
      if (any_session(account(e), e.session, [](const Session& one) { return one.idling != 0; }))
        reach("pop-delete-while-idle");
    }
    session.pop_ready = session.marked = false;
  }

  void told(const Event& e) {
    switch (e.what) {
      case What::message:
        return looked_at(e);
      case What::exists:
        if (idling(e)) reach("exists-told-in-idle");
        return;
      case What::row:
        highest_[{account(e), e.mailbox}] = std::max(highest_[{account(e), e.mailbox}], e.uid);
        if (e.has_flags && idling(e) && e.size == 0) reach("flag-told-in-idle");
        return;
      case What::expunged:
        return gone(e, e.uid);
      case What::vanished:
        if (e.code == "EARLIER") return reach("delta-with-vanished");
        for (const std::uint32_t uid : history::parse_uids(e.set)) gone(e, uid);
        return;
      case What::piece:
        if (e.size < e.get<history::PieceFacts>().asked) reach("partial-fetch-over-the-end");
        return;
      case What::report:
        return reach("bounce-seen");
      case What::end:
        if (of(e).pop_ready && of(e).marked) reach("dele-never-quit");
        of(e) = {};
        return;
      default:
        return;
    }
  }

  bool idling(const Event& e) { return e.session != 0 && of(e).idling != 0; }

  void looked_at(const Event& e) {
    if (e.message == 0) return;
    Message& message = messages_[e.message];
    if (e.code == "full") (protocol(e) == Protocol::pop3 ? message.pop : message.imap) = true;
    if (message.pop && message.imap) reach("read-over-both");
    if (e.uid != 0) at_[{{account(e), e.mailbox}, e.uid}] = e.message;
  }

  void gone(const Event& e, std::uint32_t uid) {
    const Where where{account(e), e.mailbox.empty() ? of(e).mailbox : e.mailbox};
    const bool asked_for_it = std::any_of(running_.begin(), running_.end(), [&](std::uint32_t index) {
      return history_.event(index).session == e.session && expunges(history_.event(index).what);
    });
    if (idling(e)) reach("expunge-told-in-idle");
    if (!asked_for_it) {
      reach("expunge-of-other-session");
      const bool quiet = std::any_of(running_.begin(), running_.end(), [&](std::uint32_t index) {
        const What what = history_.event(index).what;
        return history_.event(index).session == e.session && what != What::noop && what != What::idle;
      });
      if (quiet) reach("expunge-told-in-command");
      return;
    }
    freed_[where.first] = true;
    if (uid != 0 && uid == highest_[where]) highest_gone_.insert(where);
    if (held_[where] > 0 && --held_[where] == 0) emptied_.insert(where);
    for (auto& [number, other] : sessions_)
      if (number != e.session && number != 0 && history_.session(number).account == where.first &&
          iequals(other.mailbox, where.second))
        other.gone_before.insert(uid);
    const auto at = at_.find({where, uid});
    if (at == at_.end()) return;
    Message& message = messages_[at->second];
    message.removers.insert(e.session);
    if (message.removers.size() > 1) reach("removed-by-two");
    message.removed = true;
    message.mailboxes.erase(where.second);
    if (message.copied && !message.mailboxes.empty()) reach("copy-then-original-expunged");
  }

  bool holds(std::uint32_t account, const std::string& mailbox) const {
    const auto at = held_.find({account, mailbox});
    return at != held_.end() && at->second > 0;
  }

  const History& history_;
  Found found_;
  std::set<std::uint32_t> running_;
  std::map<std::uint32_t, Session> sessions_;
  std::map<std::uint32_t, Message> messages_;
  std::map<std::pair<Where, std::uint32_t>, std::uint32_t> at_;  ///< mailbox and UID -> message
  std::map<Where, std::uint32_t> uidvalidity_, highest_;
  std::map<Where, int> held_;
  std::set<Where> old_names_, highest_gone_, emptied_;
  std::map<std::uint32_t, bool> refused_, freed_;
  std::map<std::uint32_t, std::uint64_t> used_;
  std::map<std::uint32_t, std::set<Type>> replies_;  ///< by transaction
  std::set<std::uint32_t> pop_removed_;
};

}  // namespace

std::span<const State> states() { return kStates; }

std::set<std::string_view> states_in(const History& history) { return Walk(history).run(); }

}  // namespace mailproof::explore
