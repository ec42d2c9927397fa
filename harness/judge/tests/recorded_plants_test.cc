// What can be said of sessions of others, and what cannot: there is no audit, mail bears no stamp, and what was not
// heard may have happened.
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

void heard(Scene& s) { s.history.info.recorded = true; }
void all_heard(Scene& s) {
  heard(s);
  s.history.info.all_clients = true;
}

/// Mail of others: known by its Message-ID, its text not before somebody reads it.
std::uint32_t foreign(Scene& s, const std::string& id) {
  history::MessageInfo info;
  info.set = "mail";
  info.index = static_cast<std::uint32_t>(s.history.messages().size() + 1);
  info.message_id = id;
  return s.history.add_message(info);
}

/// The phone opens INBOX and is told of so many messages, UIDs from 1, none of them marked.
std::uint32_t opens(Scene& s, std::uint32_t device, std::uint32_t messages, std::uint32_t first_uid = 1) {
  const std::uint32_t hand = s.imap(device);
  s.select(hand, "INBOX", messages);
  const std::uint32_t fetch = s.invoke(What::fetch, hand, [](Event& e) { e.set = "1:1000"; });
  for (std::uint32_t i = 0; i < messages; ++i) s.row(hand, i + 1, first_uid + i);
  s.done(fetch, Type::ok);
  return hand;
}

std::uint32_t logs_in(Scene& s, std::uint32_t messages) {
  const std::uint32_t pop = s.pop3(s.pc);
  const std::uint32_t uidl = s.invoke(What::pop_uidl, pop);
  for (std::uint32_t i = 1; i <= messages; ++i) s.uidl_row(pop, i, Scene::uidl(i));
  s.done(uidl, Type::ok);
  return pop;
}

void read(Scene& s, std::uint32_t session, std::uint32_t message, std::uint32_t uid, std::uint64_t hash) {
  s.obs(What::message, session, [&](Event& e) {
    e.message = message;
    e.mailbox = "INBOX";
    e.uidvalidity = 1;
    e.seq = e.uid = uid;
    e.code = "full";
    e.size = 900;
    e.hash = hash;
  });
}

const bool kPlants[] = {
    plant("removal/unasked",
          [](Scene& s) {
            all_heard(s);
            const std::uint32_t hand = opens(s, s.phone, 2);
            s.expunged(hand, 1, 1);
          }),
    plant("removal/unasked",
          [](Scene& s) {
            all_heard(s);
            opens(s, s.phone, 2);
            opens(s, s.laptop, 1, 2);  // nobody was told that UID 1 goes
          }),
    plant("removal/unasked",
          [](Scene& s) {
            all_heard(s);
            const std::uint32_t hand = opens(s, s.phone, 3);
            s.store(hand, "1");
            s.expunge(hand);
            s.expunged(hand, 1, 1);
            s.expunged(hand, 1, 2);  // asked for UID 1 alone
          }),
    plant("removal/unasked",
          [](Scene& s) {
            all_heard(s);
            const std::uint32_t pop = logs_in(s, 2);
            s.ask(What::quit, pop);
            s.end(pop);
            logs_in(s, 1);
          }),
    plant("removal/without-quit",
          [](Scene& s) {
            all_heard(s);
            const std::uint32_t pop = logs_in(s, 2);
            s.dele(pop, 2);
            s.end(pop, "ours");
            logs_in(s, 1);
          }),
    plant("removal/quit-ok-but-there",
          [](Scene& s) {
            heard(s);
            const std::uint32_t pop = logs_in(s, 2);
            s.dele(pop, 2);
            s.ask(What::quit, pop);
            s.end(pop);
            logs_in(s, 2);
          }),
    plant("removal/expunge-ok-but-there",
          [](Scene& s) {
            all_heard(s);
            const std::uint32_t hand = opens(s, s.phone, 2);
            s.store(hand, "1");
            s.expunge(hand);
            opens(s, s.laptop, 2);
          }),
    plant("removal/expunge-ok-but-there",
          [](Scene& s) {
            all_heard(s);
            const std::uint32_t hand = opens(s, s.phone, 2);
            s.store(hand, "1:4294967295");
            s.ask(What::expunge, hand, [](Event& e) { e.set = "1:4294967295"; });
            opens(s, s.laptop, 2);
          }),
    plant("removal/unasked",
          [](Scene& s) {
            all_heard(s);
            const std::uint32_t hand = opens(s, s.phone, 2);
            s.obs(What::vanished, hand, [](Event& e) {
              e.mailbox = "INBOX";
              e.set = "1:4294967295";
              e.code = "EARLIER";
            });
          }),
    plant("view/expunge-of-the-living",
          [](Scene& s) {
            heard(s);
            const std::uint32_t hand = opens(s, s.phone, 2);
            s.expunged(hand, 1, 1);
            opens(s, s.laptop, 2);
          }),
    plant("identity/uid-reused",
          [](Scene& s) {
            heard(s);
            const std::uint32_t one = foreign(s, "<1@example.test>"), other = foreign(s, "<2@example.test>");
            read(s, opens(s, s.phone, 1), one, 1, 77);
            read(s, opens(s, s.laptop, 1), other, 1, 78);
          }),
    plant("content/altered",
          [](Scene& s) {
            heard(s);
            const std::uint32_t one = foreign(s, "<1@example.test>");
            read(s, opens(s, s.phone, 1), one, 1, 77);
            read(s, opens(s, s.laptop, 1), one, 1, 78);
          }),
};

