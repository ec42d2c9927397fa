#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/imap/tests/rig.h"
#include "server/tests/talk.h"

namespace mailproof::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kPlain = "AGFsaWNlAHNlY3JldA==";  // \0alice\0secret

// A port that is there for TLS, on a server that takes passwords in clear text elsewhere.
TEST(BeforeTls, ImapSaysSoAndRefusesPasswords) {
  ImapWorld world;
  Talk phone(world.server.accept(Protocol::imap, false, true));
  EXPECT_THAT(phone.say("c1 CAPABILITY"),
              AllOf(HasSubstr(" STARTTLS"), HasSubstr(" LOGINDISABLED"), HasSubstr("AUTH=SCRAM-SHA-256"),
                    Not(HasSubstr("AUTH=PLAIN")), Not(HasSubstr("AUTH=LOGIN"))));
  EXPECT_THAT(phone.say("c2 LOGIN alice secret"), StartsWith("c2 NO [PRIVACYREQUIRED]"));
  EXPECT_THAT(phone.say("c3 AUTHENTICATE PLAIN " + std::string(kPlain)), StartsWith("c3 NO [PRIVACYREQUIRED]"));
  EXPECT_THAT(phone.say("c4 AUTHENTICATE LOGIN"), StartsWith("c4 NO [PRIVACYREQUIRED]"));
  EXPECT_THAT(phone.say("c5 SELECT INBOX"), StartsWith("c5 BAD"));
  EXPECT_THAT(phone.say("c6 STARTTLS"), StartsWith("c6 OK"));
  EXPECT_THAT(phone.secure(), IsEmpty());
  EXPECT_THAT(phone.say("c7 CAPABILITY"), AllOf(HasSubstr("AUTH=PLAIN"), Not(HasSubstr("LOGINDISABLED"))));
  EXPECT_THAT(phone.say("c8 LOGIN alice secret"), HasSubstr("c8 OK"));
}

TEST(BeforeTls, Pop3RefusesUserAndPlainMechanisms) {
  ImapWorld world;
  Talk pc(world.server.accept(Protocol::pop3, false, true));
  EXPECT_THAT(pc.say("CAPA"), AllOf(HasSubstr("\r\nSTLS\r\n"), Not(HasSubstr("\r\nUSER\r\n")),
                                    HasSubstr("\r\nSASL CRAM-MD5 SCRAM-SHA-256\r\n")));
  EXPECT_THAT(pc.say("USER alice"), StartsWith("-ERR"));
  EXPECT_THAT(pc.say("PASS secret"), StartsWith("-ERR"));
  EXPECT_THAT(pc.say("AUTH PLAIN " + std::string(kPlain)), StartsWith("-ERR"));
  EXPECT_THAT(pc.say("STAT"), StartsWith("-ERR"));
  EXPECT_THAT(pc.say("STLS"), StartsWith("+OK"));
  pc.secure();
  EXPECT_THAT(pc.say("CAPA"), HasSubstr("\r\nUSER\r\n"));
  EXPECT_THAT(pc.say("USER alice"), StartsWith("+OK"));
  EXPECT_THAT(pc.say("PASS secret"), StartsWith("+OK"));
}

TEST(BeforeTls, SmtpRefusesPlainMechanisms) {
  ImapWorld world;
  Talk relay(world.server.accept(Protocol::smtp, false, true));
  EXPECT_THAT(relay.say("EHLO client.example.test"),
              AllOf(HasSubstr("250-STARTTLS\r\n"), HasSubstr("250-AUTH CRAM-MD5 SCRAM-SHA-256\r\n")));
  EXPECT_THAT(relay.say("AUTH PLAIN " + std::string(kPlain)), StartsWith("538 5.7.11"));
  EXPECT_THAT(relay.say("STARTTLS"), StartsWith("220"));
  relay.secure();
  EXPECT_THAT(relay.say("EHLO client.example.test"), HasSubstr("250-AUTH PLAIN LOGIN "));
  EXPECT_THAT(relay.say("AUTH PLAIN " + std::string(kPlain)), StartsWith("235"));
}

