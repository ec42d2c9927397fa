// Histories of servers that keep their promises, each in a way of its own: no judge may mind any of them, not even
// when it is strict.
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

using history::DeviceKind;

void stat_told(Scene& s, std::uint32_t session, std::uint32_t count, std::uint64_t octets) {
  s.ask(What::stat, session, {}, Type::ok, [&](Event& e) {
    e.facts = history::CountFacts{count};
    e.size = octets;
  });
}

void quota_told(Scene& s, std::uint64_t used) {
  s.obs(What::quota, s.audit(Protocol::imap, s.alice, 2), [&](Event& e) {
    e.text = "User quota";
    e.code = "STORAGE";
    e.facts = history::QuotaFacts{used, 65536};
  });
}

std::uint32_t small_account(Scene& s) {
  s.history.info.accounts[s.alice - 1].quota = 4096;
  return s.smtp();
}

const bool kStories[] = {
    silent("one moment is told in another zone, and its day with a zero",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const auto told = [&](std::uint32_t session, const char* date) {
               s.obs(What::row, session, [&](Event& e) {
                 e.seq = e.uid = 1;
                 e.text = date;
               });
             };
             told(s.watches(s.phone, mail), " 1-Jul-2026 02:44:25 +0000");
             told(s.watches(s.laptop, mail), "01-Jul-2026 02:44:25 +0000");
             told(s.watches(s.laptop, mail), "30-Jun-2026 19:44:25 -0700");
             s.audited(Scene::all(mail));
           }),
    silent("a phone reads, a laptop sees it",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t hand = s.watches(s.phone, mail);
             const std::uint32_t other = s.watches(s.laptop, mail);
             s.store(hand, "1", "+FLAGS", "\\Seen");
             s.row(other, 1, 1, "\\Seen");
             s.answer(s.expect(What::see, other, "1", [](Event& e) { e.flags = "\\Seen"; }), Type::ok);
             s.agree({s.phone, s.laptop});
             s.expect(What::intact, 0, "1-2");
             s.audited(Scene::all(mail));
           }),
    silent("a pop client takes the mail from the phone",
           [](Scene& s) {
             const auto mail = s.accepted(3);
             const std::uint32_t hand = s.watches(s.phone, mail);
             const std::uint32_t pop = s.pop3(s.pc);
             stat_told(s, pop, 3, 3000);
             const std::uint32_t list = s.invoke(What::pop_list, pop);
             for (std::uint32_t i = 1; i <= 3; ++i) s.list_row(pop, i, 1000);
             s.done(list, Type::ok);
             for (std::uint32_t i = 1; i <= 3; ++i) s.uidl_row(pop, i, Scene::uidl(i));
             for (std::uint32_t i = 1; i <= 3; ++i) {
               const std::uint32_t retr = s.invoke(What::retr, pop, [&](Event& e) { e.seq = i; });
               s.pop_content(pop, mail[i - 1], i, Scene::uidl(i));
               s.done(retr, Type::ok, [&](Event& e) {
                 e.seq = i;
                 e.message = mail[i - 1];
                 e.size = 1000;
               });
               s.dele(pop, i, mail[i - 1]);
             }
             s.ask(What::quit, pop);
             s.end(pop);
             for (std::uint32_t uid = 1; uid <= 3; ++uid) s.expunged(hand, 1, uid);
             s.answer(s.expect(What::lose, hand, "1-3"), Type::ok);
             s.fate("1-3", {.fate = Fate::removed_by_client, .over = Protocol::pop3, .by = s.pc, .copy_on = s.pc});
             s.audited({});
           }),
    silent("a message is moved, another expunged, a third flagged deleted",
           [](Scene& s) {
             const auto mail = s.accepted(3);
             const std::uint32_t hand = s.watches(s.phone, mail);
             s.move(What::move, hand, "1", "Archive", Type::ok, "5");
             s.expunged(hand, 1, 1);
             s.store(hand, "2");
             s.expunge(hand);
             s.expunged(hand, 1, 2);
             s.store(hand, "3");
             s.expect(What::count, 0, "", [&](Event& e) {
               e.account = s.alice;
               e.facts = history::CountFacts{1};
             });
             s.audited({{mail[2], 3}});
             s.list_imap(s.alice, 2, {{mail[0], 5}}, "Archive");
           }),
    silent("an audit with one round where nothing is missing",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             s.both(1, Scene::all(mail));
           }),
    silent("absent at first, there after settling",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             s.both(1, {});
             s.settle();
             s.both(2, Scene::all(mail));
           }),
    silent("an unanswered delivery that arrived, and one that did not",
           [](Scene& s) {
             const auto mail = s.messages(2);
             for (const std::uint32_t m : mail)
               s.deliver(s.lmtp(), m, s.alice, Type::info, 0, "", "connection lost after the final dot");
             s.audited({{mail[0], 1}});
           }),
    silent("quit without an answer: gone or kept, message by message",
           [](Scene& s) {
             const auto mail = s.accepted(3);
             const std::uint32_t pop = s.downloads(mail);
             s.dele(pop, 1);
             s.dele(pop, 2);
             s.ask(What::quit, pop, {}, Type::info);
             s.end(pop, "ours", "dropped");
             s.audited({{mail[1], 2}, {mail[2], 3}});
           }),
    silent("quit with an error removes some",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t pop = s.downloads(mail);
             s.dele(pop, 1);
             s.dele(pop, 2);
             s.ask(What::quit, pop, {}, Type::fail);
             s.end(pop);
             s.audited({{mail[1], 2}});
           }),
    silent("a session without quit removes nothing",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t pop = s.downloads(mail);
             s.dele(pop, 1);
             s.end(pop, "ours", "dropped");
             s.audited(Scene::all(mail));
           }),
    silent("rset brings everything back",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t pop = s.downloads(mail);
             stat_told(s, pop, 2, 2000);
             const std::uint32_t before = s.invoke(What::pop_list, pop);
             s.list_row(pop, 1, 1000);
             s.list_row(pop, 2, 1000);
             s.done(before, Type::ok);
             s.dele(pop, 1);
             stat_told(s, pop, 1, 1000);
             const std::uint32_t during = s.invoke(What::pop_list, pop);
             s.list_row(pop, 2, 1000);
             s.done(during, Type::ok);
             s.ask(What::rset, pop);
             const std::uint32_t after = s.invoke(What::pop_list, pop);
             s.list_row(pop, 1, 1000);
             s.list_row(pop, 2, 1000);
             s.done(after, Type::ok);
             stat_told(s, pop, 2, 2000);
             s.ask(What::quit, pop);
             s.end(pop);
             s.audited(Scene::all(mail));
           }),
    silent("a mailbox is renamed, another removed",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t hand = s.watches(s.phone, mail);
             s.move(What::copy, hand, "1", "Work", Type::ok, "5");
             s.move(What::copy, hand, "2", "Old", Type::ok, "6");
             s.ask(What::rename, hand, [](Event& e) {
               e.mailbox = "Work";
               e.other_mailbox = "Job";
             });
             s.ask(What::remove, hand, [](Event& e) { e.mailbox = "Old"; });
             s.audited(Scene::all(mail));
             s.list_imap(s.alice, 2, {{mail[0], 5}}, "Job");
           }),
    silent("two move the same messages, and only one succeeds",
           [](Scene& s) {
             const auto mail = s.accepted(3);
             const std::uint32_t a = s.watches(s.phone, mail), b = s.watches(s.laptop, mail);
             s.move(What::move, a, "1:2", "Archive", Type::ok, "1:2");
             s.ask(
                 What::move, b,
                 [](Event& e) {
                   e.set = "2:3";
                   e.other_mailbox = "Trash";
                 },
                 Type::ok,
                 [](Event& e) {
                   e.set = "3";
                   e.facts = history::CopyFacts{"1"};
                   e.uidvalidity = 1;
                 });
             s.audited({});
             s.list_imap(s.alice, 2, {{mail[0], 1}, {mail[1], 2}}, "Archive");
             s.list_imap(s.alice, 2, {{mail[2], 1}}, "Trash");
           }),
    silent("two move the same message, both are told OK and one where it is",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t a = s.watches(s.phone, mail), b = s.watches(s.laptop, mail);
             s.expunged(a, 1, 1);
             s.move(What::move, a, "1", "Archive");
             s.move(What::move, b, "1", "Archive", Type::ok, "1");
             s.audited({});
             s.list_imap(s.alice, 2, {{mail[0], 1}}, "Archive");
           }),
    silent("a move without copyuid",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t hand = s.watches(s.phone, mail);
             s.move(What::move, hand, "1:2", "Archive");
             s.expunged(hand, 1, 1);
             s.expunged(hand, 1, 2);
             s.audited({});
             s.list_imap(s.alice, 2, {{mail[0], 1}, {mail[1], 2}}, "Archive");
           }),
    silent("an interrupted move left everything where it was",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail);
             s.move(What::move, hand, "1", "Archive", Type::info);
             s.audited(Scene::all(mail));
             s.list_imap(s.alice, 2, {}, "Archive");
           }),
};

