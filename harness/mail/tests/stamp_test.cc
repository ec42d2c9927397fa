#include "mail/stamp.h"

#include <gtest/gtest.h>

namespace mailproof::mail {
namespace {

MessageSpec spec(Look look, std::uint64_t size = 0, std::uint64_t seed = 99) {
  MessageSpec s;
  s.token = {0x1234567890abcdefULL, 7, seed, "alice@example.test"};
  s.look = look;
  s.size = size;
  s.from = "carol@example.test";
  s.to = "alice@example.test";
  s.set = "mail";
  s.date = "Thu, 01 Jan 2026 00:00:00 +0000";
  return s;
}

constexpr Look kLooks[] = {Look::plain, Look::office, Look::dot_lines, Look::long_lines, Look::eight_bit};

/// What a server gives back of it: trace headers on top.
const std::string kTrace =
    "Return-Path: <carol@example.test>\r\nReceived: from mailproof.example.test\r\n\tby mail.example.test with LMTP; "
    "Thu, 1 Jan 2026\r\n";

ContentScanner scan(std::string_view text, std::size_t piece) {
  ContentScanner scanner;
  scanner.begin();
  for (std::size_t i = 0; i < text.size(); i += piece) scanner.add(text.substr(i, piece));
  scanner.end();
  return scanner;
}

TEST(Stamp, TheSameTokenMakesTheSameBytes) {
  for (const Look look : kLooks) {
    EXPECT_EQ(*make_message(spec(look)).text, *make_message(spec(look)).text);
    EXPECT_NE(*make_message(spec(look)).text, *make_message(spec(look, 0, 100)).text);
  }
}

TEST(Stamp, MakesTheSizeThatWasAskedFor) {
  for (const Look look : kLooks)
    for (const std::uint64_t size : {2000U, 2001U, 8192U, 65536U, 1'000'003U}) {
      const auto made = make_message(spec(look, size));
      EXPECT_LE(made.text->size(), size);
      EXPECT_GE(made.text->size() + 2, size) << static_cast<int>(look);
    }
}

TEST(Stamp, LinesAreWhatMtasTake) {
  for (const Look look : kLooks) {
    const auto made = make_message(spec(look, 20'000));
    const std::string& text = *made.text;
    ASSERT_TRUE(text.ends_with("\r\n"));
    std::size_t longest = 0, start = 0;
    bool eight_bit = false, dots = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      eight_bit = eight_bit || static_cast<unsigned char>(text[i]) >= 0x80;
      if (text[i] != '\n') continue;
      ASSERT_TRUE(i > 0 && text[i - 1] == '\r');
      dots = dots || text[start] == '.';
      longest = std::max(longest, i - start - 1);
      start = i + 1;
    }
    EXPECT_EQ(longest > 998, look == Look::long_lines);  // RFC 5322 section 2.1.1
    EXPECT_EQ(eight_bit, look == Look::eight_bit);
    EXPECT_TRUE(dots || look != Look::dot_lines);
  }
}

TEST(Stamp, AMessageIsKnownAgainBehindTraceHeadersHoweverItIsCut) {
  for (const Look look : kLooks) {
    const auto made = make_message(spec(look, 3000));
    const std::string seen = kTrace + *made.text;
    for (const std::size_t piece :
         {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{17}, std::size_t{1000}, seen.size()}) {
      const auto scanner = scan(seen, piece);
      ASSERT_TRUE(scanner.token());
      EXPECT_EQ(scanner.token()->number, 7U);
      EXPECT_EQ(scanner.token()->run, 0x1234567890abcdefULL);
      EXPECT_EQ(scanner.token()->seed, 99U);
      EXPECT_EQ(scanner.token()->owner, "alice@example.test");
      EXPECT_EQ(scanner.hash(), made.hash);
      EXPECT_EQ(scanner.header_hash(), made.header_hash);
      EXPECT_EQ(scanner.octets(), seen.size());
      EXPECT_EQ(scanner.canonical_octets(), made.text->size());
      EXPECT_EQ(scanner.body_lines(), made.body_lines);
    }
  }
}

TEST(Stamp, WhoAsksForTheWholeOnlyIsToldTheSameOfIt) {
  const std::string other = "X-Mailer: one\r\nX-mailproof: v1 run=2a n=9 seed=3 owner=bob@example.test\r\n";
  for (const Look look : kLooks) {
    const auto made = make_message(spec(look, 3000));
    const auto line = made.text->find("\r\n") + 2;
    for (const std::string& seen :
         {kTrace + *made.text, made.text->substr(0, line) + other + made.text->substr(line),
          made.text->substr(0, made.header_octets), made.text->substr(0, made.header_octets - 2)})
      for (const std::size_t piece : {std::size_t{1}, std::size_t{17}, std::size_t{300}, seen.size()}) {
        ContentScanner whole;
        whole.whole_only();
        whole.begin();
        for (std::size_t at = 0; at < seen.size(); at += piece) whole.add(std::string_view(seen).substr(at, piece));
        whole.end();
        const auto scanner = scan(seen, 1);
        EXPECT_EQ(whole.hash(), scanner.hash());
        EXPECT_EQ(whole.canonical_octets(), scanner.canonical_octets());
        EXPECT_EQ(whole.header(), scanner.header());
        EXPECT_EQ(whole.header_ended(), scanner.header_ended());
        EXPECT_EQ(whole.token()->text(), scanner.token()->text());
      }
  }
}

TEST(Stamp, DigitsOfATokenAreReadTheSameAllAtOnce) {
  Token token;
  token.run = 0x0123456789abcdefULL;
  token.number = 12;
  token.seed = 0xfedcba9876543210ULL;
  token.owner = "alice@example.test";
  const std::string text = token.text();
  ASSERT_EQ(Token::parse(text)->text(), text);
  // With more space in front it is not as we write it, and read one by one.
  for (std::size_t i = 0; i < text.size(); ++i)
    for (int c = 0; c < 256; ++c) {
      std::string changed = text;
      changed[i] = static_cast<char>(c);
      const auto at_once = Token::parse(" " + changed), one_by_one = Token::parse("  " + changed);
      ASSERT_EQ(at_once.has_value(), one_by_one.has_value()) << changed;
      if (at_once) {
        ASSERT_EQ(at_once->text(), one_by_one->text()) << changed;
      }
    }
}

TEST(Stamp, EveryChangedByteIsSeen) {
  const auto made = make_message(spec(Look::plain, 1500));
  for (std::size_t i = 0; i < made.text->size(); i += 5) {
    std::string changed = *made.text;
    changed[i] = changed[i] == 'z' ? 'y' : 'z';
    const auto scanner = scan(changed, 100);
    EXPECT_TRUE(!scanner.token() || scanner.hash() != made.hash) << i;
  }
  EXPECT_NE(scan(made.text->substr(0, made.text->size() - 1), 100).hash(), made.hash);
  EXPECT_NE(scan(*made.text + "\r\n", 100).hash(), made.hash);
}

TEST(Stamp, WhatStandsAboveIsToldFromWhatMakesAMessageOurs) {
  const auto made = make_message(spec(Look::plain, 1500));
  const auto above = [&](const std::string& lines, std::size_t piece) {
    const auto scanner = scan(lines + *made.text, piece);
    EXPECT_EQ(scanner.hash(), made.hash) << lines;
    return scanner.others_above();
  };
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{64}, std::size_t{1U << 20}}) {
    EXPECT_TRUE(above("", piece));
    EXPECT_TRUE(above(kTrace, piece));
    EXPECT_FALSE(above("Message-ID: <other@example.test>\r\n", piece));
    EXPECT_FALSE(above("subject: other\r\n", piece));
    EXPECT_FALSE(above("Return-Path: <>\r\nX-MAILPROOF: v1 of another kind\r\n", piece));
    EXPECT_FALSE(above("no field at all\r\n", piece));
    EXPECT_FALSE(above("Received: " + std::string(5000, 'x') + "\r\n", piece == 1U << 20 ? 3000 : piece));
  }
}

TEST(Stamp, HeaderAloneHasItsOwnHash) {
  const auto made = make_message(spec(Look::office, 4000));
  const auto scanner = scan(kTrace + made.text->substr(0, made.header_octets), 11);
  ASSERT_TRUE(scanner.token());
  EXPECT_EQ(scanner.header_hash(), made.header_hash);
  EXPECT_EQ(scanner.body_lines(), 0U);
}

TEST(Stamp, ATextOfOnesOwnIsStampedAndOtherwiseAsItIs) {
  MessageSpec own = spec(Look::plain);
  own.mime = "From: a@example.org\r\nSubject: one\r\n two\r\nTo: b@example.org\r\n\r\nSubject: in the body\r\n";
  const auto made = make_message(own);
  const std::string& text = *made.text;
  EXPECT_TRUE(text.starts_with("X-Mailproof: ")) << text;
  EXPECT_NE(
      text.find("\r\nMessage-ID: " + own.token.message_id() + "\r\nFrom: a@example.org\r\nSubject: one\r\n two 7: "),
      std::string::npos)
      << text;
  EXPECT_TRUE(text.ends_with("\r\nTo: b@example.org\r\n\r\nSubject: in the body\r\n")) << text;
  const auto from = text.find("one\r\n two") + 9;
  EXPECT_TRUE(subject_fits(own.token, "one two" + text.substr(from, text.find("\r\n", from) - from)));
  const auto scanner = scan(kTrace + text, 13);
  ASSERT_TRUE(scanner.token());
  EXPECT_EQ(scanner.hash(), made.hash);
  EXPECT_EQ(scanner.header_hash(), made.header_hash);
  EXPECT_EQ(scanner.body_lines(), made.body_lines);
}

TEST(Stamp, ATextWithoutASubjectGetsOne) {
  MessageSpec own = spec(Look::plain);
  own.mime = "From: a@example.org\r\n\r\n";
  const std::string text = *make_message(own).text;
  EXPECT_NE(text.find("From: a@example.org\r\nSubject: mail 7: "), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with(".\r\n\r\n")) << text;
}

TEST(Stamp, ATokenInTheBodyIsNoStamp) {
  const auto made = make_message(spec(Look::plain, 1500));
  const auto scanner = scan("Return-Path: <>\r\nSubject: Undelivered Mail Returned to Sender\r\n\r\n" + *made.text, 50);
  EXPECT_FALSE(scanner.token());
  EXPECT_NE(scanner.kept().find("X-Mailproof:"), std::string::npos);
}

TEST(Stamp, HostileHeadersCostNoMemory) {
  const auto scanner =
      scan("Subject: " + std::string(4U << 20, 'x') + "\r\nX-Mailproof: v1 run=zz n=1\r\n\r\nbody\r\n", 4096);
  EXPECT_FALSE(scanner.token());
  EXPECT_LE(scanner.kept().size(), 128U * 1024);
}

}  // namespace
}  // namespace mailproof::mail
