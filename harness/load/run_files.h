#pragma once
#include <string>

#include "archive/run_directory.h"
#include "load/report.h"
#include "report/run_result.h"

namespace mailproof::load {

/// A load as every report of a run understands it: a scenario for each story, with what was found in its copies, and
/// one for each thing that a load is judged by beside its stories: load.generator, load.arrivals, load.ledger, and
/// load.slo.<line>.
report::RunResult as_run(const LoadResult& result);

/// What run.json has of a load beside what it has of every run: settings, machines, the command that repeats it.
std::string run_json(const LoadResult& result);

/// summary.md: as of a run, and the table of commands.
std::string summary_markdown(const LoadResult& result);

/// stats.json, run.json, findings.json, junit.xml, summary.md, report.html. What could not be written, or "".
std::string write_files(const archive::RunDirectory& directory, const LoadResult& result);

}  // namespace mailproof::load
