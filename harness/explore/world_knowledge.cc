#include "explore/world_knowledge.h"

#include <algorithm>

namespace mailproof::explore {
namespace {

constexpr std::uint64_t kSlack = 4096;  ///< octets below a limit in which nobody can be sure of room

}  // namespace

const Held* Mailboxes::find(const std::string& mailbox, std::size_t letter) const {
  const auto found = held.find({mailbox, letter});
  return found == held.end() ? nullptr : &found->second;
}

Sure Mailboxes::exists(const std::string& mailbox) const {
  const auto found = names.find(mailbox);
  return found == names.end() ? Sure::no : found->second;
}

Held& Knowledge::at(std::size_t account, const std::string& mailbox, std::size_t letter) {
  touch(account, letter);
  return accounts[account].held[{mailbox, letter}];
}

void Knowledge::touch(std::size_t account, std::size_t letter) {
  watched_.letters.emplace(account, letter);
  if (together_) children_.back().letters.emplace(account, letter);
}

void Knowledge::touch_all(std::size_t account) {
  if (together_) children_.back().all.insert(account);
}

bool Knowledge::room(std::size_t account, std::uint64_t octets) const {
  return std::all_of(accounts[account].limits.begin(), accounts[account].limits.end(), [&](std::size_t i) {
    // What comes at the same time may take the room first.
    return !limits[i].octets || (!together_ && limits[i].added + octets + kSlack <= *limits[i].octets);
  });
}

void Knowledge::fill(std::size_t account, std::uint64_t octets) {
  for (const std::size_t i : accounts[account].limits) limits[i].added += octets;
}

void Knowledge::filled(std::size_t account) {
  for (const std::size_t i : accounts[account].limits)
    if (limits[i].octets) limits[i].added = std::max(limits[i].added, *limits[i].octets);
}

void Knowledge::put(std::size_t account, const std::string& mailbox, std::size_t letter, Sure how) {
  if (how == Sure::no) return;
  if (!room(account, letters[letter].octets)) how = Sure::maybe;
  fill(account, letters[letter].octets);
  if (how == Sure::yes)
    make(account, mailbox);
  else
    accounts[account].names.try_emplace(mailbox).first->second =
        std::max(accounts[account].exists(mailbox), Sure::maybe);
  const bool known = accounts[account].held.contains({mailbox, letter});
  Held& held = at(account, mailbox, letter);
  if (known) {
    held.several = true;
    for (auto& [name, set] : held.flags) set = Sure::maybe;
  }
  held.there = std::max(held.there, how);
}

void Knowledge::take(std::size_t account, const std::string& mailbox, std::size_t letter, Sure how) {
  Held& held = at(account, mailbox, letter);
  if (held.there == Sure::no) return;
  held.there = how == Sure::yes && !held.several ? Sure::no : Sure::maybe;
}

void Knowledge::set_flag(std::size_t account, const std::string& mailbox, std::size_t letter, const std::string& flag,
                         bool set, Sure how) {
  Held& held = at(account, mailbox, letter);
  if (held.there == Sure::no) return;
  const bool sure = how == Sure::yes && held.there == Sure::yes && !held.several;
  Sure& now = held.flags[flag];
  const Sure wanted = set ? Sure::yes : Sure::no;
  if (now != wanted) now = sure ? wanted : Sure::maybe;
}

void Knowledge::expunge(std::size_t account, const std::string& mailbox, Sure how) {
  if (together_) children_.back().expunging.insert(account);
  for (auto& [place, held] : accounts[account].held) {
    const Sure marked = held.flag("deleted");
    if (place.first != mailbox || marked == Sure::no || held.there == Sure::no) continue;
    touch(account, place.second);
    held.there = how == Sure::yes && marked == Sure::yes && !held.several ? Sure::no : Sure::maybe;
  }
}

void Knowledge::make(std::size_t account, const std::string& mailbox) {
  Sure& exists = accounts[account].names[mailbox];
  if (exists != Sure::yes) watched_.made.emplace(account, mailbox);
  if (together_ && before_[account].exists(mailbox) != Sure::yes) children_.back().made.emplace(account, mailbox);
  exists = Sure::yes;
}

void Knowledge::rename(std::size_t account, const std::string& from, const std::string& to) {
  Mailboxes& mailboxes = accounts[account];
  std::map<Place, Held> held;
  for (auto& [place, one] : mailboxes.held) {
    const bool moves = place.first == from;
    Held& into = held[{moves ? to : place.first, place.second}];
    into = one;
    if (!moves) continue;
    touch(account, place.second);
    into.several = one.several;
  }
  mailboxes.held = std::move(held);
  mailboxes.names[to] = Sure::yes;
  mailboxes.names[from] = Sure::no;
}

void Knowledge::remove(std::size_t account, const std::string& mailbox) {
  Mailboxes& mailboxes = accounts[account];
  for (auto& [place, one] : mailboxes.held)
    if (place.first == mailbox) {
      touch(account, place.second);
      one.there = Sure::no;
    }
  mailboxes.names[mailbox] = Sure::no;
}

void Knowledge::doubt(std::size_t account, std::size_t letter) {
  for (auto& [place, held] : accounts[account].held) {
    if (place.second != letter) continue;
    held.there = Sure::maybe;
    held.several = true;
    for (auto& [name, set] : held.flags) set = Sure::maybe;
  }
}

void Knowledge::doubt_touched() {
  for (const auto& [account, letter] : watched_.letters) doubt(account, letter);
  for (const auto& [account, mailbox] : watched_.made) accounts[account].names[mailbox] = Sure::maybe;
}

void Knowledge::begin_together() {
  together_ = true;
  children_.clear();
  before_ = accounts;
}

void Knowledge::next_child() { children_.emplace_back(); }

/// What two children were about, nobody knows the end of: either may have been first. So it is with what makes the same
/// mailbox, of which one is told that it is there already; with what expunges beside something that marks; and with
/// everything beside a child that takes whatever it finds.
void Knowledge::end_together() {
  together_ = false;
  std::map<std::pair<std::size_t, std::size_t>, int> by;
  for (const Touched& child : children_)
    for (const auto& letter : child.letters) ++by[letter];
  for (const auto& [where, times] : by)
    if (times > 1) doubt(where.first, where.second);

  for (const Touched& child : children_)
    for (const Touched& other : children_) {
      if (&child == &other) continue;
      for (const auto& [account, letter] : other.letters) {
        const bool marked = std::any_of(
            accounts[account].held.begin(), accounts[account].held.end(),
            [l = letter](const auto& one) { return one.first.second == l && one.second.flag("deleted") != Sure::no; });
        if (child.all.contains(account) || (child.expunging.contains(account) && marked)) doubt(account, letter);
      }
      for (const auto& made : child.made) {
        if (!other.made.contains(made)) continue;
        for (const auto& [account, letter] : child.letters)
          if (account == made.first) doubt(account, letter);
      }
    }
  // A mailbox is made for what is put there, and not where that is gone.
  for (const Touched& child : children_)
    for (const auto& [account, mailbox] : child.made) {
      const bool any =
          std::any_of(child.letters.begin(), child.letters.end(), [&, a = account, m = mailbox](const auto& one) {
            const Held* held = one.first == a ? accounts[a].find(m, one.second) : nullptr;
            return held != nullptr && held->there == Sure::yes;
          });
      if (!any && !child.letters.empty()) accounts[account].names[mailbox] = Sure::maybe;
    }
}

}  // namespace mailproof::explore
