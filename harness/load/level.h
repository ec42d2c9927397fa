#pragma once
#include <optional>
#include <vector>

#include "scenario/plan/plan.h"

namespace mailproof::load {

inline double in_seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

/// How high the load of a plan stands at each moment: 1 is what the plan says. Times are since the run's start. A pure
/// function of the phases.
class Level {
 public:
  explicit Level(const std::vector<scenario::Phase>& phases);

  Duration length() const { return length_; }
  double at(Duration time) const;  ///< nothing after the end
  double highest() const { return highest_; }
  /// What came together until then: seconds at height 1. Rises from 0.
  double area(Duration until) const;
  double area() const { return parts_.empty() ? 0 : parts_.back().area + parts_.back().own; }
  /// When so much has come together; nothing: never.
  std::optional<Duration> when(double area) const;

  /// Stretches in which the load is higher than `threshold`: whoever stands so far back in the queue is there then.
  struct Stretch {
    Duration from{}, to{};
  };
  std::vector<Stretch> above(double threshold) const;

 private:
  struct Part {
    scenario::Phase phase;
    Duration begin{};
    double area = 0, own = 0;  ///< before it, and its own
  };
  std::vector<Part> parts_;
  Duration length_{};
  double highest_ = 0;
};

}  // namespace mailproof::load
