#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "scenario/yaml/node.h"

/// A story as the tree that its file is, for whoever changes it.
namespace mailproof::explore::story_tree {

using scenario::Node;

Node* find_in(Node& map, std::string_view key);  ///< null: it has none
void erase_key(Node& map, std::string_view key);
/// Nothing where it is no whole number.
std::optional<std::int64_t> number_of(const Node& node);
/// Half of a size, in steps of 512 octets, as a file has it. Nothing: it is no size, or one too small to halve.
std::optional<std::string> half_size(const Node& node);
/// Whatever it was becomes this scalar; its key stays.
void set_text(Node& node, std::string text);
/// Whether any scalar below it is this word.
bool mentions(const Node& node, std::string_view word);

template <class F>
void for_each_scalar(Node& node, const F& f) {
  if (node.kind == Node::Kind::scalar) f(node);
  for (Node& child : node.children) for_each_scalar(child, f);
}

/// "mail.2-4": a set, and which of its messages.
struct Ref {
  std::string set;
  std::int64_t first = 0, last = 0;
};
/// Nothing where the text is no such thing, or the set as a whole.
std::optional<Ref> ref_of(std::string_view text);
std::string text_of(const Ref& ref);

bool is_step(const Node& step);
bool is_together(const Node& step);
/// Of a step its one entry: the key is the device, the value what it does.
Node& entry_of(Node& step);
const Node& entry_of(const Node& step);
/// Whether a step, or one of several at the same time, is this device's.
bool acts(const Node& step, std::string_view device);

/// Devices, accounts and customers that no step has to do with go. Accounts without anything of their own are a list.
void drop_unused(Node& story);

/// Makes a story of what is left of one: steps that do not fit any more go (a message nobody sent), and what was used
/// by them alone. False: nothing is left. `path`: where the story stands, for the files that it names.
bool fit(Node& story, const std::string& path);

}  // namespace mailproof::explore::story_tree
