#pragma once
#include <string>

#include "report/run_result.h"

namespace mailproof::report {

/// report.html: findings first, each with its evidence; then conformance by RFC section, every scenario's verdict, and
/// how stories went, a lane for each device. One page without script or any other file, for a phone as for a wide
/// screen. Bounded: of very many findings, verdicts and stories it holds the worst and says how many are left out.
std::string report_html(const RunResult& run);

}  // namespace mailproof::report
