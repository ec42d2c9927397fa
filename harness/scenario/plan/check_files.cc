#include <algorithm>
#include <filesystem>

#include "scenario/plan/plan.h"
#include "scenario/yaml/files.h"
#include "scenario/yaml/node.h"

namespace mailproof::scenario {
namespace {

namespace fs = std::filesystem;

/// True when it is one of load's.
bool check_file(const std::string& file, const std::string& root, LoadFiles& out) {
  const auto text = read_file(file, kMaxFile);
  if (!text) return false;  // whoever reads scenarios says so
  std::vector<Problem> problems;
  if (is_plan(*text)) {
    ++out.plans;
    problems = parse_plan(*text, file, root).problems;
  } else if (is_profile(*text)) {
    ++out.profiles;
    problems = parse_profile(*text, file).problems;
  } else {
    return false;
  }
  out.problems.insert(out.problems.end(), problems.begin(), problems.end());
  return true;
}

}  // namespace

LoadFiles check_load_files(const std::vector<std::string>& paths, const std::string& root) {
  LoadFiles out;
  for (const auto& path : paths) {
    std::error_code error;
    if (fs::is_regular_file(path, error) && check_file(path, root, out)) continue;
    if (!fs::is_directory(path, error)) {
      out.others.push_back(path);
      continue;
    }
    std::vector<std::string> files;
    bool scenarios = false;
    for (fs::recursive_directory_iterator at(path, error), end; !error && at != end; at.increment(error))
      if (at->path().extension() == ".yaml") files.push_back(at->path().string());
    std::sort(files.begin(), files.end());
    for (const auto& file : files) scenarios = !check_file(file, root, out) || scenarios;
    if (scenarios || files.empty()) out.others.push_back(path);
  }
  return out;
}

}  // namespace mailproof::scenario
