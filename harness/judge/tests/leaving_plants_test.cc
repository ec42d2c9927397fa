// What sessions are told of a message between the command that removes it and the EXPUNGE that tells them of it (RFC
// 2180 section 4.1), and what a command may do more to the message that it names: nobody is accused of either.
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

/// Somebody marks the first of two; the tablet moves the second; the phone, which was not told, is told that it is
/// marked, before or after the MOVE.
void moved_and_told(Scene& s, bool before) {
  const auto mail = s.accepted(2);
  const std::uint32_t phone = s.watches(s.phone, mail), tablet = s.watches(s.laptop, mail);
  s.told_row(phone, 1, "");
  s.told_row(phone, 2, "");
  s.store(phone, "1");
  if (before) s.told_row(phone, 2, "\\Deleted");
  s.move(What::move, tablet, "2", "Archive", Type::ok, "1");
  if (!before) s.told_row(phone, 2, "\\Deleted");
  s.expunged(phone, 2, 2);
  s.expunged(tablet, 2, 2);
  s.audited({{mail[0], 1}});
  s.list_imap(s.alice, 2, {{mail[1], 1}}, "Archive");
}

/// The phone sets \Flagged, which the laptop sees; then it removes the message, and a session that selected the mailbox
/// before that is told no flags. Or it is told so before.
void flagged_and_gone(Scene& s, bool before) {
  const auto mail = s.accepted(1);
  const std::uint32_t phone = s.watches(s.phone, mail), other = s.watches(s.laptop, mail);
  s.told_row(phone, 1, "");
  s.store(phone, "1", "+FLAGS.SILENT", "\\Flagged");
  s.told_row(other, 1, "\\Flagged");
  const std::uint32_t web = s.watches(s.laptop, mail);
  if (before) s.told_row(web, 1, "");
  s.store(phone, "1", "+FLAGS.SILENT");
  s.expunge(phone, Type::ok, "1");
  if (!before) s.told_row(web, 1, "");
  s.expunged(phone, 1, 1);
  s.expunged(web, 1, 1);
  s.audited({});
}

/// Two are there, of which the phone is told a MODSEQ of 21 for the first; it expunges one of them, and the laptop
/// opens the mailbox.
void expunges_and_opens(Scene& s, const std::string& which, const std::string& qresync = "") {
  const auto mail = s.accepted(2);
  const std::uint32_t phone = s.watches(s.phone, mail), laptop = s.imap(s.laptop);
  if (!qresync.empty())
    s.ask(
        What::enable, phone, [](Event& e) { e.text = "CONDSTORE QRESYNC"; }, Type::ok,
        [&](Event& e) { e.code = qresync == "QRESYNC" ? qresync : ""; });
  s.told_row(phone, 2, "", 20);
  s.store(phone, which);
  s.told_row(phone, 1, which == "1" ? "\\Deleted" : "", 21);
  s.expunge(phone, Type::ok, which);
  s.expunged(phone, which == "1" ? 1 : 2, which == "1" ? 1 : 2);
  s.selects(laptop, {.exists = 1, .modseq = 20});
  s.audited(which == "1" ? Scene::Listing{{mail[1], 2}} : Scene::Listing{{mail[0], 1}});
}

