#pragma once
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "report/run_result.h"

namespace mailproof::report {

// What report.html is made of: each part is a whole section, or "" where the run has nothing for it.
std::string findings_html(const RunResult& run);
std::string conformance_html(const RunResult& run);
std::string verdicts_html(const RunResult& run);
std::string lanes_html(const RunResult& run);

/// reports/report.css, put in by CMake.
extern const char* const kReportCss;

/// xml() on one line, for attributes and headings.
std::string inline_html(std::string_view text);
std::string badge(judge::Verdict verdict);
/// The anchor of a scenario's lanes or of its first finding; `index` counts the run's scenarios.
std::string lanes_anchor(std::size_t index);
std::string finding_anchor(std::size_t index);
/// The scenarios whose first finding is on the page: there is no room for thousands.
std::set<std::size_t> with_findings(const RunResult& run);

/// The scenarios that have lanes on the page, by their place in the run: all that did not pass, then some that did.
std::vector<std::size_t> with_lanes(const RunResult& run);

}  // namespace mailproof::report
