#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "play/tests/sim_rig.h"

namespace mailproof::play {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A device that is such a client, with what its owner does. What it said and heard in all of its sessions.
std::string played(const std::string& device, const std::string& steps) {
  SimRig rig(fmt::format(
      "accounts: [alice]\ndevices: {{mta: {{delivers: any}}, it: {}}}\nsteps:\n  - mta: {{deliver: mail, to: alice, "
      "count: 3}}\n{}",
      device, steps));
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  std::string out;
  const auto& history = rig.player->history();
  for (std::size_t i = 0; i < history.sessions().size(); ++i)
    if (history.sessions()[i].device == 2) out += rig.player->logs()[i]->all();
  for (const auto& event : history.events())
    EXPECT_FALSE(event.type == history::Type::fail && event.command == 0) << event.text;
  return out;
}

TEST(DeviceWithAProfile, FetchesWhatItsClientFetches) {
  EXPECT_THAT(played("{imap: alice, profile: thunderbird-android}", "  - it: {see: mail, within: 5s}\n"),
              AllOf(HasSubstr("BODY.PEEK[]<0.131072>"), HasSubstr(" IDLE")));
  EXPECT_THAT(played("{imap: alice, profile: ios-mail}", "  - it: {see: mail, within: 5s}\n"),
              AllOf(HasSubstr("BODYSTRUCTURE"), Not(HasSubstr("(UID BODY.PEEK[])"))));
}

TEST(DeviceWithAProfile, LogsInForEachClickAndLooksAsOftenAsItsClient) {
  const std::string said =
      played("{imap: alice, profile: roundcube}", "  - it: {see: mail, within: 2m}\n  - it: {read: mail.1}\n");
  EXPECT_THAT(said, AllOf(HasSubstr("\\Seen"), HasSubstr("BODYSTRUCTURE"), Not(HasSubstr(" IDLE"))));
  std::size_t logins = 0;
  for (std::size_t at = said.find("LOGOUT"); at != std::string::npos; at = said.find("LOGOUT", at + 1)) ++logins;
  EXPECT_GE(logins, 2U);
}

TEST(DeviceWithAProfile, DeletesAsItsClientDoes) {
  const std::string remove = "  - it: {see: mail, within: 40m}\n  - it: {delete: mail.2}\n";
  EXPECT_THAT(played("{imap: alice, profile: outlook-imap}", remove),
              AllOf(HasSubstr("\\Deleted"), Not(HasSubstr("EXPUNGE ")), Not(HasSubstr("UID MOVE"))));
  EXPECT_THAT(played("{imap: alice, profile: apple-mail}", remove), HasSubstr("UID MOVE"));
  EXPECT_THAT(played("{imap: alice, profile: mutt}", remove),
              AllOf(HasSubstr("\\Deleted"), HasSubstr(" EXPUNGE"), Not(HasSubstr("UID EXPUNGE"))));
}

TEST(DeviceWithAProfile, OfPop3LeavesOrTakes) {
  for (const auto& [profile, deletes] : {std::pair("outlook-pop-14days", false), std::pair("pop-delete", true)}) {
    const std::string said = played(fmt::format("{{pop3: alice, profile: {}}}", profile),
                                    "  - it: {download: new, as: got}\n  - it: quit\n");
    EXPECT_EQ(said.find("DELE") != std::string::npos, deletes) << profile;
  }
}

}  // namespace
}  // namespace mailproof::play
