#include "load/customer_pop3.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "core/hash.h"
#include "session/pop3/expire.h"

namespace mailproof::load {
namespace {

using scenario::AfterDownload;
using scenario::Ask;
using scenario::Of;
using session::Outcome;

std::string class_of(const session::Pop3Completion& done) {
  if (done.outcome == Outcome::info) return done.lost == EndReason::timeout ? "no answer in time" : "no answer";
  return done.code.empty() ? "-ERR" : fmt::format("-ERR [{}]", printable(done.code));
}

constexpr std::uint32_t kWhole = 1'000'000;  ///< so many lines of TOP are a whole message

std::uint64_t hash_of(std::string_view id) {
  ContentHash hash;
  hash.add(id);
  return hash.value() | 1U;  // 0 says that there is none
}

}  // namespace

void Pop3Customer::come(Time due) {
  present_ = true;
  if (client_ != nullptr) {  // it had not gone yet: what it comes for now it does next
    next_poll_ = connects_at_once() ? due : first(due);
    return arm_next();
  }
  next_poll_ = first(due);
  if (!connects_at_once()) return arm_next();
  polled_at_ = due;
  connect(due);
}

void Pop3Customer::leave(Time now) {
  present_ = false;
  count_missed(scene_.operation("pop3.round"), next_poll_, now);
  next_poll_.reset();
  arm_next();
}

void Pop3Customer::connect(Time intended) {
  const Endpoint* endpoint = scene_.endpoint(Protocol::pop3, profile_.tls);
  auto config = scene_.client_config(*endpoint, &scene_.accounts[account_], account_);
  config.login.preferred = profile_.mechanisms;
  using scenario::CapabilityAsks;
  config.capabilities = profile_.capabilities == CapabilityAsks::before_login ? session::AskCapabilities::before_login
                        : profile_.capabilities == CapabilityAsks::never      ? session::AskCapabilities::never
                                                                              : session::AskCapabilities::usual;
  leaving_ = false;
  step_ = place_ = part_ = 0;
  listed_.clear();
  stated_ = 0;
  told_ = false;
  in_order_ = true;
  mine_.clear();
  guard_ = fresh_guard();  // numbers hold for one session
  const Endpoint where = config.endpoint;
  client_ = std::make_unique<session::Pop3Client>(std::move(config), *this);
  open(*client_, where, intended);
  rounding_ = true;
}

/// RFC 2449 section 6.5: a login that comes sooner after the last one may be refused. So much of the server's own time,
/// at whatever pace its customers live.
void Pop3Customer::put_off(Time now) {
  if (login_delay_ == Duration{} || !next_poll_ || login_from_ == Time{}) return;
  const Time soonest = login_from_ + login_delay_;
  if (*next_poll_ >= soonest || soonest <= now) return;
  next_poll_ = soonest;
  ++scene_.put_off;
}

void Pop3Customer::wake(Time now) {
  bury();
  if (client_ == nullptr) put_off(now);
  if (client_ == nullptr && present_ && next_poll_ && *next_poll_ <= now && scene_.begins(*next_poll_)) {
    const Time due = *next_poll_;
    polled_at_ = due;
    next_poll_ = next(due);
    const auto round = scene_.operation("pop3.round");
    while (*next_poll_ <= now && scene_.begins(*next_poll_)) {  // nobody came to these: the one before was not over
      scene_.missed(round, *next_poll_, now);
      next_poll_ = next(*next_poll_);
    }
    connect(due);
  }
  arm_next();
}

void Pop3Customer::arm_next() {
  if (dead_) return arm(scene_.network.now());
  const bool begins = client_ == nullptr && present_ && next_poll_ && scene_.begins(*next_poll_);
  arm(begins ? next_poll_ : std::nullopt);
}

void Pop3Customer::on_greeting(std::string_view, Time now) {
  login_from_ = now;
  greeted_ = true;
}

void Pop3Customer::on_capabilities(std::span<const std::string> lines, session::Stage stage, Time now) {
  if (!scene_.pop3_download) scene_.pop3_download = session::announced_download(lines);
  if (stage != session::Stage::authenticated) login_from_ = now;
  login_delay_ = session::announced_login_delay(lines).value_or(login_delay_);
}

void Pop3Customer::on_ready(Time now) {
  scene_.done(scene_.operation("pop3.connect"), {intended_, opened_, now});
  scene_.done(scene_.operation("pop3.login"), {login_from_, login_from_, now});
  login_from_ = now;
  scene_.login_delay = std::max(scene_.login_delay, login_delay_);
  ready_ = true;
  intended_ = now;
  proceed(now);
}

void Pop3Customer::proceed(Time now) {
  if (!ready_ || current_ != 0 || leaving_) return;
  while (step_ < profile_.poll.size()) {
    if (perform(profile_.poll[step_])) return;
    ++step_;
    place_ = part_ = 0;
  }
  leaving_ = true;
  intended_ = now;
  asked(client_->quit(), "pop3.quit");
  if (current_ != 0) ask_for_removal(true);  // else the session has ended, and nobody will hear of it
}

void Pop3Customer::asked(session::CommandId id, std::string_view operation) {
  current_ = id;
  operation_ = scene_.operation(operation);
}

/// Where the server speaks of that message; which it does in any order, and with any numbers.
Pop3Customer::Listed& Pop3Customer::row(std::uint32_t number) {
  const std::size_t place = std::max(number, 1U) - 1;
  if (place < listed_.size() && listed_[place].number == number) return listed_[place];
  in_order_ = in_order_ && (listed_.empty() || listed_.back().number < number);
  return listed_.emplace_back(Listed{number});
}

void Pop3Customer::put_in_order() {
  if (std::exchange(in_order_, true)) return;
  std::stable_sort(listed_.begin(), listed_.end(),
                   [](const Listed& a, const Listed& b) { return a.number < b.number; });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < listed_.size(); ++i) {
    if (kept != 0 && listed_[kept - 1].number == listed_[i].number) {
      if (listed_[kept - 1].id == 0) listed_[kept - 1].id = listed_[i].id;
    } else {
      listed_[kept++] = listed_[i];
    }
  }
  listed_.resize(kept);
}

