#pragma once
#include <string>

#include "report/run_result.h"

namespace mailproof::report {

/// Where nearly everything ended in the same error, that error, how often, and what to do: "181 of 181 scenarios ended
/// in the same error: imap 127.0.0.1:143: connect: connection refused. ..."; "" where not.
std::string common_cause(const RunResult& run);

}  // namespace mailproof::report
