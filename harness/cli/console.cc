#include "cli/console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <map>

namespace mailproof::cli {

Console::Console(std::size_t jobs, bool repeats)
    : jobs_(jobs), repeats_(repeats), terminal_(::isatty(STDOUT_FILENO) == 1) {}

void Console::ended(const report::ScenarioResult& result, std::uint32_t copy) {
  const std::lock_guard lock(mutex_);
  ++done_;
  fmt::print("{:<16} {:8.3f} s  {}{}{}\n", name(result.verdict), result.seconds, result.id,
             repeats_ ? fmt::format(" ({})", copy) : "", result.note.empty() ? "" : "  " + result.note);
}

void Console::summary(const report::RunResult& run, const std::string& directory) {
  for (const auto& s : run.scenarios)
    for (const auto& f : s.findings) {
      fmt::print("\n{} [{}]\n  Requirement: {}\n  Expected: {}\n  Actual: {}\n", f.id, name(f.severity), f.requirement,
                 f.expected, f.actual);
      for (const auto& e : f.evidence) fmt::print("  Evidence: {}\n", e);
      for (const auto& e : f.life) fmt::print("  Life: {}\n", e);
      fmt::print("  Reproduce: {}\n", f.reproduce);
    }
  fmt::print("\n{}: {} scenarios in {:.1f} s; {}\n", name(report::verdict_of(run)), run.scenarios.size(), run.seconds,
             directory);
}

}  // namespace mailproof::cli
