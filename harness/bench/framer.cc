// MB/s of the IMAP framer and decoder on the responses a load run is made of, and allocations a response.
#include "wire/imap/framer.h"

#include <benchmark/benchmark.h>

#include "bench/allocations.h"
#include "bench/sink_server.h"
#include "wire/imap/response.h"

namespace mailproof {
namespace {

/// Does what a session does with a response: decodes it, and takes mail text as it comes.
class Reader final : public imap::FramerSink {
 public:
  explicit Reader(bool decodes) : decodes_(decodes) {}
  imap::LiteralAction on_literal_begin(const imap::LiteralBegin&) override { return imap::LiteralAction::stream; }
  void on_literal_chunk(std::string_view octets) override { literal_octets += octets.size(); }
  void on_line(const imap::LogicalLine& line) override {
    ++responses;
    if (decodes_) imap::decode_response(line, response_);
  }
  std::uint64_t responses = 0;
  std::uint64_t literal_octets = 0;

 private:
  bool decodes_;
  imap::Response response_;
};

std::string flags_text() {
  std::string text;
  for (int i = 1; i <= 2000; ++i)
    text += "* " + std::to_string(i) + " FETCH (UID " + std::to_string(1000 + 3 * i) +
            " FLAGS (\\Seen \\Answered $Work))\r\n";
  return text;
}

std::string literals_text() {
  std::string text;
  for (int i = 0; i < 64; ++i) text += bench::answer_body("UID FETCH 1 (BODY.PEEK[])");
  return text;
}

void read(benchmark::State& state, const std::string& text, bool decodes) {
  constexpr std::size_t kRead = 16 * 1024;  // as the socket gives it: pieces that end anywhere
  Reader reader(decodes);
  imap::Framer framer(imap::Framer::Reads::responses, reader);
  const auto pass = [&] {
    for (std::size_t at = 0; at < text.size(); at += kRead) framer.feed(std::string_view(text).substr(at, kRead));
  };
  pass();  // buffers have their size now
  const std::uint64_t responses = reader.responses;
  const std::uint64_t allocations = bench::allocations();
  for (auto _ : state) pass();
  const auto counted = static_cast<double>(reader.responses - responses);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.SetItemsProcessed(static_cast<std::int64_t>(reader.responses - responses));
  state.counters["allocs/response"] = static_cast<double>(bench::allocations() - allocations) / counted;
}

void frame_flags(benchmark::State& state) { read(state, flags_text(), false); }
void frame_literals(benchmark::State& state) { read(state, literals_text(), false); }
void decode_flags(benchmark::State& state) { read(state, flags_text(), true); }
void decode_literals(benchmark::State& state) { read(state, literals_text(), true); }
BENCHMARK(frame_flags);
BENCHMARK(frame_literals);
BENCHMARK(decode_flags);
BENCHMARK(decode_literals);

}  // namespace
}  // namespace mailproof

BENCHMARK_MAIN();
