#include "load/judging.h"

#include <fmt/format.h>

#include <fstream>

#include "archive/jsonl.h"
#include "load/thread_cpu.h"

namespace mailproof::load {
namespace {

constexpr std::uint32_t kMostCopies = 1'000'000;  // what the names of files have room for

}  // namespace

std::optional<Keep> parse_keep(const std::string& text) {
  if (text == "full") return Keep::full;
  if (text == "findings") return Keep::findings;
  if (text == "none") return Keep::none;
  return std::nullopt;
}

Judging::Judging(Settings settings)
    : settings_(std::move(settings)), not_passed_(settings_.stories.size()), thread_([this] { run(); }) {}

Judging::~Judging() { finish(); }

bool Judging::take(std::size_t story, std::uint32_t copy, std::unique_ptr<play::Player> player) {
  {
    std::unique_lock lock(mutex_);
    if (settings_.waits) changed_.wait(lock, [this] { return work_.size() < settings_.room; });
    if (work_.size() >= settings_.room) return false;
    work_.push_back({story, copy, std::move(player), {}, {}});
  }
  changed_.notify_all();
  return true;
}

void Judging::append(std::string file, std::string line) {
  {
    const std::lock_guard lock(mutex_);
    work_.push_back({0, 0, nullptr, std::move(file), std::move(line)});
  }
  changed_.notify_all();
}

std::vector<Judging::Judged> Judging::collect() {
  const std::lock_guard lock(mutex_);
  return std::exchange(results_, {});
}

void Judging::finish() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Judging::run() {
  while (true) {
    Work work;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closed_ || !work_.empty(); });
      if (work_.empty()) break;
      work = std::move(work_.front());
      work_.pop_front();
    }
    changed_.notify_all();
    judge(work);
  }
  cpu_ = cpu_of_this_thread();  // read once the thread was joined
}

void Judging::judge(Work& work) {
  if (work.player == nullptr) {
    std::ofstream out(settings_.directory->file(work.file), std::ios::app);
    out << work.line << std::flush;
    if (!out) settings_.directory->failed(fmt::format("{} could not be written", work.file));
    return;
  }
  Judged result = judged(work);
  work.player.reset();
  const std::lock_guard lock(mutex_);
  results_.push_back(std::move(result));
}

/// A judge that throws is an error of that copy.
Judging::Judged Judging::judged(const Work& work) {
  Judged out;
  out.story = work.story;
  out.copy = work.copy;
  try {
    const auto& history = work.player->history();
    auto judgement = judge::judge(history, settings_.strict);
    out.verdict = judgement.verdict;
    out.ledger.add(history, work.player->ledger());
    out.findings = std::move(judgement.findings);
    if (!history.info.accounts.empty()) out.login = history.info.accounts.front().login;
    keep(work, !out.findings.empty(), out.verdict == judge::Verdict::pass);
  } catch (...) {
    auto broken = run::broken_off(settings_.stories[work.story]->id, fmt::format("judging copy {}", work.copy),
                                  play::what_was_thrown());
    out.verdict = broken.verdict;
    out.findings = {broken.findings.front()};
    out.ledger = {};
  }
  return out;
}

void Judging::keep(const Work& work, bool found, bool passed) {
  not_passed_[work.story] += passed ? 0U : 1U;
  if (settings_.keep == Keep::none || work.copy >= kMostCopies) return;
  if (settings_.keep == Keep::findings && (!found || not_passed_[work.story] > kMostKept)) return;
  const scenario::Scenario& story = *settings_.stories[work.story];
  const auto& history = work.player->history();
  if (found) settings_.directory->keep_scenario(story.id, story.path);
  settings_.directory->write_wire(work.copy, story.id, history, work.player->logs());
  const std::string wrong =
      archive::write_file(settings_.directory->file(fmt::format("history/{:06}-{}.jsonl", work.copy, story.id)),
                          archive::write_all(history, work.player->playing_time()));
  if (!wrong.empty()) settings_.directory->failed(wrong);
}

}  // namespace mailproof::load
