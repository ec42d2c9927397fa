// What was answered and is not so: a part of a COPY, mail in another mailbox, flags that come back, bodies that nobody
// gets. Whom the RFCs permit stands beside each.
#include "judge/tests/plant.h"

namespace mailproof::judge::unkept {
namespace {

constexpr std::uint32_t kArchive = 2, kJunk = 3;  // UIDVALIDITYs

using Listing = history::Story::Listing;

struct In {
  std::string mailbox;
  Listing found;
  std::uint32_t uidvalidity;
};

void audited(Scene& s, const Listing& inbox, const std::vector<In>& others) {
  for (const std::uint32_t round : {1U, 2U}) {
    s.audit_begin(round);
    s.list_imap(s.alice, round, inbox);
    for (const In& other : others) s.list_imap(s.alice, round, other.found, other.mailbox, other.uidvalidity);
    s.list_pop(s.alice, round, inbox);
    s.audit_end(round);
    if (round == 1) s.settle();
  }
}

/// The phone copies three; COPYUID names the first alone.
std::uint32_t copies_a_part(Scene& s, const std::vector<std::uint32_t>& mail) {
  const std::uint32_t hand = s.watches(s.phone, mail);
  s.ask(
      What::copy, hand,
      [](Event& e) {
        e.set = "1:3";
        e.mailbox = "INBOX";
        e.other_mailbox = "Archive";
      },
      Type::ok,
      [](Event& e) {
        e.set = "1";
        e.facts = history::CopyFacts{"1"};
        e.uidvalidity = kArchive;
      });
  return hand;
}

const bool kCopies[] = {
    plant("loss/lost",
          [](Scene& s) {
            const auto mail = s.accepted(3);
            copies_a_part(s, mail);
            audited(s, Scene::all(mail), {{"Archive", {{mail[0], 1}}, kArchive}});
          }),
    silent("COPYUID names a part, and all of it is there",
           [](Scene& s) {
             const auto mail = s.accepted(3);
             copies_a_part(s, mail);
             audited(s, Scene::all(mail), {{"Archive", Scene::all(mail), kArchive}});
           }),
    silent("COPYUID names a part: the rest had been expunged (RFC 3501 section 6.4.8)",
           [](Scene& s) {
             const auto mail = s.accepted(3);
             const std::uint32_t other = s.watches(s.laptop, mail);
             s.store(other, "2,3");
             s.expunge(other);
             s.expunged(other, 2, 2);
             s.expunged(other, 2, 3);
             copies_a_part(s, mail);
             audited(s, {{mail[0], 1}}, {{"Archive", {{mail[0], 1}}, kArchive}});
           }),
    silent("COPYUID names a part: where mailboxes are labels, the rest had this one before",
           [](Scene& s) {
             const auto mail = s.accepted(3);
             for (const std::uint32_t one : {mail[1], mail[2]}) s.append(s.imap(s.phone), one, "Archive");
             copies_a_part(s, mail);
             audited(s, Scene::all(mail), {{"Archive", Scene::all(mail), kArchive}});
           }),
};

void moved_and_in_junk(Scene& s, const std::function<void(Scene&, std::uint32_t)>& beside, bool another_stays = true) {
  const auto mail = s.accepted(1);
  const std::uint32_t draft = s.message("draft");
  if (another_stays) s.append(s.imap(s.phone), draft, "Archive");
  const std::uint32_t hand = s.watches(s.phone, mail);
  s.move(What::move, hand, "1", "Archive", Type::ok, "1", kArchive);
  s.expunged(hand, 1, 1);
  beside(s, hand);
  audited(s, {},
          {{"Archive", another_stays ? Listing{{draft, 7}} : Listing{}, kArchive}, {"Junk", {{mail[0], 1}}, kJunk}});
}

const bool kElsewhere[] = {
    plant("loss/put-elsewhere", [](Scene& s) { moved_and_in_junk(s, [](Scene&, std::uint32_t) {}); }),
    plant("loss/put-elsewhere",  // a draft that was saved in INBOX no delivery has filed
          [](Scene& s) {
            const std::uint32_t draft = s.message("draft"), other = s.message("draft");
            for (const std::uint32_t one : {draft, other}) s.append(s.imap(s.phone), one, "INBOX");
            audited(s, {{other, 1}}, {{"Junk", {{draft, 1}}, kJunk}});
          }),
    plant("loss/filed-elsewhere",  // nothing stays: a script at APPEND and MOVE may file it (RFC 6785)
          [](Scene& s) {
            moved_and_in_junk(
                s, [](Scene&, std::uint32_t) {}, false);
          }),
    plant("loss/put-elsewhere",  // a MOVE of another message failed
          [](Scene& s) {
            moved_and_in_junk(s, [](Scene& scene, std::uint32_t hand) {
              const std::uint32_t note = scene.message("draft");
              scene.append(scene.imap(scene.laptop), note, "INBOX");
              scene.obs(What::exists, hand, [](Event& e) { e.facts = history::ExistsFacts{1, 0}; });
              scene.content(hand, note, 1, 9);
              scene.move(What::move, hand, "9", "Junk", Type::fail);
              scene.store(hand, "9");
              scene.expunge(hand);
            });
          }),
    plant("loss/filed-elsewhere",  // a MOVE may fail and have moved some all the same (RFC 6851 section 3.3)
          [](Scene& s) {
            moved_and_in_junk(
                s, [](Scene& scene, std::uint32_t hand) { scene.move(What::move, hand, "7", "Junk", Type::fail); });
          }),
};

/// The phone sets \Flagged, which the laptop sees, and takes it away.
std::uint32_t takes_away(Scene& s, const std::vector<std::uint32_t>& mail, bool seen_before = true) {
  const std::uint32_t hand = s.watches(s.phone, mail);
  if (seen_before) {
    s.row(hand, 1, 1, "");
    s.store(hand, "1", "+FLAGS.SILENT", "\\Flagged");
    const std::uint32_t other = s.watches(s.laptop, mail);
    s.row(other, 1, 1, "\\Flagged");
    s.end(other);
  } else {
    s.row(hand, 1, 1, "\\Flagged");
  }
  s.store(hand, "1", "-FLAGS.SILENT", "\\Flagged");
  s.end(hand);
  return hand;
}

void told_to_the_next(Scene& s, const std::vector<std::uint32_t>& mail, const std::string& flags) {
  const std::uint32_t next = s.watches(s.phone, mail);
  s.row(next, 1, 1, flags);
  s.end(next);
  s.audited(Scene::all(mail));
}

void restarts(Scene& s, const std::string& how) {
  s.ask(What::admin, 0, [&](Event& e) { e.code = how; });
}

void reads_and_marks_unread(Scene& s, const std::function<void(Scene&, std::uint32_t)>& between) {
  const auto mail = s.accepted(1);
  const std::uint32_t hand = s.watches(s.phone, mail);
  s.row(hand, 1, 1, "");
  s.store(hand, "1", "+FLAGS.SILENT", "\\Seen");
  const std::uint32_t other = s.watches(s.laptop, mail);
  s.row(other, 1, 1, "\\Seen");
  s.store(hand, "1", "-FLAGS.SILENT", "\\Seen");
  between(s, other);
  s.end(hand);
  s.end(other);
  told_to_the_next(s, mail, "\\Seen");
}

const bool kFlags[] = {
    plant("flags/came-back",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            takes_away(s, mail);
            told_to_the_next(s, mail, "\\Flagged");
          }),
    plant("flags/came-back", [](Scene& s) { reads_and_marks_unread(s, [](Scene&, std::uint32_t) {}); }),
    plant("flags/session-only",  // that a client can set it for good nobody has seen (RFC 3501 section 7.1)
          [](Scene& s) {
            const auto mail = s.accepted(1);
            takes_away(s, mail, false);
            told_to_the_next(s, mail, "\\Flagged");
          }),
    silent("a flag is taken away and stays away",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             takes_away(s, mail);
             told_to_the_next(s, mail, "");
           }),
    silent("a flag is taken away, and another client sets it again",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             takes_away(s, mail);
             s.store(s.watches(s.laptop, mail), "1", "+FLAGS", "\\Flagged");
             told_to_the_next(s, mail, "\\Flagged");
           }),
    silent("a flag is taken away while another client sets it",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t other = s.watches(s.laptop, mail);
             const std::uint32_t sets = s.invoke(What::store, other, [](Event& e) {
               e.set = "1";
               e.code = "+FLAGS";
               e.flags = "\\Flagged";
             });
             takes_away(s, mail);
             s.done(sets, Type::ok);
             told_to_the_next(s, mail, "\\Flagged");
           }),
    silent("marked as unread, and read by another client (RFC 3501 section 6.4.5)",
           [](Scene& s) {
             reads_and_marks_unread(s, [](Scene& scene, std::uint32_t other) {
               scene.ask(What::fetch, other, [](Event& e) {
                 e.set = "1";
                 e.text = "(UID BODY[])";
               });
             });
           }),
    silent("marked as unread, and downloaded",
           [](Scene& s) {
             reads_and_marks_unread(s, [](Scene& scene, std::uint32_t) { scene.end(scene.downloads({1})); });
           }),
    plant("flags/forgotten",  // what was answered outlasts a restart
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail), other = s.watches(s.laptop, mail);
            s.store(hand, "1", "+FLAGS.SILENT", "\\Flagged");
            s.row(other, 1, 1, "\\Flagged");
            s.end(hand);
            s.end(other);
            restarts(s, "restart");
            told_to_the_next(s, mail, "");
          }),
    silent("the newest flag is gone after a kill",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail), other = s.watches(s.laptop, mail);
             s.store(hand, "1", "+FLAGS.SILENT", "\\Flagged");
             s.row(other, 1, 1, "\\Flagged");
             s.end(hand);
             s.end(other);
             restarts(s, "kill");
             told_to_the_next(s, mail, "");
           }),
    plant("duplicates/duplicated",  // LMTP had answered, and nobody killed the server
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.wait(std::chrono::seconds(3));
            restarts(s, "restart");
            s.audited({{mail[0], 1}, {mail[0], 2}});
          }),
    plant("duplicates/after-lost-answer",  // stopped in order while it may still hand it on to itself
          [](Scene& s) {
            const auto mail = s.accepted(1);
            restarts(s, "restart");
            s.audited({{mail[0], 1}, {mail[0], 2}});
          }),
};

