#include "wire/smtp/status_code.h"

#include <fmt/format.h>

#include "wire/text/words.h"

namespace mailproof::smtp {
namespace {

/// 1*3DIGIT without leading zero, off the front of `rest`.
std::optional<std::uint16_t> take_number(std::string_view& rest) {
  std::size_t digits = 0;
  while (digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9') ++digits;
  if (digits == 0 || digits > 3 || (digits > 1 && rest[0] == '0')) return std::nullopt;
  const auto number = text::parse_number<std::uint16_t>(rest.substr(0, digits));
  rest.remove_prefix(digits);
  return number;
}

}  // namespace

std::string EnhancedStatus::text() const { return fmt::format("{}.{}.{}", klass, subject, detail); }

/// status-code = class "." subject "." detail; class = "2" / "4" / "5"; subject and detail = 1*3DIGIT
std::optional<EnhancedStatus> take_enhanced_status(std::string_view& rest) {
  if (rest.size() < 5 || rest[1] != '.') return std::nullopt;
  if (rest[0] != '2' && rest[0] != '4' && rest[0] != '5') return std::nullopt;
  EnhancedStatus status;
  status.klass = static_cast<std::uint8_t>(rest[0] - '0');
  std::string_view tail = rest.substr(2);
  const auto subject = take_number(tail);
  if (!subject || !tail.starts_with('.')) return std::nullopt;
  tail.remove_prefix(1);
  const auto detail = take_number(tail);
  if (!detail) return std::nullopt;
  if (!tail.empty() && tail.front() != ' ' && tail.front() != '\t') return std::nullopt;
  if (!tail.empty()) tail.remove_prefix(1);
  status.subject = *subject;
  status.detail = *detail;
  rest = tail;
  return status;
}

std::optional<EnhancedStatus> parse_enhanced_status(std::string_view text) {
  const auto status = take_enhanced_status(text);
  return status && text.empty() ? status : std::nullopt;
}

std::optional<EnhancedStatus> find_enhanced_status(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(" \t\r\n#;:,()");
    if (const auto status = parse_enhanced_status(text.substr(0, end))) return status;
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return std::nullopt;
}

}  // namespace mailproof::smtp
