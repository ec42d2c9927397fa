#include "scenario/plan/think.h"

#include <cmath>

#include "core/units.h"
#include "scenario/yaml/complaints.h"
#include "scenario/yaml/node.h"

namespace mailproof::scenario {

Duration Think::drawn(Rng& rng) const {
  const double part = (static_cast<double>(rng.next()) + 0.5) / 4294967296.0;
  const double width = exponential ? -std::log(part) * static_cast<double>(least.count())
                                   : static_cast<double>((most - least).count()) * part;
  return (exponential ? Duration{} : least) + Duration(static_cast<std::int64_t>(width));
}

std::optional<Think> parse_think(std::string_view text) {
  constexpr std::string_view kExponential = "exponential ";
  constexpr Duration kLongestThought = std::chrono::hours(24);
  Think out;
  out.text = text;
  out.exponential = text.starts_with(kExponential);
  if (out.exponential) text.remove_prefix(kExponential.size());
  const auto dots = out.exponential ? std::string_view::npos : text.find("..");
  const auto least = parse_duration(text.substr(0, dots));
  const auto most = dots == std::string_view::npos ? least : parse_duration(text.substr(dots + 2));
  if (!least || !most || *least > *most || *most > kLongestThought) return std::nullopt;
  out.least = *least;
  out.most = *most;
  return out;
}

std::optional<Think> read_think(const Node& node, Complaints& complaints) {
  if (node.kind == Node::Kind::scalar)
    if (auto out = parse_think(node.text)) return out;
  complaints.value(node, std::string(kThinkShape));
  return std::nullopt;
}

}  // namespace mailproof::scenario
