#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/imap/tests/rig.h"
#include "server/smtp/tests/delivery_rig.h"

namespace mailproof::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// anna and ben belong to acme, who has 40 KiB; anna has 24 KiB of her own. zoe is another customer's, carol nobody's.
ServerOptions options_of_two_customers(std::string_view defect = "") {
  ServerOptions options;
  options.seed = 77;
  options.accounts = {{"anna", "anna@example.test", Secret("secret"), 24U << 10U, "acme"},
                      {"ben", "ben@example.test", Secret("secret"), std::nullopt, "acme"},
                      {"zoe", "zoe@example.test", Secret("secret"), std::nullopt, "zulu"},
                      {"carol", "carol@example.test", Secret("secret"), std::nullopt}};
  options.customer_quotas = {{"acme", 40U << 10U}};
  if (!defect.empty()) options.defects.emplace(defect);
  return options;
}

std::string deliver(Rig& rig, const std::string& login, std::size_t octets) {
  auto mta = lmtp(rig);
  mta.say("LHLO mta.example.test");
  return transact(mta, "dave@example.test", {login + "@example.test"}, text_message(octets));
}

TEST(Customers, TheirAccountsShareOneLimit) {
  Rig rig(options_of_two_customers());
  EXPECT_THAT(deliver(rig, "anna", 20'000), StartsWith("250"));
  EXPECT_THAT(deliver(rig, "anna", 5'000), StartsWith("552 5.2.2")) << "her own is the smaller one";
  EXPECT_THAT(deliver(rig, "ben", 19'000), StartsWith("250"));
  EXPECT_THAT(deliver(rig, "ben", 3'000), StartsWith("552 5.2.2")) << "he has none of his own";
  EXPECT_EQ(rig.account("ben").shared().usage, rig.account("anna").usage() + rig.account("ben").usage());
  EXPECT_THAT(deliver(rig, "zoe", 60'000), StartsWith("250")) << "another customer";
  EXPECT_THAT(deliver(rig, "carol", 60'000), StartsWith("250")) << "nobody's";
}

TEST(Customers, WhatOneRemovesIsRoomForTheOther) {
  Rig rig(options_of_two_customers());
  deliver(rig, "anna", 20'000);
  deliver(rig, "ben", 19'000);
  EXPECT_THAT(deliver(rig, "ben", 10'000), StartsWith("552"));
  const Uid uids[] = {1};
  rig.store.expunge(rig.account("anna"), rig.account("anna").inbox(), uids);
  EXPECT_THAT(deliver(rig, "ben", 10'000), StartsWith("250"));
  EXPECT_EQ(rig.account("anna").usage(), 0U);
}

TEST(Customers, TheDomainsLimitIsNotTheirs) {
  auto options = options_of_two_customers();
  options.domain_quota = 10'000;
  Rig rig(std::move(options));
  EXPECT_THAT(deliver(rig, "carol", 12'000), StartsWith("552"));
  EXPECT_THAT(deliver(rig, "ben", 12'000), StartsWith("250"));
  EXPECT_THAT(deliver(rig, "zoe", 12'000), StartsWith("250"));
}

TEST(Customers, GetquotarootNamesTheirRoot) {
  ImapWorld world(options_of_two_customers());
  ImapDevice anna(world, "anna"), ben(world, "ben"), zoe(world, "zoe"), carol(world, "carol");
  anna.append("INBOX", plain_message(1));
  EXPECT_THAT(anna.say("GETQUOTAROOT INBOX"),
              StartsWith("* QUOTAROOT \"INBOX\" \"anna\" \"acme\"\r\n* QUOTA \"anna\" "
                         "(STORAGE 1 24 MESSAGE 1 1000000)\r\n* QUOTA \"acme\" (STORAGE 1 40)\r\n"));
  EXPECT_THAT(ben.say("GETQUOTAROOT INBOX"), StartsWith("* QUOTAROOT \"INBOX\" \"ben\" \"acme\"\r\n* QUOTA \"ben\" "
                                                        "(MESSAGE 0 1000000)\r\n* QUOTA \"acme\" (STORAGE 1 40)\r\n"))
      << "what has no limit is not in the list: RFC 9208 section 4.2.1";
  EXPECT_THAT(zoe.say("GETQUOTAROOT INBOX"),
              StartsWith("* QUOTAROOT \"INBOX\" \"zoe\"\r\n* QUOTA \"zoe\" (MESSAGE 0 1000000)\r\n"));
  EXPECT_THAT(carol.say("GETQUOTAROOT INBOX"), Not(HasSubstr("acme")));
  EXPECT_EQ(ben.status("GETQUOTA acme"), "OK");
  EXPECT_EQ(carol.status("GETQUOTA acme"), "NO") << "somebody else's root";
}

TEST(Customers, NobodySetsTheirLimitOverImap) {
  ImapWorld world(options_of_two_customers());
  ImapDevice anna(world, "anna"), ben(world, "ben"), carol(world, "carol");
  EXPECT_THAT(anna.say("SETQUOTA acme (STORAGE 7)"), HasSubstr("NO [NOPERM]"));
  EXPECT_EQ(carol.status("SETQUOTA acme (STORAGE 9)"), "NO");
  EXPECT_THAT(ben.say("GETQUOTA acme"), StartsWith("* QUOTA \"acme\" (STORAGE 0 40)\r\n"));
}

TEST(Customers, TheirOwnerMayChangeBothLimits) {
  ImapWorld world(options_of_two_customers());
  ImapDevice anna(world, "anna");
  EXPECT_TRUE(world.server.set_quota("anna", 8U << 10U));
  EXPECT_TRUE(world.server.set_customer_quota("acme", 16U << 10U));
  EXPECT_THAT(anna.say("GETQUOTAROOT INBOX"),
              AllOf(HasSubstr("\"anna\" (STORAGE 0 8 MESSAGE 0 1000000)"), HasSubstr("\"acme\" (STORAGE 0 16)")));
  EXPECT_TRUE(world.server.set_quota("anna@example.test", std::nullopt)) << "an address names the account too";
  EXPECT_TRUE(world.server.set_customer_quota("acme", std::nullopt));
  EXPECT_THAT(anna.say("GETQUOTAROOT INBOX"), HasSubstr("* QUOTA \"anna\" (MESSAGE 0 1000000)\r\n"));
  EXPECT_TRUE(world.server.set_customer_quota("zulu", 512)) << "one who had no limit until now";
  ImapDevice zoe(world, "zoe");
  EXPECT_THAT(zoe.append("INBOX", rich_message()), HasSubstr("NO [OVERQUOTA]"));
  EXPECT_FALSE(world.server.set_quota("nobody", 1024));
  EXPECT_FALSE(world.server.set_customer_quota("nobody", 1024));
}

TEST(Customers, ALimitBelowWhatIsThereRemovesNothing) {
  Rig rig(options_of_two_customers());
  deliver(rig, "ben", 30'000);
  rig.account("ben").shared().quota = 10'000;
  EXPECT_THAT(deliver(rig, "anna", 400), StartsWith("552"));
  EXPECT_EQ(rig.inbox("ben").size(), 1U);
  rig.account("ben").shared().quota = 50'000;
  EXPECT_THAT(deliver(rig, "anna", 400), StartsWith("250"));
}

TEST(Killed, NothingIsLostButWithTheDefect) {
  for (const bool defect : {false, true}) {
    ImapWorld world(options_of_two_customers(defect ? "delivery.lost-when-killed" : ""));
    {
      ImapDevice anna(world, "anna"), ben(world, "ben");
      for (const int i : {1, 2}) anna.append("INBOX", plain_message(i));
      anna.append("Sent", plain_message(3));
      ben.append("INBOX", plain_message(4));
    }
    world.server.killed();
    ImapDevice anna(world, "anna"), ben(world, "ben");
    const std::string inbox = defect ? "MESSAGES 1" : "MESSAGES 2", single = defect ? "MESSAGES 0" : "MESSAGES 1";
    EXPECT_THAT(anna.say("STATUS INBOX (MESSAGES)"), HasSubstr(inbox));
    EXPECT_THAT(anna.say("STATUS Sent (MESSAGES)"), HasSubstr(single));
    EXPECT_THAT(ben.say("STATUS INBOX (MESSAGES)"), HasSubstr(single));
    anna.say("SELECT INBOX");
    EXPECT_THAT(anna.say("FETCH 1 BODY.PEEK[]"), HasSubstr("part 1")) << "the newest one goes";
  }
}

}  // namespace
}  // namespace mailproof::server
