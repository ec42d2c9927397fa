#include "scenario/yaml/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "core/units.h"

namespace mailproof::scenario {
namespace {

template <class Number>
std::optional<Number> whole(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<std::string> read_text(const Node& node, std::string_view expected, Complaints& complaints) {
  if (node.kind == Node::Kind::scalar && !node.text.empty()) return node.text;
  complaints.value(node, std::string(expected));
  return std::nullopt;
}

std::optional<std::int64_t> read_number(const Node& node, std::int64_t least, std::int64_t most,
                                        std::string_view expected, Complaints& complaints) {
  if (node.kind == Node::Kind::scalar && !node.quoted)
    if (const auto number = whole<std::int64_t>(node.text); number && *number >= least && *number <= most)
      return number;
  complaints.value(node, fmt::format("{}, {} to {}", expected, least, most));
  return std::nullopt;
}

std::optional<bool> read_flag(const Node& node, Complaints& complaints) {
  if (node.kind == Node::Kind::scalar && !node.quoted) {
    if (node.text == "yes" || node.text == "true") return true;
    if (node.text == "no" || node.text == "false") return false;
  }
  complaints.value(node, "yes or no", {"yes", "no"});
  return std::nullopt;
}

std::optional<Duration> read_duration(const Node& node, Complaints& complaints) {
  constexpr Duration most = std::chrono::hours(24 * 3660);
  if (node.kind == Node::Kind::scalar)
    if (const auto duration = parse_duration(node.text); duration && *duration > Duration{} && *duration <= most)
      return duration;
  complaints.value(node, "a duration like 250ms, 5s, 2m, 1h or 14 days");
  return std::nullopt;
}

std::optional<std::uint64_t> read_size(const Node& node, Complaints& complaints) {
  constexpr std::uint64_t most = 1U << 30;
  if (node.kind == Node::Kind::scalar)
    if (const auto size = parse_size(node.text); size && *size > 0 && *size <= most) return size;
  complaints.value(node, "a size like 512, 8KiB or 2MB, at most 1GiB");
  return std::nullopt;
}

std::optional<std::string> read_date(const Node& node, Complaints& complaints) {
  const std::string& text = node.text;
  if (node.kind == Node::Kind::scalar && text.size() == 10 && text[4] == '-' && text[7] == '-') {
    const auto year = whole<unsigned>(text.substr(0, 4));
    const auto month = whole<unsigned>(text.substr(5, 2));
    const auto day = whole<unsigned>(text.substr(8, 2));
    if (year && month && day &&
        std::chrono::year_month_day(std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                    std::chrono::day(*day))
            .ok())
      return text;
  }
  complaints.value(node, "a date like 2027-03-01");
  return std::nullopt;
}

bool is_name(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && text.size() <= 64 && letter(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

std::vector<std::string> read_texts(const Node& node, std::string_view expected, Complaints& complaints) {
  std::vector<std::string> out;
  for (const Node* entry : read_list(node, expected, complaints))
    if (auto text = read_text(*entry, expected, complaints)) out.push_back(std::move(*text));
  return out;
}

std::vector<const Node*> read_list(const Node& node, std::string_view expected, Complaints& complaints) {
  std::vector<const Node*> out;
  if (node.kind == Node::Kind::scalar) {
    out.push_back(&node);
  } else if (node.kind == Node::Kind::list) {
    for (const auto& child : node.children) out.push_back(&child);
  } else {
    complaints.value(node, fmt::format("{}, or a list of them", expected));
  }
  return out;
}

bool is_map(const Node& node, std::string_view expected, Complaints& complaints) {
  if (node.kind == Node::Kind::map) return true;
  complaints.value(node, std::string(expected));
  return false;
}

void check_keys(const Node& map, const std::vector<std::string>& known, Complaints& complaints) {
  for (const auto& child : map.children)
    if (std::find(known.begin(), known.end(), child.key) == known.end()) complaints.key(child, either(known), known);
}

std::optional<AfterDownload> read_after_download(const Node& node, Complaints& complaints) {
  AfterDownload after;
  if (const Node* days = find(node, "delete_after"); days && node.children.size() == 1) {
    const auto age = read_duration(*days, complaints);
    if (!age) return std::nullopt;
    after.policy = AfterDownload::Policy::remove_after;
    after.age = *age;
    return after;
  }
  if (node.kind == Node::Kind::scalar)
    for (const auto& entry : kAfterDownload)
      if (node.text == entry.word) {
        after.policy = entry.meaning;
        return after;
      }
  complaints.value(node, "keep, delete or {delete_after: 14 days}", words_of(kAfterDownload));
  return std::nullopt;
}

}  // namespace mailproof::scenario
