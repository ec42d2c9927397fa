#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "scenario/scenario.h"
#include "scenario/target/target.h"

/// Any bytes are a scenario or have problems, never both or neither; and what was understood can be written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto loaded = mailproof::scenario::parse(text, "fuzz.yaml");
  if (loaded.scenarios.empty() == loaded.problems.empty()) std::abort();
  for (const auto& problem : loaded.problems)
    if (problem.message().empty()) std::abort();
  for (const auto& scenario : loaded.scenarios)
    if (mailproof::scenario::to_json(scenario).empty()) std::abort();
  mailproof::scenario::parse_target(text, "/nonexistent/fuzz.yaml", [](const std::string&) { return "pw"; });
  return 0;
}
