#include "net/signals.h"

#include <unistd.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <mutex>
#include <set>
#include <thread>

namespace mailproof::net {

namespace {

// timeout(1) sends one to the process and another to its group, which is the same one.
constexpr auto kSame = std::chrono::milliseconds(300);

}  // namespace

struct Signals::Inside {
  Inside() : set(context, SIGINT, SIGTERM, SIGHUP) {
    wait();
    thread = std::thread([this] { context.run(); });
  }
  ~Inside() {
    context.stop();
    thread.join();
  }
  void wait() {
    set.async_wait([this](const boost::system::error_code& error, int number) {
      if (error) return;
      const auto now = std::chrono::steady_clock::now();
      if (const int status = at_once; status != 0) _exit(status);
      if (came.exchange(true) && !(number == first && now - at < kSame)) _exit(130);
      if (first == 0) at = now;
      first = first == 0 ? number : first;
      wait();
      const std::lock_guard lock(mutex);
      for (Loop* loop : loops) loop->nudge();
    });
  }

  std::atomic<bool> came = false;
  std::atomic<int> at_once = 0;  ///< a status; 0 = an orderly end
  int first = 0;                 // the one that came; these two only on the thread
  std::chrono::steady_clock::time_point at;
  std::mutex mutex;
  std::set<Loop*> loops;  // guarded by mutex, so that none goes away while it is nudged
  boost::asio::io_context context{1};
  boost::asio::signal_set set;
  std::thread thread;
};

Signals::Signals() : inside_(std::make_unique<Inside>()) {}

Signals::~Signals() = default;

bool Signals::came() const { return inside_->came; }

void Signals::end_at_once(int status) {
  inside_->at_once = status;
  if (status != 0 && came()) _exit(status);
}

Signals::Nudged::Nudged(Signals& signals, Loop& loop) : signals_(signals), loop_(loop) {
  const std::lock_guard lock(signals_.inside_->mutex);
  signals_.inside_->loops.insert(&loop_);
}

Signals::Nudged::~Nudged() {
  const std::lock_guard lock(signals_.inside_->mutex);
  signals_.inside_->loops.erase(&loop_);
}

}  // namespace mailproof::net
