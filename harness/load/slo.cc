#include "load/slo.h"

#include <fmt/format.h>

#include <cmath>

#include "load/level.h"

namespace mailproof::load {
namespace {

using scenario::Measure;

bool means(const scenario::Slo& slo, std::string_view operation) {
  if (!slo.operation.empty()) return scenario::names_operation(slo.operation, operation);
  // Of all: what a client asked for. How soon mail is seen is no operation of its own, nor what others are parts of.
  return !operation.starts_with("delivery-to-visible") && !scenario::is_derived(operation);
}

stats::Operation together(const scenario::Slo& slo, const stats::Operations& operations) {
  stats::Operation all;
  operations.for_each([&](std::string_view name, const stats::Operation& one) {
    if (means(slo, name)) all.merge(one);
  });
  return all;
}

std::optional<double> time_of(const scenario::Slo& slo, const stats::Histogram& response) {
  using scenario::Comparison;
  if (response.count() == 0) return std::nullopt;
  const bool ceiling = slo.comparison == Comparison::less || slo.comparison == Comparison::at_most;
  if (slo.measure == Measure::percentile && ceiling) {
    // Where in its bucket it lies nobody knows: who may have kept to the limit has.
    const double least = in_seconds(response.percentile_at_least(slo.percent));
    if (holds(slo, least) && !holds(slo, in_seconds(response.percentile(slo.percent)))) return least;
  }
  return in_seconds(slo.measure == Measure::max    ? response.max()
                    : slo.measure == Measure::mean ? response.mean()
                                                   : response.percentile(slo.percent));
}

std::optional<double> of_operation(const scenario::Slo& slo, const stats::Operation& all, double time) {
  const std::uint64_t ended = all.ok + all.fail + all.info;
  switch (slo.measure) {
    case Measure::percentile:
    case Measure::max:
    case Measure::mean:
      return time_of(slo, all.response);
    case Measure::errors:
      return ended == 0 ? std::nullopt
                        : std::optional(static_cast<double>(all.fail + all.info) / static_cast<double>(ended));
    case Measure::rate:
      return static_cast<double>(all.ok) / std::max(time, 1e-9);
    case Measure::count:
      break;
  }
  return std::nullopt;
}

double times_of(const LoadResult& result, std::string_view what) {
  double out = 0;
  for (const auto& [id, tally] : result.findings)
    if (id.ends_with(fmt::format("/{}", what))) out += static_cast<double>(tally.times);
  return out;
}

/// What became of messages is known of those that somebody looked for in the end.
std::string not_looked_for(const scenario::Slo& slo, const LoadResult& result) {
  if (slo.operation == "refused" || scenario::counts_unserved(slo)) return {};
  if (result.interrupted || !result.note.empty()) return "nobody looked for the mail in the end";
  const LedgerTotals& ledger = result.all.ledger;
  const auto left_out = ledger.fates.find("not-looked-for");
  if (left_out == ledger.fates.end() || left_out->second == 0) return {};
  return fmt::format("of {} that were looked for", ledger.accepted - left_out->second);
}

/// Where a time was missed, and would not have been, or hardly, without what we ourselves were late: that.
std::string held_up(const scenario::Slo& slo, const Generator& generator, double value) {
  constexpr double kFor = 2;  // percentiles do not subtract exactly
  const bool time = slo.measure == Measure::percentile || slo.measure == Measure::max || slo.measure == Measure::mean;
  if (!time) return {};
  const Duration own = slo.measure == Measure::mean  ? std::max(generator.lateness.mean(), generator.turns.mean())
                       : slo.measure == Measure::max ? generator.own_delay(100)
                                                     : generator.own_delay(slo.percent);
  if (own <= Duration::zero() || !holds(slo, std::max(0.0, value - kFor * in_seconds(own)))) return {};
  return fmt::format("of which up to {:.0f} ms for our own doing", ms(own));
}

}  // namespace

bool counts_unserved_of(const scenario::Slo& slo, std::string_view operation) {
  if (!scenario::counts_unserved(slo)) return false;
  // Mail that nobody saw was handed over.
  if (slo.operation == "unserved") return !operation.starts_with("delivery-to-visible");
  return operation == slo.operation || scenario::names_operation(slo.operation, operation);
}

bool counts_errors_of(const scenario::Slo& slo, std::string_view operation) {
  return slo.measure == Measure::errors && means(slo, operation);
}

bool holds(const scenario::Slo& slo, double value) {
  using scenario::Comparison;
  switch (slo.comparison) {
    case Comparison::less:
      return value < slo.limit;
    case Comparison::at_most:
      return value <= slo.limit;
    case Comparison::equal:
      return std::abs(value - slo.limit) < 1e-9;
    case Comparison::at_least:
      return value >= slo.limit;
    case Comparison::more:
      return value > slo.limit;
  }
  return false;
}

namespace {

std::uint64_t beyond(const scenario::Slo& slo, const stats::Histogram& response) {
  if (slo.measure != Measure::percentile) return 0;
  return response.count() - response.count_up_to(Duration(static_cast<std::int64_t>(slo.limit * 1e9)));
}

std::optional<Measurement> of_operations(const scenario::Slo& slo, const LoadResult& result) {
  const stats::Operation all = together(slo, result.all.operations);
  const auto& apart = all.measured;
  const double time = measured_seconds(result);
  const bool then = apart.due != 0 || apart.done != 0 || apart.response.count() != 0;
  if (slo.measure != Measure::errors && time > 0 && then) {
    if (slo.measure == Measure::rate) return Measurement{static_cast<double>(apart.done) / time, apart.done, 0, true};
    if (const auto value = time_of(slo, apart.response))
      return Measurement{*value, apart.response.count(), beyond(slo, apart.response), true};
    if (apart.due != 0) return std::nullopt;  // none of it had an answer: what came before speaks of another time
  }
  const auto value = of_operation(slo, all, result.seconds);
  if (!value) return std::nullopt;
  if (slo.measure == Measure::errors)
    return Measurement{*value, all.ok + all.fail + all.info, all.fail + all.info, false};
  if (slo.measure == Measure::rate) return Measurement{*value, all.ok, 0, false};
  return Measurement{*value, all.response.count(), beyond(slo, all.response), false};
}

/// By operation: messages that nobody came to hand over, polls and clicks that nobody came to; and copies of stories.
std::map<std::string, std::uint64_t> never_began(const scenario::Slo& slo, const LoadResult& result) {
  const bool all = slo.operation == "unserved";
  std::map<std::string, std::uint64_t> out;
  if (result.all.unserved != 0 && (all || slo.operation == "story")) out["story"] = result.all.unserved;
  for (std::size_t i = 0; i < result.stories.size() && i < result.by_story.size(); ++i) {
    if (result.stories[i] != result.plan.name) continue;
    result.by_story[i].operations.for_each([&](std::string_view name, const stats::Operation& one) {
      if (one.unserved() != 0 && counts_unserved_of(slo, name)) out[std::string(name)] += one.unserved();
    });
  }
  return out;
}

/// Whether there was anything that such a line could be missed by.
bool could_be(const scenario::Slo& slo, const LoadResult& result) {
  const LedgerTotals& ledger = result.all.ledger;
  if (slo.operation == "refused") return ledger.sent != 0 || ledger.refused != 0;
  if (!scenario::counts_unserved(slo)) return ledger.accepted != 0 || ledger.unknown != 0;
  const bool all = slo.operation == "unserved";
  bool due = (all || slo.operation == "story") && result.all.unserved != 0;
  result.all.operations.for_each([&](std::string_view name, const stats::Operation& one) {
    due =
        due || (one.intended != 0 && (all || name == slo.operation || scenario::names_operation(slo.operation, name)));
  });
  return due;
}

double of_messages(const scenario::Slo& slo, const LoadResult& result) {
  const LedgerTotals& ledger = result.all.ledger;
  const auto fate = [&](const std::string& name) {
    const auto found = ledger.fates.find(name);
    return found == ledger.fates.end() ? 0.0 : static_cast<double>(found->second);
  };
  if (slo.operation == "lost" || slo.operation == "bounced") return fate(slo.operation);
  if (slo.operation == "unexplained") return static_cast<double>(ledger.unexplained);
  if (slo.operation == "refused") return static_cast<double>(ledger.refused);
  if (scenario::counts_unserved(slo)) {
    double out = 0;
    for (const auto& [what, times] : never_began(slo, result)) out += static_cast<double>(times);
    return out;
  }
  return times_of(result, slo.operation);
}

}  // namespace

bool too_few(const scenario::Slo& slo, const Measurement& found) {
  if (slo.measure == Measure::errors) {
    using scenario::Comparison;
    const bool ceiling = slo.comparison == Comparison::less || slo.comparison == Comparison::at_most;
    // One of fewer than a thousand is more than 0.1 %, and none of ten says nothing of one in a thousand.
    return ceiling && slo.limit > 0 && static_cast<double>(found.of) < 1 / slo.limit - 1e-6 && found.beyond < 2;
  }
  if (slo.measure != Measure::percentile || slo.percent >= 100) return false;
  // 100 for a p99. Where two or more of fewer are beyond the limit it is no chance.
  const double wanted = 100 / (100 - slo.percent);
  return static_cast<double>(found.of) < wanted - 1e-6 && found.beyond < 2;
}

std::optional<Measurement> measure(const scenario::Slo& slo, const LoadResult& result) {
  if (slo.measure == Measure::count && !could_be(slo, result)) return std::nullopt;
  if (slo.measure == Measure::count) return Measurement{of_messages(slo, result), 0, 0, false};
  return of_operations(slo, result);
}

std::optional<double> measure_since(const scenario::Slo& slo, const stats::Operations& operations, double time,
                                    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>>& before) {
  const stats::Operation all = together(slo, operations);
  auto& [ok_before, bad_before] = before[slo.text];
  const std::uint64_t bad = all.fail + all.info;
  const double ok_now = static_cast<double>(all.ok - ok_before), bad_now = static_cast<double>(bad - bad_before);
  ok_before = all.ok;
  bad_before = bad;
  constexpr double kFewest = 20;  // of fewer nothing is concluded
  if (slo.measure == Measure::errors)
    return ok_now + bad_now < kFewest ? std::nullopt : std::optional(bad_now / (ok_now + bad_now));
  if (slo.measure == Measure::rate) return ok_now / std::max(time, 1e-9);
  return all.response.count() < static_cast<std::uint64_t>(kFewest) ? std::nullopt : of_operation(slo, all, time);
}

std::string in_words(const scenario::Slo& slo, double value) {
  switch (slo.measure) {
    case Measure::errors:
      return fmt::format("{:.3f} %", value * 100);
    case Measure::rate:
      return fmt::format("{:.1f}/s", value);
    case Measure::count:
      return fmt::format("{:.0f}", value);
    default:
      return value < 10 ? fmt::format("{:.2f} ms", value * 1000) : fmt::format("{:.2f} s", value);
  }
}

void judge_slo(const std::vector<scenario::Slo>& lines, LoadResult& result) {
  for (const auto& slo : lines) {
    SloResult one;
    one.text = slo.text;
    one.verdict = judge::Verdict::inconclusive;
    if (const auto found = measure(slo, result)) {
      const double value = found->value;
      one.of = found->of;
      one.measured = in_words(slo, value);
      const bool counted = slo.measure == Measure::count || slo.measure == Measure::errors;
      if (!found->phase && !counted && !result.measured.empty()) one.why = "none was due in the measured phase: of all";
      // Times that our own slowness made say nothing of the server, nor does what we came too late for, or were
      // interrupted before. What became of messages does.
      const bool count = slo.measure == Measure::count, never_served = scenario::counts_unserved(slo);
      if (slo.measure == Measure::count) {
        one.why = not_looked_for(slo, result);
        if (scenario::counts_unserved(slo))
          for (const auto& [what, times] : never_began(slo, result))
            one.why += fmt::format("{}{} of {}", one.why.empty() ? "" : ", ", times, what);
        const bool nothing_known = result.interrupted || !result.note.empty();
        if (!not_looked_for(slo, result).empty() && nothing_known && holds(slo, value)) {
          result.slos.push_back(std::move(one));  // a loss that nobody looked for is not one that was not there
          continue;
        }
      }
      bool ours = (result.generator.limited() && (!count || never_served)) || (result.interrupted && never_served);
      if (!holds(slo, value) && !ours && !held_up(slo, result.generator, value).empty()) {
        ours = true;
        one.why = held_up(slo, result.generator, value);
      }
      if (too_few(slo, *found)) {
        one.few = true;
        one.why = fmt::format("only {} of it", found->of);
        result.slos.push_back(std::move(one));
        continue;
      }
      one.verdict = holds(slo, value) ? judge::Verdict::pass
                    : ours            ? judge::Verdict::inconclusive
                                      : judge::Verdict::fail;
    }
    result.slos.push_back(std::move(one));
  }
}

}  // namespace mailproof::load