const bool kStirred[] = {
    silent("somebody else's mail comes in: only what is ours is counted",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             s.watches(s.phone, mail);
             s.expect(What::count, 0, "", [&](Event& e) {
               e.account = s.alice;
               e.facts = history::CountFacts{2};
             });
             s.audited({{mail[0], 1}, {mail[1], 2}, {0, 3}});
           }),
    silent("mail comes in while the audit lists: it need not be in the listing",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             s.audited(Scene::all(mail));
             const std::uint32_t fresh = s.audit(Protocol::imap, s.alice, 3);
             s.select(fresh, "INBOX", 1, 1, What::examine);
             s.content(fresh, mail[0], 1, 1);
             s.obs(What::exists, fresh, [](Event& e) { e.facts = history::ExistsFacts{2, 1}; });
             s.obs(What::enumerated, fresh, [](Event& e) { e.facts = history::CountFacts{1}; });
           }),
    silent("what the baseline removed is not in the history, nor is the view it was removed from",
           [](Scene& s) {
             const std::uint32_t before = s.audit(Protocol::imap, s.alice, 0);
             s.select(before, "INBOX", 3);
             s.obs(What::unselect, before);
             s.obs(What::exists, before, [](Event& e) { e.facts = history::ExistsFacts{1, 0}; });
             const auto mail = s.accepted(1);
             s.audited(Scene::all(mail));
           }),
};

