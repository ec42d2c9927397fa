#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/hash.h"
#include "server/smtp/session.h"
#include "server/smtp/tests/delivery_rig.h"
#include "wire/sasl/client.h"
#include "wire/text/dot_stuffing.h"

namespace mailproof::server {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Smtp, GreetsAndOffersItsExtensions) {
  Rig rig;
  auto client = smtp(rig);
  EXPECT_EQ(client.greeting(), "220 mail.example.test ESMTP mailproof\r\n");
  EXPECT_EQ(client.say("HELO client.example.test"), "250 mail.example.test\r\n");
  EXPECT_THAT(client.say("EHLO"), StartsWith("501 5.5.4"));
  EXPECT_EQ(client.say("EHLO client.example.test"),
            "250-mail.example.test\r\n250-ENHANCEDSTATUSCODES\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-CHUNKING\r\n250-"
            "DSN\r\n250-SIZE 10485760\r\n"
            "250-STARTTLS\r\n250-AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256\r\n250 SMTPUTF8\r\n");
}

TEST(Smtp, DeliversEveryOctetWithTraceFieldsOnTop) {
  Rig rig;
  auto client = smtp(rig);
  client.say("EHLO client.example.test");
  for (const auto& message : {mime_message(), std::string("Subject: bare\r\n\r\na\n.\nb\r\n"), std::string(".\r\n")}) {
    EXPECT_THAT(transact(client, "bob@example.test", {"alice@example.test"}, message), StartsWith("250 2.0.0 queued"));
    const auto got = rig.inbox("alice").back();
    ASSERT_THAT(got, EndsWith(message));
    const auto trace = got.substr(0, got.size() - message.size());
    EXPECT_THAT(trace, ::testing::MatchesRegex("Return-Path: <bob@example.test>\r\n"
                                               "Delivered-To: alice@example.test\r\n"
                                               "Received: from client.example.test by mail.example.test with ESMTP id "
                                               "[0-9A-F]+\r\n\tfor <alice@example.test>; Thu, 01 Jan 2026 "
                                               "00:00:00 \\+0000\r\n"));
  }
  EXPECT_EQ(rig.inbox("alice").size(), 3U);
}

TEST(Smtp, CommandsOutOfOrder) {
  Rig rig;
  auto client = smtp(rig);
  EXPECT_THAT(client.say("MAIL FROM:<bob@example.test>"), StartsWith("503 5.5.1"));
  EXPECT_THAT(client.say("AUTH PLAIN"), StartsWith("503 5.5.1"));
  client.say("EHLO client.example.test");
  EXPECT_THAT(client.say("RCPT TO:<alice@example.test>"), StartsWith("503 5.5.1"));
  EXPECT_THAT(client.say("DATA"), StartsWith("503 5.5.1"));
  client.say("MAIL FROM:<bob@example.test>");
  EXPECT_THAT(client.say("MAIL FROM:<bob@example.test>"), StartsWith("503 5.5.1"));
  EXPECT_THAT(client.say("DATA"), StartsWith("503 5.5.1")) << "no recipient yet";
  client.say("RCPT TO:<alice@example.test>");
  EXPECT_THAT(client.say("RSET"), StartsWith("250 2.0.0"));
  EXPECT_THAT(client.say("DATA"), StartsWith("503 5.5.1"));
  client.say("MAIL FROM:<bob@example.test>");
  client.say("EHLO client.example.test");
  EXPECT_THAT(client.say("RCPT TO:<alice@example.test>"), StartsWith("503 5.5.1")) << "EHLO forgets the transaction";
}

