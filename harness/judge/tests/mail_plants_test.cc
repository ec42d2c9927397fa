// Violations of what is promised about the mail itself: loss, removal, bounces, content, copies, isolation.
#include <fmt/format.h>

#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

/// The pc deletes one of three, and the next goes with its QUIT; before and after that the phone does something.
void quits_beside(Scene& s, const std::function<void(Scene&, std::uint32_t)>& before,
                  const std::function<void(Scene&, std::uint32_t)>& after = {}) {
  const auto mail = s.accepted(3);
  const std::uint32_t hand = s.watches(s.phone, mail);
  if (before) before(s, hand);
  const std::uint32_t pop = s.downloads(mail);
  s.dele(pop, 1);
  s.ask(What::quit, pop);
  s.end(pop);
  if (after) after(s, hand);
  s.audited({{mail[2], 3}});
}

const bool kLoss[] = {
    plant("loss/lost",
          [](Scene& s) {
            const auto mail = s.accepted(3);
            s.audited({{mail[0], 1}, {mail[2], 3}});
          }),
    plant("loss/lost",  // after it was seen, and nobody removed anything
          [](Scene& s) {
            const auto mail = s.accepted(2);
            s.watches(s.phone, mail);
            s.audited({{mail[0], 1}});
          }),
    plant("loss/lost",  // removed by a client, accepted once more, and not there
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.store(hand, "1");
            s.expunge(hand);
            s.expunged(hand, 1, 1);
            s.deliver(s.lmtp(), mail[0], s.alice);
            s.audited({});
          }),
    plant("loss/lost",  // an APPEND that was answered OK
          [](Scene& s) {
            const std::uint32_t m = s.message();
            const std::uint32_t hand = s.imap(s.phone);
            s.append(hand, m, "Sent");
            s.list_imap(s.alice, 1, {}, "Sent");
            s.settle();
            s.list_imap(s.alice, 2, {}, "Sent");
          }),
    plant("loss/lost",  // a POP3-only target
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.list_pop(s.alice, 1, {});
            s.settle();
            s.list_pop(s.alice, 2, {});
          }),
    plant("loss/lost-in-move",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.move(What::move, hand, "1", "Archive", Type::info);
            s.audited({});
            s.list_imap(s.alice, 2, {}, "Archive");
          }),
    plant("loss/not-confirmed",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.both(1, {});
          }),
    plant("loss/not-audited", [](Scene& s) { s.accepted(1); }),
    plant("loss/suppressed-duplicate",
          [](Scene& s) {
            const std::uint32_t m = s.message();
            const std::uint32_t out = s.lmtp();
            s.deliver(out, m, s.alice);
            s.deliver(out, m, s.alice);
            s.audited({{m, 1}});
          }),
    plant("loss/filed-elsewhere",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.audited({});
            s.list_imap(s.alice, 2, {{mail[0], 1}}, "Junk");
          }),
};

