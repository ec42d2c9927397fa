#pragma once
#include <string>

#include "report/run_result.h"

namespace mailproof::report {

/// summary.md: the verdict, a table of what did not pass with the command that shows it again, checks by RFC section,
/// and each finding with the life of its message, for a pull request, a ticket or a CI step's summary. What passed is
/// counted, not listed; what is accepted stands in the table only. At most 64 KiB: the worst is there, the rest is
/// counted.
std::string summary_markdown(const RunResult& run);

}  // namespace mailproof::report
