#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "history/settled.h"
#include "history/usage.h"
#include "play/player.h"

// What follows the steps: the devices leave, what became of each message is looked up, and what is ours is taken away.

namespace mailproof::play {

using history::Type;
using history::What;

namespace {

/// RFC 9208 section 8 lets a server tell a usage that it has cached: told another one than the messages come to, it is
/// asked once more after the settling time, where the scenario is about quotas.
bool usage_differs(const history::History& history, const history::Ledger& ledger) {
  const auto& all = history.info.accounts;
  const bool limited =
      std::any_of(all.begin(), all.end(), [](const auto& account) { return account.quota.value_or(0) != 0; });
  if (!limited && history.about(What::usage, What::get_quota).empty()) return false;
  const auto usages = history::audited_usages(history, ledger);
  return std::any_of(usages.begin(), usages.end(), [&history](const auto& of) {
    const auto& [account, usage] = of;
    // What the accounts of a customer have together is more.
    return usage.comparable() && history.account(account).customer == 0 && (!usage.fits() || !usage.counted());
  });
}

}  // namespace

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
    const bool again = round_ == 1 &&
                       (!ledger_.missing().empty() || may_be_reported() || usage_differs(history_, ledger_)) &&
                       !stuck();
    if (!again) return clean();
    if (lost && !may_be_reported() && !usage_differs(history_, ledger_) && options_.learnt != nullptr &&
        options_.learnt->loses()) {
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
      context_.network.set_alarm(*this, context_.network.now() + context_.scaled(longest()));
      audit();
    };
    context_.network.set_alarm(*this, context_.network.now() + settle);
  });
}

/// The settling time; of what SMTP took and nobody saw a minute at least; and where the target says how long its MTA
/// tries, and that is no longer than people wait, until it has given up, and its report had the settling time.
Duration Player::until_absence_counts() const {
  constexpr Duration kLongest = std::chrono::minutes(10);
  const Duration settle = context_.scaled(context_.target.settle);
  const auto gives_up = context_.target.gives_up_after;
  const Duration queued = gives_up && *gives_up <= kLongest ? *gives_up + settle : context_.queued();
  Duration wait = settle;
  for (const history::Cell* cell : ledger_.missing())
    for (const history::Attempt& attempt : ledger_.attempts_of(cell->message)) {
      const history::Event& e = history_.event(attempt.event);
      const bool smtp = e.session != 0 && history_.session(e.session).protocol == Protocol::smtp;
      if (smtp && attempt.outcome == Type::ok && cell->first_seen < attempt.event)
        wait = std::max(wait, e.at + queued - context_.network.now());
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
      if (scenario_.steps.empty() && !own_mailboxes && !talk_->sent_mail())
        return leave_empty(false);  // nothing was put there
      return auditor_.clean_after_talk(own_mailboxes, [this] { talk_->sent_mail() ? finish() : leave_empty(true); });
    }
    auditor_.clean([this] { finish(); });
  });
}

/// A line of it may put something into a mailbox, though it is meant to be refused.
static bool may_put(const scenario::Check& check) {
  constexpr std::string_view words[] = {"APPEND", "REPLACE", "COPY", "MOVE", "CREATE",
                                        "RENAME", "RCPT",    "DATA", "BDAT"};
  return std::any_of(check.talk.begin(), check.talk.end(), [&](const scenario::TalkLine& line) {
    const std::string text = upper(line.text);
    return std::any_of(std::begin(words), std::end(words),
                       [&](std::string_view word) { return text.find(word) != std::string::npos; });
  });
}

/// Nothing is handed on where a server may still do, or have done, what nobody knows of: what was sent by SMTP comes
/// later, and a command that was not answered may be carried out yet.
void Player::leave_empty(bool cleaned) {
  const bool unknown = std::any_of(history_.events().begin(), history_.events().end(),
                                   [](const history::Event& e) { return e.type == Type::info; });
  if (!stuck() && !unknown && (cleaned || !may_put(*scenario_.check))) left_empty_ = auditor_.seen_empty();
  finish();
}

/// What a talk's SMTP server took comes when it comes: it is to be taken away as well, and to disturb nobody.
void Player::await_mail(Time since) {
  auditor_.verify([this, since] {
    std::set<std::uint32_t> arrived;
    for (const Sight& sight : seen_since(0))
      if (sight.message > messages_before_talk_) arrived.insert(sight.message);
    const bool late = context_.network.now() >= since + context_.scaled(context_.target.settle);
    if (stuck() || late || arrived.size() >= talk_->taken_mail()) return clean();
    alarm_ = [this, since] { await_mail(since); };
    context_.network.set_alarm(*this, context_.network.now() + std::chrono::milliseconds(250));
  });
}

}  // namespace mailproof::play
