#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace mailproof::imap {

/// sequence-set (RFC 9051 section 9) of message numbers or UIDs, also the uid-set of UIDPLUS and the known-sequence-set
/// of QRESYNC. Kept as written: order, overlaps and `*` stay until normalise().
class SequenceSet {
 public:
  /// How `*`, "the largest number in use", is held. No nz-number has this value.
  static constexpr std::uint32_t star = 0;
  static constexpr std::size_t default_max_ranges = 20'000;

  /// Both ends belong to it; either order is legal on the wire ("4:2" = "2:4"), and either end may be `star`.
  struct Range {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    friend bool operator==(const Range&, const Range&) = default;
  };

  SequenceSet() = default;
  static SequenceSet of(std::uint32_t number) { return of(number, number); }
  static SequenceSet of(std::uint32_t first, std::uint32_t last);

  /// The whole of `text` must be a set. Error: where = "column n", why. More than `max_ranges` ranges is an error too.
  static Result<SequenceSet> parse(std::string_view text, std::size_t max_ranges = default_max_ranges);

  bool empty() const { return ranges_.empty(); }
  void clear() { ranges_.clear(); }
  const std::vector<Range>& ranges() const { return ranges_; }
  bool has_star() const;

  /// Appends; a number or range that follows directly on the last one extends it.
  void add(std::uint32_t number) { add(number, number); }
  void add(std::uint32_t first, std::uint32_t last);

  /// `largest` stands for `*`; 0 means nothing is in use, and `*` then matches nothing.
  /// "5:*" with largest 3 is 3:5 (RFC 9051 section 9, seq-range).
  bool contains(std::uint32_t number, std::uint32_t largest = 0) const;

  /// Ascending, disjoint, not adjacent, every `*` replaced by `largest` (dropped when 0).
  void normalise(std::uint32_t largest = 0);

  /// How many numbers normalise()d ranges cover. Only meaningful after normalise().
  std::uint64_t count() const;
  /// Whether it is in one of normalise()d ranges: by bisection. Only meaningful after normalise().
  bool covers(std::uint32_t number) const;

  /// How many numbers it names as written: twice what it names twice, and nothing for `*`. What it costs to write them
  /// out one by one; a range of a few octets can name four thousand million.
  std::uint64_t named() const;

  /// Calls f(number) in the order written, each range ascending, numbers above `largest` left out: a set from the wire
  /// can name four thousand million numbers, so the caller says how far they can matter.
  template <class F>
  void for_each(std::uint32_t largest, F&& f) const {
    for (const Range& range : ranges_) {
      const Range r = resolved(range, largest);
      if (r.first == 0) continue;
      const std::uint32_t end = std::min(r.last, largest);
      for (std::uint64_t n = r.first; n <= end; ++n) f(static_cast<std::uint32_t>(n));
    }
  }

  /// As on the wire: "1:3,5,7:*". Empty for an empty set, which the wire cannot express.
  std::string format() const;
  void format_to(std::string& out) const;

  friend bool operator==(const SequenceSet&, const SequenceSet&) = default;

 private:
  /// Ascending and without `*`; {0, 0} when it matches nothing.
  static Range resolved(Range range, std::uint32_t largest);

  std::vector<Range> ranges_;
};

}  // namespace mailproof::imap