TEST(BeforeTls, AnotherPortOfTheSameServerIsNotAffected) {
  ImapWorld world;
  Talk strict(world.server.accept(Protocol::imap, false, true));
  Talk open(world.server.accept(Protocol::imap, false));
  EXPECT_THAT(open.say("c1 CAPABILITY"), AllOf(HasSubstr("AUTH=PLAIN"), Not(HasSubstr("LOGINDISABLED"))));
  EXPECT_THAT(open.say("c2 LOGIN alice secret"), HasSubstr("c2 OK"));
}

TEST(BeforeTls, ImplicitTlsNeedsNoMore) {
  ImapWorld world;
  Talk phone(world.server.accept(Protocol::imap, true, true));
  EXPECT_THAT(phone.say("c1 LOGIN alice secret"), HasSubstr("c1 OK"));
}

TEST(BeforeTls, TakingTheLoginAllTheSameIsALatitude) {
  ImapWorld world(ImapWorld::with_latitude("imap.takes-plaintext-login"));
  Talk phone(world.server.accept(Protocol::imap, false, true));
  EXPECT_THAT(phone.say("c1 CAPABILITY"), AllOf(HasSubstr("STARTTLS"), Not(HasSubstr("LOGINDISABLED"))));
  EXPECT_THAT(phone.say("c2 LOGIN alice secret"), HasSubstr("c2 OK"));
}

// CERT VU#555316: what stands behind STARTTLS in clear text must be thrown away (RFC 9051 section 6.2.1).
TEST(ClearText, BehindStarttlsIsObeyedOnlyWithTheDefect) {
  for (const bool defect : {false, true}) {
    ImapWorld world(defect ? ImapWorld::with_defect("imap.starttls-obeys-clear-text") : ImapWorld::standard_options());
    Talk phone(world.server.accept(Protocol::imap, false, true));
    EXPECT_EQ(phone.say("t1 STARTTLS\r\nt2 LOGIN alice secret\r\nt3 SELECT INBOX"),
              "t1 OK Begin TLS negotiation now\r\n");
    const auto after = phone.secure();
    if (defect) {
      EXPECT_THAT(after, AllOf(HasSubstr("t2 OK"), HasSubstr("* 0 EXISTS"), HasSubstr("t3 OK")));
      EXPECT_EQ(after.find("t2 "), after.rfind("t2 ")) << "it is obeyed once";
      EXPECT_THAT(phone.say("t4 NOOP"), StartsWith("t4 OK"));
    } else {
      EXPECT_THAT(after, IsEmpty());
      EXPECT_THAT(phone.say("t4 SELECT INBOX"), StartsWith("t4 BAD")) << "nobody is logged in";
    }
  }
}

TEST(ClearText, BehindStlsIsObeyedOnlyWithTheDefect) {
  for (const bool defect : {false, true}) {
    ImapWorld world(defect ? ImapWorld::with_defect("pop3.stls-obeys-clear-text") : ImapWorld::standard_options());
    Talk pc(world.server.accept(Protocol::pop3, false, true));
    EXPECT_EQ(pc.say("STLS\r\nUSER alice\r\nPASS secret\r\nSTAT"), "+OK begin TLS\r\n");
    const auto after = pc.secure();
    if (defect) {
      EXPECT_THAT(after, HasSubstr("\r\n+OK 0 0\r\n"));
    } else {
      EXPECT_THAT(after, IsEmpty());
      EXPECT_THAT(pc.say("STAT"), StartsWith("-ERR"));
    }
  }
}

TEST(ClearText, OneProtocolsDefectIsNotTheOthers) {
  ImapWorld world(ImapWorld::with_defect("pop3.stls-obeys-clear-text"));
  Talk phone(world.server.accept(Protocol::imap, false));
  phone.say("t1 STARTTLS\r\nt2 NOOP");
  EXPECT_THAT(phone.secure(), IsEmpty());
}

}  // namespace
}  // namespace mailproof::server
