#include "cli/console.h"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "cli/output.h"
#include "report/escape.h"
#include "report/groups.h"
#include "report/text.h"

namespace mailproof::cli {
namespace {

constexpr std::size_t kScreenful = 40;
constexpr auto kBetweenLines = std::chrono::seconds(30);
constexpr std::size_t kMostAlike = 3;  ///< lines of one and the same error

}  // namespace

Console::Console(std::size_t jobs, bool repeats)
    : jobs_(jobs),
      repeats_(repeats),
      colour_(coloured()),
      rewritten_(line_is_rewritten()),
      began_(std::chrono::steady_clock::now()),
      told_(began_) {}

void Console::clear_progress() {
  if (std::exchange(progress_shown_, false)) fmt::print(stderr, "\r{:79}\r", "");
}

/// One of many checks, with nothing to say that the table at the end does not.
bool Console::only_counted(const report::ScenarioResult& result) const {
  return jobs_ > kScreenful && result.kind == report::Kind::check &&
         (result.verdict == judge::Verdict::pass || result.verdict == judge::Verdict::not_applicable);
}

void Console::ended(report::ScenarioResult result, std::uint32_t copy) {
  const std::lock_guard lock(mutex_);
  if (report::only_shows(result, ways_)) {
    result.verdict = judge::Verdict::pass;
    result.findings.clear();
  }
  for (auto& way : report::ways_in(result)) ways_.push_back(std::move(way));
  ++done_;
  const bool bad = result.verdict == judge::Verdict::fail || result.verdict == judge::Verdict::error;
  failed_ += bad ? 1U : 0U;
  clear_progress();
  // A hundred repetitions that pass are one line at the end; what did not pass has its own.
  const bool again =
      jobs_ > kScreenful && result.verdict == judge::Verdict::error && ++errors_[result.note] > kMostAlike;
  if (only_counted(result) || again) {
    // The table has it.
  } else if (!repeats_ || result.verdict != judge::Verdict::pass) {
    report::ScenarioResult shown = result;
    if (repeats_) shown.id += fmt::format(" (copy {})", copy);
    say(report::scenario_line(shown, {colour_}));
    nobody_reads();  // it flushes, and takes note
  } else {
    ++passed_[result.id];
  }
  const auto now = std::chrono::steady_clock::now();
  // A log keeps every line.
  if (jobs_ == 1 || (!rewritten_ && now - told_ < kBetweenLines)) return;
  told_ = now;
  const double elapsed = std::chrono::duration<double>(now - began_).count();
  say_error(report::progress_line({done_, jobs_, failed_, result.id, elapsed}) + (rewritten_ ? "" : "\n"));
  std::fflush(stderr);
  progress_shown_ = rewritten_;
}

void Console::summary(const report::RunResult& run, const std::string& directory) {
  clear_progress();
  for (const auto& [id, times] : passed_) say(fmt::format("pass  {:>6} x  {}\n", times, id));
  for (const auto& [note, times] : errors_)
    if (times > kMostAlike)
      say(fmt::format("error {:>6} x  {}\n", times - kMostAlike,
                      report::shortened(fmt::format("the same: {}", note), 160)));
  say(fmt::format("{}{}\n", report::run_text(run, {colour_}), directory));
}

}  // namespace mailproof::cli
