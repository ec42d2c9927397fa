#include "explore/campaign.h"

#include <fmt/format.h>

#include <algorithm>

#include "explore/coverage.h"
#include "report/groups.h"

namespace mailproof::explore {
namespace {

using judge::Verdict;

bool counts(const judge::Finding& finding, bool strict) {
  using judge::Severity;
  if (!finding.accepted.empty()) return false;
  return finding.severity == Severity::fail || finding.severity == Severity::error ||
         (strict && finding.severity == Severity::latitude);
}

std::string many(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

void Campaign::look(const history::History& history) {
  const auto states = states_in(history);
  std::uint64_t operations = 0;
  for (const history::Event& e : history.events()) operations += e.type == history::Type::invoke ? 1 : 0;
  const std::lock_guard lock(mutex_);
  operations_ += operations;
  for (const std::string_view state : states) ++reached_[state];
}

bool Campaign::ended(std::uint64_t seed, const report::ScenarioResult& result) {
  const std::lock_guard lock(mutex_);
  ++worlds_;
  ++ended_[result.verdict];
  if (result.verdict == Verdict::inconclusive || result.verdict == Verdict::not_applicable) {
    Unclear& unclear = unclear_[result.note];
    unclear.seed = unclear.worlds++ == 0 ? seed : std::min(unclear.seed, seed);
  }
  for (const judge::Finding& finding : result.findings)
    if (finding.severity == judge::Severity::latitude && finding.accepted.empty())
      ++latitudes_[std::string(report::class_of(finding.id, result.id))];
    else if (finding.severity == judge::Severity::fail && !finding.accepted.empty())
      ++known_[std::string(report::class_of(finding.id, result.id))];
  if (result.verdict != Verdict::fail && result.verdict != Verdict::error) return false;
  // Of two bugs one may never come alone: each class counts, also where another heads the world.
  bool any_fresh = false;
  std::set<std::string> classes;
  for (const judge::Finding& finding : result.findings) {
    std::string name(report::class_of(finding.id, result.id));
    if (!counts(finding, strict_) || !classes.insert(name).second) continue;
    const auto [at, fresh] = found_.try_emplace(std::move(name), Found{seed, finding, 0});
    ++at->second.worlds;
    if (seed < at->second.seed) at->second = {seed, finding, at->second.worlds};
    any_fresh = any_fresh || fresh;
  }
  return any_fresh;
}

bool Campaign::found_any() const {
  const std::lock_guard lock(mutex_);
  return !found_.empty();
}

std::vector<Verdict> Campaign::verdicts() const {
  const std::lock_guard lock(mutex_);
  std::vector<Verdict> out;
  for (const auto& [verdict, worlds] : ended_) out.push_back(verdict);
  return out;
}

std::vector<Campaign::Found> Campaign::found() const {
  const std::lock_guard lock(mutex_);
  std::vector<Found> out;
  for (const auto& [name, one] : found_) out.push_back(one);
  std::sort(out.begin(), out.end(), [](const Found& a, const Found& b) { return a.seed < b.seed; });
  return out;
}

std::string Campaign::summary(double seconds) const {
  const std::lock_guard lock(mutex_);
  std::string out = fmt::format("{}, {}, {:.1f} s", many(worlds_, "world"), many(operations_, "operation"), seconds);
  if (seconds > 0.5) out += fmt::format(", {:.0f} worlds a minute", static_cast<double>(worlds_) / seconds * 60);
  out +=
      found_.empty() ? ": nothing found\n" : fmt::format(": {} found\n", many(found_.size(), "kind") + " of findings");
  for (const auto& [name, one] : found_)
    out += fmt::format("  {} {}: {}, the first of seed {}\n", judge::name(one.finding.severity), name,
                       many(one.worlds, "world"), one.seed);
  for (const auto& [name, times] : known_)
    out += fmt::format("  known, and not counted: {}: {}\n", name, many(times, "time"));
  for (const auto& [name, times] : latitudes_) out += fmt::format("  latitude {}: {}\n", name, many(times, "time"));
  for (const auto& [why, unclear] : unclear_)
    out +=
        fmt::format("  not judged: {}, the first of seed {}: {}\n", many(unclear.worlds, "world"), unclear.seed, why);

  std::string never;
  out += fmt::format("{} of {} states reached, in so many worlds:\n", reached_.size(), states().size());
  for (const State& state : states()) {
    const auto at = reached_.find(state.name);
    if (at == reached_.end())
      never += fmt::format("         {:<36} {}\n", state.name, state.says);
    else
      out += fmt::format("  {:>6} {:<36} {}\n", at->second, state.name, state.says);
  }
  if (!never.empty()) out += "never reached:\n" + never;
  return out;
}

}  // namespace mailproof::explore
