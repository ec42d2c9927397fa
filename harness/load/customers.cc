#include "load/customers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/bytes.h"
#include "load/slo.h"
#include "play/talk/takes.h"

namespace mailproof::load {
namespace {

constexpr Duration kLeaveBound = std::chrono::seconds(30);
constexpr Duration kDrainLook = std::chrono::milliseconds(100);
constexpr Duration kWatch = std::chrono::seconds(10);

/// The steps of profiles as they are played.
std::vector<scenario::Profile> played(const scenario::Plan& plan) {
  auto out = plan.profiles;
  const auto identify = [](std::vector<scenario::ProfileStep>& steps) {
    for (auto& step : steps)
      if (step.ask == scenario::Ask::fetch) {
        step.text = with_identity(step.text);
        step.gets_text = play::reads_text(step.text);
      }
  };
  for (auto& profile : out) {
    for (auto* steps : {&profile.login, &profile.poll, &profile.news, &profile.reading}) identify(*steps);
    for (auto& beside : profile.beside) identify(beside.login);
  }
  return out;
}

void note_opened(const scenario::Profile& profile, std::vector<std::string>& into) {
  for (const auto* steps : {&profile.login, &profile.poll, &profile.news, &profile.reading, &profile.leaving})
    for (const auto& step : *steps) {
      if (step.ask != scenario::Ask::select && step.ask != scenario::Ask::examine) continue;
      const bool known = step.text.empty() || iequals(step.text, "INBOX") ||
                         std::find(into.begin(), into.end(), step.text) != into.end();
      if (!known) into.push_back(step.text);
    }
}

}  // namespace

std::vector<std::size_t> spread_mix(const std::vector<scenario::MixEntry>& mix, std::size_t accounts) {
  std::vector<std::size_t> out;
  std::vector<double> owed(mix.size(), 0);
  out.reserve(accounts);
  for (std::size_t i = 0; i < accounts; ++i) {
    for (std::size_t n = 0; n < mix.size(); ++n) owed[n] += mix[n].share;
    const auto most = static_cast<std::size_t>(std::max_element(owed.begin(), owed.end()) - owed.begin());
    owed[most] -= 1;
    out.push_back(most);
  }
  return out;
}

Customers::Customers(Network& network, const scenario::Target& target, PlanPart part)
    : profiles_(played(*part.plan)),
      level_(part.plan->phases),
      scene_(network, target, *part.plan, part.settings, std::move(part.accounts)),
      part_(std::move(part)),
      of_account_(scene_.accounts.size()),
      uses_trash_(scene_.accounts.size(), false),
      audited_(scene_.accounts.size(), true),
      has_come_(scene_.accounts.size(), false),
      writers_of_(scene_.accounts.size()),
      sent_box_(scene_.accounts.size()),
      opens_(scene_.accounts.size()),
      looked_into_(scene_.accounts.size(), false) {
  make_devices();
  flow_ = std::make_unique<MailFlow>(scene_, level_, part_.job, part_.jobs, part_.sender ? &*part_.sender : nullptr);
}

Customers::~Customers() {
  scene_.network.set_alarm(*this, std::nullopt);
  visits_.clear();
  writers_.clear();
  devices_.clear();
  flow_.reset();
}

void Customers::make_devices() {
  const auto& plan = *part_.plan;
  const auto mix = spread_mix(plan.mix, plan.accounts_needed());
  const auto [writers, bits] = letter_numbers(plan);
  for (std::uint32_t account = 0; account < scene_.accounts.size(); ++account) {
    const std::uint32_t global = account * part_.jobs + part_.job;
    const auto& entry = plan.mix[mix.at(global)];
    std::uint32_t writer = 0;
    for (std::size_t n = 0; n < entry.devices.size(); ++n) {
      const auto found = std::find_if(profiles_.begin(), profiles_.end(),
                                      [&](const auto& one) { return one.name == entry.devices[n]; });
      const auto number = static_cast<std::uint16_t>(found - profiles_.begin());
      const auto seed = derive_seed(part_.settings.seed, fmt::format("device {}", n), global);
      const std::size_t first_of_device = of_account_[account].size();
      of_account_[account].push_back(static_cast<std::uint32_t>(devices_.size()));
      devices_.push_back(found->protocol == Protocol::pop3 ? make_pop3_customer(scene_, *found, number, account, seed)
                                                           : make_imap_customer(scene_, *found, number, account, seed));
      if (found->protocol == Protocol::imap) note_opened(*found, opens_[account]);
      for (std::size_t b = 0; b < found->beside.size(); ++b) {
        note_opened(found->beside[b], opens_[account]);
        of_account_[account].push_back(static_cast<std::uint32_t>(devices_.size()));
        devices_.push_back(
            make_imap_customer(scene_, found->beside[b], number, account, derive_seed(seed, "beside", b)));
      }
      if (found->send) {
        writers_of_[account].push_back(static_cast<std::uint32_t>(writers_.size()));
        writers_.push_back(std::make_unique<Writer>(scene_, *found, number, account, global * writers + writer++, bits,
                                                    derive_seed(seed, "writes"),
                                                    *devices_[of_account_[account][first_of_device]]));
        if (!found->send->save_to.empty()) sent_box_[account] = found->send->save_to;
      }
      const bool trash =
          found->protocol == Protocol::imap && found->remove.share > 0 && found->how == scenario::Removal::trash;
      uses_trash_[account] = uses_trash_[account] || trash;
    }
    // Who stands so far back in the queue is there while the load is that high.
    const double threshold = (static_cast<double>(global) + 0.5) / static_cast<double>(plan.accounts);
    for (const auto& stretch : level_.above(threshold)) {
      moves_.push_back({stretch.from, account, true});
      if (stretch.to < level_.length()) moves_.push_back({stretch.to, account, false});
    }
    Rng rng(derive_seed(part_.settings.seed, "audit", global));
    audited_[account] = static_cast<double>(rng.next()) < part_.settings.audited * 4294967296.0;
  }
  std::stable_sort(moves_.begin(), moves_.end(), [](const Move& a, const Move& b) { return a.at < b.at; });
}

void Customers::start(std::optional<Time> zero) {
  zero_ = zero.value_or(scene_.network.now());
  const auto [from, to] = part_.plan->measured();
  scene_.operations.measure({from, to});
  scene_.begin(zero_);
  started_ = true;
  flow_->start(zero_);
  if (!part_.plan->abort_when.empty()) watch_at_ = zero_ + kWatch;
  ring(scene_.network.now());
}

double Customers::seconds() const {
  const Time end = ended_at_ == Time{} ? scene_.network.now() : ended_at_;
  return in_seconds(end - zero_);
}

void Customers::ring(Time now) {
  if (armed_) scene_.lateness.add(now - *armed_);
  armed_.reset();
  if (settle_at_ && *settle_at_ <= now) {
    settle_at_.reset();
    visit_all(Round::second, std::move(second_));
  }
  if (!started_ || gone_) return arm_next();
  const Time end = zero_ + level_.length();
  while (!drain_until_ && !leaving_ && next_move_ < moves_.size() && zero_ + moves_[next_move_].at <= now) {
    const Move& move = moves_[next_move_++];
    there_ += move.comes ? 1U : std::size_t(-1);
    if (move.comes && !has_come_[move.account]) {
      has_come_[move.account] = true;
      ++came_;
    }
    for (const auto device : of_account_[move.account])
      move.comes ? devices_[device]->come(zero_ + move.at) : devices_[device]->leave(now);
    for (const auto writer : writers_of_[move.account])
      move.comes ? writers_[writer]->come(zero_ + move.at) : writers_[writer]->leave(now);
  }
  if (watch_at_ && *watch_at_ <= now && !drain_until_ && !leaving_) watch(now);  // behind the end less is asked for
  const bool ends = !drain_until_ && (now >= end || !aborted_.empty());
  if (ends) {
    flow_->close();
    if (!aborted_.empty()) flow_->give_up();
    scene_.stopping = true;
    scene_.stopped_at = aborted_.empty() ? std::max(end, zero_) : now;
    drain_until_ = now + scene_.target.settle;
  }
  // Who had something to do by then, and whose alarm comes behind this one, begins before the next look.
  if (drain_until_ && !leaving_ && !ends && ((flow_->done() && all_visible(now) && !owes()) || now >= *drain_until_))
    end_of_time(now);
  if (leaving_ && !gone_) {
    const bool away = std::all_of(devices_.begin(), devices_.end(), [](const auto& one) { return one->away(); }) &&
                      std::all_of(writers_.begin(), writers_.end(), [](const auto& one) { return one->away(); });
    if (now >= *leave_until_) {
      for (auto& device : devices_) device->drop();
      for (auto& writer : writers_) writer->drop();
      flow_->drop();
    }
    gone_ = now >= *leave_until_ || (away && flow_->done());
  }
  arm_next();
}

void Customers::arm_next() {
  std::optional<Time> at;
  const auto sooner = [&](Time other) {
    if (!at || other < *at) at = other;
  };
  if (settle_at_) sooner(*settle_at_);
  if (started_ && !gone_) {
    if (!drain_until_) {
      if (next_move_ < moves_.size()) sooner(zero_ + moves_[next_move_].at);
      sooner(zero_ + level_.length());
      if (watch_at_) sooner(*watch_at_);
    } else {
      sooner(scene_.network.now() + kDrainLook);
    }
  }
  armed_ = at;
  scene_.network.set_alarm(*this, at);
}

/// A device of its account that should have shown it by now: it is waited for before the figures are closed.
const Customer* Customers::owed_by(const Parcel& parcel, Time now) const {
  if (parcel.outcome != Parcel::Outcome::accepted || parcel.was_seen || parcel.saved) return nullptr;
  for (const auto device : of_account_[parcel.account])
    if (devices_[device]->should_have_seen(parcel.accepted, scene_.stopping ? std::min(now, scene_.stopped_at) : now))
      return devices_[device].get();
  return nullptr;
}

bool Customers::all_visible(Time now) const {
  const auto& parcels = scene_.parcels;
  for (std::size_t i = parcels.size(); i > 0; --i) {
    if (owed_by(parcels.at(i - 1), now) != nullptr) return false;
  }
  return true;
}

/// Polls, clicks and letters that were due are begun first.
bool Customers::owes() const {
  return aborted_.empty() &&
         (std::any_of(devices_.begin(), devices_.end(), [](const auto& one) { return one->owes(); }) ||
          std::any_of(writers_.begin(), writers_.end(), [](const auto& one) { return one->owes(); }));
}

/// Nobody was shown them though a device should have been: they count with all the time that they were waited for.
void Customers::count_invisible(Time now) {
  auto& visible = scene_.operations.at(scene_.operation("delivery-to-visible"));
  auto& imap = scene_.operations.at(scene_.operation("delivery-to-visible.imap"));
  auto& pop3 = scene_.operations.at(scene_.operation("delivery-to-visible.pop3"));
  for (std::size_t i = 0; i < scene_.parcels.size(); ++i) {
    const Parcel& parcel = scene_.parcels.at(i);
    const Customer* device = owed_by(parcel, now);
    if (device == nullptr) continue;
    for (auto* operation : {&visible, device->profile().protocol == Protocol::pop3 ? &pop3 : &imap}) {
      operation->due(parcel.accepted);
      operation->never(now - parcel.accepted, 1, now);
    }
  }
}

void Customers::end_of_time(Time now) {
  flow_->give_up();
  count_invisible(now);
  ended_at_ = std::min(now, std::max(zero_ + level_.length(), zero_));
  if (!aborted_.empty()) ended_at_ = now;
  scene_.operations.settle(now);
  scene_.over = true;
  scene_.over_at = now;
  leaving_ = true;
  leave_until_ = now + kLeaveBound;
  for (auto& writer : writers_) writer->leave(now);
  for (auto& device : devices_) device->leave(now);
}

void Customers::abort(const std::string& why) {
  if (!started_ || drain_until_ || leaving_ || !aborted_.empty()) return;
  aborted_ = why;
  armed_ = scene_.network.now();
  scene_.network.set_alarm(*this, armed_);
}

void Customers::interrupt() {
  flow_->close();
  if (started_ && !scene_.over) scene_.operations.settle(scene_.network.now());
  scene_.over = scene_.stopping = true;
  for (auto& device : devices_) device->drop();
  for (auto& writer : writers_) writer->drop();
  flow_->drop();
  leaving_ = gone_ = true;
  if (ended_at_ == Time{}) ended_at_ = scene_.network.now();
}

/// Every ten seconds what happened in them is held against abort_when.
void Customers::watch(Time now) {
  watch_at_ = *watch_at_ + kWatch;
  for (const auto& slo : part_.plan->abort_when) {
    const auto seen = measure_since(slo, scene_.operations, in_seconds(kWatch), watched_);
    if (seen && holds(slo, *seen) && aborted_.empty())
      aborted_ = fmt::format("abort_when: {} held in the 10 s before {:.0f} s", slo.text, in_seconds(now - zero_));
  }
}

Customers::Progress Customers::progress() const {
  Progress out;
  out.there = there_;
  out.connections = scene_.connections;
  out.waiting = flow_->waiting();
  out.due = flow_->due();
  out.prepared = next_visit_ - std::min(next_visit_, visiting_);
  out.accounts = to_visit_.size();
  return out;
}

}  // namespace mailproof::load
