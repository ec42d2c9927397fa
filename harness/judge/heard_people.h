#pragma once
#include <cstdint>
#include <set>
#include <vector>

#include "history/history.h"

namespace mailproof::judge {

/// Accounts that may be one person's: a server may know alice as alice@example.test, as ALICE, as alice*master and as
/// alice+lists. It excuses and never accuses: alice of another domain is taken for the same.
class People {
 public:
  static constexpr std::uint32_t kNobodyKnows = 0;  ///< whose account it is, was not heard

  explicit People(const history::History& history);
  std::uint32_t of(std::uint32_t account) const { return account == 0 ? kNobodyKnows : people_[account - 1]; }
  bool may_be_one(std::uint32_t account, std::uint32_t other) const {
    return of(account) == of(other) || of(account) == kNobodyKnows || of(other) == kNobodyKnows;
  }

 private:
  std::vector<std::uint32_t> people_;  ///< by account - 1
};

/// What came before what, as far as the stamps of a recording tell.
class Clocks {
 public:
  explicit Clocks(const history::History& history);
  /// Of two events: surely. What one session tells is in its own order; two may be of two clocks.
  bool before(std::uint32_t event, std::uint32_t later) const;
  /// So much later at least is surely later; 0 = the order of the history is that of time.
  Duration apart() const { return apart_; }
  /// Files of two hosts were stamped by two clocks: what is asked so much after something was told may have been asked
  /// before it. Who stands between hears all by one.
  Duration slack() const { return slack_; }
  /// So much later at least, in a session of another file, is surely later.
  Duration between() const { return apart_ + between_; }

 private:
  const history::History& history_;
  Duration apart_{}, slack_{}, between_{};
};

/// Events of what was asked and refused, and may remove mail: a DELETE, a RENAME, a command that nobody knows.
std::set<std::uint32_t> refused_removals(const history::History& history);

/// Sessions with a mailbox that were not heard from their beginning to their end.
std::size_t heard_in_part(const history::History& history);

}  // namespace mailproof::judge
