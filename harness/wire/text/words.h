#pragma once
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mailproof::text {

/// Takes the next word off the front of `rest`, and one space behind it. Words are what stands between single spaces.
inline std::string_view take_word(std::string_view& rest) {
  const std::size_t space = rest.find(' ');
  const std::string_view word = rest.substr(0, space);
  rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
  return word;
}

/// 1*DIGIT that fits; no sign, no space. Nothing on anything else.
template <class Number>
std::optional<Number> parse_number(std::string_view word) {
  Number value{};
  if (word.empty() || word.front() < '0' || word.front() > '9') return std::nullopt;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

/// Without spaces and tabs at both ends.
inline std::string_view trim(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

}  // namespace mailproof::text
