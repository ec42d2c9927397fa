#include "play/player.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/rng.h"
#include "history/columns.h"
#include "history/settled.h"
#include "play/requirements.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using scenario::Verb;

history::DeviceKind kind_of(scenario::DeviceKind kind) {
  switch (kind) {
    case scenario::DeviceKind::deliverer:
      return history::DeviceKind::deliverer;
    case scenario::DeviceKind::imap:
      return history::DeviceKind::imap;
    case scenario::DeviceKind::pop3:
      return history::DeviceKind::pop3;
  }
  return history::DeviceKind::imap;
}

std::string policy_of(const scenario::Device& device) {
  if (device.kind != scenario::DeviceKind::pop3) return {};
  switch (device.after.policy) {
    case scenario::AfterDownload::Policy::keep:
      return "keep";
    case scenario::AfterDownload::Policy::remove:
      return "delete";
    case scenario::AfterDownload::Policy::remove_after:
      return "delete after " + format_duration(device.after.age);
  }
  return {};
}

void list_steps(const std::vector<scenario::Step>& steps, std::vector<std::string>& out) {
  for (const auto& step : steps) out.push_back(step.text);
}

/// "RFC 1939 section 5" of "pop3.1939-5"; what has no RFC's number is common practice.
std::string source_of(const std::string& file_id) {
  const auto dot = file_id.find('.');
  const auto dash = file_id.find('-', dot == std::string::npos ? 0 : dot);
  if (dot == std::string::npos || file_id.find_first_of("0123456789", dot) != dot + 1) return "Common practice";
  const std::string rfc = file_id.substr(dot + 1, dash == std::string::npos ? dash : dash - dot - 1);
  if (dash == std::string::npos) return fmt::format("RFC {}", rfc);
  return fmt::format("RFC {} section {}", rfc, file_id.substr(dash + 1));
}

history::CheckInfo check_info(const scenario::Scenario& scenario) {
  const scenario::Check& check = *scenario.check;
  history::CheckInfo info;
  info.level = name(check.level);
  if (check.harm != scenario::Harm::none) info.harm = name(check.harm);
  info.talk = check.talks();
  std::string source = source_of(check.file_id);
  for (const auto& ref : scenario.refs)
    if (ref != source) source += fmt::format(", {}", ref);
  info.requirement = fmt::format("{} ({}): {}", source, info.level, scenario.title);
  if (check.file_id == "imaptest") info.requirement = scenario.title + ", which has its own view of the RFCs";
  return info;
}

constexpr std::size_t kWatcher = 2;  ///< device of a check that looks whether its messages are there

/// A scenario that is not over by then is ended: every wait in it has its own, smaller bound. What waits out a server's
/// timer, three times nine minutes, is given its time.
Duration longest(const scenario::Scenario& scenario) {
  const bool slow = std::find(scenario.tags.begin(), scenario.tags.end(), "slow") != scenario.tags.end();
  return std::chrono::minutes(slow ? 45 : 15);
}

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
  alarm_ = nullptr;
  talk_.reset();
  auditor_.forget();
  actors_.clear();
  network_.retire();
}

void Player::fill_info() {
  auto& info = history_.info;
  info.scenario = scenario_.id;
  info.title = scenario_.title;
  info.scenario_hash = scenario_.hash;
  info.run_seed = options_.run_seed;
  info.seed = derive_seed(options_.run_seed, scenario_.id, options_.copy);
  info.copy = options_.copy;
  info.target = context_.target.name;
  info.version = options_.version;
  info.settle = context_.scaled(context_.target.settle);
  info.pop3_delete = context_.target.pop3_delete;
  info.pop3_download = context_.target.pop3_download;
  info.gives_up_after = context_.target.gives_up_after;
  info.patience = options_.patience;
  info.simulated = context_.network.simulated();
  info.load = options_.load;
  for (const auto& customer : scenario_.customers) info.customers.push_back({customer.name, customer.quota});
  for (std::size_t i = 0; i < scenario_.accounts.size(); ++i) {
    const auto& pool = context_.accounts.at(i);
    const auto& customer = scenario_.accounts[i].customer;
    history_.secrets.add(pool.login, pool.password);
    info.accounts.push_back({scenario_.accounts[i].name, pool.login, pool.address, pool.quota,
                             customer ? static_cast<std::uint32_t>(*customer + 1) : 0});
  }
  for (const auto& device : scenario_.devices) {
    const bool has_account = device.kind != scenario::DeviceKind::deliverer;
    info.devices.push_back({device.name, kind_of(device.kind),
                            has_account ? static_cast<std::uint32_t>(device.account + 1) : 0, policy_of(device)});
  }
  list_steps(scenario_.steps, info.steps);
  if (scenario_.check) info.check = check_info(scenario_);
}

