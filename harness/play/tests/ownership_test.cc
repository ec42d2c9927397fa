#include "play/ownership.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "play/earlier.h"
#include "play/tests/look_alikes.h"

namespace mailproof::play {
namespace {

constexpr std::uint64_t kPlaying = 0xa1b2c3d4e5f60718;

struct World {
  history::History history;
  Messages messages{history, 11, kPlaying, "Thu, 01 Jan 2026 00:00:00 +0000"};
  mail::MessageSpec ours, other;

  World() {
    const auto made = messages.make({"mail"}, 0, "a@example.test", "alice@example.test");
    mail::ContentScanner scanner;
    scanner.begin();
    scanner.add(*made.text);
    scanner.end();
    ours.token = *scanner.token();
    ours.from = "a@example.test";
    ours.to = "alice@example.test";
    ours.set = "mail";
    ours.date = "Thu, 01 Jan 2026 00:00:00 +0000";
    other = ours;
    other.token.run ^= 0xff;
    other.date = "Thu, 01 Jan 2025 00:00:00 +0000";
  }

  Identity of(std::string_view text, std::size_t piece = 0) const {
    mail::ContentScanner scanner;
    scanner.begin();
    for (std::size_t i = 0; piece != 0 && i < text.size(); i += piece) scanner.add(text.substr(i, piece));
    if (piece == 0) scanner.add(text);
    scanner.end();
    return identify(messages, scanner);
  }
};

TEST(Ownership, LookAlikesAreWhatTheyAre) {
  const World world;
  for (const LookAlike& mail : look_alikes(world.ours, world.other)) {
    EXPECT_EQ(world.of(mail.text).whose, mail.whose) << mail.what;
    EXPECT_EQ(world.of(mail.text).message, mail.whose == Whose::ours ? 1U : 0U) << mail.what;
    const std::string header = mail.text.substr(0, mail.text.find("\r\n\r\n") + 4);
    EXPECT_EQ(world.of(header).whose, mail.whose) << mail.what << ": its header alone says the same";
  }
}

TEST(Ownership, AReportOfAnEarlierScenarioOfTheSameRunIsOurs) {
  constexpr std::uint64_t kBefore = 0x0badcafe12345678;
  const World world;
  mail::Token before = world.ours.token;
  before.run = kBefore;
  const std::string report = fmt::format(
      "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\nReferences: {}\r\n\r\n--x--\r\n",
      before.message_id());
  EXPECT_EQ(world.of(report).whose, Whose::maybe_report) << "of a run that nobody here knows";
  note_played(kBefore);
  EXPECT_EQ(world.of(report).whose, Whose::report);
  EXPECT_FALSE(made_before("<0badcafe12345678.1.00000000@example.org>"));
  EXPECT_FALSE(made_before("<0badcafe>"));
  EXPECT_EQ(newest_played(1), std::vector<std::string>{"0badcafe12345678"});
}

TEST(Ownership, HoweverItComesInPieces) {
  const World world;
  for (const LookAlike& mail : look_alikes(world.ours, world.other))
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{64}})
      EXPECT_EQ(world.of(mail.text, piece).whose, mail.whose) << mail.what;
}

TEST(Ownership, AHeaderOfAMegabyteIsNotOursForWhatStandsBehindIt) {
  const World world;
  std::string text;
  while (text.size() < 1024 * 1024) text += "X-Filler: " + std::string(900, 'x') + "\r\n";
  text += std::string(mail::kTokenHeader) + ": " + world.ours.token.text() + "\r\n\r\n";
  EXPECT_EQ(world.of(text).whose, Whose::foreign);
}

constexpr Identity kOurs{Whose::ours, 1}, kForeign{}, kReport{Whose::maybe_report, 0};

