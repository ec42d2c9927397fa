#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "history/history.h"

namespace mailproof::cli {

struct ReadHistory {
  std::unique_ptr<history::History> history;
  bool whole = false;  ///< its end is there, and all that it counts
  Duration took{};     ///< of a whole one: from its first step to its last
};

/// What a run directory has of histories, in the order they were written.
struct ReadRun {
  bool marked = false;                  ///< says where it begins and ends; older ones do not
  std::optional<std::size_t> expected;  ///< histories of a finished run; nothing where not all are kept
  std::vector<ReadHistory> histories;
};

/// Reads history.jsonl, or the parts of a run that was killed.
Result<ReadRun> read_histories(const std::string& directory);

}  // namespace mailproof::cli
