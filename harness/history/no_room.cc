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

namespace {

/// RFC 3463 section 3.1: X.0 says that nothing is known of the reason.
bool says_what(std::string_view status) { return status.size() > 2 && status[2] != '0'; }

bool has_any(std::string_view words, std::initializer_list<std::string_view> all) {
  return std::any_of(all.begin(), all.end(), [&](std::string_view one) { return words.find(one) != words.npos; });
}

}  // namespace

bool says_no_such_recipient(std::uint32_t code, std::string_view status, std::string_view text) {
  if (code / 100 != 5) return false;
  if (says_what(status)) {
    // X.1.7 and X.1.8 are about the sender's address, X.2.y about the recipient's mailbox.
    return (status[2] == '1' && !status.ends_with(".1.7") && !status.ends_with(".1.8")) || status[2] == '2';
  }
  const std::string words = lower(text);
  if (has_any(words, {"sender", "from address", "mail from"})) return false;
  return code == 551 || has_any(words, {"no such", "unknown", "not found", "does not exist", "doesn't exist",
                                        "mailbox unavailable", "no mailbox", "invalid recipient", "invalid mailbox"});
}

bool says_policy(std::uint32_t code, std::string_view status, std::string_view text) {
  if (code / 100 != 5 || says_no_room(code, status, text) || says_no_such_recipient(code, status, text)) return false;
  // A command that it does not know, or a line that it cannot read, is no reason of the site's.
  return says_what(status) || code / 10 != 50;
}

}  // namespace mailproof::history
