#include "scenario/yaml/node.h"

#include <fmt/format.h>

namespace mailproof::scenario {
namespace {

std::string scalar_in_one_line(const Node& node) {
  if (!node.quoted) return node.text;
  std::string out(1, '"');
  for (char c : node.text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
  return out;
}

}  // namespace

const Node* find(const Node& map, std::string_view key) {
  if (map.kind != Node::Kind::map) return nullptr;
  for (const auto& child : map.children)
    if (child.key == key) return &child;
  return nullptr;
}

std::string one_line(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
    case Node::Kind::bad:
      return "";
    case Node::Kind::scalar:
      return scalar_in_one_line(node);
    case Node::Kind::map:
      return fmt::format("{{{}}}", entries_in_one_line(node));
    case Node::Kind::list:
      break;
  }
  std::string out(1, '[');
  for (const auto& child : node.children) {
    if (out.size() > 1) out += ", ";
    out += one_line(child);
  }
  out += ']';
  return out;
}

std::string entries_in_one_line(const Node& map) {
  std::string out;
  for (const auto& child : map.children) {
    if (!out.empty()) out += ", ";
    out += fmt::format("{}: {}", child.key, one_line(child));
  }
  return out;
}

}  // namespace mailproof::scenario