const bool kLatitudes[] = {
    silent("over quota with 4yz, then with 5yz, with and without a status",
           [](Scene& s) {
             small_account(s);
             const auto mail = s.accepted(3);
             const std::uint32_t out = s.lmtp();
             s.deliver(out, s.message(), s.alice, Type::fail, 452, "4.2.2", "mailbox full");
             s.deliver(out, s.message(), s.alice, Type::fail, 552, "5.2.2", "mailbox full");
             s.deliver(out, s.message(), s.alice, Type::fail, 552, "", "over quota");
             s.audited(Scene::all(mail));
             quota_told(s, 3072);
           }),
    silent("a refusal at rcpt",
           [](Scene& s) {
             small_account(s);
             const auto mail = s.accepted(3);
             s.deliver_to(s.smtp(), s.message(), {{s.alice, Type::fail, 452, "4.2.2", "mailbox full", "at-rcpt"}});
             s.audited(Scene::all(mail));
           }),
    silent("accepted, then bounced to the sender",
           [](Scene& s) {
             const std::uint32_t out = small_account(s);
             const auto mail = s.accepted(3);
             const std::uint32_t m = s.message();
             s.deliver(out, m, s.alice);
             s.fate("4", {.fate = Fate::bounced});
             s.both(1, Scene::all(mail));
             s.report(s.audit(Protocol::imap, s.bob, 1), m, s.alice, 1);
             s.settle();
             s.both(2, Scene::all(mail));
             s.report(s.audit(Protocol::imap, s.bob, 2), m, s.alice, 1);
             const std::uint32_t pop = s.audit(Protocol::pop3, s.bob, 2);  // and once more, over POP3
             s.uidl_row(pop, 1, "r1");
             s.obs(What::report, pop, [&](Event& e) {
               e.message = m;
               e.account = s.alice;
               e.seq = 1;
               e.code = "5.2.2";
               e.text = "failed: 552 mailbox full";
             });
           }),
    silent("a report that the address is unknown, of a mailbox that never took anything",
           [](Scene& s) {
             const std::uint32_t m = s.message();
             s.deliver(s.smtp(), m, s.alice);
             s.report(s.audit(Protocol::imap, s.bob, 1), m, s.alice, 1, "5.1.1");
             s.audited({});
           }),
    silent("a temporary failure reported in the end",
           [](Scene& s) {
             const std::uint32_t m = s.message();
             s.deliver(s.smtp(), m, s.alice);
             s.report(s.audit(Protocol::imap, s.bob, 1), m, s.alice, 1, "4.4.7");
             s.audited({});
           }),
    silent("deferred, tried again, accepted once",
           [](Scene& s) {
             const std::uint32_t m = s.message();
             s.deliver(s.lmtp(), m, s.alice, Type::fail, 451, "4.3.0", "try again");
             s.deliver(s.lmtp(), m, s.alice);
             s.audited({{m, 1}});
           }),
    silent("an exclusive maildrop refuses the second session",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t first = s.downloads(mail);
             const std::uint32_t second =
                 s.history.add_session({"pc#9", s.pc, Protocol::pop3, s.alice, 0, "pop3 127.0.0.1:110"});
             s.ask(What::connect, second, {}, Type::fail, [](Event& e) {
               e.code = "dropped";
               e.text = "pop3 127.0.0.1:110: PASS: -ERR [IN-USE] maildrop is locked";
             });
             s.ask(What::quit, first);
             s.end(first);
             s.audited(Scene::all(mail));
           }),
    silent("an exclusive maildrop refuses the second session half a minute later",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t first = s.downloads(mail);
             const std::uint32_t second =
                 s.history.add_session({"pc#9", s.pc, Protocol::pop3, s.alice, 0, "pop3 127.0.0.1:110"});
             const std::uint32_t asked = s.invoke(What::connect, second);
             s.ask(What::quit, first);
             s.end(first);
             s.wait(std::chrono::seconds(30));
             s.done(asked, Type::fail, [](Event& e) {
               e.code = "dropped";
               e.text = "pop3 127.0.0.1:110: PASS: -ERR [IN-USE] maildrop is locked";
             });
             s.audited(Scene::all(mail));
           }),
    silent("a login without TLS is refused in both ways: LOGIN, and AUTHENTICATE PLAIN in a session of its own",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t expected = s.expect(What::welcome, 0, "", [](Event& e) {
               e.code = "refused";
               e.flags = "plaintext";
             });
             std::uint32_t session = 0;
             for (const char* said : {"LOGIN: the server offers no way to log in here: LOGINDISABLED",
                                      "AUTHENTICATE: the server refused the login: BAD Run STARTTLS first"}) {
               session = s.history.add_session({"phone#9", s.phone, Protocol::imap, s.alice, 0, "imap 127.0.0.1:143"});
               s.ask(What::connect, session, {}, Type::fail, [&](Event& e) {
                 e.code = "dropped";
                 e.text = said;
               });
             }
             s.obs(What::welcome, session, [&](Event& e) {
               e.type = Type::ok;
               e.command = expected;
             });
             s.audited(Scene::all(mail));
           }),
    silent("a snapshot maildrop serves two at once",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t a = s.downloads(mail);
             const std::uint32_t b = s.downloads(mail);
             s.dele(a, 1);
             s.ask(What::quit, a);
             s.end(a);
             const std::uint32_t retr = s.invoke(What::retr, b, [](Event& e) { e.seq = 1; });
             s.pop_content(b, mail[0], 1, "u1");
             s.done(retr, Type::ok, [&](Event& e) {
               e.seq = 1;
               e.message = mail[0];
               e.size = 1000;
             });
             s.dele(b, 1);  // both ask for the same
             s.ask(What::quit, b);
             s.end(b);
             s.audited({{mail[1], 2}});
           }),
    silent("retr sets seen, and the phone is told",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail);
             const std::uint32_t pop = s.downloads(mail);
             s.row(hand, 1, 1, "\\Seen");
             s.ask(What::quit, pop);
             s.end(pop);
             s.audited(Scene::all(mail));
           }),
    silent("nil for a message that another session expunged",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t hand = s.watches(s.phone, mail), other = s.watches(s.laptop, mail);
             s.store(hand, "1");
             s.expunge(hand);
             s.obs(What::nil, other, [](Event& e) {
               e.mailbox = "INBOX";
               e.seq = 1;
               e.uid = 1;
             });
             s.expunged(other, 1, 1);
             s.audited({{mail[1], 2}});
           }),
    silent("no without a code",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail);
             s.move(What::copy, hand, "1", "NoSuch", Type::fail);
             s.audited(Scene::all(mail));
           }),
    silent("a message marked deleted is hidden by pop3",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t hand = s.watches(s.phone, mail);
             s.store(hand, "1");
             const std::uint32_t fresh = s.audit(Protocol::imap, s.alice, 1);
             s.select(fresh, "INBOX", 2, 1, What::examine);
             for (std::uint32_t i = 0; i < 2; ++i) {
               s.obs(What::row, fresh, [&](Event& e) {
                 e.mailbox = "INBOX";
                 e.uidvalidity = 1;
                 e.seq = e.uid = i + 1;
                 e.has_flags = true;
                 e.flags = i == 0 ? "\\Deleted" : "";
               });
               s.content(fresh, mail[i], i + 1, i + 1);
             }
             s.obs(What::enumerated, fresh, [](Event& e) {
               e.mailbox = "INBOX";
               e.facts = history::CountFacts{2};
             });
             s.end(fresh);
             s.list_pop(s.alice, 1, {{mail[1], 2}});
           }),
    silent("identical copies share a unique-id",
           [](Scene& s) {
             const std::uint32_t m = s.message();
             const std::uint32_t out = s.lmtp();
             s.deliver(out, m, s.alice);
             s.deliver(out, m, s.alice);
             const std::uint32_t pop = s.pop3(s.pc);
             s.uidl_row(pop, 1, "sha1");
             s.uidl_row(pop, 2, "sha1");
             s.pop_content(pop, m, 1, "sha1");
             s.pop_content(pop, m, 2, "sha1");
             s.ask(What::quit, pop);
             s.end(pop);
             s.list_imap(s.alice, 1, {{m, 1}, {m, 2}});
           }),
    silent("vanished of a uid nobody knew, and earlier ones",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail);
             s.obs(What::vanished, hand, [](Event& e) {
               e.set = "40:44";
               e.code = "EARLIER";
             });
             s.expunged(hand, 0, 77);
             s.audited(Scene::all(mail));
           }),
    silent("a server says goodbye between commands",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail);
             s.ask(What::noop, hand);
             s.end(hand, "", "closed");
             s.audited(Scene::all(mail));
           }),
    silent("usage counts trace headers and whole kibibytes",
           [](Scene& s) {
             const auto mail = s.accepted(3);
             s.expect(What::usage, 0, "", [&](Event& e) { e.account = s.alice; });
             s.audited(Scene::all(mail));
             quota_told(s, 5120);
           }),
    silent("mail that was there before is nobody's affair",
           [](Scene& s) {
             s.obs(What::baseline, 0, [&](Event& e) {
               e.account = s.alice;
               e.facts = history::CountFacts{2};
               e.text = "INBOX";
             });
             s.obs(What::message, s.imap(s.phone), [](Event& e) {
               e.mailbox = "INBOX";
               e.uidvalidity = 1;
               e.uid = 1;
               e.code = "full";
               e.flags = "foreign-run";
             });
             const auto mail = s.accepted(1);
             s.audited({{mail[0], 3}});
           }),
};

}  // namespace
}  // namespace mailproof::judge
