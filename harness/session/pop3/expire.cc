#include "session/pop3/expire.h"

#include <algorithm>
#include <cstdint>

#include "core/bytes.h"
#include "wire/text/words.h"

namespace mailproof::session {

std::optional<Pop3Download> announced_download(std::span<const std::string> capabilities) {
  std::optional<Pop3Download> announced;
  for (const std::string& line : capabilities) {
    std::string_view rest = line;
    if (!iequals(text::take_word(rest), "EXPIRE")) continue;
    const bool at_once = text::parse_number<std::uint64_t>(text::take_word(rest)) == 0U;
    announced = at_once ? Pop3Download::removes : Pop3Download::keeps;
  }
  return announced;
}

std::optional<std::uint64_t> announced_expiry_days(std::span<const std::string> capabilities) {
  std::optional<std::uint64_t> announced;
  for (const std::string& line : capabilities) {
    std::string_view rest = line;
    if (iequals(text::take_word(rest), "EXPIRE")) announced = text::parse_number<std::uint64_t>(text::take_word(rest));
  }
  return announced;
}

std::optional<Duration> announced_login_delay(std::span<const std::string> capabilities) {
  constexpr std::uint64_t kLongest = 24 * 60 * 60;  // more is no delay between two polls
  std::optional<Duration> announced;
  for (const std::string& line : capabilities) {
    std::string_view rest = line;
    if (!iequals(text::take_word(rest), "LOGIN-DELAY")) continue;
    const auto number = text::parse_number<std::uint64_t>(text::take_word(rest));
    if (number) announced = std::chrono::seconds(std::min(*number, kLongest));
  }
  return announced;
}

}  // namespace mailproof::session
