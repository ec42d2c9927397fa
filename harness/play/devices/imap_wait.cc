#include <fmt/format.h>

#include <algorithm>

#include "core/units.h"
#include "play/devices/imap_device.h"
#include "scenario/plan/profile.h"

// see and lose: a condition with a bound, never a sleep. A device in IDLE listens; any other asks again once a second,
// or as often as its kind of client does.

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
constexpr Duration kAskEvery = std::chrono::seconds(1);

What what_of(bool see) { return see ? What::see : What::lose; }

bool has_flags(const MailboxReader& reader, std::uint32_t message, const std::vector<std::string>& flags) {
  for (const auto& entry : reader.items()) {
    const MailboxReader::Item& item = entry.second;
    if (item.message != message) continue;
    return std::all_of(flags.begin(), flags.end(), [&](const auto& flag) { return item.flags.contains(lower(flag)); });
  }
  return false;
}

std::vector<std::uint32_t> unmet(const MailboxReader& reader, bool see, const std::vector<std::string>& flags,
                                 const std::vector<std::uint32_t>& messages) {
  std::vector<std::uint32_t> out;
  for (const auto message : messages) {
    const bool met = see ? reader.has(message) && has_flags(reader, message, flags) : !reader.has(message);
    if (!met) out.push_back(message);
  }
  return out;
}

}  // namespace

/// One that does not listen, and looks as often as its kind of client does.
bool ImapDevice::looks_rarely() const { return device_.profile != nullptr && device_.idle.empty(); }

/// In a wait that is over at `end`. Who looks rarely looks once more shortly before that: what came since its last look
/// is there in time.
Time ImapDevice::next_look(Time end) const {
  const Time now = context_.network.now();
  if (!looks_rarely()) return std::min(end, now + kAskEvery);
  const Duration every = std::min(device_.profile->every, context_.scaled(device_.profile->every));
  const Time last = end - kAskEvery;
  return now < last ? std::min(last, now + every) : end;
}

void ImapDevice::wait_for(const scenario::Step& step, Finish done) {
  Wait wait;
  wait.what = &step.get<scenario::Await>();
  wait.see = step.verb == scenario::Verb::see;
  wait.messages = context_.messages.numbers(wait.what->messages);
  const Duration bound = context_.scaled(wait.what->within);
  wait.since = context_.network.now();
  wait.bound = bound;
  wait.left = wait.messages.size();
  wait.deadline = wait.since + (wait.see ? context_.enough(bound) : bound);
  wait.expectation = expect(context_, what_of(wait.see),
                            {.text = step.text,
                             .messages = wait.messages,
                             .mailbox = wait.what->mailbox,
                             .flags = wait.what->flags,
                             .session = session_number(),
                             .bound = bound});
  wait.done = std::move(done);
  wait_ = std::move(wait);
  context_.network.set_alarm(*this, next_look(wait_->deadline));
  if (!busy_) poll();
}

std::vector<std::uint32_t> ImapDevice::not_yet() const {
  if (!in_view()) return wait_->messages;
  return unmet(*reader_, wait_->see, wait_->what->flags, wait_->messages);
}

/// None of them is in the view, with whatever flags.
bool ImapDevice::nowhere(const std::vector<std::uint32_t>& messages) const {
  return std::none_of(messages.begin(), messages.end(),
                      [&](auto message) { return reader_ != nullptr && reader_->has(message); });
}

bool ImapDevice::stale(bool (*matters)(What)) const {
  return session_ != nullptr && session_->ready() && others().changed_since_told(matters);
}

void ImapDevice::refresh() {
  busy_ = true;
  const auto idle_again = [this] {
    rest([this] {
      busy_ = false;
      check_wait();
    });
  };
  session_->noop([this, idle_again](const Completion& result) {
    if (!result.ok()) return idle_again();
    reader_->catch_up([this, idle_again](bool) {
      busy_ = false;
      if (check_wait() || busy_) return;
      busy_ = true;
      idle_again();
    });
  });
}

bool ImapDevice::check_wait() {
  if (!wait_ || busy_) return false;
  const std::size_t left = not_yet().size();
  if (wait_->see && left < std::exchange(wait_->left, left) && context_.options.learnt != nullptr && !looks_rarely())
    context_.options.learnt->arrived(context_.network.now() - wait_->since);
  if (left != 0) {
    if (!wait_->stays_until || !in_view()) return false;
    went();
    return true;
  }
  // What is awaited is about now: `see` may be shown what has gone since, `lose` may miss what has come.
  if (stale(wait_->see ? may_take : adds)) {
    refresh();
    return true;
  }
  const Time now = context_.network.now();
  if (wait_->what->stays != Duration{} && !wait_->stays_until) {
    wait_->stays_until = now + context_.scaled(wait_->what->stays);
    context_.network.set_alarm(*this, next_look(*wait_->stays_until));
  }
  if (wait_->stays_until && now < *wait_->stays_until) return false;
  met();
  return true;
}

/// The mailbox that the wait is about is open, and this session knows what is in it.
bool ImapDevice::in_view() const {
  return reader_ != nullptr && !session_->over() && iequals(reader_->mailbox(), box(wait_->what->mailbox));
}

