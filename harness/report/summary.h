#pragma once
#include <string>

#include "report/run_result.h"

namespace mailproof::report {

/// summary.md: the verdict, a table of what did not pass, and each finding with the life of its message, for a pull
/// request or a ticket. Scenarios that passed are counted, not listed.
std::string summary_markdown(const RunResult& run);

}  // namespace mailproof::report
