#pragma once
#include <chrono>
#include <string>

namespace mailproof {

using Duration = std::chrono::nanoseconds;

/// The time of a run: nanoseconds since it began. It cannot be read here: clocks are read where the sockets are and in
/// the rooms above playing (CLOCK_ROOMS of ci/check-layers), sim/ keeps a virtual one, and everyone else is told.
struct RunClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<RunClock>;
  static constexpr bool is_steady = true;
};
using Time = RunClock::time_point;

using namespace std::chrono_literals;

/// Seconds with milliseconds, as people read them: "12.345 s", "0.250 s".
std::string format_seconds(Duration d);

/// The shortest exact form the scenario language uses: "5s", "250ms", "1m", "2h", "3d".
std::string format_duration(Duration d);

}  // namespace mailproof
