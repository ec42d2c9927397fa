#pragma once
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace mailproof::run {

/// So many threads at work. One that says that it only waits has another take its place meanwhile, and goes on at once
/// when it need wait no more: then there are more for a while, until the next of them has finished its piece.
class Crew {
 public:
  /// `piece` does one piece of work on the calling thread, and says whether there was one. It must not throw.
  Crew(unsigned most, std::function<bool()> piece) : most_(static_cast<int>(most)), piece_(std::move(piece)) {}

  /// Until nobody finds a piece of work any more.
  void run();

  /// Said within `piece`, in pairs. A crew of one has nobody else: there it does nothing.
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