/// `first` is what comes of the first message; nothing: only the second is brought.
void reads_two(Scene& s, std::uint32_t session, const std::function<void(Scene&)>& first, Type answer = Type::ok) {
  const std::uint32_t asked = s.invoke(What::fetch, session, [](Event& e) {
    e.set = "1:2";
    e.mailbox = "INBOX";
    e.text = "(UID BODY.PEEK[])";
  });
  if (first) first(s);
  s.content(session, 2, 2, 2);
  s.done(asked, answer, [](Event& e) { e.mailbox = "INBOX"; });
}

/// RETR of the first of these is refused in two sessions.
void never_downloaded(Scene& s, const std::string& text) {
  const auto mail = s.accepted(1);
  for (int i = 0; i < 2; ++i) {
    const std::uint32_t pop = s.pop3(s.pc);
    s.obs(What::message, pop, [&](Event& e) {
      e.message = mail[0];
      e.seq = 1;
      e.text = "u1";
      e.code = "header";
    });
    s.ask(
        What::retr, pop, [](Event& e) { e.seq = 1; }, Type::fail, [&](Event& e) { e.text = text; });
    s.ask(What::quit, pop);
    s.end(pop);
  }
  audited_by_top(s, mail[0]);
}

const bool kBodies[] = {
    plant("content/not-given",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            reads_two(s, s.watches(s.phone, mail), {});
            s.audited(Scene::all(mail));
          }),
    silent("the body comes in pieces, or as NIL for what is gone",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t hand = s.watches(s.phone, mail), other = s.watches(s.laptop, mail);
             reads_two(s, hand, [&](Scene& scene) { scene.content(hand, 1, 1, 1); });
             s.store(other, "1");
             s.expunge(other);
             s.expunged(other, 1, 1);
             reads_two(s, hand, {});  // RFC 2180 section 4.1: it may be left out, too
             s.audited({{mail[1], 2}});
           }),
    silent("FETCH says NO",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             reads_two(s, s.watches(s.phone, mail), {}, Type::fail);
             s.audited(Scene::all(mail));
           }),
    plant("content/not-given", [](Scene& s) { never_downloaded(s, "-ERR cannot open message"); }),
    silent("RETR is refused with a reason (RFC 2449 section 8, RFC 6856 section 2.1)",
           [](Scene& s) { never_downloaded(s, "-ERR [SYS/TEMP] disk is busy"); }),
    silent("RETR is refused to who does not read UTF-8", [](Scene& s) { never_downloaded(s, "-ERR [UTF8] no"); }),
};

