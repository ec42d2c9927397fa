#include "wire/imap/sequence_set.h"

#include <fmt/format.h>

#include <iterator>
#include <limits>
#include <optional>

namespace mailproof::imap {
namespace {

constexpr std::uint32_t max_number = std::numeric_limits<std::uint32_t>::max();

Error wrong(std::size_t column, std::string why) { return {fmt::format("column {}", column), std::move(why)}; }

/// seq-number = nz-number / "*"
std::optional<std::uint32_t> seq_number(std::string_view text, std::size_t& at) {
  if (at < text.size() && text[at] == '*') {
    ++at;
    return SequenceSet::star;
  }
  const std::size_t begin = at;
  std::uint64_t value = 0;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
    value = value * 10 + static_cast<std::uint64_t>(text[at] - '0');
    if (value > max_number) return std::nullopt;
    ++at;
  }
  if (at == begin || value == 0) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

}  // namespace

SequenceSet SequenceSet::of(std::uint32_t first, std::uint32_t last) {
  SequenceSet set;
  set.ranges_.push_back({first, last});
  return set;
}

// sequence-set = (seq-number / seq-range) ["," sequence-set] ; seq-range = seq-number ":" seq-number
Result<SequenceSet> SequenceSet::parse(std::string_view text, std::size_t max_ranges) {
  SequenceSet set;
  std::size_t at = 0;
  while (true) {
    const std::size_t begin = at;
    const auto first = seq_number(text, at);
    if (!first) return wrong(begin, "expected a number from 1 to 4294967295 or *");
    Range range{*first, *first};
    if (at < text.size() && text[at] == ':') {
      const std::size_t second = ++at;
      const auto last = seq_number(text, at);
      if (!last) return wrong(second, "expected a number from 1 to 4294967295 or *");
      range.last = *last;
    }
    if (set.ranges_.size() >= max_ranges) return wrong(begin, fmt::format("more than {} ranges", max_ranges));
    set.ranges_.push_back(range);
    if (at == text.size()) return set;
    if (text[at] != ',') return wrong(at, "expected ',' or the end of the set");
    ++at;
  }
}

bool SequenceSet::has_star() const {
  return std::any_of(ranges_.begin(), ranges_.end(), [](const Range& r) { return r.first == star || r.last == star; });
}

void SequenceSet::add(std::uint32_t first, std::uint32_t last) {
  if (!ranges_.empty() && first != star && last != star && first <= last) {
    Range& tail = ranges_.back();
    if (tail.first != star && tail.last >= tail.first && tail.last != max_number && first == tail.last + 1) {
      tail.last = last;
      return;
    }
  }
  ranges_.push_back({first, last});
}

SequenceSet::Range SequenceSet::resolved(Range range, std::uint32_t largest) {
  if (range.first == star) range.first = largest;
  if (range.last == star) range.last = largest;
  if (range.first == 0 || range.last == 0) return {0, 0};
  return {std::min(range.first, range.last), std::max(range.first, range.last)};
}

bool SequenceSet::contains(std::uint32_t number, std::uint32_t largest) const {
  return number != 0 && std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
           const Range r = resolved(range, largest);
           return r.first != 0 && number >= r.first && number <= r.last;
         });
}

void SequenceSet::normalise(std::uint32_t largest) {
  for (Range& r : ranges_) r = resolved(r, largest);
  std::erase_if(ranges_, [](const Range& r) { return r.first == 0; });
  std::sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  std::size_t kept = 0;
  for (const Range& r : ranges_) {
    if (kept > 0 && (ranges_[kept - 1].last == max_number || r.first <= ranges_[kept - 1].last + 1))
      ranges_[kept - 1].last = std::max(ranges_[kept - 1].last, r.last);
    else
      ranges_[kept++] = r;
  }
  ranges_.resize(kept);
}

std::uint64_t SequenceSet::count() const {
  std::uint64_t n = 0;
  for (const Range& r : ranges_) n += std::uint64_t{r.last} - r.first + 1;
  return n;
}

bool SequenceSet::covers(std::uint32_t number) const {
  const auto range = std::lower_bound(ranges_.begin(), ranges_.end(), number,
                                      [](const Range& r, std::uint32_t n) { return r.last < n; });
  return range != ranges_.end() && range->first <= number;
}

std::uint64_t SequenceSet::named() const {
  std::uint64_t n = 0;
  for (const Range& r : ranges_)
    if (r.first != star && r.last != star)
      n += (r.first < r.last ? r.last - r.first : r.first - r.last) + std::uint64_t{1};
  return n;
}

void SequenceSet::format_to(std::string& out) const {
  const auto number = [&out](std::uint32_t n) {
    if (n == star)
      out += '*';
    else
      fmt::format_to(std::back_inserter(out), "{}", n);
  };
  bool first = true;
  for (const Range& r : ranges_) {
    if (!first) out += ',';
    first = false;
    number(r.first);
    if (r.last == r.first) continue;
    out += ':';
    number(r.last);
  }
}

std::string SequenceSet::format() const {
  std::string out;
  format_to(out);
  return out;
}

}  // namespace mailproof::imap
