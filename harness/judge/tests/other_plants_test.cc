// Violations of quotas, of what a scenario expects, and of sessions themselves.
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

constexpr std::uint64_t kLimit = 64 * 1024;

/// Eight-kibibyte messages for alice, whose quota is 64 KiB, by LMTP.
std::vector<std::uint32_t> big(Scene& s, int count) {
  s.history.info.accounts[s.alice - 1].quota = kLimit;
  std::vector<std::uint32_t> out;
  const std::uint32_t mta = s.lmtp();
  for (int i = 0; i < count; ++i) {
    history::MessageInfo made;
    made.set = "filler";
    made.index = static_cast<std::uint32_t>(i + 1);
    made.size = 8192;
    made.hash = 0xf00 + static_cast<std::uint64_t>(i);
    made.sender = s.bob;
    out.push_back(s.history.add_message(made));
    s.deliver(mta, out.back(), s.alice);
  }
  return out;
}

void over_quota(Scene& s, std::uint32_t m) {
  s.deliver(s.lmtp(), m, s.alice, Type::fail, 452, "4.2.2", "mailbox full");
}

void usage(Scene& s, std::uint64_t used, const std::string& root = "User quota") {
  const std::uint32_t session = s.audit(Protocol::imap, s.alice, 2);
  s.obs(What::quota, session, [&](Event& e) {
    e.text = root;
    e.code = "STORAGE";
    e.facts = history::QuotaFacts{used, kLimit};
  });
}

/// By a device, in the middle of its story.
void asked_for_usage(Scene& s, std::uint32_t hand, std::uint64_t used) {
  const std::uint32_t asked = s.put(Type::invoke, What::get_quota, hand).index;
  s.obs(What::quota, hand, [&](Event& e) {
    e.text = "User quota";
    e.code = "STORAGE";
    e.facts = history::QuotaFacts{used, kLimit};
  });
  s.done(asked, Type::ok);
}