void Player::ring(Time) {
  if (alarm_) return std::exchange(alarm_, {})();
  context_.fail("bound", fmt::format("not over after {}", format_duration(context_.scaled(longest(scenario_)))));
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
void Player::note_silence() {
  if (!options_.silence) return;
  auto awaited = context_.event(Type::expect, What::talk);
  awaited.text = options_.silence->line;
  awaited.set = options_.silence->awaited;
  auto came = context_.event(Type::info, What::talk);
  came.command = context_.append(std::move(awaited));
  came.code = "earlier";
  came.text = options_.silence->came;
  context_.append(std::move(came));
}

void Player::start() try {
  note_silence();
  context_.network.set_alarm(*this, context_.network.now() + context_.scaled(longest(scenario_)));
  if (!options_.baseline) return prepare(0);
  auditor_.baseline([this] { options_.only_baseline ? finish() : prepare(0); });
} catch (...) {
  broke(what_was_thrown());
}

std::optional<EarlierSilence> Player::silence() const {
  for (const auto& e : history_.events()) {
    if (e.what != What::talk || e.type != Type::info || e.code != "silent") continue;
    const auto& awaited = history_.event(e.command);
    return EarlierSilence{awaited.text, awaited.set, e.text};
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
  talk_->look([this](bool play) { play ? play_steps() : finish(); });
}

/// A server need not take what is no proper mail (bare LF, no final line end): without it there is nothing to check.
/// Proper mail it must take.
bool Player::filled() {
  for (const auto& e : history_.events()) {
    if (e.what != What::outcome || (e.type != Type::fail && e.type != Type::info)) continue;
    const std::string why = fmt::format("the server does not take the messages of the check: {}", e.text);
    const bool proper = std::all_of(scenario_.steps.begin(), scenario_.steps.end(), [](const scenario::Step& step) {
      const auto& deliver = step.get<scenario::Deliver>();
      return deliver.mime.empty() &&
             (deliver.kind == scenario::MessageKind::plain || deliver.kind == scenario::MessageKind::office);
    });
    if (proper) {
      not_filled(why);
    } else {
      auto none = context_.event(Type::obs, What::not_applicable);
      none.text = why;
      context_.append(std::move(none));
    }
    return false;
  }
  return true;
}

/// The check is not about that: nothing of it is played, and what became of its mail is audited as a story's is.
void Player::not_filled(std::string why) {
  unfilled_ = true;
  auto e = context_.event(Type::obs, What::problem);
  e.code = "mailbox";
  e.text = std::move(why);
  context_.append(std::move(e));
}

/// Our messages that a look since then has shown.
std::vector<std::uint32_t> Player::seen_since(std::size_t event) const {
  std::vector<std::uint32_t> out;
  for (std::size_t i = event; i < history_.events().size(); ++i) {
    const auto& e = history_.events()[i];
    if (e.what == What::message && e.message != 0 && e.flags != "foreign-run") out.push_back(e.message);
  }
  return out;
}

/// A talk takes what it finds, by its number: what is there must be ours, and all of it. What was accepted is waited
/// for as long as the target may take.
void Player::verify_mailbox(Time since, std::size_t known) {
  const std::size_t before = history_.events().size();
  auditor_.verify([this, since, before, known] {
    if (stuck()) return leave(0);
    scenario::MessageRef all;
    all.set = "mail";
    const auto numbers = messages_.numbers(all);
    const auto seen = seen_since(before);
    std::string missing;
    for (const std::uint32_t number : numbers)
      if (std::find(seen.begin(), seen.end(), number) == seen.end())
        missing += fmt::format("{}{}", missing.empty() ? "" : ", ", history_.message(number).name());
    const Duration waited = context_.network.now() - since;
    const Duration enough = context_.enough(context_.scaled(context_.target.settle));
    if (seen.size() > known && options_.learnt != nullptr) options_.learnt->arrived(waited);
    if (missing.empty()) return play_talk();
    if (waited >= enough) {
      not_filled(fmt::format("its mailbox could not be prepared: of {} message{} {} {} accepted and never seen",
                             numbers.size(), numbers.size() == 1 ? "" : "s", missing,
                             missing.find(',') == std::string::npos ? "was" : "were"));
      return leave(0);
    }
    alarm_ = [this, since, there = seen.size()] {
      context_.network.set_alarm(*this, context_.network.now() + context_.scaled(longest(scenario_)));
      verify_mailbox(since, there);
    };
    context_.network.set_alarm(*this, std::min(since + enough, context_.network.now() + look_again_after(waited)));
  });
}

/// What only prepares a check should need nothing of an MTA, which adds to the header, cuts or refuses what RFC 5321
/// section 4.5.3.1 gives bounds, and may take its time.
static bool better_appended(const scenario::Target& target, const scenario::Deliver& fill, bool meanwhile) {
  using Kind = scenario::MessageKind;
  if (target.imap.empty()) return false;
  constexpr Kind kSafe[] = {Kind::plain, Kind::office, Kind::dot_lines, Kind::header_only};
  if (std::find(std::begin(kSafe), std::end(kSafe), fill.kind) == std::end(kSafe)) return true;
  const auto& ways = target.delivery;
  return !meanwhile && std::find(ways.begin(), ways.end(), scenario::Way::append) != ways.end();
}

/// Over SMTP a 250 is no message in the mailbox yet, and queues change the order: one at a time then, each awaited. So
/// is what comes while a talk is played; before it, all of the mailbox is looked at together.
void Player::fill(const scenario::Step& step, Finish done) {
  const auto& fill = step.get<scenario::Deliver>();
  const auto way = delivery_way(context_.target, fill.via.value_or(scenario::Way::any));
  const bool meanwhile = talking_;
  if (!fill.via && way == scenario::Way::smtp && better_appended(context_.target, fill, meanwhile)) {
    scenario::Step& appended = fills_.emplace_back(step);
    appended.get<scenario::Deliver>().via = scenario::Way::append;
    return this->fill(appended, std::move(done));
  }
  if ((way != scenario::Way::smtp && !meanwhile) || context_.target.imap.empty()) return perform(step, std::move(done));
  one_by_one(
      static_cast<std::size_t>(fill.count),
      [this, &step](std::size_t, Finish next) {
        if (stuck()) return next();
        scenario::Step& one = fills_.emplace_back(step);
        one.get<scenario::Deliver>().count = 1;
        perform(one, [this, next = std::move(next)] {
          scenario::Step& look = fills_.emplace_back(Verb::see);
          look.device = kWatcher;
          look.get<scenario::Await>().messages.set = "mail";  // the one just sent: what the check removed is not owed
          look.get<scenario::Await>().messages.newest = true;
          look.text = "mailbox: awaited";
          perform(look, next);
        });
      },
      std::move(done));
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
    leave(0);
  });
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

void Player::leave(std::size_t actor) {
  if (done_) return;
  if (actor == actors_.size()) return audit();
  actors_[actor]->leave([this, actor] { leave(actor + 1); });
}

void Player::audit() {
  if (done_) return;
  // What a talk did to the mailbox no ledger knows of: there is nothing to audit, only to clean.
  if (talks() && !unfilled_) return clean();
  if (stuck()) return restore_quotas([this] { finish(); });
  auditor_.audit(++round_, [this] {
    const bool lost = accepted_and_nowhere();
    if (round_ == 2 && lost && options_.learnt != nullptr && !stuck()) options_.learnt->lost();
    const bool again = round_ == 1 && (!ledger_.missing().empty() || may_be_reported()) && !stuck();
    if (!again) return clean();
    if (lost && !may_be_reported() && options_.learnt != nullptr && options_.learnt->loses()) {
      // The run has shown it often enough: this one is only said, and nobody is accused by a single look.
      auto e = context_.event(Type::obs, What::settle);
      e.code = history::kNotSettled;
      context_.append(std::move(e));
      return clean();
    }
    // Absence counts only after the target had its time, and only if another look, from fresh sessions, sees it too.
    const Duration settle = until_absence_counts();
    auto e = context_.event(Type::obs, What::settle);
    e.facts = history::BoundFacts{settle};
    context_.append(std::move(e));
    if (options_.only_waits) options_.only_waits(true);
    alarm_ = [this] {
      if (options_.only_waits) options_.only_waits(false);
      context_.network.set_alarm(*this, context_.network.now() + context_.scaled(longest(scenario_)));
      audit();
    };
    context_.network.set_alarm(*this, context_.network.now() + settle);
  });
}

/// The settling time; and where the target says how long its MTA tries, and that is no longer than people wait, until
/// it has given up what is missing, and its report had the settling time.
Duration Player::until_absence_counts() const {
  constexpr Duration kLongest = std::chrono::minutes(10);
  const Duration settle = context_.scaled(context_.target.settle);
  const auto gives_up = context_.target.gives_up_after;
  if (!gives_up || *gives_up > kLongest) return settle;
  Duration wait = settle;
  for (const history::Cell* cell : ledger_.missing())
    for (const history::Attempt& attempt : ledger_.attempts_of(cell->message)) {
      const history::Event& e = history_.event(attempt.event);
      const bool smtp = e.session != 0 && history_.session(e.session).protocol == Protocol::smtp;
      if (smtp && attempt.outcome == Type::ok && cell->first_seen == 0)
        wait = std::max(wait, e.at + *gives_up + settle - context_.network.now());
    }
  return wait;
}

/// All that is missing was accepted and never seen by anybody since.
bool Player::accepted_and_nowhere() const {
  const auto missing = ledger_.missing();
  return !missing.empty() && std::all_of(missing.begin(), missing.end(), [](const history::Cell* cell) {
    return cell->first_seen == 0 && cell->present == 0 && cell->removes == 0;
  });
}

/// Something was refused whose sender has a mailbox here. That no report follows is only known after a while.
bool Player::may_be_reported() const {
  return std::any_of(ledger_.attempts().begin(), ledger_.attempts().end(), [this](const history::Attempt& attempt) {
    return attempt.outcome == Type::fail && attempt.smtp_code != 0 && history_.message(attempt.message).sender != 0;
  });
}

void Player::clean() {
  if (done_) return;
  restore_quotas([this] {
    if (options_.keep || (context_.network.simulated() && !options_.load)) return finish();
    if (talks() && talk_->taken_mail() > 0 && !std::exchange(waited_for_mail_, true))
      return await_mail(context_.network.now());
    if (talks()) {
      const bool own_mailboxes = !scenario_.check->own.empty();
      if (scenario_.steps.empty() && !own_mailboxes && !talk_->sent_mail()) return finish();  // nothing was put there
      return auditor_.clean_after_talk(own_mailboxes, [this] { finish(); });
    }
    auditor_.clean([this] { finish(); });
  });
}

/// What a talk's SMTP server took comes when it comes: it is to be taken away as well, and to disturb nobody.
void Player::await_mail(Time since) {
  auditor_.verify([this, since] {
    std::set<std::uint32_t> arrived;
    for (const std::uint32_t number : seen_since(0))
      if (number > messages_before_talk_) arrived.insert(number);
    const bool late = context_.network.now() >= since + context_.scaled(context_.target.settle);
    if (stuck() || late || arrived.size() >= talk_->taken_mail()) return clean();
    alarm_ = [this, since] { await_mail(since); };
    context_.network.set_alarm(*this, context_.network.now() + std::chrono::milliseconds(250));
  });
}

void Player::finish() {
  if (std::exchange(done_, true)) return;
  context_.over = true;
  context_.network.set_alarm(*this, std::nullopt);
  if (on_done) on_done();
}

}  // namespace mailproof::play
