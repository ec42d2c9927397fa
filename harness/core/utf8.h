#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mailproof {

struct Utf8Point {
  std::uint32_t value = 0;
  std::size_t length = 0;  ///< octets; 0 = not UTF-8
};

/// The character that the text begins with, which must not be empty. UTF8-octets of RFC 3629 section 4: no overlong
/// forms, no surrogates, nothing above U+10FFFF.
Utf8Point utf8_point(std::string_view text);

/// What terminals obey, or take for a line end, or what reorders a line for whoever reads it: C1 controls (U+0085 is a
/// line end to some), the other line ends of Unicode, bidirectional marks and overrides.
bool is_unseen_command(std::uint32_t point);

}  // namespace mailproof