Pop3Customer::Listed* Pop3Customer::find(std::uint32_t number) {
  put_in_order();
  const auto at = std::lower_bound(listed_.begin(), listed_.end(), number,
                                   [](const Listed& one, std::uint32_t n) { return one.number < n; });
  return at != listed_.end() && at->number == number ? &*at : nullptr;
}

/// Whether there is a message at this place. Where only STAT has counted them their numbers are from 1 (RFC 1939
/// section 4); what it says takes no memory before each of them was asked for.
bool Pop3Customer::one_there() {
  put_in_order();
  if (place_ < listed_.size()) return true;
  if (told_ || listed_.size() >= stated_) return false;
  row(static_cast<std::uint32_t>(listed_.size() + 1));
  return true;
}

bool Pop3Customer::known(const Listed& one) const {
  const auto found =
      std::lower_bound(kept_.begin(), kept_.end(), one.id, [](const Kept& k, std::uint64_t id) { return k.id < id; });
  return one.id != 0 && found != kept_.end() && found->id == one.id;
}

bool Pop3Customer::expired(const Listed& one, Time now) const {
  if (profile_.after.policy == AfterDownload::Policy::keep) return false;
  if (profile_.after.policy == AfterDownload::Policy::remove) return one.got;
  const auto found =
      std::lower_bound(kept_.begin(), kept_.end(), one.id, [](const Kept& k, std::uint64_t id) { return k.id < id; });
  return one.id != 0 && found != kept_.end() && found->id == one.id &&
         now - found->got >= scene_.paced(profile_.after.age);
}

