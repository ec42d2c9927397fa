// What decodes encodes to the same octets, and the other way round: every mailbox name has one form.
#include <cstdint>
#include <cstdlib>

#include "wire/imap/utf7.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto name = mailproof::imap::encode_utf7(bytes); name) {
    const auto back = mailproof::imap::decode_utf7(*name);
    if (!back || *back != bytes) std::abort();
  }
  if (const auto text = mailproof::imap::decode_utf7(bytes); text) {
    const auto back = mailproof::imap::encode_utf7(*text);
    if (!back || *back != bytes) std::abort();
  }
  return 0;
}
