// What a device was to look at and was not shown is no pass.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judge/judge.h"
#include "play/talk/tests/checked.h"

namespace mailproof::play {
namespace {

using history::What;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> found(const std::string& steps, const std::string& command, const std::string& answer,
                               std::optional<unsigned> connection = {}) {
  WrongBlock block = instead_of(command, {answer}, kImap);
  block.at = WrongBlock::At::regex;
  block.connection = connection;
  SimRig rig(scenario::parse("id: play.test\ntitle: a test\nneeds: [imap, delivery, lmtp]\naccounts: [alice]\n"
                             "devices: {mta: {delivers: lmtp}, phone: {imap: alice}, laptop: {imap: alice}}\nsteps:\n"
                             "  - mta: {deliver: mail, to: alice, count: 2}\n  - phone: {see: mail, within: 5s}\n" +
                                 steps,
                             "play.yaml"),
             {}, {{{block}}});
  rig.play();
  std::vector<std::string> out;
  for (const auto& finding : judge::judge(rig.player->history(), false).findings)
    out.push_back(finding.id + ": " + finding.actual);
  return out;
}

TEST(RefusedLooks, AQuickResyncWithoutEnableIsNone) {
  for (const std::string how : {"qresync", "condstore"}) {
    const std::string steps =
        "  - laptop: {see: mail, within: 5s}\n  - laptop: {go: offline}\n  - phone: {delete: mail.2}\n"
        "  - laptop: {go: online, resync: " +
        how + "}\n  - laptop: {lose: mail.2, within: 5s}\n";
    EXPECT_THAT(found(steps, "^ENABLE", "${tag} NO [UNAVAILABLE] not now\r\n"),
                Contains(AllOf(HasSubstr("expectation/not-asked"), HasSubstr("is offered, and was answered NO"))))
        << how;
    EXPECT_THAT(found(steps, "^ENABLE NOTHING", ""), IsEmpty()) << how;
  }
}

TEST(RefusedLooks, WhatIsNotShownWasNotCompared) {
  EXPECT_THAT(found("  - laptop: compare\n", "^UID FETCH 1:\\*", "${tag} NO [UNAVAILABLE] cannot read\r\n", 3),
              Contains(AllOf(HasSubstr("expectation/not-asked"), HasSubstr("nothing was compared: NO"))));
  EXPECT_THAT(found("  - laptop: compare\n", "^NOTHING", ""), IsEmpty());
  EXPECT_THAT(found("  - phone: {delete: mail}\n  - laptop: compare\n", "^NOTHING", ""), IsEmpty())
      << "an empty mailbox is nothing to compare";
}

}  // namespace
}  // namespace mailproof::play
