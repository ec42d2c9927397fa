// A target file: it is understood, or every problem has its place.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "scenario/target/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto loaded =
      mailproof::scenario::parse_target({reinterpret_cast<const char*>(data), size}, "/nonexistent/target.yaml",
                                        [](const std::string&) { return "secret"; });
  if (loaded.problems.empty() && loaded.target.accounts.empty()) std::abort();
  return 0;
}
