#pragma once
#include <cstdint>
#include <vector>

#include "judge/copies.h"
#include "judge/pop3_policy.h"

namespace mailproof::judge {

/// What an account, or all of a customer's together, may hold in octets.
struct Bounds {
  std::uint64_t least = 0, most = 0;
  std::uint64_t arrived = 0;   ///< of `least` without what an MTA took and nobody has seen yet: it may be queued
  std::uint64_t messages = 0;  ///< at most so many
};

/// The sums of what accounts hold, kept while a ledger is replayed event by event.
class Holdings {
 public:
  /// `so_far` is the ledger that is being replayed; the case has the one that has seen everything.
  Holdings(const Case& c, const history::Ledger& so_far, const Sightings& seen);
  void follow();  ///< after every apply() of `so_far`

  Bounds of_account(std::uint32_t account) const;
  Bounds of_customer(std::uint32_t customer) const;
  bool had_mail(std::uint32_t account) const;  ///< some message was certainly put there

 private:
  struct Share {
    Bounds bounds;
    bool had = false;
  };
  struct Sum {
    Bounds bounds;
    std::size_t had = 0;
  };
  Share share_of(const history::Cell& cell) const;

  const Case& c_;
  const history::Ledger& so_far_;
  const Sightings& seen_;
  const Pop3Policy policy_;
  std::vector<Share> shares_;                  ///< by cell
  std::vector<Sum> by_account_, by_customer_;  ///< by number
};

}  // namespace mailproof::judge
