// Conversations are cut at every octet, and begin in the middle: what is heard is the same, or less, never another
// thing.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "import/observe/recording.h"

namespace mailproof::imports {
namespace {

using history::Event;
using history::Type;
using history::What;

struct Said {
  bool server;
  std::string text;
};
using Dialogue = std::vector<Said>;

constexpr std::chrono::milliseconds kStep{1};

/// Told in pieces of at most so many octets.
std::unique_ptr<Recording> heard(const Dialogue& dialogue, Protocol protocol, std::size_t piece,
                                 Begin begin = Begin::greeting, const std::string& user = "") {
  auto recording = std::make_unique<Recording>(history::HistoryInfo{});
  Conversation about;
  about.protocol = protocol;
  about.server = "127.0.0.1:1";
  about.begin = begin;
  about.user = user;
  const auto observer = recording->watch(about);
  Time now{};
  for (const auto& [server, text] : dialogue) {
    for (std::size_t at = 0; at < text.size(); at += piece) {
      const auto octets = std::string_view(text).substr(at, piece);
      now += kStep;
      if (server)
        observer->server(octets, now);
      else
        observer->client(octets, now);
    }
  }
  observer->end(EndReason::closed, false, now);
  return recording;
}

/// Without times and places: "ok fetch INBOX 1:2".
std::vector<std::string> told(const Recording& recording) {
  std::vector<std::string> out;
  for (const Event& e : recording.history.events())
    out.push_back(fmt::format("{} {} {} u{} s{} m{} {} {} {} {}", history::name(e.type), history::name(e.what),
                              e.mailbox, e.uid, e.seq, e.message, e.set, e.flags, e.code, e.text));
  return out;
}

std::size_t count(const Recording& recording, What what, Type type) {
  std::size_t out = 0;
  for (const Event& e : recording.history.events()) out += e.what == what && e.type == type ? 1 : 0;
  return out;
}

const std::string kMail = "Message-ID: <1@example.test>\r\nSubject: Hallo\r\n\r\nText.\r\n";

Dialogue imap() {
  const std::string literal = fmt::format("{{{}}}\r\n", kMail.size());
  return {
      {true, "* OK [CAPABILITY IMAP4rev1] ready\r\n"},
      {false, "a1 LOGIN alice {9}\r\n"},
      {true, "+ go on\r\n"},
      {false, "s3cret pw\r\n"},
      {true, "a1 OK [CAPABILITY IMAP4rev1 MOVE] Logged in\r\n"},
      {false, "a2 SELECT inbox\r\n"},
      {true, "* FLAGS (\\Seen)\r\n* 2 EXISTS\r\n* OK [UIDVALIDITY 77] ok\r\n* OK [UIDNEXT 9] next\r\na2 OK done\r\n"},
      {false, "a3 FETCH 1:2 (UID FLAGS BODY.PEEK[])\r\na4 STORE 2 +FLAGS (\\Deleted)\r\n"},
      {true, "* 1 FETCH (UID 4 FLAGS () BODY[] " + literal + kMail + ")\r\n* 2 FETCH (UID 8 FLAGS (\\Seen) BODY[] " +
                 literal + kMail + ")\r\na3 OK done\r\n"},
      {false, "a4 STORE 2 +FLAGS (\\Deleted)\r\n"},
      {true, "* 2 FETCH (FLAGS (\\Deleted))\r\na4 OK done\r\n"},
      {false, "a5 APPEND \"Entw&APw-rfe\" (\\Draft) " + literal},
      {true, "+ go on\r\n"},
      {false, kMail + "\r\n"},
      {true, "a5 OK [APPENDUID 5 1] done\r\n"},
      {false, "a6 IDLE\r\n"},
      {true, "+ idling\r\n* 2 EXPUNGE\r\n"},
      {false, "DONE\r\n"},
      {true, "a6 OK done\r\n"},
      {false, "a7 LOGOUT\r\n"},
      {true, "* BYE now\r\na7 OK bye\r\n"}};
}

TEST(ImapObserver, HearsWhatIsAskedAndTold) {
  const auto recording = heard(imap(), Protocol::imap, 4096);
  EXPECT_THAT(told(*recording),
              testing::IsSupersetOf(
                  {"ok connect  u0 s0 m0    ", "ok select INBOX u0 s0 m0    done",
                   "invoke store INBOX u0 s0 m0 8 \\Deleted +FLAGS ", "obs message INBOX u4 s1 m1   full ",
                   "obs message INBOX u8 s2 m1   full ", "invoke append Entw\xc3\xbcrfe u0 s0 m1    ",
                   "ok append Entw\xc3\xbcrfe u1 s0 m1   APPENDUID done", "obs expunged INBOX u8 s2 m0    "}));
  EXPECT_EQ(recording->history.info.accounts.front().name, "alice");
  EXPECT_EQ(recording->history.events().back().flags, "clean");
  EXPECT_EQ(recording->logs().front()->all().find("s3cret"), std::string::npos);
  EXPECT_EQ(count(*recording, What::deviation, Type::obs), 0U) << testing::PrintToString(told(*recording));
}

TEST(ImapObserver, WhateverUidThereMayBeIsWhatIsThere) {
  auto dialogue = imap();
  dialogue[10].text.insert(0, "* 2 FETCH (FLAGS ())\r\na4 OK done\r\n");
  dialogue[9].text = "a4 UID STORE 1:4294967295 +FLAGS (\\Deleted)\r\n";
  EXPECT_THAT(told(*heard(dialogue, Protocol::imap, 4096)),
              testing::Contains("invoke store INBOX u0 s0 m0 4,8 \\Deleted +FLAGS "));
}

TEST(ImapObserver, HearsTheSameWhereverItIsCut) {
  const auto whole = told(*heard(imap(), Protocol::imap, 4096));
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 19U}) EXPECT_EQ(told(*heard(imap(), Protocol::imap, piece)), whole);
}

