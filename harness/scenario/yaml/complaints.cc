#include "scenario/yaml/complaints.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/units.h"

namespace mailproof::scenario {
namespace {

/// At most 60 characters of the file's own text, on one line. Cut between characters, never inside one.
std::string shown(std::string_view text) {
  constexpr std::size_t limit = 60;
  std::string out;
  std::size_t characters = 0;
  for (char c : text) {
    const bool continuation = (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
    if (!continuation && ++characters > limit) return out + "...";
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  }
  return out;
}

}  // namespace

std::string Problem::message() const {
  std::string out = file;
  if (pos.line > 0) out += fmt::format(":{}:{}", pos.line, pos.column);
  out += fmt::format(": '{}'; expected {}", text, expected);
  if (!hint.empty()) out += fmt::format("; did you mean '{}'?", hint);
  return out;
}

void Complaints::at(Pos pos, std::string_view text, std::string expected, const std::vector<std::string>& known) {
  add(pos, text, std::move(expected), nearest_word(shown(text), known));
}

void Complaints::value(const Node& node, std::string expected, const std::vector<std::string>& known) {
  if (node.kind == Node::Kind::bad) return;
  if (node.kind == Node::Kind::null) return at(node.pos, node.key + ":", std::move(expected));
  add(node.pos, one_line(node), std::move(expected), nearest_word(shown(node.text), known));
}

void Complaints::add(Pos pos, std::string_view text, std::string expected, std::optional<std::string> hint) {
  if (problems_.size() < kMaxProblems)
    problems_.push_back({file_, pos, shown(text), std::move(expected), hint.value_or("")});
}

void Complaints::elsewhere(std::string file, Pos pos, std::string text, std::string expected) {
  if (problems_.size() < kMaxProblems)
    problems_.push_back({std::move(file), pos, shown(text), std::move(expected), ""});
}

void Complaints::note(Pos pos, std::string_view text, std::string expected, const std::vector<std::string>& known) {
  if (notes_.size() < kMaxProblems)
    notes_.push_back({file_, pos, shown(text), std::move(expected), nearest_word(shown(text), known).value_or("")});
}

void Complaints::key(const Node& node, std::string expected, const std::vector<std::string>& known) {
  at(node.key_pos, node.key, std::move(expected), known);
}

std::vector<Problem> Complaints::take() {
  std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.pos.line, a.pos.column) < std::pair(b.pos.line, b.pos.column);
  });
  return std::exchange(problems_, {});
}

std::string either(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " or " : ", ";
    out += words[i];
  }
  return out;
}

}  // namespace mailproof::scenario
