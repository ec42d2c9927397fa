#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <limits>

#include "core/rng.h"
#include "import/read/log_time.h"
#include "import/read/overheard.h"

namespace mailproof::imports {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr ClockTime kNewest = std::chrono::seconds(1'795'961'161);  // 2026-11-29

constexpr std::string_view kThunderbird =
    "2026-11-22 10:15:01.000000 UTC - [Parent 812: IMAP]: I/IMAP 7f9fdc166b00:mail.test:NA:CreateNewLineFromSocket: * "
    "OK "
    "ready\r\n"
    "2026-11-22 10:15:01.100000 UTC - [Parent 812: IMAP]: I/IMAP 7f9fdc166b00:mail.test:NA:SendData: Logging "
    "suppressed "
    "for this command (it probably contained authentication information)\r\n"
    "2026-11-22 10:15:01.200000 UTC - [Parent 812: IMAP]: I/IMAP 7f9fdc166b00:mail.test:A:CreateNewLineFromSocket: 2 "
    "OK "
    "Logged in\r\n"
    "2026-11-22 10:15:02.104113 UTC - [Parent 812: IMAP]: I/IMAP 7f9fdc166b00:mail.test:A:SendData: 5 select "
    "\"INBOX\"\r\n"
    "2026-11-22 10:15:02.110000 UTC - [Parent 812: IMAP]: D/IMAP ReadNextLine [rv=0x0 stream=7f]\n"
    "2026-11-22 10:15:02.118220 UTC - [Parent 812: IMAP]: I/IMAP "
    "7f9fdc166b00:mail.test:S-INBOX:CreateNewLineFromSocket: "
    "* 1 EXISTS\r\n"
    "2026-11-22 10:15:02.118230 UTC - [Parent 812: IMAP]: I/IMAP "
    "7f9fdc166b00:mail.test:S-INBOX:CreateNewLineFromSocket: "
    "* OK [UIDVALIDITY 7] and so\n"
    "2026-11-22 10:15:02.118231 UTC - [Parent 812: IMAP]: I/IMAP  on\r\n"
    "2026-11-22 10:15:02.118240 UTC - [Parent 812: IMAP]: I/IMAP "
    "7f9fdc166b00:mail.test:S-INBOX:CreateNewLineFromSocket: "
    "5 OK [READ-WRITE] done\r\n";

constexpr std::string_view kMailKit =
    "Connected to imap://mail.test:143/?starttls=when-available\r\nS: * OK ready\r\nC: A1 LOGIN alice ********\r\n"
    "S: A1 OK Logged in\r\nC: A2 SELECT INBOX\r\nS: * 1 EXISTS\r\nS: * OK [UIDVALIDITY 7] x\r\nS: A2 OK done\r\n"
    "C: A3 UID FETCH 5 (UID BODY.PEEK[])\r\nS: * 1 FETCH (UID 5 BODY[] {27}\r\nS: Message-ID: <1@x>\r\nS: \r\n"
    "S: Hi\r\nS: \r\nS: )\r\nS: A3 OK done\r\n";

constexpr std::string_view kJavaMail =
    "DEBUG: Jakarta Mail version 1.6.5\n"
    "DEBUG IMAP: trying to connect to host \"mail.test\", port 143, isSSL false\n* OK ready\n"
    "DEBUG IMAP: protocolConnect login, host=mail.test, user=alice, password=<non-null>\n"
    "DEBUG IMAP: AUTHENTICATE PLAIN command trace suppressed\n"
    "DEBUG IMAP: AUTHENTICATE PLAIN command result: A0 OK Logged in\n"
    "A1 SELECT INBOX\n* 1 EXISTS\n* OK [UIDVALIDITY 7] x\nA1 OK [READ-WRITE] done\n"
    "A2 UID FETCH 5 (UID BODY.PEEK[])\n* 1 FETCH (UID 5 BODY[] {35}\nMessage-ID: <1@x>\n\nA1 OK no\nHi\n)\nA2 OK done\n"
    "A3 APPEND Sent {19+}\nMessage-ID: <2@x>\n\nA3 OK [APPENDUID 9 12] done\n";

constexpr std::string_view kPopState = "# POP3 State File\n\n*mail.test alice\nk 000000036b0c2bb5 1795342502\nd 4 0\n";

constexpr std::string_view kDovecot =
    "Nov 29 14:05:00 imap-login: Info: Login: user=<alice>, method=PLAIN\n"
    "Nov 29 14:05:00 lmtp(alice@example.test)<1><s>: Info: msgid=<1@x>: saved mail to INBOX\n"
    "Nov 29 14:05:01 imap(alice@example.test)<2><s>: Info: copy from INBOX: box=Archive, uid=4, msgid=<1@x>, size=9\n"
    "Nov 29 14:05:02 pop3(alice@example.test)<3><s>: Info: expunge: box=INBOX, uid=1, msgid=<1@x>, size=1022\n";

constexpr std::string_view kExim =
    "2026-11-29 14:05:00 1xkzJL-0001Vo-1f <= bob@example.test H=x P=esmtp S=900 id=1@x\n"
    "2026-11-29 14:05:00 1xkzJL-0001Vo-1f => alice <alice@example.test> R=hosted T=dovecot C=\"250 2.0.0 Saved\"\n"
    "2026-11-29 14:05:01 1xkzJM-0001Vo-1f ** carol@example.test R=hosted: 552 5.2.2 full\n"
    "2026-11-29 14:05:01 1xkzJL-0001Vo-1f Completed\n";

constexpr std::string_view kPostfix =
    "Nov 29 14:05:00 vm postfix/smtpd[1]: 4XYZ: client=x[127.0.0.1]\n"
    "Nov 29 14:05:00 vm postfix/cleanup[1]: 4XYZ: message-id=<1@x>\n"
    "Nov 29 14:05:01 vm postfix/lmtp[2]: 4XYZ: to=<alice@example.test>, relay=y, dsn=5.2.2, status=bounced (host said: "
    "552)\n"
    "Nov 29 14:05:01 vm postfix/local[2]: 4XYZ: to=<info@example.test>, relay=local, dsn=2.0.0, status=sent (forwarded "
    "as 4ABC)\n"
    "Nov 29 14:05:01 vm postfix/qmgr[2]: 4XYZ: removed\n";

using Read = Result<std::vector<Overheard>> (*)(const std::string&, const std::string&);
Result<std::vector<Overheard>> read_log(const std::string& path, const std::string& text) {
  return read_server_log(path, text, kNewest);
}

struct Form {
  const char* name;
  std::string_view text;
  Read read;
  bool (*is)(std::string_view);
};
constexpr Form kForms[] = {{"thunderbird", kThunderbird, read_thunderbird_log, is_thunderbird_log},
                           {"mailkit", kMailKit, read_mailkit_log, is_mailkit_log},
                           {"javamail", kJavaMail, read_javamail_log, is_javamail_log},
                           {"popstate", kPopState, read_popstate, is_popstate},
                           {"dovecot", kDovecot, read_log, is_server_log},
                           {"exim", kExim, read_log, is_server_log},
                           {"postfix", kPostfix, read_log, is_server_log}};

std::vector<Overheard> read_all(std::string_view text, Read read) {
  auto out = read("file", std::string(text));
  EXPECT_TRUE(out) << out.error().message();
  return out ? *out : std::vector<Overheard>();
}

std::vector<std::string> said(const Overheard& log) {
  std::vector<std::string> out;
  for (const Logged& line : log.logged)
    out.push_back(line.said.code + " " + line.said.user + " " + line.said.message_id);
  return out;
}

std::size_t events_of(const Recording& recording, history::What what, history::Type type) {
  std::size_t out = 0;
  for (const auto& e : recording.history.events()) out += e.what == what && e.type == type ? 1 : 0;
  return out;
}

TEST(Readers, EachFormIsKnownByItsText) {
  for (const Form& form : kForms)
    for (const Form& other : kForms)
      EXPECT_EQ(other.is(form.text), form.read == other.read) << form.name << " as " << other.name;
}

TEST(Readers, ThunderbirdsLogBeginsBehindTheLogin) {
  const auto all = read_all(kThunderbird, read_thunderbird_log);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].about.begin, Begin::login);
  EXPECT_EQ(all[0].about.server, "mail.test");
  ASSERT_EQ(all[0].pieces.size(), 5U);
  EXPECT_EQ(all[0].pieces[1].text, "5 select \"INBOX\"\r\n");
  EXPECT_EQ(all[0].pieces[3].text, "* OK [UIDVALIDITY 7] and so on\r\n");
  EXPECT_EQ(all[0].pieces[1].at - all[0].pieces[0].at, std::chrono::microseconds(904'113));
  Recording recording({});
  replay(all, recording);
  EXPECT_EQ(events_of(recording, history::What::select, history::Type::ok), 1U);
}

TEST(Readers, MailKitsLogHasTheLogin) {
  const auto all = read_all(kMailKit, read_mailkit_log);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].about.begin, Begin::greeting);
  EXPECT_EQ(all[0].about.server, "mail.test:143");
  Recording recording({});
  replay(all, recording);
  ASSERT_EQ(recording.history.messages().size(), 1U);
  EXPECT_EQ(recording.history.messages().front().message_id, "<1@x>");
  EXPECT_EQ(recording.history.info.accounts.front().login, "alice");
}

