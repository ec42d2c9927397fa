#include "run/crew.h"

#include <system_error>

namespace mailproof::run {

void Crew::run() {
  {
    const std::lock_guard lock(mutex_);
    for (int i = 0; i < most_; ++i) begin();
  }
  // Whoever waits begins another before it ends itself, so the last to be joined has nobody behind it.
  while (true) {
    std::thread one;
    {
      const std::lock_guard lock(mutex_);
      if (threads_.empty()) return;
      one = std::move(threads_.front());
      threads_.pop_front();
    }
    one.join();
  }
}

void Crew::waits(bool begins) {
  if (most_ == 1) return;
  const std::lock_guard lock(mutex_);
  at_work_ += begins ? -1 : 1;
  if (!begins || at_work_ >= most_) return;
  try {
    begin();
  } catch (const std::system_error&) {  // no thread is to be had: its place stays empty
  }
}

void Crew::begin() {
  threads_.emplace_back([this] { work(); });
  ++at_work_;
}

void Crew::work() {
  while (piece_()) {
    const std::lock_guard lock(mutex_);
    if (at_work_ <= most_) continue;
    --at_work_;
    return;
  }
  const std::lock_guard lock(mutex_);
  --at_work_;
}

}  // namespace mailproof::run
