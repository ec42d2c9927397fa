#include "wire/mime/encoded_words.h"

#include <algorithm>
#include <optional>

#include "core/bytes.h"
#include "core/hash.h"

namespace mailproof::mime {
namespace {

constexpr std::size_t kMostInWord = 45;  ///< octets: 60 in base64, and 12 around them

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char small = to_lower(c);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

/// RFC 2047 section 4.2.
std::optional<std::string> from_q(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      out += text[i] == '_' ? ' ' : text[i];
      continue;
    }
    if (i + 2 >= text.size() || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0) return std::nullopt;
    out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
    i += 2;
  }
  return out;
}

/// Of ISO 8859-1 every octet is the code point of its character.
std::string from_latin(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x80) out += static_cast<char>(0xC0U | (octet >> 6U));
    out += static_cast<char>(octet < 0x80 ? octet : 0x80U | (octet & 0x3FU));
  }
  return out;
}

/// Takes one encoded word off the front: "=?utf-8?Q?Rechnung?=".
std::optional<std::string> take_word(std::string_view& text) {
  if (!text.starts_with("=?")) return std::nullopt;
  const auto charset = text.find('?', 2);
  if (charset == std::string_view::npos || charset + 2 >= text.size() || text[charset + 2] != '?') return std::nullopt;
  const auto end = text.find("?=", charset + 3);
  if (end == std::string_view::npos) return std::nullopt;
  const auto known = text.substr(2, charset - 2);
  const bool latin = iequals(known, "iso-8859-1");
  if (!latin && !iequals(known, "utf-8") && !iequals(known, "us-ascii")) return std::nullopt;
  const auto inside = text.substr(charset + 3, end - charset - 3);
  std::optional<std::string> out;
  if (to_lower(text[charset + 1]) == 'q') out = from_q(inside);
  if (to_lower(text[charset + 1]) == 'b')
    if (auto plain = unbase64(inside)) out = std::move(*plain);
  if (out && latin) out = from_latin(*out);
  if (out) text.remove_prefix(end + 2);
  return out;
}

}  // namespace

std::string encoded_words(std::string_view text) {
  const auto plain = [](char c) { return c >= ' ' && c < 0x7F; };
  if (std::all_of(text.begin(), text.end(), plain) && text.find("=?") == std::string_view::npos)
    return std::string(text);
  std::string out;
  while (!text.empty()) {
    std::size_t size = std::min(text.size(), kMostInWord);
    while (size > 1 && size < text.size() && !begins_character(text[size])) --size;
    out += (out.empty() ? "=?utf-8?B?" : "\r\n =?utf-8?B?") + base64(text.substr(0, size)) + "?=";
    text.remove_prefix(size);
  }
  return out;
}

std::string decoded_words(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (auto word = take_word(text)) {
      out += *word;
      // Blanks between encoded words are no part of the text (RFC 2047 section 6.2).
      const auto next = text.find_first_not_of(" \t\r\n");
      if (next != std::string_view::npos && next != 0 && text.substr(next).starts_with("=?")) {
        std::string_view ahead = text.substr(next);
        if (take_word(ahead)) text.remove_prefix(next);
      }
    } else {
      if (text.front() != '\r' && text.front() != '\n') out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace mailproof::mime
