#pragma once
#include "report/run_result.h"

namespace mailproof::report {

/// What QUIT does with what POP3 downloaded (RFC 1939 section 8) is a policy of the site, and one for a whole run:
/// where one scenario found again what it had left, what went in another is no policy of anybody, and a failure.
void settle_downloads(RunResult& run);

}  // namespace mailproof::report
