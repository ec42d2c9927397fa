#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "core/rng.h"
#include "load/compare.h"

// Loads as a server makes them, to be held against each other or added up.

namespace mailproof::load {

using judge::Verdict;

struct Server {
  double ms = 20;         ///< of a typical answer
  double tail = 1;        ///< how much heavier the slowest are
  double drift = 0.15;    ///< how much a stretch of seconds differs from the next: machines are not steady
  unsigned fails_in = 0;  ///< one in so many is refused; 0: none
  int seconds = 90;
  int rate = 30;
  int only_until = 0;   ///< after so many seconds nothing happens any more; 0: it goes on
  int one_in = 1;       ///< something happens in one second of so many only
  double steps_ms = 0;  ///< the clock tells no less apart
};

/// A load as a server with such times makes it. Neighbouring seconds are alike, as on real machines.
inline LoadResult run_of(std::uint64_t seed, const Server& server) {
  Rng rng(seed);
  const auto normal = [&] {
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += rng.below(1U << 30) / static_cast<double>(1U << 30);
    return sum - 6;
  };
  LoadResult out;
  out.stories = {"a.story"};
  out.target = "node";
  out.rate = server.rate;
  out.duration = "90s";
  StoryTotals totals;
  double weather = 0;
  for (int second = 0; second < server.seconds; ++second) {
    weather = 0.7 * weather + server.drift * normal();
    if (server.only_until != 0 && second >= server.only_until) continue;
    if (second % server.one_in != 0) continue;
    for (const char* const name : {"imap.fetch", "imap.store", "lmtp.deliver", "pop3.retr"})
      for (int i = 0; i < server.rate; ++i) {
        auto& op = totals.operations.at(totals.operations.id(name));
        const Time intended = Time(std::chrono::seconds(second)) + std::chrono::milliseconds(rng.below(1000));
        const double tail = rng.one_in(20) ? 3 * server.tail : 1;
        double ms = server.ms * tail * std::exp(weather + 0.3 * normal());
        if (server.steps_ms != 0) ms = std::floor(ms / server.steps_ms) * server.steps_ms;
        const Time end = intended + Duration(static_cast<Duration::rep>(ms * 1e6));
        op.due(intended);
        op.begin(intended, intended);
        if (server.fails_in != 0 && rng.one_in(server.fails_in))
          op.fail_as("no", end);
        else
          op.succeed(intended, intended, end);
      }
  }
  out.by_story = {totals};
  out.all = totals;
  return out;
}

inline const Difference& of(const Comparison& comparison, std::string_view operation, Metric metric) {
  for (const Compared& one : comparison.operations)
    if (one.operation == operation) return one.differences.at(static_cast<std::size_t>(metric));
  throw std::out_of_range("no such operation");
}

inline Failed failed(const char* rule, const Comparison& comparison) {
  const auto parsed = parse_fail_if(rule);
  EXPECT_TRUE(parsed) << parsed.error().message();
  const auto out = apply(*parsed, comparison);
  EXPECT_TRUE(out) << out.error().message();
  return *out;
}

}  // namespace mailproof::load
