// --fail-if of compare: what difference between two runs is too much.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>

#include "core/units.h"
#include "load/compare.h"
#include "scenario/plan/slo.h"

namespace mailproof::load {
namespace {

bool matches(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() == '*')
    return matches(pattern.substr(1), text) || (!text.empty() && matches(pattern, text.substr(1)));
  return !text.empty() && pattern.front() == text.front() && matches(pattern.substr(1), text.substr(1));
}

}  // namespace

Result<FailIf> parse_fail_if(std::string_view text) {
  FailIf out;
  out.text = text;
  const Error wrong("--fail-if " + out.text,
                    "expected operations, a metric and a change, such as 'imap.* p99 +10%' or 'lmtp.deliver throughput "
                    "-5%'");
  const auto first = text.find(' '), last = text.rfind(' ');
  if (first == std::string_view::npos || first == last) return wrong;
  out.operations = text.substr(0, first);
  std::string_view metric = text.substr(first + 1, last - first - 1), change = text.substr(last + 1);
  while (metric.starts_with(' ')) metric.remove_prefix(1);
  while (metric.ends_with(' ')) metric.remove_suffix(1);
  std::vector<std::string> known;
  bool found = false;
  for (const Metric one : kMetrics) {
    known.emplace_back(name(one));
    if (metric == name(one)) {
      out.metric = one;
      found = true;
    }
  }
  if (!found) {
    const auto near = nearest_word(std::string(metric), known);
    return Error("--fail-if " + out.text, fmt::format("there is no metric '{}'; {}", metric,
                                                      near ? fmt::format("did you mean '{}'?", *near)
                                                           : fmt::format("there is: {}", fmt::join(known, ", "))));
  }
  if (change.empty() || (change.front() != '+' && change.front() != '-') || !change.ends_with('%')) return wrong;
  change.remove_suffix(1);
  const double sign = change.front() == '-' ? -1 : 1;
  change.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(change.data(), change.data() + change.size(), value);
  if (error != std::errc{} || end != change.data() + change.size() || !std::isfinite(value) || value < 0) return wrong;
  out.change = sign * value;
  if (out.metric != Metric::errors && value < kLeast)
    return Error(
        "--fail-if " + out.text,
        fmt::format("two runs of one server are never closer than {:g} %: less than that is never shown", kLeast));
  return out;
}

Result<Failed> apply(const FailIf& rule, const Comparison& comparison) {
  Failed out;
  bool met = false, unsaid = false;
  std::string unsaid_why;
  std::vector<std::string> known;
  for (const Compared& one : comparison.operations) {
    known.push_back(one.operation);
    if (!matches(rule.operations, one.operation)) continue;
    // Handshakes full and resumed are parts of connecting, and few: a rule is about them where it names them.
    if (scenario::is_handshake(one.operation) && !scenario::is_handshake(rule.operations)) continue;
    // Sessions that were broken off have no times, and are nothing that is done.
    met = true;
    if (one.operation.ends_with(".connection") && rule.operations != one.operation && rule.metric != Metric::errors)
      continue;
    if (one.differences.empty()) {
      unsaid = true;
      unsaid_why = fmt::format("{} is in one of the runs only", one.operation);
      continue;
    }
    const Difference& d = one.differences[static_cast<std::size_t>(rule.metric)];
    if (d.said == Said::too_short || d.said == Said::too_noisy || d.said == Said::vain) {
      unsaid = true;
      unsaid_why =
          fmt::format("of the {} of {} nothing can be said: {}", name(rule.metric), one.operation, name(d.said));
      continue;
    }
    // Of errors, which are counted, the interval shows less than is worth a word in the table.
    const bool counted = rule.metric == Metric::errors;
    const bool more = d.said == Said::more || (counted && d.low > 0),
               less = d.said == Said::less || (counted && d.high < 0);
    const bool shown = rule.change >= 0 ? more && d.change >= rule.change : less && d.change <= rule.change;
    if (shown) {
      out.verdict = judge::Verdict::fail;
      out.why += fmt::format("{}{} {} {:+.1f} {}", out.why.empty() ? "" : "; ", one.operation, name(rule.metric),
                             d.change, rule.metric == Metric::errors ? "points" : "%");
    }
  }
  if (!met) {
    const auto near = nearest_word(rule.operations, known);
    return Error("--fail-if " + rule.text, fmt::format("no operation of these runs is called so{}",
                                                       near ? fmt::format("; did you mean '{}'?", *near)
                                                            : fmt::format("; there is: {}", fmt::join(known, ", "))));
  }
  if (out.verdict == judge::Verdict::pass && unsaid) {
    out.verdict = judge::Verdict::inconclusive;
    out.why = unsaid_why;
  }
  if (out.verdict == judge::Verdict::pass && !comparison.unsound.empty()) {
    out.verdict = judge::Verdict::inconclusive;
    out.why = comparison.unsound + ": that no such difference is shown says nothing";
  }
  out.why = fmt::format("{}: {}", rule.text, out.why.empty() ? "no such difference is shown" : out.why);
  return out;
}

}  // namespace mailproof::load