TEST(OwnMailboxNames, OnlyMailboxesWithTheNumberOfAPlayingAreOurs) {
  const World world;
  const std::string ours = own_mailbox_name(world.messages);
  EXPECT_EQ(ours, "mailproof-a1b2c3d4e5f60718");
  for (const std::string& name : {ours, ours + "-2", ours + "/a", "INBOX." + ours, "INBOX/" + ours + "/a",
                                  std::string("mailproof-0000000000000001"),
                                  // "yet others coerce names to a particular case" (RFC 3501 section 5.1)
                                  std::string("MAILPROOF-A1B2C3D4E5F60718/A")})
    EXPECT_TRUE(named_as_ours(name)) << name;
  for (const char* name :
       {"INBOX", "mailproof-", "mailproof-notes", "mailproof-a1b2c3d4e5f6071", "mailproof-A1B2C3D4E5F60718",
        "notmailproof-a1b2c3d4e5f60718", "mailproof-a1b2c3d4e5f6071x", ""})
    EXPECT_FALSE(named_as_ours(name)) << name;
  EXPECT_EQ(named_as_ours(ours + "/a")->name(), ours + "/a");
}

TEST(ImapGuard, OnlyWhatWasSeenToBeOursIsOwned) {
  ImapGuard guard(false);
  guard.opened("INBOX", 7);
  guard.saw(1, kOurs);
  guard.saw(2, kForeign);
  guard.saw(3, kReport);
  guard.saw(4, {Whose::leftover, 0});
  EXPECT_EQ(guard.owned({4, 3, 2, 1, 5, 0, 1}).set(), "1,4");
  guard.is_about_us(3);
  guard.is_about_us(2);
  EXPECT_EQ(guard.owned({1, 2, 3, 4}).set(), "1,3:4") << "a search makes a report ours, not a letter";
  EXPECT_TRUE(guard.owned({1}).of("INBOX", 7));
  EXPECT_FALSE(guard.owned({1}).of("INBOX", 8));
  EXPECT_FALSE(guard.owned({1}).of("Archive", 7));
}

TEST(ImapGuard, WhatIsShownInTwoWaysIsForeignFromThenOn) {
  ImapGuard guard(false);
  guard.opened("INBOX", 7);
  guard.saw(1, kOurs);
  guard.saw(1, kForeign);
  EXPECT_TRUE(guard.owned({1}).empty());
  guard.saw(1, kOurs);
  EXPECT_TRUE(guard.owned({1}).empty());
}

TEST(ImapGuard, ARowThatNobodyAskedForProvesNothing) {
  ImapGuard guard(false);
  guard.opened("INBOX", 7);
  guard.asking_from(10);
  guard.saw(3, kOurs);
  guard.saw(10, kOurs);
  EXPECT_EQ(guard.owned({3, 10}).set(), "10");
}

TEST(ImapGuard, ASelectForgetsEverything) {
  ImapGuard guard(false);
  guard.opened("INBOX", 7);
  guard.saw(1, kOurs);
  guard.opened("INBOX", 7);
  EXPECT_TRUE(guard.owned({1}).empty());
}

TEST(ImapGuard, NothingIsExpungedWhileForeignMailBearsDeleted) {
  ImapGuard guard(false);
  guard.opened("INBOX", 7);
  guard.saw(1, kOurs);
  guard.saw(2, kForeign);
  EXPECT_TRUE(guard.may_expunge(2, {{1, true}, {2, false}}));
  EXPECT_FALSE(guard.may_expunge(2, {{1, true}, {2, true}}));
  EXPECT_FALSE(guard.may_expunge(3, {{1, true}, {2, false}})) << "one of three was not told of";
  EXPECT_FALSE(guard.may_expunge(3, {{1, true}, {2, false}, {9, true}})) << "nobody looked at 9";
}

TEST(ImapGuard, TheUsersWordIsEnough) {
  ImapGuard guard(true);
  guard.opened("INBOX", 7);
  EXPECT_EQ(guard.owned({1, 2}).set(), "1:2");
  EXPECT_FALSE(guard.is_ours(1));
}

TEST(Pop3Guard, OnlyWhatWasSeenToBeOursIsOwned) {
  Pop3Guard guard(false);
  guard.saw(1, kOurs);
  guard.saw(2, kForeign);
  guard.saw(3, kReport);
  EXPECT_TRUE(guard.owned(1));
  EXPECT_FALSE(guard.owned(2));
  EXPECT_FALSE(guard.owned(3));
  EXPECT_FALSE(guard.owned(4)) << "nobody looked";
  guard.saw(1, kForeign);
  EXPECT_FALSE(guard.owned(1)) << "RETR showed another one than TOP";
  EXPECT_TRUE(Pop3Guard(true).owned(4));
}

}  // namespace
}  // namespace mailproof::play
