#pragma once
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "history/columns.h"
#include "history/ledger/tests/ledger_story.h"
#include "judge/judge.h"

namespace mailproof::judge {

using history::Event;
using history::Fate;
using history::Type;
using history::What;

/// What SELECT tells.
struct SelectedWith {
  std::string mailbox = "INBOX";
  std::uint32_t exists = 0, uidnext = 0;
  std::uint64_t modseq = 0;
  std::uint32_t uidvalidity = 1;
};

/// A scene with alice's devices, and audits that look at INBOX over both protocols.
struct Scene : history::Story {
  Scene() {
    step("mta: {deliver: mail, to: alice}");
    history.excerpt = [](std::uint32_t, history::WireRef) { return std::string("S: * 1 EXISTS"); };
  }

  std::vector<std::uint32_t> accepted(int count, bool smtp_way = false) {
    const auto mail = messages(count);
    const std::uint32_t out = smtp_way ? smtp() : lmtp();
    for (const std::uint32_t m : mail) deliver(out, m, alice);
    return mail;
  }
  /// A device sees all of them in INBOX, UIDs from 1.
  std::uint32_t watches(std::uint32_t device_number, const std::vector<std::uint32_t>& mail) {
    const std::uint32_t hand = imap(device_number);
    select(hand, "INBOX", static_cast<std::uint32_t>(mail.size()));
    for (std::uint32_t i = 0; i < mail.size(); ++i) content(hand, mail[i], i + 1, i + 1);
    return hand;
  }
  void selects(std::uint32_t session, const SelectedWith& with) {
    ask(
        What::select, session, [&](Event& e) { e.mailbox = with.mailbox; }, Type::ok,
        [&](Event& e) {
          e.mailbox = with.mailbox;
          e.uidvalidity = with.uidvalidity;
          e.facts = history::SelectFacts{with.exists, with.uidnext, with.modseq};
        });
  }
  /// A row of INBOX with its flags.
  void told_row(std::uint32_t session, std::uint32_t uid, const std::string& flags, std::uint64_t modseq = 0) {
    obs(What::row, session, [&](Event& e) {
      e.mailbox = "INBOX";
      e.uidvalidity = 1;
      e.seq = e.uid = uid;
      e.has_flags = true;
      e.flags = flags;
      e.facts = history::RowFacts{modseq, false};
    });
  }
  /// Told while a NOOP runs: EXPUNGE comes with a command only (RFC 3501 section 7.4.1).
  void expunged(std::uint32_t session, std::uint32_t seq, std::uint32_t uid) {
    const std::uint32_t noop = invoke(What::noop, session);
    history::Story::expunged(session, seq, uid);
    done(noop, Type::ok);
  }
  /// alice's pc downloads all of them.
  std::uint32_t downloads(const std::vector<std::uint32_t>& mail) {
    const std::uint32_t pop = pop3(pc);
    for (std::uint32_t i = 0; i < mail.size(); ++i) uidl_row(pop, i + 1, uidl(i + 1));
    for (std::uint32_t i = 0; i < mail.size(); ++i) pop_content(pop, mail[i], i + 1, uidl(i + 1));
    return pop;
  }
  void both(std::uint32_t round, const Listing& found) { both(round, found, found); }
  void both(std::uint32_t round, const Listing& over_imap, const Listing& over_pop) {
    audit_begin(round);
    list_imap(alice, round, over_imap);
    list_pop(alice, round, over_pop);
    audit_end(round);
  }
  /// The audit, twice, with the settling time between.
  void audited(const Listing& found) { audited(found, found); }
  void audited(const Listing& over_imap, const Listing& over_pop) {
    both(1, over_imap, over_pop);
    settle();
    both(2, over_imap, over_pop);
  }
  /// ... of INBOX and of another mailbox.
  void audited_beside(const Listing& inbox, const std::string& mailbox, const Listing& there) {
    for (const std::uint32_t round : {1U, 2U}) {
      both(round, inbox);
      list_imap(alice, round, there, mailbox);
      if (round == 1) settle();
    }
  }
  static Listing all(const std::vector<std::uint32_t>& mail) {
    Listing out;
    for (std::uint32_t i = 0; i < mail.size(); ++i) out.emplace_back(mail[i], i + 1);
    return out;
  }
  std::uint32_t expect(What what, std::uint32_t session, const std::string& set, const Fields& fields = {}) {
    return put(Type::expect, what, session,
               [&](Event& e) {
                 e.set = set;
                 if (fields) fields(e);
               })
        .index;
  }
  /// A fate that is expected of the messages in `set`.
  std::uint32_t fate(const std::string& set, const history::FateFacts& wanted) {
    return expect(What::fate, 0, set, [&](Event& e) { history::expect_fate(wanted, history.info, e); });
  }
  void agree(std::vector<std::uint32_t> devices) {
    expect(What::agree, 0, "", [&](Event& e) { history::expect_agreement({std::move(devices)}, history.info, e); });
  }
  const Event& answer(std::uint32_t expectation, Type outcome, const std::string& set = "",
                      const std::string& text = "") {
    return done(expectation, outcome, [&](Event& e) {
      e.set = set;
      e.text = text;
    });
  }
};

/// A history with one thing wrong, and what must be found: exactly `finding`, and nothing but `others` beside it.
struct Plant {
  std::string finding;  ///< "loss/lost"
  std::function<void(Scene&)> build;
  std::vector<std::string> others;
};
inline std::ostream& operator<<(std::ostream& out, const Plant& plant) { return out << plant.finding; }

/// A history with nothing wrong.
struct Silence {
  std::string name;
  std::function<void(Scene&)> build;
};
inline std::ostream& operator<<(std::ostream& out, const Silence& silence) { return out << silence.name; }

/// What the test files planted, gathered before main.
inline std::vector<Plant>& plants() {
  static std::vector<Plant> all;
  return all;
}
inline std::vector<Silence>& silences() {
  static std::vector<Silence> all;
  return all;
}
inline bool plant(std::string finding, std::function<void(Scene&)> build, std::vector<std::string> others = {}) {
  plants().push_back({std::move(finding), std::move(build), std::move(others)});
  return true;
}
inline bool silent(std::string name, std::function<void(Scene&)> build) {
  silences().push_back({std::move(name), std::move(build)});
  return true;
}

/// Over POP3 the header of what alice has in INBOX under "u1".
inline void header_by_top(Scene& s, std::uint32_t pop, std::uint32_t mail) {
  s.obs(history::What::message, pop, [&](history::Event& e) {
    e.message = mail;
    e.seq = 1;
    e.text = "u1";
    e.code = "header";
  });
}

/// Two rounds of an audit in which that is all there is, and POP3 was asked for headers alone.
inline void audited_by_top(Scene& s, std::uint32_t mail) {
  for (const std::uint32_t round : {1U, 2U}) {
    s.audit_begin(round);
    s.list_imap(s.alice, round, {{mail, 1}});
    const std::uint32_t pop = s.audit(Protocol::pop3, s.alice, round);
    s.uidl_row(pop, 1, "u1");
    header_by_top(s, pop, mail);
    s.obs(history::What::enumerated, pop, [](history::Event& e) {
      e.mailbox = "INBOX";
      e.facts = history::CountFacts{1};
      e.code = "pop3";
    });
    s.ask(history::What::quit, pop);
    s.end(pop);
    s.audit_end(round);
    if (round == 1) s.settle();
  }
}

}  // namespace mailproof::judge
