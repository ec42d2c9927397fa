#include "session/client.h"

#include <fmt/format.h>

namespace mailproof::session {

std::string Share::why() const {
  return fmt::format("what it said in all takes more than {} KiB to keep, the most for one session", most / 1024);
}

std::string Ended::message() const {
  std::string text = fmt::format("{}: {}", where, step);
  if (!why.empty()) text += fmt::format(": {}", why);
  if (!seen.empty()) text += fmt::format(" (last seen: \"{}\")", seen);
  return text;
}

}  // namespace mailproof::session
