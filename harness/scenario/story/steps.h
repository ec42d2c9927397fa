#pragma once
#include <optional>
#include <set>
#include <string>

#include "scenario/scenario.h"
#include "scenario/story/sets.h"
#include "scenario/story/verbs.h"
#include "scenario/yaml/complaints.h"
#include "scenario/yaml/node.h"

namespace mailproof::scenario {

/// What the steps of one scenario may refer to, and the complaints about them.
struct Context {
  const Scenario& scenario;
  Complaints& complaints;
  std::set<std::string> unread;  ///< devices that stand in the file but could not be understood: no second complaint
  Sets sets;

  std::optional<std::size_t> account(const Node& node) const;
  std::optional<std::size_t> device(const Node& node) const;
  std::optional<std::size_t> device(std::string_view name, Pos pos) const;
  /// The account, where a scenario has only one and so need not name it.
  std::optional<std::size_t> only_account() const;
};

/// Reads `steps:` into `out`, in order.
void read_steps(const Node& list, Context& context, std::vector<Step>& out);

/// Reads what stands behind the verb, {verb: OBJECT}. False after a complaint.
bool read_object(const VerbRule& rule, const Node& object, const Node& action, Context& context, Step& step);
/// Reads one option that the step's verb allows.
void read_option(const Node& option, Context& context, Step& step);
/// `places`: where a connection of this verb can be cut.
Cut read_cut(const Node& node, const std::vector<std::string>& places, Complaints& complaints);
/// Rules between the options of one step, and defaults. `action` is null for a bare word; `node` is where the step
/// stands.
void settle_step(const VerbRule& rule, const Node* action, const Node& node, Context& context, Step& step);

}  // namespace mailproof::scenario
