#include "history/no_room.h"

#include <algorithm>
#include <array>
#include <string>

#include "core/bytes.h"

namespace mailproof::history {

bool says_over_quota(std::uint32_t code, std::string_view status, std::string_view text) {
  if (code / 100 != 4 && code / 100 != 5) return false;
  const std::string words = lower(text);
  if (status.size() > 2 && status[2] == '7') return false;  // a rate limiter has quotas, too
  return status.ends_with(".2.2") || words.find("quota") != std::string::npos ||
         words.find("mailbox full") != std::string::npos || words.find("mailbox is full") != std::string::npos;
}

bool says_no_room(std::uint32_t code, std::string_view status, std::string_view text) {
  return says_over_quota(code, status, text) || code == 452 || code == 552 || status.ends_with(".2.3") ||
         status.ends_with(".3.1") || status.ends_with(".3.4");
}

bool says_policy(std::uint32_t code, std::string_view status, std::string_view text) {
  if (code / 100 != 5 || says_no_room(code, status, text)) return false;
  if (status.size() > 2) return status[2] >= '3' && status[2] <= '7';
  const std::string words = lower(text);
  constexpr std::array<std::string_view, 3> kReasons = {"policy", "spam", "virus"};
  return code == 554 || (code / 10 == 55 && std::any_of(kReasons.begin(), kReasons.end(), [&](std::string_view reason) {
                           return words.find(reason) != std::string::npos;
                         }));
}

}  // namespace mailproof::history
