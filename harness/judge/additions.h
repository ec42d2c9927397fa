#pragma once
#include <optional>
#include <vector>

#include "judge/case.h"

namespace mailproof::judge {

/// Everything that was to put a message somewhere, with when it was under way. Of commands that overlap nobody knows
/// which the server did first. All events are looked at once, by the constructor; the case must outlive it.
class Additions {
 public:
  explicit Additions(const Case& c);

  /// The octets of what others had under way for this account when this answer came. Nothing: a COPY or MOVE was, and
  /// how much that adds is not known.
  std::optional<std::uint64_t> under_way(std::uint32_t account, const history::Event& answer) const;
  /// The octets of what was accepted for it, or for anybody of its customer, while the command of this answer was under
  /// way.
  std::uint64_t accepted_beside(std::uint32_t account, std::uint32_t customer, const history::Event& answer) const;

 private:
  struct Addition {
    std::uint32_t invoke = 0, answer = 0;  ///< events; no answer: for ever
    std::uint32_t account = 0;             ///< 0 = any
    std::uint64_t octets = 0;              ///< 0 = not known
    bool accepted = false;
  };
  const Case& c_;
  std::vector<Addition> all_;            ///< that were answered, in the order of the answers
  std::vector<Addition> open_;           ///< that never were
  std::vector<std::uint32_t> earliest_;  ///< the earliest invoke of all_[i] and those behind it
};

}  // namespace mailproof::judge