void header_under(Scene& s, std::uint32_t uid, std::uint64_t octets) {
  const std::uint32_t next = s.imap(s.laptop);
  s.select(next, "INBOX", 2);
  const Event& e = s.content(next, 0, uid, uid, "header");
  const_cast<Event&>(e).size = octets;
  s.end(next);
}

const bool kHeaders[] = {
    plant("identity/uid-reused",  // an empty header
          [](Scene& s) {
            const auto mail = s.accepted(2);
            s.watches(s.phone, mail);
            header_under(s, 1, 2);
            s.audited(Scene::all(mail));
          }),
    silent("an empty header for what another session expunges (RFC 2180 section 4.1)",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t hand = s.watches(s.phone, mail);
             s.store(hand, "1");
             s.expunge(hand);
             s.expunged(hand, 1, 1);
             header_under(s, 1, 2);
             s.audited({{mail[1], 2}});
           }),
};

/// pc deletes two with one QUIT; IMAP goes on showing the second. `another`: so does another client, of the first.
void removes_one_of_two(Scene& s, bool another) {
  const auto mail = s.accepted(2);
  if (another) {
    const std::uint32_t hand = s.watches(s.phone, mail);
    s.store(hand, "1");
    s.expunge(hand);
    s.end(hand);
  }
  const std::uint32_t pop = s.downloads(mail);
  s.dele(pop, 1, mail[0]);
  s.dele(pop, 2, mail[1]);
  s.ask(What::quit, pop);
  s.end(pop);
  s.audited({{mail[1], 2}}, {});
}

