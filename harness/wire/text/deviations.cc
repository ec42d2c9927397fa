#include "wire/text/deviations.h"

#include <utility>

#include "core/bytes.h"

namespace mailproof::text {

void Deviations::note(std::string_view code, std::uint64_t offset, std::string_view excerpt, std::uint64_t count) {
  for (Deviation& d : seen_) {
    if (d.code == code) {
      d.count += count;
      return;
    }
  }
  if (seen_.size() < kMost) seen_.push_back({code, offset, count, printable(excerpt, 80)});
}

const Deviation* Deviations::find(std::string_view code) const {
  for (const Deviation& d : seen_)
    if (d.code == code) return &d;
  return nullptr;
}

std::vector<Deviation> Deviations::take() { return std::exchange(seen_, {}); }

}  // namespace mailproof::text
