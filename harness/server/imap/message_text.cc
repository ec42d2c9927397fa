#include "server/imap/message_text.h"

namespace mailproof::server {

void with_crlf(std::string& text) {
  std::size_t bare = 0;
  for (std::size_t i = 0; i < text.size(); ++i) bare += text[i] == '\n' && (i == 0 || text[i - 1] != '\r') ? 1 : 0;
  if (bare == 0) return;
  std::string fixed;
  fixed.reserve(text.size() + bare);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) fixed.push_back('\r');
    fixed.push_back(text[i]);
  }
  text = std::move(fixed);
}

bool storable(Flags& flags) {
  flags.remove(Flag::recent);
  if (flags.has(Flag::may_create)) return false;
  bool known = true;
  flags.for_each_keyword([&](std::string_view keyword) { known = known && !keyword.starts_with('\\'); });
  return known;
}

}  // namespace mailproof::server
