#include "load/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/rng.h"
#include "core/units.h"
#include "load/level.h"
#include "scenario/plan/slo.h"

namespace mailproof::load {
namespace {

using stats::Slice;

/// Slices of one block added up.
struct Block {
  std::uint64_t ok = 0, bad = 0;
  double of = 0;  ///< that the bad are a part of
  stats::CompactHistogram response;
  double seconds = 0;
};

std::vector<Block> blocks_of(const stats::Slices& all, std::size_t first, std::size_t last) {
  std::vector<Block> out;
  const std::size_t slices = last > first ? last - first : 0;
  const std::size_t length = std::max(kLeastBlock, (slices + kMostBlocks - 1) / kMostBlocks);
  for (std::size_t from = first; from + length <= last; from += length) {
    Block& block = out.emplace_back();
    block.seconds = static_cast<double>(length) * all.seconds();
    for (std::size_t i = from; i < from + length && i < all.cells().size(); ++i) {
      const Slice& slice = all.cells()[i];
      block.ok += slice.ok;
      block.bad += slice.fail + slice.info;
      block.response.merge(slice.response);
    }
    block.of = static_cast<double>(block.ok + block.bad);
  }
  return out;
}

constexpr std::string_view kConnection = ".connection";

/// The way in of the protocol whose sessions this operation counts that were broken off ("imap.connection"); nothing:
/// the run has none, or it is another operation.
const stats::Operation* sessions_of(std::string_view operation, const LoadResult& run) {
  if (!operation.ends_with(kConnection)) return nullptr;
  operation.remove_suffix(kConnection.size());
  return run.all.operations.find(fmt::format("{}.connect", operation));
}

/// Where a run has sessions and none was broken off, that is none of them, and no operation that it does not have.
const stats::Operation* find_in(const LoadResult& run, std::string_view operation) {
  static const stats::Operation kNone;
  const stats::Operation* found = run.all.operations.find(operation);
  return found == nullptr && sessions_of(operation, run) != nullptr ? &kNone : found;
}

/// The percentile of all responses, each block counted as often as it was drawn. `sums` is scratch.
double percentile(double percent, const std::vector<Block>& blocks, const std::vector<std::uint64_t>& times,
                  std::vector<std::uint64_t>& sums) {
  using stats::CompactHistogram;
  sums.assign(CompactHistogram::kBuckets, 0);
  double all = 0, seen = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (times[i] == 0) continue;
    for (const auto entry : blocks[i].response.entries()) {
      const std::uint64_t count = entry.count * times[i];
      sums[entry.bucket] += count;
      all += static_cast<double>(count);
    }
  }
  const auto rank = static_cast<double>(stats::rank_of(percent, static_cast<std::uint64_t>(all)));
  for (std::uint64_t bucket = 0; bucket < sums.size(); ++bucket) {
    const auto here = static_cast<double>(sums[bucket]);
    if (here == 0 || seen + here < rank) {
      seen += here;
      continue;
    }
    const auto low = static_cast<double>(CompactHistogram::lowest_of(bucket).count());
    const auto high = static_cast<double>(CompactHistogram::highest_of(bucket).count());
    return (low + (high - low) * (rank - seen) / here) / 1e6;
  }
  return 0;
}

bool is_latency(Metric metric) { return metric == Metric::p50 || metric == Metric::p99; }

/// As often as each block was drawn.
double metric_of(Metric metric, const std::vector<Block>& blocks, const std::vector<std::uint64_t>& times,
                 std::vector<std::uint64_t>& sums) {
  // A clock tells no less apart, and of nothing no percentage can be had.
  if (is_latency(metric))
    return std::max(kLeastLatency / 100, percentile(metric == Metric::p50 ? 50 : 99, blocks, times, sums));
  double ok = 0, bad = 0, of = 0, seconds = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto n = static_cast<double>(times[i]);
    ok += n * static_cast<double>(blocks[i].ok);
    bad += n * static_cast<double>(blocks[i].bad);
    of += n * blocks[i].of;
    seconds += n * blocks[i].seconds;
  }
  // Nothing done at all counts as half of one.
  if (metric == Metric::throughput) return seconds == 0 ? 0 : std::max(0.5, ok) / seconds;
  return of == 0 ? 0 : std::min(100.0, 100 * bad / of);
}

