#include "net/reactor.h"

#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

namespace mailproof::net {
namespace {

constexpr std::size_t kScratch = 64 * 1024;

/// OpenSSL writes with write(), which has no MSG_NOSIGNAL: a server that went away must not kill the run.
void ignore_sigpipe() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction now {};
    if (sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) std::signal(SIGPIPE, SIG_IGN);
  });
}

}  // namespace

Reactor::Reactor(std::chrono::steady_clock::time_point start)
    : start_(start),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      nudge_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      scratch_(kScratch) {
  // Without these two nothing can run, and only main() can say so.
  if (!epoll_ || !nudge_) throw std::system_error(errno, std::generic_category(), "event loop");
  ignore_sigpipe();
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, nudge_.get(), &event);
}

Reactor::~Reactor() = default;

Time Reactor::now() const {
  return Time(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - start_));
}

void Reactor::watch(int fd, Source& source, std::uint32_t epoll_events) {
  epoll_event event{.events = epoll_events, .data = {.ptr = &source}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  ++watched_;
}

void Reactor::rewatch(int fd, Source& source, std::uint32_t epoll_events) {
  epoll_event event{.events = epoll_events, .data = {.ptr = &source}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0 && errno == ENOENT)
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

void Reactor::mute(int fd) { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void Reactor::forget() { --watched_; }

void Reactor::make_ready(Source& source) {
  if (source.queued_) return;
  source.queued_ = true;
  ready_.push_back(&source);
}

void Reactor::bury(std::unique_ptr<Source> source) {
  timers_.clear(*source);
  if (source->queued_) {
    std::replace(ready_.begin(), ready_.end(), source.get(), static_cast<Source*>(nullptr));
    std::replace(serving_.begin(), serving_.end(), source.get(), static_cast<Source*>(nullptr));
  }
  graveyard_.push_back(std::move(source));
}

void Reactor::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  nudge();
}

void Reactor::nudge() noexcept {
  const int saved = errno;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(nudge_.get(), &one, sizeof one);
  errno = saved;
}

bool Reactor::idle() {
  if (watched_ > 0 || !timers_.empty() || !ready_.empty()) return false;
  const std::lock_guard lock(mutex_);
  return posted_.empty();
}

void Reactor::run_posted() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (auto& task : tasks) task();
}

void Reactor::fire_timers(Time now) {
  // Bounded by what was armed at the start: a timer that sets itself to `now` again waits for the next turn.
  for (std::size_t left = timers_.size(); left > 0; --left) {
    const auto at = timers_.next();
    Timer* timer = timers_.pop_due(now);
    if (timer == nullptr) break;
    // Who sets a timer into the past is not served late; the loop's own part began when it last looked.
    load_.worst_lateness = std::max(load_.worst_lateness, now - std::max(*at, last_look_));
    timer->fire(now);
  }
  last_look_ = now;
}

void Reactor::serve_ready() {
  serving_.swap(ready_);
  for (std::size_t i = 0; i < serving_.size(); ++i) {
    Source* source = serving_[i];
    if (source == nullptr) continue;
    source->queued_ = false;
    source->ready(now());
  }
  serving_.clear();
}

int Reactor::wait(std::optional<Time> until) {
  const auto size = static_cast<int>(events_.size());
  const Time before = now();
  const Duration left = until ? *until <= before ? Duration::zero() : *until - before : Duration::max();
  int n = -1;
  if (precise_wait_) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec limit{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
    n = epoll_pwait2(epoll_.get(), events_.data(), size, until ? &limit : nullptr, nullptr);
    if (n < 0 && errno == ENOSYS) precise_wait_ = false;
  }
  if (!precise_wait_) {
    // Kernels before 5.11 wait in whole milliseconds; rounding up, else the loop would spin through the last one.
    const auto millis = std::chrono::ceil<std::chrono::milliseconds>(std::min<Duration>(left, 1h)).count();
    n = epoll_wait(epoll_.get(), events_.data(), size, until ? static_cast<int>(millis) : -1);
  }
  if (left > Duration::zero()) load_.blocked += now() - before;
  return n;
}

void Reactor::turn() {
  if (!first_turn_) {
    first_turn_ = last_look_ = now();
    prctl(PR_SET_TIMERSLACK, 1000UL, 0, 0, 0);  // 1 us instead of 50: arrivals keep to their schedule
  }
  bool busy = !ready_.empty();
  {
    const std::lock_guard lock(mutex_);
    busy = busy || !posted_.empty();
  }
  const int n = wait(busy ? Time::min() : timers_.next());
  for (int i = 0; i < n; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    if (event.data.ptr == nullptr) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto got = ::read(nudge_.get(), &count, sizeof count);
    } else {
      static_cast<Source*>(event.data.ptr)->events(event.events, now());
    }
  }
  // All the waiting is above: whoever calls turn() sees everything that happened before it may wait again.
  run_posted();
  fire_timers(now());
  serve_ready();
  const auto dead = std::exchange(graveyard_, {});
  load_.elapsed = now() - *first_turn_;
}

}  // namespace mailproof::net
