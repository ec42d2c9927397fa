#pragma once
#include <set>
#include <span>
#include <string_view>

#include "history/history.h"

namespace mailproof::explore {

/// Something that is worth coming to, because servers go wrong there.
struct State {
  std::string_view name;  ///< "expunge-told-in-idle"
  std::string_view says;  ///< in words
};
/// All that are looked for, sorted by name.
std::span<const State> states();

/// Which of them a history came to: by what happened, whatever the scenario meant. The audit's own sessions do not
/// count.
std::set<std::string_view> states_in(const history::History& history);

}  // namespace mailproof::explore
