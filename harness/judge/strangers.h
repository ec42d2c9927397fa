#pragma once
#include <cstddef>
#include <cstdint>
#include <map>

#include "judge/case.h"

namespace mailproof::judge {

/// Mail that is not ours, seen in the leased mailboxes while the scenario was played or after it: it may have come in
/// at any moment before that, counts for a quota, and is counted by who counts messages.
class Strangers {
 public:
  explicit Strangers(const Case& c);

  /// The event that showed the first one in this account; null: none was seen.
  const history::Event* in(std::uint32_t account) const;
  /// The first of all accounts that a look before the first step had not shown already; null: none.
  const history::Event* came() const;
  /// How many this complete listing (an `enumerated`) has.
  std::size_t listed(const history::Event& enumerated) const;

 private:
  std::map<std::uint32_t, const history::Event*> first_;  ///< by account
  const history::Event* came_ = nullptr;
  std::map<std::uint32_t, std::size_t> listed_;  ///< by event
};

/// Says, as a finding of the judge "session", that another run of mailproof uses the accounts: mail that it stamped
/// came in since the baseline, which removes what earlier ones left. Known by the hash of its header, in which the
/// stamp is.
void another_run(Case& c);

/// "mail that is not ours came in: phone over IMAP saw it at 0.120 s".
std::string came_in(const Case& c, const history::Event& stranger);

}  // namespace mailproof::judge
