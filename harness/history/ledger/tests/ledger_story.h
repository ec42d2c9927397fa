#pragma once
#include <fmt/format.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "history/history.h"
#include "history/ledger/ledger.h"

namespace mailproof::history {

/// Builds histories for tests, in the words of the protocols. Every event comes 10 ms after the one before. The ledger
/// listens from the start, as it does in play.
class Story {
 public:
  Story() : ledger(history) {
    history.info.scenario = "test.story";
    history.info.settle = std::chrono::seconds(2);
    history.listen([this](const Event& e) { ledger.apply(e); });
    alice = account("alice");
    bob = account("bob");
    mta = device("mta", DeviceKind::deliverer, 0);
    phone = device("phone", DeviceKind::imap, alice);
    laptop = device("laptop", DeviceKind::imap, alice);
    pc = device("pc", DeviceKind::pop3, alice, "delete");
  }

  History history;
  Ledger ledger;
  std::uint32_t alice = 0, bob = 0;
  std::uint32_t mta = 0, phone = 0, laptop = 0, pc = 0;

  std::uint32_t account(const std::string& name) {
    history.info.accounts.push_back({name, name, name + "@example.test", std::nullopt});
    return static_cast<std::uint32_t>(history.info.accounts.size());
  }
  std::uint32_t device(const std::string& name, DeviceKind kind, std::uint32_t owner, const std::string& policy = "") {
    history.info.devices.push_back({name, kind, owner, policy});
    return static_cast<std::uint32_t>(history.info.devices.size());
  }
  std::uint32_t message(const std::string& set = "mail", std::uint32_t index = 0) {
    MessageInfo made;
    made.set = set;
    made.index = index != 0 ? index : static_cast<std::uint32_t>(history.messages().size() + 1);
    made.size = 1000;
    made.seed = 7000 + history.messages().size();
    made.hash = 0xabc000 + history.messages().size();
    made.header_lines = 8;
    made.header_octets = 300;
    made.body_lines = 20;
    made.sender = bob;
    return history.add_message(made);
  }
  std::vector<std::uint32_t> messages(int count) {
    std::vector<std::uint32_t> out;
    for (int i = 0; i < count; ++i) out.push_back(message());
    return out;
  }

  using Fields = std::function<void(Event&)>;
  const Event& put(Type type, What what, std::uint32_t session, const Fields& fields = {}) {
    Event e;
    e.at = now_ += std::chrono::milliseconds(10);
    e.type = type;
    e.what = what;
    e.session = session;
    e.step = step_;
    if (fields) fields(e);
    return history.append(std::move(e));
  }
  std::uint32_t invoke(What what, std::uint32_t session, const Fields& fields = {}) {
    return put(Type::invoke, what, session, fields).index;
  }
  const Event& done(std::uint32_t command, Type type, const Fields& fields = {}) {
    const Event& asked = history.event(command);
    return put(type, asked.what, asked.session, [&](Event& e) {
      e.command = command;
      if (fields) fields(e);
    });
  }
  const Event& ask(What what, std::uint32_t session, const Fields& asked = {}, Type outcome = Type::ok,
                   const Fields& answer = {}) {
    return done(invoke(what, session, asked), outcome, answer);
  }
  const Event& obs(What what, std::uint32_t session, const Fields& fields = {}) {
    return put(Type::obs, what, session, fields);
  }
  void wait(Duration d) { now_ += d; }
  void step(const std::string& text) {
    history.info.steps.push_back(text);
    step_ = static_cast<std::uint32_t>(history.info.steps.size());
    obs(What::step, 0, [&](Event& e) { e.text = text; });
  }

  // Sessions.
  std::uint32_t imap(std::uint32_t device_number, std::uint32_t round = 0) {
    return open(device_number, Protocol::imap, history.device(device_number).account, round);
  }
  std::uint32_t pop3(std::uint32_t device_number, std::uint32_t round = 0) {
    return open(device_number, Protocol::pop3, history.device(device_number).account, round);
  }
  std::uint32_t lmtp() { return open(mta, Protocol::lmtp, 0, 0); }
  std::uint32_t smtp() { return open(mta, Protocol::smtp, 0, 0); }
  std::uint32_t audit(Protocol protocol, std::uint32_t owner, std::uint32_t round) {
    return open(0, protocol, owner, round);
  }
  std::uint32_t open(std::uint32_t device_number, Protocol protocol, std::uint32_t owner, std::uint32_t round) {
    SessionInfo made;
    made.label = (device_number == 0 ? "audit" : history.device(device_number).name) + "#" +
                 std::to_string(history.sessions().size() + 1);
    made.device = device_number;
    made.protocol = protocol;
    made.account = owner;
    made.audit_round = round;
    made.endpoint = "127.0.0.1:1";
    const std::uint32_t number = history.add_session(made);
    ask(What::connect, number);
    return number;
  }
  void end(std::uint32_t session, const std::string& flags = "clean", const std::string& code = "closed") {
    obs(What::end, session, [&](Event& e) {
      e.flags = flags;
      e.code = code;
      e.text = "the session is over";
    });
  }

