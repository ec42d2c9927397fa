#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "report/run_result.h"

namespace mailproof::report {

/// Lines of text as a JSON array, each made printable.
nlohmann::ordered_json texts(const std::vector<std::string>& lines);

/// run.json: {"verdict", "seed", "target", "scenarios": [{"id", "verdict", "seconds", "findings": [{"id", "severity",
/// "requirement", "expected", "actual", "evidence", "reproduce"}]}]} and more beside these; reports/run.schema.json
/// says all. Fields are added, never changed or taken away.
std::string run_json(const RunResult& run);
/// The same with something more at its end, under a name of its own.
std::string run_json(const RunResult& run, const std::string& name, const nlohmann::ordered_json& more);

/// findings.json: {"findings": [...]}, each as in run.json with its scenario beside it, in the order they were found.
std::string findings_json(const RunResult& run);

}  // namespace mailproof::report
