#pragma once
#include <string>

#include "report/run_result.h"

namespace mailproof::report {

/// Colour only where the reader is a terminal.
struct TextStyle {
  bool colour = false;
};

/// The line of a scenario as it ends, with its line end:
/// "fail              1.204 s  mixed.pop-download-empties-the-phone  loss/lost".
std::string scenario_line(const ScenarioResult& scenario, const TextStyle& style = {});

/// One finding in full: Requirement, Expected, Actual, Messages, Evidence, Life, Reproduce, Accepted.
std::string finding_text(const judge::Finding& finding, const TextStyle& style = {});

/// What stands at the end: what was found by cause (report/groups.h), a line each, notes, and behind these the
/// first six in full at the simplest place where they were seen; then checks by section of their RFCs, and the totals
/// with the verdict.
std::string run_text(const RunResult& run, const TextStyle& style = {});

/// How far a long run is.
struct Progress {
  std::size_t done = 0, total = 0;
  std::size_t failed = 0;  ///< part of done: fail or error
  std::string running;     ///< something that is being played
  double elapsed = 0;      ///< seconds
};
/// "  12 of 80 played, 1 failed, 00:14 gone, about 01:19 to go: sync.read-on-phone". No line end; never longer than
/// `width`.
std::string progress_line(const Progress& progress, std::size_t width = 79);

}  // namespace mailproof::report