  // Delivery.
  const Event& deliver(std::uint32_t session, std::uint32_t message_number, std::uint32_t to, Type outcome = Type::ok,
                       std::uint32_t code = 250, const std::string& status = "2.0.0", const std::string& text = "OK") {
    return deliver_to(session, message_number, {{to, outcome, code, status, text, ""}});
  }
  struct Answer {
    std::uint32_t to;
    Type outcome = Type::ok;
    std::uint32_t code = 250;
    std::string status = "2.0.0", text = "OK", flags = "";
  };
  const Event& deliver_to(std::uint32_t session, std::uint32_t message_number, const std::vector<Answer>& answers) {
    const std::uint32_t command = invoke(What::deliver, session, [&](Event& e) {
      e.message = message_number;
      e.text = std::string(mailproof::name(history.session(session).protocol));
    });
    const Event* last = nullptr;
    for (const Answer& a : answers)
      last = &done(command, a.outcome, [&](Event& e) {
        e.message = message_number;
        e.account = a.to;
        e.facts = ReplyFacts{a.code};
        e.code = a.status;
        e.text = a.text;
        e.flags = a.flags;
      });
    return *last;
  }

  // IMAP.
  void select(std::uint32_t session, const std::string& mailbox, std::uint32_t exists = 0,
              std::uint32_t uidvalidity = 1, What what = What::select) {
    ask(
        what, session, [&](Event& e) { e.mailbox = mailbox; }, Type::ok,
        [&](Event& e) {
          e.mailbox = mailbox;
          e.uidvalidity = uidvalidity;
          e.facts = SelectFacts{exists, 0, 0};
        });
  }
  const Event& content(std::uint32_t session, std::uint32_t message_number, std::uint32_t seq, std::uint32_t uid,
                       const std::string& code = "full", const std::string& mailbox = "INBOX",
                       std::uint32_t uidvalidity = 1) {
    return obs(What::message, session, [&](Event& e) {
      e.message = message_number;
      e.mailbox = mailbox;
      e.uidvalidity = uidvalidity;
      e.seq = seq;
      e.uid = uid;
      e.code = code;
      if (message_number == 0) return;
      e.size = history.message(message_number).size;
      if (code == "full") e.hash = history.message(message_number).hash;
    });
  }
  const Event& row(std::uint32_t session, std::uint32_t seq, std::uint32_t uid, const std::string& flags = "") {
    return obs(What::row, session, [&](Event& e) {
      e.seq = seq;
      e.uid = uid;
      e.has_flags = true;
      e.flags = flags;
    });
  }
  const Event& store(std::uint32_t session, const std::string& set, const std::string& code = "+FLAGS",
                     const std::string& flags = "\\Deleted", Type outcome = Type::ok) {
    return ask(
        What::store, session,
        [&](Event& e) {
          e.set = set;
          e.code = code;
          e.flags = flags;
        },
        outcome);
  }
  /// `code`: of the answer.
  const Event& append(std::uint32_t session, std::uint32_t message_number, const std::string& mailbox = "INBOX",
                      Type outcome = Type::ok, const std::string& code = "") {
    return ask(
        What::append, session,
        [&](Event& e) {
          e.message = message_number;
          e.mailbox = mailbox;
        },
        outcome, [&](Event& e) { e.code = code; });
  }
  const Event& expunge(std::uint32_t session, Type outcome = Type::ok, const std::string& set = "") {
    return ask(
        What::expunge, session, [&](Event& e) { e.set = set; }, outcome);
  }
  void expunged(std::uint32_t session, std::uint32_t seq, std::uint32_t uid) {
    obs(What::expunged, session, [&](Event& e) {
      e.seq = seq;
      e.uid = uid;
    });
  }
  const Event& move(What what, std::uint32_t session, const std::string& set, const std::string& to,
                    Type outcome = Type::ok, const std::string& made = "", std::uint32_t uidvalidity = 1) {
    return ask(
        what, session,
        [&](Event& e) {
          e.set = set;
          e.mailbox = "INBOX";
          e.other_mailbox = to;
        },
        outcome,
        [&](Event& e) {
          if (made.empty()) return;
          e.set = set;
          e.facts = CopyFacts{made};
          e.uidvalidity = uidvalidity;
        });
  }

