#pragma once
#include <map>
#include <string>
#include <vector>

#include "judge/case.h"
#include "judge/pop3_policy.h"
#include "judge/strangers.h"

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

/// Devices that are gone with everything on them, and the event that says so last.
using Vanished = std::map<std::string, std::uint32_t, std::less<>>;
Vanished vanished(const Case& c);

Verdicts at_end(const Case& c, const Vanished& vanished, const Strangers& strangers, const Pop3Policy& policy,
                const history::Event& expectation);

/// Where the scenario expects that nobody has a copy any more: of what, and how it came to that. "" = it does not.
std::string nothing_left(const Case& c);

}  // namespace mailproof::judge
