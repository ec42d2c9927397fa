#include "load/shard.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mailproof::load {
namespace {

using history::Type;
using history::What;
constexpr std::size_t kChecksAtOnce = 16;
constexpr std::string_view kTimeout = "timeout";  ///< how a session ended that was waited for in vain

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

std::optional<std::uint32_t> Arrivals::begin() const {
  return first < total && (round == 0 || first < round) ? std::optional(first) : std::nullopt;
}

std::optional<std::uint32_t> Arrivals::after(std::uint32_t copy) const {
  std::uint64_t next = std::uint64_t{copy} + step;
  if (round != 0 && std::uint64_t{copy % round} + step >= round)
    next = std::uint64_t{copy} - copy % round + round + first;
  return next < total ? std::optional(static_cast<std::uint32_t>(next)) : std::nullopt;
}

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
      next_(arrivals.begin()) {
  options_.load = true;
  options_.learnt = nullptr;  // a load waits as long as its scenario says
  options_.baseline = false;
  for (std::size_t i = 0; i < slots_.size() && !closed_loop(); ++i) free_.push_back({i, Time{}});
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
  const std::size_t slot = check_++;
  checks_.push_back(std::make_unique<play::Player>(scenario_, target_, slots_[slot], network_, options));
  play::Player* player = checks_.back().get();
  player->on_done = [this, player, slot] {
    --checking_;
    before_[slot] = player->mailboxes_before();
    if (wrong_.empty()) wrong_ = player->problem();
    check_next();
  };
  player->start();
}

void LoadShard::start(std::optional<Time> zero) {
  checks_.clear();
  zero_ = steps_over_ = zero.value_or(network_.now());
  operations_.start(zero_);
  audit_.start(zero_);
  // The first time each is somewhere in his thinking, as if he had been there before: they must not all come at once.
  for (std::size_t slot = 0; slot < slots_.size() && closed_loop(); ++slot) {
    const auto user = static_cast<std::uint32_t>(arrivals_.first + slot * arrivals_.step);
    Rng rng(derive_seed(arrivals_.users->seed, "first " + scenario_.id, user));
    const double part = static_cast<double>(rng.next()) / 4294967296.0;
    const Time at = zero_ + thought(user, part);
    if (at < zero_ + arrivals_.users->until) thinking_.insert({at, user, slot});
  }
  ring(network_.now());
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
    for (const auto& [id, times] : each) operations_.at(id).never(now - zero_ - arrivals_.due(copy), times, now);
  for (const std::uint32_t copy : waiting_) operations_.gauge("waiting").span(zero_ + arrivals_.due(copy), now);
  waiting_.clear();
}

void LoadShard::close() {
  if (!closed_) give_up_waiting();
  closed_ = true;
  thinking_.clear();
  network_.set_alarm(*this, std::nullopt);
  bury();
}

void LoadShard::end() {
  if (!closed_ && !closed_loop()) ring(network_.now());
  close();
}

void LoadShard::interrupt() {
  closed_ = true;
  thinking_.clear();
  for (std::size_t i = 0; i < running_.size(); ++i) running_[i]->player->interrupt();
  bury();
}

/// What this user thinks before that copy.
Duration LoadShard::thought(std::uint32_t copy, double part) const {
  const Users& users = *arrivals_.users;
  Rng rng(derive_seed(users.seed, "think " + scenario_.id, copy));
  return Duration(static_cast<std::int64_t>(static_cast<double>(users.think.drawn(rng).count()) * part /
                                            std::max(1e-9, users.pace)));
}

/// He begins again when his thinking is over, which lasts at least until his mailboxes were looked into: that is our
/// doing, and no time of the server's.
void LoadShard::think(const Running& gone) {
  const Users& users = *arrivals_.users;
  if (closed_ || gone.copy > ~std::uint32_t{0} - users.all) return;
  const std::uint32_t next = gone.copy + users.all;
  const Time ready = gone.steps_over_at.value_or(gone.over_at) + thought(next);
  const Time at = std::max(ready, gone.over_at);
  if (at >= zero_ + users.until) return;
  held_back_ += ready < gone.over_at ? 1U : 0U;
  thinking_.insert({at, next, gone.slot});
}

void LoadShard::play_users() {
  while (!closed_ && !thinking_.empty() && thinking_.begin()->until <= network_.now()) {
    const Thinking one = thinking_.extract(thinking_.begin()).value();
    operations_.at(story_).due(one.until);
    begin(one.copy, {one.slot, one.until}, one.until, network_.now());
  }
  closed_ = closed_ || (thinking_.empty() && running_.empty());
  const bool bury_next = std::any_of(running_.begin(), running_.end(), [](const auto& one) { return one->over; });
  if (!closed_ && !thinking_.empty() && !bury_next) network_.set_alarm(*this, thinking_.begin()->until);
}

void LoadShard::ring(Time) {
  bury();
  if (closed_loop()) return play_users();
  const Time now = network_.now();  // judging those that are over took its time
  while (!closed_ && next_ && zero_ + arrivals_.due(*next_) <= now) {
    operations_.at(story_).due(zero_ + arrivals_.due(*next_));
    steps_over_ = std::max(steps_over_, zero_ + arrivals_.due(*next_));  // the load lasts while copies come to be due
    waiting_.push_back(*next_);
    next_ = arrivals_.after(*next_);
  }
  while (!closed_ && !waiting_.empty() && !free_.empty()) {
    const std::uint32_t copy = waiting_.front();
    waiting_.pop_front();
    const Free free = free_.front();
    free_.pop_front();
    // The clock again for each: what came before, judging copies that are over above all, has taken its time.
    begin(copy, free, zero_ + arrivals_.due(copy), network_.now());
  }
  if (!closed_ && !next_ && waiting_.empty()) closed_ = true;  // all of them have begun
  if (!closed_ && next_) network_.set_alarm(*this, zero_ + arrivals_.due(*next_));
}

void LoadShard::begin(std::uint32_t copy, const Free& free, Time intended, Time now) {
  auto running = std::make_unique<Running>();
  running->slot = free.slot;
  running->copy = copy;
  running->intended = intended;
  running->begun = now;
  own_lateness_.add(now - std::max(intended, free.since));
  operations_.gauge("waiting").span(intended, now);
  operations_.gauge("running").change(1, now);
  play::PlayOptions options = options_;
  options.copy = copy;
  if (const auto known = before_.find(running->slot); known != before_.end()) options.before = &known->second;
  running->player = std::make_unique<play::Player>(scenario_, target_, slots_[running->slot], network_, options);
  Running* const kept = running.get();
  kept->player->history().listen([this, kept](const history::Event& event) { measure(*kept, event); });
  kept->player->on_steps_done = [this, kept] { steps_done(*kept); };
  kept->player->on_done = [this, kept] {
    kept->over = true;
    kept->over_at = network_.now();
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
  if (event.session == 0) return;
  const auto& history = copy.player->history();
  const bool audit = history.session(event.session).device == 0;
  count_octets(copy, event.session, event.at);
  if (!audit && event.what == What::connect && event.type == Type::ok) {
    ++copy.connections;
    operations_.gauge("connections").change(1, event.at);
  } else if (!audit && event.what == What::end && copy.connections > 0) {
    --copy.connections;
    operations_.gauge("connections").change(-1, event.at);
  }
  if (event.what == What::end) settle_unanswered(copy, event.session, event.code == kTimeout);
  if (event.command == 0 || (event.type != Type::ok && event.type != Type::fail && event.type != Type::info)) return;
  const history::Event& invoke = history.event(event.command);
  if (invoke.type != Type::invoke || event.what == What::idle) return;  // IDLE lasts as long as it is wanted
  const std::string name = operation_name(history, event);
  stats::Operations& all = audit ? audit_ : operations_;
  auto& operation = all.at(all.id(name));
  const Duration late = audit ? Duration::zero() : copy.begun - copy.intended;
  const Time intended = invoke.at - late;
  operation.due(intended);
  operation.begin(intended, invoke.at);
  if (!audit) answering_ += event.at - invoke.at;
  if (event.type == Type::ok) return operation.succeed(intended, invoke.at, event.at);
  const std::string error = error_class(event);
  if (!audit) keep_sample(copy, event, name, error);
  // Who did not come in within the time was not refused.
  const bool silent = event.what == What::connect && event.code == kTimeout;
  if (event.type == Type::fail && !silent) return operation.fail_as(error, event.at);
  copy.unanswered.push_back({event.session, all.id(name), audit, intended, invoke.at, event.at, error});
}

/// What had no answer counts in the times where it was waited for as long as there was patience.
void LoadShard::settle_unanswered(Running& copy, std::uint32_t session, bool timed_out) {
  std::erase_if(copy.unanswered, [&](const Running::Unanswered& one) {
    if (session != 0 && one.session != session) return false;
    auto& operation = (one.audit ? audit_ : operations_).at(one.operation);
    if (timed_out) {
      operation.time_out_as(one.error, one.intended, one.start, one.end);
      copy.timed_out = copy.timed_out || !one.audit;
    } else {
      operation.unknown_as(one.error, one.end);
    }
    return true;
  });
}

void LoadShard::keep_sample(Running& copy, const history::Event& event, std::string_view operation,
                            const std::string& error) {
  const std::string of = fmt::format("{}: {}", operation, error);
  const Duration at = event.at - zero_;
  const auto& history = copy.player->history();
  if (!samples_.wanted(of, copy.copy, at)) return;
  std::string text = history.excerpt ? history.excerpt(event.session, event.raw) : "";
  if (text.empty()) text = event.text;
  if (!text.empty()) samples_.add(of, {copy.copy, at, std::move(text)});
}

/// What passed since it was counted last; the audit's apart.
void LoadShard::count_octets(Running& copy, std::uint32_t session, Time now) {
  const auto& logs = copy.player->logs();
  if (session > logs.size()) return;
  if (copy.counted.size() < session) copy.counted.resize(session);
  auto& [in, out] = copy.counted[session - 1];
  const history::WireLog& log = *logs[session - 1];
  const bool audit = copy.player->history().session(session).device == 0;
  (audit ? audit_ : operations_).moved(now, log.octets_received() - in, log.octets_sent() - out);
  in = log.octets_received();
  out = log.octets_sent();
}

void LoadShard::steps_done(Running& copy) {
  copy.steps_over_at = network_.now();
  steps_over_ = std::max(steps_over_, network_.now());
  auto& story = operations_.at(story_);
  if (copy.player->problem().empty()) return story.succeed(copy.intended, copy.begun, network_.now());
  copy.not_played_at = network_.now();  // why is known once its sessions have ended
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
    settle_unanswered(*gone, 0, false);
    if (gone->not_played_at) {
      constexpr std::string_view kNotPlayed = "could not be played";
      auto& story = operations_.at(story_);
      gone->timed_out ? story.time_out_as(kNotPlayed, gone->intended, gone->begun, *gone->not_played_at)
                      : story.unknown_as(kNotPlayed, gone->not_played_at);
    }
    gone->player->retire();
    held_ += gone->over_at - gone->begun;
    for (std::uint32_t session = 1; session <= gone->player->history().sessions().size(); ++session)
      count_octets(*gone, session, gone->over_at);
    operations_.gauge("running").change(-1, gone->over_at);
    operations_.gauge("connections").change(-gone->connections, gone->over_at);
    const bool broken = gone->player->broken();
    if (on_copy) on_copy(std::move(gone->player), gone->copy);
    // What held the loop up since the copy was over is our doing, for whoever waits for this slot.
    if (!broken && !closed_loop()) free_.push_back({gone->slot, gone->over_at});
    if (!broken && closed_loop()) think(*gone);
  }
}

LoadShard::Progress LoadShard::progress() const {
  Progress out;
  out.due = static_cast<std::uint32_t>(operations_.at(story_).intended);
  out.begun = begun_;
  out.over = over_;
  out.running = running_.size();
  out.waiting = waiting_.size();
  out.prepared = checks_.size() - checking_;
  out.slots = slots_.size();
  return out;
}

}  // namespace mailproof::load