const bool kRemoval[] = {
    plant("removal/more-than-expunged",
          [](Scene& s) {
            const auto mail = s.accepted(3);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.store(hand, "1");
            s.expunge(hand);
            s.audited({{mail[2], 3}});
          }),
    plant(
        "removal/more-than-expunged",  // the POP3 session still shows it, as it was at login: its QUIT is not to blame
        [](Scene& s) {
          const auto mail = s.accepted(4);
          const std::uint32_t pop = s.pop3(s.pc);
          const std::uint32_t hand = s.watches(s.phone, mail);
          s.store(hand, "1");
          s.expunge(hand);  // takes 2 as well
          for (std::uint32_t n = 2; n <= 3; ++n) s.pop_content(pop, mail[n - 1], n, s.uidl(n));
          s.dele(pop, 3);
          s.ask(What::quit, pop);
          s.end(pop);
          s.audited({{mail[3], 4}});
        }),
    plant("removal/more-than-marked",  // the EXPUNGE before it told what it removed, and that was another
          [](Scene& s) {
            const auto mail = s.accepted(3);
            const std::uint32_t hand = s.watches(s.phone, mail);
            const std::uint32_t pop = s.downloads(mail);
            s.dele(pop, 2);
            s.store(hand, "2");
            const std::uint32_t expunge = s.invoke(What::expunge, hand);
            s.Story::expunged(hand, 2, 2);
            s.done(expunge, Type::ok);
            s.ask(What::quit, pop);
            s.end(pop);
            s.audited({{mail[0], 1}});
          }),
    plant("removal/more-than-marked",
          [](Scene& s) {
            const auto mail = s.accepted(3);
            const std::uint32_t pop = s.downloads(mail);
            s.dele(pop, 1);
            s.ask(What::quit, pop);
            s.end(pop);
            s.audited({{mail[2], 3}});
          }),
    plant("removal/more-than-marked",  // RSET took the mark back
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t pop = s.downloads(mail);
            s.dele(pop, 1);
            s.ask(What::rset, pop);
            s.history.info.pop3_download = Pop3Download::keeps;
            s.ask(What::quit, pop);
            s.end(pop);
            s.audited({});
          }),
    plant("removal/marked-over-imap",  // a phone had marked the other one, and nobody expunged
          [](Scene& s) { quits_beside(s, [](Scene& scene, std::uint32_t hand) { scene.store(hand, "2"); }); }),
    plant("removal/more-than-marked",  // it took its mark away again
          [](Scene& s) {
            quits_beside(s, [](Scene& scene, std::uint32_t hand) {
              scene.store(hand, "2");
              scene.store(hand, "2", "-FLAGS", "\\Deleted");
            });
          }),
    plant("removal/more-than-marked",  // it was marked when it had gone
          [](Scene& s) { quits_beside(s, {}, [](Scene& scene, std::uint32_t hand) { scene.store(hand, "2"); }); }),
    plant("removal/marked-over-imap",  // the mark was taken away when it had gone
          [](Scene& s) {
            quits_beside(
                s, [](Scene& scene, std::uint32_t hand) { scene.store(hand, "2"); },
                [](Scene& scene, std::uint32_t hand) { scene.store(hand, "2", "-FLAGS", "\\Deleted"); });
          }),
    plant("removal/marked-over-imap",  // ... by a STORE that was not answered
          [](Scene& s) {
            quits_beside(s, [](Scene& scene, std::uint32_t hand) {
              scene.done(scene.invoke(What::store, hand,
                                      [](Event& e) {
                                        e.set = "2";
                                        e.code = "+FLAGS";
                                        e.flags = "\\Deleted";
                                      }),
                         Type::info);
            });
          }),
    plant("removal/marked-over-imap",  // whoever closed the mailbox before
          [](Scene& s) {
            quits_beside(s, [](Scene& scene, std::uint32_t hand) {
              scene.ask(What::close, hand);
              scene.select(hand, "INBOX", 3);
              scene.store(hand, "2");
            });
          }),
    plant("removal/marked-over-imap",  // and what was expected of it nobody owes
          [](Scene& s) {
            quits_beside(
                s, [](Scene& scene, std::uint32_t hand) { scene.store(hand, "2"); },
                [](Scene& scene, std::uint32_t) { scene.fate("2", {.fate = Fate::present}); });
          },
          {"expectation/not-asked"}),
    plant("removal/without-quit",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t pop = s.downloads(mail);
            s.dele(pop, 1);
            s.end(pop, "ours", "dropped");
            s.audited({{mail[1], 2}});
          }),
    plant("removal/without-quit",  // RETR alone
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t pop = s.downloads(mail);
            s.end(pop, "ours", "dropped");
            s.audited({});
          }),
    plant("removal/quit-ok-but-there",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t pop = s.downloads(mail);
            s.dele(pop, 1);
            s.ask(What::quit, pop);
            s.end(pop);
            s.audited(Scene::all(mail));
          }),
    plant("removal/store-ok-but-unset",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t hand = s.watches(s.phone, mail);
            const std::uint32_t store = s.invoke(What::store, hand, [](Event& e) {
              e.set = "1:2";
              e.code = "+FLAGS";
              e.flags = "\\Deleted";
            });
            s.row(hand, 1, 1, "");
            s.row(hand, 2, 2, "\\Deleted");
            s.done(store, Type::ok);
            s.expunge(hand);
            s.audited({{mail[0], 1}});
          }),
    plant("removal/expunge-ok-but-there",  // it was told as set, and is left
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.store(hand, "1");
            s.row(hand, 1, 1, "\\Deleted");
            s.expunge(hand);
            s.audited(Scene::all(mail));
          }),
    plant("removal/expunge-ok-but-there",  // the audit tells it without, after the EXPUNGE: that says nothing of before
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.store(hand, "1", "+FLAGS.SILENT");
            s.expunge(hand);
            s.row(hand, 1, 1, "");
            s.audited(Scene::all(mail));
          }),
    plant("removal/expunge-ok-but-there",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.store(hand, "1");
            s.expunge(hand);
            s.audited(Scene::all(mail));
          }),
};

std::uint32_t over_smtp(Scene& s, std::uint32_t m) {
  s.deliver(s.smtp(), m, s.alice);
  return m;
}

std::uint32_t from_nobody(Scene& s) {
  history::MessageInfo made = s.history.message(s.message());
  made.sender = 0;
  return s.history.add_message(made);
}

