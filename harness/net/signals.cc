#include "net/signals.h"

#include <unistd.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <mutex>
#include <set>
#include <thread>

namespace mailproof::net {

struct Signals::Inside {
  Inside() : set(context, SIGINT, SIGTERM) {
    wait();
    thread = std::thread([this] { context.run(); });
  }
  ~Inside() {
    context.stop();
    thread.join();
  }
  void wait() {
    set.async_wait([this](const boost::system::error_code& error, int) {
      if (error) return;
      if (came.exchange(true)) _exit(130);
      wait();
      const std::lock_guard lock(mutex);
      for (Loop* loop : loops) loop->nudge();
    });
  }

  std::atomic<bool> came = false;
  std::mutex mutex;
  std::set<Loop*> loops;  // guarded by mutex, so that none goes away while it is nudged
  boost::asio::io_context context{1};
  boost::asio::signal_set set;
  std::thread thread;
};

Signals::Signals() : inside_(std::make_unique<Inside>()) {}

Signals::~Signals() = default;

bool Signals::came() const { return inside_->came; }

Signals::Nudged::Nudged(Signals& signals, Loop& loop) : signals_(signals), loop_(loop) {
  const std::lock_guard lock(signals_.inside_->mutex);
  signals_.inside_->loops.insert(&loop_);
}

Signals::Nudged::~Nudged() {
  const std::lock_guard lock(signals_.inside_->mutex);
  signals_.inside_->loops.erase(&loop_);
}

}  // namespace mailproof::net