const bool kLeaving[] = {
    silent("what another session moves is told with \\Deleted by who keeps it until EXPUNGE",
           [](Scene& s) { moved_and_told(s, false); }),
    plant("flags/store-changed-more", [](Scene& s) { moved_and_told(s, true); }),
    silent("what another session expunges is told without flags", [](Scene& s) { flagged_and_gone(s, false); }),
    plant("flags/forgotten", [](Scene& s) { flagged_and_gone(s, true); }),
    silent("... and without flags under the MODSEQ that it had",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t phone = s.watches(s.phone, mail), tablet = s.watches(s.laptop, mail);
             s.told_row(phone, 1, "\\Flagged", 20);
             s.move(What::move, tablet, "1", "Archive", Type::ok, "1");
             s.told_row(phone, 1, "", 20);
             s.told_row(phone, 1, "", 1);
             s.expunged(phone, 1, 1);
             s.expunged(tablet, 1, 1);
             s.audited({});
             s.list_imap(s.alice, 2, {{mail[0], 1}}, "Archive");
           }),
    silent("MODSEQ stays where a keyword is written in another case",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t phone = s.watches(s.phone, mail), tablet = s.watches(s.laptop, mail);
             s.told_row(phone, 1, "$Zoo $work", 20);
             s.told_row(tablet, 1, "$Work $Zoo", 20);
             s.audited(Scene::all(mail));
           }),
    silent("HIGHESTMODSEQ is of the messages that are there (RFC 7162 section 3.1.2.1)",
           [](Scene& s) { expunges_and_opens(s, "1"); }),
    plant("modseq/highest-behind", [](Scene& s) { expunges_and_opens(s, "2"); }),
    plant("modseq/highest-behind", [](Scene& s) { expunges_and_opens(s, "1", "QRESYNC"); }),
    silent("OK to ENABLE QRESYNC without ENABLED is no QRESYNC (RFC 5161 section 3.1)",
           [](Scene& s) { expunges_and_opens(s, "1", "not enabled"); }),
};

/// Something was expunged, or taken by POP3 long before: that excuses nothing of what is told afterwards.
void expunged_before(Scene& s, const std::function<void(Scene&, std::uint32_t)>& then) {
  const auto mail = s.accepted(2);
  const std::uint32_t phone = s.watches(s.phone, mail);
  s.store(phone, "2");
  s.expunge(phone);
  s.expunged(phone, 2, 2);
  then(s, phone);
}

/// \Flagged is set, seen, and not told to who comes then; in the end the message goes.
void forgotten_and_gone(Scene& s, std::uint32_t phone, const std::function<void(std::uint32_t)>& goes) {
  s.told_row(phone, 1, "");
  s.store(phone, "1", "+FLAGS.SILENT", "\\Flagged");
  s.told_row(s.watches(s.laptop, {1}), 1, "\\Flagged");
  const std::uint32_t web = s.watches(s.laptop, {1});
  s.told_row(web, 1, "");
  goes(phone);
}
void goes_by_expunge(Scene& s, std::uint32_t phone) {
  s.store(phone, "1", "+FLAGS.SILENT");
  s.expunge(phone);
  s.expunged(phone, 1, 1);
  s.audited({});
}

