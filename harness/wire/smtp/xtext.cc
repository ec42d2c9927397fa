#include "wire/smtp/xtext.h"

namespace mailproof::smtp {
namespace {

constexpr std::string_view kHex = "0123456789ABCDEF";

}  // namespace

/// xtext = *( xchar / hexchar ); xchar = any CHAR between "!" and "~" except "+" and "="
std::string to_xtext(std::string_view raw) {
  std::string out;
  for (const char c : raw) {
    if (c > ' ' && c < 0x7f && c != '+' && c != '=') {
      out += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    out += '+';
    out += kHex[octet >> 4U];
    out += kHex[octet & 15U];
  }
  return out;
}

Result<std::string> from_xtext(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c <= ' ' || c >= 0x7f || c == '=') return Error{"", "xtext: character that must be encoded"};
    if (c != '+') {
      out += c;
      continue;
    }
    const std::size_t high = i + 1 < text.size() ? kHex.find(text[i + 1]) : std::string_view::npos;
    const std::size_t low = i + 2 < text.size() ? kHex.find(text[i + 2]) : std::string_view::npos;
    if (high == std::string_view::npos || low == std::string_view::npos)
      return Error{"", "xtext: '+' without two hex digits"};
    out += static_cast<char>(high << 4U | low);
    i += 2;
  }
  return out;
}

}  // namespace mailproof::smtp
