#include "core/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "core/bytes.h"

namespace mailproof {
namespace {

struct Split {
  std::uint64_t number;
  std::string_view unit;
};

std::optional<Split> split(std::string_view text) {
  Split out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.number);
  if (error != std::errc{}) return std::nullopt;
  out.unit = text.substr(static_cast<std::size_t>(end - text.data()));
  while (!out.unit.empty() && out.unit.front() == ' ') out.unit.remove_prefix(1);
  return out;
}

std::optional<std::uint64_t> times(std::uint64_t a, std::uint64_t b, std::uint64_t max) {
  if (b != 0 && a > max / b) return std::nullopt;
  return a * b;
}

/// Letters added, left out, changed, or swapped with their neighbour (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  const auto same = [&](std::size_t i, std::size_t j) { return to_lower(a[i - 1]) == to_lower(b[j - 1]); };
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, above);
    std::swap(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same(i, j) ? 0 : 1)});
      if (i > 1 && j > 1 && same(i, j - 1) && same(i - 1, j)) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto parts = split(text);
  if (!parts) return std::nullopt;
  constexpr auto max = std::numeric_limits<std::uint64_t>::max();
  constexpr std::pair<std::string_view, std::uint64_t> units[] = {
      {"", 1},           {"B", 1},          {"kB", 1000},     {"KB", 1000}, {"MB", 1000'000}, {"GB", 1000'000'000},
      {"KiB", 1U << 10}, {"MiB", 1U << 20}, {"GiB", 1U << 30}};
  for (const auto& [unit, factor] : units)
    if (parts->unit == unit) return times(parts->number, factor, max);
  return std::nullopt;
}

std::string format_size(std::uint64_t octets) {
  constexpr std::pair<std::string_view, std::uint64_t> units[] = {
      {"GiB", 1U << 30}, {"MiB", 1U << 20}, {"KiB", 1U << 10}, {"kB", 1000}};
  for (const auto& [unit, factor] : units)
    if (octets >= factor && octets % factor == 0) return fmt::format("{}{}", octets / factor, unit);
  return fmt::format("{}", octets);
}

std::uint64_t octets_of_kib(std::uint64_t units) {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  return units > most / 1024 ? most : units * 1024;
}

std::optional<Duration> parse_duration(std::string_view text) {
  const auto parts = split(text);
  if (!parts) return std::nullopt;
  constexpr auto max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  constexpr std::pair<std::string_view, std::uint64_t> units[] = {
      {"ms", 1'000'000},         {"s", 1'000'000'000},        {"m", 60'000'000'000},       {"h", 3'600'000'000'000},
      {"d", 86'400'000'000'000}, {"day", 86'400'000'000'000}, {"days", 86'400'000'000'000}};
  for (const auto& [unit, factor] : units)
    if (parts->unit == unit)
      if (const auto ns = times(parts->number, factor, max)) return Duration(static_cast<std::int64_t>(*ns));
  return std::nullopt;
}

std::optional<double> parse_rate(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + slash, number);
  if (error != std::errc{} || end != text.data() + slash || !(number > 0)) return std::nullopt;
  const auto unit = text.substr(slash + 1);
  if (unit == "s") return number;
  if (unit == "m") return number / 60;
  return std::nullopt;
}

std::optional<std::string> nearest_word(std::string_view word, const std::vector<std::string>& known) {
  std::optional<std::string> best;
  const auto begins = [&](const std::string& one) {
    return word.size() > 2 && one.size() > word.size() && one.starts_with(word) && one[word.size()] == '-';
  };
  if (std::count_if(known.begin(), known.end(), begins) == 1) return *std::find_if(known.begin(), known.end(), begins);
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const auto& candidate : known) {
    std::size_t d = distance(word, candidate);
    // Its first words alone, which somebody began to write.
    for (auto dash = candidate.find('-'); dash != std::string::npos; dash = candidate.find('-', dash + 1))
      d = std::min(d, 2 + distance(word, std::string_view(candidate).substr(0, dash)));
    if (d < best_distance) {
      best_distance = d;
      best = candidate;
    }
  }
  return best;
}

std::string format_seconds(Duration d) { return fmt::format("{:.3f} s", std::chrono::duration<double>(d).count()); }

std::string format_duration(Duration d) {
  const auto ns = d.count();
  constexpr std::pair<std::int64_t, std::string_view> units[] = {
      {86'400'000'000'000, "d"}, {3'600'000'000'000, "h"}, {60'000'000'000, "m"}, {1'000'000'000, "s"}};
  for (const auto& [size, unit] : units)
    if (ns >= size && ns % size == 0) return fmt::format("{}{}", ns / size, unit);
  return fmt::format("{}ms", ns / 1'000'000);
}

}  // namespace mailproof
