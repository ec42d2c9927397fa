#include "load/customer_imap.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"

// When a customer's IMAP client connects, what it does next, and how it ends.

namespace mailproof::load {
namespace {

/// RFC 3501 section 5.4: an autologout timer is at least half an hour. Servers' clocks know of no plan's pace.
constexpr Duration kAutologout = std::chrono::minutes(30), kKeepAlive = std::chrono::minutes(25);
const std::vector<scenario::ProfileStep> kNoop = {scenario::ProfileStep{}};

}  // namespace

ImapCustomer::ImapCustomer(Scene& scene, const scenario::Profile& profile, std::uint16_t number, std::uint32_t account,
                           std::uint64_t seed)
    : Customer(scene, profile, number, account, seed), guard_(scene.settings.own_mailboxes) {}

ImapCustomer::~ImapCustomer() { drop(); }

void ImapCustomer::come(Time due) {
  present_ = true;
  if (profile_.every > Duration{}) next_poll_ = first(due);
  if (client_ != nullptr) {  // it had not gone yet
    if (left_ || doing_ == Doing::goodbye) reconnect_ = due;
    return arm_next();
  }
  polling_ = true;
  if (!connects_at_once()) return arm_next();
  polled_at_ = due;
  connect(due);
}

void ImapCustomer::leave(Time now) {
  present_ = false;
  count_missed(scene_.operation("imap.round"), next_poll_, now);
  next_poll_.reset();
  reconnect_.reset();
  count_missed_clicks(now);
  actions_.clear();
  proceed(now);
  arm_next();
}

bool ImapCustomer::owes() const {
  if (!present_ || (client_ == nullptr && reconnect_ && !scene_.begins(*reconnect_))) return false;
  return (next_poll_ && *next_poll_ < scene_.stopped_at) ||
         (!profile_.at_poll && !actions_.empty() && actions_.back().at < scene_.stopped_at);
}

/// At the end of the measured time: what its owner clicked on while the device was still waiting for answers.
void ImapCustomer::count_missed_clicks(Time now) {
  if (!scene_.over || profile_.at_poll) return;
  const std::string_view removes = profile_.how == scenario::Removal::trash ? "imap.move" : "imap.store";
  for (const Action& one : actions_) {
    if (one.at >= scene_.stopped_at || find(one.uid) == nullptr) continue;
    if (one.remove || !profile_.reading.empty())
      scene_.missed(scene_.operation(one.remove ? removes : "imap.fetch"), one.at, now);
  }
}

void ImapCustomer::connect(Time intended) {
  const Endpoint* endpoint = scene_.endpoint(Protocol::imap, profile_.tls);
  const auto asks = profile_.capabilities == scenario::CapabilityAsks::before_login
                        ? session::AskCapabilities::before_login
                        : session::AskCapabilities::usual;
  // Where Trash is, NAMESPACE tells, whether or not the client asks for it.
  const bool people_names = profile_.asks_namespace() ||
                            (profile_.remove.share > 0 && profile_.how == scenario::Removal::trash) ||
                            (profile_.send && !profile_.send->save_to.empty());
  auto config = scene_.imap_config(*endpoint, account_, asks, people_names);
  const auto& account = scene_.accounts[account_];
  logged_in_ = changed_ = left_ = acted_ = false;
  moved_ = 0;
  doing_ = Doing::nothing;
  steps_ = nullptr;
  reconnect_.reset();
  client_ = std::make_unique<session::ImapClient>(
      config, session::Login{account.login, account.password, "", profile_.mechanisms}, *this);
  open(*client_, config->endpoint, intended);
  rounding_ = polling_ && !beside();  // a click has a login of its own, and is no poll
}

void ImapCustomer::wake(Time now) {
  bury();
  if (hanging_up_) hang_up();
  if (client_ == nullptr) {
    const bool due = (reconnect_ && *reconnect_ <= now) || (!reconnect_ && next_poll_ && *next_poll_ <= now) ||
                     (!reconnect_ && !profile_.at_poll && !to_save_.empty()) ||
                     (!reconnect_ && !profile_.at_poll && !actions_.empty() && actions_.back().at <= now);
    const bool poll = !reconnect_ && next_poll_ && *next_poll_ <= now && scene_.begins(*next_poll_);
    const bool click = !actions_.empty() && actions_.back().at <= now;
    const Time intended = reconnect_ ? *reconnect_ : poll ? *next_poll_ : click ? actions_.back().at : now;
    if (present_ && due && scene_.begins(intended)) {
      polling_ = reconnect_ || poll;
      if (poll) {
        polled_at_ = intended;
        next_poll_ = next(intended);
      }
      connect(intended);
    }
  } else if (idle_until_ && *idle_until_ <= now && client_->idling()) {
    idle_until_ = now + scene_.paced(*profile_.idle);
    client_->finish_idle();
    client_->idle();
  } else {
    proceed(now);
  }
  arm_next();
}

void ImapCustomer::arm_next() {
  if (dead_ || hanging_up_) return arm(scene_.network.now());
  std::optional<Time> at;
  const auto sooner = [&](const std::optional<Time>& other) {
    if (other && (!at || *other < *at)) at = other;
  };
  const auto begins = [&](const std::optional<Time>& other) {
    if (other && scene_.begins(*other)) sooner(other);
  };
  const bool free = client_ != nullptr && ready_ && current_ == 0 && doing_ != Doing::goodbye;
  if (present_ && client_ == nullptr && reconnect_) {
    begins(reconnect_);
  } else if (present_ && (client_ == nullptr || free)) {
    begins(next_poll_);
    if (!actions_.empty() && !profile_.at_poll) begins(actions_.back().at);
    if (!to_save_.empty() && !profile_.at_poll) begins(scene_.network.now());
  }
  if (free && client_->idling()) sooner(idle_until_);
  if (free && present_ && profile_.stays && !listens()) begins(quiet_since() + kKeepAlive);
  arm(at);
}

void ImapCustomer::on_greeting(std::string_view, Time now) {
  login_from_ = now;
  greeted_ = true;
}

void ImapCustomer::on_capabilities(std::span<const std::string>, session::Stage stage, Time now) {
  if (stage != session::Stage::authenticated) login_from_ = now;
}

void ImapCustomer::on_ready(Time now) {
  scene_.done(scene_.operation("imap.connect"), {intended_, opened_, now});
  scene_.done(scene_.operation("imap.login"), {login_from_, login_from_, now});
  ready_ = true;
  begin(Doing::login, &profile_.login, now);
  proceed(now);
  arm_next();
}

/// `intended`: when the first of these steps should begin.
void ImapCustomer::begin(Doing doing, const std::vector<scenario::ProfileStep>* steps, Time intended) {
  doing_ = doing;
  steps_ = steps;
  step_ = 0;
  stage_ = Stage::first;
  intended_ = intended;
  fresh_from_ = described_ + 1;
}

/// Goes on as far as it can without the server.
void ImapCustomer::proceed(Time now) {
  while (client_ != nullptr && !dead_ && !hanging_up_ && ready_ && current_ == 0) {
    if (doing_ == Doing::removing || doing_ == Doing::saving) {
      if (doing_ == Doing::removing ? remove_one() : save_one()) return;
      end_of(now);
    } else if (doing_ == Doing::looking) {
      doing_ = Doing::nothing;
      act(looking_, looking_.at);
    } else if (doing_ == Doing::goodbye) {
      return;
    } else if (doing_ != Doing::nothing) {
      if (next_step(now)) return;
      end_of(now);
    } else if (!choose(now)) {
      return;
    }
  }
}

/// What comes next when nothing is under way; false: it waits.
bool ImapCustomer::choose(Time now) {
  const bool active = present_ && !left_;  // behind its goodbye no mailbox is open any more
  if (present_ && !left_ && std::exchange(news_, false) && !profile_.news.empty()) {
    begin(Doing::news, &profile_.news, news_since_);
    return true;
  }
  const bool another_login = !profile_.stays && !profile_.at_poll && (polling_ || acted_);  // a login a click
  const auto due = [&](Time at) { return at <= now && scene_.begins(at); };
  if (active && !actions_.empty() && due(actions_.back().at) && !another_login) {
    acted_ = true;
    const Action action = actions_.back();
    actions_.pop_back();
    if (find(action.uid) == nullptr) return true;  // somebody else took it away
    if (may_read(action.uid)) return act(action, action.at), true;
    // What it remembers from another session proves nothing in this one: a UID may have been given out anew.
    looking_ = action;
    begin(Doing::looking, nullptr, now);
    asked(client_->uid_fetch(std::to_string(action.uid), kLook), scene_.operation("imap.look"));
    return true;
  }
  if (!to_save_.empty()) {
    begin(Doing::saving, nullptr, now);
    return true;
  }
  if (active && next_poll_ && due(*next_poll_)) {
    round_intended_ = polled_at_ = *next_poll_;
    rounding_ = true;
    begin(Doing::poll, &profile_.poll, *next_poll_);
    next_poll_ = next(*next_poll_);
    const auto round = scene_.operation("imap.round");
    while (due(*next_poll_)) {  // polls that nobody came to, for the one before was not over
      scene_.missed(round, *next_poll_, now);
      next_poll_ = next(*next_poll_);
    }
    return true;
  }
  if (!present_ || !profile_.stays) {
    if (!std::exchange(left_, true) && !profile_.leaving.empty() && logged_in_) {
      begin(Doing::leaving, &profile_.leaving, now);
      return true;
    }
    doing_ = Doing::goodbye;
    if (!profile_.logout) {
      hanging_up_ = true;
      return false;
    }
    intended_ = now;
    asked(client_->logout(), scene_.operation("imap.logout"));
    return true;
  }
  if (!listens() && due(quiet_since() + kKeepAlive)) {
    begin(Doing::keeping, &kNoop, now);
    return true;
  }
  if (listens() && !client_->idling() && !client_->busy()) {
    client_->idle();
    idle_until_ = now + scene_.paced(*profile_.idle);
  }
  return false;
}

/// Nothing, if it is not there any more, or not ours.
void ImapCustomer::act(const Action& action, Time intended) {
  if (find(action.uid) == nullptr || !may_read(action.uid)) return;
  one_ = action.uid;
  begin(action.remove ? Doing::removing : Doing::reading, &profile_.reading, intended);
}

/// The connection is closed without a word; from outside the client's own calls.
void ImapCustomer::hang_up() {
  hanging_up_ = false;
  dead_ = true;
  bury();
  scene_.session_over(session_);
  ready_ = news_ = false;
  notices_.clear();
  idle_until_.reset();
}

void ImapCustomer::end_of(Time now) {
  const Doing was = std::exchange(doing_, Doing::nothing);
  steps_ = nullptr;
  if (was == Doing::login) {
    logged_in_ = true;
    if (client_->view().exists != 0) hear_of_news(now);
    told_ = false;
    if (!profile_.stays && polling_) return begin(Doing::poll, &profile_.poll, now);
    if (std::exchange(rounding_, false)) scene_.done(scene_.operation("imap.round"), {round_intended_, opened_, now});
  }
  if (was == Doing::poll && std::exchange(rounding_, false))
    scene_.done(scene_.operation("imap.round"), {round_intended_, std::max(round_intended_, opened_), now});
  if (was == Doing::poll) {
    if (!profile_.stays && !profile_.news.empty() && client_->view().exists != 0) hear_of_news(now);
    // What the poll itself has looked at is no news.
    const bool seen = known_.size() >= client_->view().exists && (known_.empty() || known_.back().uid <= described_);
    if (profile_.stays && seen) news_ = false;
  }
  if (was == Doing::news && polling_) {
    looked_uidnext_ = client_->view().uidnext;
    looked_exists_ = client_->view().exists;
  }
  if ((was == Doing::news || was == Doing::poll) && !news_) notices_.clear();
}

/// How long something new has waited to be looked at counts from the first that was heard of it.
void ImapCustomer::hear_of_news(Time now) {
  if (!std::exchange(news_, true)) news_since_ = now;
}

bool ImapCustomer::listens() const { return profile_.idle && client_->has("IDLE"); }

/// When the client said something last, as the server's autologout timer counts.
Time ImapCustomer::quiet_since() const {
  return idle_until_ ? std::max(intended_, *idle_until_ - scene_.paced(*profile_.idle)) : intended_;
}

/// The server may log out who said nothing for half an hour, one that idles included (RFC 2177 section 3).
bool ImapCustomer::logged_out(const session::Ended& end, Time now) const {
  return ready_ && current_ == 0 && doing_ == Doing::nothing && istarts_with(end.seen, "* BYE") &&
         now - quiet_since() >= kAutologout;
}

void ImapCustomer::on_ended(const session::Ended& end, Time now) {
  scene_.session_over(session_);
  dead_ = true;
  if (!ready_ && !end.clean) {
    const std::string what = error_class(end);
    scene_.example(what, fmt::format("{}: {}", scene_.session_text(session_), end.message()));
    const Times times{intended_, opened_, now};
    end.login_refused ? scene_.failed(scene_.operation("imap.connect"), times, what, &recorder_, account_)
                      : scene_.lost(end.reason, scene_.operation("imap.connect"), times, what, &recorder_, account_);
  } else if (logged_out(end, now)) {
    scene_.done(scene_.operation("imap.autologout"), {now, now, now});
  } else if (!end.clean && doing_ != Doing::goodbye) {
    const std::string what = error_class(end);
    scene_.example(what, fmt::format("{}: {}", scene_.session_text(session_), end.message()));
    scene_.unanswered(scene_.operation("imap.connection"), {now, now, now}, what, &recorder_, account_);
  }
  count_broken(now, end.clean ? "the server said goodbye" : error_class(end), end.login_refused, end.reason);
  ready_ = news_ = false;
  notices_.clear();
  idle_until_.reset();
  if (present_ && !scene_.stopping && !end.clean) {
    const Duration retry = scene_.paced(profile_.retry);
    reconnect_ = now + retry +
                 Duration(static_cast<std::int64_t>(static_cast<double>(retry.count()) * 0.2 *
                                                    (static_cast<double>(rng_.next()) / 4294967296.0)));
  }
  arm(now);
}

std::unique_ptr<Customer> make_imap_customer(Scene& scene, const scenario::Profile& profile, std::uint16_t number,
                                             std::uint32_t account, std::uint64_t seed) {
  return std::make_unique<ImapCustomer>(scene, profile, number, account, seed);
}

}  // namespace mailproof::load
