#pragma once
#include <string>

#include "core/result.h"
#include "history/jsonl_reader.h"

namespace mailproof::cli {

using history::ReadHistory;
using history::ReadRun;

/// Reads history.jsonl, or the parts of a run that was killed. What is no history is an error with file:line.
Result<ReadRun> read_histories(const std::string& directory);

}  // namespace mailproof::cli
