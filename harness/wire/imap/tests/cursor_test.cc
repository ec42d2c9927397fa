#include "wire/imap/cursor.h"

#include <gtest/gtest.h>

#include <array>

namespace mailproof::imap {
namespace {

TEST(Cursor, ReadsACommandWithALiteral) {
  const std::string_view text = "A003 APPEND saved-messages (\\Seen $Forwarded) {310}";
  const std::array<Literal, 1> literals{{{text.find('{'), 5, 310, false, {}, 0}}};
  Cursor c(LogicalLine{text, literals});
  FlagList flags;
  EXPECT_EQ(c.tag(), "A003");
  c.sp();
  EXPECT_EQ(c.word(), "APPEND");
  c.sp();
  EXPECT_EQ(c.astring().text(), "saved-messages");
  c.sp();
  c.flag_list(flags);
  c.sp();
  const Text message = c.string();
  EXPECT_TRUE(c.end());
  EXPECT_TRUE(c.ok());
  EXPECT_EQ(message.size(), 310U);
  EXPECT_TRUE(message.streamed());
  EXPECT_EQ(flags.format(), "(\\Seen $Forwarded)");
}

TEST(Cursor, BracesAreALiteralOnlyWhereTheFramerSaidSo) {
  Cursor c(std::string_view("{310}"));
  c.astring();
  EXPECT_FALSE(c.ok());
}

TEST(Cursor, UndoesEscapes) {
  Cursor c(std::string_view("\"a \\\"quoted\\\" \\\\ string\" \"plain\""));
  const Text first = c.string();
  c.sp();
  const Text second = c.string();
  ASSERT_TRUE(c.ok());
  EXPECT_EQ(first.text(), "a \"quoted\" \\ string");
  EXPECT_TRUE(first.equals("a \"quoted\" \\ string"));
  EXPECT_FALSE(second.escaped());
  EXPECT_EQ(second.raw(), "plain");
}

TEST(Cursor, TheFirstFailureSticks) {
  Cursor c(std::string_view("12x FLAGS"));
  EXPECT_EQ(c.number(), 12U);
  EXPECT_FALSE(c.sp());
  EXPECT_EQ(c.column(), 2U);
  EXPECT_EQ(c.atom(), "");
  EXPECT_EQ(c.rest(), "");
  EXPECT_EQ(c.error().message(), "column 2: expected a space, found \"x FLAGS\"");
}

TEST(Cursor, NumbersDoNotWrap) {
  EXPECT_EQ(Cursor(std::string_view("4294967295")).number(), 4294967295U);
  EXPECT_EQ(Cursor(std::string_view("9223372036854775807")).number64(), 9223372036854775807U);
  Deviations noted;
  Cursor a(LogicalLine{"4294967296", {}}, &noted);
  a.number();
  EXPECT_FALSE(a.ok());
  Cursor b(LogicalLine{"9223372036854775808", {}}, &noted);
  b.number64();
  EXPECT_FALSE(b.ok());
  Cursor z(LogicalLine{"0", {}}, &noted);
  z.nz_number();
  EXPECT_FALSE(z.ok());
  std::vector<std::string_view> names;
  noted.for_each([&](const Deviation& d) { names.push_back(name(d.code)); });
  EXPECT_EQ(names, (std::vector<std::string_view>{"imap.number.overflow", "imap.syntax", "imap.number.overflow",
                                                  "imap.syntax", "imap.number.zero", "imap.syntax"}));
}

TEST(Cursor, WalksNestedLists) {
  Cursor c(std::string_view("(a (b c) () \"d\")"));
  std::string seen;
  ASSERT_TRUE(c.open_list());
  while (c.next_item()) {
    if (c.peek() == '(') {
      c.open_list();
      while (c.next_item()) seen.append("/").append(c.atom());
      seen += ";";
    } else {
      seen.append(c.astring().text()).append(";");
    }
  }
  EXPECT_TRUE(c.end());
  EXPECT_EQ(seen, "a;/b/c;;d;");
}

TEST(Cursor, NotesStraySpacesAndGoesOn) {
  Deviations noted;
  Cursor c(LogicalLine{"( \\Seen  \\Flagged ) ", {}}, &noted);
  FlagList flags;
  c.flag_list(flags);
  EXPECT_TRUE(c.end());
  EXPECT_EQ(flags.format(), "(\\Seen \\Flagged)");
  EXPECT_EQ(noted.count(), 4U);
}

TEST(Cursor, DepthIsBounded) {
  const std::string deep(2'000'000, '(');
  Cursor c((std::string_view(deep)));
  EXPECT_EQ(c.skip_value(), "");
  EXPECT_FALSE(c.ok());
  EXPECT_EQ(c.column(), Cursor::max_depth);
  const std::string legal = std::string(64, '(') + std::string(64, ')');
  Cursor d((std::string_view(legal)));
  EXPECT_EQ(d.skip_value(), legal);
  EXPECT_TRUE(d.ok());
}

TEST(Cursor, SkipsAnyValue) {
  const std::string_view text = "ATOM (\"x)\" (NIL 12) \\Seen) \"a\\\"b\" ~{3} rest";
  const std::array<Literal, 1> literals{{{text.find('{'), 3, 3, true, "abc", 0}}};
  Cursor c(LogicalLine{text, literals});
  EXPECT_EQ(c.skip_value(), "ATOM");
  c.sp();
  EXPECT_EQ(c.skip_value(), "(\"x)\" (NIL 12) \\Seen)");
  c.sp();
  EXPECT_EQ(c.skip_value(), "\"a\\\"b\"");
  c.sp();
  EXPECT_EQ(c.skip_value(), "~{3}");
  c.sp();
  EXPECT_EQ(c.skip_value(), "rest");
  EXPECT_TRUE(c.end());
}

TEST(Cursor, WordEndsBeforeASection) {
  Cursor c(std::string_view("BODY.PEEK[HEADER]<0.100>"));
  EXPECT_EQ(c.word(), "BODY.PEEK");
  EXPECT_TRUE(c.expect('['));
  EXPECT_EQ(c.atom(), "HEADER");
  EXPECT_TRUE(c.expect(']'));
  EXPECT_TRUE(c.accept('<'));
}

TEST(Cursor, NilIsAWordNotAPrefix) {
  Cursor c(std::string_view("NIL nil NILPOTENT"));
  EXPECT_TRUE(c.nstring().is_nil());
  c.sp();
  EXPECT_TRUE(c.nstring().is_nil());
  c.sp();
  EXPECT_FALSE(c.accept_word("NIL"));
  EXPECT_EQ(c.astring().text(), "NILPOTENT");
}

TEST(Cursor, UnterminatedStringsFail) {
  for (const char* text : {"\"abc", "\"abc\\", "\"abc\\\"", "\""}) {
    Cursor c((std::string_view(text)));
    c.string();
    EXPECT_FALSE(c.ok()) << text;
  }
}

TEST(FlagList, ManyAtOnceAreTheSameAsOneByOne) {
  FlagList one_by_one;
  FlagList at_once;
  std::vector<std::string> names{"\\Seen", "$first", "$FIRST"};
  for (int i = 0; i < 300; ++i) names.push_back("$word" + std::to_string(i * 7919 % 200));
  std::vector<std::string_view> views(names.begin(), names.end());
  at_once.add("$word5");
  at_once.add_many(views);
  for (const auto& name : names) one_by_one.add(name);
  EXPECT_EQ(at_once.format(), one_by_one.format());
  std::string list = "(";
  for (const auto& name : names) list += (list.size() > 1 ? " " : "") + name;
  FlagList read;
  Cursor c(list += ")");
  c.flag_list(read);
  EXPECT_TRUE(c.end());
  EXPECT_EQ(read.format(), one_by_one.format());
}

TEST(FlagList, IsASetWithoutCase) {
  FlagList a;
  FlagList b;
  for (const char* f : {"\\Seen", "$Forwarded", "NonJunk", "\\deleted", "$forwarded"}) a.add(f);
  for (const char* f : {"nonjunk", "\\DELETED", "$FORWARDED", "\\seen"}) b.add(f);
  EXPECT_EQ(a, b);
  EXPECT_TRUE(a.has("NONJUNK"));
  EXPECT_FALSE(a.has("Junk"));
  EXPECT_EQ(a.format(), "(\\Seen \\Deleted $Forwarded NonJunk)");
  a.remove("$Forwarded");
  a.remove("\\Seen");
  EXPECT_EQ(a.format(), "(\\Deleted NonJunk)");
  a.remove("NonJunk");
  EXPECT_EQ(a.format(), "(\\Deleted)");
  a.add(b);
  EXPECT_EQ(a, b);
  a.remove(b);
  EXPECT_TRUE(a.empty());
  EXPECT_EQ(a.format(), "()");
}

TEST(FlagList, KeepsExtensionsAndTheWildcard) {
  FlagList flags;
  for (const char* f : {"\\*", "\\XServer", "b", "a", "c"}) flags.add(f);
  EXPECT_TRUE(flags.has(Flag::may_create));
  EXPECT_EQ(flags.format(), "(\\* \\XServer a b c)");
}

TEST(Deviations, KeepsTheLastAndCountsAll) {
  Deviations ring;
  for (std::uint64_t i = 0; i < 40; ++i) ring.note(DeviationCode::bare_lf, i, 70'000, "excerpt");
  EXPECT_EQ(ring.count(), 40U);
  std::vector<std::uint64_t> offsets;
  ring.for_each([&](const Deviation& d) { offsets.push_back(d.stream_offset); }, 30);
  EXPECT_EQ(offsets.size(), 10U);
  EXPECT_EQ(offsets.front(), 30U);
  EXPECT_EQ(offsets.back(), 39U);
  offsets.clear();
  ring.for_each([&](const Deviation& d) { offsets.push_back(d.stream_offset); });
  EXPECT_EQ(offsets.size(), Deviations::kept);
  EXPECT_EQ(offsets.front(), 24U);
}

}  // namespace
}  // namespace mailproof::imap
