#pragma once
#include <set>
#include <string_view>

#include "judge/case.h"

namespace mailproof::judge {

/// Which mailbox has a name nobody knows from the moment when somebody asks to make, remove or rename it until that is
/// answered: what was told of it before is compared with nothing that is told later.
class Reshapes {
 public:
  explicit Reshapes(const Case& c);

  /// Whether this event, of a CREATE, DELETE or RENAME, may make `mailbox` of that account another. That is true of the
  /// names in the command, and of what is above and below them: CREATE makes superiors, RENAME takes inferiors along
  /// (RFC 3501 sections 6.3.3 and 6.3.5). INBOX is no inferior's affair. A CREATE that fails makes nothing.
  bool concerns(const history::Event& e, std::uint32_t account, std::string_view mailbox) const;

 private:
  const Case& c_;
  std::set<std::uint32_t> failed_;  ///< CREATEs that were refused
};

}  // namespace mailproof::judge
