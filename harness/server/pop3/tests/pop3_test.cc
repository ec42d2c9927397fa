#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/hash.h"
#include "server/pop3/session.h"
#include "server/smtp/tests/delivery_rig.h"
#include "wire/sasl/client.h"

namespace mailproof::server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string timestamp(const std::string& greeting) {
  const auto at = greeting.find('<');
  return greeting.substr(at, greeting.find('>') + 1 - at);
}

TEST(Pop3Authorization, UserAndPass) {
  Rig rig;
  auto client = pop3(rig);
  EXPECT_THAT(client.greeting(), StartsWith("+OK "));
  EXPECT_EQ(client.say("PASS ecila"), "-ERR USER comes first\r\n");
  EXPECT_THAT(client.say("USER alice"), StartsWith("+OK"));
  EXPECT_THAT(client.say("PASS wrong"), StartsWith("-ERR [AUTH] "));
  EXPECT_EQ(client.say("PASS ecila"), "-ERR USER comes first\r\n") << "a failed PASS forgets the name";
  EXPECT_THAT(client.say("USER nobody"), StartsWith("+OK")) << "who exists is not told";
  EXPECT_THAT(client.say("PASS ybodon"), StartsWith("-ERR [AUTH] "));
  EXPECT_THAT(client.say("STAT"), StartsWith("-ERR"));
  client.say("user ALICE@example.test");
  EXPECT_THAT(client.say("pass ecila"), StartsWith("+OK maildrop has 0 messages (0 octets)"));
  EXPECT_THAT(client.say("USER bob"), StartsWith("-ERR not in this state"));
}

TEST(Pop3Authorization, ALoginThatComesTooEarlyIsRefused) {
  auto rig = Rig::with_latitude("pop3.login-delay");
  auto first = pop3(rig);
  EXPECT_THAT(first.say("CAPA"), HasSubstr("LOGIN-DELAY 10\r\n"));
  first.say("USER alice");
  EXPECT_THAT(first.say("PASS ecila"), StartsWith("+OK"));
  first.say("QUIT");
  auto second = pop3(rig);
  second.say("USER alice");
  EXPECT_THAT(second.say("PASS ecila"), StartsWith("-ERR [LOGIN-DELAY]"));
  second.say("USER bob");
  EXPECT_THAT(second.say("PASS bob"), StartsWith("+OK")) << "another user";
  rig.now += std::chrono::seconds(10);
  auto third = pop3(rig);
  third.say("USER alice");
  EXPECT_THAT(third.say("PASS ecila"), StartsWith("+OK"));
}

TEST(Pop3Authorization, Apop) {
  Rig rig;
  auto client = pop3(rig);
  const auto stamp = timestamp(client.greeting());
  EXPECT_THAT(stamp, HasSubstr("@mail.example.test>"));
  EXPECT_THAT(client.say("APOP alice " + md5_hex(stamp + "wrong")), StartsWith("-ERR [AUTH]"));
  EXPECT_THAT(client.say("APOP alice short"), StartsWith("-ERR"));
  EXPECT_THAT(client.say("APOP alice " + md5_hex(stamp + "ecila")), StartsWith("+OK"));
  EXPECT_NE(timestamp(pop3(rig).greeting()), stamp) << "a timestamp used twice could be replayed";
}

TEST(Pop3Authorization, EveryMechanismWithRightAndWrongPassword) {
  for (const auto mechanism :
       {sasl::Mechanism::plain, sasl::Mechanism::login, sasl::Mechanism::cram_md5, sasl::Mechanism::scram_sha_256}) {
    for (const bool right : {true, false}) {
      for (const bool initial : {true, false}) {
        Rig rig;
        auto client = pop3(rig);
        auto sasl = sasl::make_client(mechanism, {"alice", Secret(right ? "ecila" : "wrong"), ""},
                                      "0123456789abcdefghij", nullptr);
        auto command = fmt::format("AUTH {}", sasl::name(mechanism));
        auto first = sasl->initial();
        const bool sent_first = initial && first;
        if (sent_first) command += " " + base64(first->reveal());
        auto reply = client.say(command);
        if (first && !sent_first) {
          EXPECT_EQ(reply, "+ \r\n");
          reply = client.say(base64(first->reveal()));
        }
        while (reply.starts_with("+ ")) {
          const auto challenge = unbase64(std::string_view(reply).substr(2, reply.size() - 4));
          ASSERT_TRUE(challenge) << reply;
          const auto response = sasl->respond(*challenge);
          reply = client.say(response ? base64(response->reveal()) : "*");
        }
        EXPECT_THAT(reply, StartsWith(right ? "+OK" : "-ERR [AUTH]")) << sasl::name(mechanism);
        if (right) {
          EXPECT_TRUE(sasl->accepted());
        }
        EXPECT_THAT(client.say("STAT"), StartsWith(right ? "+OK" : "-ERR"));
      }
    }
  }
}

