// What random worlds accused a right server of, as `shrink` left it: each a history of its own. The seeds are those
// that showed them.
#include "history/announced.h"
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

std::uint32_t lost_move(Scene& s, const std::vector<std::uint32_t>& mail, const std::string& uid,
                        const std::string& to) {
  const std::uint32_t hand = s.watches(s.phone, mail);
  s.move(What::move, hand, uid, to, Type::info, "");
  s.end(hand, "ours", "dropped");
  return hand;
}

/// UID 1, without a COPYUID; the EXPUNGE comes before the answer.
void move_told_gone(Scene& s, std::uint32_t hand) {
  const std::uint32_t move = s.invoke(What::move, hand, [](Event& e) {
    e.mailbox = "INBOX";
    e.set = "1";
    e.other_mailbox = "Archive";
  });
  s.expunged(hand, 1, 1);
  s.done(move, Type::ok, [](Event& e) { e.mailbox = "INBOX"; });
}

/// Expunged, and then accepted once more over SMTP; it is not there in the end.
void sent_again(Scene& s, bool limited) {
  if (limited) s.history.info.accounts[s.alice - 1].quota = 64 * 1024;
  s.history.info.gives_up_after = std::chrono::seconds(1);
  const auto mail = s.accepted(1);
  const std::uint32_t hand = s.watches(s.phone, mail);
  s.store(hand, "1");
  s.expunge(hand);
  s.deliver(s.smtp(), mail[0], s.alice);
  s.audited({});
}

/// A letter of INBOX that a phone was not allowed to put into Trash, where it is in the end.
void refused_for_trash(Scene& s, bool removed_by_pop) {
  const auto mail = s.accepted(1);
  const std::uint32_t hand = s.watches(s.phone, mail);
  s.append(hand, mail[0], "Trash", Type::fail, "OVERQUOTA");
  if (removed_by_pop) {
    const std::uint32_t pop = s.downloads(mail);
    s.dele(pop, 1, mail[0]);
    s.ask(What::quit, pop);
    s.end(pop);
  }
  s.both(1, removed_by_pop ? Scene::Listing{} : Scene::all(mail));
  s.list_imap(s.alice, 1, {{mail[0], 1}}, "Trash");
}

