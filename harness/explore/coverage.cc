#include "explore/coverage.h"

#include <array>

namespace mailproof::explore {
namespace {

using history::Event;
using history::Type;
using history::What;

constexpr auto kStates = std::to_array<State>({
    {"expunge-told-in-idle", "EXPUNGE or VANISHED came while IDLE ran"},
});

}  // namespace

std::span<const State> states() { return kStates; }

std::set<std::string_view> states_in(const history::History& history) {
  std::set<std::string_view> out;
  for (const Event& e : history.events())
    if ((e.what == What::expunged || e.what == What::vanished) && e.command != 0 &&
        history.event(e.command).what == What::idle)
      out.insert("expunge-told-in-idle");
  return out;
}

}  // namespace mailproof::explore