const bool kLongBefore[] = {
    plant("flags/forgotten",
          [](Scene& s) {
            expunged_before(s, [](Scene& scene, std::uint32_t phone) {
              forgotten_and_gone(scene, phone, [&](std::uint32_t hand) { goes_by_expunge(scene, hand); });
            });
          }),
    plant("flags/forgotten",  // a CLOSE of what is only examined removes nothing, nor an EXPUNGE that is refused
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t phone = s.watches(s.phone, mail), reader = s.imap(s.laptop);
            s.select(reader, "INBOX", 1, 1, What::examine);
            s.told_row(phone, 1, "");
            s.store(phone, "1", "+FLAGS.SILENT", "\\Flagged");
            s.told_row(s.watches(s.laptop, mail), 1, "\\Flagged");
            s.store(phone, "1", "+FLAGS.SILENT");
            s.ask(What::close, reader);
            s.expunge(phone, Type::fail);
            s.told_row(s.watches(s.laptop, mail), 1, "\\Deleted");
            s.expunge(phone);
            s.expunged(phone, 1, 1);
            s.audited({});
          }),
    silent("EXPUNGE of what is marked: no flags are told from then on, also by who had expunged before",
           [](Scene& s) {
             expunged_before(s, [](Scene& scene, std::uint32_t phone) {
               scene.told_row(phone, 1, "");
               scene.store(phone, "1", "+FLAGS.SILENT", "\\Flagged");
               scene.told_row(scene.watches(scene.laptop, {1}), 1, "\\Flagged");
               const std::uint32_t web = scene.watches(scene.laptop, {1});
               scene.store(phone, "1", "+FLAGS.SILENT");
               scene.expunge(phone);
               scene.told_row(web, 1, "");
               scene.expunged(phone, 1, 1);
               scene.expunged(web, 1, 1);
               scene.audited({});
             });
           }),
    plant("flags/forgotten",  // another mailbox was removed
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t phone = s.watches(s.phone, mail);
            s.ask(What::remove, phone, [](Event& e) { e.mailbox = "Old"; });
            forgotten_and_gone(s, phone, [&](std::uint32_t hand) {
              s.move(What::move, hand, "1", "Archive", Type::ok, "1");
              s.expunged(hand, 1, 1);
              s.audited({});
              s.list_imap(s.alice, 2, {{mail[0], 1}}, "Archive");
            });
          }),
    plant("flags/forgotten",  // a POP3 session ended that had touched nothing
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t phone = s.watches(s.phone, mail), tablet = s.pop3(s.pc);
            s.ask(What::quit, tablet);
            s.end(tablet);
            forgotten_and_gone(s, phone, [&](std::uint32_t) {
              const std::uint32_t pop = s.downloads(mail);
              s.dele(pop, 1, mail[0]);
              s.ask(What::quit, pop);
              s.end(pop);
              s.audited({});
            });
          }),
    plant("modseq/highest-behind",  // what was expunged before HIGHESTMODSEQ was told does not lower it
          [](Scene& s) {
            expunged_before(s, [](Scene& scene, std::uint32_t) {
              scene.selects(scene.imap(scene.laptop), {.exists = 1, .modseq = 100});
              scene.selects(scene.imap(scene.laptop), {.exists = 1, .modseq = 3});
              scene.audited({{1, 1}});
            });
          }),
};

/// Of a recording of one client: a UID that another one may have expunged, or that is there for who comes later.
void hears_one_client(Scene& s, bool there) {
  s.history.info.recorded = true;
  const std::uint32_t phone = s.imap(s.phone);
  s.selects(phone, {.exists = 2, .modseq = 20});
  s.told_row(phone, 1, "", 19);
  s.told_row(phone, 2, "", 20);
  s.end(phone);
  const std::uint32_t again = s.imap(s.phone);
  s.selects(again, {.exists = there ? 2U : 1U, .modseq = 19});
  s.told_row(again, 1, "", 19);
  if (there) s.told_row(again, 2, "", 20);
  s.end(again);
}

const bool kHeardInPart[] = {
    silent("an unheard client may have expunged what had the highest MODSEQ",
           [](Scene& s) { hears_one_client(s, false); }),
    plant("modseq/highest-behind", [](Scene& s) { hears_one_client(s, true); }),
    silent("an answer to a command that a foreign history does not have",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t phone = s.watches(s.phone, mail);
             s.told_row(phone, 1, "", 9);
             s.put(Type::ok, What::enable, phone, [](Event& e) { e.command = 90000; });
             s.audited(Scene::all(mail));
           }),
};

/// What one session was told of UID 1, and then told it is nothing.
void told_nothing(Scene& s, const std::string& date) {
  const auto mail = s.accepted(1);
  s.history.info.recorded = true;
  const std::uint32_t phone = s.watches(s.phone, mail);
  const auto told = [&](const std::string& text, std::uint64_t size) {
    s.obs(What::row, phone, [&](Event& e) {
      e.mailbox = "INBOX";
      e.uidvalidity = 1;
      e.seq = e.uid = 1;
      e.text = text;
      e.size = size;
      e.facts = history::RowFacts{0, size == 0};
    });
  };
  told("17-Jul-2026 10:00:00 +0000", 1000);
  told(date, date.starts_with("00") ? 0 : 1000);
}

const bool kUnheard[] = {
    silent("an unheard client may have removed it: no date and no octets",
           [](Scene& s) { told_nothing(s, "00-Jan-0000 00:00:00 +0000"); }),
    plant("identity/date-changed", [](Scene& s) { told_nothing(s, "18-Jul-2026 10:00:00 +0000"); }),
};