void lists_and_leaves_out(Scene& s, Type uidl) {
  const auto mail = s.accepted(2);
  const std::uint32_t pop = s.pop3(s.pc);
  const std::uint32_t list = s.invoke(What::pop_list, pop);
  s.list_row(pop, 1, 1000);
  s.list_row(pop, 2, 1000);
  s.done(list, Type::ok);
  const std::uint32_t asked = s.invoke(What::pop_uidl, pop);
  if (uidl == Type::ok) s.uidl_row(pop, 1, "u1");
  s.done(asked, uidl);
  s.pop_content(pop, mail[0], 1, uidl == Type::ok ? "u1" : "");
  s.pop_content(pop, mail[1], 2, "");
  s.ask(What::quit, pop);
  s.end(pop);
  s.audited(Scene::all(mail));
}

void deviates(Scene& s, std::uint32_t session, const std::string& code, const std::string& text) {
  s.obs(What::deviation, session, [&](Event& e) {
    e.code = code;
    e.text = text;
  });
}

const bool kPop3[] = {
    plant("removal/quit-ok-but-there", [](Scene& s) { removes_one_of_two(s, false); }),
    plant("removal/kept-for-imap",  // the first went with an EXPUNGE, and what POP3 does alone is one for all
          [](Scene& s) { removes_one_of_two(s, true); }),
    plant("pop3-session/uidl-missing", [](Scene& s) { lists_and_leaves_out(s, Type::ok); }),
    silent("UIDL is not offered", [](Scene& s) { lists_and_leaves_out(s, Type::fail); }),
    plant("uidl/format",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            deviates(s, s.pop3(s.pc), "pop3.uidl.malformed", "1 ");
            s.audited(Scene::all(mail));
          },
          {"session/deviation.pop3.uidl.malformed"}),
    plant("uidplus/sets",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            deviates(s, s.watches(s.phone, mail), "imap.copyuid.unusable", "9 1:4294967295 *");
            s.audited(Scene::all(mail));
          },
          {"session/deviation.imap.copyuid.unusable"}),
    plant("session/hung-up",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t pop = s.pop3(s.pc);
            const std::uint32_t retr = s.invoke(What::retr, pop, [](Event& e) { e.seq = 1; });
            s.done(retr, Type::info);
            s.end(pop, "", "closed");
            s.audited(Scene::all(mail));
          }),
};

void shows_names(Scene& s, std::uint32_t session, const std::vector<std::string>& names) {
  const std::uint32_t list = s.invoke(What::list, session);
  for (const std::string& name : names) s.obs(What::mailbox, session, [&](Event& e) { e.mailbox = name; });
  s.done(list, Type::ok);
}

void renames_a_tree(Scene& s, Type answer, const std::vector<std::string>& found) {
  const std::uint32_t hand = s.imap(s.phone);
  for (const char* name : {"Projects", "Projects/Spring"})
    s.ask(What::create, hand, [&](Event& e) { e.mailbox = name; });
  s.ask(
      What::rename, hand,
      [](Event& e) {
        e.mailbox = "Projects";
        e.other_mailbox = "Old";
      },
      answer);
  shows_names(s, hand, found);
  s.audited({});
}

const bool kRenamed[] = {
    plant("mailboxes/not-listed",
          [](Scene& s) {
            renames_a_tree(s, Type::ok, {"INBOX", "Old/Spring"});
          }),
    plant("mailboxes/not-listed",  // RFC 3501 section 6.3.5: what is below is renamed as well
          [](Scene& s) {
            renames_a_tree(s, Type::ok, {"INBOX", "Old", "Projects/Spring"});
          }),
    silent("a tree is renamed, and the server writes it in its own way",
           [](Scene& s) {
             renames_a_tree(s, Type::ok, {"INBOX", "OLD", "OLD.SPRING"});
           }),
    silent("a tree is not renamed, or perhaps",
           [](Scene& s) {
             renames_a_tree(s, Type::fail, {"INBOX", "Projects", "Projects/Spring"});
           }),
};

}  // namespace
}  // namespace mailproof::judge::unkept
