#include "core/without_commands.h"

#include "core/bytes.h"

namespace mailproof {
namespace {

/// An IPv6 address around `at` (RFC 4291 section 2.2: one "::" in it), a word of its own: no command is called so.
bool in_address(std::string_view text, std::size_t at) {
  const auto of_address = [](char c) {
    return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'f') || c == ':' || c == '.';
  };
  std::size_t from = at, to = at;
  while (from > 0 && of_address(text[from - 1])) --from;
  while (to < text.size() && of_address(text[to])) ++to;
  const std::string_view word = text.substr(from, to - from);
  const auto twice = word.find("::");
  const bool one = word.find("::", twice + 1) == std::string_view::npos;
  const bool digits = word.find_first_not_of(":.") != std::string_view::npos;
  const bool begins = from == 0 || std::string_view(" [(,'\"").find(text[from - 1]) != std::string_view::npos;
  const bool ends = to == text.size() || std::string_view(" ]),;'\"\n").find(text[to]) != std::string_view::npos;
  return one && digits && begins && ends;
}

/// [section], vso[ or teamcity[ behind ##.
bool names_command(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size() && (to_lower(text[n]) >= 'a' && to_lower(text[n]) <= 'z')) ++n;
  return n < text.size() && text[n] == '[';
}

}  // namespace

std::string without_commands(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool twice = !out.empty() && out.back() == text[i];
    if (twice && text[i] == ':' && !in_address(text, i)) {
      out += "\\x3a";
    } else if (twice && text[i] == '#' && names_command(text.substr(i + 1))) {
      out += "\\x23";
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace mailproof
