#include "play/player.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/rng.h"
#include "history/columns.h"
#include "history/talk_ends.h"
#include "play/earlier.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using scenario::Verb;

}  // namespace

Player::Player(const scenario::Scenario& scenario, const scenario::Target& target,
               std::vector<scenario::PoolAccount> leased, Network& network, PlayOptions options)
    : scenario_(scenario),
      options_(std::move(options)),
      ledger_(history_),
      messages_(history_, derive_seed(options_.run_seed, scenario.id, options_.copy),
                mix(options_.run_id ^ derive_seed(options_.run_seed, scenario.id, options_.copy)), options_.date),
      network_(network, [this](const std::string& what) { broke(what); }),
      context_{network_, target, history_, ledger_, messages_, options_, std::move(leased), {}, {}, 0, false, {}},
      auditor_(context_) {
  fill_info();
  history_.listen([this](const history::Event& event) { ledger_.apply(event); });
  history_.excerpt = [this](std::uint32_t session, history::WireRef at) {
    return session == 0 || session > context_.logs.size() ? std::string() : context_.logs[session - 1]->excerpt(at);
  };
  for (std::uint32_t i = 1; i <= scenario.devices.size(); ++i) {
    switch (scenario.devices[i - 1].kind) {
      case scenario::DeviceKind::deliverer:
        actors_.push_back(make_deliverer(context_, scenario, i));
        break;
      case scenario::DeviceKind::imap:
        actors_.push_back(make_imap_device(context_, scenario, i));
        break;
      case scenario::DeviceKind::pop3:
        actors_.push_back(make_pop3_device(context_, scenario, i));
        break;
    }
  }
}

Player::~Player() {
  context_.network.set_alarm(*this, std::nullopt);
  talk_.reset();  // its connections record what they do, in what is destroyed before it
}

void Player::retire() {
  on_done = on_steps_done = nullptr;
  options_.before = nullptr;  // whose it is may be gone before this
  alarm_ = nullptr;
  talk_.reset();
  auditor_.forget();
  actors_.clear();
  network_.retire();
}

/// A scenario that is not over by then is ended: every wait in it has its own, smaller bound. What waits out a server's
/// timer, three times nine minutes, is given its time.
Duration Player::longest() const {
  const bool slow = std::find(scenario_.tags.begin(), scenario_.tags.end(), "slow") != scenario_.tags.end();
  return std::chrono::minutes(slow ? 45 : 15);
}

void Player::ring(Time) {
  if (alarm_) return std::exchange(alarm_, {})();
  context_.fail("bound", fmt::format("not over after {}", format_duration(context_.scaled(longest()))));
  finish();
}

void Player::interrupt() {
  if (done_) return;
  context_.fail("interrupted", "interrupted");
  finish();
}

void Player::stalled() {
  if (done_) return;
  context_.fail("stalled", "nothing can happen any more, but the scenario is not over");
  finish();
}

void Player::broke(const std::string& what) noexcept try {
  broken_ = true;
  if (context_.problem.empty()) context_.problem = fmt::format("our own error, {}", what);
  history::Event e = context_.event(history::Type::obs, history::What::problem);
  e.code = "thrown";
  e.text = fmt::format("our own error, not the server's, and the end of this: {} was thrown", what);
  history_.append(std::move(e));  // also when nothing else is recorded any more
  finish();
} catch (...) {  // whoever listens throws again
  done_ = true;
}

/// What the play before this one ended by: so that the history of this one tells all.
void Player::note_earlier() {
  if (!options_.earlier) return;
  auto awaited = context_.event(Type::expect, What::talk);
  awaited.text = options_.earlier->line;
  awaited.set = options_.earlier->awaited;
  auto came = context_.event(Type::info, What::talk);
  came.command = context_.append(std::move(awaited));
  came.code = fmt::format("{}-{}", history::kEarlier, options_.earlier->code);
  came.text = options_.earlier->came;
  context_.append(std::move(came));
}

