#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/smtp/tests/delivery_rig.h"

namespace mailproof::server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kUtf8Header =
    "Subject: Gr\xc3\xbc\xc3\x9f"
    "e\r\n\r\ntext\r\n";

TEST(Pop3Utf8, AHeaderInUtf8ComesInUtf8ModeOnly) {
  Rig rig;
  rig.append("alice", kUtf8Header);
  rig.append("alice", "Subject: plain\r\n\r\n\xc3\xbc in the body\r\n");
  {
    auto client = pop3_login(rig, "alice");
    EXPECT_THAT(client.say("CAPA"), HasSubstr("\r\nUTF8 USER\r\n"));
    EXPECT_THAT(client.say("RETR 1"), StartsWith("-ERR [UTF8] "));
    EXPECT_THAT(client.say("TOP 1 0"), StartsWith("-ERR [UTF8] "));
    EXPECT_THAT(client.say("RETR 2"), StartsWith("+OK")) << "8-bit text is plain MIME";
    EXPECT_THAT(client.say("UTF8"), StartsWith("-ERR")) << "before login only";
    client.say("QUIT");
  }
  auto client = pop3(rig);
  EXPECT_THAT(client.say("UTF8 now"), StartsWith("-ERR"));
  EXPECT_THAT(client.say("UTF8"), StartsWith("+OK"));
  EXPECT_THAT(client.say("STLS"), StartsWith("-ERR")) << "RFC 6856 section 2.1";
  client.say("USER alice");
  EXPECT_THAT(client.say("PASS ecila"), StartsWith("+OK"));
  EXPECT_THAT(client.say("RETR 1"), HasSubstr(kUtf8Header));
  EXPECT_THAT(client.say("TOP 1 0"), HasSubstr("Gr\xc3\xbc\xc3\x9f"
                                               "e"));
}

TEST(Pop3Utf8, NamesAndPasswordsMustBeUtf8) {
  Rig rig;
  auto client = pop3(rig);
  EXPECT_THAT(client.say("USER ali\xc3("), StartsWith("-ERR that is no UTF-8"));
  EXPECT_THAT(client.say("USER j\xc3\xb6rg"), StartsWith("+OK"));
  EXPECT_THAT(client.say("PASS \xff"), StartsWith("-ERR that is no UTF-8"));
  EXPECT_THAT(client.say("PASS x"), StartsWith("-ERR USER comes first"));
}

TEST(Pop3Lang, EnglishIsWhatThereIs) {
  Rig rig;
  auto client = pop3(rig);
  EXPECT_THAT(client.say("CAPA"), HasSubstr("\r\nLANG\r\n"));
  EXPECT_EQ(client.say("LANG"), "+OK languages follow\r\nen English\r\n.\r\n");
  EXPECT_THAT(client.say("LANG EN"), StartsWith("+OK en "));
  EXPECT_THAT(client.say("LANG *"), StartsWith("+OK en "));
  EXPECT_THAT(client.say("LANG de"), StartsWith("-ERR"));
  client.say("USER alice");
  client.say("PASS ecila");
  EXPECT_THAT(client.say("LANG en"), StartsWith("+OK en ")) << "after login too";
}

}  // namespace
}  // namespace mailproof::server
