#include "scenario/plan/values.h"

#include <fmt/format.h>

#include <charconv>

#include "core/units.h"
#include "scenario/yaml/complaints.h"
#include "scenario/yaml/node.h"

namespace mailproof::scenario {

std::optional<double> read_part(const Node& node, double most, Complaints& complaints) {
  if (node.kind == Node::Kind::scalar && node.text.size() > 1 && node.text.back() == '%') {
    double percent = 0;
    const char* end = node.text.data() + node.text.size() - 1;
    const auto [at, error] = std::from_chars(node.text.data(), end, percent);
    if (error == std::errc{} && at == end && percent > 0 && percent <= most * 100) return percent / 100;
  }
  complaints.value(node, fmt::format("a part like 40%, at most {:g}%", most * 100));
  return std::nullopt;
}

std::optional<Span> read_span(const Node& node, Complaints& complaints) {
  if (node.kind == Node::Kind::scalar) {
    const std::string_view text = node.text;
    const auto dots = text.find("..");
    const auto least = parse_duration(text.substr(0, dots));
    const auto most = dots == std::string_view::npos ? least : parse_duration(text.substr(dots + 2));
    if (least && most && *least > Duration{} && *least <= *most) return Span{*least, *most};
  }
  complaints.value(node, "a time like 10s, or two of them: 10s..20s");
  return std::nullopt;
}

std::optional<double> read_rate(const Node& node, double most, Complaints& complaints) {
  if (node.kind == Node::Kind::scalar)
    if (const auto rate = parse_rate(node.text); rate && *rate > 0 && *rate <= most) return rate;
  complaints.value(node, fmt::format("a rate like 20/s or 300/m, at most {:.0f}/s", most));
  return std::nullopt;
}

bool has_top_key(std::string_view text, std::string_view key) {
  if (constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF"; text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    if (line.starts_with(key) && line.substr(key.size()).starts_with(':')) return true;
    const auto next = text.find('\n', at);
    if (next == std::string_view::npos) break;
    at = next + 1;
  }
  return false;
}

}  // namespace mailproof::scenario
