// Violations of what an IMAP session is told.
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

void row(Scene& s, std::uint32_t session, std::uint32_t seq, std::uint32_t uid, std::uint64_t size,
         const std::string& date) {
  s.obs(What::row, session, [&](Event& e) {
    e.mailbox = "INBOX";
    e.uidvalidity = 1;
    e.seq = seq;
    e.uid = uid;
    e.size = size;
    e.text = date;
  });
}

void exists(Scene& s, std::uint32_t session, std::uint32_t n, std::uint32_t before) {
  s.obs(What::exists, session, [&](Event& e) { e.facts = history::ExistsFacts{n, before}; });
}

const bool kIdentity[] = {
    plant("identity/uid-reused",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t hand = s.imap(s.phone);
            s.select(hand, "INBOX", 1);
            s.content(hand, mail[0], 1, 2);  // UID 2 was mail.1 for the phone
            s.audited(Scene::all(mail));
          }),
    plant("identity/size-changed",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            row(s, s.watches(s.phone, mail), 1, 1, 1000, "");
            row(s, s.watches(s.laptop, mail), 1, 1, 900, "");
            s.audited(Scene::all(mail));
          }),
    plant("identity/date-changed",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            row(s, s.watches(s.phone, mail), 1, 1, 0, "17-Jul-2026 02:44:25 -0700");
            row(s, s.watches(s.laptop, mail), 1, 1, 0, "18-Jul-2026 02:44:25 -0700");
            s.audited(Scene::all(mail));
          }),
    plant("identity/uid-reused",
          [](Scene& s) {
            // By a server that gives the UID of what was expunged again: no size and no date of a message changed.
            const auto mail = s.accepted(2);
            const std::uint32_t hand = s.watches(s.phone, {mail[0]});
            row(s, hand, 1, 1, 1000, "17-Jul-2026 02:44:25 -0700");
            s.store(hand, "1");
            s.expunge(hand);
            s.expunged(hand, 1, 1);
            const std::uint32_t other = s.imap(s.laptop);
            s.select(other, "INBOX", 1);
            row(s, other, 1, 1, 900, "18-Jul-2026 02:44:25 -0700");
            s.content(other, mail[1], 1, 1);
            s.audited({{mail[1], 1}});
          }),
    silent("one instant, told in two zones",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             row(s, s.watches(s.phone, mail), 1, 1, 0, "17-Jul-2026 02:44:25 -0700");
             row(s, s.watches(s.laptop, mail), 1, 1, 0, "17-Jul-2026 11:44:25 +0200");
             s.audited(Scene::all(mail));
           }),
    silent("what is expunged, shown as nothing to who was not told yet (RFC 2180 section 4.1.3)",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail), other = s.watches(s.laptop, mail);
             row(s, other, 1, 1, 0, "17-Jul-2026 02:44:25 -0700");
             s.store(hand, "1");
             s.expunge(hand);
             s.expunged(hand, 1, 1);
             s.content(other, 0, 1, 1);
             row(s, other, 1, 1, 0, "00-Jan-0000 00:00:00 +0000");
             s.expunged(other, 1, 1);
             s.audited({});
           }),
    plant("identity/uid-changed",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.row(s.watches(s.phone, mail), 1, 9);
            s.audited(Scene::all(mail));
          }),
    plant("identity/uid-order",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t hand = s.imap(s.phone);
            s.select(hand, "INBOX", 2);
            s.row(hand, 1, 12);
            s.row(hand, 2, 11);
            s.audited(Scene::all(mail));
          }),
};

const bool kView[] = {
    plant("view/exists-fell",
          [](Scene& s) {
            const auto mail = s.accepted(3);
            const std::uint32_t hand = s.watches(s.phone, mail);
            exists(s, hand, 2, 3);
            s.audited(Scene::all(mail));
          }),
    plant("view/exists-fell",  // which one went nobody was told: the numbers of the others are no finding of their own
          [](Scene& s) {
            const auto mail = s.accepted(3);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.store(hand, "1");
            const std::uint32_t asked = s.invoke(What::expunge, hand);
            exists(s, hand, 2, 3);
            s.done(asked, Type::ok);
            s.row(hand, 2, 3);
            s.row(hand, 1, 2);
            s.audited({{mail[1], 2}, {mail[2], 3}});
          }),
    plant("view/expunge-out-of-range",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            s.expunged(s.watches(s.phone, mail), 3, 0);
            s.audited(Scene::all(mail));
          }),
    plant("view/expunge-out-of-range",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.expunged(s.watches(s.phone, mail), 0, 0);
            s.audited(Scene::all(mail));
          }),
    plant("view/row-out-of-range",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            s.row(s.watches(s.phone, mail), 3, 3);  // before any EXISTS 3
            s.audited(Scene::all(mail));
          }),
    plant("view/rows-missing",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            s.both(1, Scene::all(mail));
            s.settle();
            s.both(2, Scene::all(mail));
            const std::uint32_t fresh = s.audit(Protocol::imap, s.alice, 3);
            s.select(fresh, "INBOX", 3, 1, What::examine);  // it says three and tells of two
            s.content(fresh, mail[0], 1, 1);
            s.content(fresh, mail[1], 2, 2);
            s.obs(What::enumerated, fresh, [](Event& e) { e.facts = history::CountFacts{3}; });
          }),
    plant("view/expunge-of-the-living",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            s.expunged(s.watches(s.phone, mail), 1, 1);
            s.audited(Scene::all(mail));
          }),
};

}  // namespace
}  // namespace mailproof::judge
