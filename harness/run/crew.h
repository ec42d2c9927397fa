#pragma once
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace mailproof::run {

/// A pool of threads that do pieces of work until there is none. A piece that only waits (for a target to settle, say)
/// does not hold its place: another thread is started meanwhile. When it goes on there is one more at work than `most`,
/// until the next piece ends.
class Crew {
 public:
  /// `piece` does one piece of work on the calling thread, and says whether there was one. It must not throw.
  Crew(unsigned most, std::function<bool()> piece) : most_(static_cast<int>(most)), piece_(std::move(piece)) {}

  /// Until nobody finds a piece of work any more.
  void run();

  /// To be called from within `piece`: true where it begins to wait, false where it goes on. With one thread (`most` 1)
  /// it does nothing, so that scenarios stay in order.
  void waits(bool begins);

 private:
  void begin();  ///< another thread; mutex_ is held
  void work();

  const int most_;
  const std::function<bool()> piece_;
  std::mutex mutex_;
  int at_work_ = 0;
  std::deque<std::thread> threads_;
};

}  // namespace mailproof::run
