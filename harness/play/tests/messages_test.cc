#include "play/messages.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mailproof::play {
namespace {

using scenario::MessageKind;
using scenario::MessageRef;
using Numbers = std::vector<std::uint32_t>;

constexpr std::uint64_t kRun = 0x1234567890abcdef;
constexpr const char* kDate = "Thu, 01 Jan 2026 00:00:00 +0000";
constexpr const char* kAlice = "alice@example.test";

struct Mail {
  explicit Mail(std::uint64_t seed = 7) : messages(history, seed, kRun, kDate) {}
  Messages::Made make(const std::string& set, MessageKind kind = MessageKind::plain, std::uint64_t size = 0) {
    return messages.make({set, 1, size, kind}, 0, "carol@example.test", kAlice);
  }
  history::History history;
  Messages messages;
};

mail::ContentScanner scanned(std::string_view text) {
  mail::ContentScanner scanner;
  scanner.begin();
  scanner.add(text);
  scanner.end();
  return scanner;
}

/// However the pieces are cut that it comes in.
TEST(Difference, IsWhereItFirstIsAnother) {
  Mail mail;
  const std::string text = *mail.make("mail", MessageKind::plain, 2000).text;
  std::string other = text;
  other[1500] = '~';
  for (const auto& [came, offset, sent] : {std::tuple(other, std::size_t{1500}, text.substr(1500, 24)),
                                           std::tuple(text.substr(0, 1600), std::size_t{1600}, text.substr(1600, 24)),
                                           std::tuple(text + "more", text.size(), std::string())})
    for (const std::size_t piece : {1U, 7U, 1500U, 100'000U}) {
      mail::ContentScanner scanner;
      scanner.compare_with([&](const mail::Token&) { return std::make_shared<const std::string>(text); });
      scanner.begin();
      scanner.add("Received: by somebody\r\n");
      for (std::size_t at = 0; at < came.size(); at += piece) scanner.add(std::string_view(came).substr(at, piece));
      scanner.end();
      ASSERT_TRUE(scanner.difference());
      EXPECT_EQ(scanner.difference()->offset, offset);
      EXPECT_EQ(scanner.difference()->sent, sent);
      EXPECT_EQ(scanner.difference()->came, came.substr(offset, 24));
      scanner.begin();
      scanner.add(text);
      scanner.end();
      EXPECT_FALSE(scanner.difference());
    }
}

/// A filter's fields between or below those that were sent are no difference; a changed, doubled or lost field is one.
TEST(Difference, IsNoneWhereFieldsWereAddedBelow) {
  Mail mail;
  const std::string text = *mail.make("mail", MessageKind::plain, 2000).text;
  const auto end = text.find("\r\n\r\n") + 2;
  const auto from = text.find("\r\nFrom:") + 2;
  const auto with = [&](std::size_t at, std::string_view what) { return std::string(text).insert(at, what); };
  struct Case {
    std::string came;
    bool same;
  };
  std::string subject = text;
  subject.insert(subject.find("Subject: ") + 9, "[EXT] ");
  std::string without = text;
  without.erase(from, without.find("\r\n", from) + 2 - from);
  for (const Case& one :
       {Case{with(end, "X-Scanned: clean\r\n"), true},
        Case{with(end, "X-Spam-Status: No,\r\n\tscore=1\r\nX-Scanned: clean\r\n"), true},
        Case{with(from, "X-Scanned: clean\r\n"), true}, Case{with(end, "Subject: another\r\n"), false},
        Case{with(end, "X-Mailproof: another\r\n"), false}, Case{with(end, "no field\r\n"), false},
        Case{with(end, " continued\r\n"), false}, Case{with(end, "X-Scanned: clean\r\n") + "more", false},
        Case{with(end + 2, "A footer\r\n"), false}, Case{with(end, "\r\n"), false}, Case{subject, false},
        Case{without, false}})
    for (const std::size_t piece : {1U, 7U, 100'000U}) {
      mail::ContentScanner scanner;
      scanner.compare_with([&](const mail::Token&) { return std::make_shared<const std::string>(text); });
      scanner.begin();
      scanner.add("Received: by somebody\r\n");
      for (std::size_t at = 0; at < one.came.size(); at += piece)
        scanner.add(std::string_view(one.came).substr(at, piece));
      scanner.end();
      EXPECT_EQ(!scanner.difference(), one.same) << one.came.substr(0, 600);
      EXPECT_EQ(scanner.hash() == scanned(text).hash(), one.same);
      EXPECT_EQ(scanner.header_hash() == scanned(text).header_hash() || !one.same, true);
      EXPECT_EQ(scanner.octets(), one.came.size() + 23);
      if (one.same) {
        EXPECT_EQ(scanner.canonical_octets(), text.size());
        EXPECT_EQ(scanner.added().back(), "X-Scanned");
      }
    }
}

class EveryKind : public testing::TestWithParam<MessageKind> {};

TEST_P(EveryKind, IsKnownAgainFromItsBytesAlone) {
  Mail mail;
  mail.make("before");
  const auto made = mail.make("mail", GetParam(), 4096);
  const auto scanner = scanned(*made.text);
  ASSERT_TRUE(scanner.token());
  EXPECT_EQ(mail.messages.number_of(*scanner.token()), made.number);
  EXPECT_EQ(scanner.token()->owner, kAlice);
  const history::MessageInfo& info = mail.history.message(made.number);
  EXPECT_EQ(info.size, made.text->size());
  EXPECT_EQ(info.hash, scanner.hash());
  EXPECT_EQ(info.header_hash, scanner.header_hash());
  EXPECT_EQ(info.body_lines, scanner.body_lines());
  EXPECT_EQ(made.text->substr(info.header_octets - 4, 4), "\r\n\r\n");
}

TEST_P(EveryKind, IsSentAgainByteForByte) {
  Mail mail;
  const auto first = mail.make("mail", GetParam(), 3000);
  mail.make("mail", MessageKind::office);
  EXPECT_EQ(*mail.messages.again(first.number), *first.text);
}

INSTANTIATE_TEST_SUITE_P(Messages, EveryKind,
                         testing::Values(MessageKind::plain, MessageKind::office, MessageKind::dot_lines,
                                         MessageKind::long_lines, MessageKind::eight_bit));

TEST(Messages, LookAsTheirKindSays) {
  Mail mail;
  const auto longest_line = [](const std::string& text) {
    std::size_t longest = 0;
    for (std::size_t at = 0, end = 0; (end = text.find("\r\n", at)) != std::string::npos; at = end + 2)
      longest = std::max(longest, end - at);
    return longest;
  };
  const auto eight_bit = [](const std::string& text) {
    return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) > 0x7f; });
  };
  EXPECT_NE(mail.make("dots", MessageKind::dot_lines, 16384).text->find("\r\n."), std::string::npos);
  EXPECT_TRUE(eight_bit(*mail.make("letter", MessageKind::eight_bit, 16384).text));
  EXPECT_GT(longest_line(*mail.make("long", MessageKind::long_lines, 16384).text), 998U);
  for (const auto kind :
       {MessageKind::plain, MessageKind::office}) {  // what any MTA must take (RFC 5322 section 2.1.1)
    const auto safe = mail.make("safe", kind);
    EXPECT_LE(longest_line(*safe.text), 998U);
    EXPECT_FALSE(eight_bit(*safe.text));
  }
}

