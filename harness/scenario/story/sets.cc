#include "scenario/story/sets.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "scenario/yaml/fields.h"

namespace mailproof::scenario {
namespace {

constexpr std::string_view kShapes =
    "a set of messages or a part of it, like mail, mail.1, mail.1-2, mail.2-last or mail.last";

/// A message's number in its set, from 1.
std::optional<int> ordinal(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 1) return std::nullopt;
  return number;
}

/// What follows the dot.
bool read_part(std::string_view part, MessageRef& ref) {
  if (part == "last") {
    ref.newest = true;
    return true;
  }
  const auto dash = part.find('-');
  const auto first = ordinal(part.substr(0, dash));
  if (!first) return false;
  ref.first = ref.last = *first;
  if (dash == std::string_view::npos) return true;
  if (part.substr(dash + 1) == "last") {
    ref.last = -1;
    return true;
  }
  const auto last = ordinal(part.substr(dash + 1));
  if (!last || *last < *first) return false;
  ref.last = *last;
  return true;
}

}  // namespace

std::optional<std::string> Sets::make(const Node& name, int most, Complaints& complaints) {
  const bool reserved = name.text == "new" || name.text == "all" || name.text == "nothing" || name.text == "now";
  if (name.kind != Node::Kind::scalar || !is_name(name.text) || reserved) {
    complaints.value(name, "a name for these messages: letters, digits, - and _, not new, all, now or nothing");
    return std::nullopt;
  }
  const auto [made, fresh] = made_.emplace(name.text, Made{most, name.pos, !together_});
  if (!fresh) {
    const Pos first = made->second.pos;
    complaints.value(name, fmt::format("a new name; this one was given at {}:{} (retry sends the same messages again)",
                                       first.line, first.column));
    return std::nullopt;
  }
  return name.text;
}

std::optional<MessageRef> Sets::use(const Node& node, Complaints& complaints) const {
  if (node.kind != Node::Kind::scalar) {
    complaints.value(node, std::string(kShapes));
    return std::nullopt;
  }
  MessageRef ref;
  const auto dot = node.text.find('.');
  ref.set = node.text.substr(0, dot);
  const bool whole = dot == std::string::npos;
  if (!is_name(ref.set) || (!whole && !read_part(std::string_view(node.text).substr(dot + 1), ref))) {
    complaints.value(node, std::string(kShapes));
    return std::nullopt;
  }
  const auto made = made_.find(ref.set);
  if (made == made_.end()) {
    // The hint keeps the part, so that it can be copied as it stands.
    auto known = names();
    for (auto& name : known) name += whole ? "" : node.text.substr(dot);
    complaints.value(node, "messages that an earlier step made", known);
    return std::nullopt;
  }
  if (!made->second.usable) {
    complaints.value(node,
                     "messages made before these steps start together; see them in a step of its own after this one");
    return std::nullopt;
  }
  if (const int most = made->second.most; most > 0 && std::max(ref.first, ref.last) > most) {
    complaints.value(node, fmt::format("at most {}.{}, the set has no more", ref.set, most));
    return std::nullopt;
  }
  return ref;
}

void Sets::open_together() { together_ = true; }

void Sets::close_together() {
  together_ = false;
  for (auto& [name, made] : made_) made.usable = true;
}

std::vector<std::string> Sets::names() const {
  std::vector<std::string> out;
  for (const auto& [name, made] : made_) out.push_back(name);
  return out;
}

}  // namespace mailproof::scenario
