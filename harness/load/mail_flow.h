#pragma once
#include <deque>
#include <memory>

#include "load/arrival_times.h"
#include "load/scene.h"

namespace mailproof::load {

/// The mail that comes in for the customers of one thread, as an MTA brings it: connections that carry many messages,
/// as many as there may be at the same time. What is due and finds none free waits, and that counts.
class MailFlow final : public Alarm {
 public:
  /// `jobs`: threads that share the plan; this one is the `job`th. An account is of the thread of its number modulo
  /// jobs; all threads count the same arrivals. `sender`: an account of ours that reports come back to, or none (LMTP).
  MailFlow(Scene& scene, const Level& level, unsigned job, unsigned jobs, const scenario::PoolAccount* sender);
  ~MailFlow() override;

  void start(Time zero);
  void close();       ///< nothing more is due; what was is still handed over
  void give_up();     ///< nothing more is handed over: what waits was never served. What is under way goes on
  bool done() const;  ///< closed, nothing waits, and every connection is gone
  void drop();        ///< breaks off at once
  std::size_t waiting() const { return waiting_.size(); }
  std::uint32_t due() const { return due_count_; }

  void ring(Time now) override;

 private:
  class Courier;
  struct Waiting {
    std::size_t parcel = 0;
    Time due{};
  };
  void take_due(Time now);
  void serve(Time now);
  void bury();
  void arm();
  std::optional<Duration> draw();
  std::uint64_t draw_size(Rng& rng) const;

  Scene& scene_;
  const Level& level_;
  const unsigned job_, jobs_;
  const scenario::PoolAccount* sender_;
  const Endpoint* endpoint_ = nullptr;
  ArrivalTimes times_;
  std::optional<Duration> next_;
  std::uint32_t next_number_ = 0, next_account_ = 0, due_count_ = 0;
  Time zero_{};
  std::deque<Waiting> waiting_;
  std::vector<std::unique_ptr<Courier>> couriers_;
  std::size_t most_ = 1;
  stats::Operations::Id connect_, deliver_, quit_;
  std::optional<Time> armed_, retry_;
  bool closed_ = false;
  bool gave_up_ = false;
};

/// The way that a plan's mail takes on this target; nothing where there is none.
std::optional<Protocol> delivery_protocol(const scenario::Plan& plan, const scenario::Target& target);

}  // namespace mailproof::load
