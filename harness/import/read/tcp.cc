#include "import/read/tcp.h"

namespace mailproof::imports {
namespace {

constexpr std::uint64_t kFirst = std::uint64_t{1} << 32U;  // so that a number before the first one is not below 0

}  // namespace

/// The nearest to what comes next.
std::uint64_t TcpDirection::unwrapped(std::uint32_t number) const {
  const auto distance = static_cast<std::int32_t>(number - static_cast<std::uint32_t>(next_));
  return next_ + static_cast<std::uint64_t>(static_cast<std::int64_t>(distance));
}

void TcpDirection::begin(std::uint32_t sequence) {
  known_ = true;
  next_ = kFirst + sequence + 1;
}

std::string TcpDirection::segment(std::uint32_t sequence, std::string_view octets) {
  if (octets.empty()) return {};
  if (!known_) {
    known_ = true;
    next_ = kFirst + sequence;
  }
  const std::uint64_t at = unwrapped(sequence);
  std::string& kept = ahead_[at];
  if (kept.size() < octets.size()) kept = octets;
  std::string out;
  while (!ahead_.empty() && ahead_.begin()->first <= next_) {
    const auto& [from, text] = *ahead_.begin();
    if (from + text.size() > next_) {
      out += std::string_view(text).substr(next_ - from);
      next_ = from + text.size();
    }
    ahead_.erase(ahead_.begin());
  }
  return out;
}

}  // namespace mailproof::imports
