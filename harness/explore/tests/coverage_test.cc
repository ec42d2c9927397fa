#include "explore/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "history/ledger/tests/ledger_story.h"

namespace mailproof::explore {
namespace {

using history::Event;
using history::Story;
using history::Type;
using history::What;
using testing::Contains;
using testing::Not;
using testing::UnorderedElementsAre;

struct Coverage : testing::Test, Story {
  Coverage() {
    mail = messages(3);
    hand = imap(phone);
    select(hand, "INBOX", 3);
  }
  std::set<std::string_view> reached() const { return states_in(history); }
  void shown(std::uint32_t session) {
    for (std::uint32_t i = 1; i <= mail.size(); ++i) content(session, mail[i - 1], i, i);
  }
  std::vector<std::uint32_t> mail;
  std::uint32_t hand = 0;
};

TEST(States, AreNamedSortedAndFortyAtLeast) {
  EXPECT_GE(states().size(), 40U);
  EXPECT_TRUE(
      std::is_sorted(states().begin(), states().end(), [](const State& a, const State& b) { return a.name < b.name; }));
}

TEST_F(Coverage, NothingHappenedNothingIsReached) { EXPECT_THAT(reached(), UnorderedElementsAre()); }

TEST_F(Coverage, AnExpungeIsToldInIdle) {
  shown(hand);
  const std::uint32_t idle = invoke(What::idle, hand);
  expunged(hand, 1, 1);
  done(idle, Type::ok);
  EXPECT_THAT(reached(), UnorderedElementsAre("expunge-told-in-idle", "expunge-of-other-session"));
}

TEST_F(Coverage, OnesOwnExpungeIsNobodyElses) {
  shown(hand);
  const std::uint32_t expunge = invoke(What::expunge, hand);
  expunged(hand, 1, 1);
  done(expunge, Type::ok);
  EXPECT_THAT(reached(), Not(Contains("expunge-of-other-session")));
  EXPECT_THAT(reached(), Not(Contains("expunge-told-in-idle")));
}

TEST_F(Coverage, TheAuditReachesNothing) {
  audit_begin(1);
  const std::uint32_t look = audit(Protocol::imap, alice, 1);
  select(look, "INBOX", 3);
  const std::uint32_t idle = invoke(What::idle, look);
  expunged(look, 1, 1);
  done(idle, Type::ok);
  EXPECT_THAT(reached(), UnorderedElementsAre());
}

TEST_F(Coverage, APop3SessionGoesOnAcrossAnImapExpunge) {
  shown(hand);
  const std::uint32_t pop = pop3(pc);
  ask(What::expunge, hand, [](Event& e) { e.mailbox = "INBOX"; });
  ask(What::retr, pop);
  EXPECT_THAT(reached(), Contains("pop-across-imap-expunge"));
  ask(What::retr, pop, {}, Type::fail);
  EXPECT_THAT(reached(), Contains("pop-retr-of-expunged"));
}

TEST_F(Coverage, DeleWithoutQuitAndTakenBack) {
  const std::uint32_t pop = pop3(pc);
  ask(What::dele, pop);
  ask(What::rset, pop);
  EXPECT_THAT(reached(), UnorderedElementsAre("maildrop-reset"));
  ask(What::dele, pop);
  end(pop, "ours", "dropped");
  EXPECT_THAT(reached(), UnorderedElementsAre("maildrop-reset", "dele-never-quit"));
}

TEST_F(Coverage, QuitRemovesWhileSomebodyIdles) {
  invoke(What::idle, hand);
  const std::uint32_t pop = pop3(pc);
  ask(What::dele, pop);
  ask(What::quit, pop);
  EXPECT_THAT(reached(), UnorderedElementsAre("pop-delete-while-idle"));
}

TEST_F(Coverage, MailIsRefusedRoomIsMadeAndItIsTaken) {
  deliver(lmtp(), mail[0], alice, Type::fail, 552, "5.2.2", "mailbox is full");
  EXPECT_THAT(reached(), UnorderedElementsAre("quota-refusal"));
  const std::uint32_t pop = pop3(pc);
  ask(What::dele, pop);
  ask(What::quit, pop);
  deliver(lmtp(), mail[0], alice);
  EXPECT_THAT(reached(), UnorderedElementsAre("quota-refusal", "quota-freed-and-filled", "refused-mail-sent-again"));
}

TEST_F(Coverage, OneRecipientIsFullAndTheOtherIsNot) {
  deliver_to(lmtp(), mail[0], {{alice, Type::ok}, {bob, Type::fail, 552, "5.2.2", "full"}});
  EXPECT_THAT(reached(), UnorderedElementsAre("lmtp-mixed-replies", "quota-refusal"));
}

TEST_F(Coverage, ALostAnswerAndTheMailOnceMore) {
  deliver(lmtp(), mail[0], alice, Type::info, 0, "", "connection dropped");
  deliver(lmtp(), mail[0], alice);
  EXPECT_THAT(reached(), UnorderedElementsAre("delivery-cut", "duplicate-after-lost-answer"));
}

TEST_F(Coverage, TwoAtTheSameTime) {
  const std::uint32_t other = imap(laptop);
  select(other, "INBOX", 3);
  const auto in_inbox = [](Event& e) {
    e.mailbox = "INBOX";
    e.set = "1:2";
  };
  const std::uint32_t first = invoke(What::store, hand, in_inbox);
  const std::uint32_t second = invoke(What::store, other, in_inbox);
  done(first, Type::ok);
  done(second, Type::ok);
  EXPECT_THAT(reached(), UnorderedElementsAre("flags-of-two-at-once"));
  const std::uint32_t one = invoke(What::expunge, hand, in_inbox);
  const std::uint32_t two = invoke(What::expunge, other, in_inbox);
  done(one, Type::ok);
  done(two, Type::ok);
  EXPECT_THAT(reached(), UnorderedElementsAre("flags-of-two-at-once", "two-expunge-at-once"));
}

TEST_F(Coverage, ConnectionsAreCutInCommands) {
  ask(What::append, hand, {}, Type::info);
  EXPECT_THAT(reached(), UnorderedElementsAre("append-cut", "command-cut"));
  ask(What::quit, pop3(pc), {}, Type::info);
  EXPECT_THAT(reached(), UnorderedElementsAre("append-cut", "command-cut", "pop-quit-cut"));
}

TEST_F(Coverage, AnotherSessionAsksForWhatIsGone) {
  shown(hand);
  const std::uint32_t other = imap(laptop);
  select(other, "INBOX", 3);
  const std::uint32_t expunge = invoke(What::expunge, hand, [](Event& e) { e.mailbox = "INBOX"; });
  expunged(hand, 1, 1);
  done(expunge, Type::ok);
  const auto first = [](Event& e) {
    e.mailbox = "INBOX";
    e.set = "1";
  };
  ask(What::fetch, other, first);
  ask(What::store, other, first);
  EXPECT_THAT(reached(), testing::AllOf(Contains("fetch-of-expunged"), Contains("store-of-expunged")));
}

TEST_F(Coverage, TheServerStopsWhileSomebodyIdles) {
  invoke(What::idle, hand);
  invoke(What::admin, 0, [](Event& e) { e.code = "kill"; });
  EXPECT_THAT(reached(), UnorderedElementsAre("restart-in-idle"));
}

}  // namespace
}  // namespace mailproof::explore
