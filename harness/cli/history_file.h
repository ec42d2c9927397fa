#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "history/history.h"

namespace mailproof::cli {

/// Reads the histories of a run directory: history.jsonl, or the parts of a run that was killed. In the order they were
/// written.
Result<std::vector<std::unique_ptr<history::History>>> read_histories(const std::string& directory);

}  // namespace mailproof::cli
