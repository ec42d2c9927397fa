// Messages that come once more, and ids that do: what a server may take for one, and what for two.
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

/// alice's pc lists these, each under its unique-id, and reads them.
using Row = std::pair<std::uint32_t, std::string>;
std::uint32_t takes(Scene& s, const std::vector<Row>& rows) {
  const std::uint32_t pop = s.pop3(s.pc);
  const std::uint32_t uidl = s.invoke(What::pop_uidl, pop);
  for (std::uint32_t i = 0; i < rows.size(); ++i) s.uidl_row(pop, i + 1, rows[i].second);
  s.done(uidl, Type::ok);
  for (std::uint32_t i = 0; i < rows.size(); ++i) s.pop_content(pop, rows[i].first, i + 1, rows[i].second);
  return pop;
}

void quits(Scene& s, std::uint32_t pop) {
  s.ask(What::quit, pop);
  s.end(pop);
}

/// The audit of a maildrop without unique-ids that holds this one, and of INBOX.
void there_without_uidl(Scene& s, std::uint32_t m, std::uint32_t round) {
  s.list_imap(s.alice, round, {{m, 2}});
  const std::uint32_t session = s.audit(Protocol::pop3, s.alice, round);
  s.pop_content(session, m, 1, "");
  s.obs(What::enumerated, session, [](Event& e) {
    e.mailbox = "INBOX";
    e.facts = history::CountFacts{1};
    e.code = "pop3";
  });
  s.ask(What::quit, session);
  s.end(session);
}

/// Two rows of one unique-id, which LIST says have so many octets, and which nobody reads.
void twice_listed(Scene& s, std::uint64_t first, std::uint64_t second) {
  const std::uint32_t pop = s.pop3(s.pc);
  s.list_row(pop, 1, first);
  s.list_row(pop, 2, second);
  s.uidl_row(pop, 1, "d41d8c");
  s.uidl_row(pop, 2, "d41d8c");
  quits(s, pop);
}

std::uint32_t without_uidl(Scene& s, std::uint32_t device, std::uint32_t m) {
  const std::uint32_t pop = s.pop3(device);
  s.pop_content(pop, m, 1, "");
  s.dele(pop, 1, m);
  return pop;
}

void killed(Scene& s) {
  s.ask(What::admin, 0, [](Event& e) { e.code = "kill"; });
}

const bool kIds[] = {
    // RFC 1939 section 7: a unique-id may be calculated as a hash of the message.
    silent("a message removed over POP3, put there again under the same unique-id, and removed again",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             for (int i = 0; i < 2; ++i) {
               if (i > 0) s.append(s.imap(s.phone), mail[0]);
               const std::uint32_t pop = takes(s, {{mail[0], "d41d8c"}});
               s.dele(pop, 1);
               quits(s, pop);
             }
             s.audited({});
           }),
    plant("removal/quit-ok-but-there",  // nobody has put it there again
          [](Scene& s) {
            const auto mail = s.accepted(1);
            for (int i = 0; i < 2; ++i) {
              const std::uint32_t pop = takes(s, {{mail[0], "u1"}});
              s.dele(pop, 1);
              quits(s, pop);
            }
            s.audited(Scene::all(mail));
          }),
    silent("a message twice in the maildrop under one unique-id, and nobody reads it",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             s.append(s.imap(s.phone), mail[0]);
             twice_listed(s, 1000, 1000);
             s.audited({{mail[0], 1}, {mail[0], 2}});
           }),
    plant("uidl/not-unique",  // these cannot be one
          [](Scene& s) {
            const auto mail = s.accepted(2);
            twice_listed(s, 1000, 1007);
            s.audited(Scene::all(mail));
          }),
    plant("uidl/not-unique",  // it was put there once
          [](Scene& s) {
            const auto mail = s.accepted(2);
            quits(s, takes(s, {{mail[0], "d41d8c"}}));
            twice_listed(s, 1000, 1000);
            s.audited(Scene::all(mail));
          },
          {"uidl/changed"}),
    silent("two snapshots of a maildrop without UIDL, and the message comes again between their ends",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t tablet = s.device("tablet", history::DeviceKind::pop3, s.alice);
             const std::uint32_t first = without_uidl(s, s.pc, mail[0]), second = without_uidl(s, tablet, mail[0]);
             quits(s, first);
             s.append(s.imap(s.phone), mail[0]);
             quits(s, second);
             there_without_uidl(s, mail[0], 1);
             s.settle();
             there_without_uidl(s, mail[0], 2);
           }),
    plant("uidl/reused",  // the first one is still there
          [](Scene& s) {
            const auto mail = s.accepted(2);
            quits(s, takes(s, {{mail[0], "u1"}, {mail[1], "u2"}}));
            s.audited(Scene::all(mail), {{mail[0], 3}, {mail[1], 1}});
          },
          {"uidl/changed"}),
    plant("uidl/reused-later",  // RFC 1939 section 7: "for as long as the entity using the unique-id exists"
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t pop = takes(s, {{mail[0], "u1"}});
            s.dele(pop, 1);
            quits(s, pop);
            const std::uint32_t m = s.message();
            s.deliver(s.lmtp(), m, s.alice);
            s.audited({{m, 2}}, {{m, 1}});
          }),
};

