// Violations of what a scenario expects.
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

void refused(Scene& s, std::uint32_t session, const std::string& messages, const std::string& code) {
  s.obs(What::undone, session, [&](Event& e) {
    e.set = messages;
    e.code = code;
    e.text = "UID COPY to Archive was refused: NO [CANNOT] Not here";
  });
}

/// Another message, which alice's mailbox was to take.
void not_accepted(Scene& s) {
  const std::uint32_t m = s.message();
  const std::string set = std::to_string(m);
  const std::uint32_t expected = s.expect(What::outcome, 0, set, [](Event& e) { e.code = "accepted"; });
  s.deliver(s.lmtp(), m, s.alice, Type::fail, 452, "4.2.2", "over quota");
  s.answer(expected, Type::fail, set, "refused: 452 4.2.2 over quota");
}

/// ... and one for which there was to be no room.
std::uint32_t not_refused(Scene& s) {
  const std::uint32_t m = s.message();
  const std::string set = std::to_string(m);
  const std::uint32_t expected = s.expect(What::outcome, 0, set, [](Event& e) { e.code = "refused-or-bounced"; });
  s.deliver(s.lmtp(), m, s.alice);
  s.answer(expected, Type::fail, set, "accepted");
  return m;
}

void asked_again(Scene& s, std::uint32_t expectation, const std::string& there, const std::string& code) {
  s.obs(What::asked_again, s.open(0, Protocol::imap, s.alice, 0), [&](Event& e) {
    e.command = expectation;
    e.set = there;
    e.code = code;
  });
}

/// The audit finds it in Junk, and in INBOX nothing, nor in `empty`.
void in_junk(Scene& s, std::uint32_t mail, const std::string& empty = "") {
  for (std::uint32_t round = 1; round <= 2; ++round) {
    s.audit_begin(round);
    s.list_imap(s.alice, round, {});
    if (!empty.empty()) s.list_imap(s.alice, round, {}, empty, 2);
    s.list_imap(s.alice, round, {{mail, 1}}, "Junk", 3);
    s.list_pop(s.alice, round, {});
    s.audit_end(round);
    if (round == 1) s.settle();
  }
}

