#include "load/shard.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mailproof::load {
namespace {

using history::Type;
using history::What;
constexpr std::size_t kChecksAtOnce = 16;

/// "imap.fetch", "pop3.retr", "lmtp.deliver": what an operation is called in the figures.
std::string operation_name(const history::History& history, const history::Event& event) {
  return fmt::format("{}.{}", name(history.session(event.session).protocol), name(event.what));
}

/// A class of errors, without anything in it that differs from one occurrence to the next.
std::string error_class(const history::Event& event) {
  if (!event.code.empty()) return event.code;
  if (const std::uint32_t code = event.get<history::ReplyFacts>().code; code != 0) return std::to_string(code);
  return event.type == Type::info ? "no answer" : "refused";
}

}  // namespace

LoadShard::LoadShard(const scenario::Scenario& scenario, const scenario::Target& target,
                     std::vector<std::vector<scenario::PoolAccount>> slots, Network& network, play::PlayOptions options,
                     Arrivals arrivals, std::string_view row)
    : scenario_(scenario),
      target_(target),
      slots_(std::move(slots)),
      network_(network),
      options_(std::move(options)),
      arrivals_(arrivals),
      story_(operations_.id(row)),
      next_(arrivals.first) {
  options_.load = true;
  options_.learnt = nullptr;  // a load waits as long as its scenario says
  options_.baseline = false;
  for (std::size_t i = slots_.size(); i > 0; --i) free_.push_back(i - 1);
}

LoadShard::~LoadShard() { network_.set_alarm(*this, std::nullopt); }

void LoadShard::preflight(std::function<void(std::string)> then) {
  checked_ = std::move(then);
  check_ = 0;
  for (std::size_t i = 0; i < kChecksAtOnce; ++i) check_next();
}

void LoadShard::check_next() {
  if (check_ >= slots_.size() || !wrong_.empty()) {
    if (checking_ == 0)
      if (const auto then = std::exchange(checked_, {})) then(wrong_);
    return;
  }
  play::PlayOptions options = options_;
  options.baseline = true;
  options.only_baseline = true;
  ++checking_;
  checks_.push_back(std::make_unique<play::Player>(scenario_, target_, slots_[check_++], network_, options));
  play::Player* player = checks_.back().get();
  player->on_done = [this, player] {
    --checking_;
    if (wrong_.empty()) wrong_ = player->problem();
    check_next();
  };
  player->start();
}

void LoadShard::start() {
  checks_.clear();
  zero_ = network_.now();
  ring(zero_);
}

/// What nobody was served counts: the slowest of all must not be missing in the percentiles.
void LoadShard::give_up_waiting() {
  const double played = static_cast<double>(operations_.at(story_).ok);
  std::vector<std::pair<stats::Operations::Id, std::uint64_t>> each = {{story_, 1}};
  operations_.for_each([&](std::string_view name, const stats::Operation& one) {
    if (const auto id = operations_.id(name); id != story_ && played > 0)
      each.emplace_back(id, static_cast<std::uint64_t>(std::llround(static_cast<double>(one.ok) / played)));
  });
  const Time now = network_.now();
  for (const std::uint32_t copy : waiting_)
    for (const auto& [id, times] : each)
      if (times != 0) operations_.at(id).never(now - zero_ - arrivals_.due(copy), times);
  waiting_.clear();
}

void LoadShard::close() {
  if (!closed_) give_up_waiting();
  closed_ = true;
  network_.set_alarm(*this, std::nullopt);
  bury();
}

void LoadShard::interrupt() {
  closed_ = true;
  for (std::size_t i = 0; i < running_.size(); ++i) running_[i]->player->interrupt();
  bury();
}

void LoadShard::ring(Time now) {
  bury();
  while (!closed_ && next_ < arrivals_.total && zero_ + arrivals_.due(next_) <= now) {
    operations_.at(story_).due();
    waiting_.push_back(next_);
    next_ += arrivals_.step;
  }
  while (!closed_ && !waiting_.empty() && !free_.empty()) {
    const std::uint32_t copy = waiting_.front();
    waiting_.pop_front();
    begin(copy, zero_ + arrivals_.due(copy), now);
  }
  if (!closed_ && next_ >= arrivals_.total && waiting_.empty()) closed_ = true;  // all of them have begun
  if (!closed_ && next_ < arrivals_.total) network_.set_alarm(*this, zero_ + arrivals_.due(next_));
}

void LoadShard::begin(std::uint32_t copy, Time intended, Time now) {
  auto running = std::make_unique<Running>();
  running->slot = free_.back();
  free_.pop_back();
  running->copy = copy;
  running->intended = intended;
  running->begun = now;
  if (waiting_.empty()) worst_own_lateness_ = std::max(worst_own_lateness_, now - intended);
  play::PlayOptions options = options_;
  options.copy = copy;
  running->player = std::make_unique<play::Player>(scenario_, target_, slots_[running->slot], network_, options);
  Running* const kept = running.get();
  kept->player->history().listen([this, kept](const history::Event& event) { measure(*kept, event); });
  kept->player->on_steps_done = [this, kept] { steps_done(*kept); };
  kept->player->on_done = [this, kept] {
    kept->over = true;
    network_.set_alarm(*this, network_.now());  // it is buried from outside its own calls
  };
  operations_.at(story_).begin(intended, now);
  running_.push_back(std::move(running));
  ++begun_;
  kept->player->start();
}

/// An operation counts from when it was meant to begin: had its copy begun in time, it would have begun that much
/// earlier.
void LoadShard::measure(Running& copy, const history::Event& event) {
  if (event.type != Type::ok && event.type != Type::fail && event.type != Type::info) return;
  const auto& history = copy.player->history();
  if (event.command == 0 || event.session == 0 || history.session(event.session).device == 0)
    return;  // the audit is not the load
  const history::Event& invoke = history.event(event.command);
  if (invoke.type != Type::invoke || event.what == What::idle) return;  // IDLE lasts as long as it is wanted
  auto& operation = operations_.at(operations_.id(operation_name(history, event)));
  const Duration late = copy.begun - copy.intended;
  const Time intended = invoke.at - late;
  operation.due();
  operation.begin(intended, invoke.at);
  answering_ += event.at - invoke.at;
  if (event.type == Type::ok) return operation.succeed(intended, invoke.at, event.at);
  if (event.type == Type::fail) return operation.fail_as(error_class(event));
  operation.unknown_as(error_class(event));
}

void LoadShard::steps_done(Running& copy) {
  auto& story = operations_.at(story_);
  if (copy.player->problem().empty()) return story.succeed(copy.intended, copy.begun, network_.now());
  story.unknown_as("could not be played");
}

void LoadShard::bury() {
  for (std::size_t i = 0; i < running_.size();) {
    if (!running_[i]->over) {
      ++i;
      continue;
    }
    const std::unique_ptr<Running> gone = std::move(running_[i]);
    running_[i] = std::move(running_.back());
    running_.pop_back();
    ++over_;
    held_ += network_.now() - gone->begun;
    if (on_copy) on_copy(*gone->player, gone->copy);
    if (!gone->player->broken()) free_.push_back(gone->slot);
  }
}

LoadShard::Progress LoadShard::progress() const {
  Progress out;
  out.due = static_cast<std::uint32_t>(operations_.at(story_).intended);
  out.begun = begun_;
  out.over = over_;
  out.running = running_.size();
  out.prepared = checks_.size() - checking_;
  out.slots = slots_.size();
  return out;
}

}  // namespace mailproof::load
