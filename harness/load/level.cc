#include "load/level.h"

#include <algorithm>
#include <cmath>

namespace mailproof::load {
namespace {

Duration of_seconds(double s) { return Duration(static_cast<std::int64_t>(std::llround(s * 1e9))); }

}  // namespace

Level::Level(const std::vector<scenario::Phase>& phases) {
  double area = 0;
  for (const auto& phase : phases) {
    const double own = in_seconds(phase.length) * (phase.from + phase.to) / 2;
    parts_.push_back({phase, length_, area, own});
    area += own;
    length_ += phase.length;
    highest_ = std::max({highest_, phase.from, phase.to});
  }
}

double Level::at(Duration time) const {
  for (const Part& part : parts_)
    if (time >= part.begin && time < part.begin + part.phase.length)
      return part.phase.from +
             (part.phase.to - part.phase.from) * in_seconds(time - part.begin) / in_seconds(part.phase.length);
  return 0;
}

double Level::area(Duration until) const {
  double out = 0;
  for (const Part& part : parts_) {
    if (until <= part.begin) break;
    const double t = in_seconds(std::min(until - part.begin, part.phase.length));
    const double slope = (part.phase.to - part.phase.from) / in_seconds(part.phase.length);
    out = part.area + part.phase.from * t + slope * t * t / 2;
  }
  return out;
}

std::optional<Duration> Level::when(double area) const {
  for (const Part& part : parts_) {
    if (area > part.area + part.own || part.own == 0) continue;
    const double wanted = std::max(0.0, area - part.area);
    const double length = in_seconds(part.phase.length);
    const double slope = (part.phase.to - part.phase.from) / length;
    // wanted = from t + slope t^2 / 2; this form of the root is exact for a slope of nothing, too.
    const double root = std::sqrt(std::max(0.0, part.phase.from * part.phase.from + 2 * slope * wanted));
    const double t = part.phase.from + root == 0 ? 0 : 2 * wanted / (part.phase.from + root);
    return part.begin + of_seconds(std::min(t, length));
  }
  return std::nullopt;
}

std::vector<Level::Stretch> Level::above(double threshold) const {
  std::vector<Stretch> out;
  const auto add = [&](Duration from, Duration to) {
    if (from >= to) return;
    if (!out.empty() && out.back().to == from)
      out.back().to = to;
    else
      out.push_back({from, to});
  };
  for (const Part& part : parts_) {
    const auto [from, to, length] = part.phase;
    const Duration end = part.begin + length;
    if (from > threshold && to > threshold) {
      add(part.begin, end);
    } else if (from > threshold || to > threshold) {
      const Duration cross = part.begin + of_seconds(in_seconds(length) * (threshold - from) / (to - from));
      from > threshold ? add(part.begin, cross) : add(cross, end);
    }
  }
  return out;
}

}  // namespace mailproof::load
