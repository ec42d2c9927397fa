#include "cli/watching.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "cli/output.h"

namespace mailproof::cli {
namespace {

constexpr unsigned kLinesEvery = 10;  // looks, where there is no terminal

/// Rows and columns of the terminal behind standard error.
std::pair<std::size_t, std::size_t> terminal_size() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {24, 80};
  return {size.ws_row, size.ws_col};
}

bool colour_is_wanted() {
  const char* plain = std::getenv("NO_COLOR");
  return plain == nullptr || *plain == '\0';
}

}  // namespace

Watching::Watching(load::Watch* watch, web::LiveServer* live, std::string title)
    : watch_(watch),
      live_(live),
      title_(std::move(title)),
      rewritten_(line_is_rewritten()),
      coloured_(rewritten_ && colour_is_wanted()) {
  if (watch_ == nullptr) return;
  thread_ = std::thread([this] {
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, std::chrono::seconds(1), [this] { return over_; })) {
      lock.unlock();
      look();
      lock.lock();
    }
  });
}

Watching::~Watching() {
  if (watch_ == nullptr) return;
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
  watch_->over();
  const load::Seen seen = watch_->look();
  if (rewritten_) draw(seen);
  if (live_ != nullptr) live_->publish(load::live_json(seen, title_), load::prometheus(seen));
}

void Watching::look() {
  const load::Seen seen = watch_->look();
  if (live_ != nullptr) live_->publish(load::live_json(seen, title_), load::prometheus(seen));
  if (rewritten_)
    draw(seen);
  else if (++looks_ % kLinesEvery == 0)
    say_error(load::progress_line(seen) + "\n");
}

/// Over what was drawn before: up so many lines, and each is cleared to its end.
void Watching::draw(const load::Seen& seen) {
  const auto [rows, columns] = terminal_size();
  const std::string lines = load::screen(seen, std::max<std::size_t>(rows, 4) - 1, columns, coloured_);
  std::string out = drawn_ == 0 ? "" : fmt::format("\x1b[{}A\r\x1b[J", drawn_);
  out += lines;
  drawn_ = static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
  // What a server said was made harmless by screen(); the movements are ours.
  std::fwrite(out.data(), 1, out.size(), stderr);
  std::fflush(stderr);
}

}  // namespace mailproof::cli