/// It was there, and is not any more.
void ImapDevice::went() {
  const auto missing = not_yet();
  Wait wait = *std::exchange(wait_, std::nullopt);
  const Duration stays = context_.scaled(wait.what->stays);
  const Duration seen = stays - (*wait.stays_until - context_.network.now());
  context_.network.set_alarm(*this, std::nullopt);
  outcome(context_, What::see, wait.expectation, Type::fail, missing,
          fmt::format("not there any more after {} of {}", format_seconds(seen), format_duration(stays)),
          session_number(), "went");
  ask_again(std::move(wait), missing);
}

void ImapDevice::met() {
  const Wait wait = *std::exchange(wait_, std::nullopt);
  context_.network.set_alarm(*this, std::nullopt);
  outcome(context_, what_of(wait.see), wait.expectation, Type::ok, {}, "", session_number());
  busy_ = true;
  rest([this, done = wait.done] {
    busy_ = false;
    done();
  });
}

/// Asks again: webmail by a new login, an idling device not at all once it idles, any other by NOOP.
void ImapDevice::poll() {
  if (!wait_ || busy_) return;
  const std::string wanted = box(wait_->what->mailbox);
  busy_ = true;
  const auto asked = [this](bool ok) {
    busy_ = false;
    if (!context_.problem.empty() && !ok && wait_) {
      const Wait wait = *std::exchange(wait_, std::nullopt);
      context_.network.set_alarm(*this, std::nullopt);
      outcome(context_, what_of(wait.see), wait.expectation, Type::info, wait.messages, context_.problem,
              session_number());
      return wait.done();
    }
    check_wait();
  };
  if (device_.webmail) {
    return log_out([this, wanted, asked] { in_mailbox(wanted, asked); });
  }
  const bool here = session_ != nullptr && session_->ready() && iequals(session_->view().mailbox, wanted);
  if (here && session_->client().idling()) return asked(true);
  if (!here) {
    // Back in its own mailbox a device idles again; in another one it stays, and asks, until the wait is over.
    return in_mailbox(wanted, [this, wanted, asked](bool ok) {
      if (ok && iequals(wanted, device_.idle)) return rest([asked] { asked(true); });
      asked(ok);
    });
  }
  session_->noop([this, asked](const Completion& result) {
    if (!result.ok()) return asked(false);
    reader_->catch_up(asked);
  });
}

void ImapDevice::ring(Time now) {
  if (!wait_) return;
  if (!wait_->stays_until && now >= wait_->deadline) return missed();
  const Time end = wait_->stays_until.value_or(wait_->deadline);
  context_.network.set_alarm(*this, now < end ? next_look(end) : now + kAskEvery);
  if (!busy_) poll();
}

void ImapDevice::missed() {
  const auto missing = not_yet();
  const Time end = wait_->since + wait_->bound;
  if (context_.network.now() < end && !nowhere(missing)) {  // what is there is waited for to the end
    wait_->deadline = end;
    return ring(context_.network.now());
  }
  const bool early = context_.network.now() < end;
  Wait wait = *std::exchange(wait_, std::nullopt);
  context_.network.set_alarm(*this, std::nullopt);
  if (missing.empty()) {  // it came in the very moment
    outcome(context_, what_of(wait.see), wait.expectation, Type::ok, {}, "", session_number());
    return wait.done();
  }
  // Less than the scenario's bound was waited: that says nothing of the server by itself.
  const std::string why = early ? waited_only(context_.network.now() - wait.since) : "";
  outcome(context_, what_of(wait.see), wait.expectation, early ? Type::info : Type::fail, missing, why,
          session_number());
  ask_again(std::move(wait), missing);
}

/// Absence in one view says nothing yet: a fresh session is asked for the same.
void ImapDevice::ask_again(Wait wait, std::vector<std::uint32_t> missing) {
  const std::string wanted = box(wait.what->mailbox);
  sessions_.push_back(
      std::make_unique<RecordedImap>(context_, 0, account_, 0, *context_.endpoint(Protocol::imap, device_.tls)));
  RecordedImap* fresh = sessions_.back().get();
  readers_.push_back(std::make_unique<MailboxReader>(*fresh));
  MailboxReader* reader = readers_.back().get();
  const auto finish = [this, fresh, reader, wait = std::move(wait), missing = std::move(missing)](bool ok) {
    auto e = context_.event(Type::obs, What::asked_again, fresh->number());
    e.command = wait.expectation;
    std::vector<std::uint32_t> there;
    for (const auto message : missing)
      if (ok && reader->has(message)) there.push_back(message);
    e.set = history::format_numbers(there);
    const auto still = ok ? unmet(*reader, wait.see, wait.what->flags, missing) : missing;
    e.code = !ok ? "failed" : still.empty() ? "as-expected" : "not-as-expected";
    e.text = "a fresh IMAP session was asked";
    context_.append(std::move(e));
    if (fresh->over()) return wait.done();
    fresh->logout([done = wait.done](const Completion&) { done(); });
  };
  fresh->open([reader, wanted, finish](const Completion& result) {
    if (!result.ok()) return finish(false);
    reader->open(wanted, true, finish);
  });
}

}  // namespace mailproof::play
