#pragma once
#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>

namespace mailproof::imports {

/// Octets of the literal that a line ends in, "{123}" or "{123+}".
inline std::optional<std::size_t> literal_at_end(std::string_view line) {
  const std::size_t open = line.rfind('{');
  if (!line.ends_with('}') || open == std::string_view::npos) return std::nullopt;
  std::string_view count = line.substr(open + 1, line.size() - open - 2);
  if (count.ends_with('+')) count.remove_suffix(1);
  std::size_t out = 0;
  const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), out);
  if (count.empty() || error != std::errc() || end != count.data() + count.size()) return std::nullopt;
  return out;
}

}  // namespace mailproof::imports
