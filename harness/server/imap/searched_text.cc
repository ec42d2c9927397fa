#include "server/imap/searched_text.h"

#include <algorithm>
#include <optional>

#include "core/bytes.h"
#include "core/hash.h"
#include "wire/mime/structure.h"

namespace mailproof::server {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = to_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// RFC 2045 section 6.7; `in_word`: the Q encoding of RFC 2047 section 4.2.
std::string from_quoted(std::string_view text, bool in_word) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '_' && in_word) {
      out += ' ';
    } else if (text[i] != '=') {
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

std::string from_base64(std::string_view text) {
  std::string joined;
  std::copy_if(text.begin(), text.end(), std::back_inserter(joined), [](char c) { return c > ' '; });
  const auto decoded = unbase64(joined);
  return decoded ? decoded.value() : std::string(text);
}

/// "=?charset?B?text?=" off the front of `rest`.
std::optional<std::string> take_encoded_word(std::string_view& rest) {
  if (!rest.starts_with("=?")) return std::nullopt;
  const auto first = rest.find('?', 2);
  const auto second = first == std::string_view::npos ? first : rest.find('?', first + 1);
  const auto end = second == std::string_view::npos ? second : rest.find("?=", second + 1);
  if (end == std::string_view::npos || second != first + 2) return std::nullopt;
  const char how = to_lower(rest[first + 1]);
  const std::string_view text = rest.substr(second + 1, end - second - 1);
  if (how != 'b' && how != 'q') return std::nullopt;
  rest.remove_prefix(end + 2);
  return how == 'b' ? from_base64(text) : from_quoted(text, true);
}

void leaves(const mime::Part& part, std::string_view message, std::string& out) {
  for (const auto& child : part.parts) leaves(child, message, out);
  if (!part.parts.empty()) return;
  const std::string_view body = part.body.of(message);
  out += part.encoding == "BASE64"             ? from_base64(body)
         : part.encoding == "QUOTED-PRINTABLE" ? from_quoted(body, false)
                                               : std::string(body);
  out += '\n';
}

}  // namespace

std::string searched_field(std::string_view field) {
  std::string out;
  while (!field.empty()) {
    if (auto word = take_encoded_word(field)) {
      out += *word;
      const auto next = std::min(field.find_first_not_of(' '), field.size());
      if (field.substr(next).starts_with("=?")) field.remove_prefix(next);
    } else {
      out += field.front();
      field.remove_prefix(1);
    }
  }
  return out;
}

std::string searched_body(std::string_view message) {
  std::string out;
  leaves(mime::parse_structure(message), message, out);
  return out;
}

}  // namespace mailproof::server
