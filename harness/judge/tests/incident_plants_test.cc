// Servers that the admin restarts or kills, devices that are lost, and what then may be held against whom.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::uint32_t asks_admin(Scene& s, const std::string& verb) {
  return s.invoke(What::admin, 0, [&](Event& e) { e.code = verb; });
}

/// The pc deletes one of three; then the admin does this to the server, and another one is missing.
void quits_before(Scene& s, const std::string& verb) {
  const auto mail = s.accepted(3);
  const std::uint32_t pop = s.downloads(mail);
  s.dele(pop, 1);
  s.ask(What::quit, pop);
  s.end(pop);
  s.wait(2 * s.history.info.settle);
  s.done(asks_admin(s, verb), Type::ok);
  s.audited({{mail[2], 3}});
}

/// A command of the phone's that the end of its connection cuts short.
void cut_short(Scene& s, std::uint32_t hand, const std::string& code = "reset") {
  s.ask(What::noop, hand, {}, Type::info);
  s.end(hand, "", code);
}

/// A login of the phone's that comes to nothing.
void unreachable(Scene& s) {
  history::SessionInfo made;
  made.label = "phone#9";
  made.device = s.phone;
  made.account = s.alice;
  made.endpoint = "127.0.0.1:143";
  s.ask(What::connect, s.history.add_session(made), {}, Type::fail, [](Event& e) {
    e.code = "refused";
    e.text = "imap 127.0.0.1:143: connect: connection refused";
  });
}

const bool kOutage[] = {
    silent("sessions end while the server is killed, and logins fail until it is back",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail), other = s.watches(s.laptop, mail);
             const std::uint32_t kill = asks_admin(s, "kill");
             cut_short(s, hand);
             unreachable(s);
             s.done(kill, Type::ok);
             s.wait(std::chrono::milliseconds(900));
             cut_short(s, other, "closed");
             s.audited(Scene::all(mail));
           }),
    silent("sessions end while the server is restarted",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail);
             const std::uint32_t restart = asks_admin(s, "restart");
             s.wait(std::chrono::seconds(20));
             cut_short(s, hand, "closed");
             s.done(restart, Type::ok);
             s.audited(Scene::all(mail));
           }),
    plant("session/hung-up",  // before anybody killed it
          [](Scene& s) {
            const auto mail = s.accepted(1);
            cut_short(s, s.watches(s.phone, mail));
            s.done(asks_admin(s, "kill"), Type::ok);
            s.audited(Scene::all(mail));
          }),
    plant("session/hung-up",  // long after it was back
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.done(asks_admin(s, "kill"), Type::ok);
            s.wait(std::chrono::seconds(1));
            cut_short(s, hand);
            s.audited(Scene::all(mail));
          }),
    plant("session/unreachable",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.done(asks_admin(s, "restart"), Type::ok);
            s.wait(std::chrono::seconds(1));
            unreachable(s);
            s.audited(Scene::all(mail));
          }),
    plant("session/hung-up",  // who stands still keeps his connections
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            const std::uint32_t pause = asks_admin(s, "pause");
            cut_short(s, hand);
            s.done(pause, Type::ok);
            s.audited(Scene::all(mail));
          }),
    plant("session/hung-up",  // a limit is changed without a restart
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            const std::uint32_t change = asks_admin(s, "set_quota");
            cut_short(s, hand);
            s.done(change, Type::ok);
            s.audited(Scene::all(mail));
          }),
    plant("loss/lost",  // what was answered for outlives a kill
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.watches(s.phone, mail);
            s.done(asks_admin(s, "kill"), Type::ok);
            s.audited({});
          },
          {}),
    plant("removal/more-than-marked",  // and what it was asked before a restart outlives that
          [](Scene& s) { quits_before(s, "restart"); }),
    plant("loss/lost",  // a kill may lose it, so that the QUIT is not to blame
          [](Scene& s) { quits_before(s, "kill"); }),
};

