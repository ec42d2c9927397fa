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

/// POP3 takes it away two seconds after the phone saw it: `for` says that it stays.
TEST(SeeFor, WhatGoesInTheMeantimeDoesNotStay) {
  SimRig rig(std::string(kDevices) +
             "  - together:\n      - phone: {see: invoice, for: 5s}\n      - mta: {deliver: other, to: alice}\n"
             "      - pc: {delete: invoice}\n  - pc: quit\n");
  rig.play();
  EXPECT_EQ(rig.last(What::see).type, Type::ok);  // DELE alone takes nothing away
  SimRig gone(std::string(kDevices) +
              "  - tablet: {see: invoice, within: 5s}\n  - together:\n      - phone: {see: invoice, for: 5s}\n"
              "      - tablet: {delete: invoice, how: expunge}\n");
  gone.play();
  EXPECT_EQ(gone.last(What::see).type, Type::fail);
  EXPECT_EQ(gone.last(What::see).code, "went");
  std::vector<std::string> failed;
  for (const auto& finding : judge::judge(gone.player->history(), false).findings) failed.push_back(finding.id);
  EXPECT_THAT(failed, testing::ElementsAre("play.test/expectation/did-not-stay"));
}

TEST(SeeFor, ADeviceThatPollsAndOneOfPop3LookAgainAndAgain) {
  for (const char* device : {"phone", "tablet", "pc"}) {
    SimRig stays(std::string(kDevices) + "  - " + device + ": {see: invoice, for: 5s}\n");
    stays.play();
    EXPECT_EQ(stays.last(What::see).type, Type::ok) << device;
    EXPECT_GE(stays.took(), std::chrono::seconds(5)) << device;
  }
  SimRig polls(std::string(kDevices) +
               "  - tablet: {see: invoice, within: 5s}\n  - together:\n      - tablet: {see: invoice, for: 5s}\n      "
               "- phone: {delete: invoice}\n");
  polls.play();
  EXPECT_EQ(polls.last(What::see).code, "went");
  SimRig pop(
      "accounts: [alice]\ndevices: {mta: {delivers: lmtp}, web: {imap: alice, kind: webmail}, pc: {pop3: alice}}\n"
      "steps:\n  - mta: {deliver: invoice, to: alice}\n  - pc: {see: invoice, within: 5s}\n"
      "  - together:\n      - pc: {see: invoice, for: 5s}\n      - web: {delete: invoice}\n");
  pop.play();
  EXPECT_EQ(pop.last(What::see).code, "went");
}

/// Of two messages the second has the lower UID, below those that were told before: EXISTS counts one that no UID above
/// the highest shows. Whoever asks for what is new may be told of the last message again ("5:*"), and that is no news.
TEST(SeeNow, WhatNoNewUidShowsIsNotAskedForWithoutEnd) {
  SimRig rig(
      "accounts: [alice]\ndevices: {mta: {delivers: lmtp}, phone: {imap: alice, idle: INBOX}}\nsteps:\n"
      "  - mta: {deliver: mail, to: alice, count: 4}\n  - phone: {see: mail, within: 60s}\n",
      [](server::ServerOptions& options) { options.defects.insert("imap.late-uid"); });
  rig.play();
  std::size_t asked = 0;
  for (const auto& e : rig.player->history().events()) asked += e.type == Type::invoke && e.what == What::fetch ? 1 : 0;
  EXPECT_LT(asked, 200U) << "in a minute of waiting";
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
