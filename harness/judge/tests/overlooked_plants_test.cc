// What a server does beside what it was asked for, and what it forgets: copies, flags, reports.
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

/// Renames a mailbox of alice's, and is told OK.
void rename(Scene& s, std::uint32_t session, const std::string& from, const std::string& to) {
  s.ask(What::rename, session, [&](Event& e) {
    e.mailbox = from;
    e.other_mailbox = to;
  });
}

const bool kPlaces[] = {
    plant("duplicates/left-by-rename",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.move(What::copy, hand, "1", "Work", Type::ok, "5");
            rename(s, hand, "Work", "Job");
            s.audited(Scene::all(mail));
            s.list_imap(s.alice, 2, {{mail[0], 5}}, "Job");
            s.list_imap(s.alice, 2, {{mail[0], 1}}, "Work", 2);
          }),
    plant("duplicates/left-by-rename",  // INBOX is left empty
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            rename(s, hand, "INBOX", "Old");
            s.audited(Scene::all(mail));
            s.list_imap(s.alice, 2, {{mail[0], 1}}, "Old");
          }),
    silent("mail comes into INBOX after it was renamed",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail);
             rename(s, hand, "INBOX", "Old");
             s.deliver(s.lmtp(), mail[0], s.alice);
             s.audited({{mail[0], 2}});
             s.list_imap(s.alice, 2, {{mail[0], 1}}, "Old");
           }),
    silent("a mailbox is made anew under the old name, and gets the message again",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail);
             s.move(What::copy, hand, "1", "Work", Type::ok, "5");
             rename(s, hand, "Work", "Job");
             s.move(What::copy, hand, "1", "Work", Type::ok, "1", 2);
             s.audited(Scene::all(mail));
             s.list_imap(s.alice, 2, {{mail[0], 5}}, "Job");
             s.list_imap(s.alice, 2, {{mail[0], 1}}, "Work", 2);
           }),
    plant("duplicates/put-by-nobody",  // MOVE to Archive, and one in Trash
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.move(What::move, hand, "1", "Archive", Type::ok, "7");
            s.audited({});
            s.list_imap(s.alice, 2, {{mail[0], 7}}, "Archive");
            s.list_imap(s.alice, 2, {{mail[0], 1}}, "Trash");
          }),
    silent("a MOVE that failed has moved some all the same",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail);
             s.move(What::copy, hand, "1", "Archive", Type::ok, "7");
             s.move(What::move, hand, "1", "Trash", Type::fail);
             s.audited(Scene::all(mail));
             s.list_imap(s.alice, 2, {{mail[0], 7}}, "Archive");
             s.list_imap(s.alice, 2, {{mail[0], 1}}, "Trash");
           }),
};

const bool kCopies[] = {
    plant("loss/lost",  // COPY is OK without a COPYUID, and nothing was copied
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.move(What::copy, hand, "1", "Archive");
            s.audited(Scene::all(mail));
            s.list_imap(s.alice, 1, {}, "Archive");
            s.list_imap(s.alice, 2, {}, "Archive");
          }),
    plant("loss/lost",  // ... and another one was copied
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.move(What::copy, hand, "1", "Archive");
            s.audited(Scene::all(mail));
            s.list_imap(s.alice, 1, {{mail[1], 1}}, "Archive");
            s.list_imap(s.alice, 2, {{mail[1], 1}}, "Archive");
          },
          {"duplicates/put-by-nobody"}),
    // RFC 3501 section 6.4.8: a UID that is not there is no error.
    silent("a COPY of what another session had marked, and may have expunged",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail), other = s.watches(s.laptop, mail);
             s.store(other, "1");
             s.expunge(other);
             s.expunged(other, 1, 1);
             s.move(What::copy, hand, "1", "Archive");
             s.audited({});
             s.list_imap(s.alice, 1, {}, "Archive");
             s.list_imap(s.alice, 2, {}, "Archive");
           }),
    plant("loss/lost",  // appended twice: nobody suppresses that
          [](Scene& s) {
            const std::uint32_t m = s.message();
            const std::uint32_t hand = s.imap(s.phone);
            for (int i = 0; i < 2; ++i) s.append(hand, m, "Sent");
            s.list_imap(s.alice, 1, {{m, 1}}, "Sent");
            s.settle();
            s.list_imap(s.alice, 2, {{m, 1}}, "Sent");
          }),
    plant("loss/lost",  // a second copy of one message is kept, and one of another is not
          [](Scene& s) {
            const auto mail = s.accepted(2);
            s.watches(s.phone, mail);
            s.deliver(s.lmtp(), mail[0], s.alice);
            s.deliver(s.lmtp(), mail[1], s.alice);
            s.audited({{mail[0], 1}, {mail[1], 2}, {mail[0], 3}});
          }),
};

