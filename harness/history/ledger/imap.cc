// What clients ask of mailboxes over IMAP: marks, expunges, copies, moves, and the mailboxes' own comings and goings.
#include <algorithm>

#include "core/bytes.h"
#include "history/flags.h"
#include "history/ledger/impl.h"

namespace mailproof::history {

void Ledger::Impl::select(const Event& e) {
  if (e.type == Type::invoke || e.session == 0) return;
  SessionState& at = session(e.session);
  at.forget_listed();
  at.box = 0;  // RFC 3501 section 6.3.1: a SELECT that fails leaves nothing selected
  if (e.type != Type::ok || e.what == What::unselect) return;
  at.box = box(place(history.account_of(e), invoke_of(e).mailbox), e.uidvalidity);
  // RFC 3501 section 6.4.2: nothing is removed from what "is otherwise selected read-only".
  at.writable = e.what == What::select && !istarts_with(e.code, "READ-ONLY");
}

void Ledger::Impl::mark(std::uint32_t copy_number, std::uint32_t event, bool certain) {
  Departure& at = departing(copy_number);
  if (at.marked == 0) boxes[copies[copy_number - 1].box - 1].marked.push_back(copy_number);
  if (at.marked_ok != 0) return;
  at.marked = event;
  if (certain) at.marked_ok = event;
}

void Ledger::Impl::store(const Event& e) {
  const Event& invoke = invoke_of(e);
  const std::uint32_t in = session(e.session).box;
  if (in == 0) return;
  const ToDeleted what = to_deleted(invoke.code, invoke.flags);
  const bool sets = what == ToDeleted::sets, clears = what == ToDeleted::clears;
  if (!sets && !clears) return;
  std::vector<std::uint32_t> taken_back;
  for (const std::uint32_t uid : parse_uids(invoke.set)) {
    const std::uint32_t number = copy(in, uid);
    Departure& at = departing(number);
    if (e.type == Type::invoke) {
      if (sets) mark(number, e.index, false);
      if (clears) {
        at.settled = at.marked == 0 || at.marked_ok != 0;
        at.marked_ok = 0;
        at.cleared = e.index;
        if (at.clearing < 255) ++at.clearing;
      }
      continue;
    }
    const bool newest = at.cleared == invoke.index;
    // One that was not answered may be done at any time: the server has read it, or a proxy has.
    if (clears && e.type != Type::info) {
      if (at.clearing > 0) --at.clearing;
      at.cleared = e.index;
    }
    // RFC 7162 section 3.1.3: OK [MODIFIED] left some as they were.
    if (e.type != Type::ok || istarts_with(e.code, "MODIFIED")) continue;
    // Of two STOREs that overlap nobody knows which came last: the mark stays possible, not certain.
    if (sets && at.clearing == 0 && at.cleared < invoke.index && at.marked_ok == 0 && at.marked != 0)
      at.marked_ok = e.index;
    if (clears && newest && at.settled && at.marked < invoke.index && at.marked != 0) {
      at.marked = 0;
      taken_back.push_back(number);
    }
  }
  if (taken_back.empty()) return;
  std::sort(taken_back.begin(), taken_back.end());
  std::erase_if(boxes[in - 1].marked,
                [&](std::uint32_t number) { return std::binary_search(taken_back.begin(), taken_back.end(), number); });
}

void Ledger::Impl::expunge(const Event& e) {
  const Event& invoke = invoke_of(e);
  SessionState& at = session(e.session);
  const std::uint32_t in = at.box;
  if (e.what == What::close) {
    at.box = 0;
    at.forget_listed();
  }
  if (in == 0 || !at.writable) return;
  std::vector<std::uint32_t> only = parse_uids(invoke.set);
  std::sort(only.begin(), only.end());
  const auto marked = boxes[in - 1].marked;
  for (const std::uint32_t number : marked) {
    const Copy& copy = copies[number - 1];
    const Departure& gone = departure(number);
    if (!only.empty() && !std::binary_search(only.begin(), only.end(), copy.uid)) continue;
    // POP3's QUIT took it before, or may have (RFC 1939 sections 6 and 8): told as gone then, it did not wait for this
    // command.
    if (gone.told_gone != 0 && gone.told_gone < invoke.index && copy.message != 0) {
      const Cell& there = cell(copy.message, boxes[in - 1].place);
      if (there.implied != 0 || there.pop_removes != 0) continue;
    }
    const bool before = gone.marked_ok != 0 && gone.marked_ok < invoke.index;
    const bool certain = (e.type == Type::ok && before) || gone.told_gone != 0;
    remove(number, certain, invoke.index, gone.marked);
  }
  std::erase_if(boxes[in - 1].marked,
                [this](std::uint32_t number) { return departure(number).removal == Departure::certain; });
}

void Ledger::Impl::note_move(const Event& e) {
  if (e.type == Type::invoke)
    moves.insert(e.index);
  else
    moves.erase(e.command);
}

void Ledger::Impl::note_reshaping(const Event& e) {
  if (e.type == Type::invoke) reshaping.insert(e.index);
  if (e.type == Type::invoke || reshaping.erase(e.command) == 0) return;
  reshaped = e.index;
  if (reshaping.empty()) crossed.clear();
}

bool Ledger::Impl::being_renamed(std::uint32_t place_number) const {
  if (reshaping.empty()) return false;
  const Place& at = places[place_number - 1];
  const std::string& mailbox = mailbox_names[at.mailbox];
  return std::any_of(reshaping.begin(), reshaping.end(), [&](std::uint32_t command) {
    const Event& asked = history.event(command);
    if (asked.what != What::rename || history.account_of(asked) != at.account) return false;
    if (iequals(asked.mailbox, "INBOX")) return mailbox == "INBOX";
    const std::size_t size = asked.mailbox.size();
    return mailbox.starts_with(asked.mailbox) &&
           (mailbox.size() == size || mailbox[size] == '/' || mailbox[size] == '.');
  });
}

bool Ledger::Impl::crosses(std::uint32_t place_number, std::uint32_t asked) const {
  return asked < places[place_number - 1].reshaped || being_renamed(place_number);
}

/// RFC 3501 section 6.4.7: what was to be copied is in the destination then. UIDs that are not there are no error
/// (section 6.4.8), so it must have been there all the time: nobody had asked for its removal by any means.
bool Ledger::Impl::surely_copied(std::uint32_t source, const Event& e) const {
  const Copy& from = copies[source - 1];
  const Departure& gone = departure(source);
  if (e.type != Type::ok || from.message == 0 || !from.identified) return false;
  if (gone.removal != Departure::none || gone.marked != 0 || gone.told_gone != 0 || claims.contains(source))
    return false;
  if (!reshaping.empty() || reshaped > invoke_of(e).index) return false;
  const std::uint32_t at = boxes[from.box - 1].place;
  const std::uint32_t number = cell_of.get(std::uint64_t{at} << 32U | from.message);
  if (number == 0) return false;
  const Cell& here = cells[number - 1];
  if (here.removes + here.maybe_removes + here.pop_removes + here.implied != 0) return false;
  return !marked_over_pop(from.message, at) && !moved_by_another(from.box, from.uid) && !downloaded(from.message, at);
}

bool Ledger::Impl::moved_by_another(std::uint32_t box_number, std::uint32_t uid, std::uint32_t own) const {
  return std::any_of(moves.begin(), moves.end(), [&](std::uint32_t command) {
    if (command == own) return false;
    const Event& asked = history.event(command);
    if (asked.session > sessions.size() || sessions[asked.session - 1].box != box_number) return false;
    const auto uids = parse_uids(asked.set);
    return std::find(uids.begin(), uids.end(), uid) != uids.end();
  });
}

bool Ledger::Impl::marked_over_pop(std::uint32_t message, std::uint32_t place_number) const {
  return std::any_of(sessions.begin(), sessions.end(), [&](const SessionState& at) {
    return at.box != 0 && boxes[at.box - 1].pop && boxes[at.box - 1].place == place_number && at.has_marked(message);
  });
}

/// A QUIT that is to come, or is not answered yet, may take it: RFC 1939 section 8.
bool Ledger::Impl::downloaded(std::uint32_t message, std::uint32_t place_number) const {
  return std::any_of(sessions.begin(), sessions.end(), [&](const SessionState& at) {
    return at.box != 0 && boxes[at.box - 1].pop && boxes[at.box - 1].place == place_number &&
           std::any_of(at.rows.begin(), at.rows.end(),
                       [&](const PopRow& row) { return row.retrieved != 0 && row.message == message; });
  });
}

void Ledger::Impl::told_gone(const Event& e, std::uint32_t uid) {
  const std::uint32_t in = session(e.session).box;
  const std::uint32_t number = in == 0 || uid == 0 ? 0 : copy_of.get(std::uint64_t{in} << 32U | uid);
  if (number == 0) return;
  const std::uint32_t message = copies[number - 1].message;
  Departure& gone = departing(number);
  if (gone.told_gone == 0) gone.told_gone = e.index;
  session(e.session).unlist(number);
  if (message != 0) {
    Cell& at = cell(message, boxes[in - 1].place);
    if (at.first_absent == 0) at.first_absent = e.index;
  }
  if (gone.removal == Departure::none) count_refused(number);
  if (gone.removal != Departure::maybe || being_renamed(boxes[in - 1].place)) return;
  const auto moved = claims.find(number);
  if (!gone.moving || gone.marked != 0 || message == 0 || moved == claims.end() ||
      taken_by_other_means(number, moved->second.front().invoke))
    return remove(number, true, 0, 0);
  // RFC 6851 section 3.3: what a MOVE takes out of the source is in the destination. Of several nobody knows which one
  // took it, so that it stays open where it is, as long as it is somewhere.
  const std::uint32_t to = only_destination(number);
  if (to == 0 || moved_by_another(in, uid)) return;
  remove(number, true, 0, 0);
  gone.arrived = true;
  Cell& there = cell(message, to);
  if (there.maybe_adds == 0) return;
  --there.maybe_adds;
  ++there.adds;
}

/// POP3's QUIT, also one that is to come or is not answered yet, or a DELETE or RENAME.
bool Ledger::Impl::taken_by_other_means(std::uint32_t copy_number, std::uint32_t since) const {
  const Copy& from = copies[copy_number - 1];
  const std::uint32_t at = boxes[from.box - 1].place;
  const std::uint32_t number = cell_of.get(std::uint64_t{at} << 32U | from.message);
  return (number != 0 && cells[number - 1].pop_removes != 0) || marked_over_pop(from.message, at) ||
         downloaded(from.message, at) || !reshaping.empty() || reshaped > since;
}

std::uint32_t Ledger::Impl::only_destination(std::uint32_t copy_number) const {
  const auto of = claims.find(copy_number);
  if (of == claims.end()) return 0;
  const std::uint32_t to = of->second.front().to;
  const bool one = std::all_of(of->second.begin(), of->second.end(),
                               [&](const Claim& claim) { return claim.to == to && !claim.refused; });
  return one ? to : 0;
}

void Ledger::Impl::claim(std::uint32_t copy_number, std::uint32_t to, const Event& e) {
  const bool refused = e.type == Type::fail;
  claims[copy_number].push_back({invoke_of(e).index, to, refused, !refused});
  const std::uint32_t message = copies[copy_number - 1].message;
  if (!refused || message == 0) return;
  refused_into[std::uint64_t{to} << 32U | message].push_back(copy_number);
  if (departure(copy_number).told_gone > invoke_of(e).index) count_refused(copy_number);
}

void Ledger::Impl::count_refused(std::uint32_t copy_number) {
  const auto of = claims.find(copy_number);
  const std::uint32_t message = copies[copy_number - 1].message;
  if (of == claims.end() || message == 0 || departure(copy_number).removal == Departure::certain) return;
  for (Claim& one : of->second) {
    if (std::exchange(one.counted, true)) continue;
    add(message, one.to, false, history.event(one.invoke));
    departing(copy_number).moving = true;
    Cell& source = cell(message, boxes[copies[copy_number - 1].box - 1].place);
    const auto possible = source.maybe_removes;
    remove(copy_number, false, one.invoke, 0);
    source.moved_to = mailbox_after(one.to);
    if (source.maybe_removes > possible) ++source.maybe_moves;
  }
}

void Ledger::Impl::copy_or_move(const Event& e) {
  const Event& invoke = invoke_of(e);
  const std::uint32_t in = session(e.session).box;
  const bool move = e.what == What::move;
  // A COPY that fails leaves nothing (RFC 3501 section 6.4.7). A MOVE that fails may have moved some (RFC 6851 section
  // 3.3): that counts when there is a sign of it. TRYCREATE says that there was nowhere to move them to.
  if (in == 0 || (e.type == Type::fail && (!move || iequals(e.code, "TRYCREATE")))) return;
  const std::uint32_t to = place(history.account_of(invoke), invoke.other_mailbox);
  if (e.type == Type::fail) {
    for (const std::uint32_t uid : parse_uids(invoke.set)) claim(copy(in, uid), to, e);
    return;
  }
  const std::vector<std::uint32_t> sources = parse_uids(e.set);
  const std::vector<std::uint32_t> made = parse_uids(e.get<CopyFacts>().destinations);
  const bool told = !made.empty() && sources.size() == made.size();
  const std::vector<std::uint32_t> uids = told ? sources : parse_uids(invoke.set);
  for (std::size_t i = 0; i < uids.size(); ++i) {
    const std::uint32_t from = copy(in, uids[i]);
    const std::uint32_t there = told ? copy(box(to, e.uidvalidity), made[i]) : 0;
    const std::uint32_t message = copies[from - 1].message;
    // Told while it ran that it goes, and nobody else asked for that: then the MOVE took it, though no COPYUID says so.
    // Another MOVE may have taken it elsewhere, or POP3.
    const auto alone = [&] {
      const auto earlier = claims.find(from);
      return (message == 0 || !taken_by_other_means(from, invoke.index)) &&
             (earlier == claims.end() || only_destination(from) == to) && !moved_by_another(in, uids[i], invoke.index);
    };
    const bool gone = move && e.type == Type::ok && departure(from).told_gone > invoke.index &&
                      departure(from).marked == 0 && alone();
    const bool certain = told || gone || (!move && surely_copied(from, e));
    if (move && told && message != 0) undo_inferred_move(from);
    if (message == 0)
      wait_for(from, there, to, certain, e);
    else if (!move || !departure(from).arrived || (told && departure(from).told_where))
      add(message, to, certain, e);  // two sessions that are told of a copy each made one; OK alone proves none
    if (move && told) departing(from).told_where = true;
    if (move && certain && message != 0) settle_earlier_move(from, to);
    if (there != 0) {
      if (copies[there - 1].message == 0) copies[there - 1].message = message;  // claimed by COPYUID, not looked at
      if (departure(from).marked != 0) mark(there, e.index, false);             // a copy keeps its flags
    }
    if (!move) continue;
    if (!told) claim(from, to, e);
    departing(from).moving = true;
    const auto possible = message == 0 ? 0U : cell(message, boxes[in - 1].place).maybe_removes;
    remove(from, certain, invoke.index, 0);
    if (message == 0) continue;
    Cell& source = cell(message, boxes[in - 1].place);
    source.moved_to = mailbox_after(to);
    if (!certain && source.maybe_removes > possible && !crosses(to, invoke.index)) ++source.maybe_moves;
  }
  if (told && !move) copied_untold(sources, in, to, e);
}

/// Whatever COPYUID names: OK says that all were copied, or none would be there (RFC 3501 section 6.4.7). Where the
/// destination has, or may have, such a message, a server whose mailboxes are labels makes no second one.
void Ledger::Impl::copied_untold(const std::vector<std::uint32_t>& told, std::uint32_t in, std::uint32_t to,
                                 const Event& e) {
  const std::unordered_set<std::uint32_t> named(told.begin(), told.end());
  for (const std::uint32_t uid : parse_uids(invoke_of(e).set)) {
    const std::uint32_t from = named.contains(uid) ? 0 : copy_of.get(std::uint64_t{in} << 32U | uid);
    if (from == 0 || !surely_copied(from, e)) continue;
    const std::uint32_t message = copies[from - 1].message;
    if (cell_of.get(std::uint64_t{to} << 32U | message) == 0) add(message, to, true, e);
  }
}

void Ledger::Impl::wait_for(std::uint32_t source, std::uint32_t destination, std::uint32_t to, bool certain,
                            const Event& e) {
  const auto place = static_cast<std::uint32_t>(pending.size());
  pending.push_back({source, destination, to, e.index, certain, false});
  pending_of[source].push_back(place);
  if (destination != 0 && destination != source) pending_of[destination].push_back(place);
}

/// COPYUID proves that the message was still in the source: an earlier MOVE whose answer was lost did not take it,
/// though somebody was told that it goes.
void Ledger::Impl::undo_inferred_move(std::uint32_t from) {
  if (!departure(from).arrived || departure(from).told_where) return;
  const std::uint32_t believed = only_destination(from);
  if (believed == 0) return;
  Cell& there = cell(copies[from - 1].message, believed);
  if (there.adds > 0) --there.adds;
  departing(from).arrived = false;
}

/// A UID is moved once: an earlier attempt whose answer was lost did not do it, or is the same.
void Ledger::Impl::settle_earlier_move(std::uint32_t from, std::uint32_t to) {
  Departure& source = departing(from);
  const bool earlier = source.moving && source.removal == Departure::maybe && !source.arrived;
  source.arrived = true;
  if (!earlier) return;
  Cell& there = cell(copies[from - 1].message, to);
  if (there.maybe_adds > 0) --there.maybe_adds;
}

void Ledger::Impl::remove_mailbox(const Event& e) {
  const Event& invoke = invoke_of(e);
  if (e.type == Type::fail) return;
  const std::uint32_t gone = place(history.account_of(invoke), invoke.mailbox);
  places[gone - 1].reshaped = e.index;
  places[gone - 1].went_to = 0;
  for (const std::uint32_t number : places[gone - 1].cells) {
    Cell& at = touch(number);
    at.maybe_removes = static_cast<std::uint16_t>(at.most());
    at.maybe_moves = 0;
    at.removed_by = invoke.index;
    at.removed_over |= 1;
    at.enumerated = false;
    at.misses = 0;
  }
}

void Ledger::Impl::rename_mailbox(const Event& e) {
  const Event& invoke = invoke_of(e);
  const std::uint32_t account = history.account_of(invoke);
  if (e.type == Type::fail) return;
  const std::uint32_t source = place(account, invoke.mailbox);
  if (iequals(invoke.mailbox, "INBOX") || e.type == Type::info)
    return move_cells(source, place(account, invoke.other_mailbox), e.type == Type::ok, e);
  rename_place(source, place(account, invoke.other_mailbox), e);
  // RFC 3501 section 6.3.5: inferior hierarchical names are renamed as well.
  const auto names = mailbox_names;
  for (const std::string& child : names) {
    if (child.size() <= invoke.mailbox.size() || !child.starts_with(invoke.mailbox)) continue;
    const char separator = child[invoke.mailbox.size()];
    if (separator != '/' && separator != '.') continue;
    if (const std::uint32_t below = find_place(account, child))
      rename_place(below, place(account, invoke.other_mailbox + child.substr(invoke.mailbox.size())), e);
  }
}

/// INBOX stays and its messages go (RFC 3501 section 6.3.5); or nobody knows whether the rename happened.
void Ledger::Impl::move_cells(std::uint32_t from, std::uint32_t to, bool certain, const Event& e) {
  const auto numbers = places[from - 1].cells;
  places[from - 1].reshaped = e.index;
  places[from - 1].went_to = to;
  for (const std::uint32_t number : numbers) {
    const Cell before = cells[number - 1];
    const int sure = std::max(0, before.adds - before.removes - before.maybe_removes);
    const int perhaps = before.most() - sure;
    const bool clear = certain && before.added_by < invoke_of(e).index;  // else it may have come during the rename
    Cell& there = cell(before.message, to);
    there.added_by = there.added_by == 0 ? e.index : there.added_by;
    there.adds = static_cast<std::uint16_t>(there.adds + (clear ? sure : 0));
    there.maybe_adds = static_cast<std::uint16_t>(there.maybe_adds + (clear ? perhaps : before.most()));
    Cell& here = touch(number);
    here.removes = static_cast<std::uint16_t>(here.removes + (clear ? sure : 0));
    here.maybe_removes = static_cast<std::uint16_t>(here.maybe_removes + (clear ? 0 : sure));
    here.removed_by = invoke_of(e).index;
    here.removed_over |= 1;
    here.moved_to = mailbox_after(to);
    here.enumerated = there.enumerated = false;
  }
}

void Ledger::Impl::rename_place(std::uint32_t from, std::uint32_t to, const Event& e) {
  const auto numbers = std::move(places[from - 1].cells);
  places[from - 1].cells.clear();
  places[from - 1].reshaped = e.index;
  places[from - 1].went_to = to;
  for (const std::uint32_t number : numbers) {
    Cell& here = touch(number);
    cell_of.set(std::uint64_t{from} << 32U | here.message, 0);
    const std::uint64_t key = std::uint64_t{to} << 32U | here.message;
    if (const std::uint32_t other = cell_of.get(key)) {
      // An earlier mailbox of that name had this message too: what it was owed is settled, one sum serves both.
      Cell& there = touch(other);
      there.adds = static_cast<std::uint16_t>(there.adds + here.adds);
      there.maybe_adds = static_cast<std::uint16_t>(there.maybe_adds + here.maybe_adds);
      there.tried_again |= here.tried_again;
      there.removes = static_cast<std::uint16_t>(there.removes + here.removes);
      there.maybe_removes = static_cast<std::uint16_t>(there.maybe_removes + here.maybe_removes);
      there.enumerated = false;
      here.adds = here.maybe_adds = here.removes = here.maybe_removes = here.present = 0;
      continue;
    }
    here.mailbox = places[to - 1].mailbox;
    here.enumerated = false;
    cell_of.set(key, number);
    places[to - 1].cells.push_back(number);
  }
  const auto moved = std::move(places[from - 1].boxes);
  places[from - 1].boxes.clear();
  for (const std::uint32_t number : moved) {
    Box& at = boxes[number - 1];
    box_of.set(std::uint64_t{from} << 33U | std::uint64_t{at.uidvalidity} << 1U | (at.pop ? 1U : 0U), 0);
    at.place = to;
    box_of.set(std::uint64_t{to} << 33U | std::uint64_t{at.uidvalidity} << 1U | (at.pop ? 1U : 0U), number);
    places[to - 1].boxes.push_back(number);
  }
  // What was put there since the RENAME was asked for may be in a new mailbox of the old name.
  for (const auto& [place_number, message] : crossed)
    if (place_number == from) count_perhaps(message, from, e);
}

}  // namespace mailproof::history