/// Of two that are delivered one was saved before; INBOX is to have so many.
void saves_and_counts(Scene& s, std::uint32_t wanted) {
  s.expect(What::count, 0, "", [&](Event& e) {
    e.account = s.alice;
    e.facts = history::CountFacts{wanted};
  });
  const std::uint32_t saved = s.message(), other = s.message();
  s.append(s.imap(s.phone), saved, "Sent");
  for (const std::uint32_t m : {saved, other}) s.deliver(s.lmtp(), m, s.alice);
  s.audited_beside({{other, 1}}, "Sent", {{saved, 7}});
}

/// The phone files it, and it is delivered again; before that, or behind it, the laptop is to see it in INBOX.
void files_and_looks(Scene& s, bool before) {
  const auto mail = s.accepted(1);
  const auto looks = [&] {
    const std::uint32_t see = s.expect(What::see, s.imap(s.laptop), "1");
    s.answer(see, Type::fail, "1");
    s.obs(What::asked_again, s.audit(Protocol::imap, s.alice, 0), [&](Event& e) {
      e.command = see;
      e.code = "not-as-expected";
    });
  };
  const std::uint32_t hand = s.watches(s.phone, mail);
  if (before) looks();
  s.move(What::move, hand, "1", "Archive", Type::ok, "7");
  s.deliver(s.lmtp(), mail[0], s.alice);
  if (!before) looks();
  s.audited_beside({}, "Archive", {{mail[0], 7}});
}

const bool kAgain[] = {
    plant("loss/suppressed-duplicate",  // and nobody sees it where it was filed from
          [](Scene& s) { files_and_looks(s, false); }),
    plant("loss/suppressed-duplicate",  // before that it was there to be seen
          [](Scene& s) { files_and_looks(s, true); }, {"expectation/not-seen"}),
    plant("loss/suppressed-duplicate",  // the user has it, where he filed it
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.move(What::move, s.watches(s.phone, mail), "1", "Archive", Type::ok, "7");
            s.deliver(s.lmtp(), mail[0], s.alice);
            s.audited_beside({}, "Archive", {{mail[0], 7}});
          }),
    plant("loss/suppressed-duplicate",  // ... or had it saved there before it came
          [](Scene& s) {
            const std::uint32_t m = s.message();
            s.append(s.imap(s.phone), m, "Sent");
            s.deliver(s.lmtp(), m, s.alice);
            s.audited_beside({}, "Sent", {{m, 7}});
          }),
    plant("loss/lost",  // one came before it was saved: that repeats nothing
          [](Scene& s) {
            const std::uint32_t m = s.message();
            s.deliver(s.lmtp(), m, s.alice);
            s.append(s.imap(s.phone), m, "Sent");
            s.deliver(s.lmtp(), m, s.alice);
            s.audited_beside({}, "Sent", {{m, 7}});
          }),
    plant("loss/suppressed-duplicate",  // it is not in INBOX, and the count knows it
          [](Scene& s) { saves_and_counts(s, 2); }),
    plant("loss/suppressed-duplicate",  // ... which does not excuse any other number
          [](Scene& s) { saves_and_counts(s, 5); }, {"expectation/count"}),
    plant("loss/lost",  // what was saved is in another account
          [](Scene& s) {
            const std::uint32_t m = s.message();
            s.append(s.imap(s.phone), m, "Sent");
            s.deliver(s.lmtp(), m, s.bob);
            for (std::uint32_t round = 1; round <= 2; ++round) {
              s.list_imap(s.bob, round, {});
              s.list_imap(s.alice, round, {{m, 7}}, "Sent");
              if (round == 1) s.settle();
            }
          }),
    plant("loss/lost",  // it was deleted there before it came again
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.move(What::move, s.watches(s.phone, mail), "1", "Archive", Type::ok, "7");
            const std::uint32_t hand = s.imap(s.phone);
            s.select(hand, "Archive", 1);
            s.store(hand, "7");
            s.expunge(hand);
            s.deliver(s.lmtp(), mail[0], s.alice);
            s.audited_beside({}, "Archive", {});
          }),
    plant("duplicates/after-lost-answer",  // its MTA handed it over twice
          [](Scene& s) {
            const auto mail = s.accepted(1, true);
            s.audited({{mail[0], 1}, {mail[0], 2}});
          }),
    plant("duplicates/after-lost-answer",  // ... as who was stopped in the middle of it does
          [](Scene& s) {
            const auto mail = s.accepted(1);
            killed(s);
            s.audited({{mail[0], 1}, {mail[0], 2}});
          }),
    plant("duplicates/duplicated",  // ... once, not again and again
          [](Scene& s) {
            const auto mail = s.accepted(1, true);
            s.audited({{mail[0], 1}, {mail[0], 2}, {mail[0], 3}});
          }),
    plant("duplicates/duplicated",  // an answer is lost now and then, and not each time
          [](Scene& s) {
            const auto mail = s.accepted(3, true);
            s.audited({{mail[0], 1}, {mail[0], 2}, {mail[1], 3}, {mail[1], 4}, {mail[2], 5}, {mail[2], 6}});
          }),
    plant("duplicates/duplicated",  // it had been seen before
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.watches(s.phone, mail);
            killed(s);
            s.audited({{mail[0], 1}, {mail[0], 2}});
          }),
    silent("a report that comes twice, as the server was stopped when it sent it",
           [](Scene& s) {
             const auto mail = s.accepted(1, true);
             killed(s);
             const std::uint32_t reader = s.audit(Protocol::imap, s.bob, 1);
             s.report(reader, mail[0], s.alice, 1);
             s.report(reader, mail[0], s.alice, 2);
             s.audited({});
           }),
};

