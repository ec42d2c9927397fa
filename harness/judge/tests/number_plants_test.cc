// Violations of what a mailbox tells of its numbers: UIDNEXT, UIDVALIDITY, MODSEQ; and of what is copied or refused.
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

const bool kNumbers[] = {
    plant("identity/uid-below-uidnext",
          [](Scene& s) {
            const std::uint32_t hand = s.imap(s.phone);
            s.selects(hand, {.uidnext = 3});  // nothing there, and the next gets UID 3
            s.end(hand);
            const auto mail = s.accepted(1);
            s.audited({{mail[0], 2}});
          }),
    silent("what is delivered gets the UID that UIDNEXT told, or a higher one",
           [](Scene& s) {
             const std::uint32_t hand = s.imap(s.phone);
             s.selects(hand, {.uidnext = 2});
             s.end(hand);
             const auto mail = s.accepted(2);
             s.audited({{mail[0], 2}, {mail[1], 9}});
           }),
    silent("what was sent before may have any UID, though UIDNEXT was told while it was under way",
           [](Scene& s) {
             const std::uint32_t out = s.lmtp(), m = s.message();
             const std::uint32_t sent = s.invoke(What::deliver, out, [&](Event& e) { e.message = m; });
             const std::uint32_t hand = s.imap(s.phone);
             s.selects(hand, {.exists = 1, .uidnext = 3});
             s.done(sent, Type::ok, [&](Event& e) {
               e.message = m;
               e.account = s.alice;
               e.facts = history::ReplyFacts{250};
             });
             s.audited({{m, 2}});
           }),
    plant("identity/uidnext-fell",
          [](Scene& s) {
            s.selects(s.imap(s.phone), {.uidnext = 7});
            s.selects(s.imap(s.laptop), {.uidnext = 5});
            s.audited({});
          }),
    silent("two ask at the same time, and are answered the other way round",
           [](Scene& s) {
             const std::uint32_t a = s.imap(s.phone), b = s.imap(s.laptop);
             const auto ask = [&](std::uint32_t session) {
               return s.invoke(What::select, session, [](Event& e) { e.mailbox = "INBOX"; });
             };
             const auto answer = [&](std::uint32_t command, std::uint32_t uidnext) {
               s.done(command, Type::ok, [&](Event& e) {
                 e.mailbox = "INBOX";
                 e.uidvalidity = 1;
                 e.facts = history::SelectFacts{0, uidnext, uidnext};
               });
             };
             const std::uint32_t first = ask(a), second = ask(b);
             answer(second, 7);
             answer(first, 5);
             s.audited({});
           }),
    plant("identity/uidnext-behind",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            s.watches(s.phone, mail);
            s.selects(s.imap(s.laptop), {.exists = 2, .uidnext = 2});
            s.audited(Scene::all(mail));
          }),
    plant("identity/uidvalidity-fell",
          [](Scene& s) {
            s.selects(s.imap(s.phone), {.uidvalidity = 9});
            s.selects(s.imap(s.laptop), {.uidvalidity = 8});
          }),
    plant("identity/uidvalidity-changed",
          [](Scene& s) {
            s.selects(s.imap(s.phone), {.uidvalidity = 8});
            s.selects(s.imap(s.laptop), {.uidvalidity = 9});
          }),
    silent("a mailbox of an old name has numbers of its own",
           [](Scene& s) {
             const std::uint32_t hand = s.imap(s.phone);
             for (const std::uint32_t validity : {9U, 4U}) {
               s.ask(What::create, hand, [](Event& e) { e.mailbox = "Work"; });
               s.ask(
                   What::select, hand, [](Event& e) { e.mailbox = "Work"; }, Type::ok,
                   [&](Event& e) {
                     e.mailbox = "Work";
                     e.uidvalidity = validity;
                     e.facts = history::SelectFacts{0, validity, validity};
                   });
               s.ask(What::unselect, hand);
               s.ask(What::remove, hand, [](Event& e) { e.mailbox = "Work"; });
             }
             s.audited({});
           }),
};

/// What is told of a mailbox whose highest MODSEQ is 9 after one message was put there.
void put_into_work(Scene& s, What what, std::uint64_t modseq, const std::function<void()>& before = {}) {
  const auto mail = s.accepted(1);
  const std::uint32_t hand = s.watches(s.phone, mail), other = s.imap(s.laptop);
  s.selects(other, {.mailbox = "Work", .uidnext = 5, .modseq = 9});
  if (before) before();
  s.move(what, hand, "1", "Work", Type::ok, "5");
  const std::uint32_t fresh = s.imap(s.laptop);
  s.select(fresh, "Work", 1);
  s.obs(What::row, fresh, [&](Event& e) {
    e.mailbox = "Work";
    e.uidvalidity = e.seq = 1;
    e.uid = 5;
    e.has_flags = true;
    e.facts = history::RowFacts{modseq, false};
  });
  s.audited(what == What::copy ? Scene::all(mail) : Scene::all({}));
  s.list_imap(s.alice, 2, {{mail[0], 5}}, "Work");
}

