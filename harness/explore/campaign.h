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

/// The class that heads what was found in a world, "loss/lost": nothing where it found nothing that counts.
std::string headline_of(const report::ScenarioResult& result);

/// What came of the worlds so far. Any thread.
class Campaign {
 public:
  struct Found {
    std::uint64_t seed = 0;
    judge::Finding finding;
    judge::Verdict verdict = judge::Verdict::fail;
    std::size_t worlds = 1;  ///< that it heads
  };

  /// Counts what the history came to; before the world ends.
  void look(const history::History& history);
  /// True: no world before had this at its head. Of several that have, the one with the lowest seed is told of.
  bool ended(std::uint64_t seed, const report::ScenarioResult& result);

  bool found_any() const;
  std::vector<judge::Verdict> verdicts() const;  ///< each that a world ended with, once
  std::vector<Found> found() const;              ///< by seed
  /// How many worlds, operations and findings, what could not be judged and why, and the states that were reached.
  std::string summary(double seconds) const;

 private:
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
