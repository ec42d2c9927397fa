// Any bytes, cut by the first four octets of the input: the same events as in one piece, and bounded memory.
#include <cstdlib>
#include <string>

#include "wire/imap/framer.h"

namespace {

using namespace mailproof::imap;

struct Events final : FramerSink {
  std::string all;
  Framer* framer = nullptr;
  LiteralAction on_literal_begin(const LiteralBegin& begin) override {
    all.append("B").append(std::to_string(begin.size)).append(begin.line);
    if (begin.too_large) framer->stop();
    return static_cast<LiteralAction>(begin.size % 4);
  }
  void on_literal_chunk(std::string_view octets) override { all += octets; }
  void on_literal_end() override { all += 'E'; }
  void on_number(std::uint32_t number) override { all += std::to_string(number); }
  void on_line(const LogicalLine& line) override {
    all.append(line.truncated ? "T" : "L").append(line.text);
    for (const Literal& literal : line.literals) {
      all.append("<").append(literal.data);
      if (line.text.substr(literal.at, 1) != "{") std::abort();
    }
  }
};

std::string run(std::string_view bytes, std::size_t step, bool commands) {
  Events events;
  FramerLimits limits;
  limits.line = 256;
  limits.literal = 1U << 20;
  limits.kept_literal = 64;
  limits.kept_in_line = 128;
  limits.literals = 4;
  Framer framer(commands ? Framer::Reads::commands : Framer::Reads::responses, events, limits);
  events.framer = &framer;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    const auto piece = bytes.substr(at, step);
    const std::size_t looked_at = framer.feed(piece);
    if (looked_at > piece.size()) std::abort();
    if (looked_at < piece.size() && !framer.dead() && framer.feed(piece) != 0) std::abort();
    if (framer.unfinished().size() > limits.line) std::abort();
  }
  framer.deviations().for_each(
      [&](const Deviation& d) { events.all.append(name(d.code)).append(std::to_string(d.stream_offset)); });
  return events.all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const bool commands = (data[0] & 1U) != 0;
  const std::size_t step = 1U + (data[1] & 31U);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (run(bytes, bytes.size() + 1, commands) != run(bytes, step, commands)) std::abort();
  return 0;
}
