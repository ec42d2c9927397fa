#include "net/reactor.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <mutex>
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

int make_set() {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  // Without it nothing can run, and only main() can say so.
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "event loop");
  return fd;
}

}  // namespace

// Other threads only post; sockets, timers and descriptors belong to the loop's own, so that they need no locks.
Reactor::Reactor(std::chrono::steady_clock::time_point start)
    : start_(start),
      context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      set_(context_, make_set()),
      alarm_(context_),
      scratch_(kScratch) {
  ignore_sigpipe();
}

Reactor::~Reactor() = default;

Time Reactor::now() const {
  return Time(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - start_));
}

void Reactor::watch(int fd, Source& source, std::uint32_t epoll_events) {
  epoll_event event{.events = epoll_events, .data = {.ptr = &source}};
  epoll_ctl(set_.native_handle(), EPOLL_CTL_ADD, fd, &event);
  ++watched_;
}

void Reactor::rewatch(int fd, Source& source, std::uint32_t epoll_events) {
  epoll_event event{.events = epoll_events, .data = {.ptr = &source}};
  if (epoll_ctl(set_.native_handle(), EPOLL_CTL_MOD, fd, &event) != 0 && errno == ENOENT)
    epoll_ctl(set_.native_handle(), EPOLL_CTL_ADD, fd, &event);
}

void Reactor::mute(int fd) { epoll_ctl(set_.native_handle(), EPOLL_CTL_DEL, fd, nullptr); }

void Reactor::forget() { --watched_; }

void Reactor::make_ready(Source& source) {
  if (source.queued_) return;
  source.queued_ = true;
  ready_.push_back(&source);
}

void Reactor::set_timer(Timer& timer, Time at) {
  timer.clear();
  timer.at_ = at;
  timers_.insert(timer);
}

void Reactor::bury(std::unique_ptr<Source> source) {
  source->clear();
  if (source->queued_) {
    std::replace(ready_.begin(), ready_.end(), source.get(), static_cast<Source*>(nullptr));
    std::replace(serving_.begin(), serving_.end(), source.get(), static_cast<Source*>(nullptr));
  }
  graveyard_.push_back(std::move(source));
}

void Reactor::lay_to_rest() { const auto dead = std::exchange(graveyard_, {}); }

/// An operation under way keeps turn() from saying that nothing can happen, so there is none without need.
void Reactor::listen() {
  if (watched_ == 0) {
    if (listening_) set_.cancel();
  } else if (!std::exchange(listening_, true)) {
    set_.async_wait(set_.wait_read, Recycled(memory_, [this](const boost::system::error_code& error) {
                      listening_ = false;
                      if (!error) serve_events();
                    }));
  }
}

void Reactor::set_alarm() {
  if (timers_.empty()) {
    if (std::exchange(alarm_at_, std::nullopt)) alarm_.cancel();
    return;
  }
  const Time at = std::min(timers_.begin()->at_, now() + 1h);  // far deadlines do not fit the clock
  if (alarm_at_ && *alarm_at_ <= at) return;                   // being early costs one look
  alarm_at_ = at;
  alarm_.expires_at(start_ + at.time_since_epoch());
  alarm_.async_wait(Recycled(memory_, [this](const boost::system::error_code& error) {
    if (!error) alarm_at_.reset();
  }));
}

void Reactor::serve_events() {
  if (!woke_) woke_ = now();
  const int n = epoll_wait(set_.native_handle(), events_.data(), static_cast<int>(events_.size()), 0);
  for (int i = 0; i < n; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    static_cast<Source*>(event.data.ptr)->events(event.events, now());
  }
}

void Reactor::fire_timers(Time now) {
  // Taken out first: a timer that sets itself to `now` again waits for the next turn.
  decltype(timers_) due;
  while (!timers_.empty() && timers_.begin()->at_ <= now) {
    Timer& timer = *timers_.begin();
    timer.clear();
    due.insert(due.end(), timer);
  }
  while (!due.empty()) {
    Timer& timer = *due.begin();
    timer.clear();
    // Who sets a timer into the past is not served late; the loop's own part began when it last looked.
    load_.worst_lateness = std::max(load_.worst_lateness, now - std::max(timer.at_, *last_look_));
    timer.fire(now);
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

bool Reactor::turn() {
  if (!last_look_) last_look_ = now();
  const bool busy = !ready_.empty() || (!timers_.empty() && timers_.begin()->at_ <= now());
  listen();
  if (!busy) set_alarm();
  const bool handled = (busy ? context_.poll_one() : context_.run_one()) > 0;
  if (context_.stopped()) context_.restart();
  // All the waiting is above: whoever calls turn() sees everything that happened before it may wait again.
  if (!woke_) woke_ = now();
  fire_timers(now());
  serve_ready();
  load_.last_turn = now() - *std::exchange(woke_, std::nullopt);
  lay_to_rest();
  return busy || handled;
}

}  // namespace mailproof::net