/// One command of the step, if there is something left to do.
bool Pop3Customer::perform(const scenario::ProfileStep& step) {
  switch (step.ask) {
    case Ask::stat:
      if (place_++ != 0) return false;
      return asked(client_->stat(), "pop3.stat"), true;
    case Ask::pop_list:
      if (place_++ != 0) return false;
      return asked(client_->list(), "pop3.list"), true;
    case Ask::uidl:
      if (place_++ != 0 || !client_->has("UIDL")) return false;
      return asked(client_->uidl(), "pop3.uidl"), true;
    case Ask::noop:
      if (place_++ != 0) return false;
      return asked(client_->noop(), "pop3.noop"), true;
    case Ask::last:
      if (place_++ != 0) return false;
      return asked(client_->last(), "pop3.last"), true;
    case Ask::end_if_empty:
      if (listed_.empty() && stated_ == 0) step_ = profile_.poll.size() - 1;
      return false;
    case Ask::each:
      return message_by_message(step);
    case Ask::top:
      return show_lines(step);
    case Ask::retr:
      return retrieve(step);
    case Ask::dele:
      return dele_due();
    default:
      return false;  // IMAP's
  }
}

/// The text of a message that is not known to be ours is not asked for: TOP looks first, unless there is nobody else's
/// mail here. Nothing: it is being looked at, or is somebody else's; what could not be looked at is.
std::optional<play::OwnedNumber> Pop3Customer::ours(Listed& one) {
  const auto owned = guard_.owned(one.number);
  if (!owned && !std::exchange(one.looked, true)) asked(client_->top(one.number, 0), "pop3.look");
  return owned;
}

bool Pop3Customer::retrieve(const scenario::ProfileStep& step) {
  for (; one_there(); ++place_) {
    Listed& one = listed_[place_];
    if (step.dele && one.got && !one.marked && profile_.after.policy == AfterDownload::Policy::remove && dele(one))
      return true;
    if (one.got || (step.of == Of::fresh && known(one))) continue;
    if (const auto owned = ours(one)) return retr(one, *owned), true;
    if (current_ != 0) return true;
  }
  return false;
}

/// A header is looked at, whosever it is; lines of the text are ours.
bool Pop3Customer::show_lines(const scenario::ProfileStep& step) {
  for (; one_there(); ++place_) {
    Listed& one = listed_[place_];
    if (known(one) && step.of != Of::all) continue;
    if (step.count == 0) {
      one.looked = true;
      return asked(client_->top(listed_[place_++].number, 0), "pop3.top"), true;
    }
    if (const auto owned = ours(one)) return ++place_, lines(*owned, step.count), true;
    if (current_ != 0) return true;
  }
  return false;
}

/// All that the steps say of one message, then of the next. Whose it is is looked at before its text is asked for.
bool Pop3Customer::message_by_message(const scenario::ProfileStep& step) {
  for (; one_there(); ++place_, part_ = 0) {
    Listed& one = listed_[place_];
    if (part_ == 0 && (one.marked || (step.of == Of::fresh && known(one)))) continue;
    const auto owned = ours(one);
    if (current_ != 0) return true;
    while (owned && part_ < step.steps.size())
      if (ask_of(step.steps[part_++], one, *owned)) return true;
  }
  return false;
}

void Pop3Customer::retr(Listed& one, const play::OwnedNumber& owned) {
  one.got = one.retrieved = true;
  asked(client_->retr(owned.number()), "pop3.retr");
}

void Pop3Customer::lines(const play::OwnedNumber& owned, std::uint32_t count) {
  asked(client_->top(owned.number(), count), "pop3.top");
}

bool Pop3Customer::ask_of(const scenario::ProfileStep& step, Listed& one, const play::OwnedNumber& owned) {
  switch (step.ask) {
    case Ask::pop_list:
      return asked(client_->list(one.number), "pop3.list"), true;
    case Ask::uidl:
      return client_->has("UIDL") && (asked(client_->uidl(one.number), "pop3.uidl"), true);
    case Ask::top:
      one.got = one.got || step.count >= kWhole;
      return lines(owned, step.count), true;
    case Ask::retr:
      return retr(one, owned), true;
    case Ask::dele:
      return one.got && !one.marked && profile_.after.policy == AfterDownload::Policy::remove && dele(one);
    default:
      return false;
  }
}

