#pragma once
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/time.h"
#include "play/context.h"
#include "scenario/scenario.h"
#include "scenario/target/target.h"

namespace mailproof::run {

/// The target's accounts, lent to one scenario at a time. Any thread.
class AccountPool {
 public:
  explicit AccountPool(const scenario::Target& target) : target_(target) {}
  struct Lease {
    std::vector<std::size_t> indexes;
    std::vector<scenario::PoolAccount> accounts;
    std::size_t connections = 0;  ///< that the scenario may have at the same time
    /// All of them were seen to be empty when they were given back, and then; else nothing.
    std::optional<play::SeenEmpty> seen_empty;
    std::size_t stops = 0;  ///< times that what was seen was forgotten before
  };
  /// Waits while other scenarios hold what is needed, or would have more connections together than the target file
  /// allows an address. Nothing, with `why`, if the pool could never serve this one, or
  /// when none of the first could even be looked into: a wrong password tried on every account ends in locked ones.
  /// `rather_not`: indexes of accounts that are lent only where no others are free.
  std::optional<Lease> lease(const scenario::Scenario& scenario, std::string& why,
                             const std::vector<std::size_t>& rather_not = {});
  struct Use {
    bool usable = true;   ///< false: they are not lent again, because of the trouble
    bool begun = false;   ///< somebody looked into their mailboxes
    std::string trouble;  ///< what came in the way
    std::optional<play::SeenEmpty> left_empty = {};
  };
  void give_back(const Lease& lease, Use use);
  /// The server was stopped, or changed: what anybody saw before counts no more, nor what is told of leases that were
  /// out then.
  void forget_what_was_seen();
  /// What a lease tells to be empty, if it still counts.
  const play::SeenEmpty* seen_empty(const Lease& lease);

 private:
  std::optional<play::SeenEmpty> take_seen_empty(const std::vector<std::size_t>& indexes);

  const scenario::Target& target_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<bool> taken_;
  std::size_t out_ = 0, connected_ = 0;                                       ///< leases, and their connections
  std::map<std::size_t, std::pair<Time, std::set<std::string>>> seen_empty_;  ///< by index: when, and its mailboxes
  std::size_t stops_ = 0;
  bool begun_ = false;      ///< the mailboxes of one at least could be looked into
  std::size_t failed_ = 0;  ///< leases of which they could not, before that
  std::string trouble_;     ///< of the newest of them
  /// Of accounts whose last lease did not go well: others come first. One mailbox that cannot be listed any more would
  /// else be lent to all that follows.
  std::set<std::size_t> troubled_;
  std::size_t set_aside_ = 0;  ///< accounts that are not lent again
  std::string why_aside_;      ///< the last of them
};

}  // namespace mailproof::run