TEST(ImapObserver, FromTheMiddleOnItTellsNothingThatItDoesNotKnow) {
  const Dialogue all = imap();
  for (std::size_t from = 1; from < all.size(); ++from) {
    const auto recording = heard({all.begin() + static_cast<std::ptrdiff_t>(from), all.end()}, Protocol::imap, 4096,
                                 Begin::middle, "alice");
    EXPECT_EQ(count(*recording, What::deviation, Type::obs), 0U) << from << testing::PrintToString(told(*recording));
    for (const Event& e : recording->history.events())
      EXPECT_TRUE(e.uid == 0 || e.what != What::message || e.uidvalidity == 77U) << from;
  }
}

TEST(ImapObserver, ALiteralThatIsRefusedIsNoCommand) {
  for (const bool waits : {true, false}) {
    Dialogue dialogue = {
        {true, "* PREAUTH hello alice\r\n"},
        {false, fmt::format("a1 APPEND INBOX {{5{}}}\r\n{}", waits ? "" : "+", waits ? "" : "12345\r\n")}};
    if (waits) dialogue.push_back({true, "a1 NO [OVERQUOTA] full\r\n"});
    if (!waits) dialogue.push_back({true, "a1 NO [OVERQUOTA] full\r\n"});
    dialogue.push_back({false, "a2 SELECT INBOX\r\n"});
    dialogue.push_back({true, "* 0 EXISTS\r\na2 OK done\r\n"});
    const auto recording = heard(dialogue, Protocol::imap, 4096);
    EXPECT_EQ(count(*recording, What::select, Type::ok), 1U) << waits << testing::PrintToString(told(*recording));
    EXPECT_EQ(count(*recording, What::deviation, Type::obs), 0U);
  }
}

TEST(ImapObserver, BehindStarttlsItIsBlind) {
  const auto recording = heard({{true, "* OK ready\r\n"},
                                {false, "a1 STARTTLS\r\n"},
                                {true, "a1 OK begin\r\n"},
                                {false, "\x16\x03\x01 a2 LOGIN x y\r\n"},
                                {true, "\x16\x03\x03 something\r\n"}},
                               Protocol::imap, 4096);
  EXPECT_EQ(recording->history.events().back().code, "blind");
  EXPECT_EQ(count(*recording, What::deviation, Type::obs), 0U);
}