TEST(Readers, JavaMailsLogTellsNobodysLiteralForAReply) {
  const auto all = read_all(kJavaMail, read_javamail_log);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].about.begin, Begin::login);
  EXPECT_EQ(all[0].about.user, "alice");
  EXPECT_EQ(all[0].about.server, "mail.test:143");
  Recording recording({});
  replay(all, recording);
  EXPECT_EQ(events_of(recording, history::What::fetch, history::Type::ok), 1U);
  EXPECT_EQ(events_of(recording, history::What::append, history::Type::ok), 1U);
  EXPECT_EQ(events_of(recording, history::What::deviation, history::Type::obs), 0U);
  ASSERT_EQ(recording.history.messages().size(), 2U);
}

TEST(Readers, WhatThunderbirdRemembersIsToldInTheEnd) {
  const auto all = read_all(kPopState, read_popstate);
  ASSERT_EQ(all.size(), 1U);
  ASSERT_EQ(all[0].logged.size(), 2U);
  EXPECT_TRUE(all[0].logged[0].in_the_end);
  EXPECT_EQ(all[0].logged[0].said.uidl, "000000036b0c2bb5");
  EXPECT_THAT(all[0].logged[0].said.text, HasSubstr("taken, and left on the server; known since 2026-11-22"));
  EXPECT_EQ(all[0].logged[1].said.code, "to-be-deleted");
}

