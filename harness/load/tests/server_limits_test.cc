#include "load/server_limits.h"

#include <gtest/gtest.h>

namespace mailproof::load {
namespace {

TEST(ServerLimits, RepliesOfKnownServersNameTheirSetting) {
  const auto setting = [](std::string_view said) { return std::string(setting_behind(said).value_or("")); };
  EXPECT_EQ(setting("A1 NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded "
                    "(mail_max_userip_connections=16)"),
            "Dovecot: mail_max_userip_connections, of one user from one address");
  EXPECT_EQ(setting("-ERR Too many open connections (3 of 3 for alice)"),
            "Cyrus: maxlogins_per_user and maxlogins_per_host in imapd.conf");
  EXPECT_EQ(setting("421 node-7: Too many concurrent SMTP connections; please try again later"),
            "Exim: smtp_accept_max");
  EXPECT_EQ(setting("421 Too many concurrent SMTP connections from this IP address"), "Exim: smtp_accept_max_per_host");
  EXPECT_EQ(setting("421 4.7.0 node-7 Error: too many connections from 192.0.2.7"),
            "Postfix: smtpd_client_connection_count_limit");
  EXPECT_EQ(setting("NO [AUTHENTICATIONFAILED] Authentication failed."), "");
  EXPECT_EQ(setting(""), "");
}

TEST(ServerLimits, ALoadTellsEachOnce) {
  LoadResult result;
  result.note = "imap 127.0.0.1:143: NO Maximum number of connections from user+IP exceeded";
  result.plan.examples["connect: limit"] = "NO (mail_max_userip_connections=10)";
  result.plan.examples["delivery: 421"] = "421 4.7.0 x Error: too many connections from 127.0.0.1";
  const auto told = limits_told(result);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_NE(told[0].find("mail_max_userip_connections"), std::string::npos);
  EXPECT_NE(told[1].find("smtpd_client_connection_count_limit"), std::string::npos);
}

TEST(ServerLimits, ALoadThatNobodyLetInIsOneSentence) {
  LoadResult result;
  result.plan.name = "office";
  result.target = "node-7";
  result.note = "imap 127.0.0.1:1: connect: connection refused";
  result.worst = judge::Verdict::error;
  EXPECT_TRUE(nothing_played(result));
  EXPECT_EQ(to_text(result),
            "plan office was not played on node-7: imap 127.0.0.1:1: connect: connection refused\n\n"
            "error: nothing was played\n");
}

TEST(ServerLimits, AWayThatNoSessionCameThroughIsAnError) {
  LoadResult result;
  result.all.ledger.copies = 3;
  auto& connect = result.all.operations.at(result.all.operations.id("lmtp.connect"));
  connect.due();
  connect.begin(Time{}, Time{});
  connect.unknown_as("connection refused");
  ASSERT_EQ(unreached(result).size(), 1U);
  EXPECT_EQ(verdict_of(result), judge::Verdict::error);
  connect.due();
  connect.begin(Time{}, Time{});
  connect.succeed(Time{}, Time{}, Time{} + std::chrono::milliseconds(1));
  EXPECT_TRUE(unreached(result).empty());
}

}  // namespace
}  // namespace mailproof::load