const bool kBounce[] = {
    plant("bounce/silent-drop",
          [](Scene& s) {
            s.history.info.gives_up_after = std::chrono::seconds(1);
            over_smtp(s, s.message());
            s.audited({});
          }),
    plant("bounce/queued",  // nobody knows for how long its MTA tries
          [](Scene& s) {
            over_smtp(s, s.message());
            s.audited({});
          }),
    plant("bounce/queued",  // it tries longer than anybody looked
          [](Scene& s) {
            s.history.info.gives_up_after = std::chrono::minutes(5);
            over_smtp(s, s.message());
            s.audited({});
          }),
    plant("loss/perhaps-reported",  // to the sender, who is the one whose mailbox has no room
          [](Scene& s) {
            s.history.info.accounts[s.alice - 1].quota = 65536;
            s.deliver(s.smtp(), from_nobody(s), s.alice);
            s.audited({});
          }),
    plant("bounce/queued",  // whoever its sender is
          [](Scene& s) {
            s.deliver(s.smtp(), from_nobody(s), s.alice);
            s.audited({});
          }),
    plant("loss/perhaps-reported",  // removed, and taken once more
          [](Scene& s) {
            const std::uint32_t m = from_nobody(s);
            s.deliver(s.smtp(), m, s.alice);
            const std::uint32_t hand = s.watches(s.phone, {m});
            s.store(hand, "1");
            s.expunge(hand);
            s.deliver(s.smtp(), m, s.alice);
            s.audited({});
          }),
    plant("loss/lost",  // there is room for a report, and it tries no longer
          [](Scene& s) {
            s.history.info.gives_up_after = std::chrono::seconds(1);
            s.deliver(s.smtp(), from_nobody(s), s.alice);
            s.audited({});
          }),
    plant("bounce/report-unread",
          [](Scene& s) {
            over_smtp(s, s.message());
            s.report(s.audit(Protocol::imap, s.bob, 1), 0, 0, 1, "", "unread:");
            s.audited({});
          }),
    plant("bounce/reported-twice",
          [](Scene& s) {
            const std::uint32_t m = over_smtp(s, s.message());
            const std::uint32_t reader = s.audit(Protocol::imap, s.bob, 1);
            s.report(reader, m, s.alice, 1);
            s.report(reader, m, s.alice, 2);
            s.audited({});
          }),
    plant("bounce/report-for-refused",
          [](Scene& s) {
            const std::uint32_t m = s.message();
            s.deliver(s.smtp(), m, s.alice, Type::fail, 552, "5.3.4", "too big for this host");
            s.report(s.audit(Protocol::imap, s.bob, 1), m, s.alice, 1);
            s.audited({});
          }),
    plant("bounce/reported-and-delivered",
          [](Scene& s) {
            const std::uint32_t m = over_smtp(s, s.message());
            s.report(s.audit(Protocol::imap, s.bob, 1), m, s.alice, 1);
            s.audited({{m, 1}});
          }),
    plant("bounce/report-status",
          [](Scene& s) {
            const std::uint32_t m = over_smtp(s, s.message());
            s.report(s.audit(Protocol::imap, s.bob, 1), m, s.alice, 1, "2.0.0");
            s.audited({});
          }),
    plant("bounce/report-status",  // none at all
          [](Scene& s) {
            const std::uint32_t m = over_smtp(s, s.message());
            s.report(s.audit(Protocol::imap, s.bob, 1), m, s.alice, 1, "");
            s.audited({});
          }),
    plant("bounce/report-reason",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t m = over_smtp(s, s.message());
            s.report(s.audit(Protocol::imap, s.bob, 1), m, s.alice, 1, "5.1.1");
            s.audited(Scene::all(mail));
          }),
    plant("bounce/report-sender",
          [](Scene& s) {
            const std::uint32_t m = over_smtp(s, s.message());
            s.obs(What::report, s.audit(Protocol::imap, s.bob, 1), [&](Event& e) {
              e.message = m;
              e.account = s.alice;
              e.uid = 1;
              e.code = "5.2.2";
              e.text = "failed: 552 mailbox full";
              e.flags = "sender-not-null";
            });
            s.audited({});
          }),
};

/// It is read, and between what was sent and the body stand fields that were not.
void with_a_filters_fields(Scene& s, std::uint32_t message) {
  const std::uint32_t hand = s.imap(s.phone);
  s.select(hand, "INBOX", 1);
  s.obs(What::message, hand, [&](Event& e) {
    e.message = message;
    e.mailbox = "INBOX";
    e.uidvalidity = 1;
    e.seq = e.uid = 1;
    e.code = "full";
    e.size = s.history.message(message).size + 18;
    e.hash = s.history.message(message).hash;
    e.set = "with X-Scanned";
  });
}

