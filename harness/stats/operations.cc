#include "stats/operations.h"

#include <algorithm>

namespace mailproof::stats {
namespace {
// A server chooses the words of its errors; it may not choose how much memory they take.
constexpr std::size_t kMostErrorClasses = 256;
constexpr std::string_view kOtherErrors = "other";

bool within(const Window& window, Duration at) { return at >= window.from && at < window.to; }
}  // namespace

Slice& Operation::slice(std::optional<Time> when) {
  last_ = when.value_or(std::max(last_, zero));
  return slices.at(last_ - zero);
}

void Operation::due(std::optional<Time> when) {
  ++intended;
  ++slice(when).due;
  if (when && within(window, *when - zero)) ++measured.due;
}

void Operation::begin(Time intended_start, Time start) {
  ++started;
  ++slice(start).started;
  lateness.add(start - intended_start);
}

void Operation::succeed(Time intended_start, Time start, Time end) {
  ++ok;
  Slice& now = slice(end);
  ++now.ok;
  now.response.add(end - intended_start);
  felt(intended_start, end - intended_start);
  if (within(window, intended_start - zero)) ++measured.ok;
  if (within(window, end - zero)) ++measured.done;
  service.add(end - start);
}

void Operation::fail_as(std::string_view error_class, std::optional<Time> end) {
  ++fail;
  ++slice(end).fail;
  count_error(error_class);
}

void Operation::unknown_as(std::string_view error_class, std::optional<Time> end) {
  ++info;
  ++slice(end).info;
  count_error(error_class);
}

void Operation::time_out_as(std::string_view error_class, Time intended_start, Time start, Time end) {
  unknown_as(error_class, end);
  ++timed_out;
  slice(end).response.add(end - intended_start);
  felt(intended_start, end - intended_start);
  service.add(end - start);
}

void Operation::never(Duration waited, std::uint64_t times, std::optional<Time> when) {
  if (times == 0) return;
  Slice& now = slice(when);
  now.unserved += times;
  now.response.add(waited, times);
  felt(last_ - waited, waited, times);
}

/// What a user felt of something that was due then.
void Operation::felt(Time intended_start, Duration waited, std::uint64_t times) {
  response.add(waited, times);
  if (within(window, intended_start - zero)) measured.response.add(waited, times);
}

void Operation::count_error(std::string_view error_class) {
  auto known = errors.find(error_class);
  if (known == errors.end()) {
    const bool full = errors.size() >= kMostErrorClasses;
    known = errors.try_emplace(std::string(full ? kOtherErrors : error_class)).first;
  }
  ++known->second;
}

void Operation::merge(const Operation& other, bool with_slices) {
  intended += other.intended;
  started += other.started;
  ok += other.ok;
  fail += other.fail;
  info += other.info;
  timed_out += other.timed_out;
  response.merge(other.response);
  service.merge(other.service);
  lateness.merge(other.lateness);
  measured.due += other.measured.due;
  measured.ok += other.measured.ok;
  measured.done += other.measured.done;
  measured.response.merge(other.measured.response);
  for (const auto& [error_class, times] : other.errors) errors[error_class] += times;
  if (with_slices) slices.merge(other.slices);
}

Operations::Id Operations::id(std::string_view name) {
  const auto known = names_.find(name);
  if (known != names_.end()) return known->second;
  const Id made = all_.size();
  all_.emplace_back().zero = zero_;
  all_.back().window = window_;
  names_.emplace(name, made);
  return made;
}

const Operation* Operations::find(std::string_view name) const {
  const auto known = names_.find(name);
  return known == names_.end() ? nullptr : &all_[known->second];
}

void Operations::merge(const Operations& other, bool with_slices) {
  other.for_each(
      [&](std::string_view name, const Operation& operation) { at(id(name)).merge(operation, with_slices); });
  for (const auto& [name, one] : other.gauges_) gauge(name).merge(one);
  octets_.merge(other.octets_);
}

void Operations::start(Time zero) {
  zero_ = zero;
  for (Operation& one : all_) one.zero = zero;
  for (auto& [name, one] : gauges_) one.start(zero);
}

void Operations::measure(const Window& window) {
  window_ = window;
  for (Operation& one : all_) one.window = window;
}

Gauge& Operations::gauge(std::string_view name) {
  const auto known = gauges_.find(name);
  if (known != gauges_.end()) return known->second;
  Gauge& made = gauges_.try_emplace(std::string(name)).first->second;
  made.start(zero_);
  return made;
}

void Operations::settle(Time now) {
  for (auto& [name, one] : gauges_) one.settle(now);
}

}  // namespace mailproof::stats
