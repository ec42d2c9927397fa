#include "load/watch.h"

#include <fmt/format.h>

#include <algorithm>

#include "load/level.h"
#include "report/escape.h"

namespace mailproof::load {
namespace {

std::int64_t connections(const Seen& seen) {
  const auto& gauges = seen.totals.operations.gauges();
  const auto known = gauges.find("connections");
  return known == gauges.end() ? 0 : known->second.value();
}

std::uint64_t failed(const Seen& seen) {
  std::uint64_t out = 0;
  seen.totals.operations.for_each([&](std::string_view name, const stats::Operation& op) {
    if (!name.starts_with("story")) out += op.fail + op.info;
  });
  return out;
}

std::uint64_t fate(const LedgerTotals& ledger, const std::string& what) {
  const auto known = ledger.fates.find(what);
  return known == ledger.fates.end() ? 0 : known->second;
}

/// Of all copies that were over of late, whatever their story.
stats::CompactHistogram stories(const Seen& seen) {
  stats::CompactHistogram out;
  for (const auto& [name, one] : seen.recent)
    if (name.starts_with("story")) out.merge(one.response);
  return out;
}

}  // namespace

void Seen::add_recent(const stats::Operations& operations) {
  operations.for_each([&](std::string_view name, const stats::Operation& op) {
    const auto& cells = op.slices.cells();
    const auto width = op.slices.width();
    const auto from = static_cast<std::size_t>(std::max(Duration::zero(), passed - kRecent) / width);
    Recent& one = recent[std::string(name)];
    one.seconds = std::max(one.seconds, in_seconds(passed - static_cast<std::int64_t>(from) * width));
    for (std::size_t i = from; i < cells.size(); ++i) {
      one.ok += cells[i].ok;
      one.response.merge(cells[i].response);
    }
  });
}

const Recent& Seen::now(std::string_view operation) const {
  static const Recent kNothing;
  const auto known = recent.find(operation);
  return known == recent.end() ? kNothing : known->second;
}

void Watch::tell(unsigned thread, Seen part) {
  const std::lock_guard lock(mutex_);
  parts_.at(thread) = std::move(part);
}

void Watch::over() {
  const std::lock_guard lock(mutex_);
  over_ = true;
}

Seen Watch::look() {
  const std::lock_guard lock(mutex_);
  Seen out;
  for (const Seen& part : parts_) {
    out.preparing = out.preparing || part.preparing;
    out.of_accounts = out.of_accounts || part.of_accounts;
    out.passed = std::max(out.passed, part.passed);
    out.progress.due += part.progress.due;
    out.progress.begun += part.progress.begun;
    out.progress.over += part.progress.over;
    out.progress.running += part.progress.running;
    out.progress.waiting += part.progress.waiting;
    out.progress.prepared += part.progress.prepared;
    out.progress.slots += part.progress.slots;
    out.totals.merge(part.totals);
    out.generator.merge(part.generator);
    for (const auto& [name, recent] : part.recent) {
      Recent& all = out.recent[name];
      all.ok += recent.ok;
      all.seconds = std::max(all.seconds, recent.seconds);
      all.response.merge(recent.response);
    }
  }
  out.over = over_;
  for (const auto& nudge : nudges_) nudge();
  return out;
}

Watch::Nudged::Nudged(Watch& watch, std::function<void()> nudge) : watch_(watch) {
  const std::lock_guard lock(watch_.mutex_);
  at_ = watch_.nudges_.insert(watch_.nudges_.end(), std::move(nudge));
}

Watch::Nudged::~Nudged() {
  const std::lock_guard lock(watch_.mutex_);
  watch_.nudges_.erase(at_);
}

std::string progress_line(const Seen& seen) {
  if (seen.preparing)
    return fmt::format("preparing: the mailboxes of {} of {} {} were looked at", seen.progress.prepared,
                       seen.progress.slots, seen.of_accounts ? "accounts" : "copies");
  if (seen.of_accounts) {
    const LedgerTotals& ledger = seen.totals.ledger;
    return fmt::format(
        "{:>6.0f} s  customers {}  connections {}  mail due {}  accepted {}  refused {}  seen {}  removed {}  errors "
        "{}",
        in_seconds(seen.passed), seen.progress.running, connections(seen), seen.progress.due, ledger.accepted,
        ledger.refused, fate(ledger, "seen"), fate(ledger, "removed-by-client"), failed(seen));
  }
  const stats::CompactHistogram response = stories(seen);
  return fmt::format(
      "{:>6.0f} s  due {}  begun {}  running {}  over {}  p50 {:.2f} s  p99 {:.2f} s  errors {}  "
      "connections {}  unexplained {}",
      in_seconds(seen.passed), seen.progress.due, seen.progress.begun, seen.progress.running, seen.progress.over,
      in_seconds(response.percentile(50)), in_seconds(response.percentile(99)), failed(seen), connections(seen),
      seen.totals.ledger.unexplained);
}

std::string screen(const Seen& seen, std::size_t rows, std::size_t columns, bool coloured) {
  std::vector<std::string> lines;
  const std::string bold = coloured ? "\x1b[1m" : "", red = coloured ? "\x1b[31m" : "",
                    plain = coloured ? "\x1b[0m" : "";
  const auto line = [&](std::string text, const std::string& colour = "") {
    if (text.size() > columns) text.resize(columns);
    lines.push_back(colour.empty() ? text : colour + text + plain);
  };
  if (seen.preparing) {
    line(progress_line(seen));
  } else {
    if (seen.of_accounts)
      line(fmt::format("{:>6.0f} s   customers {}   connections {}   mail due {}   waiting to be sent {}",
                       in_seconds(seen.passed), seen.progress.running, connections(seen), seen.progress.due,
                       seen.progress.waiting),
           bold);
    else
      line(fmt::format("{:>6.0f} s   due {}   begun {}   under way {}   waiting {}   over {}   connections {}",
                       in_seconds(seen.passed), seen.progress.due, seen.progress.begun, seen.progress.running,
                       seen.progress.waiting, seen.progress.over, connections(seen)),
           bold);
    line(fmt::format("{:<24} {:>8} {:>8} {:>8} | {:>9} {:>6} {:>6} {:>8} {:>8}", "operation", "now: /s", "p50 ms",
                     "p99 ms", "all: done", "fail", "info", "p50 ms", "p99 ms"));
    std::vector<std::string> errors;
    std::vector<std::pair<std::uint64_t, std::string>> order;
    seen.totals.operations.for_each([&](std::string_view name, const stats::Operation& op) {
      order.emplace_back(name.starts_with("story") ? ~std::uint64_t{0} : op.intended, std::string(name));
      for (const auto& [what, times] : op.errors) errors.push_back(fmt::format("{} x {}: {}", times, name, what));
    });
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    const std::size_t others = 3 + std::min<std::size_t>(errors.size(), 4);
    for (const auto& [n, name] : order) {
      if (lines.size() + others >= rows) break;
      const stats::Operation& op = *seen.totals.operations.find(name);
      const Recent& now = seen.now(name);
      const auto of_now = [&](double percent) {
        return now.response.empty() ? std::string("-") : fmt::format("{:.2f}", ms(now.response.percentile(percent)));
      };
      line(fmt::format("{:<24.24} {:>8.1f} {:>8} {:>8} | {:>9} {:>6} {:>6} {:>8.2f} {:>8.2f}", name, now.rate(),
                       of_now(50), of_now(99), op.ok, op.fail, op.info, ms(op.response.percentile(50)),
                       ms(op.response.percentile(99))),
           op.fail + op.info != 0 ? red : "");
    }
    for (std::size_t i = 0; i < errors.size() && i < 4; ++i) line("  " + report::one_line(errors[i]), red);
    const LedgerTotals& ledger = seen.totals.ledger;
    if (seen.of_accounts)
      line(
          fmt::format("ledger: {} accepted, {} refused, {} without an answer; {} seen, {} removed by clients, {} not "
                      "seen yet",
                      ledger.accepted, ledger.refused, ledger.unknown, fate(ledger, "seen"),
                      fate(ledger, "removed-by-client"), fate(ledger, "not-seen-yet")));
    else
      line(fmt::format("ledger of {} copies: {} accepted, {} refused, {} without an answer, {} unexplained",
                       ledger.copies, ledger.accepted, ledger.refused, ledger.unknown, ledger.unexplained),
           ledger.unexplained != 0 ? red : "");
    if (seen.generator.limited()) line("GENERATOR-LIMITED so far: " + seen.generator.text(), red);
  }
  if (lines.size() > rows) lines.resize(rows);
  std::string out;
  for (const std::string& one : lines) out += one + "\n";
  return out;
}

}  // namespace mailproof::load