const bool kFlags[] = {
    plant("flags/store-changed-more",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.row(hand, 1, 1, "");
            s.row(hand, 2, 2, "");
            s.store(hand, "1", "+FLAGS", "\\Flagged");
            s.row(hand, 1, 1, "\\Flagged");
            s.row(hand, 2, 2, "\\Flagged");
            s.audited(Scene::all(mail));
          }),
    plant("flags/forgotten",  // the laptop saw it, and who comes afterwards does not
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail), other = s.watches(s.laptop, mail);
            s.store(hand, "1", "+FLAGS.SILENT", "\\Flagged");
            s.row(other, 1, 1, "\\Flagged");
            s.end(hand);
            s.row(s.watches(s.phone, mail), 1, 1, "");
            s.audited(Scene::all(mail));
          }),
    plant("flags/session-only",  // nobody else saw it
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.store(hand, "1", "+FLAGS.SILENT", "\\Flagged");
            s.end(hand);
            s.row(s.watches(s.phone, mail), 1, 1, "");
            s.audited(Scene::all(mail));
          }),
    silent("a flag is taken away by another session",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail), other = s.watches(s.laptop, mail);
             s.store(hand, "1", "+FLAGS.SILENT", "\\Flagged");
             s.row(other, 1, 1, "\\Flagged");
             s.store(other, "1", "-FLAGS.SILENT", "\\Flagged");
             s.row(s.watches(s.phone, mail), 1, 1, "");
             s.audited(Scene::all(mail));
           }),
    silent("a flag is set and taken away at the same time",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail), other = s.watches(s.laptop, mail);
             const auto stored = [](std::string code) {
               return [code](Event& e) {
                 e.set = "1";
                 e.code = code;
                 e.flags = "\\Flagged";
               };
             };
             const std::uint32_t clears = s.invoke(What::store, other, stored("-FLAGS.SILENT"));
             const std::uint32_t sets = s.invoke(What::store, hand, stored("+FLAGS.SILENT"));
             s.done(sets, Type::ok);
             s.done(clears, Type::ok);
             s.row(s.watches(s.phone, mail), 1, 1, "");
             s.audited(Scene::all(mail));
           }),
    plant("flags/lost-in-copy",  // by a MOVE
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.row(hand, 1, 1, "\\Flagged");
            s.move(What::move, hand, "1", "Archive", Type::ok, "9");
            const std::uint32_t fresh = s.imap(s.laptop);
            s.select(fresh, "Archive", 1);
            s.row(fresh, 1, 9, "");
            s.audited({});
            s.list_imap(s.alice, 2, {{mail[0], 9}}, "Archive");
          }),
    plant("flags/lost-in-copy",  // nobody was told the UID of the copy
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.row(hand, 1, 1, "\\Flagged");
            s.move(What::copy, hand, "1", "Archive");
            const std::uint32_t fresh = s.imap(s.laptop);
            s.select(fresh, "Archive", 1);
            s.row(fresh, 1, 4, "");
            s.audited(Scene::all(mail));
            s.list_imap(s.alice, 2, {{mail[0], 4}}, "Archive");
          }),
};

const bool kReports[] = {
    plant("bounce/report-elsewhere",
          [](Scene& s) {
            const std::uint32_t m = s.message();
            s.deliver(s.smtp(), m, s.alice);
            s.report(s.audit(Protocol::imap, s.alice, 1), m, s.alice, 1);
            s.audited({});
          }),
    plant("bounce/silent-drop",  // reported, taken once more, and not reported again
          [](Scene& s) {
            s.history.info.gives_up_after = std::chrono::seconds(1);
            const std::uint32_t m = s.message();
            s.deliver(s.smtp(), m, s.alice);
            s.report(s.audit(Protocol::imap, s.bob, 0), m, s.alice, 1);
            s.deliver(s.smtp(), m, s.alice);
            s.report(s.audit(Protocol::imap, s.bob, 1), m, s.alice, 1);
            s.audited({});
          }),
    silent("reported, taken once more, and reported once more",
           [](Scene& s) {
             s.history.info.gives_up_after = std::chrono::seconds(1);
             const std::uint32_t m = s.message();
             s.deliver(s.smtp(), m, s.alice);
             s.report(s.audit(Protocol::imap, s.bob, 0), m, s.alice, 1);
             s.deliver(s.smtp(), m, s.alice);
             const std::uint32_t reader = s.audit(Protocol::imap, s.bob, 1);
             s.report(reader, m, s.alice, 1);
             s.report(reader, m, s.alice, 2);
             s.audited({});
           }),
    silent("reported, taken once more, and delivered",
           [](Scene& s) {
             const std::uint32_t m = s.message();
             s.deliver(s.smtp(), m, s.alice);
             s.report(s.audit(Protocol::imap, s.bob, 0), m, s.alice, 1);
             s.deliver(s.smtp(), m, s.alice);
             s.audited({{m, 1}});
           }),
};

}  // namespace
}  // namespace mailproof::judge