bool Pop3Customer::dele_due() {
  const Time now = scene_.network.now();
  for (; one_there(); ++place_) {
    Listed& one = listed_[place_];
    if (one.marked || !expired(one, now)) continue;
    if (!guard_.looked_at(one.number) && !std::exchange(one.looked, true))
      return asked(client_->top(one.number, 0), "pop3.look"), true;
    if (dele(one)) return true;
  }
  return false;
}

bool Pop3Customer::dele(Listed& one) {
  one.marked = true;
  const auto owned = guard_.owned(one.number);
  if (!owned || !guard_.looked_at(one.number)) return false;
  if (one.parcel != 0) {
    Parcel& parcel = scene_.parcels.at(one.parcel - 1);
    parcel.marked = true;
    parcel.removed_by = session_;
  }
  return asked(client_->dele(owned->number()), "pop3.dele"), true;
}

void Pop3Customer::on_stat(std::uint32_t messages, std::uint64_t, Time) { stated_ = messages; }
void Pop3Customer::on_list(std::uint32_t number, std::uint64_t, Time) { row(number); }
void Pop3Customer::on_uidl(std::uint32_t number, std::string_view id, Time) { row(number).id = hash_of(id); }

void Pop3Customer::on_content_begin(std::uint32_t number, bool top, Time) {
  if (!scanner_) scanner_ = scene_.borrow_scanner();
  scanner_->begin();
  reading_ = number;
  const bool each = step_ < profile_.poll.size() && profile_.poll[step_].ask == Ask::each;
  const bool whole = each && part_ != 0 && profile_.poll[step_].steps[part_ - 1].count >= kWhole;
  top_ = top && !whole;
}

void Pop3Customer::on_content(std::string_view chunk) {
  if (scanner_) scanner_->add(chunk);
}

void Pop3Customer::on_content_end(std::uint64_t, Time now) {
  if (!scanner_) return;
  scanner_->end();
  if (Listed* one = find(reading_)) look_at(*scanner_, *one, now);
  scene_.give_back(std::move(scanner_));
}

void Pop3Customer::look_at(const mail::ContentScanner& scanner, Listed& one, Time now) {
  const auto identity = play::identify(scene_.parcels, scanner);
  guard_.saw(one.number, identity);
  const mail::Token* token = scanner.token();
  if (identity.whose == play::Whose::ours && guard_.is_ours(one.number)) {
    const std::size_t parcel = scene_.parcels.index(identity.message);
    if (scene_.parcels.at(parcel).account != account_) return scene_.leaked(*token, account_, session_);
    if (one.parcel == 0) note_double(static_cast<std::uint32_t>(parcel), one);
    one.parcel = static_cast<std::uint32_t>(parcel + 1);
    const Parcel& known = scene_.parcels.at(parcel);
    if (known.removal_certain && known.over_pop3 && !scene_.over) scene_.reappeared(parcel, session_);
    scene_.seen(parcel, session_, std::nullopt, now);
    if (!top_) scene_.content_seen(parcel, session_, scanner.hash(), now);
    if (!top_ && one.id != 0 && profile_.after.policy != AfterDownload::Policy::remove) {
      const auto place = std::lower_bound(kept_.begin(), kept_.end(), one.id,
                                          [](const Kept& k, std::uint64_t id) { return k.id < id; });
      if (place == kept_.end() || place->id != one.id) kept_.insert(place, Kept{one.id, now, one.parcel});
    }
  } else if (token && scene_.parcels.of_this_playing(*token) && token->owner != scene_.accounts[account_].address) {
    scene_.leaked(*token, account_, session_);
  }
}

/// RFC 1939 section 6: it is QUIT that asks for it.
void Pop3Customer::ask_for_removal(bool asked) {
  for (const Listed& one : listed_)
    if (one.marked && one.parcel != 0) scene_.parcels.at(one.parcel - 1).removal_asked = asked;
}