const bool kContent[] = {
    plant("content/altered",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t hand = s.imap(s.phone);
            s.select(hand, "INBOX", 2);
            s.content(hand, mail[0], 1, 1);
            s.obs(What::message, hand, [&](Event& e) {
              e.message = mail[1];
              e.mailbox = "INBOX";
              e.uidvalidity = 1;
              e.seq = 2;
              e.uid = 2;
              e.code = "full";
              e.size = 400;
              e.hash = 0xdead;
            });
            s.audited(Scene::all(mail));
          }),
    plant("content/fields-added",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            with_a_filters_fields(s, mail[0]);
            s.audited(Scene::all(mail));
          }),
    plant("content/altered",  // an APPEND is stored as it is: no filter has to do with it
          [](Scene& s) {
            const std::uint32_t m = s.message();
            s.append(s.imap(s.phone), m);
            with_a_filters_fields(s, m);
            s.audited({{m, 1}});
          }),
    plant("content/line-end-added",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.imap(s.phone);
            s.select(hand, "INBOX", 1);
            const std::uint64_t sent = s.history.message(mail[0]).size;
            s.obs(What::message, hand, [&](Event& e) {
              e.message = mail[0];
              e.mailbox = "INBOX";
              e.uidvalidity = 1;
              e.seq = 1;
              e.uid = 1;
              e.code = "full";
              e.size = sent + 2;
              e.hash = 0xdead;
              e.set = fmt::format("from octet {} on nothing more was sent, and \"\\r\\n\" came", sent);
            });
            s.audited(Scene::all(mail));
          }),
    plant("content/nil",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.imap(s.phone);
            s.select(hand, "INBOX", 1);
            s.obs(What::nil, hand, [](Event& e) {
              e.mailbox = "INBOX";
              e.seq = 1;
              e.uid = 1;
            });
            s.audited(Scene::all(mail));
          }),
    plant("session/another-run",  // whatever else is seen
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.obs(What::exists, hand, [](Event& e) { e.facts = history::ExistsFacts{2, 1}; });
            s.obs(What::message, hand, [](Event& e) {
              e.mailbox = "INBOX";
              e.uidvalidity = 1;
              e.seq = 2;
              e.uid = 2;
              e.code = "header";
              e.hash = 77;
              e.flags = "foreign-run";
            });
            s.audited({});  // it took our mail away
          }),
};

const bool kDuplicates[] = {
    plant("duplicates/duplicated",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.audited({{mail[0], 1}, {mail[0], 2}});
          }),
    plant("duplicates/duplicated",  // and a client removed both
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t pop = s.downloads({mail[0], mail[0]});
            s.dele(pop, 1);
            s.dele(pop, 2);
            s.ask(What::quit, pop);
            s.end(pop);
            s.audited({});
          }),
    plant("duplicates/after-lost-answer",
          [](Scene& s) {
            const std::uint32_t m = s.message();
            s.deliver(s.lmtp(), m, s.alice, Type::info, 0, "", "connection lost after the final dot");
            s.deliver(s.lmtp(), m, s.alice);
            s.audited({{m, 1}, {m, 2}});
          }),
    plant("duplicates/moved-twice",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t a = s.watches(s.phone, mail), b = s.watches(s.laptop, mail);
            s.move(What::move, a, "1", "Archive", Type::ok, "1");
            s.move(What::move, b, "1", "Archive", Type::ok, "2");
            s.audited({});
            s.list_imap(s.alice, 2, {{mail[0], 1}, {mail[0], 2}}, "Archive");
          }),
    plant("duplicates/resurrected",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.store(hand, "1");
            s.expunge(hand);
            s.expunged(hand, 1, 1);
            s.both(1, {});
            s.settle();
            s.both(2, {{mail[0], 7}});
          }),
};

const bool kOthers[] = {
    plant("isolation/leak",
          [](Scene& s) {
            const std::uint32_t secret = s.message();
            s.deliver(s.lmtp(), secret, s.bob);
            const auto mail = s.accepted(1);
            s.list_imap(s.bob, 1, {{secret, 1}});
            s.audited({{mail[0], 1}, {secret, 2}});
          }),
    plant("lmtp-replies/too-few",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.obs(What::deviation, s.lmtp(), [](Event& e) {
              e.code = "lmtp.replies.missing";
              e.text = "1 of 2 replies";
            });
            s.audited(Scene::all(mail));
          }),
    plant("lmtp-replies/too-many",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.obs(What::deviation, s.lmtp(), [](Event& e) {
              e.code = "lmtp.replies.extra";
              e.text = "250 2.0.0 once more";
            });
            s.audited(Scene::all(mail));
          }),
    plant("lmtp-replies/refused-but-delivered",
          [](Scene& s) {
            const std::uint32_t m = s.message();
            s.deliver(s.lmtp(), m, s.alice, Type::fail, 451, "4.3.0");
            s.audited({{m, 1}});
          }),
};

}  // namespace
}  // namespace mailproof::judge
