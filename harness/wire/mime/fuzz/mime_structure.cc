#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/mime/envelope.h"
#include "wire/mime/header.h"
#include "wire/mime/structure.h"

namespace {

using namespace mailproof;

std::size_t check(const mime::Part& part, mime::Range within, std::size_t depth) {
  if (depth > 33 || part.header.begin < within.begin || part.header.end != part.body.begin ||
      part.body.end > within.end)
    __builtin_trap();
  std::size_t parts = 1;
  for (const mime::Part& child : part.parts) parts += check(child, part.body, depth + 1);
  return parts;
}

std::string fields(std::string_view bytes, std::size_t step) {
  mime::HeaderReader reader;
  std::string told;
  while (!bytes.empty() && !reader.done()) {
    std::string_view in = bytes.substr(0, step);
    bytes.remove_prefix(in.size());
    for (auto event = reader.next(in); event == mime::HeaderReader::Event::field; event = reader.next(in))
      told += std::string(reader.name()) + "|" + reader.value() + "\n";
  }
  while (!reader.done() && reader.finish() == mime::HeaderReader::Event::field)
    told += std::string(reader.name()) + "|" + reader.value() + "\n";
  return told + std::to_string(reader.octets());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view message(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (check(mime::parse_structure(message), {0, message.size()}, 0) > 1001) __builtin_trap();
  (void)mime::read_envelope(message);
  if (fields(message, size) != fields(message, 1 + data[0] % 16U)) __builtin_trap();
  return 0;
}
