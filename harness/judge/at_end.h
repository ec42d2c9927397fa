#pragma once
#include <string>
#include <vector>

#include "judge/case.h"

namespace mailproof::judge {

/// What the whole history says to a judge step: `fate`, `count`, `agree` or `intact`.
struct Verdicts {
  struct Miss {
    std::string expected, actual;
    std::uint32_t message = 0, event = 0;
  };
  std::vector<Miss> missed;
  std::string unclear;  ///< why nothing can be said; "" = it can
};

Verdicts at_end(const Case& c, const history::Event& expectation);

/// Where the scenario expects that nobody has a copy any more: of what, and how it came to that. "" = it does not.
std::string nothing_left(const Case& c);

}  // namespace mailproof::judge
