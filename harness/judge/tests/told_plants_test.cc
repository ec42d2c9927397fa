// Violations in what a server tells: sizes, flags, APPENDUID and COPYUID, mailboxes, IDLE, and what a login finds.
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

void sized(Scene& s, std::uint32_t session, std::uint32_t uid, std::uint64_t size) {
  s.obs(What::row, session, [&](Event& e) {
    e.mailbox = "INBOX";
    e.uidvalidity = 1;
    e.seq = e.uid = uid;
    e.size = size;
    e.facts = history::RowFacts{0, size == 0};
  });
}

void fetch(Scene& s, std::uint32_t session, const std::string& items) {
  s.ask(What::fetch, session, [&](Event& e) {
    e.mailbox = "INBOX";
    e.set = "1";
    e.text = items;
  });
}

void appended(Scene& s, std::uint32_t session, std::uint32_t message, std::uint32_t uidvalidity, std::uint32_t uid) {
  s.ask(
      What::append, session,
      [&](Event& e) {
        e.mailbox = "INBOX";
        e.message = message;
      },
      Type::ok,
      [&](Event& e) {
        e.mailbox = "INBOX";
        e.message = message;
        e.uidvalidity = uidvalidity;
        e.uid = uid;
      });
}

void piece(Scene& s, std::uint32_t session, std::uint32_t message, std::uint32_t from, std::uint64_t came) {
  s.obs(What::piece, session, [&](Event& e) {
    e.mailbox = "INBOX";
    e.uid = e.seq = 1;
    e.message = message;
    e.size = came;
    e.facts = history::PieceFacts{from, 100};
  });
}

/// The phone idles and waits for one message after another; a fresh session finds each of them. `told`: IDLE says so,
/// too late for the wait.
void waits_in_idle(Scene& s, int times, Duration wait = std::chrono::seconds(45), bool told = false) {
  const auto mail = s.accepted(times);
  const std::uint32_t hand = s.imap(s.phone);
  s.select(hand, "INBOX", 0);
  s.invoke(What::idle, hand);
  for (int i = 1; i <= times; ++i) {
    const std::uint32_t see = s.expect(What::see, hand, std::to_string(i));
    s.wait(wait);
    if (told)
      s.obs(What::exists, hand, [&](Event& e) {
        const auto n = static_cast<std::uint32_t>(i);
        e.facts = history::ExistsFacts{n, n - 1};
      });
    s.answer(see, Type::fail, std::to_string(i));
    s.obs(What::asked_again, s.audit(Protocol::imap, s.alice, 0), [&](Event& e) {
      e.command = see;
      e.code = "as-expected";
    });
  }
  s.audited(Scene::all(mail));
}

void mailbox_asked(Scene& s, What what, std::uint32_t session, const std::string& name, Type outcome = Type::ok) {
  s.ask(
      what, session, [&](Event& e) { e.mailbox = name; }, outcome, [&](Event& e) { e.mailbox = name; });
}

void listed(Scene& s, std::uint32_t session, const std::vector<std::string>& names,
            const std::string& attributes = "\\HasNoChildren") {
  const std::uint32_t list = s.invoke(What::list, session);
  for (const std::string& name : names)
    s.obs(What::mailbox, session, [&](Event& e) {
      e.mailbox = name;
      e.flags = attributes;
    });
  s.done(list, Type::ok);
}

/// CREATE, and the server tells what it made of the name.
void made_as(Scene& s, std::uint32_t session, const std::string& asked, const std::string& name) {
  mailbox_asked(s, What::create, session, asked);
  s.obs(What::mailbox, session, [&](Event& e) {
    e.mailbox = name;
    e.other_mailbox = asked;
  });
}

/// A POP3 login that lists so many of alice's messages, and looks at them.
void login(Scene& s, const std::vector<std::uint32_t>& mail) {
  const std::uint32_t pop = s.pop3(s.pc);
  const std::uint32_t uidl = s.invoke(What::pop_uidl, pop);
  for (std::uint32_t i = 1; i <= mail.size(); ++i) s.uidl_row(pop, i, Scene::uidl(i));
  s.done(uidl, Type::ok);
  for (std::uint32_t i = 1; i <= mail.size(); ++i) s.pop_content(pop, mail[i - 1], i, Scene::uidl(i));
  s.ask(What::quit, pop);
  s.end(pop);
}