const bool kQuota[] = {
    plant("quota/refused-below-limit",
          [](Scene& s) {
            const auto mail = big(s, 2);
            over_quota(s, s.message());
            s.audited(Scene::all(mail));
          }),
    plant("quota/refused-below-limit",  // over IMAP
          [](Scene& s) {
            const auto mail = big(s, 1);
            const std::uint32_t m = s.message();
            s.ask(
                What::append, s.imap(s.phone),
                [&](Event& e) {
                  e.message = m;
                  e.mailbox = "INBOX";
                },
                Type::fail, [](Event& e) { e.code = "OVERQUOTA"; });
            s.audited(Scene::all(mail));
          }),
    plant("quota/refused-by-estimate",  // what it counts is more than what is there, from the beginning
          [](Scene& s) {
            const auto mail = big(s, 2);
            asked_for_usage(s, s.watches(s.phone, mail), 60 * 1024);
            over_quota(s, s.message());
            s.audited(Scene::all(mail));
            usage(s, 60 * 1024);
          },
          {"quota/usage-estimated"}),
    plant("quota/refused-below-limit",  // what it counts was right when it was told
          [](Scene& s) {
            const auto mail = big(s, 2);
            asked_for_usage(s, s.watches(s.phone, mail), 16 * 1024);
            over_quota(s, s.message());
            s.audited(Scene::all(mail));
          }),
    plant("quota/not-freed",
          [](Scene& s) {
            const auto mail = big(s, 7);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.store(hand, "1:6");
            s.expunge(hand);
            over_quota(s, s.message());
            s.audited({{mail[6], 7}});
          }),
    // Room is decided on before the answer, and the mail may have gone behind that.
    silent("mail goes while a letter is on its way that is refused",
           [](Scene& s) {
             const auto mail = big(s, 7);
             const std::uint32_t hand = s.watches(s.phone, mail);
             s.store(hand, "1:6");
             const std::uint32_t mta = s.lmtp(), m = s.message();
             const std::uint32_t asked = s.invoke(What::deliver, mta, [&](Event& e) {
               e.message = m;
               e.text = "lmtp";
             });
             s.expunge(hand);
             s.done(asked, Type::fail, [&](Event& e) {
               e.message = m;
               e.account = s.alice;
               e.facts = history::ReplyFacts{452};
               e.code = "4.2.2";
               e.text = "mailbox full";
             });
             s.audited({{mail[6], 7}});
           }),
    plant("quota/accepted-over-limit",
          [](Scene& s) {
            const auto mail = big(s, 14);
            s.audited(Scene::all(mail));
          }),
    plant("quota/wrong-reason",
          [](Scene& s) {
            const auto mail = big(s, 7);
            s.deliver(s.lmtp(), s.message(), s.alice, Type::fail, 550, "5.1.1", "no such user");
            s.audited(Scene::all(mail));
          }),
    plant("quota/usage-estimated",  // too much, from the beginning
          [](Scene& s) {
            const auto mail = big(s, 2);
            s.audited(Scene::all(mail));
            usage(s, 40960);
          }),
    plant("quota/usage-wrong",  // wrapped below zero
          [](Scene& s) {
            const auto mail = big(s, 2);
            s.audited(Scene::all(mail));
            usage(s, static_cast<std::uint64_t>(-1024));
          }),
    plant("quota/usage-estimated",  // too little
          [](Scene& s) {
            const auto mail = big(s, 3);
            s.audited(Scene::all(mail));
            usage(s, 1024);
          }),
    plant("quota/usage-late",  // six were expunged, and the usage is told as before
          [](Scene& s) {
            const auto mail = big(s, 7);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.store(hand, "1:6");
            s.expunge(hand);
            asked_for_usage(s, hand, 56 * 1024);
            s.audited({{mail[6], 7}});
            usage(s, 9216);
          }),
    plant("quota/usage-wrong",  // ... for ever, where it was right before: one finding
          [](Scene& s) {
            const auto mail = big(s, 7);
            const std::uint32_t hand = s.watches(s.phone, mail);
            asked_for_usage(s, hand, 56 * 1024);
            s.store(hand, "1:6");
            s.expunge(hand);
            asked_for_usage(s, hand, 56 * 1024);
            s.audited({{mail[6], 7}});
            usage(s, 56 * 1024);
          }),
    plant("quota/others-mail",
          [](Scene& s) {
            const auto mail = big(s, 2);
            over_quota(s, s.message());
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.obs(What::exists, hand, [](Event& e) { e.facts = history::ExistsFacts{3, 2}; });
            s.content(hand, 0, 3, 3, "header");
            s.audited(Scene::all(mail));
          }),
    plant("quota/usage-changed",
          [](Scene& s) {
            const auto mail = big(s, 2);
            s.audited(Scene::all(mail));
            const std::uint32_t session = s.audit(Protocol::imap, s.alice, 2);
            for (const std::uint64_t used : {16384U, 40960U})
              s.obs(What::quota, session, [&](Event& e) {
                e.text = "User quota";
                e.code = "STORAGE";
                e.facts = history::QuotaFacts{used, kLimit};
              });
          }),
    plant("quota/not-told",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.expect(What::usage, 0, "", [&](Event& e) { e.account = s.alice; });
            s.audited(Scene::all(mail));
          }),
};

