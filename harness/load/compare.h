#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "load/report.h"

namespace mailproof::load {

/// What is compared of an operation. Latencies count from the intended start; throughput is what was done a second;
/// errors are the part of all that ended which the server refused or left without an answer, in percent.
enum class Metric : std::uint8_t { p50, p99, throughput, errors };
inline constexpr Metric kMetrics[] = {Metric::p50, Metric::p99, Metric::throughput, Metric::errors};
std::string_view name(Metric metric);

/// What can be said of one metric.
enum class Said : std::uint8_t {
  same,       ///< no difference is shown
  more,       ///< the second run has more of it: slower, for a latency
  less,       ///<
  too_short,  ///< too few slices or operations in one of them
  too_noisy,  ///< the interval is so wide that even twice as much would not stand out
  vain,       ///< the generator was the limit of one of them: a difference, and any time, may be this machine's doing
};
std::string_view name(Said said);

struct Difference {
  Metric metric = Metric::p50;
  double before = 0, after = 0;  ///< milliseconds, operations a second, percent
  double change = 0;             ///< in percent of `before`; of errors in percentage points
  double low = 0, high = 0;      ///< interval of the change
  Said said = Said::too_short;
  bool little = false;  ///< of a latency: they are less than kLeastLatency apart, whatever that is in percent

  /// "+12.3 %", "x 14", "+0.4 pt", and "+3.0 .. +21.5"; "" where it would say nothing.
  std::string change_text() const;
  std::string interval_text() const;
};

struct Compared {
  std::string operation;
  std::vector<Difference> differences;  ///< one for each of kMetrics; empty where only one of the runs has it
};

/// How two runs of a load differ. The method:
///
/// A run is cut into blocks of slices, long enough that neighbours hardly depend on each other: at least kLeastBlock,
/// and at most kMostBlocks of them. Blocks of each run are drawn again with replacement kDraws times, with a seed that
/// is fixed; each time the metric is computed anew. How much the logarithm of it (of errors, the part itself) varies is
/// its standard error, larger where blocks are like their neighbours all the same; Student's t turns it into an
/// interval, with as many degrees of freedom as blocks. The run's ramp (the first tenth, at most 10 s) and its last
/// slice are left out.
///
/// So many metrics of so many operations are compared that some would differ by chance: so each interval is one of
/// 1 - kMistaken/n, and all n hold together with 99 %. A difference is claimed where the interval excludes none and it
/// is at least kLeast: two runs of one server on one machine are never closer than that.
struct Comparison {
  std::string before, after;  ///< names of the runs
  std::vector<Compared> operations;
  std::vector<std::string> notes;  ///< settings that differ, runs that say nothing
  std::string unsound;             ///< which of the runs failed, or did not come to its end; "" = none
  bool differs() const;
};
inline constexpr double kLeast = 5;            ///< percent; of errors percentage points / 10
inline constexpr double kLeastLatency = 0.1;   ///< milliseconds
inline constexpr double kWidestOfErrors = 10;  ///< of errors: a wider interval is too noisy
inline constexpr double kMistaken = 0.01;
inline constexpr std::size_t kLeastBlock = 5, kMostBlocks = 60, kLeastBlocks = 8, kDraws = 400;
inline constexpr std::uint64_t kLeastOperations = 100, kLeastForP99 = 300;

Comparison compare(const LoadResult& before, const LoadResult& after, std::string before_name, std::string after_name);

/// --fail-if 'imap.* p99 +10%': operations by name, * for any letters; a metric; how much more (or less, with -) is too
/// much: percent, of errors percentage points.
struct FailIf {
  std::string text, operations;
  Metric metric = Metric::p99;
  double change = 0;
};
Result<FailIf> parse_fail_if(std::string_view text);

/// What became of such a line: fail where the change is shown and as large; inconclusive where nothing can be said.
struct Failed {
  judge::Verdict verdict = judge::Verdict::pass;
  std::string why;
};
/// An error where no operation has this name.
Result<Failed> apply(const FailIf& rule, const Comparison& comparison);

std::string to_text(const Comparison& comparison);
/// One page, the runs side by side: each against the first.
std::string compare_html(const std::vector<Comparison>& all, const std::vector<Failed>& failed);

}  // namespace mailproof::load
