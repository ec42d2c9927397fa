#pragma once
#include <string>

#include "report/run_result.h"

namespace mailproof::report {

/// summary.md: the verdict, what is wrong by cause, a table of what did not pass with the command that shows it again,
/// checks by RFC section, and each cause in full at the simplest place where it was seen, for a pull request, a ticket
/// or a CI step's summary. What passed is counted, not listed; what is accepted stands in the table only. At most 64
/// KiB: the worst is there, the rest is counted.
std::string summary_markdown(const RunResult& run);

}  // namespace mailproof::report
