#pragma once
#include <map>
#include <optional>
#include <string>

#include "load/report.h"
#include "scenario/plan/slo.h"

namespace mailproof::load {

/// What an SLO line speaks of.
struct Measurement {
  double value = 0;          ///< in its unit: seconds, a part of one, a rate, a number
  std::uint64_t of = 0;      ///< times or answers that it was made of
  std::uint64_t beyond = 0;  ///< of a percentile: so many of them do not keep to the limit; of errors: so many
  bool phase = false;        ///< times and rates: of what was due in the measured phase, and not of all
};
/// Times are those of what was due in the measured phase, and rates those of what was done in it, unless nothing of it
/// was due then (a login in the ramp); errors and what became of messages count from the first to the last. Nothing:
/// nothing of it happened, or could have.
std::optional<Measurement> measure(const scenario::Slo& slo, const LoadResult& result);
/// A percentile, or a part of errors, of so few that one of them decides: a p99 of twelve is the slowest of them.
bool too_few(const scenario::Slo& slo, const Measurement& found);
bool holds(const scenario::Slo& slo, double value);
/// What such a line is about: whether it counts what never began of this operation, or is a part of its errors.
bool counts_unserved_of(const scenario::Slo& slo, std::string_view operation);
bool counts_errors_of(const scenario::Slo& slo, std::string_view operation);
std::string in_words(const scenario::Slo& slo, double value);

/// The same of what was added since the last call, for `abort_when`: errors and rates; percentiles are of all so far.
/// `before` remembers.
std::optional<double> measure_since(const scenario::Slo& slo, const stats::Operations& operations, double seconds,
                                    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>>& before);

/// Holds all lines against the result and writes down how each did.
void judge_slo(const std::vector<scenario::Slo>& lines, LoadResult& result);

}  // namespace mailproof::load
