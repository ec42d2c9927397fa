#include "explore/write.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace mailproof::explore {
namespace {

using scenario::Node;

/// YAML 1.2 section 7.3.3, and what the core schema would read as something else than text.
bool may_be_plain(std::string_view text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ') return false;
  if (std::string_view("!&*-?|>@`%'\"#{}[],:").find(text.front()) != std::string_view::npos) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) < 0x20 || std::string_view("{}[],").find(c) != std::string_view::npos)
      return false;
    if (c == ':' && (i + 1 == text.size() || text[i + 1] == ' ')) return false;
    if (c == '#' && text[i - 1] == ' ') return false;
  }
  return true;
}

std::string quoted(std::string_view text) {
  std::string out(1, '"');
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + '"';
}

std::string flow(const Node& node);

std::string entries(const Node& map) {
  std::string out;
  for (const Node& child : map.children)
    out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", may_be_plain(child.key) ? child.key : quoted(child.key),
                       flow(child));
  return out;
}

std::string flow(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
    case Node::Kind::bad:
      return "~";
    case Node::Kind::scalar:
      return node.quoted || !may_be_plain(node.text) ? quoted(node.text) : node.text;
    case Node::Kind::map:
      return fmt::format("{{{}}}", entries(node));
    case Node::Kind::list:
      break;
  }
  std::string out;
  for (const Node& child : node.children) out += fmt::format("{}{}", out.empty() ? "" : ", ", flow(child));
  return fmt::format("[{}]", out);
}

/// The one entry of a step, `device: action`.
const Node* entry_of(const Node& step) {
  return step.kind == Node::Kind::map && step.children.size() == 1 ? &step.children.front() : nullptr;
}

class Writer {
 public:
  explicit Writer(const Comments& comments) : comments_(comments) {}

  Written run(const Node& story) {
    for (const Node& part : story.children) {
      if (part.key == "accounts" && !out_.text.empty()) line("");
      if (part.key == "checks" && part.kind == Node::Kind::list) {
        checks(part);
      } else if (part.key == "devices" && part.kind == Node::Kind::map) {
        devices(part);
      } else if (part.key == "steps" && part.kind == Node::Kind::list) {
        line("");
        line("steps:");
        steps(part, "  ", std::nullopt);
      } else {
        line(fmt::format("{}: {}", part.key, flow(part)));
      }
    }
    return std::move(out_);
  }

 private:
  void line(const std::string& text) {
    out_.text += text + "\n";
    ++lines_;
  }

  /// Key by key; a talk is a block, a line an instruction.
  void checks(const Node& list) {
    line("checks:");
    for (const Node& check : list.children) {
      std::string_view indent = "  - ";
      for (const Node& part : check.children) {
        if (part.key == "talk" && part.kind == Node::Kind::scalar) {
          line(fmt::format("{}talk: |", indent));
          for (std::string_view rest = part.text; !rest.empty();) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            line(fmt::format("      {}", rest.substr(0, end)));
            rest.remove_prefix(std::min(end + 1, rest.size()));
          }
        } else {
          line(fmt::format("{}{}: {}", indent, part.key, flow(part)));
        }
        indent = "    ";
      }
    }
  }

  void devices(const Node& part) {
    line("devices:");
    std::size_t width = 0;
    for (const Node& device : part.children) width = std::max(width, device.key.size());
    for (const Node& device : part.children)
      line(fmt::format("  {:<{}} {}", device.key + ":", width + 1, flow(device)));
  }

  void steps(const Node& list, const std::string& indent, std::optional<std::size_t> within) {
    std::size_t width = 0;
    for (const Node& step : list.children)
      if (const Node* entry = entry_of(step); entry != nullptr && entry->key != "together")
        width = std::max(width, entry->key.size());
    for (std::size_t i = 0; i < list.children.size(); ++i) {
      out_.steps.push_back({lines_ + 1, within.value_or(i), within ? i + 1 : 0});
      const Node* entry = entry_of(list.children[i]);
      if (entry == nullptr) {
        line(fmt::format("{}- {}", indent, flow(list.children[i])));
      } else if (entry->key == "together" && entry->kind == Node::Kind::list && !within) {
        line(fmt::format("{}- together:", indent));
        steps(*entry, indent + "    ", i);
      } else {
        std::string text = fmt::format("{}- {:<{}} {}", indent, entry->key + ":", width + 1, flow(*entry));
        if (const auto comment = comments_.find(entries_in_one_line(list.children[i])); comment != comments_.end())
          text += "  " + comment->second;
        line(text);
      }
    }
  }

  const Comments& comments_;
  Written out_;
  int lines_ = 0;
};

void collect(const std::vector<std::string_view>& lines, const Node& steps, Comments& out) {
  for (const Node& step : steps.children) {
    const Node* entry = entry_of(step);
    if (entry == nullptr) continue;
    if (entry->key == "together") {
      collect(lines, *entry, out);
      continue;
    }
    const auto number = static_cast<std::size_t>(entry->key_pos.line);
    if (number == 0 || number > lines.size()) continue;
    const std::string_view line = lines[number - 1];
    // Behind all of it: a '#' within quotes has a bracket or a quote behind it.
    const auto at = line.rfind(" #");
    if (at == std::string_view::npos || line.find_first_of("}\"'", at) != std::string_view::npos) continue;
    out.emplace(entries_in_one_line(step), line.substr(at + 1));
  }
}

}  // namespace

Comments comments_of(std::string_view text, const scenario::Node& document) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  Comments out;
  if (const Node* steps = find(document, "steps")) collect(lines, *steps, out);
  return out;
}

Written write(const scenario::Node& story, const Comments& comments) { return Writer(comments).run(story); }

}  // namespace mailproof::explore
