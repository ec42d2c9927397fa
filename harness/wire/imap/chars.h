#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "core/bytes.h"

namespace mailproof::imap {

/// Character classes of RFC 9051 section 9, one table look-up each. Octets over 127 are counted as atom characters, so
/// that a line of an odd server stays readable; Cursor notes them.
enum CharClass : std::uint8_t {
  atom_char = 1,
  astring_char = 2,
  list_char = 4,
  word_char = 8,
  digit_char = 16,
  set_char = 32,
};

namespace detail {
constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> table{};
  for (unsigned c = 0x21; c < 256; ++c) {
    if (c == 0x7f) continue;
    const char ch = static_cast<char>(c);
    constexpr std::string_view never = "(){\"\\";  // atom-specials that no class below allows
    if (never.find(ch) != std::string_view::npos) continue;
    const bool wildcard = ch == '%' || ch == '*';
    const bool resp_special = ch == ']';
    std::uint8_t classes = list_char;
    if (!wildcard) classes |= astring_char;
    if (!wildcard && !resp_special) {
      classes |= atom_char;
      if (ch != '[' && ch != '<') classes |= word_char;
    }
    const bool digit = ch >= '0' && ch <= '9';
    if (digit) classes |= digit_char;
    if (digit || ch == ':' || ch == ',' || ch == '*') classes |= set_char;
    table[c] = classes;
  }
  return table;
}
inline constexpr std::array<std::uint8_t, 256> classes = make_classes();
}  // namespace detail

/// iequals() with a word in capitals, as nearly everybody sends it: then its letters need not be looked at one by one.
[[gnu::always_inline]] inline bool is_word(std::string_view text, std::string_view capitals) {
  return text.size() == capitals.size() && (text == capitals || iequals(text, capitals));
}

constexpr bool is(CharClass wanted, char c) { return (detail::classes[static_cast<unsigned char>(c)] & wanted) != 0; }

}  // namespace mailproof::imap
