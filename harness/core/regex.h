#pragma once
#include <cstddef>
#include <regex>
#include <string_view>

namespace mailproof {

/// std::regex goes one call deeper for every octet: what is longer is like no regex.
inline constexpr std::size_t kMostForRegex = 4096;

/// Whether `text` has something like `regex`.
inline bool search(std::string_view text, const std::regex& regex) {
  return text.size() <= kMostForRegex && std::regex_search(text.begin(), text.end(), regex);
}

}  // namespace mailproof
