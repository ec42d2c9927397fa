// What the scenario says must be seen: met, late, missed, or not to be asked.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "core/bytes.h"
#include "history/no_room.h"
#include "judge/at_end.h"
#include "judge/came_later.h"
#include "judge/excuses.h"
#include "judge/judges.h"
#include "judge/leaving.h"
#include "judge/pop3_policy.h"
#include "judge/requests.h"
#include "judge/strangers.h"

namespace mailproof::judge {
namespace {

using history::Cell;
using history::Event;
using history::Fate;
using history::Type;
using history::What;

struct Answer {
  const Event* outcome = nullptr;
  const Event* again = nullptr;  ///< what a fresh session found after a miss
};

/// Nobody could look again: a fresh session was not served, or there was none.
bool looked_in_vain(const Answer& answer, bool sees) {
  return answer.again == nullptr ? sees : answer.again->code == "failed";
}

bool about_the_end(What what) {
  return what == What::fate || what == What::count || what == What::agree || what == What::intact;
}

/// What expectations came to and which steps were not done, of all of them at once.
class Course {
 public:
  explicit Course(const Case& c) : case_(c), late_(c), requests_(c), leaving_(c) {
    const auto concerned = c.history.where([](history::Kind kind) {
      return kind.type == Type::expect || completes(kind.type) || kind.what == What::asked_again ||
             kind.what == What::undone;
    });
    for (const Event& e : concerned) {
      if (e.type == Type::expect) answers_.try_emplace(e.index);
      if (const auto answer = answers_.find(e.command); answer != answers_.end() && e.index != e.command) {
        if (e.what == What::asked_again) answer->second.again = &e;
        if (completes(e) && e.what == c.history.event(e.command).what) answer->second.outcome = &e;
      }
      if (e.type == Type::info) unanswered_.insert(e.command);
      if (e.what == What::append && completes(e)) appended_[c.invoke(e).message].push_back(&e);
      if (e.what != What::undone) continue;
      undone_[0].push_back(&e);
      if (e.code != "refused") kept_.push_back(&e);
      for (const std::uint32_t message : history::parse_numbers(e.set))
        if (message != 0) undone_[message].push_back(&e);
    }
  }

  const LateMail& late() const { return late_; }
  const RequestsWhenNeeded& requests() const { return requests_; }
  const Leaving& leaving() const { return leaving_; }
  /// Why a refusal for want of room is nothing that the scenario can hold against the server; "" = it can.
  std::string no_room(const history::Attempt& refused) const {
    if (!estimated_) estimated_ = refused_by_an_estimate(case_);
    if (estimated_->contains(refused.event))
      return fmt::format("{} was refused by an estimate of the usage, as RFC 9208 section 5.1 allows",
                         case_.name_of(refused.message));
    const std::string why = full_of_what_was_filed(case_, refused);
    return why.empty() ? why : fmt::format("{} had no room: {}", case_.name_of(refused.message), why);
  }
  bool unanswered(std::uint32_t command) const { return unanswered_.contains(command); }
  /// What had come of APPEND of this message when the expectation was looked at, the one that was taken if any was;
  /// into the mailbox that it names, where nobody knows of that one. Null: there was none.
  const Event* appended(const Case& c, const Event& expectation, std::uint32_t message) const {
    const Event *out = nullptr, *here = nullptr;
    const auto better = [](const Event*& last, const Event* e) {
      if (last == nullptr || last->type != Type::ok) last = e;
    };
    const Event* looked = about_the_end(expectation.what) ? nullptr : answer_to(expectation).outcome;
    const auto all = appended_.find(message);
    if (all == appended_.end()) return nullptr;
    for (const Event* e : all->second) {
      if (looked != nullptr && e->index > looked->index) break;
      better(out, e);
      if (iequals(c.invoke(*e).mailbox, expectation.mailbox)) better(here, e);
    }
    return here != nullptr && here->type == Type::info ? here : out;
  }

  Answer answer_to(const Event& expectation) const {
    const auto answer = answers_.find(expectation.index);
    return answer == answers_.end() ? Answer{} : answer->second;
  }