void sets(Scene& s, std::uint32_t session, const std::string& set, const std::string& flags) {
  s.store(session, set, "+FLAGS.SILENT", flags);
}

void peeks_at(Scene& s, std::uint32_t session, const std::string& set) {
  s.ask(What::fetch, session, [&](Event& e) {
    e.mailbox = "INBOX";
    e.set = set;
    e.text = "(UID BODY.PEEK[])";
  });
}

/// The laptop's STORE of a flag runs while it is told these; then the phone looks by PEEK, and is told \Seen as well.
void stores_then_peek(Scene& s, const std::string& flag, const std::string& meanwhile) {
  const auto mail = s.accepted(1);
  const std::uint32_t hand = s.watches(s.phone, mail), home = s.watches(s.laptop, mail);
  s.told_row(home, 1, "");
  const std::uint32_t store = s.invoke(What::store, home, [&](Event& e) {
    e.set = "1";
    e.code = "+FLAGS";
    e.flags = flag;
  });
  s.told_row(home, 1, meanwhile);
  s.done(store, Type::ok);
  peeks_at(s, hand, "1");
  s.told_row(hand, 1, flag + " \\Seen");
  s.audited(Scene::all(mail));
}

const bool kNamed[] = {
    plant("flags/unexplained",  // another session's STORE named it: that may have brought \Seen
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t hand = s.watches(s.phone, mail), home = s.watches(s.laptop, mail);
            s.told_row(hand, 2, "");
            sets(s, home, "2", "\\Answered");
            sets(s, hand, "1", "\\Seen");
            s.told_row(home, 2, "\\Answered \\Seen");
            s.audited(Scene::all(mail));
          }),
    plant("flags/unexplained",  // ... which was not answered yet when another session was told without
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t hand = s.watches(s.phone, mail), home = s.watches(s.laptop, mail);
            s.told_row(hand, 2, "");
            const std::uint32_t store = s.invoke(What::store, home, [](Event& e) {
              e.set = "2";
              e.code = "+FLAGS";
              e.flags = "\\Answered";
            });
            s.told_row(hand, 2, "");
            sets(s, hand, "1", "\\Seen");
            s.told_row(home, 2, "\\Answered \\Seen");
            s.done(store, Type::ok);
            s.audited(Scene::all(mail));
          }),
    plant("flags/unexplained",  // ... and whoever looks next is told first
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail), home = s.watches(s.laptop, mail);
            s.told_row(hand, 1, "");
            sets(s, home, "1", "\\Answered");
            peeks_at(s, hand, "1");
            s.told_row(hand, 1, "\\Answered \\Seen");
            s.audited(Scene::all(mail));
          }),
    plant("flags/seen-by-peek",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail), home = s.watches(s.laptop, mail);
            sets(s, home, "1", "\\Answered");
            s.told_row(hand, 1, "\\Answered");
            peeks_at(s, hand, "1");
            s.told_row(hand, 1, "\\Answered \\Seen");
            s.audited(Scene::all(mail));
          }),
    plant("flags/seen-by-peek",  // the session that stored was told what that made of it
          [](Scene& s) { stores_then_peek(s, "\\Flagged", "\\Flagged"); }),
    plant("flags/unexplained",  // ... of what came before, which does not have it yet
          [](Scene& s) { stores_then_peek(s, "\\Answered", ""); }),
    plant("flags/came-back",  // a COPY that was cut brings \Seen at most
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.told_row(hand, 1, "");
            s.store(hand, "1", "+FLAGS.SILENT", "\\Flagged");
            s.told_row(s.watches(s.laptop, mail), 1, "\\Flagged");
            s.move(What::copy, hand, "1", "Archive", Type::info);
            const std::uint32_t again = s.watches(s.phone, mail);
            s.store(again, "1", "-FLAGS.SILENT", "\\Flagged");
            s.told_row(s.watches(s.laptop, mail), 1, "");
            s.told_row(s.watches(s.laptop, mail), 1, "\\Flagged");
            s.audited(Scene::all(mail));
          }),
    silent("marked as unread, and answered by another client",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail), other = s.watches(s.laptop, mail);
             s.told_row(hand, 1, "");
             sets(s, hand, "1", "\\Seen");
             s.told_row(other, 1, "\\Seen");
             s.store(hand, "1", "-FLAGS", "\\Seen");
             s.told_row(hand, 1, "");
             s.told_row(other, 1, "");
             sets(s, other, "1", "\\Answered");
             s.told_row(other, 1, "\\Answered \\Seen");
             const std::uint32_t web = s.watches(s.laptop, mail);
             s.told_row(web, 1, "\\Answered \\Seen");
             s.audited(Scene::all(mail));
           }),
};