  // Listings by the audit: (message, uid or number) each.
  using Listing = std::vector<std::pair<std::uint32_t, std::uint32_t>>;
  std::uint32_t list_imap(std::uint32_t owner, std::uint32_t round, const Listing& found,
                          const std::string& mailbox = "INBOX", std::uint32_t uidvalidity = 1) {
    const std::uint32_t session = audit(Protocol::imap, owner, round);
    select(session, mailbox, static_cast<std::uint32_t>(found.size()), uidvalidity, What::examine);
    std::uint32_t seq = 0;
    for (const auto& [number, uid] : found) content(session, number, ++seq, uid, "full", mailbox, uidvalidity);
    obs(What::enumerated, session, [&](Event& e) {
      e.mailbox = mailbox;
      e.uidvalidity = uidvalidity;
      e.facts = CountFacts{seq};
      e.code = "imap";
    });
    end(session);
    return session;
  }
  const Event& pop_content(std::uint32_t session, std::uint32_t message_number, std::uint32_t seq,
                           const std::string& uidl) {
    return obs(What::message, session, [&](Event& e) {
      e.message = message_number;
      e.mailbox = "INBOX";
      e.seq = seq;
      e.text = uidl;
      e.code = "full";
      if (message_number == 0) return;
      e.size = history.message(message_number).size;
      e.hash = history.message(message_number).hash;
    });
  }
  void list_row(std::uint32_t session, std::uint32_t seq, std::uint64_t octets) {
    obs(What::pop_list, session, [&](Event& e) {
      e.seq = seq;
      e.size = octets;
    });
  }
  void uidl_row(std::uint32_t session, std::uint32_t seq, const std::string& uidl) {
    obs(What::pop_uidl, session, [&](Event& e) {
      e.seq = seq;
      e.text = uidl;
    });
  }
  static std::string uidl(std::uint32_t number) { return fmt::format("u{}", number); }
  /// Unique-ids are uidl(second).
  std::uint32_t list_pop(std::uint32_t owner, std::uint32_t round, const Listing& found) {
    const std::uint32_t session = audit(Protocol::pop3, owner, round);
    const std::uint32_t command = invoke(What::pop_uidl, session);
    std::uint32_t seq = 0;
    for (const auto& [number, uid] : found) uidl_row(session, ++seq, uid == 0 ? "" : uidl(uid));
    done(command, Type::ok);
    seq = 0;
    for (const auto& [number, uid] : found) pop_content(session, number, ++seq, uid == 0 ? "" : uidl(uid));
    obs(What::enumerated, session, [&](Event& e) {
      e.mailbox = "INBOX";
      e.facts = CountFacts{seq};
      e.code = "pop3";
    });
    ask(What::quit, session);
    end(session);
    return session;
  }
  const Event& dele(std::uint32_t session, std::uint32_t seq, std::uint32_t message_number = 0,
                    Type outcome = Type::ok) {
    return ask(
        What::dele, session,
        [&](Event& e) {
          e.seq = seq;
          e.message = message_number;
        },
        outcome, [&](Event& e) { e.seq = seq; });
  }
  void report(std::uint32_t session, std::uint32_t message_number, std::uint32_t recipient, std::uint32_t uid,
              const std::string& status = "5.2.2", const std::string& action = "failed") {
    obs(What::report, session, [&](Event& e) {
      e.message = message_number;
      e.account = recipient;
      e.mailbox = "INBOX";
      e.uidvalidity = 1;
      e.uid = uid;
      e.code = status;
      e.text = action + " 552 mailbox full";
    });
  }

  /// The audit, round by round; `found` lists alice's INBOX by UID.
  void audit_begin(std::uint32_t round) {
    step_ = 0;
    obs(What::audit, 0, [&](Event& e) {
      e.facts = AuditFacts{round};
      e.text = "begin";
    });
  }
  void audit_end(std::uint32_t round) {
    obs(What::audit, 0, [&](Event& e) {
      e.facts = AuditFacts{round};
      e.text = "end";
    });
  }
  void settle() {
    wait(history.info.settle);
    obs(What::settle, 0, [&](Event& e) { e.facts = BoundFacts{history.info.settle}; });
  }

 private:
  Time now_{};
  std::uint32_t step_ = 0;
};

}  // namespace mailproof::history
