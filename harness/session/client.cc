#include "session/client.h"

#include <fmt/format.h>

namespace mailproof::session {

std::string Ended::message() const {
  std::string text = fmt::format("{}: {}", where, step);
  if (!why.empty()) text += fmt::format(": {}", why);
  if (!seen.empty()) text += fmt::format(" (last seen: \"{}\")", seen);
  return text;
}

}  // namespace mailproof::session