/// The phone sets one keyword, which the laptop sees, then another; whoever comes then is told the second alone.
void sets_one_then_the_other(Scene& s, const std::string& one, const std::string& other) {
  const auto mail = s.accepted(1);
  const std::uint32_t hand = s.watches(s.phone, mail), laptop = s.watches(s.laptop, mail);
  s.told_row(hand, 1, "");
  sets(s, hand, "1", one);
  s.told_row(laptop, 1, one);
  sets(s, hand, "1", other);
  s.told_row(s.watches(s.laptop, mail), 1, other);
  s.audited(Scene::all(mail));
}

/// The laptop sets $NotJunk while, or before, the phone sets $Junk; a tablet sees that, and then neither is told.
void opposite_under_way(Scene& s, bool cut) {
  const auto mail = s.accepted(1);
  const std::uint32_t hand = s.watches(s.phone, mail), laptop = s.watches(s.laptop, mail);
  s.told_row(hand, 1, "");
  const auto ask = [&](std::uint32_t session, const std::string& flag) {
    return s.invoke(What::store, session, [&](Event& e) {
      e.set = "1";
      e.code = "+FLAGS.SILENT";
      e.flags = flag;
    });
  };
  const std::uint32_t other = ask(laptop, "$NotJunk");
  if (cut) s.done(other, Type::info);
  const std::uint32_t own = ask(hand, "$Junk");
  if (!cut) s.done(other, Type::ok);
  s.done(own, Type::ok);
  s.told_row(s.watches(s.laptop, mail), 1, "$Junk");
  s.told_row(s.watches(s.laptop, mail), 1, "");
  s.audited(Scene::all(mail));
}

const bool kOpposites[] = {
    silent("$NotJunk takes $Junk away", [](Scene& s) { sets_one_then_the_other(s, "$Junk", "$NotJunk"); }),
    silent("NonJunk takes $Phishing away", [](Scene& s) { sets_one_then_the_other(s, "$Phishing", "NonJunk"); }),
    plant("flags/forgotten", [](Scene& s) { sets_one_then_the_other(s, "$Work", "$Home"); }),
    silent("a filter that puts $NotJunk in the place of $Junk",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail), laptop = s.watches(s.laptop, mail);
             s.told_row(hand, 1, "");
             sets(s, hand, "1", "$Junk");
             s.told_row(laptop, 1, "$Junk");
             s.told_row(s.watches(s.laptop, mail), 1, "$NotJunk");
             s.audited(Scene::all(mail));
           }),
    silent("$NotJunk that was not answered takes $Junk away later", [](Scene& s) { opposite_under_way(s, true); }),
    silent("$NotJunk that overlaps takes $Junk away", [](Scene& s) { opposite_under_way(s, false); }),
    plant("flags/forgotten",  // what says nothing of junk takes nothing away
          [](Scene& s) { sets_one_then_the_other(s, "$Junk", "$Home"); }),
};

