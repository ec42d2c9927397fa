#include "scenario/target/pattern.h"

#include <fmt/format.h>

namespace mailproof::scenario {

std::optional<AccountPattern> AccountPattern::read(std::string_view text) {
  if (text.empty()) return std::nullopt;
  AccountPattern out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string& half = out.numbered_ ? out.behind_ : out.before_;
    if (text[i] != '%') {
      half += text[i];
      continue;
    }
    const auto rest = text.substr(i + 1);
    if (rest.starts_with('%')) {
      half += '%';
      i += 1;
    } else if (rest.starts_with('d') && !out.numbered_) {
      out.numbered_ = true;
      i += 1;
    } else if (rest.size() >= 3 && rest[0] == '0' && rest[1] >= '1' && rest[1] <= '9' && rest[2] == 'd' &&
               !out.numbered_) {
      out.numbered_ = true;
      out.width_ = rest[1] - '0';
      i += 3;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

std::string AccountPattern::with(std::int64_t number) const {
  return numbered_ ? fmt::format("{}{:0{}}{}", before_, number, width_, behind_) : before_;
}

}  // namespace mailproof::scenario
