#pragma once
#include <cstdint>
#include <limits>
#include <optional>

#include "core/network.h"

namespace mailproof::net {

/// What is left to do of a LinkFaults: counts down the bytes, remembers whether the delay before a write has passed.
class FaultPlan {
 public:
  explicit FaultPlan(const LinkFaults& faults)
      : faults_(faults), send_left_(faults.cut_after_sent), receive_left_(faults.cut_after_received) {}

  const LinkFaults& faults() const { return faults_; }
  void sent(std::size_t n) { count(send_left_, n); }
  void received(std::size_t n) { count(receive_left_, n); }
  bool cut_due() const { return send_left_ == 0U || receive_left_ == 0U; }

  std::size_t write_limit() const {
    const std::size_t split = faults_.split_writes == 0 ? kNoLimit : faults_.split_writes;
    return std::min(split, send_left_ ? static_cast<std::size_t>(*send_left_) : kNoLimit);
  }
  std::size_t read_limit() const { return receive_left_ ? static_cast<std::size_t>(*receive_left_) : kNoLimit; }

  /// A write wants to happen at `now`: true when it may, else look again at write_at().
  bool may_write(Time now) {
    if (faults_.write_delay == Duration::zero()) return true;
    if (!write_at_) write_at_ = now + faults_.write_delay;
    if (now < *write_at_) return false;
    write_at_.reset();
    return true;
  }
  std::optional<Time> write_at() const { return write_at_; }

  bool half_closed = false;

 private:
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
  static void count(std::optional<std::uint64_t>& left, std::size_t n) {
    if (left) *left -= std::min<std::uint64_t>(*left, n);
  }

  LinkFaults faults_;
  std::optional<std::uint64_t> send_left_;
  std::optional<std::uint64_t> receive_left_;
  std::optional<Time> write_at_;
};

}  // namespace mailproof::net
