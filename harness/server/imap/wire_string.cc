#include "server/imap/wire_string.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailproof::server {

std::string imap_string(std::string_view text, bool utf8) {
  const bool quotable = text.size() <= 1000 && std::all_of(text.begin(), text.end(), [utf8](char c) {
                          return static_cast<unsigned char>(c) >= 0x80 ? utf8 : c >= 0x20 && c < 0x7f;
                        });
  if (!quotable) return fmt::format("{{{}}}\r\n{}", text.size(), text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted += '"';
}

}  // namespace mailproof::server
