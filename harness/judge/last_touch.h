#pragma once
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "judge/case.h"

namespace mailproof::judge {

/// All that may have been renamed. The events are looked at once, by the constructor; then every cell may be asked for.
class Renames {
 public:
  explicit Renames(const Case& c);

  /// The last thing that was done to the whole mailbox of this cell while it held the message, as far as that is known:
  /// a RENAME of it or of one above it, between the last sight of the message and the first listing without it. Null:
  /// none.
  const history::Event* took_away(const history::Cell& cell) const;

 private:
  const Case& c_;
  std::vector<std::uint32_t> all_;  ///< events
};

/// What a MOVE that was refused may have moved all the same (RFC 6851 section 3.3).
class RefusedMoves {
 public:
  explicit RefusedMoves(const Case& c);
  bool may_have_moved(const history::Cell& cell) const {
    return of_some_.contains(cell.account) || of_.contains({cell.account, cell.message});
  }

 private:
  std::set<std::pair<std::uint32_t, std::uint32_t>> of_;  ///< account and message
  std::set<std::uint32_t> of_some_;                       ///< accounts, of UIDs that nobody had looked at
};

}  // namespace mailproof::judge