const bool kFreed = silent("the usage falls with what is expunged", [](Scene& s) {
  const auto mail = big(s, 7);
  const std::uint32_t hand = s.watches(s.phone, mail);
  asked_for_usage(s, hand, 58 * 1024);
  s.store(hand, "1:6");
  s.expunge(hand);
  asked_for_usage(s, hand, 9216);
  s.audited({{mail[6], 7}});
  usage(s, 9216);
});

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
    plant("expectation/not-seen",  // refused, so no wonder; but the scenario wants it
          [](Scene& s) {
            const std::uint32_t m = s.message();
            s.deliver(s.lmtp(), m, s.alice, Type::fail, 550, "5.7.1", "policy");
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

void never_ready(Scene& s, const std::string& code, const std::string& text) {
  const std::uint32_t session =
      s.history.add_session({"phone#9", s.phone, Protocol::imap, s.alice, 0, "imap 127.0.0.1:143"});
  s.ask(What::connect, session, {}, Type::fail, [&](Event& e) {
    e.code = code;
    e.text = text;
  });
}

const bool kSession[] = {
    plant("session/unreachable",
          [](Scene& s) { never_ready(s, "refused", "imap 127.0.0.1:143: connect: connection refused"); }),
    plant("session/unreachable",  // said by the play as well: once is enough
          [](Scene& s) {
            never_ready(s, "timeout", "imap 127.0.0.1:143: greeting: no greeting within 10s");
            s.obs(What::problem, 0, [](Event& e) {
              e.code = "connect";
              e.text = "phone: imap 127.0.0.1:143: greeting: no greeting within 10s";
            });
          }),
    plant("session/login-refused",
          [](Scene& s) { never_ready(s, "dropped", "imap 127.0.0.1:143: LOGIN: NO [AUTHENTICATIONFAILED]"); }),
    plant("session/tls-failed",
          [](Scene& s) { never_ready(s, "tls-failed", "imap 127.0.0.1:993: TLS: certificate has expired"); }),
    plant("session/bring-up-failed",
          [](Scene& s) { never_ready(s, "dropped", "imap 127.0.0.1:143: greeting: this is no IMAP greeting"); }),
    plant("session/problem",
          [](Scene& s) {
            s.obs(What::problem, 0, [](Event& e) {
              e.code = "lease";
              e.text = "the pool has 1 account, the scenario needs 2";
            });
          }),
    plant("session/interrupted",
          [](Scene& s) {
            s.obs(What::problem, 0, [](Event& e) {
              e.code = "interrupted";
              e.text = "interrupted";
            });
          }),
    plant("session/foreign-mail",
          [](Scene& s) {
            s.obs(What::problem, 0, [](Event& e) {
              e.code = "foreign";
              e.text = "nothing was expunged from INBOX: it may hold mail that is not ours and is marked as deleted";
            });
          }),
    plant("session/audit-incomplete",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.audited(Scene::all(mail));
            s.obs(What::audit, 0, [](Event& e) { e.text = "Archive could not be listed over IMAP"; });
          }),
    plant("session/protocol-broken",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.obs(What::end, hand, [](Event& e) {
              e.code = "dropped";
              e.flags = "broken";
              e.text = "imap 127.0.0.1:143: UID FETCH: literal of 10737418240 octets announced";
            });
            s.audited(Scene::all(mail));
          }),
    plant("session/literal-too-short",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.obs(What::end, hand, [](Event& e) {
              e.code = "timeout";
              e.flags = "broken";
              e.text =
                  "imap 127.0.0.1:143: UID FETCH: the literal of \"* 1 FETCH (UID 1 BODY[] {51477}\" announces 51477 "
                  "octets; 42646 came, and then the reply a5 within it; no reply within 1m";
            });
            s.audited(Scene::all(mail));
          }),
    plant("session/ended-by-server",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.ask(What::noop, hand, {}, Type::info);
            s.end(hand, "", "closed");
            s.audited(Scene::all(mail));
          }),
    plant("session/no-answer",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.ask(What::noop, hand, {}, Type::info);
            s.end(hand, "", "timeout");
            s.audited(Scene::all(mail));
          }),
    plant("session/deviation.imap.crlf.bare_lf",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.obs(What::deviation, s.watches(s.phone, mail), [](Event& e) {
              e.code = "imap.crlf.bare_lf";
              e.text = "* OK hello";
            });
            s.audited(Scene::all(mail));
          }),
};

}  // namespace
}  // namespace mailproof::judge
