#include "scenario/story/steps.h"

namespace mailproof::scenario {
namespace {

/// The index of what is called `name`; complains at `pos` unless the file has it but it could not be understood.
template <class Thing>
std::optional<std::size_t> index_of(const std::vector<Thing>& things, std::string_view name, Pos pos,
                                    std::string_view expected, const Context& context) {
  std::vector<std::string> known;
  for (std::size_t i = 0; i < things.size(); ++i) {
    if (things[i].name == name) return i;
    known.push_back(things[i].name);
  }
  // Where the file has none at all, that was the complaint.
  if (!things.empty() && context.unread.count(std::string(name)) == 0)
    context.complaints.at(pos, name, std::string(expected) + ": " + either(known), known);
  return std::nullopt;
}

}  // namespace

std::optional<std::size_t> Context::account(const Node& node) const {
  if (node.kind != Node::Kind::scalar) {
    complaints.value(node, "the name of an account");
    return std::nullopt;
  }
  return index_of(scenario.accounts, node.text, node.pos, "an account of this scenario", *this);
}

std::optional<std::size_t> Context::device(const Node& node) const {
  if (node.kind != Node::Kind::scalar) {
    complaints.value(node, "the name of a device");
    return std::nullopt;
  }
  return device(node.text, node.pos);
}

std::optional<std::size_t> Context::device(std::string_view name, Pos pos) const {
  return index_of(scenario.devices, name, pos, "a device of this scenario", *this);
}

std::optional<std::size_t> Context::only_account() const {
  if (scenario.accounts.size() == 1) return 0;
  return std::nullopt;
}

}  // namespace mailproof::scenario
