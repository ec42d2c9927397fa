#include "run/wire_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/units.h"

namespace mailproof::run {
namespace {

constexpr std::size_t kMost = 10;  ///< violations told in one check

void tell(history::History& history, history::Type type, const judge::WireRule& rule, std::uint32_t connections,
          std::string text, std::string expected) {
  history::Event e;
  if (!history.events().empty()) e.at = history.events().back().at;
  e.type = type;
  e.what = history::What::rule;
  e.code = rule.name;
  e.text = std::move(text);
  e.facts = history::RuleFacts{std::move(expected), connections};
  history.append(std::move(e));
}

}  // namespace

void RunRules::add(const Looked& from, Looked& to) {
  to.connections += from.connections;
  to.more += from.more;
  std::size_t kept = 0;
  for (const auto& [slot, found] : from.found) to.found[slot] = found;
  for (const auto& entry : to.found) kept += entry.second.size();
  for (; kept > kMost; --kept, ++to.more) {
    const auto last = std::prev(to.found.end());
    last->second.pop_back();
    if (last->second.empty()) to.found.erase(last);
  }
}

std::vector<Protocol> RunRules::protocols() const {
  std::vector<Protocol> out;
  for (const auto* rule : all_) out.push_back(rule->protocol);
  return out;
}

RunRules::RunRules(const std::vector<scenario::Scenario>& scenarios) {
  for (const auto& scenario : scenarios) {
    const auto* rule = scenario.check ? judge::find_wire_rule(scenario.check->rule) : nullptr;
    if (rule != nullptr && std::find(all_.begin(), all_.end(), rule) == all_.end()) all_.push_back(rule);
  }
}

bool RunRules::goes_last(const scenario::Scenario& scenario) {
  const auto* rule = scenario.check ? judge::find_wire_rule(scenario.check->rule) : nullptr;
  return rule != nullptr && rule->whole_run;
}

std::string RunRules::unknown(const std::vector<scenario::Scenario>& scenarios) {
  std::vector<std::string> known;
  for (const auto& rule : judge::wire_rules()) known.emplace_back(rule.name);
  for (const auto& scenario : scenarios) {
    if (!scenario.check || scenario.check->rule.empty()) continue;
    if (judge::find_wire_rule(scenario.check->rule) != nullptr) continue;
    const auto nearest = nearest_word(scenario.check->rule, known);
    return fmt::format("{}: no wire rule '{}'{}", scenario.id, scenario.check->rule,
                       nearest ? fmt::format(", did you mean '{}'?", *nearest) : "");
  }
  return {};
}

void RunRules::look(const scenario::Scenario& scenario, std::size_t slot, play::Player& player) {
  const auto* own = scenario.check ? judge::find_wire_rule(scenario.check->rule) : nullptr;
  Looked mine;
  for (const auto* rule : all_) {
    if (!rule->whole_run && rule != own) continue;
    Looked here;
    for (const auto& log : player.logs()) {
      if (!log->bytes() || log->bytes()->protocol != rule->protocol || log->bytes()->pieces.empty()) continue;
      ++here.connections;
      std::vector<judge::Violation> violations;
      rule->look(*log->bytes(), violations);
      for (auto& violation : violations)
        here.found[slot].push_back({fmt::format("{}, {}", scenario.id, log->bytes()->label), std::move(violation)});
    }
    const std::lock_guard lock(mutex_);
    if (rule == own) {
      if (rule->whole_run) mine = looked_[rule];
      add(here, mine);
    } else if (!goes_last(scenario)) {
      // Checks of rules do not look at each other: they are played at the same time.
      add(here, looked_[rule]);
    }
  }
  if (own == nullptr || player.history().events().empty()) return;
  for (const auto& entry : mine.found)
    for (const Found& found : entry.second)
      tell(player.history(), history::Type::fail, *own, mine.connections,
           fmt::format("{}\n  {}: {}", found.violation.actual, found.who, found.violation.excerpt),
           found.violation.expected);
  if (mine.more != 0)
    tell(player.history(), history::Type::fail, *own, mine.connections, fmt::format("{} more", mine.more), "");
  if (mine.found.empty()) tell(player.history(), history::Type::ok, *own, mine.connections, "", "");
}

}  // namespace mailproof::run
