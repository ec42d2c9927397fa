#pragma once
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "explore/shrink.h"
#include "explore/write.h"

namespace mailproof::explore {

/// What the shrinking of stories and of talks share: a candidate that still fails is the story from now on, and none is
/// asked about twice.
class ShrinkTries {
 protected:
  /// Whether a candidate can be played at all; it may mend it first.
  using Fits = std::function<bool(scenario::Node& candidate)>;
  ShrinkTries(scenario::Node story, Fits fits, const StillFails& still_fails, const ShrinkLimits& limits)
      : fits_(std::move(fits)), still_fails_(still_fails), limits_(limits) {
    out_.story = std::move(story);
    seen_.insert(text());
  }

  std::string text() const { return write(out_.story).text; }

  /// True: it still fails, and is the story from now on.
  bool adopt(scenario::Node candidate) {
    if (!out_.finished || !fits_(candidate) || !seen_.insert(write(candidate).text).second) return false;
    if (out_.tries >= limits_.most_tries || (limits_.stop && limits_.stop())) {
      out_.finished = false;
      return false;
    }
    ++out_.tries;
    if (!still_fails_(candidate)) return false;
    out_.story = std::move(candidate);
    return true;
  }
  template <class Change>
  bool adopt_with(const Change& change) {
    scenario::Node candidate = out_.story;
    change(candidate);
    return adopt(std::move(candidate));
  }

  Shrunk out_;
  std::set<std::string> seen_;

 private:
  const Fits fits_;
  const StillFails& still_fails_;
  const ShrinkLimits& limits_;
};

}  // namespace mailproof::explore
