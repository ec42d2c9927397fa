#include "wire/text/line_reader.h"

#include <fmt/format.h>

#include "wire/text/tests/split.h"

namespace mailproof::text {
namespace {

std::string lines(std::string_view bytes, std::size_t limit) {
  return expect_same_at_every_split(bytes, [limit](const std::vector<std::string_view>& pieces) {
    LineReader reader(limit);
    std::string told;
    for (std::string_view piece : pieces) {
      while (const auto line = reader.next(piece)) {
        told += fmt::format("{}+{} '{}'{}{}\n", line->offset, line->octets, line->text, line->bare_lf ? " lf" : "",
                            line->cut ? " cut" : "");
      }
      EXPECT_TRUE(piece.empty());
      EXPECT_LE(reader.unfinished().size(), limit + 1);
    }
    return told + fmt::format("left {}", reader.unfinished_octets());
  });
}

TEST(LineReader, CutsLinesAtEverySplit) {
  EXPECT_EQ(lines("+OK POP3 ready\r\n\r\n-ERR no\r\nrest", 512),
            "0+16 '+OK POP3 ready'\n16+2 ''\n18+9 '-ERR no'\nleft 4");
}

TEST(LineReader, SaysBareLfAndKeepsLoneCr) {
  EXPECT_EQ(lines("+OK\n\n+OK a\rb\r\r\nx\r", 512), "0+4 '+OK' lf\n4+1 '' lf\n5+10 '+OK a\rb\r'\nleft 2");
}

TEST(LineReader, BoundsLongLinesAndGoesOn) {
  EXPECT_EQ(lines("12345\r\n123456\r\n1234567890123\n1\r\n", 5),
            "0+7 '12345'\n7+8 '12345' cut\n15+14 '12345' lf cut\n29+3 '1'\nleft 0");
}

TEST(LineReader, EndlessLineTakesNoMemory) {
  LineReader reader(64);
  const std::string flood(4096, 'x');
  for (int i = 0; i < 1000; ++i) {
    std::string_view in = flood;
    EXPECT_FALSE(reader.next(in));
  }
  EXPECT_EQ(reader.unfinished().size(), 65U);
  EXPECT_EQ(reader.unfinished_octets(), 4096000U);
}

}  // namespace
}  // namespace mailproof::text