/// How alike a block is to the one after it, 0 to 0.9: where machines have good and bad minutes, blocks say less than
/// as many that were drawn from anywhere.
double alike(Metric metric, const std::vector<Block>& blocks, std::vector<std::uint64_t>& sums) {
  std::vector<double> values;
  for (const Block& block : blocks) values.push_back(metric_of(metric, {block}, {1}, sums));
  double mean = 0, square = 0, product = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    square += (values[i] - mean) * (values[i] - mean);
    if (i != 0) product += (values[i] - mean) * (values[i - 1] - mean);
  }
  return square == 0 ? 0 : std::clamp(product / square, 0.0, 0.9);
}

/// Errors, and all that they are a part of.
std::pair<double, double> ended(const std::vector<Block>& blocks) {
  double bad = 0, all = 0;
  for (const Block& block : blocks) {
    bad += static_cast<double>(block.bad);
    all += block.of;
  }
  return {std::min(bad, all), all};
}

/// What a run must have of an operation for anything to be said: blocks in which it happened at all, as what happened
/// in one of them only varies with nothing; enough of it; and of a p99 enough beyond it.
bool enough(Metric metric, const std::vector<Block>& blocks) {
  std::size_t with = 0;
  double n = 0;
  for (const Block& block : blocks) {
    double here = metric == Metric::errors ? block.of : static_cast<double>(block.ok + block.bad);
    if (is_latency(metric)) here = static_cast<double>(block.response.count());
    with += here == 0 ? 0U : 1U;
    n += here;
  }
  return with >= kLeastBlocks && n >= static_cast<double>(metric == Metric::p99 ? kLeastForP99 : kLeastOperations);
}

struct Estimate {
  double value = 0;
  double error = 0;  ///< standard error of log(value), of errors of the value itself
  std::size_t blocks = 0;
};

Estimate estimate(Metric metric, const std::vector<Block>& blocks, std::uint64_t seed) {
  Estimate out;
  out.blocks = blocks.size();
  if (blocks.empty()) return out;
  std::vector<std::uint64_t> sums;
  out.value = metric_of(metric, blocks, std::vector<std::uint64_t>(blocks.size(), 1), sums);
  Rng rng(seed);
  double sum = 0, squares = 0;
  std::size_t drawn = 0;
  for (std::size_t draw = 0; draw < kDraws; ++draw) {
    std::vector<std::uint64_t> times(blocks.size());
    for (std::size_t i = 0; i < blocks.size(); ++i) ++times[rng.below(static_cast<std::uint32_t>(blocks.size()))];
    double value = metric_of(metric, blocks, times, sums);
    if (metric != Metric::errors) value = std::log(value);
    ++drawn;
    sum += value;
    squares += value * value;
  }
  if (drawn > 1) {
    const auto n = static_cast<double>(drawn);
    out.error = std::sqrt(std::max(0.0, (squares - sum * sum / n) / (n - 1)));
    const double r = alike(metric, blocks, sums);
    out.error *= std::sqrt((1 + r) / (1 - r));
  }
  if (metric == Metric::errors) {
    // Blocks that are all alike by chance say no more than the errors and the rest that were counted.
    const auto [bad, n] = ended(blocks);
    const double part = (bad + 1) / (n + 2);
    out.error = std::max(out.error, 100 * std::sqrt(part * (1 - part) / (n + 2)));
  }
  return out;
}

/// The quantile of the normal distribution, by halving.
double normal(double one_sided) {
  double low = 0, high = 10;
  for (int i = 0; i < 80; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(middle / std::sqrt(2.0)) > one_sided ? low : high) = middle;
  }
  return low;
}

/// Student's t from the normal quantile (Cornish-Fisher, Abramowitz and Stegun 26.7.5).
double student(double one_sided, double freedom) {
  const double z = normal(one_sided), z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
  return z + (z3 + z) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * freedom * freedom * freedom);
}

/// How long copies went on beginning, as was asked for or as their rate has it: what one of them is left to do when no
/// more are due is no time in which the others stopped.
double arrivals_seconds(const LoadResult& run) {
  const bool open = run.plan.name.empty() && run.users.empty();
  const auto asked = parse_duration(run.duration);
  if (open && asked) return std::min(in_seconds(*asked), run.seconds);
  if (open && run.rate > 0 && run.copies > 0) return std::min(run.copies / run.rate, run.seconds);
  return run.seconds;
}

/// What both runs have in common of their time: no ramp, no last slice, which is cut. An operation that stopped before
/// the arrivals did has nothing in the rest of it, and that counts.
std::pair<std::size_t, std::size_t> steady(const stats::Slices& all, const LoadResult& run) {
  const auto length = static_cast<std::size_t>(arrivals_seconds(run) / std::max<std::uint32_t>(1, all.seconds()));
  const std::size_t n = length != 0 ? length : all.cells().size();
  const std::size_t ramp = std::min<std::size_t>(n / 10, 10 / std::max<std::uint32_t>(1, all.seconds()));
  return {ramp, n == 0 ? 0 : n - 1};
}

