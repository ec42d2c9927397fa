#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace mailproof {

/// Raw bytes as they travel. Never owned, never NUL-terminated.
using Bytes = std::span<const std::byte>;

inline Bytes as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// ASCII-only case folding: protocol keywords never depend on the locale.
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
constexpr bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  return true;
}
constexpr bool istarts_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && iequals(text.substr(0, prefix.size()), prefix);
}
std::string lower(std::string_view text);
std::string upper(std::string_view text);

/// Server text made safe to print: control bytes and non-ASCII as \xNN, cut after `limit` characters with "...".
std::string printable(std::string_view text, std::size_t limit = 200);

}  // namespace mailproof
