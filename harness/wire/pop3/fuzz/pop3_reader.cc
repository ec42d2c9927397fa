#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/pop3/listing.h"
#include "wire/pop3/response_reader.h"

namespace {

using mailproof::pop3::ResponseReader;

/// What the reader tells of `bytes` given in pieces of `step` octets; every third +OK has text, every third lines.
std::string tell(std::string_view bytes, std::size_t step) {
  ResponseReader reader;
  mailproof::pop3::Capabilities capabilities;
  std::string told;
  unsigned answers = 0;
  while (!bytes.empty()) {
    std::string_view in = bytes.substr(0, step);
    bytes.remove_prefix(in.size());
    for (auto event = reader.next(in); event != ResponseReader::Event::more; event = reader.next(in)) {
      if (event == ResponseReader::Event::status) {
        told += reader.status().text;
        reader.expect(static_cast<ResponseReader::Body>(answers++ % 3));
      } else if (event != ResponseReader::Event::end) {
        told += reader.chunk();
        if (event == ResponseReader::Event::line) {
          capabilities.add(reader.chunk());
          (void)mailproof::pop3::parse_unique_id_listing(reader.chunk());
          (void)mailproof::pop3::parse_scan_listing(reader.chunk());
          told += '\n';
        }
      } else {
        told += "|" + std::to_string(reader.body_stats().longest_line) + "|";
      }
    }
    if (!in.empty()) __builtin_trap();
  }
  for (const auto& d : reader.deviations().all()) told += std::string(d.code) + std::to_string(d.count);
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (tell(bytes, size) != tell(bytes, 1 + data[0] % 16U)) __builtin_trap();
  return 0;
}