TEST(Messages, ComeOutTheSameForTheSameSeedOnly) {
  Mail one, same, other(8);
  EXPECT_EQ(*one.make("mail").text, *same.make("mail").text);
  EXPECT_NE(*one.make("mail").text, *other.make("mail").text);
  EXPECT_NE(*one.make("mail").text, *one.make("mail").text);
}

TEST(Messages, OfAnotherRunAreNotOurs) {
  Mail mail;
  const auto made = mail.make("mail");
  mail::Token token = *scanned(*made.text).token();
  token.run += 1;
  EXPECT_EQ(mail.messages.number_of(token), 0U);
  token.run = kRun;
  token.number = 2;  // never made
  EXPECT_EQ(mail.messages.number_of(token), 0U);
  token.number = 0;
  EXPECT_EQ(mail.messages.number_of(token), 0U);
}

TEST(Messages, AreCountedInTheirSetAndInTheHistory) {
  Mail mail;
  mail.make("mail");
  mail.make("late");
  const auto third = mail.make("mail");
  EXPECT_EQ(third.number, 3U);
  EXPECT_EQ(mail.history.message(3).set, "mail");
  EXPECT_EQ(mail.history.message(3).index, 2U);
}

TEST(MessageSets, AreReferredToAsTheLanguageSays) {
  Mail mail;
  for (int i = 0; i < 4; ++i) mail.make("mail");
  const auto numbers = [&](int first, int last, bool newest = false) {
    return mail.messages.numbers(MessageRef{"mail", first, last, newest});
  };
  EXPECT_EQ(numbers(0, 0), (Numbers{1, 2, 3, 4}));  // mail
  EXPECT_EQ(numbers(2, 2), (Numbers{2}));           // mail.2
  EXPECT_EQ(numbers(1, 2), (Numbers{1, 2}));        // mail.1-2
  EXPECT_EQ(numbers(3, -1), (Numbers{3, 4}));       // mail.3-last
  EXPECT_EQ(numbers(0, 0, true), (Numbers{4}));     // mail.last
  EXPECT_EQ(numbers(3, 9), (Numbers{3, 4}));        // no more were made
  EXPECT_EQ(numbers(5, 5), Numbers{});
  EXPECT_EQ(mail.messages.numbers(MessageRef{"other", 0, 0, false}), Numbers{});
}

TEST(MessageSets, MayBeWhatADeviceGot) {
  Mail mail;
  for (int i = 0; i < 3; ++i) mail.make("mail");
  mail.messages.define("got", {3, 1});
  EXPECT_EQ(mail.messages.numbers(MessageRef{"got", 1, 1, false}), (Numbers{3}));
  mail.messages.define("got", {});
  EXPECT_EQ(mail.messages.numbers(MessageRef{"got", 0, 0, true}), Numbers{});
}

}  // namespace
}  // namespace mailproof::play
