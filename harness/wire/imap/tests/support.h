#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/imap/framer.h"

namespace mailproof::imap::tests {

/// Feeds `bytes` in pieces to a fresh reader and tells what came out. Everything read at once is compared with every
/// two-way split, with single bytes, and with pieces of some odd sizes.
using Reader = std::function<std::vector<std::string>(const std::vector<std::string_view>& pieces)>;
inline std::vector<std::string> expect_same_at_every_split(std::string_view bytes, const Reader& read) {
  const auto whole = read({bytes});
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
    if (const auto cut_in_two = read({bytes.substr(0, cut), bytes.substr(cut)}); cut_in_two != whole) {
      EXPECT_EQ(cut_in_two, whole) << "cut at " << cut;
      break;
    }
  for (const std::size_t size : {1U, 2U, 3U, 7U}) {
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < bytes.size(); at += size) pieces.push_back(bytes.substr(at, size));
    EXPECT_EQ(read(pieces), whole) << "pieces of " << size;
  }
  return whole;
}

/// Writes down every call, chunks joined.
class Recorder : public FramerSink {
 public:
  std::function<LiteralAction(const LiteralBegin&)> choose = [](const LiteralBegin&) { return LiteralAction::keep; };
  std::function<void(const LogicalLine&)> when_line = [](const LogicalLine&) {};
  std::vector<std::string> events;

  LiteralAction on_literal_begin(const LiteralBegin& begin) override {
    std::string event = "begin " + std::to_string(begin.size);
    event += begin.synchronising ? "" : " nonsync";
    event += begin.too_large ? " too large" : "";
    event.append(" after ").append(begin.line);
    events.push_back(event);
    streamed.clear();
    return choose(begin);
  }
  void on_literal_chunk(std::string_view octets) override {
    EXPECT_FALSE(octets.empty());
    streamed += octets;
  }
  void on_literal_end() override {
    std::string event = "streamed ";
    events.push_back(event.append(streamed));
  }
  void on_number(std::uint32_t number) override { events.push_back(std::to_string(number)); }
  void on_line(const LogicalLine& line) override {
    std::string event = line.truncated ? "truncated " : "line ";
    event += line.text;
    for (const Literal& literal : line.literals) {
      event.append(" <").append(std::to_string(literal.at)).append(":");
      event.append(literal.in_memory ? literal.data : "elsewhere").append(">");
      EXPECT_EQ(line.text.substr(literal.at, 1), "{");
      EXPECT_EQ(line.text.substr(literal.at + literal.marker - 1, 1), "}");
    }
    events.push_back(event);
    when_line(line);
  }

 private:
  std::string streamed;
};

inline void append_deviations(const Framer& framer, std::vector<std::string>& events) {
  framer.deviations().for_each([&](const Deviation& d) {
    std::string event(name(d.code));
    event.append(" at ").append(std::to_string(d.stream_offset));
    events.push_back(event);
  });
}

}  // namespace mailproof::imap::tests
