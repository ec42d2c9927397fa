#include "wire/mime/address.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "wire/mime/envelope.h"

namespace mailproof::mime {
namespace {

std::string show(std::string_view body) {
  std::string out;
  const auto text = [](const std::optional<std::string>& s) {
    return s ? fmt::format("\"{}\"", *s) : std::string("NIL");
  };
  for (const Address& a : parse_addresses(body))
    out += fmt::format("({} {} {} {})", text(a.name), text(a.route), text(a.mailbox), text(a.host));
  return out;
}

TEST(Addresses, AsImapWantsThem) {
  // RFC 3501 section 8's envelope
  EXPECT_EQ(show("Terry Gray <gray@cac.washington.edu>"), "(\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")");
  EXPECT_EQ(show("minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>"),
            "(NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")");
  // RFC 5322 appendix A
  EXPECT_EQ(show("\"Joe Q. Public\" <john.q.public@example.com>"),
            "(\"Joe Q. Public\" NIL \"john.q.public\" \"example.com\")");
  EXPECT_EQ(show("\"Giant; \\\"Big\\\" Box\" <sysservices@example.net>"),
            "(\"Giant; \"Big\" Box\" NIL \"sysservices\" \"example.net\")");
  EXPECT_EQ(show("A Group:Ed Jones <joe@where.test>,john@one.test;"),
            "(NIL NIL \"A Group\" NIL)(\"Ed Jones\" NIL \"joe\" \"where.test\")(NIL NIL \"john\" \"one.test\")(NIL NIL "
            "NIL NIL)");
  EXPECT_EQ(show("Undisclosed recipients:;"), "(NIL NIL \"Undisclosed recipients\" NIL)(NIL NIL NIL NIL)");
  EXPECT_EQ(show("Mary <@node.test,@b.test:mary@example.net>"),
            "(\"Mary\" \"@node.test,@b.test\" \"mary\" \"example.net\")");
  EXPECT_EQ(show("fred@example.test (Fred \\(Foo\\) Bar)"), "(\"Fred (Foo) Bar\" NIL \"fred\" \"example.test\")");
  EXPECT_EQ(show("\"quoted local\"@example.test"), "(NIL NIL \"quoted local\" \"example.test\")");
  EXPECT_EQ(show("x@[127.0.0.1],\r\n y@z"), "(NIL NIL \"x\" \"[127.0.0.1]\")(NIL NIL \"y\" \"z\")");
}

TEST(Addresses, BrokenOnesStillGiveSomething) {
  EXPECT_EQ(show(""), "");
  EXPECT_EQ(show(" , ,, "), "");
  EXPECT_EQ(show("root"), "(NIL NIL \"root\" \"\")");
  EXPECT_EQ(show("<>"), "(NIL NIL \"\" \"\")");
  EXPECT_EQ(show("<a@b"), "(NIL NIL \"a\" \"b\")");
  EXPECT_EQ(show("a@b c@d"), "(NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")");
  EXPECT_EQ(show("Group: a@b"), "(NIL NIL \"Group\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL)");
  EXPECT_EQ(show("@@@>>]];;::"), "");
}

TEST(Addresses, HostileListsEndAndStayBounded) {
  for (const char c : {'(', '<', '"', ':', ';', ',', '@', '[', '\\', '\x01', '\0', 'a'}) {
    EXPECT_LE(parse_addresses(std::string(200'000, c)).size(), 10'001U);
  }
  std::string many;
  for (int i = 0; i < 30000; ++i) many += "a@b,";
  EXPECT_EQ(parse_addresses(many).size(), 10'000U);
}

TEST(Envelopes, MissingSenderAndReplyToComeFromFrom) {
  const Envelope e = read_envelope(
      "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\nFrom: Terry Gray <gray@cac.washington.edu>\r\n"
      "Subject: IMAP4rev1 WG mtg summary\r\n and minutes\r\nTo: imap@cac.washington.edu\r\nSender:\r\n"
      "Cc: a@b\r\ncc: c@d\r\nMessage-ID: <B27397-0100000@cac.washington.edu>\r\nSubject: second\r\n\r\nTo: body@x\r\n");
  EXPECT_EQ(e.date, "Wed, 17 Jul 1996 02:23:25 -0700 (PDT)");
  EXPECT_EQ(e.subject, "IMAP4rev1 WG mtg summary and minutes");
  EXPECT_EQ(e.sender, e.from);
  EXPECT_EQ(e.reply_to, e.from);
  EXPECT_EQ(e.to.size(), 1U);
  EXPECT_EQ(e.cc.size(), 2U);
  EXPECT_TRUE(e.bcc.empty());
  EXPECT_FALSE(e.in_reply_to);
  EXPECT_EQ(e.message_id, "<B27397-0100000@cac.washington.edu>");
}

}  // namespace
}  // namespace mailproof::mime