const bool kSilences[] = {
    silent("closing_what_select_opened_read_only_expunges_nothing",
           [](Scene& s) {
             all_heard(s);
             s.store(opens(s, s.phone, 1), "1");
             const std::uint32_t hand = s.imap(s.laptop);
             s.ask(
                 What::select, hand, [](Event& e) { e.mailbox = "INBOX"; }, Type::ok,
                 [](Event& e) {
                   e.uidvalidity = 1;
                   e.code = "READ-ONLY";
                 });
             s.ask(What::close, hand);
             opens(s, s.laptop, 1);
           }),
    silent("a_conditional_store_that_left_it_as_it_was",
           [](Scene& s) {
             all_heard(s);
             const std::uint32_t hand = opens(s, s.phone, 1);
             s.ask(
                 What::store, hand,
                 [](Event& e) {
                   e.set = "1";
                   e.code = "+FLAGS.SILENT";
                   e.flags = "\\Deleted";
                 },
                 Type::ok, [](Event& e) { e.code = "MODIFIED 1"; });
             s.expunge(hand);
             opens(s, s.laptop, 1);
           }),
    silent("pop3_hides_what_imap_has_marked",
           [](Scene& s) {
             all_heard(s);
             const std::uint32_t pop = logs_in(s, 1);
             s.ask(What::quit, pop);
             s.end(pop);
             s.store(opens(s, s.phone, 1), "1");
             logs_in(s, 0);
           }),
    silent("what_others_may_have_asked_for_in_a_recording",
           [](Scene& s) {
             heard(s);
             const std::uint32_t hand = opens(s, s.phone, 3);
             s.expunged(hand, 1, 1);
             opens(s, s.laptop, 1, 3);
             logs_in(s, 2);
             logs_in(s, 1);
           }),
    silent("a_message_of_which_nobody_was_told_its_flags",
           [](Scene& s) {
             all_heard(s);
             const std::uint32_t hand = s.imap(s.phone);
             s.select(hand, "INBOX", 1);
             s.obs(What::row, hand, [](Event& e) {
               e.seq = 1;
               e.uid = 1;
             });
             s.expunge(hand);  // it was marked before anything was heard
             s.expunged(hand, 1, 1);
           }),
    silent("a_message_that_was_marked_before",
           [](Scene& s) {
             all_heard(s);
             const std::uint32_t hand = s.imap(s.phone);
             s.select(hand, "INBOX", 1);
             s.row(hand, 1, 1, "\\Deleted");
             s.expunge(hand);
             s.expunged(hand, 1, 1);
           }),
    silent("a_store_by_numbers_that_nobody_knows",
           [](Scene& s) {
             all_heard(s);
             const std::uint32_t hand = opens(s, s.phone, 2);
             s.store(hand, "");
             s.expunged(hand, 1, 1);
           }),
    silent("mail_that_came_after_whatever_uid_there_may_be_was_expunged",
           [](Scene& s) {
             all_heard(s);
             const std::uint32_t hand = opens(s, s.phone, 2);
             s.store(hand, "1:4294967295");
             s.ask(What::expunge, hand, [](Event& e) { e.set = "1:4294967295"; });
             s.expunged(hand, 1, 1);
             s.expunged(hand, 1, 2);
             opens(s, s.laptop, 1, 3);
           }),
    silent("what_pop3_took_is_gone_for_imap",
           [](Scene& s) {
             all_heard(s);
             opens(s, s.phone, 2);
             const std::uint32_t pop = logs_in(s, 2);
             s.dele(pop, 1);
             s.ask(What::quit, pop);
             s.end(pop);
             opens(s, s.laptop, 1, 2);
           }),
    silent("mail_that_was_there_before_a_copy_was_put_beside_it",
           [](Scene& s) {
             heard(s);
             const std::uint32_t one = foreign(s, "<1@example.test>");
             const std::uint32_t hand = s.imap(s.phone);
             s.append(hand, one);
             s.select(hand, "INBOX", 2);
             read(s, hand, one, 1, 77);
             read(s, hand, one, 2, 77);
           }),
    silent("a_login_of_others_that_was_refused",
           [](Scene& s) {
             heard(s);
             const std::uint32_t hand = opens(s, s.phone, 1);
             s.ask(What::noop, hand);
             s.ask(What::connect, hand, {}, Type::fail, [](Event& e) { e.text = "LOGIN: no such user"; });
           }),
    silent("two_bodies_with_one_message_id",
           [](Scene& s) {
             heard(s);
             const std::uint32_t one = foreign(s, "<1@example.test>"), other = foreign(s, "<1@example.test>");
             const std::uint32_t hand = opens(s, s.phone, 2);
             s.content(hand, one, 2, 2, "header");
             read(s, hand, other, 2, 78);
           }),
    silent("what_another_account_removed_from_a_mailbox_that_both_share",
           [](Scene& s) {
             all_heard(s);
             const std::uint32_t hand = opens(s, s.phone, 2);
             const std::uint32_t other =
                 s.open(s.device("bob's", history::DeviceKind::imap, s.bob), Protocol::imap, s.bob, 0);
             s.select(other, "user/alice", 2);
             s.row(other, 1, 1);
             s.row(other, 2, 2);
             s.store(other, "1");
             s.expunge(other);
             s.expunged(other, 1, 1);
             s.expunged(hand, 1, 1);
           }),
    silent("a_message_seen_by_two_users",
           [](Scene& s) {
             heard(s);
             const std::uint32_t one = foreign(s, "<1@example.test>");
             read(s, opens(s, s.phone, 1), one, 1, 77);
             const std::uint32_t other =
                 s.open(s.device("bob's", history::DeviceKind::imap, s.bob), Protocol::imap, s.bob, 0);
             s.select(other, "INBOX", 1);
             read(s, other, one, 1, 77);
           }),
};

}  // namespace
}  // namespace mailproof::judge
