#pragma once
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "report/run_result.h"

namespace mailproof::cli {

/// What a person sees while a run goes on: on a terminal a line that says how far it is, elsewhere one every half
/// minute. Any thread.
class Console {
 public:
  /// With `repeats` only what did not pass gets a line of its own. Of more than a screenful of checks those that passed
  /// or were not applicable are only counted, in the table at the end, and so is an error that many of them end in. A
  /// way of the server that is no scenario's (report/groups.h) is told by the first that shows it.
  Console(std::size_t jobs, bool repeats);
  void ended(report::ScenarioResult result, std::uint32_t copy);
  void summary(const report::RunResult& run, const std::string& directory);

 private:
  bool only_counted(const report::ScenarioResult& result) const;
  void clear_progress();

  std::mutex mutex_;
  std::size_t jobs_, done_ = 0, failed_ = 0;
  bool repeats_, colour_, rewritten_, progress_shown_ = false;
  std::chrono::steady_clock::time_point began_, told_;
  std::map<std::string, std::size_t> passed_;
  std::map<std::string, std::size_t> errors_;  ///< by what they say
  std::vector<std::string> ways_;              ///< of the server, that a scenario showed already
};

}  // namespace mailproof::cli
