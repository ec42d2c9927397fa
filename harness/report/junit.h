#pragma once
#include <string>

#include "report/run_result.h"

namespace mailproof::report {

/// junit.xml as GitHub, GitLab and Jenkins read it: a test case a scenario. fail and unexpected-pass are failures,
/// error and inconclusive are errors, not-applicable and known-fail are skipped, latitude passes with its findings in
/// system-out. Well-formed XML 1.0 in UTF-8, whatever a server said.
std::string junit_xml(const RunResult& run);

}  // namespace mailproof::report