  /// The last step before this one that a device could not do: what was to come of it proves nothing. message 0 = any.
  const Event* undone_before(const Event& expectation, std::uint32_t message) const {
    const auto all = undone_.find(message);
    return all == undone_.end() ? nullptr : last_before(expectation, all->second);
  }
  /// ... that was to make room, for all we know.
  const Event* kept_before(const Event& expectation) const { return last_before(expectation, kept_); }

 private:
  /// What asks about the end comes after all of them.
  static const Event* last_before(const Event& expectation, const std::vector<const Event*>& undone) {
    if (undone.empty()) return nullptr;
    if (about_the_end(expectation.what)) return undone.back();
    const auto after = std::partition_point(undone.begin(), undone.end(),
                                            [&](const Event* e) { return e->index <= expectation.index; });
    return after == undone.begin() ? nullptr : *std::prev(after);
  }

  const Case& case_;
  LateMail late_;
  RequestsWhenNeeded requests_;
  Leaving leaving_;
  mutable std::optional<std::set<std::uint32_t>> estimated_;             ///< asked for when something was refused
  std::map<std::uint32_t, Answer> answers_;                              ///< by expectation
  std::unordered_map<std::uint32_t, std::vector<const Event*>> undone_;  ///< by message; 0 = all
  std::vector<const Event*> kept_;  ///< of those, where mail may have stayed that was to go
  std::unordered_map<std::uint32_t, std::vector<const Event*>> appended_;  ///< by message
  std::unordered_set<std::uint32_t> unanswered_;                           ///< commands
};

std::string step_of(const Case& c, const Event& e) {
  if (e.step == 0 || e.step > c.history.info.steps.size()) return std::string(history::name(e.what));
  return fmt::format("step {} ({})", e.step, c.history.info.steps[e.step - 1]);
}

/// Is it where the expectation looks, by the audit and over the protocol of the session that missed it? Nothing: the
/// audit did not list that.
std::optional<bool> there_at_end(const Case& c, const Event& e, const Event& missed, std::uint32_t message,
                                 std::uint32_t account) {
  if (missed.session == 0 && e.session == 0) return std::nullopt;  // over which protocol nobody says
  const Cell* cell = c.ledger.find(message, account, e.mailbox.empty() ? "INBOX" : e.mailbox);
  if (cell == nullptr || !cell->enumerated) return std::nullopt;
  const bool pop = missed.session != 0 && c.history.session(missed.session).protocol == Protocol::pop3;
  if (pop) return cell->in_pop ? std::optional(cell->present_pop > 0) : std::nullopt;
  if (cell->by_pop) return std::nullopt;
  return cell->present > 0;
}

void not_done(Case& c, const Event& e, const Event& undone, std::uint32_t message) {
  const std::string why = undone.text.empty() ? fmt::format("{} never saw {}", c.who(undone),
                                                            message == 0 ? "a message" : c.name_of(message))
                                              : fmt::format("{}: {}", c.who(undone), printable(undone.text, 200));
  c.find("not-asked", {step_of(c, e),
                       fmt::format("{}: {}, so that {} was not done", step_of(c, e), why, step_of(c, undone)),
                       {undone.index, e.index},
                       message,
                       ""});
}

/// Why nobody owes this message to the account of the expectation (none: to any): the server put it off, or refused it
/// by a policy of its own, or nobody knows what became of it.
/// "" = it was taken, or refused for good for another reason, which the scenario did not ask for.
/// What went since, and was sent again, is owed by the newer answer.
std::string never_taken(const Case& c, const Course& course, const Event& expectation, std::uint32_t message) {
  const Event* outcome = about_the_end(expectation.what) ? nullptr : course.answer_to(expectation).outcome;
  std::uint32_t account = c.history.account_of(expectation);
  if (account == 0 && outcome != nullptr) account = c.history.account_of(*outcome);  // who was logged out then
  const auto of_it = [&](std::uint32_t other, std::uint32_t event) {
    return (account == 0 || other == account) && (outcome == nullptr || event < outcome->index);
  };
  std::uint32_t gone = 0;
  for (const Cell& cell : c.ledger.cells_of(message))
    if (of_it(cell.account, cell.removed_by)) gone = std::max(gone, cell.removed_by);
  std::string why;
  for (const auto& attempt : c.ledger.attempts_of(message)) {
    if (!of_it(attempt.account, attempt.event)) continue;
    if (attempt.outcome == Type::ok && attempt.event > gone) return {};
    why.clear();
    if (attempt.outcome == Type::ok) continue;
    // Without a reply nobody refused it: the session ended before it was asked for.
    const bool unasked = attempt.outcome == Type::fail && attempt.smtp_code == 0;
    // RFC 3463 sections 3.3 and 3.4: X.2.3 is a message too big for any mailbox of its recipient's kind, X.3.4 for the
    // system, whoever it is for.
    const Event& e = c.history.event(attempt.event);
    const std::string_view status = history::enhanced_status(e);
    const bool too_big = attempt.outcome == Type::fail && (status.ends_with(".2.3") || status.ends_with(".3.4"));
    const bool policy = attempt.outcome == Type::fail &&
                        history::says_policy(static_cast<std::uint32_t>(attempt.smtp_code), status, e.text);
    const bool with_full = attempt.outcome == Type::fail && refused_with_a_full_one(c, attempt);
    const std::string no_room = attempt.outcome == Type::fail && !unasked ? course.no_room(attempt) : std::string();
    if (attempt.outcome == Type::fail && !unasked && !too_big && !policy && !with_full && no_room.empty() &&
        attempt.smtp_code / 100 != 4)
      return {};
    why = !no_room.empty() ? no_room
          : too_big        ? fmt::format("{} is too big for the server: {} {}", c.name_of(message), attempt.smtp_code,
                                         printable(e.text, 200))
          : with_full      ? fmt::format("{} was refused together with a full mailbox: {}", c.name_of(message),
                                         printable(e.text, 200))
          : policy         ? fmt::format("{} was refused by policy: {} {}", c.name_of(message), attempt.smtp_code,
                                         printable(e.text, 200))
          : unasked        ? fmt::format("{} was not sent: {}", c.name_of(message), printable(e.text, 200))
          : attempt.outcome == Type::fail
              ? fmt::format("{} was put off: {} {}", c.name_of(message), attempt.smtp_code, printable(e.text, 200))
              : fmt::format("whether {} was taken nobody knows: {}", c.name_of(message), printable(e.text, 200));
  }
  if (const Event* e = course.appended(c, expectation, message)) {
    // What was saved in another mailbox was not delivered by that.
    const std::string_view in = expectation.mailbox.empty() ? std::string_view("INBOX") : expectation.mailbox;
    if (!why.empty() && expectation.what != What::fate && !iequals(c.invoke(*e).mailbox, in)) return why;
    if (e->type != Type::info) return {};
    why = fmt::format("whether {} was saved nobody knows: {}", c.name_of(message), printable(e->text, 200));
  }
  return why;
}

bool was_removed(const Case& c, std::uint32_t message, std::uint32_t account) {
  const auto cells = c.ledger.cells_of(message);
  return std::any_of(cells.begin(), cells.end(),
                     [&](const Cell& cell) { return cell.account == account && cell.removed_by != 0; });
}

/// Whether the answer to what asked for its removal is missing, and nothing else tells that it is gone: it may be there
/// or not.
bool perhaps_removed(const Case& c, const Course& course, std::uint32_t message) {
  const auto cells = c.ledger.cells_of(message);
  return std::any_of(cells.begin(), cells.end(), [&](const Cell& cell) {
    return cell.removed_by != 0 && course.unanswered(cell.removed_by) &&
           course.leaving().known_done(cell) == Leaving::kNever;
  });
}

/// RFC 3501 section 6.3.5: a name that exists, and others, may be refused. What was to be called so has its old name.
std::string not_renamed(const Case& c, const Event& e) {
  if (e.mailbox.empty()) return {};
  const std::uint32_t of = c.history.account_of(e) != 0 ? c.history.account_of(e) : 1;
  std::string out;
  for (const Event& answer : c.history.about(What::rename)) {
    if (answer.command == 0 || c.history.account_of(answer) != of) continue;
    const Event& asked = c.history.event(answer.command);
    if (asked.type != Type::invoke || !iequals(asked.other_mailbox, e.mailbox)) continue;
    if (answer.type == Type::ok) out.clear();
    if (answer.type == Type::fail)
      out = fmt::format("{} was not renamed to {}: {}", asked.mailbox, asked.other_mailbox, answer.text);
  }
  return printable(out, 300);
}

/// Why what is expected of this message is not owed; "" = it is. message 0 = of any.
/// `account`: whose view it is about.
std::string not_owed(const Case& c, const Course& course, const Event& e, std::uint32_t message,
                     std::uint32_t account) {
  if (const std::string why = not_renamed(c, e); !why.empty()) return why;
  if (message == 0) {
    for (std::uint32_t any = 1; any <= c.history.messages().size(); ++any)
      if (const std::string why = not_owed(c, course, e, any, account); !why.empty()) return why;
    return {};
  }
  if (e.what != What::lose) {
    const Fate wanted = e.get<history::FateFacts>().fate;
    const bool needs_it = e.what != What::fate || wanted == Fate::present || wanted == Fate::removed_by_client ||
                          wanted == Fate::expired_by_client_policy || wanted == Fate::moved;
    if (const std::string why = needs_it ? never_taken(c, course, e, message) : std::string(); !why.empty()) return why;
  }
  if (const std::string why = course.late().came_later(e, message, account); !why.empty()) return why;
  const Event* appended = course.appended(c, e, message);
  const bool saved = appended != nullptr && iequals(c.invoke(*appended).mailbox, "INBOX");
  if (const std::string why = saved ? std::string() : filed_elsewhere(c, e, message, account); !why.empty()) return why;
  for (const Cell& cell : c.ledger.cells_of(message))
    if (certainly_missing(cell) && gone_when_marked(c, cell) != nullptr)
      return fmt::format("{} was marked with \\Deleted, and somebody expunged it", c.name_of(message));
  for (const Cell& cell : c.ledger.cells_of(message)) {
    const Request* quit = certainly_missing(cell) ? course.requests().quit_that_took_marked(cell) : nullptr;
    if (quit != nullptr)
      return fmt::format("{} was marked with \\Deleted, and went with the QUIT of {}", c.name_of(message),
                         c.who(c.history.event(quit->invoke)));
  }
  for (const Cell& cell : c.ledger.cells_of(message))
    if (c.ledger.gone_after_download(cell))
      return fmt::format(
          "{} went with the QUIT of {}, which had downloaded it: the server's policy (RFC 1939 section 8)",
          c.name_of(message), c.who(c.history.event(cell.removed_by)));
  if (perhaps_removed(c, course, message))
    return fmt::format("whether {} was removed nobody knows: the session ended before the answer", c.name_of(message));
  return {};
}

/// It came after all, in the view that was to show it, though somebody may have removed it before the end. What another
/// protocol shows is another view.
bool seen_after(const Case& c, const Event& expectation, const Event& missed, std::uint32_t message,
                std::uint32_t account) {
  if (missed.session == 0) return false;
  const std::string mailbox = expectation.mailbox.empty() ? "INBOX" : expectation.mailbox;
  const auto sights = c.sights(message);
  return std::any_of(sights.begin(), sights.end(), [&](std::uint32_t sight) {
    const Event& e = c.history.event(sight);
    return e.index > missed.index && e.session != 0 &&
           c.history.session(e.session).protocol == c.history.session(missed.session).protocol &&
           c.history.session(e.session).account == account && iequals(e.mailbox.empty() ? "INBOX" : e.mailbox, mailbox);
  });
}

/// What was not done, so that nothing is owed of this message. One that found no room may have found it without that,
/// whether it was refused at once or reported later.
const Event* undone_for(const Case& c, const Course& course, const Event& e, std::uint32_t message) {
  if (const Event* own = course.undone_before(e, message)) return own;
  if (message == 0) return nullptr;
  bool refused = false;
  for (const auto& attempt : c.ledger.attempts_of(message)) {
    const bool bounced = attempt.outcome == Type::ok && c.ledger.fate(message, attempt.account) == Fate::bounced;
    if (attempt.outcome == Type::ok && !bounced) return nullptr;
    refused |= attempt.outcome == Type::fail || bounced;
  }
  return refused ? course.kept_before(e) : nullptr;
}

/// It is missing for a reason of which another judge tells, if anybody: that of removals, of losses.
bool said_by_another_judge(const Case& c, const Pop3Policy& policy, const Event& e, std::uint32_t message,
                           std::uint32_t account) {
  return message != 0 && (policy.refuses(message) || is_kept_where_it_was_saved(c, e, message, account));
}

/// A missed `see` or `lose`. There after all: late. Perhaps still on its way: nobody can say.
void missed_wait(Case& c, const Course& course, const Pop3Policy& policy, const Event& e, const Answer& answer) {
  const bool sees = e.what == What::see;
  const bool again = answer.again != nullptr && answer.again->code == "as-expected";
  const std::uint32_t asked_again = answer.again == nullptr ? 0 : answer.again->index;
  const std::vector<std::uint32_t> events{e.index, answer.outcome->index, asked_again};
  const std::string bound = format_seconds(e.get<history::BoundFacts>().bound);
  for (const std::uint32_t message : history::parse_numbers(answer.outcome->set)) {
    if (message == 0 || message > c.history.messages().size()) continue;
    const std::uint32_t account = c.history.account_of(e) != 0 ? c.history.account_of(e)  // who was logged out then
                                                               : c.history.account_of(*answer.outcome);
    if (sees ? said_by_another_judge(c, policy, e, message, account) : policy.shows(account, e.mailbox, message))
      continue;
    if (const Event* undone = undone_for(c, course, e, message)) {
      not_done(c, e, *undone, message);
      continue;
    }
    const auto name = [&] { return c.name_of(message); };
    if (answer.outcome->code == "went") {
      if (const std::string why = not_owed(c, course, e, message, account); !why.empty())
        c.find("not-asked", {step_of(c, e), fmt::format("{}: {}", step_of(c, e), why), {e.index}, message, ""});
      else
        c.find("did-not-stay", {step_of(c, e),
                                fmt::format("{}: {} {}", step_of(c, e), name(), printable(answer.outcome->text, 200)),
                                {e.index, answer.outcome->index, answer.again ? answer.again->index : 0},
                                message,
                                ""});
      continue;
    }
    auto end = there_at_end(c, e, *answer.outcome, message, account);
    if (sees && end && !*end && was_removed(c, message, account)) end.reset();  // it says nothing of before
    const bool afterwards = sees && e.flags.empty() && seen_after(c, e, *answer.outcome, message, account);
    const bool came = again || afterwards || (end && *end == sees && (e.flags.empty() || flags_at_end(c, e, message)));
    const auto missed = [&] {
      return fmt::format("{}: {} {} {} within {}", step_of(c, e), name(), sees ? "not seen" : "still seen",
                         sees ? "as expected" : "", bound);
    };
    const std::string put_off = came && sees ? never_taken(c, course, e, message) : std::string();
    if (!put_off.empty()) {
      c.find("not-asked", {fmt::format("{} seen within {}", name(), bound), fmt::format("{}; {}", missed(), put_off),
                           events, message, ""});
    } else if (came) {
      c.find("late", {fmt::format("{} {} within {}", name(), sees ? "seen" : "gone", bound),
                      missed() + (again        ? "; a fresh session has it right"
                                  : afterwards ? "; it was seen later"
                                               : "; the audit has it right"),
                      events, message, ""});
    } else if (!end && looked_in_vain(answer, sees)) {
      c.find("not-asked", {fmt::format("{} {} within {}", name(), sees ? "seen" : "gone", bound),
                           missed() + "; nobody could look again", events, message, ""});
    } else if (sees && c.ledger.fate(message, account) == Fate::queued) {
      c.find("not-asked", {fmt::format("{} seen within {}", name(), bound), missed() + "; it may still be queued",
                           events, message, ""});
    } else if (const std::string why = not_owed(c, course, e, message, account); !why.empty()) {
      c.find("not-asked", {fmt::format("{} {} within {}", name(), sees ? "seen" : "gone", bound),
                           fmt::format("{}; {}", missed(), why), events, message, ""});
    } else {
      c.find_each(sees ? "not-seen" : "still-seen", message, {e.index, answer.outcome->index, asked_again}, [&] {
        return Words{fmt::format("{} {} within {}{}{}", name(), sees ? "seen" : "gone", bound,
                                 e.flags.empty() ? "" : " with ", e.flags),
                     missed()};
      });
    }
  }
}

std::string_view class_of(What what) {
  switch (what) {
    case What::outcome:
      return "outcome";
    case What::found:
      return "not-found";
    case What::downloaded:
      return "not-downloaded";
    case What::fate:
      return "fate";
    case What::count:
      return "count";
    case What::intact:
      return "not-intact";
    default:
      return "disagree";
  }
}

/// "plaintext" says that the login was tried without TLS, which a server may allow.
std::string_view class_of_welcome(const Event& e) {
  return e.code == "refused" && e.flags == "plaintext" ? "plaintext-login" : "welcome";
}

void not_asked(Case& c, const Event& e, const std::string& why) {
  c.find("not-asked", {step_of(c, e), fmt::format("{}: {}", step_of(c, e), why), {e.index}, 0, ""});
}

/// RFC 2449 section 6.5: a server may refuse a login that follows another one too soon.
bool too_soon(const Event& e, const Event& outcome) {
  return e.what == What::welcome && e.code == "accepted" &&
         upper(outcome.text).find("[LOGIN-DELAY") != std::string::npos;
}

/// RFC 5321 section 4.2.1: a 4yz reply asks to try again, as from who greylists (RFC 6647). One about a full mailbox is
/// what stories of limits are about. The first such before this event, in words; "" = none.
std::string put_off(const Case& c, const Event& before) {
  for (const auto& attempt : c.ledger.attempts()) {
    const Event& reply = c.history.event(attempt.event);
    if (attempt.outcome == Type::fail && attempt.smtp_code / 100 == 4 && attempt.event <= before.index &&
        !history::says_no_room(attempt.smtp_code, history::enhanced_status(reply), reply.text))
      return fmt::format("{} was put off: {} {}", c.name_of(attempt.message), attempt.smtp_code,
                         printable(reply.text, 200));
  }
  return {};
}

/// What was to fill a mailbox before, and was refused or put off for another reason than that it is full, or may be
/// queued; "" = nothing was.
std::string never_filled(const Case& c, const Event& e) {
  for (const Event& before : c.history.about(What::undone, What::outcome)) {
    if (before.index >= e.index) break;
    if (before.what == What::undone && before.code == "refused")
      return fmt::format("{}: {}", c.who(before), printable(before.text, 200));
    if (before.what == What::outcome && before.type == Type::info)
      return fmt::format("{}: {}", step_of(c, before), printable(before.text, 200));
  }
  return put_off(c, e);
}

/// Other people's mail in a mailbox that one of these was for; null: none was seen.
const Event* beside(const Case& c, const Strangers& strangers, const std::vector<std::uint32_t>& messages) {
  for (const std::uint32_t message : messages)
    for (const auto& attempt : c.ledger.attempts_of(message))
      if (const Event* stranger = strangers.in(attempt.account)) return stranger;
  return nullptr;
}

void missed(Case& c, const Course& course, const Strangers& strangers, const Pop3Policy& policy, const Event& e,
            const Answer& answer) {
  if (e.what == What::see || e.what == What::lose) return missed_wait(c, course, policy, e, answer);
  const std::string actual = fmt::format("{}: {}", step_of(c, e), printable(answer.outcome->text, 300));
  const std::string expected = e.code.empty() ? step_of(c, e) : fmt::format("{} {}", e.code, printable(e.text, 100));
  if (e.what == What::outcome && e.code != "accepted")
    if (const std::string why = never_filled(c, e); !why.empty())
      return not_asked(c, e, fmt::format("{}; {}", printable(answer.outcome->text, 300), why));
  if (const std::string& why = e.get<history::OutcomeFacts>().may_differ; !why.empty()) {
    c.find("may-differ", {expected, fmt::format("{}; {}", actual, why), {e.index, answer.outcome->index}, 0, ""});
    return;
  }
  if (too_soon(e, *answer.outcome)) return not_asked(c, e, printable(answer.outcome->text, 300));
  // What was to be removed before, and was not, fills the mailbox.
  if (const Event* undone = e.what == What::outcome ? course.kept_before(e) : nullptr)
    return not_done(c, e, *undone, 0);
  if (e.what == What::outcome)
    if (const std::string why = put_off(c, *answer.outcome); !why.empty())
      return not_asked(c, e, fmt::format("{}; {}", printable(answer.outcome->text, 300), why));
  if (e.what == What::outcome)  // a quota counts it
    if (const Event* stranger = beside(c, strangers, history::parse_numbers(e.set)))
      return not_asked(c, e, fmt::format("{}; {}", printable(answer.outcome->text, 300), came_in(c, *stranger)));
  if (e.what == What::outcome && e.code == "accepted")
    for (const std::uint32_t message : history::parse_numbers(e.set))
      for (const auto& attempt : c.ledger.attempts_of(message))
        if (const std::string why = attempt.outcome == Type::fail ? course.no_room(attempt) : std::string();
            !why.empty())
          return not_asked(c, e, fmt::format("{}; {}", printable(answer.outcome->text, 300), why));
  auto messages = history::parse_numbers(answer.outcome->set);
  if (messages.empty()) messages.push_back(0);
  for (const std::uint32_t message : messages) {
    if (policy.refuses(message)) continue;
    // What a search finds beyond may be what the server refused to change; that has no number here.
    const Event* undone = message != 0 || e.what == What::found ? course.undone_before(e, message) : nullptr;
    if (message == 0 && undone != nullptr && !undone->code.starts_with("refused")) undone = nullptr;
    const bool counts = (e.what == What::downloaded || e.what == What::found) && message != 0;
    std::string why = counts ? not_owed(c, course, e, message, c.history.account_of(e)) : std::string();
    // All, or what is new: what another client took meanwhile is none of it.
    const bool of_all = counts && e.what == What::downloaded && e.set.empty();
    if (of_all && why.empty() && may_be_gone(c, *answer.outcome, message)) continue;
    if (undone != nullptr) {
      not_done(c, e, *undone, message);
      continue;
    }
    if (!why.empty()) {
      not_asked(c, e, why);
      continue;
    }
    c.find(e.what == What::welcome                                      ? class_of_welcome(e)
           : e.what == What::agree && answer.outcome->code == "delta"   ? "delta-differs"
           : e.what == What::found && answer.outcome->code == "refused" ? "search-refused"
                                                                        : class_of(e.what),
           {expected, actual, {e.index, answer.outcome->index}, message, ""});
  }
}

}  // namespace

void judge_expectation(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "expectation", out);
  const Course course(c);
  const Vanished gone = vanished(c);
  const Strangers strangers(c);
  const Pop3Policy policy(c);
  for (const Event& e : history.where([](history::Kind kind) { return kind.type == Type::expect; })) {
    if (e.what == What::usage) continue;  // usage is the quota judge's
    const Answer answer = course.answer_to(e);
    if (answer.outcome != nullptr) {
      if (answer.outcome->type == Type::fail) missed(c, course, strangers, policy, e, answer);
      if (answer.outcome->type == Type::info) not_asked(c, e, printable(answer.outcome->text, 300));
      continue;
    }
    // What asks about the end is answered by the whole history.
    const bool counts = e.what == What::fate || e.what == What::count || e.what == What::agree;
    const auto miss = [&](std::uint32_t message, std::uint32_t event, const std::function<Words()>& words) {
      if (counts ? said_by_another_judge(c, policy, e, message, c.history.account_of(e)) : policy.refuses(message))
        return;
      if (const Event* undone = undone_for(c, course, e, message)) return not_done(c, e, *undone, message);
      if (const std::string why = counts ? not_owed(c, course, e, message, c.history.account_of(e)) : std::string();
          !why.empty())
        return not_asked(c, e, fmt::format("{}; {}", words().actual, why));
      c.find_each(class_of(e.what), message, {e.index, event}, [&] {
        const auto [wanted, actual] = words();
        return Words{wanted, fmt::format("{}: {}", step_of(c, e), actual)};
      });
    };
    const std::string unclear = at_end(c, gone, strangers, policy, course.leaving(), e, miss);
    if (!unclear.empty()) not_asked(c, e, unclear);
  }
}

}  // namespace mailproof::judge
