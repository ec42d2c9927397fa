#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "play/tests/sim_rig.h"

namespace mailproof::play {
namespace {

using history::Fate;
using history::Type;
using history::What;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kStory = R"(
accounts: [alice]
devices:
  mta:   {delivers: lmtp}
  agent: {delivers: command}
  phone: {imap: alice}
  pc:    {pop3: alice, after_download: keep}
  taker: {pop3: alice, after_download: delete}
  tidy:  {pop3: alice, after_download: {delete_after: 14 days}}
steps:
)";

SimRig story(const std::string& steps) { return SimRig(std::string(kStory) + steps); }

TEST(Pop3See, WhatIsThereIsSeenAtTheFirstLookAndTheMaildropIsLeftUnlocked) {
  auto rig = story(
      "  - mta: {deliver: mail, to: alice, count: 3}\n"
      "  - pc: {see: mail.1-2, within: 10s}\n"
      "  - taker: {download: all, as: got}\n");
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_THAT(rig.told(What::see), ElementsAre("expect  pc: {see: mail.1-2, within: 10s}", "ok  "));
  EXPECT_EQ(rig.logins("pc"), 1);
  EXPECT_LT(rig.took(), 1s);
}

/// The first attempt breaks off in the middle of the message; the second takes its time.
TEST(Pop3See, LooksOnceASecondUntilItIsThere) {
  auto rig = story(
      "  - mta: {deliver: mail, to: alice, cut: after 20 bytes}\n"
      "  - together:\n"
      "      - pc: {see: mail, within: 10s}\n"
      "      - agent: {retry: mail}\n");
  rig.admin->takes = 2500ms;
  rig.admin->answer = [&](const AdminRequest& request) {
    put_into(*rig.server, request.address, *request.input, rig.network->now());
    return AdminReply{};
  };
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_EQ(rig.last(What::see).type, Type::ok);
  EXPECT_EQ(rig.logins("pc"), 4) << "a maildrop is as it was at login: each look is a session";
  EXPECT_GT(rig.took(), 3s);
  EXPECT_LT(rig.took(), 4s);
}

TEST(Pop3See, WhatDoesNotComeIsMissedAtTheBoundWithWhatWasMissing) {
  auto rig = story(
      "  - mta: {deliver: came, to: alice}\n"
      "  - mta: {deliver: lost, to: alice, cut: after 20 bytes}\n"
      "  - phone: {upload: came, to: Archive}\n"
      "  - pc: {see: lost, within: 2500ms}\n");
  rig.play();
  const auto& missed = rig.last(What::see);
  EXPECT_EQ(missed.type, Type::fail);
  EXPECT_THAT(history::parse_numbers(missed.set), ElementsAre(2U));
  EXPECT_EQ(rig.logins("pc"), 4) << "at 0, 1 and 2 seconds, and at the bound";
  EXPECT_GE(rig.took(), 2500ms);
  EXPECT_LT(rig.took(), 2700ms);
}

TEST(Pop3See, AMaildropThatCannotBeOpenedSaysNothingAboutTheMail) {
  auto rig = story(
      "  - mta: {deliver: mail, to: alice}\n"
      "  - pc: {see: mail, within: 5s}\n");
  rig.options.baseline = false;
  rig.ports->closed = {110};
  rig.play();
  EXPECT_EQ(rig.last(What::see).type, Type::info);
  EXPECT_THAT(rig.problem(), HasSubstr("connection refused"));
  EXPECT_LT(rig.took(), 1s) << "only a maildrop in use is worth another look";
}

TEST(Pop3See, AMaildropThatSomebodyElseHasIsTriedAgainUntilTheBound) {
  auto rig = story(
      "  - mta: {deliver: mail, to: alice}\n"
      "  - taker: {connect: now}\n"
      "  - pc: {see: mail, within: 2500ms}\n");
  rig.play();
  EXPECT_EQ(rig.last(What::see).type, Type::info);
  EXPECT_THAT(rig.problem(), HasSubstr("IN-USE"));
  EXPECT_GE(rig.took(), 2500ms);
  EXPECT_EQ(std::count_if(rig.player->history().sessions().begin(), rig.player->history().sessions().end(),
                          [](const auto& session) { return session.label.starts_with("pc#"); }),
            4)
      << "at 0, 1 and 2 seconds, and at the bound";
}

TEST(Pop3Advance, OnlyTheClientsOwnCalendarMoves) {
  auto rig = story(
      "  - mta: {deliver: mail, to: alice}\n"
      "  - tidy: {download: new, as: got}\n"
      "  - tidy: quit\n"
      "  - tidy: {advance: 13 days}\n"
      "  - tidy: {download: new, as: none}\n"
      "  - tidy: quit\n");
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_EQ(rig.fate(1), Fate::present) << "a day too early";
  EXPECT_LT(rig.took(), 1s) << "nothing waits";
}

TEST(Pop3Advance, AfterItsTimeWhatWasDownloadedGoes) {
  for (const std::string days :
       {"  - tidy: {advance: 14 days}\n", "  - tidy: {advance: 6 days}\n  - tidy: {advance: 8 days}\n"}) {
    auto rig = story(
        "  - mta: {deliver: mail, to: alice}\n"
        "  - tidy: {download: new, as: got}\n"
        "  - tidy: quit\n" +
        days +
        "  - mta: {deliver: later, to: alice}\n"
        "  - tidy: {download: new, as: fresh}\n"
        "  - tidy: quit\n");
    rig.play();
    EXPECT_EQ(rig.fate(1), Fate::expired_by_client_policy);
    EXPECT_EQ(rig.fate(2), Fate::present) << "its days begin now";
  }
}

TEST(Pop3Advance, AnotherDevicesCalendarStays) {
  auto rig = story(
      "  - mta: {deliver: mail, to: alice}\n"
      "  - tidy: {download: new, as: got}\n"
      "  - tidy: quit\n"
      "  - pc: {advance: 30 days}\n"
      "  - tidy: {download: new, as: none}\n"
      "  - tidy: quit\n");
  rig.play();
  EXPECT_EQ(rig.fate(1), Fate::present);
}

TEST(Pop3Vanish, WhatWasMarkedAndNotSignedOffStays) {
  auto rig = story(
      "  - mta: {deliver: mail, to: alice, count: 2}\n"
      "  - taker: {download: all, as: got}\n"
      "  - taker: vanish\n");
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_EQ(rig.fate(1), Fate::present);
  EXPECT_EQ(rig.fate(2), Fate::present);
  EXPECT_THAT(rig.told(What::vanish), ElementsAre("obs  taker"));
}

TEST(Pop3Vanish, ItForgetsWhatItHadDownloaded) {
  auto rig = story(
      "  - mta: {deliver: mail, to: alice, count: 2}\n"
      "  - pc: {download: new, as: first}\n"
      "  - pc: quit\n"
      "  - pc: {download: new, as: second}\n"
      "  - pc: quit\n"
      "  - pc: vanish\n"
      "  - pc: {download: new, as: third}\n"
      "  - pc: quit\n");
  rig.play();
  std::vector<std::string> outcomes;
  for (const auto& line : rig.told(What::downloaded))
    if (!line.starts_with("expect")) outcomes.push_back(line);
  EXPECT_THAT(outcomes, ElementsAre("ok  2 of 2 messages downloaded", "ok  0 of 0 messages downloaded",
                                    "ok  2 of 2 messages downloaded"));
}

TEST(ImapVanish, TheDeviceIsGoneAndItsAccountIsNot) {
  auto rig = story(
      "  - mta: {deliver: mail, to: alice}\n"
      "  - phone: {see: mail, within: 5s}\n"
      "  - phone: vanish\n"
      "  - pc: {see: mail, within: 5s}\n");
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_THAT(rig.told(What::vanish), ElementsAre("obs  phone"));
  EXPECT_EQ(rig.fate(1), Fate::present);
}

std::vector<std::string> appended(const SimRig& rig) {
  std::vector<std::string> out;
  const auto& history = rig.player->history();
  for (const auto& e : history.events())
    if (e.what == What::append && e.type == Type::invoke)
      out.push_back(history.message(e.message).name() + " to " + e.mailbox);
  return out;
}

TEST(Upload, PutsTheSameMessagesBackByteForByte) {
  auto rig = story(
      "  - mta: {deliver: mail, to: alice, count: 3, kind: eight-bit}\n"
      "  - taker: {download: all, as: local}\n"
      "  - taker: quit\n"
      "  - phone: {upload: local.1-2}\n"
      "  - phone: {see: local.1-2, within: 5s}\n");
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_THAT(appended(rig), ElementsAre("mail.1 to INBOX", "mail.2 to INBOX"));
  EXPECT_EQ(rig.last(What::see).type, Type::ok);
  EXPECT_EQ(rig.fate(1), Fate::present);
  EXPECT_EQ(rig.fate(3), Fate::removed_by_client);
  int read_again = 0;
  const auto& history = rig.player->history();
  for (const auto& e : history.events()) {
    if (e.what != What::message || e.message == 0 || e.code != "full") continue;
    EXPECT_EQ(e.hash, history.message(e.message).hash);
    read_again += e.step == 0 ? 1 : 0;
  }
  EXPECT_GE(read_again, 2) << "the audit read what was put back";
}

TEST(Upload, AMailboxThatIsMissingIsMadeFirst) {
  auto rig = story(
      "  - mta: {deliver: mail, to: alice, count: 2}\n"
      "  - phone: {upload: mail, to: Old PC}\n"
      "  - phone: {see: mail, in: Old PC, within: 5s}\n");
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_EQ(rig.last(What::see).type, Type::ok);
  EXPECT_THAT(appended(rig), ElementsAre("mail.1 to Old PC", "mail.1 to Old PC", "mail.2 to Old PC"));
  EXPECT_EQ(rig.told(What::create).size(), 2U) << "once, and its answer";
}

SimRig on_server_that(const char* latitude, const std::string& steps) {
  return SimRig(std::string(kStory) + steps,
                [latitude](server::ServerOptions& options) { options.latitudes = {latitude}; });
}

/// RFC 1939 section 6: the server replies to QUIT, and then releases the lock.
TEST(Pop3Lock, AMaildropThatIsNotFreeYetAfterQuitIsAskedForOnceMore) {
  auto rig = on_server_that("pop3.lock-released-after-reply",
                            "  - mta: {deliver: mail, to: alice}\n"
                            "  - pc: {download: all, as: got}\n"
                            "  - pc: quit\n"
                            "  - taker: {download: all, as: more}\n"
                            "  - taker: quit\n"
                            "  - pc: {connect: now}\n");
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_EQ(rig.last(What::welcome).type, Type::ok);
  EXPECT_EQ(rig.fate(1), Fate::removed_by_client);
}

TEST(Pop3Policy, DaysAreCountedByUniqueIdsAndWithoutThemTheStoryIsNotForThatServer) {
  auto rig = on_server_that("pop3.no-uidl",
                            "  - mta: {deliver: mail, to: alice}\n"
                            "  - tidy: {download: all, as: got}\n"
                            "  - tidy: quit\n");
  rig.play();
  EXPECT_THAT(rig.problem(), HasSubstr("knows it again by UIDL"));
  EXPECT_THAT(rig.told(What::not_applicable), testing::SizeIs(1));
}

/// RFC 1939 section 7: UIDL is optional, and without CAPA (RFC 2449) nobody says so.
TEST(Pop3Listing, AServerWithoutCapaAndUidlIsListedAllTheSame) {
  SimRig rig(scenario::parse("id: play.test\ntitle: a test\nneeds: [imap, pop3, delivery, lmtp, admin]\n" +
                                 std::string(kStory) +
                                 "  - mta: {deliver: mail, to: alice}\n"
                                 "  - pc: {download: all, as: got}\n"
                                 "  - pc: quit\n",
                             "play.yaml"),
             [](server::ServerOptions& options) { options.latitudes = {"pop3.no-uidl"}; },
             {{{{.at = WrongBlock::At::line,
                 .protocol = Protocol::pop3,
                 .text = "CAPA",
                 .actions = {{.kind = WrongAction::Kind::say, .text = "-ERR unknown command\r\n"}}}}}});
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_EQ(rig.last(What::downloaded).type, Type::ok) << rig.last(What::downloaded).text;
}

/// RFC 3206 section 4: what was not marked stays, and nobody owes its removal.
TEST(Pop3Delete, WhatIsRefusedIsNotDone) {
  auto rig = on_server_that("pop3.dele-refused",
                            "  - mta: {deliver: mail, to: alice}\n"
                            "  - taker: {download: all, as: got}\n"
                            "  - taker: quit\n");
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_THAT(rig.told(What::undone), testing::Contains(HasSubstr("refused-removal DELE was answered")));
  EXPECT_EQ(rig.fate(1), Fate::present);
}

}  // namespace
}  // namespace mailproof::play
