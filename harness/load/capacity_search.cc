#include "load/capacity_search.h"

#include <algorithm>

namespace mailproof::load {
namespace {

constexpr unsigned kConfirming = 3;  // steps
constexpr unsigned kParts[] = {100, 80, 120};

}  // namespace

std::optional<CapacitySearch::Above> CapacitySearch::above() const {
  for (const auto& [accounts, came] : last_)
    if (came != Came::met) return Above{accounts, came};
  return std::nullopt;
}

std::uint32_t CapacitySearch::answer() const {
  std::uint32_t out = 0;
  for (const auto& [accounts, came] : last_) {
    if (came != Came::met) break;
    out = accounts;
  }
  return out;
}

bool CapacitySearch::unsteady() const {
  const auto bad = above();
  return bad && std::any_of(last_.begin(), last_.end(),
                            [&](const auto& one) { return one.first > bad->accounts && one.second == Came::met; });
}

bool CapacitySearch::narrow() const {
  const std::uint32_t low = answer();
  const auto bad = above();
  if (!bad) return low >= options_.most;
  return bad->accounts - low <= std::max(1.0, options_.precision * low);
}

std::uint32_t CapacitySearch::part_of_answer(unsigned percent) const {
  const std::uint64_t hundredfold = std::uint64_t{answer()} * percent;
  return static_cast<std::uint32_t>(percent > 100 ? (hundredfold + 99) / 100
                                                  : std::max<std::uint64_t>(1, hundredfold / 100));
}

std::optional<Step> CapacitySearch::to_confirm() const {
  if (answer() == 0) return std::nullopt;
  const auto bad = above();
  for (const unsigned percent : kParts) {
    const auto done = confirms_.find(percent);
    if (done != confirms_.end() && done->second == answer()) continue;
    const std::uint32_t accounts = part_of_answer(percent);
    // Beyond the answer: where nothing is known to miss there, it would be a step of the search, and what this machine
    // or the pool cannot do is not tried again.
    const bool beyond = bad && bad->came == Came::missed && bad->accounts <= accounts && accounts <= options_.most;
    if (percent > 100 && !beyond) continue;
    return Step{accounts, percent};
  }
  return std::nullopt;
}

bool CapacitySearch::confirmed() const {
  for (const unsigned percent : {100U, 80U}) {
    const auto done = confirms_.find(percent);
    if (answer() == 0 || done == confirms_.end() || done->second != answer()) return false;
  }
  return true;
}

std::optional<Step> CapacitySearch::next() const {
  if (steps_ >= options_.max_steps) return std::nullopt;
  if (doubted_) return doubted_;
  if (last_.empty()) return Step{std::clamp(options_.start, 1U, options_.most), 0};
  const std::uint32_t low = answer();
  const auto bad = above();
  if (low == 0) {
    if (bad->accounts <= 1) return std::nullopt;  // not even one
    return Step{bad->accounts / 2, 0};
  }
  const bool room = steps_ + kConfirming < options_.max_steps;
  if (room && !narrow()) {
    if (bad) return Step{low + (bad->accounts - low) / 2, 0};
    return Step{static_cast<std::uint32_t>(std::min<std::uint64_t>(options_.most, 2ULL * low)), 0};
  }
  return to_confirm();
}

void CapacitySearch::tell(Came came, bool certain) {
  auto step = next();
  if (!step) return;
  ++steps_;
  const bool again = doubted_.has_value();
  doubted_.reset();
  // That 120 % does not hold is what it is played for, and the last load there is cannot be played again.
  if (came != Came::met && options_.twice && !certain && !again && step->percent <= 100 &&
      steps_ < options_.max_steps) {
    step->again = true;
    doubted_ = step;
    return;
  }
  if (again && came == Came::met && step->percent != 0 && !once_held_) {
    if (steps_ < options_.max_steps) {
      once_held_ = true;
      doubted_ = step;
      return;
    }
    came = Came::missed;  // one of two is no confirmation
  }
  once_held_ = false;
  if (again && came == Came::met) chance_.push_back(step->accounts);
  if (step->percent != 0) confirms_[step->percent] = answer();
  last_[step->accounts] = came;
}

}  // namespace mailproof::load
