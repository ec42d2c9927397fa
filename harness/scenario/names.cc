#include <fmt/format.h>

#include <algorithm>

#include "scenario/story/verbs.h"
#include "scenario/story/words.h"

namespace mailproof::scenario {

std::string_view name(Need need) { return word_for(kNeeds, need); }
std::string_view name(Way way) { return word_for(kWays, way); }
std::string_view name(Outcome outcome) { return word_for(kOutcomes, outcome); }
bool Check::real_tls() const {
  if (!first.tls_max.empty() || std::find(unless.begin(), unless.end(), kUnverified) != unless.end()) return true;
  for (const TalkLine& line : talk)
    if (!line.connect.tls_max.empty() || (line.op == TalkLine::Op::closed && !line.text.empty())) return true;
  return false;
}

std::string_view name(Level level) { return word_for(kLevels, level); }
std::string_view name(Harm harm) { return harm == Harm::none ? "none" : word_for(kHarms, harm); }
std::string_view name(Verb verb) { return rule_of(verb).word; }

std::string MessageRef::text() const {
  if (newest) return set + ".last";
  if (first == 0) return set;
  if (last == first) return fmt::format("{}.{}", set, first);
  return last < 0 ? fmt::format("{}.{}-last", set, first) : fmt::format("{}.{}-{}", set, first, last);
}

std::string level_of(const Scenario& scenario) {
  return scenario.check ? std::string(name(scenario.check->level)) : std::string();
}

}  // namespace mailproof::scenario
