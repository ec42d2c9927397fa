// Steps that mean something one after the other only, which single draws hardly ever put together: a device that is
// away while the newest mail goes, three messages to one that only listens, a mailbox with mail under another name,
// mail that cannot fit, mail for two of whom one is full, a small mailbox that POP3 empties, a second POP3 session
// beside the first.
#include <fmt/format.h>

#include <algorithm>

#include "core/units.h"
#include "explore/world_maker.h"

namespace mailproof::explore {
namespace {

constexpr int kNews = 3;  ///< IDLE that is silent once is late; one that is silent three times is none

}  // namespace

/// A step before the one that is made.
void WorldMaker::say_before(const std::string& actor, const std::string& action) {
  if (!pending_.empty()) pending_ += '\n';
  pending_ += fmt::format("  - {}: {}", actor, action);
}

/// Nothing but mail for a device that listens. Mail of a kind that nobody may refuse, to an account that has room.
bool WorldMaker::listen(Actor& device, std::string& action) {
  const Actor& mta = actors_.front();
  if (device.offline || device.webmail || device.idle != "INBOX" || !known_.accounts[device.account].limits.empty())
    return false;
  for (int i = 0; i < kNews; ++i) {
    const std::string set = new_set();
    if (i > 0) say_before(device.name, action);
    say_before(mta.name, fmt::format("{{deliver: {}, to: {}}}", set, account_names_[device.account]));
    action = fmt::format("{{see: {}, within: 60s}}", set);
    known_.letters.push_back({set, 1, std::uint64_t{64} * 1024, {device.account}, false});
    known_.put(device.account, "INBOX", known_.letters.size() - 1, Sure::yes);
  }
  device.open = device.idle;
  return true;
}

/// It leaves, others of its account remove and flag what it knows, the newest most of all, and it comes back.
bool WorldMaker::away(Actor& device, std::string& action) {
  if (device.offline || device.webmail || device.resync.empty()) return false;
  const std::string mailbox = device.open.empty() ? "INBOX" : device.open;
  std::vector<Actor*> others;
  for (Actor& other : actors_)
    if (other.kind == Kind::imap && &other != &device && other.account == device.account && !other.gone &&
        !other.offline && !other.shaken)
      others.push_back(&other);
  if (others.empty()) return false;
  std::vector<std::size_t> letters;
  for (const auto& [place, held] : known_.accounts[device.account].held)
    if (place.first == mailbox && held.there == Sure::yes) letters.push_back(place.second);
  if (letters.empty()) return false;
  say_before(device.name, fmt::format("{{open: {}}}", quoted(mailbox)));
  say_before(device.name, "{go: offline}");
  for (std::size_t steps = 1 + below(3); steps > 0 && !letters.empty(); --steps) {
    Actor& other = *any(others);
    const std::size_t letter = one_in(3) ? any(letters) : letters.back();
    const std::string what = fmt::format("{}.{}", known_.letters[letter].set, known_.letters[letter].index);
    const std::string where = in(other, mailbox);
    if (one_in(4)) {
      say_before(other.name, fmt::format("{{flag: {}, with: flagged{}}}", what, where));
      known_.set_flag(device.account, mailbox, letter, "flagged", true, Sure::yes);
    } else {
      say_before(other.name, fmt::format("{{delete: {}{}}}", what, where));
      known_.set_flag(device.account, mailbox, letter, "deleted", true, Sure::yes);
      removed(other, mailbox, letter, "imap");
      known_.take(device.account, mailbox, letter, Sure::yes);
      known_.expunge(device.account, mailbox, Sure::maybe);
      std::erase(letters, letter);
    }
    went_to(other, mailbox);
  }
  action = fmt::format("{{go: online, resync: {}}}", device.resync);
  went_to(device, mailbox);
  return true;
}

/// A mailbox is made, gets mail, and has another name then; what counts against a quota is asked afterwards.
bool WorldMaker::rename_full(Actor& device, std::string& action) {
  if (device.offline) return false;
  const std::string from = one_in(2) ? "Projects" : "Receipts", to = from + " 2028";
  Mailboxes& all = known_.accounts[device.account];
  if (all.exists(from) == Sure::maybe || all.exists(to) != Sure::no || !may_take_away(device, from)) return false;
  const std::string set = new_set();
  // Near a limit it must be more than what a server may count beside the messages.
  const std::uint64_t size = (all.limits.empty() ? 1024 : 8192) * (1 + std::uint64_t{below(4)});
  known_.letters.push_back({set, 1, size + 1536, {}, false});
  if (all.exists(from) == Sure::no) {
    say_before(device.name, fmt::format("{{create: {}}}", quoted(from)));
    known_.make(device.account, from);
  }
  say_before(device.name, fmt::format("{{save: {}, to: {}, size: {}}}", set, quoted(from), format_size(size)));
  known_.put(device.account, from, known_.letters.size() - 1, Sure::yes);
  if (!all.limits.empty()) {  // what nobody has seen, no usage is held against
    say_before(device.name, fmt::format("{{read: {}, in: {}}}", set, quoted(from)));
    known_.set_flag(device.account, from, known_.letters.size() - 1, "seen", true, Sure::yes);
    say_before(device.name, "quota");
  }
  action = fmt::format("{{rename: {}, to: {}}}", quoted(from), quoted(to));
  known_.rename(device.account, from, to);
  if (!all.limits.empty()) {
    say_before(device.name, action);
    action = "quota";
  }
  if (device.webmail) device.open.clear();
  return true;
}

/// One COPY of four letters, of which the first has room and the last has none: all of them or none (RFC 3501 section
/// 6.4.7).
bool WorldMaker::copy_without_room(Actor& device, std::string& action) {
  const auto& limits = known_.accounts[device.account].limits;
  if (device.offline || limits.empty()) return false;
  const std::uint64_t quota = known_.limits[limits.front()].octets.value_or(0);
  if (quota < 32 * 1024 || quota > 256 * 1024) return false;
  const std::string set = new_set(), to = new_mailbox_name();
  const std::uint64_t size = quota / 7 / 1024 * 1024;
  if (to == "INBOX") return false;
  say_before(device.name, fmt::format("{{save: {}, to: INBOX, count: 4, size: {}}}", set, format_size(size)));
  for (int i = 1; i <= 4; ++i) {
    known_.letters.push_back({set, i, size + 1536, {}, false});
    for (const std::string& mailbox : {std::string("INBOX"), to})
      known_.put(device.account, mailbox, known_.letters.size() - 1, Sure::maybe);
  }
  known_.filled(device.account);
  action = fmt::format("{{copy: {}, to: {}{}}}", set, quoted(to), in(device, "INBOX"));
  went_to(device, "INBOX");
  return true;
}

/// An account that is soon full, and one that never is; nothing where the world has not both.
std::optional<std::pair<std::size_t, std::size_t>> WorldMaker::small_and_another() {
  std::vector<std::size_t> small, others;
  for (std::size_t i = 0; i < known_.accounts.size(); ++i) {
    const auto& limits = known_.accounts[i].limits;
    if (limits.empty())
      others.push_back(i);
    else if (known_.limits[limits.front()].octets.value_or(~0ULL) <= 256 * 1024)
      small.push_back(i);
  }
  if (small.empty() || others.empty()) return std::nullopt;
  const std::size_t full = any(small);  // one draw after the other
  return std::pair(full, any(others));
}

/// To two recipients over SMTP, one of whom can never have room for it: a server may refuse it for both (552 5.3.4), or
/// take it and report to the sender.
bool WorldMaker::overfill(Actor& actor, std::string& action) {
  if (!actor.reports) return false;
  const auto pair = small_and_another();
  if (!pair) return false;
  const auto [full, other] = *pair;
  const std::uint64_t size = *known_.limits[known_.accounts[full].limits.front()].octets + 8192;
  const std::string set = new_set();
  action = fmt::format("{{deliver: {}, to: [{}, {}], size: {}}}", set, account_names_[std::min(full, other)],
                       account_names_[std::max(full, other)], format_size(size));
  known_.letters.push_back({set, 1, size + 1536, {full, other}, false});
  for (const std::size_t account : {full, other}) known_.put(account, "INBOX", known_.letters.size() - 1, Sure::maybe);
  known_.accounts[actor.account].strangers = true;
  const auto reader = std::find_if(actors_.begin(), actors_.end(), [&](const Actor& one) {
    return one.kind == Kind::imap && one.account == actor.account && !one.gone && !one.offline && !one.shaken;
  });
  if (reader == actors_.end()) return true;
  after_ = fmt::format("  - {}: {{open: INBOX}}", reader->name);
  went_to(*reader, "INBOX");
  return true;
}

/// One mailbox is filled, then comes mail for it and another account at once, then for the other one alone: that one of
/// two has no room says nothing of the other (RFC 2033 section 4.2).
bool WorldMaker::beside_full(Actor& actor, std::string& action) {
  if (!offer_.lmtp || (actor.way != "lmtp" && actor.way != "any")) return false;
  const auto pair = small_and_another();
  if (!pair) return false;
  const auto [full, other] = *pair;
  const std::uint64_t quota = *known_.limits[known_.accounts[full].limits.front()].octets;
  const std::uint64_t size = std::max<std::uint64_t>(quota / (4 + below(4)) / 1024, 1) * 1024;
  const std::string fill = new_set(), both = new_set(), alone = new_set(),
                    via = actor.way == "any" ? ", via: lmtp" : "";
  const auto letter = [&](const std::string& set, int index, std::set<std::size_t> to, Sure how) {
    known_.letters.push_back({set, index, size + 1536, to, false});
    for (const std::size_t account : to) known_.put(account, "INBOX", known_.letters.size() - 1, how);
  };
  say_before(actor.name,
             fmt::format("{{deliver: {}, to: {}, size: {}, until: refused-or-bounced, at_most: {}, settle: 10s{}}}",
                         fill, account_names_[full], format_size(size), quota / size + 3, via));
  for (const int index : {1, 2}) letter(fill, index, {full}, Sure::maybe);
  known_.filled(full);
  say_before(actor.name,
             fmt::format("{{deliver: {}, to: [{}, {}], size: {}{}}}", both, account_names_[std::min(full, other)],
                         account_names_[std::max(full, other)], format_size(size), via));
  letter(both, 1, {full, other}, Sure::maybe);
  action = fmt::format("{{deliver: {}, to: {}, size: {}{}}}", alone, account_names_[other], format_size(size), via);
  letter(alone, 1, {other}, Sure::yes);
  return true;
}

/// Half of what a small mailbox takes comes in, and POP3 removes all there is: in the end it counts no more. Who
/// counted right before does not estimate (RFC 9208 section 5.1), so somebody who sees the mail asks first.
bool WorldMaker::pop_drain(Actor& device, std::string& action) {
  const Actor& mta = actors_.front();
  const auto& limits = known_.accounts[device.account].limits;
  const bool own = account_texts_[device.account].starts_with("quota:");
  if (!own || device.connected || !maildrop_free(device) || device.after.starts_with('{') || unreported(mta))
    return false;
  const std::uint64_t quota = known_.limits[limits.front()].octets.value_or(0);
  if (quota < 32 * 1024 || quota > 256 * 1024) return false;
  const std::string set = new_set();
  const std::uint64_t size = quota / 4 / 1024 * 1024;
  say_before(mta.name, fmt::format("{{deliver: {}, to: {}, count: 2, size: {}}}", set, account_names_[device.account],
                                   format_size(size)));
  for (const int index : {1, 2}) {
    known_.letters.push_back({set, index, size + 1536, {device.account}, false});
    known_.put(device.account, "INBOX", known_.letters.size() - 1, Sure::maybe);
  }
  const auto reader = std::find_if(actors_.begin(), actors_.end(), [&](const Actor& one) {
    return one.kind == Kind::imap && one.account == device.account && !one.gone && !one.offline && !one.shaken;
  });
  if (reader != actors_.end()) {
    say_before(reader->name, "{open: INBOX}");
    say_before(reader->name, "quota");
    went_to(*reader, "INBOX");
  }
  login(device);
  say_before(device.name, "{download: all, after: delete}");
  for (const std::size_t letter : device.maildrop) {
    known_.set_flag(device.account, "INBOX", letter, "seen", true, Sure::maybe);
    device.marked[letter] = std::max(device.marked[letter], device.sure.contains(letter) ? Sure::yes : Sure::maybe);
    device.downloaded.insert(letter);
  }
  known_.touch_all(device.account);
  drained_.insert(device.account);
  action = "quit";
  commit(device, Sure::yes);
  return true;
}

/// While another has the maildrop: it may be refused, or get its own view (RFC 1939 section 4). Either way it leaves.
bool WorldMaker::pop_beside(Actor& device, std::string& action) {
  if (maildrop_free(device) || device.connected) return false;
  say_before(device.name, "{connect: now, expect: either}");
  action = "drop";
  left_.insert(device.account);
  return true;
}

/// Who has removed what was the only copy of a letter, as far as that is sure.
void WorldMaker::removed(const Actor& by, const std::string& mailbox, std::size_t letter, std::string_view over) {
  const Held* held = known_.accounts[by.account].find(mailbox, letter);
  if (view_ != nullptr || held == nullptr || held->there != Sure::yes || held->several) return;
  // A POP3 device may have it marked: whose removal it was is then seen in the end only.
  const bool marked = std::any_of(actors_.begin(), actors_.end(), [&](const Actor& one) {
    return one.kind == Kind::pop3 && one.account == by.account && one.name != by.name;
  });
  if (marked) return;
  removers_[{by.account, letter}] = {by.name, std::string(over), mailbox};
}

/// What became of a letter, where every server must say the same of it.
void WorldMaker::fate_at_end(std::size_t letter) {
  const Letter& one = known_.letters[letter];
  std::optional<Sure> there;
  std::size_t account = 0;
  std::string mailbox;
  for (std::size_t i = 0; i < known_.accounts.size(); ++i)
    for (const auto& [place, held] : known_.accounts[i].held) {
      if (place.second != letter) continue;
      if (there || !held.sure()) return;  // it was somewhere else, too, or perhaps
      there = held.there;
      account = i;
      mailbox = place.first;
    }
  if (!there || one.again || known_.accounts[account].strangers) return;
  const std::string name = fmt::format("{}.{}", one.set, one.index);
  if (*there == Sure::yes) {
    say_line(fmt::format("  - judge: {{fate: {}, is: present}}", name));
    if (one.proper && one_in(2)) say_line(fmt::format("  - judge: {{intact: {}}}", name));
    return;
  }
  const auto by = removers_.find({account, letter});
  if (by == removers_.end() || by->second.mailbox != mailbox) return;
  say_line(fmt::format("  - judge: {{fate: {}, is: removed-by-client, by: {}, over: {}}}", name, by->second.device,
                       by->second.over));
}

}  // namespace mailproof::explore
