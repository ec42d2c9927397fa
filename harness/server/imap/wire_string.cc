#include "server/imap/wire_string.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailproof::server {

std::string imap_string(std::string_view text) {
  const bool plain = text.size() <= 1000 && std::all_of(text.begin(), text.end(), [](char c) {
                       return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
                     });
  return plain ? fmt::format("\"{}\"", text) : fmt::format("{{{}}}\r\n{}", text.size(), text);
}

}  // namespace mailproof::server