/// The part of a run that is compared, in blocks.
std::vector<Block> blocks_in(const LoadResult& run, std::string_view name, const stats::Operation& operation) {
  const auto [first, last] = steady(operation.slices, run);
  std::vector<Block> out = blocks_of(operation.slices, first, last);
  // Sessions that are broken off are a part of all that there are, and not of those that end in the same moment; they
  // may have begun long before, so each block has its share of them.
  if (const auto* sessions = sessions_of(name, run))
    for (Block& block : out) block.of = static_cast<double>(sessions->ok) / static_cast<double>(out.size());
  return out;
}

/// Where an operation stopped in the middle of one run and not of the other, a sentence. Its throughput varies so much
/// within that run that no interval shows it.
std::string stopped(std::string_view operation, const std::string& run, const std::vector<Block>& here,
                    const std::vector<Block>& there) {
  const auto last = [](const std::vector<Block>& blocks) {
    std::size_t out = 0;
    for (std::size_t i = 0; i < blocks.size(); ++i)
      if (blocks[i].ok != 0) out = i + 1;
    return out;
  };
  const auto part = [&](const std::vector<Block>& blocks) {
    return static_cast<double>(last(blocks)) / static_cast<double>(std::max<std::size_t>(1, blocks.size()));
  };
  constexpr double kMissing = 0.1;
  if (!enough(Metric::throughput, there) || last(here) == 0 || part(there) - part(here) < kMissing) return {};
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < last(here); ++i) before += here[i].ok != 0 ? 1U : 0U;
  if (before * 2 < last(here)) return {};  // what happens now and then may just not have
  return fmt::format("{} STOPPED in {}: nothing of it in the last {:.0f} % of that run", operation, run,
                     100 * (1 - part(here)));
}

Difference difference(Metric metric, const std::vector<Block>& a, const std::vector<Block>& b, std::uint64_t seed,
                      std::size_t comparisons) {
  Difference out;
  out.metric = metric;
  const Estimate before = estimate(metric, a, derive_seed(seed, "before"));
  const Estimate after = estimate(metric, b, derive_seed(seed, "after"));
  out.before = before.value;
  out.after = after.value;
  const bool share = metric == Metric::errors;
  if (before.value > 0 && after.value > 0) out.change = 100 * (after.value / before.value - 1);
  if (share) out.change = after.value - before.value;
  if (!enough(metric, a) || !enough(metric, b)) return out;
  const double freedom = static_cast<double>(std::min(before.blocks, after.blocks)) - 1;
  const double t = student(kMistaken / 2 / static_cast<double>(comparisons), freedom);
  const double width = t * std::hypot(before.error, after.error);
  double least = kLeast;
  if (share) {
    out.change = after.value - before.value;
    out.low = out.change - width;
    out.high = out.change + width;
    least = kLeast / 10;
    if (width > kWidestOfErrors) out.said = Said::too_noisy;
  } else {
    const double ratio = std::log(after.value / before.value);
    out.change = 100 * (std::exp(ratio) - 1);
    out.low = 100 * (std::exp(ratio - width) - 1);
    out.high = 100 * (std::exp(ratio + width) - 1);
    if (width > std::log(2.0)) out.said = Said::too_noisy;
  }
  // Nobody notices a tenth of a millisecond, and no two runs on one machine are as close.
  out.little = is_latency(metric) && std::abs(out.after - out.before) < kLeastLatency;
  if (out.little) {
    out.said = Said::same;
  } else if (out.low > 0 && out.change >= least) {
    out.said = Said::more;
  } else if (out.high < 0 && (share ? out.change <= -least : out.after <= out.before / (1 + least / 100))) {
    out.said = Said::less;
  } else if (out.said != Said::too_noisy) {
    out.said = Said::same;
  }
  return out;
}

}  // namespace

std::string_view name(Metric metric) {
  constexpr std::array<std::string_view, 4> kNames{"p50", "p99", "throughput", "errors"};
  return kNames[static_cast<std::size_t>(metric)];
}

std::string_view name(Said said) {
  constexpr std::array<std::string_view, 6> kNames{"same", "more", "less", "too short", "too noisy", "void"};
  return kNames[static_cast<std::size_t>(said)];
}

