#pragma once
#include <optional>
#include <string>
#include <vector>

#include "load/customers.h"
#include "load/plan.h"

namespace mailproof::load {

/// Why this plan cannot be played on this target; nothing where it can.
std::optional<std::string> refusal_of_plan(const scenario::Plan& plan, const scenario::Target& target);

/// When the copies of a story begin that is played beside a plan: as long as the plan lasts.
Schedule schedule_beside(const scenario::Plan& plan, const scenario::AlsoStory& also, std::uint64_t seed);

/// By thread. Accounts without a quota come first; `taken` says which are lent already.
Result<std::vector<PlanPart>> make_plan_parts(const scenario::Plan& plan, const scenario::Target& target, unsigned jobs,
                                              std::vector<bool>& taken);

/// "all" or "10%": the part.
std::optional<double> parse_audit(const std::string& text);

}  // namespace mailproof::load