const bool kSizes[] = {
    plant("content/size-differs",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            sized(s, s.watches(s.phone, mail), 1, 980);
            s.audited(Scene::all(mail));
          }),
    plant("content/size-differs",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            sized(s, s.watches(s.phone, mail), 1, 0);
            s.audited(Scene::all(mail));
          }),
    plant("content/piece-longer",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            piece(s, s.watches(s.phone, mail), mail[0], 0, 164);
            s.audited(Scene::all(mail));
          }),
    silent("pieces as long as asked for, and a last one that is shorter",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail);
             sized(s, hand, 1, 1000);
             piece(s, hand, mail[0], 0, 100);
             piece(s, hand, mail[0], 100, 40);
             piece(s, hand, mail[0], 200, 0);
             s.audited(Scene::all(mail));
           }),
};

const bool kFlags[] = {
    plant("flags/seen-by-peek",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.row(hand, 1, 1);
            fetch(s, hand, "(UID BODY.PEEK[])");
            s.row(s.watches(s.laptop, mail), 1, 1, "\\Seen");
            s.audited(Scene::all(mail));
          }),
    plant("flags/unexplained",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.row(hand, 1, 1, "$Work");
            s.row(hand, 1, 1, "$Work \\Answered");
            s.audited(Scene::all(mail));
          }),
    silent("flags that somebody set: STORE, a FETCH without PEEK, POP3, and before the first look",
           [](Scene& s) {
             const auto mail = s.accepted(3);
             const std::uint32_t hand = s.watches(s.phone, mail);
             for (std::uint32_t uid = 1; uid <= 3; ++uid) s.row(hand, uid, uid, uid == 2 ? "\\Flagged" : "");
             fetch(s, hand, "(UID FLAGS BODY[])");
             s.row(hand, 1, 1, "\\Seen");
             s.store(hand, "2", "+FLAGS", "\\Answered", Type::info);  // nobody knows, so it may be
             s.row(hand, 2, 2, "\\Answered \\Flagged");
             s.pop_content(s.pop3(s.pc), mail[2], 3, "u3");
             s.row(hand, 3, 3, "\\Seen \\Recent");
             s.audited(Scene::all(mail));
           }),
    silent("keywords are the server's affair, and what other people's mail bears",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.imap(s.phone);
             s.select(hand, "INBOX", 2);
             s.content(hand, mail[0], 1, 1);
             s.row(hand, 1, 1);
             s.row(hand, 1, 1, "$Junk \\Recent");
             s.row(hand, 2, 2);
             s.row(hand, 2, 2, "\\Seen");
             s.audited(Scene::all(mail));
           }),
};

const bool kUidplus[] = {
    plant("uidplus/uidvalidity",
          [](Scene& s) {
            const auto mail = s.messages(1);
            const std::uint32_t hand = s.imap(s.phone);
            s.select(hand, "INBOX", 0, 99);
            appended(s, hand, mail[0], 7, 1);
            s.select(hand, "INBOX", 1, 99);
            s.list_imap(s.alice, 1, {{mail[0], 1}}, "INBOX", 99);
          }),
    plant("uidplus/uidvalidity",  // the first time that the mailbox is opened, but the numbers are there
          [](Scene& s) {
            const auto mail = s.messages(1);
            const std::uint32_t hand = s.imap(s.phone);
            appended(s, hand, mail[0], 4, 99);
            s.select(hand, "INBOX", 1, 99);
            s.content(hand, mail[0], 1, 4, "full", "INBOX", 99);
            s.list_imap(s.alice, 1, {{mail[0], 4}}, "INBOX", 99);
          }),
    plant("uidplus/uid",
          [](Scene& s) {
            const auto mail = s.messages(1);
            const std::uint32_t hand = s.imap(s.phone);
            appended(s, hand, mail[0], 1, 5);
            s.both(1, {{mail[0], 4}});
          }),
    plant("uidplus/uid",  // the copy of mail.1 is told to be the copy of mail.2
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.move(What::copy, hand, "1,2", "Archive", Type::ok, "11,10");
            s.both(1, Scene::all(mail));
            s.list_imap(s.alice, 1, {{mail[0], 10}, {mail[1], 11}}, "Archive");
          }),
    plant("uidplus/sets",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.move(What::copy, hand, "1:2", "Archive", Type::ok, "10");
            s.both(1, Scene::all(mail));
            s.list_imap(s.alice, 1, {{mail[0], 10}, {mail[1], 11}}, "Archive");
          }),
    silent("APPENDUID and COPYUID as they are, in a mailbox that is made anew too",
           [](Scene& s) {
             const auto mail = s.messages(1);
             const std::uint32_t hand = s.imap(s.phone);
             s.select(hand, "INBOX", 0, 1);
             appended(s, hand, mail[0], 1, 1);
             s.select(hand, "INBOX", 1, 1);
             s.content(hand, mail[0], 1, 1);
             s.select(hand, "Archive", 0, 3);
             mailbox_asked(s, What::remove, hand, "Archive");
             mailbox_asked(s, What::create, hand, "Archive");
             s.select(hand, "INBOX", 1, 1);
             s.move(What::copy, hand, "1", "Archive", Type::ok, "1", 4);
             s.both(1, {{mail[0], 1}});
             s.list_imap(s.alice, 1, {{mail[0], 1}}, "Archive", 4);
           }),
};