namespace {

/// A change in percent; what is many times as much says that.
std::string signed_text(double percent, bool points) {
  if (points || percent < 1000) return fmt::format("{:+.1f}", percent);
  return percent < 1e5 ? fmt::format("x {:.0f}", 1 + percent / 100) : "x 1000+";
}

}  // namespace

std::string Difference::change_text() const {
  if (said == Said::too_short || said == Said::too_noisy || little) return {};
  const bool points = metric == Metric::errors;
  return signed_text(change, points) + (points ? " pt" : change < 1000 ? " %" : "");
}

std::string Difference::interval_text() const {
  if (said == Said::too_short || said == Said::too_noisy || little) return {};
  if (low == high) return {};  // of one that stopped in a run that is short
  const bool points = metric == Metric::errors;
  return signed_text(low, points) + " .. " + signed_text(high, points);
}

bool Comparison::differs() const {
  return std::any_of(operations.begin(), operations.end(), [](const Compared& one) {
    return std::any_of(one.differences.begin(), one.differences.end(),
                       [](const Difference& d) { return d.said == Said::more || d.said == Said::less; });
  });
}

Comparison compare(const LoadResult& before, const LoadResult& after, std::string before_name, std::string after_name) {
  Comparison out;
  out.before = std::move(before_name);
  out.after = std::move(after_name);
  const auto differs = [&](std::string_view what, const std::string& a, const std::string& b) {
    if (a != b) out.notes.push_back(fmt::format("{}: {} there, {} here", what, a, b));
  };
  differs("stories", fmt::format("{}", fmt::join(before.stories, ", ")),
          fmt::format("{}", fmt::join(after.stories, ", ")));
  if (before.plan.hash != after.plan.hash && before.plan.hash != 0 && after.plan.hash != 0)
    out.notes.emplace_back("the text of the plan, or of a profile that it names, is another one there than here");
  differs("rate", fmt::format("{:.2f}/s", before.rate), fmt::format("{:.2f}/s", after.rate));
  differs("for", before.duration.empty() ? "each copy once" : before.duration,
          after.duration.empty() ? "each copy once" : after.duration);
  differs("slots", std::to_string(before.slots), std::to_string(after.slots));
  const auto users = [](const LoadResult& run) {
    std::string all;
    for (const UsersOf& one : run.users)
      all += fmt::format("{}{} of {}, who think {}", all.empty() ? "" : "; ", one.users, one.story, one.think);
    return all.empty() ? std::string("none") : all;
  };
  differs("users in a closed loop", users(before), users(after));
  if (!before.users.empty() || !after.users.empty())
    out.notes.emplace_back(
        "users in a closed loop ask a slower server for less: throughput and times are to be read together");
  differs("target", before.target, after.target);
  differs("accounts", std::to_string(before.plan.accounts), std::to_string(after.plan.accounts));
  for (const char* setting : {"threads", "patience"}) {
    const std::string a = setting_of(before, setting), b = setting_of(after, setting);
    if (!a.empty() && !b.empty()) differs(setting, a, b);
  }
  if (!before.machines.empty() && !after.machines.empty())  // an older run names none
    differs("machine", fmt::format("{}", fmt::join(before.machines, "; ")),
            fmt::format("{}", fmt::join(after.machines, "; ")));
  bool limited = false;
  for (const auto& [run, of] : {std::pair(&before, &out.before), std::pair(&after, &out.after)}) {
    if (run->generator.limited())
      out.notes.push_back(fmt::format("{} was generator-limited ({}): times, and where it differs, are void", *of,
                                      run->generator.why_limited()));
    limited = limited || run->generator.limited();
    for (const std::string& warning : warnings(*run))
      if (!warning.starts_with("GENERATOR-LIMITED: these")) out.notes.push_back(fmt::format("{}: {}", *of, warning));
    const judge::Verdict verdict = verdict_of(*run);
    if (verdict == judge::Verdict::fail)
      out.notes.push_back(fmt::format("{} failed: what it measured may be that of a server that does less", *of));
    const bool sound =
        verdict != judge::Verdict::fail && verdict != judge::Verdict::error && !run->interrupted && run->doubts.empty();
    if (!sound && out.unsound.empty())
      out.unsound = *of + (verdict == judge::Verdict::fail ? " failed" : " was not played as it was meant");
    if (run->shard) out.notes.push_back(fmt::format("{} is a shard of a load, not all of it", *of));
  }
  std::size_t both = 0;
  std::vector<std::string> names;
  for (const LoadResult* run : {&before, &after})
    run->all.operations.for_each([&](std::string_view operation, const stats::Operation&) {
      if (run == &before || before.all.operations.find(operation) == nullptr) names.emplace_back(operation);
    });
  for (const std::string& operation : names)
    both += find_in(before, operation) != nullptr && find_in(after, operation) != nullptr ? 1U : 0U;
  const std::size_t comparisons = std::max<std::size_t>(1, both * std::size(kMetrics));
  for (const std::string& operation : names) {
    Compared& one = out.operations.emplace_back();
    one.operation = operation;
    const stats::Operation *a = find_in(before, operation), *b = find_in(after, operation);
    if (a == nullptr || b == nullptr) continue;
    const std::vector<Block> a_blocks = blocks_in(before, operation, *a), b_blocks = blocks_in(after, operation, *b);
    const std::string a_stopped = stopped(operation, out.before, a_blocks, b_blocks);
    const std::string b_stopped = stopped(operation, out.after, b_blocks, a_blocks);
    for (const std::string& note : {a_stopped, b_stopped})
      if (!note.empty() && !scenario::is_handshake(operation)) out.notes.push_back(note);
    for (const Metric metric : kMetrics) {
      Difference& d = one.differences.emplace_back(difference(
          metric, a_blocks, b_blocks, derive_seed(1, operation, static_cast<std::uint64_t>(metric)), comparisons));
      if (metric == Metric::throughput && d.change <= -kLeast && !b_stopped.empty()) d.said = Said::less;
      if (metric == Metric::throughput && d.change >= kLeast && !a_stopped.empty()) d.said = Said::more;
      // Of full and resumed handshakes one is more where the other is less: that is neither better nor worse.
      if (metric == Metric::throughput && scenario::is_handshake(operation)) d.said = Said::same;
      // Times that this machine made are not even the same, and what a rule may ask for though the table does not show
      // it differs as well.
      const bool differs_a_little = metric == Metric::errors && d.said == Said::same && (d.low > 0 || d.high < 0);
      if (limited && (d.said == Said::more || d.said == Said::less || differs_a_little ||
                      (d.said == Said::same && is_latency(metric))))
        d.said = Said::vain;
    }
  }
  return out;
}