TEST(Readers, LogsOfServersTellWhichMessageAndWhose) {
  EXPECT_THAT(said(read_all(kDovecot, read_log).at(0)),
              ElementsAre("delivered alice@example.test <1@x>", "copied alice@example.test <1@x>",
                          "expunged alice@example.test <1@x>"));
  // Which message the other one is, nobody said.
  EXPECT_THAT(said(read_all(kExim, read_log).at(0)),
              ElementsAre("accepted  <1@x>", "delivered alice@example.test <1@x>"));
  EXPECT_THAT(said(read_all(kPostfix, read_log).at(0)),
              ElementsAre("accepted  <1@x>", "bounced alice@example.test <1@x>"));
}

TEST(Readers, AWitnessIsToldBesideAndChangesNothing) {
  Recording recording({});
  auto all = read_all(kMailKit, read_mailkit_log);
  for (auto& piece : all[0].pieces) piece.at += kNewest;
  const auto log = read_all(kDovecot, read_log);
  all.insert(all.end(), log.begin(), log.end());
  replay(all, recording);
  EXPECT_EQ(recording.history.messages().size(), 1U);
  EXPECT_EQ(recording.history.info.accounts.size(), 1U) << "alice and alice@example.test are one";
  EXPECT_EQ(events_of(recording, history::What::observed, history::Type::obs), 3U);
  for (const auto& e : recording.history.events())
    if (e.what == history::What::observed) {
      EXPECT_EQ(e.message, 1U);
    }
}