Dialogue pop3() {
  return {
      {true, "+OK ready <1.2@example.test>\r\n"},
      {false, "CAPA\r\n"},
      {true, "+OK\r\nTOP\r\nUIDL\r\n.\r\n"},
      {false, "USER alice\r\n"},
      {true, "+OK\r\n"},
      {false, "PASS s3cret pw\r\n"},
      {true, "+OK 2 messages\r\n"},
      {false, "STAT\r\nLIST\r\nUIDL\r\nRETR 1\r\n"},
      {true, "+OK 2 120\r\n+OK\r\n1 60\r\n2 60\r\n.\r\n+OK\r\n1 u1\r\n2 u2\r\n.\r\n+OK\r\n" + kMail + "..dot\r\n.\r\n"},
      {false, "DELE 1\r\n"},
      {true, "+OK\r\n"},
      {false, "RETR 9\r\nQUIT\r\n"},
      {true, "-ERR no such message\r\n+OK bye\r\n"}};
}

TEST(Pop3Observer, HearsTheSameWhereverItIsCut) {
  const auto recording = heard(pop3(), Protocol::pop3, 4096);
  const auto whole = told(*recording);
  EXPECT_THAT(whole, testing::IsSupersetOf({"obs pop-uidl INBOX u0 s2 m0    u2", "obs message INBOX u0 s1 m1   full u1",
                                            "invoke dele INBOX u0 s1 m1    u1", "ok quit INBOX u0 s0 m0    bye",
                                            "fail retr INBOX u0 s9 m0    no such message"}));
  EXPECT_EQ(recording->logs().front()->all().find("s3cret"), std::string::npos);
  EXPECT_EQ(recording->history.message(1).message_id, "<1@example.test>");
  for (const std::size_t piece : {1U, 2U, 5U, 31U}) EXPECT_EQ(told(*heard(pop3(), Protocol::pop3, piece)), whole);
}

TEST(Pop3Observer, BehindTheLoginTheFirstReplyIsThatOfTheLogin) {
  const auto recording = heard({{true, "+OK Logged in.\r\n"}, {false, "STAT\r\n"}, {true, "+OK 0 0\r\n"}},
                               Protocol::pop3, 4096, Begin::login, "alice");
  EXPECT_EQ(count(*recording, What::stat, Type::ok), 1U);
  EXPECT_EQ(count(*recording, What::deviation, Type::obs), 0U);
}

Dialogue lmtp() {
  return {{true, "220 hello\r\n"},
          {false, "LHLO here\r\n"},
          {true, "250-there\r\n250 PIPELINING\r\n"},
          {false,
           "MAIL FROM:<x@y>\r\nRCPT TO:<alice@example.test>\r\nRCPT TO:<bob@example.test>\r\nRCPT "
           "TO:<eve@example.test>\r\nDATA\r\n"},
          {true, "250 ok\r\n250 ok\r\n550 5.1.1 no bob\r\n250 ok\r\n354 go on\r\n"},
          {false, kMail + "..dot\r\n.\r\n"},
          {true, "250 2.0.0 saved\r\n452 4.2.2 full\r\n"},
          {false, "QUIT\r\n"},
          {true, "221 bye\r\n"}};
}

TEST(SmtpObserver, HearsOneAnswerForEachRecipient) {
  const auto recording = heard(lmtp(), Protocol::lmtp, 4096);
  const auto whole = told(*recording);
  EXPECT_THAT(whole, testing::IsSupersetOf({"invoke deliver  u0 s0 m1    lmtp", "ok deliver  u0 s0 m1   2.0.0 saved",
                                            "fail deliver  u0 s0 m1  at-rcpt 5.1.1 no bob"}))
      << testing::PrintToString(whole);
  EXPECT_EQ(count(*recording, What::deliver, Type::fail), 2U);
  EXPECT_EQ(recording->history.info.accounts.size(), 3U);
  for (const std::size_t piece : {1U, 2U, 5U, 31U}) EXPECT_EQ(told(*heard(lmtp(), Protocol::lmtp, piece)), whole);
}

TEST(SmtpObserver, OneAnswerTooManyIsNoticed) {
  Dialogue dialogue = lmtp();
  dialogue[6].text += "250 2.0.0 saved again\r\n";
  const auto recording = heard(dialogue, Protocol::lmtp, 4096);
  EXPECT_THAT(told(*recording), testing::Contains(testing::HasSubstr("lmtp.replies.extra")));
}

}  // namespace
}  // namespace mailproof::imports
