// Any bytes through framer and decoder, one Response reused: no crash, and reuse changes nothing.
#include <cstdlib>

#include "wire/imap/framer.h"
#include "wire/imap/response.h"

namespace {

using namespace mailproof::imap;

struct Decoding final : FramerSink {
  Response reused;
  LiteralAction on_literal_begin(const LiteralBegin& begin) override {
    return content_literal(begin.line) ? LiteralAction::discard : LiteralAction::keep;
  }
  void on_line(const LogicalLine& line) override {
    decode_response(line, reused);
    Response fresh;
    decode_response(line, fresh);
    if (fresh.kind != reused.kind || fresh.text != reused.text || fresh.problem != reused.problem ||
        fresh.fetch.uid != reused.fetch.uid || fresh.fetch.sections.size() != reused.fetch.sections.size() ||
        !(fresh.fetch.flags == reused.fetch.flags) || !(fresh.set == reused.set) ||
        !(fresh.code.source == reused.code.source))
      std::abort();
    if ((fresh.kind == Response::Kind::unreadable) != !fresh.problem.empty()) std::abort();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Decoding sink;
  FramerLimits limits;
  limits.literal = 1U << 20;
  Framer framer(Framer::Reads::responses, sink, limits);
  framer.feed(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
