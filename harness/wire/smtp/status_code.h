#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailproof::smtp {

/// An enhanced mail system status code, class "." subject "." detail (RFC 3463 section 2).
struct EnhancedStatus {
  std::uint8_t klass = 0;  ///< 2, 4 or 5
  std::uint16_t subject = 0;
  std::uint16_t detail = 0;
  bool operator==(const EnhancedStatus&) const = default;
  std::string text() const;  ///< "5.2.2"
};

/// Takes "5.2.2" off the front of `rest`, and one space behind it. Nothing, and `rest` stays, if none stands there.
std::optional<EnhancedStatus> take_enhanced_status(std::string_view& rest);
/// Exactly a status code.
std::optional<EnhancedStatus> parse_enhanced_status(std::string_view text);
/// The first status code anywhere in a text, as a word of its own: "smtp; 552 5.2.2 <x> full" -> 5.2.2.
std::optional<EnhancedStatus> find_enhanced_status(std::string_view text);

}  // namespace mailproof::smtp
