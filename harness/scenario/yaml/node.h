#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/scenario.h"

namespace mailproof::scenario {

class Complaints;

/// A value of a YAML file with its place. Own type instead of YAML::Node, which accepts duplicate keys and forgets
/// marks.
struct Node {
  enum class Kind {
    null,
    scalar,
    list,
    map,
    bad  ///< already complained about; readers pass over it in silence
  } kind = Kind::null;
  std::string text;     ///< scalar: its value
  bool quoted = false;  ///< scalar: quoted or a block, so never a number or a flag (YAML 1.2 core schema)
  Pos pos;              ///< null: where its key stands
  std::string key;      ///< in a map: the key it belongs to
  Pos key_pos;
  std::vector<Node> children;
};

/// The value of `key` in a map, or null.
const Node* find(const Node& map, std::string_view key);

/// The node as one line of YAML: "{see: mail, within: 5s}".
std::string one_line(const Node& node);
/// A map without its braces: "phone: {see: mail, within: 5s}".
std::string entries_in_one_line(const Node& map);

/// Bounds of a file that is read. They are far above what people write.
constexpr std::size_t kMaxFile = 1U << 20;
constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxNodes = 50'000;

/// Reads one document of block or flow YAML. Refused, each with its place: more than one document, duplicate keys,
/// anchors, aliases, merge keys, tags, keys that are not words, tabs as indentation, control bytes, text that is not
/// UTF-8, and the bounds above. Nothing where there is no tree at all; a tree can come with complaints.
std::optional<Node> parse_yaml(std::string_view text, Complaints& complaints);

}  // namespace mailproof::scenario
