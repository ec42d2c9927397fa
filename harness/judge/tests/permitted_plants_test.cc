// What the RFCs permit, and judges took for a violation.
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

void mailbox_asked(Scene& s, What what, std::uint32_t session, const std::string& name, Type outcome = Type::ok) {
  s.ask(
      what, session, [&](Event& e) { e.mailbox = name; }, outcome, [&](Event& e) { e.mailbox = name; });
}

void fetch(Scene& s, std::uint32_t session, const std::string& items) {
  s.ask(What::fetch, session, [&](Event& e) {
    e.mailbox = "INBOX";
    e.set = "1";
    e.text = items;
  });
}

void login(Scene& s, const std::vector<std::uint32_t>& mail) {
  const std::uint32_t pop = s.pop3(s.pc);
  const std::uint32_t uidl = s.invoke(What::pop_uidl, pop);
  for (std::uint32_t i = 1; i <= mail.size(); ++i) s.uidl_row(pop, i, Scene::uidl(i));
  s.done(uidl, Type::ok);
  for (std::uint32_t i = 1; i <= mail.size(); ++i) s.pop_content(pop, mail[i - 1], i, Scene::uidl(i));
  s.ask(What::quit, pop);
  s.end(pop);
}

const bool kPermitted[] = {
    silent("mailboxes: one that cannot be opened now, and one that can a moment later",
           [](Scene& s) {
             const std::uint32_t hand = s.imap(s.phone);
             mailbox_asked(s, What::create, hand, "Busy");
             s.ask(
                 What::select, hand, [](Event& e) { e.mailbox = "Busy"; }, Type::fail,
                 [](Event& e) { e.code = "UNAVAILABLE"; });
             mailbox_asked(s, What::create, hand, "Later");
             mailbox_asked(s, What::select, hand, "Later", Type::fail);
             mailbox_asked(s, What::select, hand, "Later");
           }),
    plant("flags/unexplained",  // not the PEEK's doing: the STORE of another flag lies between
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.row(hand, 1, 1);
            fetch(s, hand, "(UID BODY.PEEK[])");
            s.store(hand, "1", "+FLAGS", "\\Answered");
            s.row(hand, 1, 1, "\\Answered \\Seen");
            s.audited(Scene::all(mail));
          }),
    silent("a login while IMAP had marked one, which POP3 then hides, and took that back",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             login(s, mail);
             const std::uint32_t hand = s.watches(s.phone, mail);
             s.store(hand, "2");
             login(s, {mail[0]});
             s.store(hand, "2", "-FLAGS");
             login(s, mail);
             s.audited(Scene::all(mail));
           }),
    silent("what bob sent is in his Sent as well",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             s.list_imap(s.bob, 1, {{mail[0], 1}}, "Sent", 9);
             s.audited(Scene::all(mail));
           }),
    plant("isolation/leak",  // ... and in his INBOX it is no copy of what he sent
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.list_imap(s.bob, 1, {{mail[0], 1}});
            s.audited(Scene::all(mail));
          }),
    plant("loss/gone-when-marked",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.store(hand, "1");
            s.expunged(hand, 1, 1);
            s.fate("1", {.fate = Fate::present});
            s.audited({});
          },
          {"expectation/not-asked"}),
    plant("loss/lost",  // ... with the end of the session that had marked it, which tells nothing
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.store(hand, "1");
            s.end(hand);
            s.audited({});
          }),
    plant("bounce/report-unread",  // it names a recipient that nobody knows (RFC 3464 section 2.3.2)
          [](Scene& s) {
            const auto mail = s.accepted(1, true);
            s.history.info.gives_up_after = std::chrono::seconds(1);
            s.report(s.audit(Protocol::imap, s.bob, 1), mail[0], 0, 1);
            s.audited({});
          }),
    plant("bounce/report-unread",  // it names the recipient and no Action (RFC 3464 section 2.3.3), as Haraka's does
          [](Scene& s) {
            const auto mail = s.accepted(1, true);
            s.history.info.gives_up_after = std::chrono::seconds(1);
            s.report(s.audit(Protocol::imap, s.bob, 1), mail[0], s.alice, 1, "", "without-action: ");
            s.audited({});
          }),
    plant("bounce/silent-drop",  // such a report about another's copy says nothing of this one
          [](Scene& s) {
            const auto mail = s.accepted(1, true);
            s.history.info.gives_up_after = std::chrono::seconds(1);
            s.report(s.audit(Protocol::imap, s.bob, 1), mail[0], s.bob, 1, "", "without-action: ");
            s.audited({});
          }),
};

}  // namespace
}  // namespace mailproof::judge
