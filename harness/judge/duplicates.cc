// I3: copies never exceed what was put there. I6: what is gone stays gone.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "core/bytes.h"
#include "judge/came_later.h"
#include "judge/copies.h"
#include "judge/judges.h"
#include "judge/misplaced.h"
#include "judge/view_track.h"

namespace mailproof::judge {

namespace {

/// Two sessions moved one message at the same time, each was told where its copy is, and both are there.
void moved_twice(Case& c) {
  using Source = std::tuple<std::uint32_t, std::string, std::string, std::uint32_t>;  // account, from, to, UID
  std::map<Source, const history::Event*> moved;
  for (const history::Event& e : c.history.about(history::What::move)) {
    if (e.type != history::Type::ok) continue;
    const std::string& destinations = e.get<history::CopyFacts>().destinations;
    const auto from = history::parse_uids(e.set), made = history::parse_uids(destinations);
    if (made.empty() || from.size() != made.size()) continue;
    const history::Event& asked = c.invoke(e);
    const history::Event* same = &e;  // that names the same copies: sets may be long, and their UIDs many
    for (std::size_t i = 0; i < from.size(); ++i) {
      const auto [first, fresh] =
          moved.try_emplace({c.history.account_of(e), asked.mailbox, asked.other_mailbox, from[i]}, &e);
      if (fresh || first->second == same) continue;
      if (first->second->get<history::CopyFacts>().destinations == destinations) {
        same = first->second;
        continue;
      }
      const std::uint32_t message =
          c.ledger.message_at(c.history.account_of(e), asked.other_mailbox, e.uidvalidity, made[i]);
      c.find("moved-twice",
             {fmt::format("one copy in {}: one of the two MOVEs finds nothing to move", asked.other_mailbox),
              fmt::format("{} and {} both moved UID {} of {}, and each made a copy", c.who(*first->second), c.who(e),
                          from[i], asked.mailbox),
              {first->second->index, e.index},
              message,
              ""});
    }
  }
}

/// What a refused APPEND or COPY was to put into a mailbox that nothing else put it into.
void refused_but_there(Case& c) {
  const auto refused = c.history.where([](history::Kind kind) {
    return kind.type == history::Type::fail && (kind.what == history::What::append || kind.what == history::What::copy);
  });
  if (refused.empty()) return;
  ViewTrack track(c.history);
  std::map<std::uint32_t, std::pair<std::string, std::uint32_t>> asked;  // COPYs: from which mailbox, UIDVALIDITY
  const auto look = [&](const history::Event& e, std::uint32_t message, const std::string& mailbox) {
    const history::Cell* cell = message == 0 ? nullptr : c.ledger.find(message, c.history.account_of(e), mailbox);
    const bool there = cell != nullptr && cell->enumerated && !cell->by_pop && cell->present > 0;
    if (!there || cell->adds + cell->maybe_adds > 0) return;
    const auto copies = c.ledger.cells_of(message);  // what was removed elsewhere may have gone there
    if (std::any_of(copies.begin(), copies.end(), [&](const history::Cell& other) {
          return other.account == cell->account && c.ledger.in_trash(other) == cell;
        }))
      return;
    c.find("refused-but-there",
           {fmt::format("no {} in {}'s {}: it was refused", c.name_of(message), c.account(cell->account), mailbox),
            fmt::format("{} asked {} to put it there and was told NO at {}; it is there", c.who(e),
                        history::name(e.what), c.when(e)),
            {e.command, e.index, cell->last_seen},
            message,
            ""});
  };
  for (const history::Event& e : c.history.events()) {
    if (e.what == history::What::append && e.type == history::Type::fail)
      look(e, c.invoke(e).message, c.invoke(e).mailbox);
    if (e.what == history::What::copy) {
      const View* view = track.view(e.session);
      if (e.type == history::Type::invoke && view != nullptr)
        asked.try_emplace(e.index, view->mailbox, view->uidvalidity);
      const auto from = asked.find(e.command);
      if (e.type == history::Type::fail && from != asked.end())
        for (const std::uint32_t uid : history::parse_uids(c.invoke(e).set))
          look(e, c.ledger.message_at(c.history.account_of(e), from->second.first, from->second.second, uid),
               c.invoke(e).other_mailbox);
    }
    track.apply(e);
  }
}

/// What one MTA hands to the next it hands over again when the answer does not come in time (RFC 5321 section 6.1, RFC
/// 1047): behind the one that we were answered by, or because the server was killed before anybody saw the message, or
/// stopped in order just after it had answered.
/// How many copies that may have made; what APPEND, COPY and MOVE put there no MTA repeats.
int handed_over_again(const Case& c, const history::Cell& cell) {
  if (!iequals(c.ledger.mailbox_name(cell.mailbox), "INBOX")) return 0;
  int accepted = 0, again = 0;
  for (const history::Attempt& attempt : c.ledger.attempts_of(cell.message)) {
    if (attempt.account != cell.account || attempt.outcome == history::Type::fail) continue;
    ++accepted;
    if (over_smtp(c, c.history.event(attempt.event)) || may_have_lost_its_answer(c, attempt.event, cell.first_seen))
      ++again;
  }
  return cell.adds + cell.maybe_adds > accepted ? 0 : again;
}

}  // namespace

void judge_duplicates(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "duplicates", out);
  moved_twice(c);
  if (history.info.recorded) return;  // what was there before, and what others put there, nobody knows
  refused_but_there(c);
  judge_misplaced(c);
  const Sightings seen = most_at_once(c);
  const auto put_there = [&](const history::Cell& cell) {
    const int put = cell.adds + cell.maybe_adds;
    // What POP3 removed from INBOX a server may have put into another mailbox.
    const history::Cell* inbox = ledger.find(cell.message, cell.account, "INBOX");
    return put == 0 || inbox == nullptr || inbox == &cell ? put : put + inbox->pop_removes;
  };
  const auto most_there = [&](const history::Cell& cell) {
    const auto at_once = seen.find({cell.message, cell.account, ledger.mailbox_name(cell.mailbox)});
    return std::max(cell.enumerated ? int{cell.present} : 0, at_once == seen.end() ? 0 : at_once->second.copies);
  };
  // An answer is lost now and then, and not more often than not.
  constexpr std::size_t kEachTime = 3;
  std::set<std::uint32_t> perhaps, doubled;  // commands: one answer is for all recipients of a mail
  for (const history::Cell& cell : ledger.cells()) {
    if (put_there(cell) == 0 || most_there(cell) == 0 || handed_over_again(c, cell) == 0) continue;
    for (const history::Attempt& attempt : ledger.attempts_of(cell.message)) {
      if (attempt.account != cell.account) continue;
      perhaps.insert(history.event(attempt.event).command);
      if (most_there(cell) > put_there(cell)) doubled.insert(history.event(attempt.event).command);
    }
  }
  const bool each = doubled.size() >= kEachTime && 2 * doubled.size() > perhaps.size();
  for (const history::Cell& cell : ledger.cells()) {
    const int put = put_there(cell);
    if (put == 0) continue;  // a leak, a filter's doing, or a refused message: other judges look
    const std::string& mailbox = ledger.mailbox_name(cell.mailbox);
    const auto at_once = seen.find({cell.message, cell.account, mailbox});
    const int present = cell.enumerated ? cell.present : 0;
    const int most = most_there(cell);
    const bool resurrected = present - cell.kept() > cell.most() && cell.reappeared;
    const bool again =
        cell.tried_again && cell.adds > 0 && cell.maybe_adds > 0 && present > cell.adds - cell.removes && present > 1;
    if (most <= put && !resurrected && !again) continue;
    const std::string box = fmt::format("{}'s {}", c.account(cell.account), mailbox);
    const std::string name = c.name_of(cell.message);
    if (most > put) {
      c.find(!each && most <= put + handed_over_again(c, cell) ? "after-lost-answer" : "duplicated",
             {fmt::format("at most {} of {} in {}", put, name, box),
              fmt::format("{} copies of {}; it was put there {} time{}", most, name, put, put == 1 ? "" : "s"),
              {cell.added_by, at_once == seen.end() ? cell.last_seen : at_once->second.event},
              cell.message,
              ""});
    } else if (resurrected) {
      c.find("resurrected", {fmt::format("{} gone from {} for good", name, box),
                             fmt::format("{} was removed, was absent, and is there again", name),
                             {cell.marked_by, cell.removed_by, cell.last_seen},
                             cell.message,
                             ""});
    } else {
      c.find("after-lost-answer", {fmt::format("one {} in {}, or one for every attempt", name, box),
                                   fmt::format("{} copies of {} after {} accepted and {} unanswered attempts", present,
                                               name, cell.adds, cell.maybe_adds),
                                   {cell.added_by, cell.last_seen},
                                   cell.message,
                                   ""});
    }
  }
}

}  // namespace mailproof::judge
