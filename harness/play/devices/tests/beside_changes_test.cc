// A device that is held to what it was told, while another changes the same mailbox.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judge/judge.h"
#include "play/tests/sim_rig.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;

std::vector<std::string> accused(const SimRig& rig) {
  std::vector<std::string> out;
  for (const auto& finding : judge::judge(rig.player->history(), false).findings) out.push_back(finding.id);
  return out;
}

SimRig with_three_devices(int mail, const std::string& steps,
                          const std::function<void(server::ServerOptions&)>& with = {}) {
  return SimRig(
      fmt::format("accounts: [alice]\n"
                  "devices: {{mta: {{delivers: any}}, phone: {{imap: alice}}, web: {{imap: alice, kind: "
                  "webmail}}, tablet: {{imap: alice}}, laptop: {{imap: alice}}}}\nsteps:\n"
                  "  - mta: {{deliver: mail, to: alice, count: {}}}\n  - laptop: {{see: mail, within: 10s}}\n{}",
                  mail, steps),
      with);
}

// RFC 7162 section 3.2.5 owes what had changed by the SELECT: what others read while all is listed came later.
TEST(BesideChanges, WhatIsReadDuringTheListingIsNoPartOfTheResync) {
  for (const char* resync : {"qresync", "condstore"})
    for (int mail = 3; mail < 9; ++mail) {
      SimRig rig = with_three_devices(
          mail, fmt::format("  - laptop: {{go: offline}}\n  - phone: {{flag: mail.2}}\n  - together:\n"
                            "      - laptop: {{go: online, resync: {}}}\n      - web: {{read: mail.1}}\n"
                            "      - tablet: {{read: mail.3}}\n",
                            resync));
      rig.play();
      EXPECT_EQ(rig.problem(), "");
      EXPECT_THAT(accused(rig), testing::IsEmpty()) << resync << " of " << mail;
      EXPECT_EQ(rig.last(What::agree).type, Type::ok) << rig.last(What::agree).text;
    }
}

TEST(BesideChanges, WhatAResyncDoesNotTellIsStillMissed) {
  SimRig rig = with_three_devices(3,
                                  "  - laptop: {go: offline}\n  - phone: {flag: mail.2}\n"
                                  "  - laptop: {go: online, resync: qresync}\n",
                                  [](server::ServerOptions& options) { options.defects = {"imap.modseq-stays"}; });
  rig.play();
  EXPECT_EQ(rig.last(What::agree).type, Type::fail);
  EXPECT_EQ(rig.last(What::agree).code, "delta");
}

// RFC 2180 sections 4.1.1 and 4.3: SEARCH may find what the session was not told is gone.
TEST(BesideChanges, SearchIsAboutNow) {
  const auto keeps = [](server::ServerOptions& options) { options.latitudes = {"imap.ghosts-are-deleted"}; };
  SimRig gone =
      with_three_devices(3, "  - phone: {delete: mail.3}\n  - laptop: {search: ALL, finds: mail.1-2}\n", keeps);
  gone.play();
  EXPECT_EQ(gone.last(What::found).type, Type::ok) << gone.last(What::found).text;
  SimRig going =
      with_three_devices(3,
                         "  - phone: {see: mail, within: 10s}\n  - together:\n      - phone: {delete: mail.3}\n"
                         "      - laptop: {search: ALL, finds: mail.1-2}\n",
                         keeps);
  going.play();
  EXPECT_EQ(going.last(What::found).type, Type::info) << going.last(What::found).text;
}

}  // namespace
}  // namespace mailproof::play
