#include "history/no_room.h"

#include <string>

#include "core/bytes.h"

namespace mailproof::history {

bool says_over_quota(std::uint32_t code, std::string_view status, std::string_view text) {
  if (code / 100 != 4 && code / 100 != 5) return false;
  const std::string words = lower(text);
  return status.ends_with(".2.2") || words.find("quota") != std::string::npos ||
         words.find("mailbox full") != std::string::npos || words.find("mailbox is full") != std::string::npos;
}

bool says_no_room(std::uint32_t code, std::string_view status, std::string_view text) {
  return says_over_quota(code, status, text) || code == 452 || code == 552 || status.ends_with(".2.3") ||
         status.ends_with(".3.1") || status.ends_with(".3.4");
}

}  // namespace mailproof::history