void vanishes(Scene& s, const std::string& device) {
  s.obs(What::vanish, 0, [&](Event& e) { e.text = device; });
}

/// alice's pc takes the only copy.
std::vector<std::uint32_t> taken(Scene& s) {
  const auto mail = s.accepted(2);
  const std::uint32_t pop = s.downloads(mail);
  s.dele(pop, 1, mail[0]);
  s.dele(pop, 2, mail[1]);
  s.ask(What::quit, pop);
  s.end(pop);
  return mail;
}

void nobody_has_one(Scene& s) {
  s.fate("1-2", {.fate = Fate::removed_by_client, .over = Protocol::pop3, .by = s.pc, .nobody_has_copy = true});
}

/// The phone marks what the laptop expunges, and the pc deletes the other one, which the laptop is told of in between.
void two_ask(Scene& s, const history::FateFacts& of_first, const history::FateFacts& of_second, bool quits = true) {
  const auto mail = s.accepted(2);
  const std::uint32_t phone = s.watches(s.phone, mail), laptop = s.watches(s.laptop, mail);
  const std::uint32_t pop = s.downloads(mail);
  s.dele(pop, 2, mail[1]);
  if (quits) s.ask(What::quit, pop);
  s.end(pop);
  s.store(phone, "1");
  s.store(laptop, "2");
  s.expunge(laptop);
  s.fate("1", of_first);
  s.fate("2", of_second);
  s.audited({});
}

/// What the phone marked the laptop changes, marks and expunges, and the phone is to have removed it.
void unmarked_in_between(Scene& s, const std::string& how, const std::string& flags) {
  const auto mail = s.accepted(1);
  const std::uint32_t phone = s.watches(s.phone, mail), laptop = s.watches(s.laptop, mail);
  s.store(phone, "1");
  s.store(laptop, "1", how, flags);
  s.store(laptop, "1");
  s.expunge(laptop);
  s.fate("1", {.fate = Fate::removed_by_client, .by = s.phone});
  s.audited({});
}

const bool kByWhom[] = {
    silent("who marked it and who expunged it asked for its removal, and who deleted it over POP3",
           [](Scene& s) {
             two_ask(s, {.fate = Fate::removed_by_client, .over = Protocol::imap, .by = s.phone},
                     {.fate = Fate::removed_by_client, .over = Protocol::pop3, .by = s.pc});
           }),
    plant("expectation/fate",  // it marked the other one
          [](Scene& s) {
            two_ask(s, {.fate = Fate::removed_by_client, .by = s.laptop},
                    {.fate = Fate::removed_by_client, .over = Protocol::imap, .by = s.phone});
          }),
    plant("expectation/fate",  // without QUIT nothing is asked (RFC 1939 section 6)
          [](Scene& s) {
            two_ask(s, {.fate = Fate::removed_by_client, .by = s.laptop},
                    {.fate = Fate::removed_by_client, .over = Protocol::pop3, .by = s.pc}, false);
          }),
    plant("expectation/fate",  // RSET unmarks (RFC 1939 section 5)
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t pop = s.downloads(mail), phone = s.watches(s.phone, mail);
            s.dele(pop, 1, mail[0]);
            s.ask(What::rset, pop);
            s.ask(What::quit, pop);
            s.end(pop);
            s.store(phone, "1");
            s.expunge(phone);
            s.fate("1", {.fate = Fate::removed_by_client, .over = Protocol::pop3, .by = s.pc});
            s.audited({});
          }),
    plant("expectation/fate",  // the laptop took the mark away and set its own
          [](Scene& s) { unmarked_in_between(s, "-FLAGS", "\\Deleted"); }),
    plant("expectation/fate", [](Scene& s) { unmarked_in_between(s, "FLAGS", "\\Seen"); }),
    silent("what was deleted over POP3 is asked for, whatever becomes of a mark over IMAP",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t phone = s.watches(s.phone, mail), laptop = s.watches(s.laptop, mail);
             const std::uint32_t pop = s.downloads(mail);
             s.dele(pop, 1, mail[0]);
             s.ask(What::quit, pop);
             s.end(pop);
             s.store(phone, "1");
             s.store(phone, "1", "-FLAGS", "\\Deleted");
             s.store(laptop, "1");
             s.expunge(laptop);
             s.fate("1", {.fate = Fate::removed_by_client, .over = Protocol::pop3, .by = s.pc});
             s.audited({});
           }),
    silent("another flag is taken away from what the phone marked, and the laptop expunges it",
           [](Scene& s) { unmarked_in_between(s, "-FLAGS", "\\Seen"); }),
};