const bool kMailboxes[] = {
    plant("mailboxes/not-listed",
          [](Scene& s) {
            const std::uint32_t hand = s.imap(s.phone);
            listed(s, hand, {"INBOX"});
            mailbox_asked(s, What::create, hand, "\u00e9&\u00e9");
            listed(s, hand, {"INBOX", "&AOkAJgDp-"});
          }),
    silent("mailboxes: the server made it under another name, and said so (RFC 9051 section 6.3.4)",
           [](Scene& s) {
             const std::uint32_t hand = s.imap(s.phone);
             listed(s, hand, {"INBOX"});
             made_as(s, hand, "behind ", "behind");
             listed(s, hand, {"INBOX", "behind"});
             mailbox_asked(s, What::remove, hand, "behind ");
             listed(s, hand, {"INBOX"});
           }),
    plant("mailboxes/not-listed",  // ... and then it is listed under neither
          [](Scene& s) {
            const std::uint32_t hand = s.imap(s.phone);
            listed(s, hand, {"INBOX"});
            made_as(s, hand, "behind ", "behind");
            listed(s, hand, {"INBOX"});
          }),
    silent("mailboxes: a dot in front, where dots separate levels: a level without a name is left out",
           [](Scene& s) {
             const std::uint32_t hand = s.imap(s.phone);
             listed(s, hand, {"INBOX"});
             mailbox_asked(s, What::create, hand, ".mailproof");
             listed(s, hand, {"INBOX", "mailproof"});
             mailbox_asked(s, What::remove, hand, ".mailproof");
             listed(s, hand, {"INBOX"});
           }),
    plant("mailboxes/not-selectable",
          [](Scene& s) {
            const std::uint32_t hand = s.imap(s.phone);
            mailbox_asked(s, What::create, hand, "a%b");
            mailbox_asked(s, What::select, hand, "a%b", Type::fail);
          }),
    plant("mailboxes/still-listed",
          [](Scene& s) {
            const std::uint32_t hand = s.imap(s.phone);
            mailbox_asked(s, What::create, hand, "Odd");
            mailbox_asked(s, What::remove, hand, "Odd");
            listed(s, hand, {"INBOX", "Odd"});
          }),
    silent("mailboxes: refused, made in another case, renamed away, deleted with others below",
           [](Scene& s) {
             const std::uint32_t hand = s.imap(s.phone);
             mailbox_asked(s, What::create, hand, "a*b", Type::fail);
             mailbox_asked(s, What::select, hand, "a*b", Type::fail);
             mailbox_asked(s, What::create, hand, "inbox/Below");
             mailbox_asked(s, What::create, hand, "Odd/Inner");
             mailbox_asked(s, What::create, hand, "Old");
             s.ask(
                 What::select, hand, [](Event& e) { e.mailbox = "Old"; }, Type::fail,
                 [](Event& e) { e.text = "the connection was gone before"; });
             listed(s, hand, {"INBOX", "INBOX/Below", "Odd", "Odd/Inner", "Old"});
             s.ask(What::rename, hand, [](Event& e) {
               e.mailbox = "Old";
               e.other_mailbox = "New";
             });
             mailbox_asked(s, What::remove, hand, "Odd");
             listed(s, hand, {"INBOX", "INBOX/Below", "Odd/Inner", "New"});
             mailbox_asked(s, What::remove, hand, "Archive");  // one that the server gives to everybody
             listed(s, hand, {"INBOX", "INBOX/Below", "Odd/Inner", "New", "Archive"}, "\\Archive");
             listed(s, hand, {"INBOX", "INBOX/Below", "Odd/Inner", "New", "Odd"}, "\\Noselect \\HasChildren");
           }),
};

