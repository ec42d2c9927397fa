#include "wire/smtp/reply.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "wire/smtp/extensions.h"
#include "wire/text/tests/split.h"

namespace mailproof::smtp {
namespace {

std::string tell(const std::vector<std::string_view>& pieces) {
  ReplyReader reader;
  std::string told;
  for (std::string_view in : pieces) {
    while (const Reply* reply = reader.next(in)) {
      told += fmt::format("{} {} {} lines '{}'\n", reply->code, reply->enhanced ? reply->enhanced->text() : "-",
                          reply->lines, reply->text);
    }
    EXPECT_TRUE(in.empty());
  }
  if (reader.broken()) told += fmt::format("broken '{}'\n", reader.garbage());
  for (const auto& d : reader.deviations().all()) told += fmt::format("! {} at {} x{}\n", d.code, d.offset, d.count);
  if (reader.unfinished()) told += "unfinished\n";
  return told;
}

std::string read(std::string_view bytes) { return text::expect_same_at_every_split(bytes, tell); }

TEST(SmtpReplies, OneLineAndMany) {
  EXPECT_EQ(read("220 mail.example.test ESMTP Exim 4.96\r\n"
                 "250-mail.example.test Hello\r\n250-SIZE 52428800\r\n250 HELP\r\n"
                 "250 2.1.0 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n250\r\n"
                 "552 5.2.2 <user0001@example.test> Quota exceeded (mailbox for user is full)\r\n"),
            "220 - 1 lines 'mail.example.test ESMTP Exim 4.96'\n"
            "250 - 3 lines 'mail.example.test Hello\nSIZE 52428800\nHELP'\n"
            "250 2.1.0 1 lines 'Ok'\n354 - 1 lines 'End data with <CR><LF>.<CR><LF>'\n250 - 1 lines ''\n"
            "552 5.2.2 1 lines '<user0001@example.test> Quota exceeded (mailbox for user is full)'\n");
}

TEST(SmtpReplies, EnhancedStatusOnEveryLineOfOne) {
  EXPECT_EQ(read("550-5.7.1 Sender\r\n550-5.7.1 not\r\n550 5.7.1 allowed\r\n"),
            "550 5.7.1 3 lines 'Sender\nnot\nallowed'\n");
}

TEST(SmtpReplies, StatusOfAnotherClassIsNoted) {
  EXPECT_EQ(read("452 5.2.2 full\r\n"), "452 - 1 lines '5.2.2 full'\n! smtp.reply.status-class at 0 x1\n");
}

TEST(SmtpReplies, CodesThatDifferAreNotedAndTheLastCounts) {
  EXPECT_EQ(read("250-a\r\n251-b\r\n250 c\r\n"), "250 - 3 lines 'a\nb\nc'\n! smtp.reply.codes-differ at 7 x2\n");
}

TEST(SmtpReplies, BareLineFeedsAreNoted) {
  EXPECT_EQ(read("250-a\n250 b\n"), "250 - 2 lines 'a\nb'\n! smtp.line.bare-lf at 0 x2\n");
}

TEST(SmtpReplies, GarbageEndsReading) {
  for (const char* bad :
       {"SSH-2.0-OpenSSH_9.2", "25 short", "250ok", "150 early", "650 late", "2x0 no", "", "+OK POP3 ready"}) {
    const std::string told = read(fmt::format("{}\r\n250 ok\r\n", bad));
    EXPECT_EQ(told, fmt::format("broken '{}'\n! smtp.reply.garbage at 0 x1\n", bad));
  }
}

TEST(SmtpReplies, ACutIsSeen) {
  EXPECT_EQ(read("250-half\r\n"), "unfinished\n");
  EXPECT_EQ(read("25"), "unfinished\n");
}

TEST(SmtpReplies, LongLinesAreNotedAndBounded) {
  const std::string at_limit = fmt::format("250 {:x>506}\r\n", "");
  EXPECT_EQ(at_limit.size(), 512U);
  EXPECT_EQ(tell({at_limit}).find('!'), std::string::npos);
  EXPECT_EQ(tell({fmt::format("334 {:A>12000}\r\n", "")}).find('!'), std::string::npos) << "RFC 4954 section 4";
  EXPECT_NE(tell({fmt::format("250 {:x>507}\r\n", "")}).find("! smtp.line.too-long at 0"), std::string::npos);
  ReplyReader reader;
  const std::string flood(65536, '2');
  for (int i = 0; i < 200; ++i) {
    std::string_view in = flood;
    EXPECT_EQ(reader.next(in), nullptr);
  }
}

TEST(SmtpReplies, ManyLinesAreDroppedAndEndlessOnesGivenUp) {
  std::string many;
  for (int i = 0; i < 150; ++i) many += "250-line\r\n";
  ReplyReader reader;
  const std::string closed = many + "250 end\r\n";
  std::string_view in = closed;
  const Reply* reply = reader.next(in);
  ASSERT_NE(reply, nullptr);
  EXPECT_EQ(reply->lines, 151U);
  EXPECT_EQ(reply->text.size(), 100U * 5U - 1U);
  EXPECT_TRUE(reader.deviations().find("smtp.reply.too-many-lines"));

  ReplyReader endless;
  for (int i = 0; i < 100 && !endless.broken(); ++i) {
    in = many;
    EXPECT_EQ(endless.next(in), nullptr);
  }
  EXPECT_TRUE(endless.broken());
  EXPECT_EQ(endless.garbage(), "a reply without end");
}

TEST(SmtpReplies, SummaryFitsOneLine) {
  Reply reply;
  reply.code = 552;
  reply.enhanced = EnhancedStatus{5, 2, 2};
  reply.text = "Quota\nexceeded\x1b[31m";
  EXPECT_EQ(reply.summary(), "552 5.2.2 Quota exceeded\\x1b[31m");
}

TEST(StatusCodes, AreReadExactly) {
  EXPECT_EQ(parse_enhanced_status("5.2.2"), (EnhancedStatus{5, 2, 2}));
  EXPECT_EQ(parse_enhanced_status("4.999.0"), (EnhancedStatus{4, 999, 0}));
  for (const char* bad :
       {"", "5", "5.2", "5.2.", "5.2.2.1", "3.1.1", "5.02.2", "5.1000.1", "5.2.2x", "5.-1.1", "25.1.1"})
    EXPECT_FALSE(parse_enhanced_status(bad)) << bad;
}

TEST(StatusCodes, AreFoundInText) {
  EXPECT_EQ(find_enhanced_status("smtp; 552 5.2.2 <user0001@example.test> Quota exceeded"), (EnhancedStatus{5, 2, 2}));
  EXPECT_EQ(find_enhanced_status("smtp;550-5.7.1 x"), std::nullopt);
  EXPECT_EQ(find_enhanced_status("smtp;550 #5.1.1 unknown"), (EnhancedStatus{5, 1, 1}));
  EXPECT_EQ(find_enhanced_status("host 127.0.0.1 [4.3.2.1] said 5.0.0.0"), std::nullopt);
  EXPECT_EQ(find_enhanced_status(""), std::nullopt);
}

Extensions ehlo(std::string_view bytes) {
  ReplyReader reader;
  const Reply* reply = reader.next(bytes);
  Extensions e;
  if (reply != nullptr) e.read(*reply);
  return e;
}

TEST(SmtpExtensions, OfPostfixAndCyrus) {
  const Extensions postfix = ehlo(
      "250-node.test\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-ETRN\r\n250-AUTH PLAIN LOGIN\r\n250-AUTH=PLAIN "
      "LOGIN\r\n"
      "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-dsn\r\n250 CHUNKING\r\n");
  EXPECT_EQ(postfix.domain(), "node.test");
  EXPECT_TRUE(postfix.has("PIPELINING"));
  EXPECT_TRUE(postfix.has("DSN"));
  EXPECT_FALSE(postfix.has("STARTTLS"));
  EXPECT_EQ(postfix.size(), 52428800U);
  EXPECT_EQ(postfix.auth(), (std::vector{sasl::Mechanism::plain, sasl::Mechanism::login}));
  const Extensions cyrus =
      ehlo("250-localhost\r\n250-8BITMIME\r\n250-SIZE\r\n250-AUTH EXTERNAL\r\n250 IGNOREQUOTA\r\n");
  EXPECT_TRUE(cyrus.has("SIZE"));
  EXPECT_EQ(cyrus.size(), std::nullopt);
  EXPECT_TRUE(cyrus.auth().empty());
  EXPECT_EQ(ehlo("250-x\r\n250 AUTH=LOGIN\r\n").auth(), std::vector{sasl::Mechanism::login});
  EXPECT_TRUE(ehlo("250\r\n").all().empty());
}

}  // namespace
}  // namespace mailproof::smtp