TEST(Smtp, RefusesWithTheRightCode) {
  Rig rig;
  auto client = smtp(rig);
  client.say("EHLO client.example.test");
  EXPECT_THAT(client.say("MAIL FROM:bob@example.test"), StartsWith("501 5.5.4"));
  EXPECT_THAT(client.say("MAIL FROM:<bob@example.test> FUTURE=1"), StartsWith("555 5.5.4"));
  EXPECT_THAT(client.say("MAIL FROM:<bob@example.test> BODY=BINARYMIME"), StartsWith("555 5.5.4"));
  EXPECT_THAT(client.say(fmt::format("MAIL FROM:<bob@example.test> SIZE={}", SmtpSession::kSizeLimit + 1)),
              StartsWith("552 5.3.4"));
  EXPECT_THAT(client.say(fmt::format("MAIL FROM:<bob@example.test> SIZE={}", SmtpSession::kSizeLimit)),
              StartsWith("250 2.1.0"));
  EXPECT_THAT(client.say("RCPT TO:<nobody@example.test>"), StartsWith("550 5.1.1"));
  EXPECT_THAT(client.say("RCPT TO:<alice@elsewhere.test>"), StartsWith("550 5.7.1"));
  EXPECT_THAT(client.say("RCPT TO:<>"), StartsWith("501 5.5.4"));
  EXPECT_THAT(client.say("RCPT TO:<ALICE@Example.Test>"), StartsWith("250 2.1.5"));
  EXPECT_THAT(client.say("RCPT TO:<\"al\\ice\"@example.test>"), StartsWith("250 2.1.5")) << "RFC 5321 section 4.1.2";
  EXPECT_THAT(client.say("RCPT TO:<\"\"@example.test>"), StartsWith("550 5.1.1"));
  EXPECT_THAT(client.say("RCPT TO:<Postmaster>"), StartsWith("250 2.1.5")) << "RFC 5321 section 4.5.1";
  EXPECT_THAT(client.say("VRFY alice"), StartsWith("252 2.1.5"));
  EXPECT_THAT(client.say("EXPN list"), StartsWith("502 5.5.1"));
  EXPECT_THAT(client.say("BDAT three LAST"), StartsWith("501 5.5.4"));
  EXPECT_THAT(client.say("BDAT 3 LATER"), StartsWith("501 5.5.4"));
  EXPECT_THAT(client.say("LHLO client.example.test"), StartsWith("500 5.5.1"));
  EXPECT_THAT(client.say("FROBNICATE"), StartsWith("500 5.5.2"));
  EXPECT_THAT(client.say(std::string(100'000, 'x')), StartsWith("500 5.5.2"));
  EXPECT_THAT(client.say("NOOP"), StartsWith("250 2.0.0"));
  EXPECT_THAT(client.say("QUIT"), StartsWith("221 2.0.0"));
  EXPECT_TRUE(client.closing());
}

TEST(Smtp, AddressesInUtf8GoWithSmtputf8) {
  Rig rig;
  auto client = smtp(rig);
  client.say("EHLO client.example.test");
  EXPECT_THAT(client.say("MAIL FROM:<j\xc3\xb6rg@example.test>"), StartsWith("553 5.6.7"));
  EXPECT_THAT(client.say("MAIL FROM:<bob@example.test>"), StartsWith("250"));
  EXPECT_THAT(client.say("RCPT TO:<j\xc3\xb6rg@example.test>"), StartsWith("553 5.6.7"));
  client.say("RSET");
  EXPECT_THAT(client.say("MAIL FROM:<j\xc3\xb6rg@example.test> SMTPUTF8"), StartsWith("250 2.1.0"));
  EXPECT_THAT(client.say("RCPT TO:<j\xc3\xb6rg@example.test>"), StartsWith("550 5.1.1"));
  EXPECT_THAT(client.say("RCPT TO:<alice@example.test>"), StartsWith("250 2.1.5"));
  client.say("DATA");
  client.say(
      "Subject: Gr\xc3\xbc\xc3\x9f"
      "e");
  client.say("");
  EXPECT_THAT(client.say("."), StartsWith("250 2.0.0"));
  const auto mail = rig.inbox("alice").front();
  EXPECT_THAT(mail, StartsWith("Return-Path: <j\xc3\xb6rg@example.test>\r\n"));
  EXPECT_THAT(mail, HasSubstr(" with UTF8SMTP id ")) << "RFC 6531 section 4.3";
  EXPECT_THAT(mail, HasSubstr("Subject: Gr\xc3\xbc\xc3\x9f"
                              "e\r\n"));
}

TEST(Smtp, AMessageOverTheLimitIsReadToItsEndAndRefused) {
  Rig rig;
  auto client = lmtp(rig);
  client.say("LHLO client.example.test");
  client.say("MAIL FROM:<bob@example.test>");
  client.say("RCPT TO:<alice@example.test>");
  client.say("RCPT TO:<bob@example.test>");
  client.say("DATA");
  const std::string line(1022, 'x');
  std::string piece;
  for (int i = 0; i < 1024; ++i) piece += line + "\r\n";
  for (int i = 0; i < 11; ++i) EXPECT_EQ(client.send(piece), "");
  const auto said = client.say(".");
  EXPECT_EQ(said, "552 5.3.4 the message is too large\r\n552 5.3.4 the message is too large\r\n");
  EXPECT_TRUE(rig.inbox("alice").empty());
  EXPECT_THAT(transact(client, "bob@example.test", {"alice@example.test"}, mime_message()), StartsWith("250 2.0.0"));
}

TEST(Smtp, TooManyRecipients) {
  Rig rig;
  auto client = smtp(rig);
  client.say("EHLO client.example.test");
  client.say("MAIL FROM:<bob@example.test>");
  for (std::size_t i = 0; i < SmtpSession::kMostRecipients; ++i) {
    ASSERT_THAT(client.say("RCPT TO:<alice@example.test>"), StartsWith("250"));
  }
  EXPECT_THAT(client.say("RCPT TO:<alice@example.test>"), StartsWith("452 4.5.3"));
}

TEST(Smtp, EveryMechanismWithRightAndWrongPassword) {
  for (const auto mechanism :
       {sasl::Mechanism::plain, sasl::Mechanism::login, sasl::Mechanism::cram_md5, sasl::Mechanism::scram_sha_256}) {
    for (const bool right : {true, false}) {
      Rig rig;
      auto client = smtp(rig);
      client.say("EHLO client.example.test");
      auto sasl = sasl::make_client(mechanism, {"alice", Secret(right ? "ecila" : "wrong"), ""}, "0123456789abcdefghij",
                                    nullptr);
      auto reply = client.say(fmt::format("AUTH {}", sasl::name(mechanism)));
      if (const auto first = sasl->initial()) reply = client.say(base64(first->reveal()));
      while (reply.starts_with("334 ")) {
        const auto response = sasl->respond(*unbase64(std::string_view(reply).substr(4, reply.size() - 6)));
        reply = client.say(response ? base64(response->reveal()) : "*");
      }
      EXPECT_THAT(reply, StartsWith(right ? "235 2.7.0" : "535 5.7.8")) << sasl::name(mechanism);
      transact(client, "alice@example.test", {"bob@example.test"}, mime_message());
      EXPECT_THAT(rig.inbox("bob").front(), HasSubstr(right ? " with ESMTPA id" : " with ESMTP id"));
      if (right) {
        EXPECT_THAT(client.say("AUTH PLAIN"), StartsWith("503 5.5.1"));
      }
    }
  }
}

TEST(Smtp, AnExchangeCanBeCancelledOrMalformed) {
  Rig rig;
  auto client = smtp(rig);
  client.say("EHLO client.example.test");
  client.say("AUTH LOGIN");
  EXPECT_THAT(client.say("*"), StartsWith("501 "));
  EXPECT_THAT(client.say("AUTH PLAIN ?"), StartsWith("501 5.5.2"));
  EXPECT_THAT(client.say("AUTH GSSAPI"), StartsWith("504 5.5.4"));
}

TEST(Smtp, WhatCameBeforeOrWithStarttlsIsForgotten) {
  Rig rig;
  auto client = smtp(rig);
  client.say("EHLO client.example.test");
  client.say("MAIL FROM:<bob@example.test>");
  EXPECT_EQ(client.send("STARTTLS\r\nRCPT TO:<alice@example.test>\r\n"), "220 2.0.0 begin TLS\r\n");
  client.start_tls();
  EXPECT_THAT(client.say("RCPT TO:<alice@example.test>"), StartsWith("503"));
  EXPECT_THAT(client.say("MAIL FROM:<bob@example.test>"), StartsWith("503 5.5.1 EHLO"));
  EXPECT_THAT(client.say("EHLO client.example.test"), Not(HasSubstr("STARTTLS")));
  EXPECT_THAT(client.say("STARTTLS"), StartsWith("503"));
  transact(client, "bob@example.test", {"alice@example.test"}, mime_message());
  EXPECT_THAT(rig.inbox("alice").front(), HasSubstr(" with ESMTPS id"));
}

TEST(Smtp, SilenceForFiveMinutesEndsTheConnection) {
  Rig rig;
  auto client = smtp(rig);
  ASSERT_EQ(client.peer().deadline(), rig.now + SmtpSession::kTimeout);
  rig.now += SmtpSession::kTimeout;
  client.peer().advance(rig.now);
  EXPECT_TRUE(client.closing());
  EXPECT_THAT(client.say(""), StartsWith("421 4.4.2"));
}

const std::string kConversation =
    "EHLO client.example.test\r\nMAIL FROM:<bob@example.test> BODY=8BITMIME\r\nRCPT TO:<alice@example.test>\r\n"
    "RCPT TO:<nobody@example.test>\r\nDATA\r\n" +
    text::dot_stuffed(mime_message()) + "NOOP\r\nMAIL FROM:<>\r\nRSET\r\nQUIT\r\n";

/// All pipelined in one packet, and cut at every octet: the same answers and the same mail.
TEST(Smtp, AnswersDoNotDependOnHowCommandsArrive) {
  const auto play = [](std::size_t cut) {
    Rig rig;
    auto client = smtp(rig);
    auto said = client.send(std::string_view(kConversation).substr(0, cut));
    said += client.send(std::string_view(kConversation).substr(cut));
    EXPECT_TRUE(client.closing());
    EXPECT_THAT(rig.inbox("alice"), ElementsAre(EndsWith(mime_message())));
    return said;
  };
  const auto whole = play(0);
  for (std::size_t cut = 1; cut < kConversation.size(); ++cut) ASSERT_EQ(play(cut), whole) << "cut at " << cut;
}

/// Until the final dot is complete the server has promised nothing, and must not deliver (RFC 5321 section 4.1.1.4).
TEST(Smtp, AConnectionLostAnywhereDeliversTheMessageOnceOrNotAtAll) {
  const auto dot = kConversation.find("\r\n.\r\nNOOP") + 5;
  for (std::size_t cut = 0; cut <= kConversation.size(); ++cut) {
    Rig rig;
    auto client = smtp(rig);
    client.send(std::string_view(kConversation).substr(0, cut));
    client.drop();
    ASSERT_EQ(rig.inbox("alice").size(), cut < dot ? 0U : 1U) << "cut at " << cut;
  }
}

TEST(Lmtp, SaysLhloAndAnswersEachRecipientInOrder) {
  Rig rig;
  auto client = lmtp(rig);
  EXPECT_THAT(client.greeting(), HasSubstr("LMTP"));
  EXPECT_THAT(client.say("HELO client.example.test"), StartsWith("500 5.5.1"));
  EXPECT_THAT(client.say("EHLO client.example.test"), StartsWith("500 5.5.1"));
  EXPECT_THAT(client.say("MAIL FROM:<bob@example.test>"), StartsWith("503 5.5.1 LHLO"));
  EXPECT_THAT(client.say("LHLO client.example.test"), HasSubstr("250-ENHANCEDSTATUSCODES\r\n250-PIPELINING\r\n"));
  const auto said = transact(client, "bob@example.test",
                             {"bob@example.test", "nobody@example.test", "small@example.test", "alice@example.test"},
                             text_message(66'000));
  EXPECT_THAT(said, ::testing::MatchesRegex("250 2.0.0 <bob@example.test> [0-9A-F]+ saved\r\n"
                                            "552 5.2.2 <small@example.test> [^\r]*\r\n"
                                            "250 2.0.0 <alice@example.test> [0-9A-F]+ saved\r\n"));
  EXPECT_EQ(rig.inbox("bob").size(), 1U);
  EXPECT_EQ(rig.inbox("small").size(), 0U);
  EXPECT_THAT(rig.inbox("alice"), ElementsAre(HasSubstr(" with LMTP id")));
}

TEST(Lmtp, DataWithoutAcceptedRecipientsIsRefused) {
  Rig rig;
  auto client = lmtp(rig);
  client.say("LHLO client.example.test");
  EXPECT_THAT(client.send("MAIL FROM:<bob@example.test>\r\nRCPT TO:<nobody@example.test>\r\nDATA\r\n"),
              ::testing::MatchesRegex("250 [^\r]*\r\n550 5.1.1 [^\r]*\r\n503 5.5.1 [^\r]*\r\n"));
}

}  // namespace
}  // namespace mailproof::server