const bool kIdle[] = {
    plant("idle/silent", [](Scene& s) { waits_in_idle(s, 3); }),
    plant("expectation/late", [](Scene& s) { waits_in_idle(s, 2); }),
    plant("expectation/late",
          [](Scene& s) { waits_in_idle(s, 3, std::chrono::seconds(10)); }),  // it looks now and then
    plant("expectation/late", [](Scene& s) { waits_in_idle(s, 3, std::chrono::seconds(45), true); }),
};

/// A name may be refused, be it that it exists: what the story then looks for there is not owed.
const bool kNotRenamed[] = {
    plant("expectation/not-asked",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.ask(
                What::rename, hand,
                [](Event& e) {
                  e.mailbox = "Projects";
                  e.other_mailbox = "Old projects";
                },
                Type::fail, [](Event& e) { e.text = "[ALREADYEXISTS] Target mailbox already exists"; });
            const auto see = s.expect(What::see, hand, "1", [](Event& e) { e.mailbox = "Old projects"; });
            s.answer(see, Type::fail, "1");
            s.audited(Scene::all(mail));
            s.list_imap(s.alice, 2, {}, "Old projects");  // somebody else's
          }),
};

void renamed(Scene& s, std::uint32_t session, const std::string& from, const std::string& to) {
  s.ask(What::rename, session, [&](Event& e) {
    e.mailbox = from;
    e.other_mailbox = to;
  });
}

/// bob is full: told so alone, then together with alice, who is told the same; alone she gets her mail.
void circular(Scene& s, Protocol protocol, bool deleted_between) {
  const auto mail = s.messages(3);
  const auto way = [&] { return protocol == Protocol::lmtp ? s.lmtp() : s.smtp(); };
  s.deliver(way(), mail[0], s.bob, Type::fail, 552, "5.2.2", "mailbox is full");
  s.deliver_to(way(), mail[1],
               {{s.alice, Type::fail, 451, "4.2.2", "over quota"}, {s.bob, Type::fail, 451, "4.2.2", "over quota"}});
  if (deleted_between) s.ask(What::quit, s.pop3(s.pc));
  s.deliver(way(), mail[2], s.alice);
  s.audited({{mail[2], 1}});
}

