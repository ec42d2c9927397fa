// A device that is held to what it was told, while another changes the same mailbox.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

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

// Who lists flags reads nothing: two devices that catch up at once do not excuse each other's.
TEST(BesideChanges, WhoListsFlagsMeanwhileHasChangedNone) {
  SimRig rig =
      with_three_devices(3,
                         "  - tablet: {see: mail, within: 10s}\n  - laptop: {go: offline}\n  - tablet: {go: offline}\n"
                         "  - phone: {flag: mail.2}\n  - together:\n      - laptop: {go: online, resync: qresync}\n"
                         "      - tablet: {go: online, resync: condstore}\n",
                         [](server::ServerOptions& options) { options.defects = {"imap.modseq-stays"}; });
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  const auto told = rig.told(What::agree);
  EXPECT_EQ(std::count_if(told.begin(), told.end(), [](const auto& line) { return line.starts_with("fail delta"); }), 2)
      << testing::PrintToString(told);
}

/// The laptop is away while the phone flags mail.2, then `together`. The server tells it no flags, and, of that change,
/// no HIGHESTMODSEQ.
SimRig with_highest_behind(const std::string& meanwhile) {
  const auto story = [&](std::vector<WrongDialogue> dialogues) {
    return SimRig(
        scenario::parse(fmt::format("id: test.behind\nneeds: [imap, delivery]\naccounts: [alice]\n"
                                    "devices: {{mta: {{delivers: any}}, phone: {{imap: alice}}, laptop: {{imap: "
                                    "alice}}}}\nsteps:\n"
                                    "  - mta: {{deliver: mail, to: alice, count: 3}}\n  - laptop: {{see: mail}}\n"
                                    "  - phone: {{see: mail}}\n  - laptop: {{go: offline}}\n{}"
                                    "  - laptop: {{go: online, resync: qresync}}\n",
                                    meanwhile),
                        "behind.yaml"),
        {}, std::move(dialogues));
  };
  SimRig right = story({});
  right.play();
  EXPECT_EQ(right.last(What::agree).type, Type::ok) << right.last(What::agree).text;
  std::uint64_t cursor = 0;
  for (const auto& e : right.player->history().events())
    if (e.what == What::select && e.type == Type::invoke)
      cursor = std::max(cursor, e.get<history::SelectFacts>().highestmodseq);
  WrongBlock block;
  block.at = WrongBlock::At::regex;
  block.protocol = Protocol::imap;
  block.text = "QRESYNC \\(";
  block.actions = {{.kind = WrongAction::Kind::edit,
                    .text = fmt::format("* OK [HIGHESTMODSEQ {}] Highest", cursor),
                    .pattern = R"(^\* (\d+ FETCH .*|OK \[HIGHESTMODSEQ \d+\] Highest))"}};
  SimRig rig = story({{{block}}});
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  return rig;
}

// RFC 7162 section 3.1.2.1: HIGHESTMODSEQ is that of all messages in the mailbox.
TEST(BesideChanges, WhatIsAboveHighestmodseqIsOwedWhereItWasStoredBefore) {
  const SimRig stored = with_highest_behind("  - phone: {flag: mail.2}\n");
  EXPECT_EQ(stored.last(What::agree).type, Type::fail) << stored.last(What::agree).text;
  EXPECT_EQ(stored.last(What::agree).code, "delta");
  // What was read may be set when the server likes, or again.
  const SimRig read = with_highest_behind("  - phone: {read: mail.2}\n");
  EXPECT_EQ(read.last(What::agree).type, Type::info) << read.last(What::agree).text;
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