const bool kExpectation[] = {
    plant("expectation/late",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.imap(s.phone);
            const std::uint32_t see = s.expect(
                What::see, hand, "1", [](Event& e) { e.facts = history::BoundFacts{std::chrono::seconds(5)}; });
            s.answer(see, Type::fail, "1");
            asked_again(s, see, "1", "as-expected");
            s.audited(Scene::all(mail));
          }),
    plant("expectation/late",  // the audit has it
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t see = s.expect(What::see, s.imap(s.phone), "1");
            s.answer(see, Type::fail, "1");
            asked_again(s, see, "", "failed");
            s.audited(Scene::all(mail));
          }),
    plant("expectation/late",  // it came, and a client removed it before the audit
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.imap(s.phone);
            const std::uint32_t see = s.expect(What::see, hand, "1");
            s.answer(see, Type::fail, "1");
            asked_again(s, see, "", "not-as-expected");
            s.select(hand, "INBOX", 1);
            s.content(hand, mail[0], 1, 1);
            s.store(hand, "1");
            s.expunge(hand);
            s.expunged(hand, 1, 1);
            s.audited({});
          }),
    plant("expectation/not-asked",  // the device could not do what the judge asks about
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.obs(What::undone, s.imap(s.phone), [](Event& e) { e.set = "1"; });
            s.fate("1", {.fate = Fate::removed_by_client});
            s.audited(Scene::all(mail));
          }),
    plant("expectation/not-asked",  // who greylists puts off what is tried for the first time
          [](Scene& s) {
            const std::uint32_t e = s.expect(What::outcome, 0, "1", [](Event& x) { x.code = "accepted"; });
            s.deliver(s.lmtp(), s.message(), s.alice, Type::fail, 450, "4.2.0", "greylisted");
            s.answer(e, Type::fail, "1", "refused: 450 4.2.0 greylisted");
            s.audited({});
          }),
    plant("expectation/not-asked",  // of two recipients one is put off
          [](Scene& s) {
            const std::uint32_t mail = s.message();
            s.deliver(s.lmtp(), mail, s.bob);
            s.deliver(s.lmtp(), mail, s.alice, Type::fail, 450, "4.2.0", "greylisted");
            const std::uint32_t see = s.expect(What::see, s.imap(s.phone), "1");
            s.answer(see, Type::fail, "1");
            asked_again(s, see, "", "not-as-expected");
            s.audited({});
          },
          {"loss/not-audited"}),
    plant("expectation/not-asked",  // it is too big for the system
          [](Scene& s) {
            s.deliver(s.lmtp(), s.message(), s.alice, Type::fail, 552, "5.3.4", "message file too big");
            const std::uint32_t see = s.expect(What::see, s.imap(s.phone), "1");
            s.answer(see, Type::fail, "1");
            asked_again(s, see, "", "not-as-expected");
            s.fate("1", {.fate = Fate::present});
            s.audited({});
          }),
    plant("expectation/not-asked",  // ... or for its mailbox
          [](Scene& s) {
            s.deliver(s.lmtp(), s.message(), s.alice, Type::fail, 552, "5.2.3", "exceeds fixed maximum message size");
            const std::uint32_t see = s.expect(What::see, s.imap(s.phone), "1");
            s.answer(see, Type::fail, "1");
            asked_again(s, see, "", "not-as-expected");
            s.fate("1", {.fate = Fate::present});
            s.audited({});
          }),
    plant("expectation/not-asked",  // what was to be removed to make room was put off; that there is none is reported
          [](Scene& s) {
            s.deliver(s.smtp(), s.message(), s.alice, Type::fail, 450, "4.2.0", "greylisted");
            s.obs(What::undone, s.imap(s.phone), [](Event& e) { e.set = "1"; });
            const std::uint32_t m = s.message();
            s.deliver(s.smtp(), m, s.alice);
            s.report(s.audit(Protocol::imap, s.bob, 1), m, s.alice, 1);
            const std::uint32_t see = s.expect(What::see, s.imap(s.phone), "2");
            s.answer(see, Type::fail, "2");
            asked_again(s, see, "", "not-as-expected");
            s.fate("2", {.fate = Fate::present});
            s.audited({});
          }),
    plant("expectation/not-asked",  // a spam filter filed it in Junk, where neither the phone nor the pc looks
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t see = s.expect(What::see, s.imap(s.phone), "1");
            s.answer(see, Type::fail, "1");
            asked_again(s, see, "", "not-as-expected");
            s.fate("1", {.fate = Fate::removed_by_client});
            in_junk(s, mail[0]);
          },
          {"loss/filed-elsewhere"}),
    plant("expectation/not-asked",  // ... also when a client has saved the same mail in a mailbox of its own
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.imap(s.phone);
            s.append(hand, mail[0], "Drafts");
            const std::uint32_t see = s.expect(What::see, hand, "1");
            s.answer(see, Type::fail, "1");
            asked_again(s, see, "", "not-as-expected");
            for (std::uint32_t round = 1; round <= 2; ++round) {
              s.audit_begin(round);
              s.list_imap(s.alice, round, {});
              s.list_imap(s.alice, round, {{mail[0], 1}}, "Drafts", 2);
              s.list_imap(s.alice, round, {{mail[0], 1}}, "Junk", 3);
              s.list_pop(s.alice, round, {});
              s.audit_end(round);
              if (round == 1) s.settle();
            }
          },
          {"loss/filed-elsewhere"}),
    plant("expectation/not-asked",  // ... which fills the mailbox though the pc has taken all that it was shown
          [](Scene& s) {
            const auto mail = s.accepted(1);
            not_accepted(s);
            in_junk(s, mail[0]);
          },
          {"loss/filed-elsewhere"}),
    plant("expectation/not-seen",  // ... what a client moved to Archive no filter of what is delivered touches
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.move(What::move, hand, "1", "Archive");
            s.expunged(hand, 1, 1);
            const std::uint32_t see = s.expect(What::see, hand, "1", [](Event& e) { e.mailbox = "Archive"; });
            s.answer(see, Type::fail, "1");
            asked_again(s, see, "", "not-as-expected");
            in_junk(s, mail[0], "Archive");
          },
          {"loss/filed-elsewhere"}),
    plant("expectation/late",  // the flag came later: the audit was told of it
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t see = s.expect(What::see, s.imap(s.phone), "1", [](Event& e) { e.flags = "\\Seen"; });
            s.answer(see, Type::fail, "1");
            asked_again(s, see, "1", "not-as-expected");
            const std::uint32_t look = s.audit(Protocol::imap, s.alice, 1);
            s.select(look, "INBOX", 1, 1, What::examine);
            s.row(look, 1, 1, "\\Flagged \\Seen");
            s.content(look, mail[0], 1, 1);
            s.end(look);
            s.audited(Scene::all(mail));
          }),
    plant("expectation/not-asked",  // over SMTP bob, who is full, is refused together with alice
          [](Scene& s) {
            const std::uint32_t out = s.smtp();
            s.deliver(out, s.message(), s.bob, Type::fail, 552, "5.2.2", "mailbox full");
            s.deliver_to(out, s.message(),
                         {{s.alice, Type::fail, 552, "5.2.2", "mailbox full"},
                          {s.bob, Type::fail, 552, "5.2.2", "mailbox full"}});
            const std::uint32_t see = s.expect(What::see, s.imap(s.phone), "2");
            s.answer(see, Type::fail, "2");
            asked_again(s, see, "", "not-as-expected");
            s.audited({});
          }),
    plant("expectation/not-asked",  // SELECT is not answered, nor is the fresh session's, nor the audit's
          [](Scene& s) {
            s.accepted(1);
            const std::uint32_t see = s.expect(What::see, s.imap(s.phone), "1");
            s.answer(see, Type::fail, "1");
            asked_again(s, see, "", "failed");
          },
          {"loss/not-audited"}),
    plant("expectation/not-asked",  // nor is the NOOP that might tell of its removal
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t lose = s.expect(What::lose, s.watches(s.phone, mail), "1");
            s.answer(lose, Type::fail, "1");
            asked_again(s, lose, "", "failed");
          },
          {"loss/not-audited"}),
    plant("expectation/not-asked",  // the server refused the COPY, and the device said so
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            refused(s, hand, "1", "refused");
            const std::uint32_t see = s.expect(What::see, hand, "1", [](Event& e) { e.mailbox = "Archive"; });
            s.answer(see, Type::fail, "1");
            asked_again(s, see, "", "not-as-expected");
            s.audited(Scene::all(mail));
          }),
    plant("expectation/not-seen",  // refused was another message
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t hand = s.watches(s.phone, mail);
            refused(s, hand, "1", "refused");
            const std::uint32_t see = s.expect(What::see, hand, "2", [](Event& e) { e.flags = "\\Seen"; });
            s.answer(see, Type::fail, "2");
            asked_again(s, see, "2", "not-as-expected");
            s.audited(Scene::all(mail));
          }),
    plant("expectation/not-asked",  // what was to make room was refused
          [](Scene& s) {
            const auto mail = s.accepted(1);
            refused(s, s.watches(s.phone, mail), "1", "refused-removal");
            not_accepted(s);
            s.audited(Scene::all(mail));
          }),
    plant("expectation/outcome",  // the COPY that was refused would have made none
          [](Scene& s) {
            const auto mail = s.accepted(1);
            refused(s, s.watches(s.phone, mail), "1", "refused");
            not_accepted(s);
            s.audited(Scene::all(mail));
          }),
    plant("expectation/not-asked",  // a mailbox is not full where what was to fill it was put off
          [](Scene& s) {
            s.deliver(s.lmtp(), s.message(), s.alice, Type::fail, 451, "4.7.1", "greylisted");
            s.audited({{not_refused(s), 1}});
          }),
    plant("expectation/outcome",  // it was put off as the mailbox is full, and the next one is taken
          [](Scene& s) {
            s.deliver(s.lmtp(), s.message(), s.alice, Type::fail, 452, "4.2.2", "over quota");
            s.audited({{not_refused(s), 1}});
          }),
    plant("expectation/not-asked",  // taken once, taken away, and put off when it was sent again
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.store(hand, "1");
            s.expunge(hand);
            s.expunged(hand, 1, 1);
            s.deliver(s.lmtp(), mail[0], s.alice, Type::fail, 451, "4.3.0", "not now");
            const std::uint32_t see = s.expect(What::see, hand, "1");
            s.answer(see, Type::fail, "1");
            asked_again(s, see, "", "not-as-expected");
            s.audited({});
          }),
    plant("expectation/not-asked",  // bob's was put off, and alice's taken
          [](Scene& s) {
            const std::uint32_t m = s.message();
            const std::uint32_t out = s.lmtp();
            s.deliver(out, m, s.alice);
            s.deliver(out, m, s.bob, Type::fail, 451, "4.3.0", "not now");
            const std::uint32_t see = s.expect(What::see, 0, "1", [&](Event& e) { e.account = s.bob; });
            s.answer(see, Type::fail, "1");
            asked_again(s, see, "", "not-as-expected");
            s.audited({{m, 1}});
          }),
    plant("expectation/not-seen",  // the flag never comes
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t see = s.expect(What::see, s.imap(s.phone), "1", [](Event& e) { e.flags = "\\Seen"; });
            s.answer(see, Type::fail, "1");
            asked_again(s, see, "1", "not-as-expected");
            s.audited(Scene::all(mail));
          }),
    plant("expectation/not-asked",  // RFC 5321 section 7.9: a server may refuse mail for reasons of its own
          [](Scene& s) {
            const std::uint32_t m = s.message();
            s.deliver(s.lmtp(), m, s.alice, Type::fail, 550, "5.7.1", "policy");
            const std::uint32_t see = s.expect(What::see, s.imap(s.phone), "1");
            s.answer(see, Type::fail, "1");
            asked_again(s, see, "", "not-as-expected");
            s.audited({});
          }),
    plant("expectation/not-seen",  // refused, so no wonder; but the scenario wants it
          [](Scene& s) {
            const std::uint32_t m = s.message();
            s.deliver(s.lmtp(), m, s.alice, Type::fail, 550, "5.1.1", "no such user");
            const std::uint32_t see = s.expect(What::see, s.imap(s.phone), "1");
            s.answer(see, Type::fail, "1");
            asked_again(s, see, "", "not-as-expected");
            s.audited({});
          }),
    plant("expectation/not-asked",  // nobody knows whether it was taken
          [](Scene& s) {
            const std::uint32_t m = s.message();
            s.deliver(s.lmtp(), m, s.alice, Type::info, 0, "", "connection lost after the final dot");
            const std::uint32_t see = s.expect(What::see, s.imap(s.phone), "1");
            s.answer(see, Type::fail, "1");
            asked_again(s, see, "", "not-as-expected");
            s.audited({});
          }),
    plant("expectation/not-asked",  // the server ended the session before its QUIT, and nothing was removed
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            const std::uint32_t pop = s.downloads(mail);
            s.dele(pop, 1);
            s.end(pop, "", "closed");
            s.obs(What::undone, pop, [](Event& e) {
              e.set = "1";
              e.text = "the server ended the session: closed";
            });
            s.answer(s.expect(What::lose, hand, "1"), Type::fail, "1");
            s.fate("1", {.fate = Fate::removed_by_client});
            s.audited(Scene::all(mail));
          }),
    plant("expectation/did-not-stay",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail), other = s.watches(s.laptop, mail);
            const std::uint32_t see = s.expect(What::see, hand, "1");
            s.store(other, "1");
            s.expunge(other);
            s.expunged(hand, 1, 1);
            s.done(see, Type::fail, [](Event& e) {
              e.set = "1";
              e.code = "went";
              e.text = "not there any more after 1.2 s of 5s";
            });
            s.audited({});
          }),
    plant("expectation/still-seen",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            const std::uint32_t lose = s.expect(What::lose, hand, "1");
            s.answer(lose, Type::fail, "1");
            asked_again(s, lose, "1", "not-as-expected");
            s.audited(Scene::all(mail));
          }),
    plant("expectation/outcome",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t e = s.expect(What::outcome, 0, "1", [](Event& x) { x.code = "refused"; });
            s.answer(e, Type::fail, "1", "accepted");
            s.audited(Scene::all(mail));
          }),
    plant("expectation/may-differ",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t e = s.expect(What::outcome, 0, "1", [](Event& x) {
              x.code = "refused";
              x.facts = history::OutcomeFacts{"RFC 9208 section 5.1: the usage is an approximation"};
            });
            s.answer(e, Type::fail, "1", "accepted");
            s.audited(Scene::all(mail));
          }),
    plant("expectation/welcome",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t e = s.expect(What::welcome, 0, "", [](Event& x) { x.code = "refused"; });
            s.answer(e, Type::fail, "", "logged in");
            s.audited(Scene::all(mail));
          }),
    // A login that comes too soon after another: RFC 2449 section 6.5 lets a server refuse it.
    plant("expectation/not-asked",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t e = s.expect(What::welcome, 0, "", [](Event& x) { x.code = "accepted"; });
            s.answer(e, Type::fail, "", "PASS refused (last seen: \"-ERR [Login-Delay/10] not yet\")");
            s.audited(Scene::all(mail));
          }),
    plant("expectation/plaintext-login",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t e = s.expect(What::welcome, 0, "", [](Event& x) {
              x.code = "refused";
              x.flags = "plaintext";
            });
            s.answer(e, Type::fail, "", "logged in without TLS");
            s.audited(Scene::all(mail));
          }),
    plant("tls/clear-text-obeyed",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.obs(What::smuggled, s.imap(s.phone), [](Event& x) {
              x.code = "answered";
              x.text = "t2 OK Done";
            });
            s.audited(Scene::all(mail));
          }),
    plant("expectation/not-found",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.answer(s.expect(What::found, s.imap(s.phone), "1"), Type::fail, "1", "1 not found, 0 found beyond");
            s.audited(Scene::all(mail));
          }),
    plant("expectation/search-refused",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.done(s.expect(What::found, s.imap(s.phone), "1"), Type::fail, [](Event& x) {
              x.code = "refused";
              x.text = "the server answered BAD what?";
            });
            s.audited(Scene::all(mail));
          }),
    plant("expectation/not-downloaded",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.answer(s.expect(What::downloaded, s.pop3(s.pc), "1"), Type::fail, "1", "0 of 0 messages downloaded");
            s.audited(Scene::all(mail));
          }),
    plant("expectation/fate",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.fate("1", {.fate = Fate::removed_by_client});
            s.audited(Scene::all(mail));
          }),
    plant("expectation/fate",  // by the wrong device
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.store(hand, "1");
            s.expunge(hand);
            s.fate("1", {.fate = Fate::removed_by_client, .over = Protocol::pop3, .by = s.pc});
            s.audited({});
          }),
    plant("expectation/fate",  // without a copy left
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.store(hand, "1");
            s.expunge(hand);
            s.fate("1", {.fate = Fate::removed_by_client, .over = Protocol::imap, .by = s.phone, .copy_on = s.pc});
            s.audited({});
          }),
    plant("expectation/count",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            s.expect(What::count, 0, "", [&](Event& e) {
              e.account = s.alice;
              e.facts = history::CountFacts{3};
            });
            s.audited(Scene::all(mail));
          }),
    plant("expectation/disagree",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            s.watches(s.phone, mail);
            s.watches(s.laptop, {mail[0]});
            s.agree({s.phone, s.laptop});
            s.audited(Scene::all(mail));
          }),
    plant("expectation/disagree",  // after QRESYNC
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.answer(s.expect(What::agree, s.imap(s.laptop), ""), Type::fail, "",
                     "after QRESYNC the device has UIDs 1:2, a full listing has 1");
            s.audited(Scene::all(mail));
          }),
    plant("expectation/not-intact",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.answer(s.expect(What::intact, 0, "1"), Type::fail, "1", "differs");
            s.audited(Scene::all(mail));
          }),
    plant("expectation/not-asked",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.answer(s.expect(What::see, s.imap(s.phone), "1"), Type::info, "1", "the session was gone");
            s.audited(Scene::all(mail));
          }),
    plant("expectation/not-asked",  // nobody read it whole
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t m = s.message();
            s.deliver(s.lmtp(), m, s.alice, Type::fail, 550, "5.7.1");
            s.expect(What::intact, 0, "2");
            s.audited(Scene::all(mail));
          }),
};

}  // namespace
}  // namespace mailproof::judge
