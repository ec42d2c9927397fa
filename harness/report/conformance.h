#pragma once
#include <array>
#include <string>
#include <vector>

#include "report/run_result.h"
#include "report/section.h"

namespace mailproof::report {

/// The checks of one conformance file that were played, and what became of them.
struct SectionResult {
  Section section;
  std::vector<const ScenarioResult*> checks;  ///< in the order they were played; point into the run
  std::size_t count(judge::Verdict verdict) const;
  /// "2 known-fail, 1 error": verdicts that have no column of their own.
  std::string others() const;
};

/// In the order of the RFCs; stories are left out.
std::vector<SectionResult> by_section(const RunResult& run);

/// Verdicts that a table of sections has columns for.
inline constexpr std::array kSectionColumns{judge::Verdict::pass, judge::Verdict::fail, judge::Verdict::latitude,
                                            judge::Verdict::not_applicable};

/// A table of the sections (of the RFCs, where there are more than 60) and why checks were not applicable, for a
/// terminal; "" where no check was played.
std::string conformance_text(const RunResult& run);

}  // namespace mailproof::report
