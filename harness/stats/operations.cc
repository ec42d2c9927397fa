#include "stats/operations.h"

namespace mailproof::stats {
namespace {
// A server chooses the words of its errors; it may not choose how much memory they take.
constexpr std::size_t kMostErrorClasses = 256;
constexpr std::string_view kOtherErrors = "other";
}  // namespace

void Operation::begin(Time intended_start, Time start) {
  ++started;
  lateness.add(start - intended_start);
}

void Operation::succeed(Time intended_start, Time start, Time end) {
  ++ok;
  response.add(end - intended_start);
  service.add(end - start);
}

void Operation::fail_as(std::string_view error_class) {
  ++fail;
  count_error(error_class);
}

void Operation::unknown_as(std::string_view error_class) {
  ++info;
  count_error(error_class);
}

void Operation::count_error(std::string_view error_class) {
  auto known = errors.find(error_class);
  if (known == errors.end()) {
    const bool full = errors.size() >= kMostErrorClasses;
    known = errors.try_emplace(std::string(full ? kOtherErrors : error_class)).first;
  }
  ++known->second;
}

void Operation::merge(const Operation& other) {
  intended += other.intended;
  started += other.started;
  ok += other.ok;
  fail += other.fail;
  info += other.info;
  response.merge(other.response);
  service.merge(other.service);
  lateness.merge(other.lateness);
  for (const auto& [error_class, times] : other.errors) errors[error_class] += times;
}

Operations::Id Operations::id(std::string_view name) {
  const auto known = names_.find(name);
  if (known != names_.end()) return known->second;
  const Id made = all_.size();
  all_.emplace_back();
  names_.emplace(name, made);
  return made;
}

const Operation* Operations::find(std::string_view name) const {
  const auto known = names_.find(name);
  return known == names_.end() ? nullptr : &all_[known->second];
}

void Operations::merge(const Operations& other) {
  other.for_each([this](std::string_view name, const Operation& operation) { at(id(name)).merge(operation); });
}

}  // namespace mailproof::stats
