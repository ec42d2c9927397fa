#include <gtest/gtest.h>

#include "explore/world_knowledge.h"

namespace mailproof::explore {
namespace {

/// An account without a limit and one with 16 KiB, and four letters of 1 KiB.
struct Known : testing::Test {
  Known() {
    known.accounts.resize(2);
    known.limits.push_back({16 * 1024, 0});
    known.accounts[1].limits = {0};
    for (int i = 1; i <= 4; ++i) known.letters.push_back({"mail", i, 1024, {0}, false});
  }
  Sure there(std::size_t letter, const std::string& mailbox = "INBOX", std::size_t account = 0) const {
    const Held* held = known.accounts[account].find(mailbox, letter);
    return held == nullptr ? Sure::no : held->there;
  }
  Knowledge known;
};

TEST_F(Known, WhatIsPutThereIsThereUntilItIsTaken) {
  known.put(0, "INBOX", 0, Sure::yes);
  EXPECT_EQ(there(0), Sure::yes);
  known.take(0, "INBOX", 0, Sure::yes);
  EXPECT_EQ(there(0), Sure::no);
  known.put(0, "INBOX", 0, Sure::yes);
  known.take(0, "INBOX", 0, Sure::yes);
  EXPECT_EQ(there(0), Sure::maybe) << "a device that knows of the first copy only takes the first one";
}

TEST_F(Known, NearALimitNothingIsSure) {
  for (std::size_t i = 0; i < 4; ++i) known.put(1, "INBOX", i, Sure::yes);
  EXPECT_EQ(there(3, "INBOX", 1), Sure::yes);
  known.filled(1);
  known.put(1, "Archive", 0, Sure::yes);
  EXPECT_EQ(there(0, "Archive", 1), Sure::maybe);
  EXPECT_EQ(known.accounts[1].exists("Archive"), Sure::maybe);
}

TEST_F(Known, AnExpungeTakesWhatIsMarkedForSure) {
  known.put(0, "INBOX", 0, Sure::yes);
  known.put(0, "INBOX", 1, Sure::yes);
  known.set_flag(0, "INBOX", 0, "deleted", true, Sure::yes);
  known.expunge(0, "INBOX", Sure::yes);
  EXPECT_EQ(there(0), Sure::no);
  EXPECT_EQ(there(1), Sure::yes);
}

TEST_F(Known, WhatTwoDoAtOnceNobodyKnowsTheEndOf) {
  known.put(0, "INBOX", 0, Sure::yes);
  known.put(0, "INBOX", 1, Sure::yes);
  known.begin_together();
  known.next_child();
  known.take(0, "INBOX", 0, Sure::yes);
  known.next_child();
  known.set_flag(0, "INBOX", 0, "seen", true, Sure::yes);
  known.set_flag(0, "INBOX", 1, "seen", true, Sure::yes);
  known.end_together();
  EXPECT_EQ(there(0), Sure::maybe);
  EXPECT_EQ(there(1), Sure::yes);
  EXPECT_EQ(known.accounts[0].find("INBOX", 1)->flag("seen"), Sure::yes);
}

TEST_F(Known, WhatStartsBesideSomebodyWhoTakesAllIsNotSure) {
  known.put(0, "INBOX", 0, Sure::yes);
  known.begin_together();
  known.next_child();
  known.put(0, "INBOX", 1, Sure::yes);
  known.next_child();
  known.touch_all(0);
  known.end_together();
  EXPECT_EQ(there(0), Sure::yes) << "nobody touched it";
  EXPECT_EQ(there(1), Sure::maybe);
}

TEST_F(Known, AMailboxThatTwoMakeAtOnceMayRefuseOneOfThem) {
  known.put(0, "INBOX", 0, Sure::yes);
  known.put(0, "INBOX", 1, Sure::yes);
  known.begin_together();
  for (std::size_t letter = 0; letter < 2; ++letter) {
    known.next_child();
    known.put(0, "New", letter, Sure::yes);
  }
  known.end_together();
  EXPECT_EQ(there(0, "New"), Sure::maybe);
  EXPECT_EQ(there(1, "New"), Sure::maybe);
}

TEST_F(Known, WhatComesAtOnceMayTakeTheRoomOfTheOther) {
  known.limits.push_back({64 * 1024, 0});
  known.accounts[0].limits.push_back(known.limits.size() - 1);
  known.letters[0].octets = 8 * 1024;
  known.letters[1].octets = 50 * 1024;
  known.begin_together();
  for (std::size_t letter = 0; letter < 2; ++letter) {
    known.next_child();
    known.put(0, "INBOX", letter, Sure::yes);
  }
  known.end_together();
  EXPECT_EQ(there(0), Sure::maybe);
  EXPECT_EQ(there(1), Sure::maybe);
}

TEST_F(Known, AfterACutNothingOfTheStepIsSure) {
  known.put(0, "INBOX", 0, Sure::yes);
  known.put(0, "INBOX", 1, Sure::yes);
  known.watch();
  known.put(0, "New", 0, Sure::yes);
  known.take(0, "INBOX", 0, Sure::yes);
  known.doubt_touched();
  EXPECT_EQ(there(0), Sure::maybe);
  EXPECT_EQ(there(0, "New"), Sure::maybe);
  EXPECT_EQ(known.accounts[0].exists("New"), Sure::maybe);
  EXPECT_EQ(there(1), Sure::yes);
}

TEST_F(Known, ARenamedMailboxKeepsWhatIsInIt) {
  known.put(0, "Work", 0, Sure::yes);
  known.rename(0, "Work", "Work 2027");
  EXPECT_EQ(there(0, "Work"), Sure::no);
  EXPECT_EQ(there(0, "Work 2027"), Sure::yes);
  EXPECT_EQ(known.accounts[0].exists("Work"), Sure::no);
  known.remove(0, "Work 2027");
  EXPECT_EQ(there(0, "Work 2027"), Sure::no);
}

}  // namespace
}  // namespace mailproof::explore