void Player::start() try {
  note_earlier();
  context_.network.set_alarm(*this, context_.network.now() + context_.scaled(longest()));
  if (!options_.baseline) return prepare(0);
  if (options_.seen_empty != nullptr) {
    auditor_.believe(*options_.seen_empty);
    return prepare(0);
  }
  auditor_.baseline([this] { options_.only_baseline ? finish() : prepare(0); });
} catch (...) {
  broke(what_was_thrown());
}

std::optional<EarlierEnd> Player::early_end() const {
  for (const auto& e : history_.events()) {
    if (e.what != What::talk || e.type != Type::info || !history::may_pass(e.code)) continue;
    const auto& awaited = history_.event(e.command);
    return EarlierEnd{awaited.text, awaited.set, e.text, e.code, awaited.get<history::TalkFacts>().line};
  }
  return std::nullopt;
}

void Player::prepare(std::size_t actor) {
  if (actor == 0) steps_began_ = steps_ended_ = context_.network.now();
  if (stuck()) return finish();
  if (actor == actors_.size()) return look();
  actors_[actor]->prepare([this, actor] { prepare(actor + 1); });
}

/// A check looks first whether the server offers what it is about.
void Player::look() {
  if (!scenario_.check || (!talks() && !scenario_.check->looks())) return play_steps();
  talk_ = std::make_unique<Talk>(
      context_, scenario_, [this](const scenario::Step& step, Finish done) { fill(step, std::move(done)); },
      [this](Finish done) { auditor_.verify(std::move(done), MailboxReader::Bodies::fetched); });
  talk_->look([this](bool play) { play ? play_steps() : leave_empty(true); });
}

void Player::play_talk() {
  if (!filled()) return leave(0);
  if (scenario_.check->deliveries != 0 && options_.baseline && !std::exchange(verified_, true))
    return verify_mailbox(context_.network.now(), 0);
  context_.step = static_cast<std::uint32_t>(scenario_.check->deliveries + 1);
  talking_ = true;
  messages_before_talk_ = static_cast<std::uint32_t>(history_.messages().size());
  talk_->play([this] {
    context_.step = 0;
    steps_ended_ = context_.network.now();
    look_beside([this] { leave(0); });
  });
}

/// It appends something of its own to INBOX: that bears no stamp, and would be taken for mail of others.
static bool puts_unstamped(const scenario::Check& check) {
  return std::any_of(check.talk.begin(), check.talk.end(), [](const scenario::TalkLine& line) {
    const std::string text = upper(line.text);
    const auto has = [&](std::string_view word) { return text.find(word) != std::string::npos; };
    const bool sends = line.op == scenario::TalkLine::Op::send || line.op == scenario::TalkLine::Op::send_raw;
    return sends && (has("APPEND ") || has("REPLACE ")) && has("INBOX") && !has("{MAIL");
  });
}

/// A line may have come out wrong because mail of somebody else came in: nobody is accused before that was looked for.
void Player::look_beside(Finish done) {
  const bool wrong = std::any_of(history_.events().begin(), history_.events().end(),
                                 [](const history::Event& e) { return e.what == What::talk && e.type == Type::fail; });
  if (!wrong || stuck() || done_ || options_.alone || puts_unstamped(*scenario_.check)) return done();
  auditor_.look_beside(std::move(done));
}

void Player::play_steps() {
  const std::size_t count = talks() ? scenario_.check->deliveries : scenario_.steps.size();
  one_by_one(
      count, [this](std::size_t i, Finish next) { play_step(i, std::move(next)); },
      [this] {
        if (done_) return;
        if (talks() && !stuck()) return play_talk();
        context_.step = 0;
        steps_ended_ = context_.network.now();
        if (on_steps_done) on_steps_done();
        leave(0);
      });
}

