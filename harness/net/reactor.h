#pragma once
#include <sys/epoll.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/set.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/time.h"
#include "net/handler_memory.h"
#include "net/loop.h"

namespace mailproof::net {

namespace asio = boost::asio;

/// Something that can be due once. Forgotten when it dies.
class Timer : public boost::intrusive::set_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>,
                                                     boost::intrusive::optimize_size<true>> {
 public:
  virtual ~Timer() = default;
  virtual void fire(Time now) = 0;
  std::optional<Time> due() const { return is_linked() ? std::optional(at_) : std::nullopt; }
  void clear() { unlink(); }
  friend bool operator<(const Timer& a, const Timer& b) { return a.at_ < b.at_; }

 private:
  friend class Reactor;
  Time at_{};
};

/// An open socket: it has a timer of its own and a turn in the ready list. Belongs to one reactor.
class Source : public Timer {
 public:
  virtual void events(std::uint32_t epoll_events, Time now) = 0;
  virtual void ready(Time now) = 0;

 private:
  friend class Reactor;
  bool queued_ = false;
};

/// One thread's io_context, and what thousands of open sockets need beside it. Whatever happens seldom (dialling,
/// accepting, programs, signals, posted work) is a plain Asio operation on context().
///
/// Open sockets stay armed in a level-triggered epoll set, and Asio waits for the set: one async_wait a batch. Asio's
/// own ways to wait for a socket cost another system call for every response: async_read_some tries in vain before it
/// waits (and needs a buffer for each connection, as what it read lies there until its handler runs), async_wait asks
/// epoll_ctl each time. CPU of the client's thread for a command over 100 connections, beside a bare epoll loop, and
/// system calls for a response (bench_read_forms):
///
///                     NOOP     FETCH of 2 KiB
///     async_read_some 1.14 x   1.12 x           send, 2 recv
///     async_wait      1.19 x   1.14 x           send, recv, epoll_ctl
///     the set         1.00 x   1.00 x           send, recv; 2 epoll_wait and an epoll_ctl for a batch
///
/// Over ten connections the set costs 1.07 x; over a single one, where every response is a batch, 1.15 x against 1.05.
///
/// Timers are ordered here, and one steady_timer wakes for the earliest: a deadline that moves with every command costs
/// no system call, those due at the same time fire in the order they were set, and none fires once it is cleared.
///
/// Nothing is called from inside another call: what becomes ready waits for its turn, what ended stays in memory until
/// the turn is over.
class Reactor {
 public:
  explicit Reactor(std::chrono::steady_clock::time_point start);
  ~Reactor();
  Reactor(const Reactor&) = delete;

  asio::io_context& context() { return context_; }
  Time now() const;

  void watch(int fd, Source& source, std::uint32_t epoll_events);
  void rewatch(int fd, Source& source, std::uint32_t epoll_events);  ///< also after mute()
  void mute(int fd);  ///< no more events for it, though it stays open and keeps the loop alive
  void forget();      ///< a watched descriptor was closed

  void make_ready(Source& source);  ///< it gets its turn before the loop blocks again
  void set_timer(Timer& timer, Time at);
  void bury(std::unique_ptr<Source> source);  ///< frees it when nobody on the stack can still be inside it
  void lay_to_rest();                         ///< frees all that was buried: nobody is inside any of it

  /// One read buffer for the whole thread: what is in it does not survive the next read.
  std::span<std::byte> scratch() { return scratch_; }

  /// Handles what is due and ready, else waits for the next thing. False when nothing can happen any more.
  bool turn();
  const LoopLoad& load() const { return load_; }

 private:
  using Executor = asio::io_context::executor_type;
  void listen();
  void set_alarm();
  void serve_events();
  void fire_timers(Time now);
  void serve_ready();

  const std::chrono::steady_clock::time_point start_;
  HandlerMemory memory_;
  asio::io_context context_;
  asio::posix::basic_stream_descriptor<Executor> set_;
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor> alarm_;
  std::optional<Time> alarm_at_;  // nothing = nobody waits for it
  bool listening_ = false;        // to the set
  std::size_t watched_ = 0;
  boost::intrusive::multiset<Timer, boost::intrusive::constant_time_size<false>> timers_;
  std::vector<Source*> ready_;
  std::vector<Source*> serving_;
  std::vector<std::unique_ptr<Source>> graveyard_;
  std::vector<std::byte> scratch_;
  std::array<epoll_event, 256> events_{};
  std::optional<Time> last_look_;  // at the timers
  std::optional<Time> woke_;       // since when this turn works
  LoopLoad load_;
};

}  // namespace mailproof::net
