#pragma once
#include <string>
#include <string_view>

#include "core/result.h"
#include "load/report.h"

namespace mailproof::load {

/// stats.json: all figures, with every histogram and every slice whole, so that what is read again is what was written,
/// and shards that are merged say the same as one process (reports/stats.schema.json).
std::string to_json(const LoadResult& result);

/// `file` names it in errors. What run.json has is not in it.
Result<LoadResult> parse_stats(std::string_view text, const std::string& file);

/// The stats.json of a run directory.
Result<LoadResult> read_stats(const std::string& directory);
/// And what its run.json has beside that: settings, machines, the command, the time.
Result<LoadResult> read_run(const std::string& directory);
inline constexpr std::size_t kMostStats = 1U << 30;  ///< octets of a stats.json that is read again

}  // namespace mailproof::load
