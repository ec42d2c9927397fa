#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "history/history.h"

namespace mailproof::report {

/// A story as it went: time flows down, a lane for each device and one for the audit. What a person reads to see who
/// asked what, when, and what the others were told.
struct Lanes {
  enum class Kind : std::uint8_t {
    step,     ///< the scenario's next step begins; across all lanes
    play,     ///< what the play itself did: waiting, the administrator's commands; across all lanes
    asked,    ///< no answer yet
    ok,       ///< asked and answered, or the answer alone where others did something in between
    refused,  ///< certainly did not happen
    unknown,  ///< nobody knows
    saw,      ///< told without having asked, or rows of an answer
    met,      ///< what the scenario expects was seen
    missed,   ///< and was not
  };
  static constexpr std::size_t kAll = static_cast<std::size_t>(-1);
  struct Event {
    double at = 0;            ///< seconds since the story began
    std::size_t lane = kAll;  ///< index into `names`; kAll for step and play
    Kind kind = Kind::play;
    std::string text;  ///< may hold what a server said
  };
  std::vector<std::string> names;  ///< "mta", "phone", ..., "audit" last
  std::vector<Event> events;
  std::size_t left_out = 0;  ///< events that there was no room for
  std::size_t gap = 0;       ///< they stand before this index of `events`
};

/// At most `most` events: more of the beginning, less of the end, nothing of the middle.
Lanes lanes_of(const history::History& history, std::size_t most);

}  // namespace mailproof::report
