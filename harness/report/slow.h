#pragma once
#include <string>

#include "report/run_result.h"

namespace mailproof::report {

/// Where answers failed to come within their bound in several scenarios: that the server, or this machine, is slow,
/// with the numbers; "" where not. It is one thing of the run, whatever it did to each of them.
std::string slowness(const RunResult& run);

}  // namespace mailproof::report
