#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "load/report_html.h"
#include "report/escape.h"

namespace mailproof::load {
namespace {

constexpr std::size_t kMostColumns = 100;  // of a heatmap
constexpr std::uint64_t kBucketsARow = 8;  // a row of it is a quarter of a power of two

/// So many slices are one point.
std::size_t folded(std::size_t slices, std::size_t most) {
  return std::max<std::size_t>(1, (slices + most - 1) / most);
}

/// Three figures are more than anybody sees in a chart.
std::string number(double value) {
  if (value == 0) return "0";
  const double magnitude = std::pow(10, std::floor(std::log10(std::abs(value))) - 2);
  return fmt::format("{:g}", std::round(value / magnitude) * magnitude);
}

std::string list(const std::vector<double>& values) {
  std::string out = "[";
  for (const double value : values) out += (out.size() == 1 ? "" : ",") + number(value);
  return out + "]";
}

/// `value` of each slice, added up over the slices of a point, a second.
template <class Cell, class Value>
std::vector<double> rates(const stats::Timeline<Cell>& all, std::size_t fold, std::size_t points, Value&& value) {
  std::vector<double> out(points);
  for (std::size_t i = 0; i < all.cells().size() && i / fold < points; ++i)
    out[i / fold] += static_cast<double>(value(all.cells()[i]));
  for (double& one : out) one /= static_cast<double>(fold) * all.seconds();
  return out;
}

std::string latencies(const stats::Slices& all, std::size_t fold, std::size_t points) {
  std::vector<stats::CompactHistogram> at(points);
  for (std::size_t i = 0; i < all.cells().size() && i / fold < points; ++i) at[i / fold].merge(all.cells()[i].response);
  std::string p50, p99;
  for (const auto& one : at) {
    p50 += (p50.empty() ? "" : ",") + (one.empty() ? "null" : number(ms(one.percentile(50))));
    p99 += (p99.empty() ? "" : ",") + (one.empty() ? "null" : number(ms(one.percentile(99))));
  }
  return fmt::format("\"p50\":[{}],\"p99\":[{}]", p50, p99);
}

/// Of each column the lowest row that is not empty, then the counts from there upwards; a row begins at 2^(row/4) of
/// the first.
std::string heatmap(const stats::Slices& all) {
  const std::size_t fold = folded(all.cells().size(), kMostColumns);
  std::vector<std::map<std::uint64_t, std::uint64_t>> columns((all.cells().size() + fold - 1) / fold);
  std::uint64_t least = stats::CompactHistogram::kBuckets, most = 0;
  for (std::size_t i = 0; i < all.cells().size(); ++i)
    for (const auto entry : all.cells()[i].response.entries()) {
      const std::uint64_t row = entry.bucket / kBucketsARow;
      columns[i / fold][row] += entry.count;
      least = std::min(least, row);
      most = std::max(most, row);
    }
  std::string fields, rows;
  for (const auto& column : columns) {
    fields += fields.empty() ? "[" : ",[";
    for (std::uint64_t row = column.empty() ? 1 : column.begin()->first;
         !column.empty() && row <= column.rbegin()->first; ++row) {
      if (row == column.begin()->first) fields += std::to_string(row - least);
      const auto known = column.find(row);
      fields += fmt::format(",{}", known == column.end() ? 0 : known->second);
    }
    fields += ']';
  }
  for (std::uint64_t row = least; row <= most + 1 && least <= most; ++row)
    rows += fmt::format("{}{}", rows.empty() ? "" : ",",
                        number(ms(stats::CompactHistogram::lowest_of(std::max<std::uint64_t>(1, row * kBucketsARow)))));
  return fmt::format("\"heat\":{{\"seconds\":{},\"rows\":[{}],\"columns\":[{}]}}", fold * all.seconds(), rows, fields);
}

/// Over log10(1/(1-p)): 50 % stands at 0.3, 90 % at 1, 99 % at 2.
std::string curve(const stats::Histogram& response, const stats::Histogram& service) {
  const double nines = std::log10(std::max<double>(10, static_cast<double>(response.count())));
  std::vector<double> x, a, b;
  for (double at = 0; at <= nines + 1e-9; at += 0.1) {
    const double percent = 100 * (1 - std::pow(10, -at));
    x.push_back(std::round(at * 10) / 10);
    a.push_back(ms(response.percentile(percent)));
    b.push_back(ms(service.percentile(percent)));
  }
  return fmt::format("\"curve\":[{},{},{}]", list(x), list(a), list(b));
}

std::vector<std::string> busiest(const stats::Operations& all) {
  std::vector<std::pair<std::uint64_t, std::string>> order;
  all.for_each([&](std::string_view name, const stats::Operation& op) {
    const bool story = name.starts_with("story");
    order.emplace_back(story ? ~std::uint64_t{0} : op.intended, std::string(name));
  });
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  if (order.size() > kMostDrawn) order.resize(kMostDrawn);
  std::vector<std::string> out;
  for (auto& one : order) out.push_back(std::move(one.second));
  return out;
}

}  // namespace

std::string chart_data(const LoadResult& result) {
  std::uint32_t seconds = 1;
  std::size_t slices = 1;
  const stats::Operations& all = result.all.operations;
  const auto look = [&](const auto& timeline) {
    // All are of one load; one that ended earlier may have finer slices.
    if (timeline.cells().empty()) return;
    seconds = std::max(seconds, timeline.seconds());
    slices = std::max<std::size_t>(slices, timeline.cells().size());
  };
  all.for_each([&](std::string_view, const stats::Operation& op) { look(op.slices); });
  look(all.octets());
  for (const auto& [name, gauge] : all.gauges()) look(gauge.levels());
  const std::size_t widest = folded(slices, kMostPoints), points = (slices + widest - 1) / widest;
  const auto step = static_cast<std::uint32_t>(widest) * seconds;
  const auto fold_of = [&](std::uint32_t width) { return std::max<std::size_t>(1, step / width); };

  std::string operations;
  for (const std::string& name : busiest(all)) {
    const stats::Operation& op = *all.find(name);
    const std::size_t fold = fold_of(op.slices.seconds());
    const auto rate = [&](auto&& value) { return list(rates(op.slices, fold, points, value)); };
    operations +=
        fmt::format("{}{{\"name\":{},\"due\":{},\"ok\":{},\"bad\":{},{},{},{}}}", operations.empty() ? "" : ",\n",
                    report::page_json(name), rate([](const stats::Slice& s) { return s.due; }),
                    rate([](const stats::Slice& s) { return s.ok; }),
                    rate([](const stats::Slice& s) { return s.fail + s.info + s.unserved; }),
                    latencies(op.slices, fold, points), heatmap(op.slices), curve(op.response, op.service));
  }
  std::string levels;
  for (const auto& [name, gauge] : all.gauges())
    levels += fmt::format("{}{}:{}", levels.empty() ? "" : ",", report::page_json(name),
                          list(rates(gauge.levels(), fold_of(gauge.levels().seconds()), points,
                                     [](const stats::Level& l) { return static_cast<double>(l.area) / 1e9; })));
  const std::size_t fold = fold_of(all.octets().seconds());
  const stats::Window& phase = result.measured;
  const std::string measured =
      phase.empty() || phase.from == Duration{}
          ? ""
          : fmt::format("\"measured\":[{:.3f},{:.3f}],", std::chrono::duration<double>(phase.from).count(),
                        std::chrono::duration<double>(phase.to).count());
  return fmt::format(
      "{{{}\"seconds\":{},\"points\":{},\"operations\":[\n{}],\n\"levels\":{{{}}},\n\"octets\":{{\"in\":{},\"out\":{}}}"
      "}"
      "}",
      measured, step, points, operations, levels,
      list(rates(all.octets(), fold, points, [](const stats::Octets& o) { return o.in; })),
      list(rates(all.octets(), fold, points, [](const stats::Octets& o) { return o.out; })));
}

}  // namespace mailproof::load