const bool kCopies[] = {
    silent("the device with the only copy is lost",
           [](Scene& s) {
             taken(s);
             vanishes(s, "pc");
             nobody_has_one(s);
             s.audited({});
           }),
    plant("expectation/fate",  // it is still there
          [](Scene& s) {
            taken(s);
            nobody_has_one(s);
            s.audited({});
          }),
    plant("expectation/fate",  // another device was lost
          [](Scene& s) {
            taken(s);
            vanishes(s, "phone");
            nobody_has_one(s);
            s.audited({});
          }),
    silent("a phone that read it keeps nothing once the server's copy is gone",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t hand = s.watches(s.phone, mail);
             const std::uint32_t pop = s.downloads(mail);
             s.dele(pop, 1, mail[0]);
             s.dele(pop, 2, mail[1]);
             s.ask(What::quit, pop);
             s.end(pop);
             for (int i = 0; i < 2; ++i) s.expunged(hand, 1, static_cast<std::uint32_t>(i + 1));
             vanishes(s, "pc");
             nobody_has_one(s);
             s.audited({});
           }),
    plant("expectation/fate",  // a lost device holds no copy
          [](Scene& s) {
            taken(s);
            vanishes(s, "pc");
            s.fate("1", {.fate = Fate::removed_by_client, .over = Protocol::pop3, .by = s.pc, .copy_on = s.pc});
            s.audited({});
          }),
    silent("what a phone has read it has a copy of, until the server's is gone",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             s.watches(s.phone, mail);
             s.fate("1", {.fate = Fate::present, .copy_on = s.phone});
             s.audited(Scene::all(mail));
           }),
    silent("a device that came back after it was lost, and downloaded again",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             s.end(s.downloads(mail), "ours", "dropped");
             vanishes(s, "pc");
             const std::uint32_t again = s.downloads(mail);
             s.ask(What::quit, again);
             s.end(again);
             s.fate("1", {.fate = Fate::present, .copy_on = s.pc});
             s.audited(Scene::all(mail));
           }),
};

TEST(NothingLeft, IsSaidWithWhoRemovedItAndWhatWasLost) {
  Scene scene;
  taken(scene);
  vanishes(scene, "pc");
  nobody_has_one(scene);
  scene.audited({});
  EXPECT_THAT(judge(scene.history, false).note,
              AllOf(HasSubstr("no copy of mail.1, mail.2 is left"), HasSubstr("pc over POP3"),
                    HasSubstr("removed it from the server"), HasSubstr("pc was lost with its own copies")));
}

TEST(NothingLeft, IsNotSaidWhereItIsNotSo) {
  Scene kept;
  taken(kept);
  nobody_has_one(kept);
  kept.audited({});
  EXPECT_EQ(judge(kept.history, false).note, "") << "the device has it";
  Scene on_server;
  const auto mail = on_server.accepted(1);
  on_server.fate("1", {.fate = Fate::present, .nobody_has_copy = true});
  on_server.audited(Scene::all(mail));
  EXPECT_EQ(judge(on_server.history, false).verdict, Verdict::pass);
  EXPECT_EQ(judge(on_server.history, false).note, "") << "no device has one, but the server does";
  Scene unasked;
  taken(unasked);
  vanishes(unasked, "pc");
  unasked.audited({});
  EXPECT_EQ(judge(unasked.history, false).note, "") << "the scenario does not ask";
}

}  // namespace
}  // namespace mailproof::judge