TEST(Pop3Authorization, AnExchangeCanBeCancelledOrMalformed) {
  Rig rig;
  auto client = pop3(rig);
  client.say("AUTH PLAIN");
  EXPECT_EQ(client.say("*"), "-ERR cancelled\r\n");
  client.say("AUTH CRAM-MD5");
  EXPECT_EQ(client.say("=AAA"), "-ERR not base64\r\n");
  client.say("AUTH PLAIN");
  EXPECT_EQ(client.say(std::string(20'000, 'A')), "-ERR not base64\r\n");
  EXPECT_THAT(client.say("AUTH PLAIN ="), StartsWith("-ERR"));
  EXPECT_THAT(client.say("AUTH KERBEROS_V4"), StartsWith("-ERR mechanism not known"));
  EXPECT_THAT(client.say("AUTH PLAIN " + base64(std::string_view("\0alice\0ecila", 12))), StartsWith("+OK"));
}

TEST(Pop3Authorization, CapaNamesWhatIsThere) {
  Rig rig;
  auto client = pop3(rig);
  const auto before = client.say("CAPA");
  for (const std::string line :
       {"TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "LOGIN-DELAY 0", "EXPIRE NEVER", "USER",
        "SASL PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256", "STLS", "IMPLEMENTATION mailproof"}) {
    EXPECT_THAT(before, HasSubstr("\r\n" + line + "\r\n"));
  }
  EXPECT_TRUE(before.ends_with("\r\n.\r\n"));
  EXPECT_EQ(pop3_login(rig, "alice").say("CAPA"), before);
}

TEST(Pop3Authorization, PlaintextOnlyBehindTlsWhereThatIsWanted) {
  auto options = rig_options();
  options.plaintext_login = false;
  Rig rig(options);
  auto client = pop3(rig);
  EXPECT_THAT(client.say("CAPA"), ::testing::Not(HasSubstr("\r\nUSER\r\n")));
  EXPECT_THAT(client.say("CAPA"), HasSubstr("\r\nSASL CRAM-MD5 SCRAM-SHA-256\r\n"));
  EXPECT_THAT(client.say("USER alice"), StartsWith("-ERR"));
  EXPECT_THAT(client.say("AUTH PLAIN"), StartsWith("-ERR"));
  EXPECT_EQ(client.say("STLS"), "+OK begin TLS\r\n");
  client.start_tls();
  EXPECT_THAT(client.say("CAPA"), ::testing::Not(HasSubstr("STLS")));
  EXPECT_THAT(client.say("USER alice"), StartsWith("+OK"));
  EXPECT_THAT(client.say("PASS ecila"), StartsWith("+OK"));
  EXPECT_THAT(client.say("STLS"), StartsWith("-ERR"));
}

TEST(Pop3Authorization, WhatCameBeforeOrWithStlsIsForgotten) {
  Rig rig;
  auto client = pop3(rig);
  client.say("USER alice");
  EXPECT_EQ(client.send("STLS\r\nPASS ecila\r\n"), "+OK begin TLS\r\n");
  client.start_tls();
  EXPECT_EQ(client.say("PASS ecila"), "-ERR USER comes first\r\n");
}

TEST(Pop3Lock, IsExclusiveAndGoesWithTheSessionHoweverThatEnds) {
  Rig rig;
  for (const int way : {0, 1, 2}) {
    auto first = pop3_login(rig, "alice");
    auto second = pop3(rig);
    second.say("USER alice");
    EXPECT_THAT(second.say("PASS ecila"), StartsWith("-ERR [IN-USE] "));
    second.say("USER bob");
    EXPECT_THAT(second.say("PASS bob"), StartsWith("+OK")) << "another maildrop is free";
    if (way == 0) first.say("QUIT");
    if (way == 1) first.drop();
    if (way == 2) {
      rig.now += Pop3Session::kAutologout;
      first.peer().advance(rig.now);
      EXPECT_TRUE(first.closing());
    }
    pop3_login(rig, "alice");
  }
}

TEST(Pop3Lock, AutologoutComesAfterTenSilentMinutesAndDeletesNothing) {
  Rig rig;
  rig.append("alice", mime_message());
  auto client = pop3_login(rig, "alice");
  client.say("DELE 1");
  rig.now += Pop3Session::kAutologout - 1s;
  client.peer().advance(rig.now);
  EXPECT_FALSE(client.closing());
  client.say("NOOP");
  ASSERT_EQ(client.peer().deadline(), rig.now + Pop3Session::kAutologout);
  rig.now += Pop3Session::kAutologout;
  client.peer().advance(rig.now);
  EXPECT_TRUE(client.closing());
  EXPECT_TRUE(client.peer().output().empty()) << "RFC 1939 section 3: without sending any response";
  client.drop();
  EXPECT_EQ(rig.inbox("alice").size(), 1U);
}

TEST(Pop3Lines, UnknownLongAndMisplacedCommands) {
  Rig rig;
  auto client = pop3(rig);
  EXPECT_THAT(client.say("XTND"), StartsWith("-ERR unknown"));
  EXPECT_THAT(client.say(""), StartsWith("-ERR"));
  EXPECT_THAT(client.say("NOOP"), StartsWith("-ERR not in this state"));
  EXPECT_EQ(client.say("USER " + std::string(100'000, 'a')), "-ERR line too long\r\n");
  EXPECT_THAT(client.say("USER " + std::string(248, 'a')), StartsWith("+OK")) << "255 octets with CRLF";
  EXPECT_THAT(client.say("USER " + std::string(249, 'a')), StartsWith("-ERR line too long"));
  EXPECT_THAT(client.say("QUIT"), StartsWith("+OK"));
  EXPECT_TRUE(client.closing());
  EXPECT_EQ(client.say("CAPA"), "") << "nothing is read behind QUIT";
}

}  // namespace
}  // namespace mailproof::server
