#include "session/pop3/expire.h"

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

}  // namespace mailproof::session
