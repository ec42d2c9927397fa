#pragma once
#include <string>

#include "archive/jsonl_reader.h"
#include "core/result.h"

namespace mailproof::archive {

/// Reads history.jsonl, or the parts of a run that was killed. What is no history is an error with file:line.
Result<ReadRun> read_histories(const std::string& directory);

}  // namespace mailproof::archive