const bool kOthers[] = {
    plant("loss/lost-in-rename",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.move(What::move, hand, "1", "Old", Type::ok, "1");
            s.expunged(hand, 1, 1);
            s.list_imap(s.alice, 0, {{mail[0], 1}}, "Old");
            renamed(s, hand, "Old", "New");
            for (std::uint32_t round = 1; round <= 2; ++round) {
              s.both(round, {{mail[1], 2}});
              s.list_imap(s.alice, round, {}, "New");
              s.settle();
            }
          }),
    plant("recipients/refused-for-another", [](Scene& s) { circular(s, Protocol::lmtp, false); }),
    plant("recipients/refused-with-another", [](Scene& s) { circular(s, Protocol::smtp, false); }),
    silent("refused together, and alone there was room later", [](Scene& s) { circular(s, Protocol::lmtp, true); }),
    silent("refused together, and what was taken before had filled the mailbox",
           [](Scene& s) {
             const auto mail = s.messages(3);
             s.deliver(s.lmtp(), mail[0], s.bob, Type::fail, 552, "5.2.2", "mailbox is full");
             s.deliver(s.lmtp(), mail[2], s.alice);
             s.deliver_to(
                 s.lmtp(), mail[1],
                 {{s.alice, Type::fail, 552, "5.2.2", "over quota"}, {s.bob, Type::fail, 552, "5.2.2", "over quota"}});
             s.audited({{mail[2], 1}});
           }),
    // Seed 976 with delivery.queues-when-full: what came alone was taken over SMTP, and nobody has seen it.
    plant("bounce/queued",
          [](Scene& s) {
            const auto mail = s.messages(3);
            s.deliver(s.lmtp(), mail[0], s.bob, Type::fail, 552, "5.2.2", "mailbox is full");
            s.deliver_to(
                s.lmtp(), mail[1],
                {{s.alice, Type::fail, 552, "5.2.2", "over quota"}, {s.bob, Type::fail, 552, "5.2.2", "over quota"}});
            s.deliver(s.smtp(), mail[2], s.alice);
            s.audited({});
          }),
    silent("POP3 takes a message, and a MOVE of it says OK and tells no UIDs",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t hand = s.watches(s.phone, mail);
             const std::uint32_t pop = s.downloads({mail[0]});
             s.dele(pop, 1, mail[0]);
             s.ask(What::quit, pop);
             s.end(pop);
             s.expunged(hand, 1, 1);
             s.move(What::move, hand, "1", "Archive", Type::ok, "");
             s.list_imap(s.alice, 0, {}, "Archive");
             for (std::uint32_t round = 1; round <= 2; ++round) {
               s.both(round, {{mail[1], 2}});
               s.list_imap(s.alice, round, {}, "Archive");
               s.settle();
             }
           }),
    silent("a MOVE whose answer was lost did nothing, and another one elsewhere tells so",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t hand = s.watches(s.phone, mail);
             const std::uint32_t other = s.watches(s.laptop, mail);
             s.move(What::move, hand, "1", "Trash", Type::info, "");
             s.end(hand, "ours", "dropped");
             const std::uint32_t again = s.watches(s.phone, mail);
             const std::uint32_t move = s.invoke(What::move, again, [](Event& e) {
               e.mailbox = "INBOX";
               e.set = "1";
               e.other_mailbox = "Archive";
             });
             s.expunged(other, 1, 1);
             s.expunged(again, 1, 1);
             s.done(move, Type::ok, [](Event& e) {
               e.uidvalidity = 1;
               e.set = "1";
               e.facts = history::CopyFacts{"1"};
             });
             for (std::uint32_t round = 1; round <= 2; ++round) {
               s.both(round, {{mail[1], 2}});
               s.list_imap(s.alice, round, {}, "Trash");
               s.list_imap(s.alice, round, {{mail[0], 1}}, "Archive");
               s.settle();
             }
           }),
    silent("... and the one who moves is told that it went while the MOVE runs",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t hand = s.watches(s.phone, mail);
             const std::uint32_t pop = s.downloads({mail[0]});
             s.dele(pop, 1, mail[0]);
             s.ask(What::quit, pop);
             s.end(pop);
             const std::uint32_t move = s.invoke(What::move, hand, [](Event& e) {
               e.mailbox = "INBOX";
               e.set = "1";
               e.other_mailbox = "Archive";
             });
             s.expunged(hand, 1, 1);
             s.done(move, Type::ok);
             for (std::uint32_t round = 1; round <= 2; ++round) {
               s.both(round, {{mail[1], 2}});
               s.list_imap(s.alice, round, {}, "Archive");
               s.settle();
             }
           }),
    plant("session/unreadable-vanished",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.obs(What::deviation, s.watches(s.phone, mail), [](Event& e) {
              e.code = "imap.vanished.unreadable";
              e.text = "* VANISHED 0:1";
            });
            s.audited(Scene::all(mail));
          }),
    plant("session/unreadable-fetch",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.obs(What::deviation, s.watches(s.phone, mail), [](Event& e) {
              e.code = "imap.fetch.unreadable";
              e.text = "column 9: expected \"(\", found \"NIL)\"";
            });
            s.audited(Scene::all(mail));
          }),
};

const bool kDelta = plant("expectation/delta-differs", [](Scene& s) {
  const auto mail = s.accepted(1);
  const std::uint32_t hand = s.watches(s.phone, mail);
  const std::uint32_t agrees = s.expect(What::agree, hand, "");
  s.done(agrees, Type::fail, [](Event& e) {
    e.code = "delta";
    e.text = "after QRESYNC the device has UID 9 without flags, a full listing has no UID 9";
  });
  s.audited(Scene::all(mail));
});

const bool kMaildrop[] = {
    plant("maildrop/not-listed",
          [](Scene& s) {
            const auto mail = s.accepted(3);
            login(s, mail);
            login(s, {mail[0]});
            login(s, mail);
            s.audited(Scene::all(mail));
          }),
    plant("maildrop/not-listed",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            login(s, mail);
            const std::uint32_t pop = s.pop3(s.pc);
            s.ask(What::stat, pop, {}, Type::ok, [](Event& e) { e.facts = history::CountFacts{0}; });
            s.end(pop);
            s.audited(Scene::all(mail));
          }),
    silent("a login before the mail came, and one after it was taken",
           [](Scene& s) {
             login(s, {});
             const auto mail = s.accepted(2);
             login(s, mail);
             const std::uint32_t pop = s.downloads(mail);
             s.dele(pop, 1, mail[0]);
             s.dele(pop, 2, mail[1]);
             s.ask(What::quit, pop);
             s.end(pop);
             login(s, {});
             s.audited({});
           }),
};

}  // namespace
}  // namespace mailproof::judge
