#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/result.h"
#include "report/gate.h"

namespace mailproof::archive {

inline constexpr const char* kAskedFile = "asked.json";
inline constexpr const char* kBaselineFile = "asked-baseline.json";

/// What a run was asked for, beside the scenarios themselves. It stands in the run's directory from the beginning, so
/// that `judge` comes to what the run came to, and can do so of a run that was killed.
struct Asked {
  report::Gate gate;
  std::string baseline_text;           ///< the gate's baseline as it was read
  std::set<std::string> ids;           ///< every scenario there was; needed where deviations are known
  std::string began;                   ///< by the clock
  std::vector<std::string> endpoints;  ///< of the target
  std::vector<std::string> selection;
  std::map<std::string, std::string> commands;  ///< id of a scenario -> the command that plays it again
  std::map<std::string, std::string> levels;  ///< of those that are checks; one that failed to begin has no other place
};

/// Into asked.json and, where there is a baseline, asked-baseline.json. What went wrong, or "".
std::string write_asked(const std::string& directory, const Asked& asked);

/// An error where the directory has none, or one that cannot be understood.
Result<Asked> read_asked(const std::string& directory);

}  // namespace mailproof::archive