const bool kNotNow[] = {
    silent("RSET is answered -ERR [SYS/TEMP], and the LIST after it is as before",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t pop = takes(s, {{mail[0], "u1"}, {mail[1], "u2"}});
             const auto lists = [&](const std::vector<std::uint32_t>& numbers) {
               const std::uint32_t list = s.invoke(What::pop_list, pop);
               for (const std::uint32_t number : numbers) s.list_row(pop, number, 1000);
               s.done(list, Type::ok);
             };
             lists({1, 2});
             s.dele(pop, 1);
             s.ask(What::rset, pop, {}, Type::fail, [](Event& e) { e.text = "[SYS/TEMP] try again later"; });
             lists({2});
             quits(s, pop);
             s.audited({{mail[1], 2}});
           }),
    silent("RETR is answered -ERR [SYS/TEMP] after another session removed some",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t first = takes(s, {{mail[0], "u1"}, {mail[1], "u2"}});
             const std::uint32_t tablet = s.device("tablet", history::DeviceKind::pop3, s.alice);
             const std::uint32_t second = s.pop3(tablet);
             s.uidl_row(second, 2, "u2");
             s.dele(first, 1);
             quits(s, first);
             s.ask(
                 What::retr, second, [](Event& e) { e.seq = 2; }, Type::fail,
                 [](Event& e) { e.text = "[SYS/TEMP] disk busy"; });
             quits(s, second);
             s.audited({{mail[1], 2}});
           }),
    silent("... and without a code, where the other one dropped, or IMAP had removed it",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t tablet = s.device("tablet", history::DeviceKind::pop3, s.alice);
             const std::uint32_t second = s.pop3(tablet);
             s.uidl_row(second, 1, "u1");
             s.uidl_row(second, 2, "u2");
             const auto fails = [&](std::uint32_t number) {
               s.ask(
                   What::retr, second, [&](Event& e) { e.seq = number; }, Type::fail,
                   [](Event& e) { e.text = "cannot read it"; });
             };
             const std::uint32_t first = takes(s, {{mail[0], "u1"}, {mail[1], "u2"}});
             s.dele(first, 1);
             s.end(first, "ours");
             fails(1);
             const std::uint32_t third = takes(s, {{mail[0], "u1"}, {mail[1], "u2"}});
             s.dele(third, 1);
             quits(s, third);
             const std::uint32_t hand = s.watches(s.phone, {mail[1]});
             s.store(hand, "1");
             s.expunge(hand);
             fails(2);
             quits(s, second);
             s.audited({});
           }),
};

}  // namespace
}  // namespace mailproof::judge