TEST(Readers, TimesOfLogs) {
  const auto at = [](std::string_view line) {
    const auto time = take_log_time(line, kNewest);
    return time ? std::chrono::duration_cast<std::chrono::milliseconds>(*time).count() : -1;
  };
  EXPECT_EQ(at("2026-11-29T14:06:01.250+00:00 x"), 1'795'961'161'250);
  EXPECT_EQ(at("2026-11-29T15:06:01+01:00 x"), 1'795'961'161'000);
  EXPECT_EQ(at("2026-11-29 15:06:01 +0100 x"), 1'795'961'161'000);
  EXPECT_EQ(at("2026-11-29T14:06:01Z x"), 1'795'961'161'000);
  // In this machine's zone, and of the year that puts it before the newest.
  std::tm date{};
  date.tm_year = 126;
  date.tm_mon = 10;
  date.tm_mday = 9;
  date.tm_hour = 4;
  date.tm_isdst = -1;
  EXPECT_EQ(at("Nov  9 04:00:00 x"), std::mktime(&date) * 1000);
  date.tm_year = 125;
  date.tm_mon = 11;
  EXPECT_EQ(at("Dec  9 04:00:00 x"), std::mktime(&date) * 1000);
  for (const char* wrong :
       {"", "Nov", "Nov 99 04:00:00 x", "2026-13-01 00:00:00 x", "2026-11-29 25:00:00 x", "Foo 29 1",
        "9999-12-31 23:59:59 x", "2262-04-12T00:00:00Z x", "1970-01-01T00:00:00+01:00 x"})
    EXPECT_EQ(at(wrong), -1) << wrong;
}

TEST(Readers, WhatNoClockCanSayIsNoTime) {
  EXPECT_EQ(clock_time(1'795'961'161), kNewest);
  for (const std::int64_t seconds : {std::int64_t{-1}, std::int64_t{17'573'814'901},
                                     std::int64_t{9'795'342'502'104'113}, std::numeric_limits<std::int64_t>::max()})
    EXPECT_EQ(clock_time(seconds), std::nullopt) << seconds;
  const auto remembered = read_popstate("popstate.dat", "# POP3 State File\n\n*mail.test alice\nk 01 17573814901\n");
  ASSERT_FALSE(remembered);
  EXPECT_EQ(remembered.error().where, "popstate.dat:4:1");
  const auto heard =
      read_cyrus_telemetry("telemetry", "---------- alice Sun Nov 22 10:15:02 2026\n\n<17573814901<1 NOOP\r\n");
  ASSERT_TRUE(heard);
  EXPECT_TRUE(heard->empty());
  EXPECT_FALSE(read_imaptest_rawlog("rawlog", "17573814901.104113 O: 1.1 NOOP\r\n"));
}

TEST(Readers, TelemetryMayBeginInTheMiddle) {
  for (const std::string text : {"-", "----", "rest of a line\n<1795342502<1 NOOP\r\n", "\n", "----\n<STS"}) {
    const auto heard = read_cyrus_telemetry("telemetry", text);
    ASSERT_TRUE(heard);
    EXPECT_TRUE(heard->empty()) << text;
  }
}

/// Whatever is cut off or changed: an error with its place, or something that can be listened to.
TEST(Readers, NothingThatIsCutOrChangedIsTooMuch) {
  Rng rng(7);
  for (const Form& form : kForms) {
    for (std::size_t size = 0; size < form.text.size(); ++size) {
      std::string text(form.text.substr(0, size));
      for (const bool change : {false, true}) {
        if (change && !text.empty())
          for (int i = 0; i < 4; ++i)
            text[rng.below(static_cast<std::uint32_t>(text.size()))] = "{}<>:* \n\r5"[rng.below(10)];
        form.is(text);
        const auto read = form.read("file", text);
        if (!read) {
          EXPECT_THAT(read.error().message(), HasSubstr("expected"));
          continue;
        }
        Recording recording({});
        replay(*read, recording);
      }
    }
  }
}

}  // namespace
}  // namespace mailproof::imports
