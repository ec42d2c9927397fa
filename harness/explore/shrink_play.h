#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "report/run_result.h"
#include "scenario/scenario.h"
#include "scenario/yaml/node.h"

namespace mailproof::explore {

/// What a story must go on showing.
struct Failure {
  std::string finding_class;  ///< "loss/lost": the finding's id without the scenario's
  judge::Severity severity = judge::Severity::fail;
  judge::Verdict verdict = judge::Verdict::fail;
  std::string requirement;
};

/// The first finding of a result that counts, or the one of this class; nothing where there is none. A result that is
/// an error or about which nothing can be said shows nothing.
std::optional<Failure> failure_of(const report::ScenarioResult& result, std::string_view finding_class = {});

/// Plays a story and judges it. `copy` makes another seed of it.
using Play = std::function<report::ScenarioResult(const scenario::Scenario& story, std::uint32_t copy)>;

/// How often it failed of so many times, each with another seed.
struct Rate {
  unsigned failed = 0, played = 0;
  std::optional<std::uint32_t> first;  ///< the first copy that did
};

/// Answers whether a story still fails the same way (StillFails).
class Replay {
 public:
  struct Options {
    std::string path;        ///< the story's, for the files that it names
    std::uint32_t copy = 0;  ///< the first seed that is tried
    unsigned times = 1;      ///< seeds that are tried before a story counts as one that does not fail
  };
  /// `right`, where it is not null, plays on a server that is known to be right: a story that accuses that one as well
  /// lost what made it a story.
  Replay(Failure failure, Play tested, Play right, Options options)
      : failure_(std::move(failure)),
        tested_(std::move(tested)),
        right_(std::move(right)),
        options_(std::move(options)) {}

  bool still_fails(const scenario::Node& story);
  /// Plays it so often.
  Rate rate(const scenario::Node& story, unsigned times);
  std::size_t played() const { return played_; }

 private:
  bool shows(const report::ScenarioResult& result) const;
  const Failure failure_;
  const Play tested_, right_;
  const Options options_;
  std::size_t played_ = 0;
};

}  // namespace mailproof::explore