std::string to_text(const Comparison& comparison) {
  std::string out = fmt::format("{} against {}\n", comparison.after, comparison.before);
  for (const std::string& note : comparison.notes) out += fmt::format("  {}\n", note);
  std::size_t width = 20;
  for (const Compared& one : comparison.operations) width = std::max(width, one.operation.size());
  out += fmt::format("\n{:<{}} {:<10} {:>11} {:>11} {:>9}  {:<19} {}\n", "operation", width, "", "before", "after",
                     "change", "interval", "");
  for (const Compared& one : comparison.operations) {
    if (one.differences.empty()) {
      out += fmt::format("{:<{}} is in one of the runs only\n", one.operation, width);
      continue;
    }
    bool first = true;
    for (const Difference& d : one.differences) {
      const bool points = d.metric == Metric::errors;
      if (points && d.before == 0 && d.after == 0) continue;
      out += fmt::format("{:<{}} {:<10} {:>11.2f} {:>11.2f} {:>9}  {:<19} {}\n",
                         std::exchange(first, false) ? one.operation : "", width, name(d.metric), d.before, d.after,
                         d.change_text(), d.interval_text(),
                         d.said == Said::more   ? points || d.metric != Metric::throughput ? "WORSE" : "better"
                         : d.said == Said::less ? points || d.metric != Metric::throughput ? "better" : "WORSE"
                                                : std::string(name(d.said)));
    }
  }
  out += "(p50 and p99 in ms, throughput a second, errors in percent; the intervals hold all together with 99 %)\n\n";
  std::size_t noisy = 0, brief = 0;
  for (const Compared& one : comparison.operations)
    for (const Difference& d : one.differences) {
      noisy += d.said == Said::too_noisy ? 1U : 0U;
      brief += d.said == Said::too_short ? 1U : 0U;
    }
  if (noisy + brief != 0)
    out += fmt::format(
        "Nothing can be said of {} figures: {} too short (it happened in fewer than {} blocks of {} s, or fewer than "
        "{} "
        "times, for a p99 {}), {} too noisy (the same server could as well show twice as much). Longer runs help.\n",
        noisy + brief, brief, kLeastBlocks, kLeastBlock, kLeastOperations, kLeastForP99, noisy);
  out += comparison.differs() ? "A difference is shown.\n" : "No difference is shown.\n";
  return out;
}

}  // namespace mailproof::load