const bool kModseq[] = {
    plant("modseq/below-highest", [](Scene& s) { put_into_work(s, What::move, 9); }),
    plant("modseq/below-highest", [](Scene& s) { put_into_work(s, What::copy, 2); }),
    silent("what is moved into a mailbox has a MODSEQ above all that were told of it",
           [](Scene& s) { put_into_work(s, What::move, 10); }),
    silent("... or not above that of what somebody removed meanwhile",
           [](Scene& s) {
             put_into_work(s, What::move, 8, [&] {
               const std::uint32_t third = s.imap(s.pc);
               s.select(third, "Work", 1);
               s.store(third, "4");
               s.expunge(third);
             });
           }),
    plant("modseq/fell",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.told_row(hand, 1, "", 9);
            s.told_row(hand, 1, "", 8);
            s.audited(Scene::all(mail));
          }),
    plant("modseq/stays",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.told_row(hand, 1, "", 9);
            s.store(hand, "1", "+FLAGS", "\\Flagged");
            s.told_row(hand, 1, "\\Flagged", 9);
            s.audited(Scene::all(mail));
          }),
    plant("modseq/highest-behind",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.told_row(s.watches(s.phone, mail), 1, "", 9);
            s.selects(s.imap(s.laptop), {.exists = 1, .uidnext = 2, .modseq = 8});
            s.audited(Scene::all(mail));
          }),
    silent("MODSEQ rises with every change, also beside \\Recent, and another session is told later",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail), other = s.watches(s.laptop, mail);
             s.told_row(hand, 1, "\\Recent", 9);
             s.told_row(other, 1, "", 9);
             s.store(hand, "1", "+FLAGS", "\\Flagged");
             s.told_row(hand, 1, "\\Flagged \\Recent", 12);
             s.told_row(other, 1, "\\Flagged", 10);
             s.selects(s.imap(s.laptop), {.exists = 1, .uidnext = 2, .modseq = 12});
             s.audited(Scene::all(mail));
           }),
};

const bool kOthers[] = {
    plant("view/expunge-unasked",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t hand = s.watches(s.phone, mail), other = s.watches(s.laptop, mail);
            s.store(hand, "1");
            const std::uint32_t asked = s.invoke(What::expunge, hand);
            s.expunged(hand, 1, 1);
            s.done(asked, Type::ok);
            s.obs(What::expunged, other, [](Event& e) { e.seq = e.uid = 1; });
            s.audited({{mail[1], 2}});
          }),
    plant("duplicates/refused-but-there",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            s.move(What::copy, s.watches(s.phone, mail), "1:2", "Archive", Type::fail);
            s.audited(Scene::all(mail));
            s.list_imap(s.alice, 2, {{mail[0], 1}}, "Archive");
          }),
    plant("flags/lost-in-copy",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.store(hand, "1", "+FLAGS", "\\Flagged $Work");
            s.row(hand, 1, 1, "$Work \\Flagged");
            s.move(What::copy, hand, "1", "Archive", Type::ok, "5");
            const std::uint32_t fresh = s.imap(s.laptop);
            s.select(fresh, "Archive", 1);
            s.content(fresh, mail[0], 1, 5, "full", "Archive");
            s.row(fresh, 1, 5, "\\Flagged");
            s.audited(Scene::all(mail));
            s.list_imap(s.alice, 2, {{mail[0], 5}}, "Archive");
          }),
    silent("a copy whose flags somebody has cleared since, and one of what was cleared before",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t hand = s.watches(s.phone, mail);
             s.store(hand, "1:2", "+FLAGS", "\\Flagged");
             s.row(hand, 1, 1, "\\Flagged");
             s.row(hand, 2, 2, "\\Flagged");
             s.store(hand, "2", "-FLAGS", "\\Flagged");
             s.move(What::copy, hand, "1:2", "Archive", Type::ok, "5:6");
             const std::uint32_t fresh = s.imap(s.laptop);
             s.select(fresh, "Archive", 2);
             s.store(fresh, "5", "FLAGS", "\\Seen");
             s.row(fresh, 1, 5, "\\Seen");
             s.row(fresh, 2, 6, "");
             s.audited(Scene::all(mail));
             s.list_imap(s.alice, 2, {{mail[0], 5}, {mail[1], 6}}, "Archive");
           }),
};

}  // namespace
}  // namespace mailproof::judge
