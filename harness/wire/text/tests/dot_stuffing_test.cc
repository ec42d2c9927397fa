#include "wire/text/dot_stuffing.h"

#include <fmt/format.h>

#include "wire/text/tests/split.h"

namespace mailproof::text {
namespace {

struct Told {
  std::string text;
  std::string behind;
  bool done = false;
  DotStats stats;
};

Told read_all(const std::vector<std::string_view>& pieces) {
  DotReader reader;
  Told told;
  for (std::string_view piece : pieces) {
    while (!piece.empty() && !reader.done()) told.text += reader.take(piece);
    told.behind += piece;
  }
  told.done = reader.done();
  told.stats = reader.stats();
  return told;
}

Told unstuff(std::string_view bytes) {
  expect_same_at_every_split(bytes, [](const std::vector<std::string_view>& pieces) {
    const Told t = read_all(pieces);
    return fmt::format("{}|{}|{} octets {} lines {} longest {} lf {} lfdot {} unstuffed {}", t.text, t.behind, t.done,
                       t.stats.octets, t.stats.lines, t.stats.longest_line, t.stats.bare_lf, t.stats.lf_dot_lines,
                       t.stats.unstuffed_dots);
  });
  return read_all({bytes});
}

TEST(DotReader, RemovesStuffingAndStopsAtTheTerminator) {
  const Told t = unstuff("Subject: dots\r\n\r\n..\r\n...more\r\na.b\r\n.\r\n+OK next\r\n");
  EXPECT_TRUE(t.done);
  EXPECT_EQ(t.text, "Subject: dots\r\n\r\n.\r\n..more\r\na.b\r\n");
  EXPECT_EQ(t.behind, "+OK next\r\n");
  EXPECT_EQ(t.stats.octets, t.text.size());
  EXPECT_EQ(t.stats.lines, 5U);
  EXPECT_EQ(t.stats.longest_line, 15U);
  EXPECT_EQ(t.stats.unstuffed_dots, 0U);
}

TEST(DotReader, EmptyText) {
  const Told t = unstuff(".\r\n");
  EXPECT_TRUE(t.done);
  EXPECT_EQ(t.text, "");
  EXPECT_EQ(t.stats.lines, 0U);
}

TEST(DotReader, BareLfNeverEndsTheText) {
  for (const std::string_view smuggled : {"a\n.\n", "a\n.\r\n", "a\r\n.\n"}) {
    const Told t = unstuff(std::string(smuggled) + "MAIL FROM:<x@example.test>\r\n.\r\n");
    EXPECT_TRUE(t.done) << smuggled;
    EXPECT_NE(t.text.find("MAIL FROM"), std::string::npos);
    EXPECT_EQ(t.stats.lf_dot_lines, 1U) << smuggled;
    EXPECT_GE(t.stats.bare_lf, 1U) << smuggled;
  }
}

TEST(DotReader, CountsDotsThatWereNotStuffed) {
  const Told t = unstuff(".signature\r\n.\rx\r\n.\r\r\n.\r\n");
  EXPECT_TRUE(t.done);
  EXPECT_EQ(t.text, "signature\r\n\rx\r\n\r\r\n");
  EXPECT_EQ(t.stats.unstuffed_dots, 3U);
}

TEST(DotReader, WithoutTerminatorItIsNotDone) {
  EXPECT_FALSE(unstuff("body\r\n.\r").done);
  EXPECT_FALSE(unstuff("body.\r\n").done);
  EXPECT_FALSE(unstuff("body\r\n. \r\n").done);
}

TEST(DotReader, LongLinesAreMeasuredAcrossPieces) {
  const std::string longest(3000, 'x');
  EXPECT_EQ(unstuff(longest + "\r\nshort\r\n.\r\n").stats.longest_line, 3002U);
}

std::string stuffed_in(const std::vector<std::string_view>& pieces) {
  DotWriter writer;
  std::string out;
  for (const std::string_view piece : pieces) writer.write(piece, [&](std::string_view s) { out += s; });
  out += writer.end();
  return out;
}

TEST(DotWriter, StuffsAtEverySplit) {
  EXPECT_EQ(expect_same_at_every_split(".\r\n..\r\na\r\n.b\n.c\r\n", stuffed_in), "..\r\n...\r\na\r\n..b\n.c\r\n.\r\n");
  EXPECT_EQ(expect_same_at_every_split("no end", stuffed_in), "no end\r\n.\r\n");
  EXPECT_EQ(expect_same_at_every_split("half\r", stuffed_in), "half\r\r\n.\r\n");
  EXPECT_EQ(stuffed_in({}), ".\r\n");
}

TEST(DotWriter, WhatIsStuffedReadsBackTheSame) {
  Rng rng(7);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::uint32_t n = rng.below(24); n > 0; --n) text += ".\r\nx"[rng.below(4)];
    text += "\r\n";
    const Told back = read_all({dot_stuffed(text)});
    ASSERT_TRUE(back.done) << text;
    ASSERT_EQ(back.text, text);
    ASSERT_EQ(back.stats.unstuffed_dots, 0U);
    if (!needs_dot_stuffing(text)) {
      ASSERT_EQ(dot_stuffed(text), text + ".\r\n");
    }
  }
}

}  // namespace
}  // namespace mailproof::text
