#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "judge/judge.h"
#include "play/tests/sim_rig.h"

namespace mailproof::play {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A device that is such a client, with what its owner does. What it said in all of its sessions.
std::string played(const std::string& device, const std::string& steps) {
  SimRig rig(
      fmt::format("accounts: [alice]\ndevices: {{mta: {{delivers: any}}, it: {}, eye: {{imap: alice}}}}\nsteps:\n"
                  "  - mta: {{deliver: mail, to: alice, count: 3}}\n  - eye: {{see: mail}}\n{}",
                  device, steps));
  rig.options.alone = true;  // beside others an EXPUNGE names what is ours
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  std::string out;
  const auto& history = rig.player->history();
  for (std::size_t i = 0; i < history.sessions().size(); ++i) {
    if (history.sessions()[i].device != 2) continue;
    std::istringstream log(rig.player->logs()[i]->all());
    for (std::string line; std::getline(log, line);)
      if (line.find(" C: ") != std::string::npos) out += line + "\n";
  }
  for (const auto& event : history.events())
    EXPECT_FALSE(event.type == history::Type::fail && event.command == 0) << event.text;
  return out;
}

TEST(DeviceWithAProfile, FetchesWhatItsClientFetches) {
  EXPECT_THAT(played("{imap: alice, profile: thunderbird-android}", "  - it: {see: mail, within: 5s}\n"),
              AllOf(HasSubstr("(UID BODY.PEEK[])"), HasSubstr(" IDLE")));
  EXPECT_THAT(played("{imap: alice, profile: ios-mail}", "  - it: sync\n"),
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

/// What changes between two looks is seen in time: it looks once more before the wait is over.
TEST(DeviceWithAProfile, LooksOnceMoreBeforeAWaitIsOver) {
  SimRig rig(
      "accounts: [alice]\n"
      "devices: {mta: {delivers: any}, eye: {imap: alice}, it: {imap: alice, profile: roundcube}}\nsteps:\n"
      "  - mta: {deliver: mail, to: alice, count: 3}\n"
      "  - together:\n"
      "      - eye: {delete: mail, how: expunge}\n"
      "      - it: {lose: mail, within: 1m}\n");
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_EQ(judge::judge(rig.player->history(), false).verdict, judge::Verdict::pass);
  EXPECT_GT(rig.took(), std::chrono::seconds(58)) << "all was gone at its first look: this shows nothing";
  EXPECT_LT(rig.took(), std::chrono::seconds(60));
}

TEST(DeviceWithAProfile, DeletesAsItsClientDoes) {
  const std::string remove = "  - it: sync\n  - it: {delete: mail.2}\n";
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

/// A large message and two small ones, and what a client of this kind makes of them.
judge::Verdict judged(const std::string& device, const std::string& steps, const std::string& defect = "") {
  SimRig rig(fmt::format("accounts: [alice]\ndevices: {{mta: {{delivers: any}}, it: {}}}\nsteps:\n"
                         "  - mta: {{deliver: mail, to: alice, count: 2}}\n"
                         "  - mta: {{deliver: large, to: alice, size: 300KiB}}\n{}",
                         device, steps),
             [&](server::ServerOptions& options) {
               if (!defect.empty()) options.defects = {defect};
             });
  rig.play();
  EXPECT_EQ(rig.problem(), "") << device;
  return judge::judge(rig.player->history(), false).verdict;
}

// Some header fields, the beginning of a text, two things at once: none of that is a message that is not what was sent.
TEST(DeviceWithAProfile, TakesNoPartForTheWhole) {
  const std::string all =
      "  - it: {see: mail, within: 3m}\n  - it: {see: large, within: 3m}\n  - it: {read: mail}\n"
      "  - it: {read: large}\n  - it: {delete: mail.2}\n";
  for (const char* profile : {"thunderbird", "thunderbird-android", "roundcube", "outlook-imap", "apple-mail"})
    EXPECT_EQ(judged(fmt::format("{{imap: alice, profile: {}}}", profile), all), judge::Verdict::pass) << profile;
}

TEST(DeviceWithAProfile, SeesWhatIsWrongWithTheWhole) {
  const std::string see = "  - it: {see: mail, within: 5s}\n  - it: {see: large, within: 5s}\n";
  for (const char* profile : {"thunderbird", "thunderbird-android", "outlook-imap"})
    EXPECT_EQ(judged(fmt::format("{{imap: alice, profile: {}}}", profile), see, "imap.fetch-other-body"),
              judge::Verdict::fail)
        << profile;
}

}  // namespace
}  // namespace mailproof::play
