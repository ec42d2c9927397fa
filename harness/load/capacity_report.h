#pragma once
#include <string>

#include "archive/run_directory.h"
#include "load/capacity.h"

namespace mailproof::load {

/// The head of a table of loads, and the line of it that says how one went, as it is over.
std::string head_text();
std::string trial_text(const Trial& trial);
/// The knee, load by load in the order of their height, and the answer.
std::string to_text(const Capacity& capacity);
/// capacity.json
std::string capacity_json(const Capacity& capacity);
/// The knee as a picture (SVG), how near each line is to its limit; the tables beside it; one page without scripts.
std::string capacity_html(const Capacity& capacity);
/// A scenario for the answer, and one for each load.
report::RunResult as_run(const Capacity& capacity);
/// capacity.json, run.json, findings.json, junit.xml, summary.md, report.html. What could not be written, or "".
std::string write_files(const archive::RunDirectory& directory, const Capacity& capacity);

}  // namespace mailproof::load