void Player::play_step(std::size_t index, Finish next) {
  if (done_ || stuck()) return next();
  context_.step = static_cast<std::uint32_t>(index + 1);
  const auto& step = scenario_.steps[index];
  auto e = context_.event(Type::obs, What::step);
  e.text = step.text;
  context_.append(std::move(e));
  talks() ? fill(step, std::move(next)) : perform(step, std::move(next));
}

void Player::perform(const scenario::Step& step, Finish done) {
  one_by_one(
      static_cast<std::size_t>(step.times),
      [this, &step](std::size_t, Finish next) { done_ || stuck() ? next() : perform_once(step, std::move(next)); },
      std::move(done));
}

void Player::perform_once(const scenario::Step& step, Finish done) {
  if (step.verb == Verb::together) return perform_together(step, std::move(done));
  if (step.device == scenario::Step::kAdmin) return perform_admin(step, std::move(done));
  if (step.device == scenario::Step::kJudge) {
    expect_at_end(step);
    return done();
  }
  actors_.at(step.device)->perform(step, std::move(done));
}

/// All at once, but one device does its own steps one after another.
void Player::perform_together(const scenario::Step& step, Finish done) {
  auto open = std::make_shared<std::size_t>(1);
  const auto one_less = [open, done = std::move(done)] {
    if (--*open == 0) done();
  };
  std::map<std::size_t, std::vector<const scenario::Step*>> by_device;
  for (const auto& child : step.together) by_device[child.device].push_back(&child);
  for (const auto& entry : by_device) {
    const std::vector<const scenario::Step*>& children = entry.second;
    ++*open;
    one_by_one(
        children.size(), [this, children](std::size_t i, Finish next) { perform(*children[i], std::move(next)); },
        one_less);
  }
  one_less();
}

/// Judge steps ask about the end: they only say what is expected, judges look at the whole history.
void Player::expect_at_end(const scenario::Step& step) {
  const auto expected = [this](What what) { return context_.event(Type::expect, what); };
  const auto number = [](std::size_t index) { return static_cast<std::uint32_t>(index + 1); };
  if (const auto* fate = step.maybe<scenario::HasFate>()) {
    auto e = expected(What::fate);
    e.set = history::format_numbers(messages_.numbers(fate->messages));
    history::FateFacts wanted{fate->is, fate->over, 0, 0, fate->copy_on_nobody};
    if (fate->by) wanted.by = number(*fate->by);
    if (fate->copy_on) wanted.copy_on = number(*fate->copy_on);
    history::expect_fate(wanted, history_.info, e);
    context_.append(std::move(e));
  } else if (const auto* count = step.maybe<scenario::HasCount>()) {
    auto e = expected(What::count);
    e.mailbox = count->mailbox;
    if (count->account) e.account = number(*count->account);
    e.facts = history::CountFacts{static_cast<std::uint32_t>(count->count)};
    context_.append(std::move(e));
  } else if (const auto* agree = step.maybe<scenario::Agree>()) {
    auto e = expected(What::agree);
    e.mailbox = agree->mailbox;
    history::AgreeFacts wanted;
    for (const auto index : agree->devices) wanted.devices.push_back(number(index));
    history::expect_agreement(std::move(wanted), history_.info, e);
    context_.append(std::move(e));
  } else if (const auto* usage = step.maybe<scenario::Usage>()) {
    auto e = expected(What::usage);
    e.account = number(usage->account);
    context_.append(std::move(e));
  } else {
    auto e = expected(What::intact);
    e.set = history::format_numbers(messages_.numbers(step.get<scenario::OfMessages>().messages));
    context_.append(std::move(e));
  }
}

void Player::finish() {
  if (std::exchange(done_, true)) return;
  context_.over = true;
  if (!context_.network.simulated())
    note_played(mix(options_.run_id ^ derive_seed(options_.run_seed, scenario_.id, options_.copy)));
  context_.network.set_alarm(*this, std::nullopt);
  if (on_done) on_done();
}

}  // namespace mailproof::play
