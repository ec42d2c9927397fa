#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "judge/rules/rule.h"
#include "play/player.h"

namespace mailproof::run {

/// The wire rules that the checks of a run are about. A rule about the whole run looks at every connection of every
/// scenario but the other rules' own; its check is played last and is told what was found. Any thread.
class RunRules {
 public:
  explicit RunRules(const std::vector<scenario::Scenario>& scenarios);

  bool any() const { return !all_.empty(); }
  /// The protocols whose bytes are looked at.
  std::vector<Protocol> protocols() const;
  /// Whether this one must be played after those that its rule looks at.
  static bool goes_last(const scenario::Scenario& scenario);
  /// Looks at the connections of what was played, and writes into the history of a rule's own check what came of it.
  void look(const scenario::Scenario& scenario, std::size_t slot, play::Player& player);

  /// "no wire rule 'x', did you mean 'y'?" of the first check that names one that is not there; "" = all are.
  static std::string unknown(const std::vector<scenario::Scenario>& scenarios);

 private:
  struct Found {
    std::string who;  ///< scenario and connection
    judge::Violation violation;
  };
  struct Looked {
    std::uint32_t connections = 0;
    std::map<std::size_t, std::vector<Found>> found;  ///< by slot, the first ones: the same whatever --jobs
    std::size_t more = 0;                             ///< that are not kept
  };
  static void add(const Looked& from, Looked& to);

  std::vector<const judge::WireRule*> all_;  ///< those that checks of this run name
  std::mutex mutex_;
  std::map<const judge::WireRule*, Looked> looked_;
};

}  // namespace mailproof::run
