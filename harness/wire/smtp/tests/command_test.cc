#include "wire/smtp/command.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "wire/smtp/path.h"
#include "wire/smtp/xtext.h"

namespace mailproof::smtp {
namespace {

TEST(SmtpCommands, Keywords) {
  EXPECT_EQ(parse_command("ehlo client.example.test").verb, Verb::ehlo);
  EXPECT_EQ(parse_command("ehlo client.example.test").arguments, "client.example.test");
  EXPECT_EQ(parse_command("MAIL FROM:<>").arguments, "FROM:<>");
  EXPECT_EQ(parse_command("DATA").verb, Verb::data);
  EXPECT_EQ(parse_command("BDAT 9000 LAST").verb, Verb::bdat);
  EXPECT_EQ(parse_command("GET / HTTP/1.0").verb, Verb::unknown);
}

TEST(SmtpCommands, MailFromWithEveryParameter) {
  const auto mail = parse_mail_from(
      "FROM:<user0002@example.test> SIZE=9000 BODY=8BITMIME RET=HDRS ENVID=QQ314159+2B SMTPUTF8 AUTH=<>");
  ASSERT_TRUE(mail);
  EXPECT_EQ(mail->path, "user0002@example.test");
  EXPECT_EQ(mail->size, 9000U);
  EXPECT_EQ(mail->body, Body::eight_bit_mime);
  EXPECT_EQ(mail->ret, Ret::headers);
  EXPECT_EQ(mail->envid, "QQ314159+");
  EXPECT_TRUE(mail->smtputf8);
  EXPECT_EQ(mail->auth, "<>");
  const auto null = parse_mail_from("from:<>");
  ASSERT_TRUE(null);
  EXPECT_EQ(null->path, "");
  EXPECT_FALSE(null->size);
  EXPECT_EQ(parse_mail_from("FROM: <a@example.test>")->path, "a@example.test");
}

TEST(SmtpCommands, MailFromRefusals) {
  const std::pair<const char*, const char*> bad[] = {
      {"", "501"},
      {"<a@example.test>", "501"},
      {"FROM:a@example.test", "501"},
      {"FROM:<a@example.test", "501"},
      {"FROM:<a>", "501"},
      {"FROM:<a@>", "501"},
      {"FROM:<@example.test>", "501"},
      {"FROM:<a b@example.test>", "501"},
      {"FROM:<>SIZE=1", "501"},
      {"FROM:<> SIZE=", "501"},
      {"FROM:<> SIZE=-1", "501"},
      {"FROM:<> SIZE=99999999999999999999", "501"},
      {"FROM:<> RET=ALL", "501"},
      {"FROM:<> BODY=9BIT", "501"},
      {"FROM:<> ENVID=a+x", "501"},
      {"FROM:<> ENVID=", "501"},
      {"FROM:<> NOTIFY=NEVER", "555"},
      {"FROM:<> X=1", "555"},
  };
  for (const auto& [arguments, code] : bad) {
    const auto mail = parse_mail_from(arguments);
    ASSERT_FALSE(mail) << arguments;
    EXPECT_EQ(mail.error().where, code) << arguments;
  }
}

TEST(SmtpCommands, RcptToWithEveryParameter) {
  const auto rcpt = parse_rcpt_to(
      "TO:<@hop.test,@hop2.test:user0001@example.test> NOTIFY=success,DELAY ORCPT=rfc822;user+2B1@example.test");
  ASSERT_TRUE(rcpt);
  EXPECT_EQ(rcpt->path, "user0001@example.test");
  EXPECT_TRUE(rcpt->notify.given && rcpt->notify.success && rcpt->notify.delay);
  EXPECT_FALSE(rcpt->notify.failure || rcpt->notify.never);
  EXPECT_EQ(rcpt->orcpt_type, "rfc822");
  EXPECT_EQ(rcpt->orcpt, "user+1@example.test");
  EXPECT_TRUE(parse_rcpt_to("TO:<u@example.test> NOTIFY=NEVER")->notify.never);
  EXPECT_EQ(parse_rcpt_to("TO:<Postmaster>")->path, "Postmaster");
}

TEST(SmtpCommands, RcptToRefusals) {
  for (const char* bad :
       {"TO:<>", "TO:<u@example.test> NOTIFY=", "TO:<u@example.test> NOTIFY=NEVER,FAILURE",
        "TO:<u@example.test> ORCPT=rfc822", "TO:<u@example.test> ORCPT=;x", "FROM:<u@example.test>"}) {
    const auto rcpt = parse_rcpt_to(bad);
    ASSERT_FALSE(rcpt) << bad;
    EXPECT_EQ(rcpt.error().where, "501") << bad;
  }
  EXPECT_EQ(parse_rcpt_to("TO:<u@example.test> SIZE=1").error().where, "555");
}

TEST(SmtpPaths, MailboxForms) {
  for (const char* good :
       {"a@b", "first.last@example.test", "\"quoted > @ string\"@example.test", "\"a\\\"b\"@example.test",
        "u@[127.0.0.1]", "u@[IPv6:::1]", "j\xc3\xb6rg@example.test", "user+detail@example.test", "x@a_b.test"}) {
    const std::string bracketed = fmt::format("<{}> rest", good);
    std::string_view rest = bracketed;
    const auto path = take_path(rest);
    ASSERT_TRUE(path) << good << ": " << path.error().why;
    EXPECT_EQ(*path, good);
    EXPECT_EQ(rest, " rest");
  }
  for (const char* bad : {".a@b", "a.@b", "a..b@c", "a@-b", "a@b-", "a@b..c", "a@.b", "\"a@b", "\"a\\\\\"x\"@b",
                          "a@[x y]", "a@b c", "a\r@b"}) {
    const std::string bracketed = fmt::format("<{}>", bad);
    std::string_view rest = bracketed;
    EXPECT_FALSE(take_path(rest)) << bad;
  }
  const std::string huge = fmt::format("<{:a>300}@example.test>", "");
  std::string_view rest = huge;
  EXPECT_FALSE(take_path(rest));
}

TEST(SmtpPaths, MailboxIsSplitOutsideOfQuotes) {
  EXPECT_EQ(split_mailbox("a@b@c.test").domain, "c.test");
  EXPECT_EQ(split_mailbox("\"x@y\"@c.test").local, "\"x@y\"");
  EXPECT_EQ(split_mailbox("\"x@y\"").domain, "");
}

TEST(SmtpCommands, WhatWeWriteReadsBack) {
  MailFrom mail;
  mail.path = "user0002@example.test";
  mail.size = 1234;
  mail.body = Body::eight_bit_mime;
  mail.ret = Ret::full;
  mail.envid = "env id=1+";
  EXPECT_EQ(mail_command(mail),
            "MAIL FROM:<user0002@example.test> SIZE=1234 BODY=8BITMIME RET=FULL ENVID=env+20id+3D1+2B");
  EXPECT_EQ(parse_mail_from(mail_command(mail).substr(5))->envid, mail.envid);
  EXPECT_EQ(mail_command(MailFrom{}), "MAIL FROM:<>");
}

TEST(Xtext, RoundTrip) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(*from_xtext(to_xtext(all)), all);
  EXPECT_EQ(to_xtext("a+b=c d"), "a+2Bb+3Dc+20d");
  for (const char* bad : {"+", "+2", "+2b", "+xx", "a b", "a=b", "\x7f"}) EXPECT_FALSE(from_xtext(bad)) << bad;
}

}  // namespace
}  // namespace mailproof::smtp
