#include "wire/mime/transfer_encoding.h"

#include <algorithm>
#include <iterator>

#include "core/bytes.h"
#include "core/hash.h"

namespace mailproof::mime {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = to_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// Line ends and other characters outside the alphabet are passed over (RFC 2045 section 6.8).
std::optional<std::string> from_base64(std::string_view text) {
  std::string joined;
  std::copy_if(text.begin(), text.end(), std::back_inserter(joined), [](char c) { return c > ' '; });
  auto decoded = unbase64(joined);
  if (!decoded) return std::nullopt;
  return std::move(*decoded);
}

}  // namespace

std::string from_quoted_printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      out += text[i];
    } else if (text.substr(i, 3) == "=\r\n") {
      i += 2;
    } else if (i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += '=';
    }
  }
  return out;
}

std::optional<std::string> transfer_decoded(std::string_view encoding, std::string_view body) {
  if (iequals(encoding, "BASE64")) return from_base64(body);
  if (iequals(encoding, "QUOTED-PRINTABLE")) return from_quoted_printable(body);
  for (const std::string_view plain : {"7BIT", "8BIT", "BINARY"})
    if (iequals(encoding, plain)) return std::string(body);
  return std::nullopt;
}

}  // namespace mailproof::mime