const bool kWorlds[] = {
    // Seed 458 with pop3.delete-to-trash.
    silent("POP3's QUIT puts into Trash what a client had copied there",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             s.move(What::copy, s.watches(s.phone, mail), "1", "Trash", Type::ok, "1");
             const std::uint32_t pop = s.downloads(mail);
             s.dele(pop, 1, mail[0]);
             s.ask(What::quit, pop);
             s.end(pop);
             s.both(1, {});
             s.list_imap(s.alice, 1, {{mail[0], 1}, {mail[0], 2}}, "Trash");
           }),
    plant("duplicates/duplicated",  // nobody took it over POP3, and Trash has it twice all the same
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.move(What::copy, s.watches(s.phone, mail), "1", "Trash", Type::ok, "1");
            s.both(1, Scene::all(mail));
            s.list_imap(s.alice, 1, {{mail[0], 1}, {mail[0], 2}}, "Trash");
          }),
    // Seeds 475 with pop3.delete-to-trash, and 799 with delivery.bounce-instead-of-refuse.
    silent("saved, refused when it was sent as well, and moved to Trash by POP3's QUIT",
           [](Scene& s) {
             const std::uint32_t hand = s.imap(s.phone), m = s.message();
             s.select(hand, "INBOX");
             s.ask(
                 What::append, hand,
                 [&](Event& e) {
                   e.mailbox = "INBOX";
                   e.message = m;
                 },
                 Type::ok,
                 [&](Event& e) {
                   e.mailbox = "INBOX";
                   e.message = m;
                   e.uidvalidity = e.uid = 1;
                 });
             s.deliver(s.smtp(), m, s.alice, Type::fail, 552, "5.2.2", "mailbox full");
             const std::uint32_t pop = s.downloads({m});
             s.dele(pop, 1, m);
             s.ask(What::quit, pop);
             s.end(pop);
             s.both(1, {});
             s.list_imap(s.alice, 1, {{m, 1}}, "Trash");
           }),
    // Seed 278 behind a slow proxy: the phone dropped its connection while it saved, and saved the same elsewhere
    // later.
    plant("expectation/not-asked",
          [](Scene& s) {
            const std::uint32_t m = s.message();
            const auto saves = [&](std::uint32_t hand, const char* mailbox, Type outcome) {
              s.ask(
                  What::append, hand,
                  [&](Event& e) {
                    e.mailbox = mailbox;
                    e.message = m;
                  },
                  outcome,
                  [&](Event& e) {
                    e.mailbox = mailbox;
                    e.message = m;
                    if (outcome == Type::ok) e.uidvalidity = e.uid = 1;
                  });
            };
            saves(s.imap(s.phone), "Trash", Type::info);
            const std::uint32_t hand = s.imap(s.phone);
            s.answer(s.expect(What::see, hand, "1", [](Event& e) { e.mailbox = "Trash"; }), Type::fail, "1");
            saves(hand, "INBOX", Type::ok);
            s.audited({{m, 1}});
          }),
    // Seed 621 with pop3.expire-0: a webmail's EXPUNGE comes when the phone was told of it long ago.
    plant("expectation/not-asked",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail), web = s.watches(s.laptop, mail);
            const std::uint32_t pop = s.downloads(mail);
            s.ask(What::connect, pop, {}, Type::ok, [](Event& e) { e.code = history::kExpiresAtOnce; });
            s.store(hand, "1");
            s.ask(What::quit, pop);
            s.end(pop);
            s.expunged(hand, 1, 1);
            s.answer(s.expect(What::see, hand, "1"), Type::fail, "1");
            s.ask(What::expunge, web);
            s.audited({});
          }),
    // Seed 2915.
    silent("what POP3 removed is not what a later EXPUNGE removed, though IMAP had marked it as well",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail), other = s.watches(s.laptop, mail);
             s.store(hand, "1");
             const std::uint32_t pop = s.downloads(mail);
             s.dele(pop, 1, mail[0]);
             s.ask(What::quit, pop);
             s.end(pop);
             s.expunged(hand, 1, 1);
             s.ask(What::expunge, other);
             s.fate("1", {.fate = Fate::removed_by_client, .over = Protocol::pop3, .by = s.pc, .copy_on = s.pc});
             s.audited({});
           }),
    // Seed 499 with delivery.queues-when-full.
    plant("loss/perhaps-reported", [](Scene& s) { sent_again(s, true); }),
    plant("loss/lost", [](Scene& s) { sent_again(s, false); }),
    // Seed 769 with pop3.delete-to-trash.
    silent("what an APPEND to Trash was refused for, POP3's QUIT put there later",
           [](Scene& s) { refused_for_trash(s, true); }),
    plant("duplicates/refused-but-there",  // POP3 removed nothing, and Trash has it all the same
          [](Scene& s) { refused_for_trash(s, false); }),
    plant("lmtp-replies/refused-but-delivered",  // it was nowhere before
          [](Scene& s) {
            const std::uint32_t m = s.message();
            s.deliver(s.smtp(), m, s.alice, Type::fail, 552, "5.2.2", "mailbox full");
            s.both(1, {});
            s.list_imap(s.alice, 1, {{m, 1}}, "Trash");
          }),
    // Seed 655 with imap.no-uidplus, and 1065.
    silent("a MOVE without an answer, and POP3 takes the message before it is told gone",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t other = s.watches(s.laptop, mail);
             lost_move(s, mail, "1", "Archive");
             const std::uint32_t pop = s.downloads(mail);
             s.dele(pop, 1, mail[0]);
             const std::uint32_t quit = s.invoke(What::quit, pop);
             s.expunged(other, 1, 1);  // before the answer to QUIT is read
             s.done(quit, Type::ok);
             s.end(pop);
             for (std::uint32_t round = 1; round <= 2; ++round) {
               s.both(round, {});
               s.list_imap(s.alice, round, {}, "Archive");
               s.settle();
             }
           }),
    plant("loss/lost",  // nobody else asked for it
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t other = s.watches(s.laptop, mail);
            lost_move(s, mail, "1", "Archive");
            s.expunged(other, 1, 1);
            for (std::uint32_t round = 1; round <= 2; ++round) {
              s.both(round, {});
              s.list_imap(s.alice, round, {}, "Archive");
              s.settle();
            }
          }),
    // Seed 5069: the server did what QUIT asked for, then took the MOVE of what was not there any more (RFC 2180
    // section
    // 4.4.1), and told in its answer that the message is gone.
    silent("a MOVE that is answered OK, and a QUIT that is not answered yet took the message",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.laptop, mail);
             const std::uint32_t pop = s.downloads(mail);
             s.dele(pop, 1, mail[0]);
             const std::uint32_t quit = s.invoke(What::quit, pop);
             move_told_gone(s, hand);
             s.done(quit, Type::ok);
             s.end(pop);
             for (std::uint32_t round = 1; round <= 2; ++round) {
               s.both(round, {});
               s.list_imap(s.alice, round, {}, "Archive");
               s.settle();
             }
           }),
    plant("loss/lost",  // POP3 had nothing marked
          [](Scene& s) {
            const auto mail = s.accepted(1);
            move_told_gone(s, s.watches(s.laptop, mail));
            for (std::uint32_t round = 1; round <= 2; ++round) {
              s.both(round, {});
              s.list_imap(s.alice, round, {}, "Archive");
              s.settle();
            }
          }),
    // Seed 20007 on Dovecot.
    silent("LIST does not count the line end that RETR adds to a message without a last one",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t pop = s.pop3(s.pc);
             const std::uint32_t list = s.invoke(What::pop_list, pop);
             s.list_row(pop, 1, 1000);
             s.done(list, Type::ok);
             s.uidl_row(pop, 1, Scene::uidl(1));
             const std::uint32_t retr = s.invoke(What::retr, pop, [](Event& e) { e.seq = 1; });
             s.pop_content(pop, mail[0], 1, Scene::uidl(1));
             s.done(retr, Type::ok, [&](Event& e) {
               e.seq = 1;
               e.message = mail[0];
               e.size = 1002;
             });
             s.ask(What::quit, pop);
             s.end(pop);
             s.audited(Scene::all(mail));
           }),
    // Seed 1831.
    silent("two copies in a folder that is renamed, and one in the next of its name",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail);
             s.move(What::copy, hand, "1", "Work", Type::ok, "1");
             s.move(What::copy, hand, "1", "Work", Type::ok, "2");
             const std::uint32_t other = s.imap(s.laptop);
             s.select(other, "Work", 2);
             s.content(other, mail[0], 1, 1, "full", "Work");
             s.content(other, mail[0], 2, 2, "full", "Work");
             s.ask(What::rename, hand, [](Event& e) {
               e.mailbox = "Work";
               e.other_mailbox = "Old";
             });
             s.move(What::copy, hand, "1", "Work", Type::ok, "1", 2);
             s.audited(Scene::all(mail));
             s.list_imap(s.alice, 2, {{mail[0], 1}, {mail[0], 2}}, "Old");
             s.list_imap(s.alice, 2, {{mail[0], 1}}, "Work", 2);
           }),
};

}  // namespace
}  // namespace mailproof::judge
