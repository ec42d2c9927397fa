#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "history/history.h"
#include "report/run_result.h"

namespace mailproof::explore {

/// What came of the worlds so far. Any thread.
class Campaign {
 public:
  struct Found {
    std::uint64_t seed = 0;
    judge::Finding finding;
    std::size_t worlds = 1;  ///< in which it was found
  };
  /// `strict`: a latitude is a finding, too.
  explicit Campaign(bool strict = false) : strict_(strict) {}

  /// Counts what the history came to; before the world ends.
  void look(const history::History& history);
  /// True: it showed a class of finding that no world before did. Of several that do, the one with the lowest seed is
  /// told of.
  bool ended(std::uint64_t seed, const report::ScenarioResult& result);

  bool found_any() const;
  std::vector<judge::Verdict> verdicts() const;  ///< each that a world ended with, once
  std::vector<Found> found() const;              ///< by seed
  /// How many worlds, operations and findings, what could not be judged and why, and the states that were reached.
  std::string summary(double seconds) const;

 private:
  const bool strict_;
  mutable std::mutex mutex_;
  std::size_t worlds_ = 0;
  std::uint64_t operations_ = 0;
  std::map<judge::Verdict, std::size_t> ended_;
  std::map<std::string, Found> found_;  ///< by class
  struct Unclear {
    std::size_t worlds = 0;
    std::uint64_t seed = 0;  ///< the lowest
  };
  std::map<std::string, Unclear> unclear_;  ///< not applicable, inconclusive: why
  std::map<std::string, std::size_t> latitudes_;
  std::map<std::string, std::size_t> known_;         ///< accepted of this target
  std::map<std::string_view, std::size_t> reached_;  ///< worlds
};

}  // namespace mailproof::explore
