// What was seen to be empty when one scenario had ended is not looked at again by the next one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "play/tests/sim_rig.h"

namespace mailproof::play {
namespace {

using history::What;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

scenario::Loaded check(const std::string& mailbox, const std::string& line) {
  return scenario::parse("id: imap.9051-6\ntitle: t\nneeds: [imap]\n" + mailbox +
                             "checks:\n  - id: one\n    level: MUST\n    title: it is so\n    talk: |\n"
                             "      connect: imap selected\n      C: " +
                             line + "\n      S: OK\n",
                         "check.yaml");
}

/// As in a run: what it put there it takes away.
struct OfRun {
  explicit OfRun(const std::string& mailbox = "", const std::string& line = "NOOP") : rig(check(mailbox, line)) {
    rig.options.load = true;
  }
  const OfRun& play() {
    rig.play();
    return *this;
  }
  SimRig rig;
};

const std::string kThree = "mailbox: {messages: 3}\n";

TEST(SeenEmpty, ByWhoPutNothingThereAndByWhoTookItAway) {
  for (const std::string& mailbox : {std::string(), kThree}) {
    OfRun run(mailbox);
    run.play();
    EXPECT_EQ(run.rig.problem(), "");
    ASSERT_TRUE(run.rig.player->left_empty()) << mailbox;
    const auto& [mailboxes, at] = *run.rig.player->left_empty();
    EXPECT_THAT(mailboxes.at(1), Contains("inbox"));
    if (mailbox.empty()) {
      EXPECT_EQ(at, run.rig.player->history().events().front().at) << "when the look began";
    }
  }
}

TEST(SeenEmpty, IsNotLookedAtAgain) {
  OfRun first(kThree);
  first.play();
  OfRun next(kThree);
  next.rig.options.seen_empty = &*first.rig.player->left_empty();
  next.play();
  EXPECT_EQ(next.rig.problem(), "");
  EXPECT_THAT(first.rig.told(What::baseline), Not(IsEmpty()));
  EXPECT_THAT(next.rig.told(What::baseline), ElementsAre(HasSubstr("seen-before all mailboxes")));
  EXPECT_EQ(next.rig.player->mailboxes_before(), first.rig.player->mailboxes_before());
  EXPECT_THAT(next.rig.told(What::talk), Contains(HasSubstr("OK")));
  EXPECT_TRUE(next.rig.player->left_empty());
}

/// Who puts nothing there hands on what was seen, and when.
TEST(SeenEmpty, IsAsOldAsTheLookItself) {
  const SeenEmpty seen{{{1, {"inbox"}}}, Time{} - std::chrono::seconds(5)};
  OfRun run;
  run.rig.options.seen_empty = &seen;
  run.play();
  ASSERT_TRUE(run.rig.player->left_empty());
  EXPECT_EQ(run.rig.player->left_empty()->at, seen.at);
  EXPECT_EQ(run.rig.player->left_empty()->mailboxes, seen.mailboxes);
}

TEST(SeenEmpty, NotWhereSomebodysMailIs) {
  OfRun run(kThree);
  put_into(*run.rig.server, run.rig.leased[0].address,
           "From: a@example.test\r\nMessage-ID: <1@example.test>\r\nSubject: Lunch\r\n\r\nAt noon?\r\n",
           run.rig.network->now());
  run.play();
  EXPECT_THAT(run.rig.problem(), HasSubstr("not ours"));
  EXPECT_FALSE(run.rig.player->left_empty());
}

/// What a server says that it refused it may have done.
TEST(SeenEmpty, NotWhereSomethingMayHaveBeenPutThere) {
  OfRun run("",
            "NOOP\n      S: OK\n      C: APPEND nowhere ${literal:Subject: x\\r\\n\\r\\n}\n      S: NO\n      C: NOOP");
  run.play();
  EXPECT_THAT(run.rig.told(What::talk), Contains(HasSubstr("NO")));
  EXPECT_FALSE(run.rig.player->left_empty());
}

/// A check's own mailboxes were deleted, and nobody has looked since.
TEST(SeenEmpty, NotWhereMailboxesWereMade) {
  OfRun run("", "CREATE ${box}");
  run.rig.scenario.check->own = {"box"};
  run.play();
  EXPECT_EQ(run.rig.problem(), "");
  EXPECT_THAT(run.rig.told(What::talk), Not(IsEmpty()));
  EXPECT_FALSE(run.rig.player->left_empty());
}

TEST(SeenEmpty, NotByAStory) {
  SimRig rig(
      "accounts: [alice]\ndevices: {mta: {delivers: any}, phone: {imap: alice}}\nsteps:\n  - mta: {deliver: mail, to: "
      "alice}\n");
  rig.options.load = true;
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_FALSE(rig.player->left_empty());
}

}  // namespace
}  // namespace mailproof::play
