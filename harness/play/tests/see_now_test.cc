#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace mailproof::play
