#include "wire/pop3/listing.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "wire/pop3/command.h"

namespace mailproof::pop3 {
namespace {

TEST(Pop3Listings, DropListing) {
  EXPECT_EQ(parse_drop_listing("2 320")->messages, 2U);
  EXPECT_EQ(parse_drop_listing("2 9999999999 and more")->octets, 9999999999U);
  for (const char* bad :
       {"", "2", "2 ", "2  320", "two 320", "-1 2", "+1 2", "4294967296 1", "1 99999999999999999999", "1 2x"})
    EXPECT_FALSE(parse_drop_listing(bad)) << bad;
}

TEST(Pop3Listings, ScanListing) {
  EXPECT_EQ(parse_scan_listing("1 120")->octets, 120U);
  for (const char* bad : {"", "0 120", "1", "1 ", "1 -5", "x"}) EXPECT_FALSE(parse_scan_listing(bad)) << bad;
}

TEST(Pop3Listings, UniqueIdListing) {
  EXPECT_EQ(parse_unique_id_listing("1 whqtswO00WBw418f9t5JxYwZ")->uid, "whqtswO00WBw418f9t5JxYwZ");
  EXPECT_TRUE(parse_unique_id_listing("1 whqtswO00WBw418f9t5JxYwZ")->well_formed);
  EXPECT_TRUE(parse_unique_id_listing(fmt::format("1 {:u>70}", ""))->well_formed);
  EXPECT_FALSE(parse_unique_id_listing(fmt::format("1 {:u>71}", ""))->well_formed);
  EXPECT_FALSE(parse_unique_id_listing("1 a b")->well_formed);
  EXPECT_FALSE(parse_unique_id_listing("1 \xc3\xa4")->well_formed);
  for (const char* bad : {"", "1", "1 ", "0 x", "x"}) EXPECT_FALSE(parse_unique_id_listing(bad)) << bad;
}

TEST(Pop3Capabilities, AreReadByTag) {
  Capabilities c;
  for (const char* line : {"CAPA", "TOP", "Uidl", "SASL PLAIN LOGIN DIGEST-MD5 SCRAM-SHA-256", "LOGIN-DELAY 10",
                           "IMPLEMENTATION Courier Mail Server", ""})
    c.add(line);
  EXPECT_TRUE(c.has("UIDL"));
  EXPECT_FALSE(c.has("STLS"));
  EXPECT_EQ(c.sasl(), (std::vector{sasl::Mechanism::plain, sasl::Mechanism::login, sasl::Mechanism::scram_sha_256}));
  EXPECT_EQ(c.login_delay(), 10U);
  EXPECT_EQ(c.arguments("IMPLEMENTATION"), "Courier Mail Server");
  EXPECT_EQ(c.all().size(), 6U);
  for (int i = 0; i < 1000; ++i) c.add(fmt::format("X{}", i));
  EXPECT_EQ(c.all().size(), Capabilities::kMost);
}

TEST(Pop3Commands, KeywordAndArguments) {
  const Command pass = parse_command("pass two  words ");
  EXPECT_EQ(pass.verb, Verb::pass);
  EXPECT_EQ(pass.arguments, "two  words ");
  EXPECT_EQ(parse_command("QUIT").verb, Verb::quit);
  EXPECT_EQ(parse_command("QUIT").arguments, "");
  EXPECT_EQ(parse_command("XTND XMIT").verb, Verb::unknown);
  EXPECT_EQ(parse_command("XTND XMIT").keyword, "XTND");
  EXPECT_EQ(parse_command("").verb, Verb::unknown);
  EXPECT_EQ(parse_command(" LIST").verb, Verb::unknown);
}

TEST(Pop3Commands, Numbers) {
  EXPECT_EQ(*parse_message_number("12"), 12U);
  EXPECT_EQ(*parse_message_number("12 "), 12U);
  for (const char* bad : {"", "0", "-1", "1 2", "x", "99999999999"}) EXPECT_FALSE(parse_message_number(bad)) << bad;
  EXPECT_EQ(parse_top("1 0")->lines, 0U);
  EXPECT_EQ(parse_top("3 99999999999")->lines, 4294967295U);
  for (const char* bad : {"", "1", "1 ", "0 1", "1 -1", "1 2 3"}) EXPECT_FALSE(parse_top(bad)) << bad;
}

TEST(Pop3Commands, Apop) {
  const auto apop = parse_apop("mrose c4c9334bac560ecc979e58001b3e22fb");
  ASSERT_TRUE(apop);
  EXPECT_EQ(apop->name, "mrose");
  EXPECT_EQ(parse_apop("two words C4C9334BAC560ECC979E58001B3E22FB")->name, "two words");
  for (const char* bad : {"", "mrose", "mrose ", "mrose c4c9", "mrose zzc9334bac560ecc979e58001b3e22fb",
                          " c4c9334bac560ecc979e58001b3e22fb"})
    EXPECT_FALSE(parse_apop(bad)) << bad;
}

}  // namespace
}  // namespace mailproof::pop3
