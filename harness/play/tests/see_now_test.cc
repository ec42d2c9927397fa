#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judge/judge.h"
#include "play/tests/sim_rig.h"

// `see` and `lose` are about now: a view that is older than the last change which another device made is refreshed
// first.
namespace mailproof::play {
namespace {

using history::Type;
using history::What;

constexpr const char* kDevices =
    "accounts: [alice]\ndevices: {mta: {delivers: lmtp}, phone: {imap: alice, idle: INBOX}, pc: {pop3: alice}, "
    "tablet: {imap: alice}}\nsteps:\n  - mta: {deliver: invoice, to: alice}\n  - phone: {see: invoice, within: 5s}\n";

TEST(SeeNow, WhatPop3TookAwayIsNotSeen) {
  SimRig rig(std::string(kDevices) +
             "  - pc: {delete: invoice}\n  - pc: quit\n  - phone: {see: invoice, within: 5s}\n");
  rig.play();
  EXPECT_EQ(rig.last(What::see).type, Type::fail);
}

TEST(SeeNow, WhatAnotherImapDeviceExpungedIsNotSeen) {
  SimRig rig(std::string(kDevices) +
             "  - tablet: {see: invoice, within: 5s}\n  - tablet: {delete: invoice, how: expunge}\n"
             "  - phone: {see: invoice, within: 5s}\n");
  rig.play();
  EXPECT_EQ(rig.last(What::see).type, Type::fail);
}

TEST(SeeNow, WhatIsStillThereIsSeen) {
  SimRig rig(std::string(kDevices) +
             "  - pc: {download: new, as: got}\n  - pc: quit\n  - phone: {see: invoice, within: 5s}\n");
  rig.play();
  EXPECT_EQ(rig.last(What::see).type, Type::ok);
}

/// An IMAP server whose every mailbox is empty, for ever, while POP3 has the mail: no other protocol's word makes up
/// for it.
TEST(SeeNow, WhatImapNeverShowsIsMissedAlthoughPop3HasIt) {
  std::vector<WrongBlock> empty;
  for (const char* command : {"SELECT", "EXAMINE"})
    empty.push_back({WrongBlock::At::prefix,
                     Protocol::imap,
                     {},
                     command,
                     {{.kind = WrongAction::Kind::edit, .text = "* 0 EXISTS", .pattern = R"(^\* \d+ EXISTS)"}}});
  SimRig rig(scenario::parse(
                 "id: play.test\ntitle: a test\nneeds: [imap, pop3, delivery, lmtp]\naccounts: [alice]\n"
                 "devices: {mta: {delivers: lmtp}, phone: {imap: alice}, pc: {pop3: alice, after_download: keep}}\n"
                 "steps:\n  - mta: {deliver: mail, to: alice}\n  - pc: {download: new, as: got}\n  - pc: quit\n"
                 "  - phone: {see: mail, within: 5s}\n",
                 "play.yaml"),
             {}, {WrongDialogue{empty}});
  rig.play();
  std::vector<std::string> failed;
  for (const auto& finding : judge::judge(rig.player->history(), false).findings)
    if (finding.severity == judge::Severity::fail) failed.push_back(finding.id);
  EXPECT_THAT(failed, testing::Contains("play.test/agreement/imap-lacks"));
}

}  // namespace
}  // namespace mailproof::play