/// Two numbers of one maildrop, with the same message. One that is kept from an earlier session is known by its
/// unique-id, and is there if that is listed.
void Pop3Customer::note_double(std::uint32_t parcel, const Listed& one) {
  const auto place = std::lower_bound(mine_.begin(), mine_.end(), parcel);
  bool there = place != mine_.end() && *place == parcel;
  if (!there) mine_.insert(place, parcel);
  if (!there && one.id != 0 && scene_.parcels.at(parcel).was_seen)
    for (const Kept& kept : kept_)
      there = there || (kept.parcel == parcel + 1 && kept.id != one.id &&
                        std::any_of(listed_.begin(), listed_.end(), [&](const Listed& l) { return l.id == kept.id; }));
  if (there) scene_.twice(parcel, session_, "two messages of the maildrop are this one");
}

void Pop3Customer::on_done(const session::Pop3Completion& done, Time now) {
  if (done.id != current_ || current_ == 0) return;
  current_ = 0;
  const Times times{intended_, done.sent, now};
  intended_ = now;
  const bool text = done.command == "RETR" || done.command == "TOP";
  Listed* const about = done.argument == 0 ? nullptr : find(done.argument);
  if (text && done.outcome != Outcome::ok && about != nullptr)
    about->got = about->retrieved = false;  // what did not come is not deleted
  if ((done.command == "LIST" || done.command == "UIDL") && done.argument == 0 && done.outcome == Outcome::ok)
    told_ = true;
  if (done.outcome == Outcome::ok || (done.command == "LAST" && done.outcome == Outcome::fail)) {
    scene_.done(operation_, times);  // RFC 1725 took LAST away: no is an answer
  } else {
    const std::string what = class_of(done);
    scene_.example(fmt::format("{}: {}", done.command, what),
                   fmt::format("{}: {}", scene_.session_text(session_), printable(done.text)));
    done.outcome == Outcome::fail ? scene_.failed(operation_, times, what, &recorder_, account_)
                                  : scene_.lost(done.lost, operation_, times, what, &recorder_, account_);
  }
  if (done.command == "DELE" && done.outcome == Outcome::fail && about != nullptr) {
    // It was not even marked: QUIT removes it not.
    if (about->parcel != 0) scene_.parcels.at(about->parcel - 1).marked = false;
    about->parcel = 0;
  }
  if (leaving_) {
    if (done.outcome == Outcome::ok) {
      // RFC 1939 section 6: with QUIT all that was marked is removed.
      for (const Listed& one : listed_) {
        if (one.parcel == 0) continue;
        Parcel& parcel = scene_.parcels.at(one.parcel - 1);
        if (one.marked) {
          scene_.parcels.removed(one.parcel - 1);
          parcel.over_pop3 = true;
        }
        parcel.downloaded = parcel.downloaded || (one.retrieved && !one.marked);
      }
      rounding_ = false;
      scene_.done(scene_.operation("pop3.round"), {round_intended_, std::max(round_intended_, opened_), now});
    } else {
      // A QUIT that never left us asks for nothing. Nothing was removed: the poll did not come off.
      if (done.outcome == Outcome::fail && done.lost != EndReason::none) ask_for_removal(false);
      count_broken(now, class_of(done), done.outcome == Outcome::fail, done.lost);
    }
    return;
  }
  proceed(now);
}

void Pop3Customer::on_ended(const session::Ended& end, Time now) {
  scene_.session_over(session_);
  dead_ = true;
  if (!end.clean) {
    const std::string what = error_class(end);
    scene_.example(what, fmt::format("{}: {}", scene_.session_text(session_), end.message()));
    const Times times{ready_ ? now : intended_, ready_ ? now : opened_, now};
    const auto operation = scene_.operation(ready_ ? "pop3.connection" : "pop3.connect");
    end.login_refused ? scene_.failed(operation, times, what, &recorder_, account_)
    : ready_          ? scene_.unanswered(operation, times, what, &recorder_, account_)
                      : scene_.lost(end.reason, operation, times, what, &recorder_, account_);
  }
  count_broken(now, error_class(end), end.login_refused, end.reason);
  ready_ = false;
  arm(now);
}

std::unique_ptr<Customer> make_pop3_customer(Scene& scene, const scenario::Profile& profile, std::uint16_t number,
                                             std::uint32_t account, std::uint64_t seed) {
  return std::make_unique<Pop3Customer>(scene, profile, number, account, seed);
}

}  // namespace mailproof::load