/// The phone idles and is told of none of these removals, which a fresh session sees; nor, in the end, of what came.
void waits_for_removals(Scene& s, bool and_mail) {
  auto mail = s.accepted(3);
  const std::uint32_t hand = s.watches(s.phone, mail), other = s.watches(s.laptop, mail);
  s.invoke(What::idle, hand);
  const auto waits = [&](What what, std::uint32_t message) {
    const std::uint32_t wait = s.expect(what, hand, std::to_string(message));
    s.wait(std::chrono::seconds(45));
    s.answer(wait, Type::fail, std::to_string(message));
    s.obs(What::asked_again, s.audit(Protocol::imap, s.alice, 0), [&](Event& e) {
      e.command = wait;
      e.code = "as-expected";
    });
  };
  for (std::uint32_t uid = 1; uid <= 3; ++uid) {
    s.store(other, std::to_string(uid));
    s.expunge(other, Type::ok, std::to_string(uid));
    s.expunged(other, 1, uid);
    waits(What::lose, uid);
  }
  if (!and_mail) return s.audited({});
  const std::uint32_t more = s.accepted(1)[0];
  waits(What::see, more);
  s.audited({{more, 4}});
}

const bool kRemovalsInIdle[] = {
    plant("expectation/late", [](Scene& s) { waits_for_removals(s, false); }),
    plant("idle/silent", [](Scene& s) { waits_for_removals(s, true); }),
};

/// The phone expunges the first of two; the laptop, which has both, asks for something after that or not.
void expunges_and_agrees(Scene& s, bool asks) {
  const auto mail = s.accepted(2);
  const std::uint32_t phone = s.watches(s.phone, mail), laptop = s.watches(s.laptop, mail);
  s.store(phone, "1");
  s.expunge(phone, Type::ok, "1");
  s.expunged(phone, 1, 1);
  if (asks) s.ask(What::noop, laptop);
  s.agree({s.phone, s.laptop});
  s.audited({{mail[1], 2}});
}

/// ... and the phone's session ends before the answer; it was told that it went, or finds that out in another session.
void expunges_half_and_agrees(Scene& s, bool told) {
  const auto mail = s.accepted(2);
  const std::uint32_t phone = s.watches(s.phone, mail), laptop = s.watches(s.laptop, mail);
  s.store(phone, "1");
  const std::uint32_t expunge = s.invoke(What::expunge, phone, [](Event& e) { e.set = "1"; });
  if (told) static_cast<history::Story&>(s).expunged(phone, 1, 1);
  s.done(expunge, Type::info);
  s.end(phone);
  if (!told) {
    const std::uint32_t again = s.imap(s.phone);
    s.select(again, "INBOX", 1);
    s.content(again, mail[1], 1, 2);
  }
  s.ask(What::noop, laptop);
  s.agree({s.phone, s.laptop});
  s.audited({{mail[1], 2}});
}

/// The phone has INBOX open with the first of two or both; the laptop had it, too, and opens Archive.
void agrees_in(Scene& s, const std::string& mailbox, bool both) {
  const auto mail = s.accepted(2);
  s.watches(s.phone, both ? mail : std::vector{mail[0]});
  const std::uint32_t laptop = s.watches(s.laptop, mail);
  s.select(laptop, "Archive");
  s.expect(What::agree, 0, "", [&](Event& e) {
    e.mailbox = mailbox;
    history::expect_agreement({{s.phone, s.laptop}}, s.history.info, e);
  });
  s.audited(Scene::all(mail));
}

const bool kAgree[] = {
    plant("expectation/not-asked",  // EXPUNGE is told with a command alone (RFC 3501 section 7.4.1)
          [](Scene& s) { expunges_and_agrees(s, false); }),
    plant("expectation/disagree", [](Scene& s) { expunges_and_agrees(s, true); }),
    plant("expectation/disagree", [](Scene& s) { expunges_half_and_agrees(s, true); }),
    plant("expectation/not-asked",  // nobody was told, so that nobody knows when it was done
          [](Scene& s) { expunges_half_and_agrees(s, false); }),
    silent("two agree in INBOX, of which one has opened another mailbox since",
           [](Scene& s) { agrees_in(s, "INBOX", true); }),
    plant("expectation/disagree", [](Scene& s) { agrees_in(s, "INBOX", false); }),
    plant("expectation/not-asked", [](Scene& s) { agrees_in(s, "Trash", true); }),  // nobody had it open
};

}  // namespace
}  // namespace mailproof::judge
