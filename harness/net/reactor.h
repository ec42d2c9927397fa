#pragma once
#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "core/time.h"
#include "net/socket.h"
#include "net/timers.h"

namespace mailproof::net {

/// Something that has a descriptor, a timer of its own and a turn in the ready list. Belongs to one reactor.
class Source : public Timer {
 public:
  virtual void events(std::uint32_t epoll_events, Time now) = 0;
  virtual void ready(Time now) = 0;

 private:
  friend class Reactor;
  bool queued_ = false;
};

/// How busy a loop was; the generator judges itself by it.
struct LoopLoad {
  Duration elapsed{};         ///< since the first turn; time outside run() counts as busy
  Duration blocked{};         ///< part of `elapsed` spent waiting with nothing to do
  Duration worst_lateness{};  ///< the longest a timer fired after its time
};

/// Waits for descriptors and timers on one thread: a private level-triggered epoll, because one recv() a response is
/// then all it takes. Nothing is called from inside another call: what becomes ready waits for its turn, what ended
/// stays in memory until the turn is over.
class Reactor {
 public:
  explicit Reactor(std::chrono::steady_clock::time_point start);
  ~Reactor();
  Reactor(const Reactor&) = delete;

  Time now() const;

  void watch(int fd, Source& source, std::uint32_t epoll_events);
  void rewatch(int fd, Source& source, std::uint32_t epoll_events);  ///< also after mute()
  void mute(int fd);  ///< no more events for it, though it stays open and keeps the loop alive
  void forget();      ///< a watched descriptor was closed

  void make_ready(Source& source);  ///< it gets its turn before the loop blocks again
  void set_timer(Timer& timer, Time at) { timers_.set(timer, at); }
  void clear_timer(Timer& timer) { timers_.clear(timer); }
  std::optional<Time> due(const Timer& timer) const { return timers_.due(timer); }
  void bury(std::unique_ptr<Source> source);  ///< frees it when nobody on the stack can still be inside it

  /// One read buffer for the whole thread: what is in it does not survive the next read.
  std::span<std::byte> scratch() { return scratch_; }

  void post(std::function<void()> task);  ///< from any thread; runs on the loop's
  void nudge() noexcept;                  ///< from any thread or signal handler: ends the wait, nothing else

  bool idle();  ///< nothing is watched, due, ready or posted
  void turn();  ///< handles what is due and ready, else waits for the next thing
  const LoopLoad& load() const { return load_; }

 private:
  void run_posted();
  void fire_timers(Time now);
  void serve_ready();
  int wait(std::optional<Time> until);

  std::chrono::steady_clock::time_point start_;
  Fd epoll_;
  Fd nudge_;
  std::size_t watched_ = 0;
  Timers timers_;
  std::vector<Source*> ready_;
  std::vector<Source*> serving_;
  std::vector<std::unique_ptr<Source>> graveyard_;
  std::vector<std::byte> scratch_;
  std::array<epoll_event, 256> events_{};
  bool precise_wait_ = true;
  std::optional<Time> first_turn_;
  Time last_look_{};  // at the timers
  LoopLoad load_;

  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;  // guarded by mutex_
};

}  // namespace mailproof::net
