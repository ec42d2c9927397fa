// What a device does over IMAP, and a webmail.
#include <fmt/format.h>

#include <algorithm>

#include "explore/world_maker.h"

namespace mailproof::explore {
namespace {

const std::vector<std::string> kFlags = {"seen", "flagged", "answered", "draft", "deleted", "$Work", "$Forwarded"};
const std::vector<std::string> kOddNames = {"\"Müller & Söhne\"", "\"100 %\"",  "\"Ä&Ö\"", "\"a b\"",
                                            "\"Re: (x)\"",        "\"tilde~\"", "\"été\"", "\"日本語\""};

}  // namespace

std::span<const WorldMaker::Verb> WorldMaker::imap_verbs() {
  static constexpr Verb kVerbs[] = {
      {"see", 10, false, false, &WorldMaker::see},
      {"lose", 5, false, false, &WorldMaker::lose},
      {"sync", 4, true, true, &WorldMaker::sync},
      {"read", 4, true, false, &WorldMaker::read},
      {"flag", 5, true, false, &WorldMaker::flag},
      {"unflag", 2, true, false, &WorldMaker::unflag},
      {"search", 4, false, false, &WorldMaker::search},
      {"delete", 6, true, false, &WorldMaker::delete_},
      {"expunge", 3, true, false, &WorldMaker::expunge},
      {"move", 5, true, false, &WorldMaker::move},
      {"copy", 4, true, false, &WorldMaker::copy},
      {"save", 3, true, false, &WorldMaker::save},
      {"upload", 2, true, false, &WorldMaker::upload},
      {"open", 3, true, false, &WorldMaker::open},
      {"examine", 2, true, false, &WorldMaker::examine},
      {"create", 2, true, false, &WorldMaker::create},
      {"rename", 3, false, false, &WorldMaker::rename},
      {"remove", 1, false, false, &WorldMaker::remove},
      {"subscribe", 1, true, false, &WorldMaker::subscribe},
      {"try_names", 1, false, false, &WorldMaker::try_names},
      {"quota", 1, true, false, &WorldMaker::quota},
      {"offline", 3, false, false, &WorldMaker::offline},
      {"online", 8, false, false, &WorldMaker::online},
      {"logout", 1, true, false, &WorldMaker::logout},
      {"drop", 2, true, true, &WorldMaker::drop},
      {"compare", 2, true, false, &WorldMaker::compare},
      {"connect", 1, true, true, &WorldMaker::connect},
      {"smuggle", 1, false, false, &WorldMaker::smuggle},
      {"vanish", 1, false, false, &WorldMaker::vanish},
      {"listen", 4, false, false, &WorldMaker::listen},
      {"away", 3, false, false, &WorldMaker::away},
      {"rename full", 2, false, false, &WorldMaker::rename_full},
      {"copy without room", 2, false, false, &WorldMaker::copy_without_room},
      {"command cut", 3, true, false, &WorldMaker::cut},
  };
  return kVerbs;
}

/// A step names its mailbox, unless that is the one which the device has open.
std::string WorldMaker::in(const Actor& device, const std::string& mailbox) {
  const std::string open =
      device.webmail || device.open.empty() ? (device.idle.empty() ? "INBOX" : device.idle) : device.open;
  if (open == mailbox && !one_in(4) && !device.cut) return {};
  return ", in: " + quoted(mailbox);
}

/// A device that listens goes back there after each step, a webmail logs out.
void WorldMaker::went_to(Actor& device, const std::string& mailbox) {
  device.open = device.webmail ? "" : device.idle.empty() ? mailbox : device.idle;
  device.cut = false;
}

/// What happens to who has a mailbox open that somebody removes or renames, every server decides for itself (RFC 2180
/// section 3), and whether one with a special use can go (RFC 6154).
bool WorldMaker::may_take_away(const Actor& device, const std::string& mailbox) const {
  static const std::set<std::string> kSpecial = {"INBOX", "Archive", "Drafts", "Junk", "Sent", "Spam", "Trash"};
  return !kSpecial.contains(mailbox) && std::none_of(actors_.begin(), actors_.end(), [&](const Actor& other) {
    return other.kind == Kind::imap && other.account == device.account && (other.open == mailbox || other.cut);
  });
}

bool WorldMaker::see(Actor& device, std::string& action) {
  if (device.offline) return false;
  const auto places = mailboxes(device.account, true);
  if (places.empty()) return false;
  const std::string mailbox = any(places);
  Pick what;
  if (!pick(device.account, mailbox, Sure::yes, what)) return false;
  std::vector<std::string> flags;
  for (const std::string& flag : kFlags)
    if (std::all_of(what.letters.begin(), what.letters.end(), [&](std::size_t letter) {
          const Held* held = seen(device.account).find(mailbox, letter);
          return held->sure() && held->flag(flag) == Sure::yes;
        }))
      flags.push_back(flag);
  const std::string with = flags.empty() || one_in(4) ? "" : fmt::format(", flags: [{}]", fmt::join(flags, ", "));
  action = fmt::format("{{see: {}{}{}{}}}", what.text, in(device, mailbox), with, one_in(12) ? ", for: 2s" : "");
  went_to(device, mailbox);
  return true;
}

bool WorldMaker::lose(Actor& device, std::string& action) {
  if (device.offline) return false;
  const Mailboxes& all = seen(device.account);
  std::map<std::string, std::vector<std::size_t>> gone;
  for (const auto& [place, held] : all.held)
    if (held.there == Sure::no && all.exists(place.first) == Sure::yes) gone[place.first].push_back(place.second);
  if (gone.empty()) return false;
  const auto& [mailbox, letters] = *std::next(gone.begin(), static_cast<std::ptrdiff_t>(below(gone.size())));
  Pick what;
  if (!pick_of(letters, what)) return false;
  action = fmt::format("{{lose: {}{}}}", what.text, in(device, mailbox));
  went_to(device, mailbox);
  return true;
}

bool WorldMaker::sync(Actor& device, std::string& action) {
  if (device.offline) return false;
  action = "sync";
  went_to(device, device.open.empty() ? "INBOX" : device.open);
  return true;
}

bool WorldMaker::read(Actor& device, std::string& action) {
  if (device.offline) return false;
  const auto places = mailboxes(device.account, true);
  if (places.empty()) return false;
  const std::string mailbox = any(places);
  Pick what;
  if (!pick(device.account, mailbox, Sure::maybe, what)) return false;
  const bool pieces = one_in(4);
  action = fmt::format("{{read: {}{}{}}}", what.text, pieces ? ", pieces: 1KiB" : "", in(device, mailbox));
  if (!pieces)
    for (const std::size_t letter : what.letters)
      known_.set_flag(device.account, mailbox, letter, "seen", true, Sure::yes);
  went_to(device, mailbox);
  return true;
}

bool WorldMaker::change_flags(Actor& device, bool set, std::string& action) {
  if (device.offline) return false;
  const auto places = mailboxes(device.account, true);
  if (places.empty()) return false;
  const std::string mailbox = any(places);
  Pick what;
  if (!pick(device.account, mailbox, Sure::maybe, what)) return false;
  std::vector<std::string> flags = {any(kFlags)};
  if (one_in(3) && flags.front() != kFlags.front()) flags.push_back(kFlags.front());
  action =
      fmt::format("{{{}: {}, with: {}{}}}", set ? "flag" : "unflag", what.text,
                  flags.size() == 1 ? flags.front() : fmt::format("[{}]", fmt::join(flags, ", ")), in(device, mailbox));
  for (const std::size_t letter : what.letters)
    for (const std::string& flag : flags) known_.set_flag(device.account, mailbox, letter, flag, set, Sure::yes);
  went_to(device, mailbox);
  return true;
}

bool WorldMaker::flag(Actor& device, std::string& action) { return change_flags(device, true, action); }
bool WorldMaker::unflag(Actor& device, std::string& action) { return change_flags(device, false, action); }

/// Only where everything in the mailbox is known for sure, as all of it may be found. The mailbox is opened anew: a
/// session need not have been told of what came a moment ago.
bool WorldMaker::search(Actor& device, std::string& action) {
  if (device.offline || device.webmail) return false;
  struct Key {
    std::string_view text, flag;
    bool set;
  };
  static constexpr Key kKeys[] = {
      {"UNSEEN", "seen", false},       {"SEEN", "seen", true},           {"FLAGGED", "flagged", true},
      {"UNFLAGGED", "flagged", false}, {"ANSWERED", "answered", true},   {"DELETED", "deleted", true},
      {"UNDELETED", "deleted", false}, {"KEYWORD $Work", "$Work", true}, {"ALL", "", true}};
  const auto places = mailboxes(device.account, true);
  if (places.empty()) return false;
  const std::string mailbox = any(places);
  const Key& key = kKeys[below(std::size(kKeys))];
  std::vector<std::size_t> found;
  for (const auto& [place, held] : seen(device.account).held) {
    if (place.first != mailbox || held.there == Sure::no) continue;
    const Sure set = key.flag.empty() ? Sure::yes : held.flag(std::string(key.flag));
    if (!held.sure() || set == Sure::maybe) return false;
    if ((set == Sure::yes) == key.set) found.push_back(place.second);
  }
  Pick what;
  what.text = "nothing";
  for (int tries = 0; !found.empty() && what.letters.size() != found.size(); ++tries)
    if (tries == 8 || !pick_of(found, what)) return false;
  pending_ = fmt::format("  - {}: {{open: {}}}", device.name, quoted(mailbox));
  action = fmt::format("{{search: {}, finds: {}, in: {}}}", key.text, what.text, quoted(mailbox));
  went_to(device, mailbox);
  return true;
}

/// As the device has it when its step begins: whoever starts at the same time may be quicker.
Held WorldMaker::before(std::size_t account, const std::string& mailbox, std::size_t letter) const {
  const Held* held = seen(account).find(mailbox, letter);
  return held == nullptr ? Held() : *held;
}

/// For all of them: one COPY or MOVE that finds no room for the last leaves the first where it is (RFC 3501
/// section 6.4.7).
bool WorldMaker::room_for(const Actor& device, const Pick& pick, const std::string& from) const {
  std::uint64_t octets = 0;
  for (const std::size_t letter : pick.letters) {
    const Held held = before(device.account, from, letter);
    if (held.there == Sure::no) continue;
    if (held.several && !known_.accounts[device.account].limits.empty()) return false;  // nobody knows how many
    octets += known_.letters[letter].octets;
  }
  return known_.room(device.account, octets);
}

/// MOVE, or COPY and EXPUNGE on a server without it. What it makes in the other mailbox has the flags that it had (RFC
/// 3501 section 6.4.7: SHOULD).
void WorldMaker::moved(Actor& device, const Pick& pick, const std::string& from, const std::string& to) {
  const std::size_t account = device.account;
  const bool room = room_for(device, pick, from);
  for (const std::size_t letter : pick.letters) {
    const Held held = before(account, from, letter);
    if (held.there == Sure::no) continue;
    known_.put(account, to, letter, room ? held.there : Sure::maybe);
    Held& there = known_.accounts[account].held[{to, letter}];
    there.several = there.several || held.several;
    for (const auto& [name, set] : held.flags) there.flags[name] = set == Sure::no ? Sure::no : Sure::maybe;
    known_.take(account, from, letter, room ? Sure::yes : Sure::maybe);
  }
  known_.expunge(account, from, Sure::maybe);
}

bool WorldMaker::delete_(Actor& device, std::string& action) {
  if (device.offline) return false;
  const auto places = mailboxes(device.account, true);
  if (places.empty()) return false;
  const std::string mailbox = any(places);
  Pick what;
  if (!pick(device.account, mailbox, Sure::maybe, what)) return false;
  const bool trash = one_in(4) && mailbox != "Trash";
  const bool flag = !trash && one_in(3);
  action = fmt::format("{{delete: {}{}{}}}", what.text,
                       trash  ? ", how: trash"
                       : flag ? ", how: flag"
                              : "",
                       in(device, mailbox));
  if (trash) {
    moved(device, what, mailbox, "Trash");
  } else {
    for (const std::size_t letter : what.letters) {
      known_.set_flag(device.account, mailbox, letter, "deleted", true, Sure::yes);
      if (flag) continue;
      removed(device, mailbox, letter, "imap");
      known_.take(device.account, mailbox, letter, Sure::yes);
    }
    if (!flag) known_.expunge(device.account, mailbox, Sure::maybe);
  }
  went_to(device, mailbox);
  return true;
}

bool WorldMaker::expunge(Actor& device, std::string& action) {
  if (device.offline) return false;
  const auto places = mailboxes(device.account, true);
  if (places.empty()) return false;
  const std::string mailbox = any(places);
  action = fmt::format("{{expunge: {}}}", quoted(mailbox));
  known_.expunge(device.account, mailbox, Sure::yes);
  went_to(device, mailbox);
  return true;
}

bool WorldMaker::move(Actor& device, std::string& action) {
  if (device.offline) return false;
  const auto places = mailboxes(device.account, true);
  if (places.empty()) return false;
  const std::string mailbox = any(places);
  const std::string to = one_in(4) && mailbox != "INBOX" ? "INBOX" : new_mailbox_name();
  Pick what;
  if (to == mailbox || !pick(device.account, mailbox, Sure::maybe, what)) return false;
  action = fmt::format("{{move: {}, to: {}{}}}", what.text, quoted(to), in(device, mailbox));
  moved(device, what, mailbox, to);
  went_to(device, mailbox);
  return true;
}

bool WorldMaker::copy(Actor& device, std::string& action) {
  if (device.offline) return false;
  const auto places = mailboxes(device.account, true);
  if (places.empty()) return false;
  const std::string mailbox = any(places);
  const std::string to = one_in(5) ? mailbox : new_mailbox_name();
  Pick what;
  if (!pick(device.account, mailbox, Sure::maybe, what)) return false;
  action = fmt::format("{{copy: {}, to: {}{}}}", what.text, quoted(to), in(device, mailbox));
  const bool room = room_for(device, what, mailbox);
  for (const std::size_t letter : what.letters) {
    const Held held = before(device.account, mailbox, letter);
    if (held.there == Sure::no) continue;
    known_.put(device.account, to, letter, room ? held.there : Sure::maybe);
    if (held.several) known_.accounts[device.account].held[{to, letter}].several = true;
    for (const auto& [name, set] : held.flags)
      if (set != Sure::no) known_.accounts[device.account].held[{to, letter}].flags[name] = Sure::maybe;
  }
  went_to(device, mailbox);
  return true;
}

bool WorldMaker::save(Actor& device, std::string& action) {
  if (device.offline) return false;
  const std::string to = one_in(3) ? "INBOX" : new_mailbox_name();
  const std::string set = new_set();
  std::vector<std::size_t> made;
  bool is_proper = true;
  const std::string what = new_letters(set, !known_.accounts[device.account].limits.empty(), true, made, is_proper);
  action = fmt::format("{{save: {}, to: {}{}}}", set, quoted(to), what);
  for (const std::size_t letter : made) known_.put(device.account, to, letter, is_proper ? Sure::yes : Sure::maybe);
  if (device.webmail) device.open.clear();
  return true;
}

/// A client puts its local copies back, whether they are there or not.
bool WorldMaker::upload(Actor& device, std::string& action) {
  if (device.offline) return false;
  std::vector<std::size_t> letters;
  for (const auto& [place, held] : seen(device.account).held)
    if (std::find(letters.begin(), letters.end(), place.second) == letters.end()) letters.push_back(place.second);
  std::sort(letters.begin(), letters.end());
  Pick what;
  if (!pick_of(letters, what)) return false;
  const std::string to = one_in(3) ? "INBOX" : new_mailbox_name();
  action = fmt::format("{{upload: {}, to: {}}}", what.text, quoted(to));
  for (const std::size_t letter : what.letters) known_.put(device.account, to, letter, Sure::maybe);
  if (device.webmail) device.open.clear();
  return true;
}

bool WorldMaker::open(Actor& device, std::string& action) {
  if (device.offline) return false;
  const std::string mailbox = any(mailboxes(device.account, false));
  action = fmt::format("{{open: {}}}", quoted(mailbox));
  went_to(device, mailbox);
  return true;
}

bool WorldMaker::examine(Actor& device, std::string& action) {
  if (device.offline) return false;
  const std::string mailbox = any(mailboxes(device.account, false));
  action = fmt::format("{{examine: {}}}", quoted(mailbox));
  went_to(device, mailbox);
  return true;
}

bool WorldMaker::create(Actor& device, std::string& action) {
  if (device.offline) return false;
  const std::string mailbox = new_mailbox_name();
  if (seen(device.account).exists(mailbox) == Sure::yes) return false;
  action = fmt::format("{{create: {}}}", quoted(mailbox));
  known_.make(device.account, mailbox);
  return true;
}

bool WorldMaker::rename(Actor& device, std::string& action) {
  if (device.offline) return false;
  const std::string mailbox = any(mailboxes(device.account, false));
  const std::string to = one_in(2) ? new_mailbox_name() + " 2027" : new_mailbox_name();
  if (!may_take_away(device, mailbox) || known_.accounts[device.account].exists(to) != Sure::no) return false;
  action = fmt::format("{{rename: {}, to: {}}}", quoted(mailbox), quoted(to));
  known_.rename(device.account, mailbox, to);
  return true;
}

bool WorldMaker::remove(Actor& device, std::string& action) {
  if (device.offline) return false;
  const std::string mailbox = any(mailboxes(device.account, false));
  if (!may_take_away(device, mailbox)) return false;
  action = fmt::format("{{remove: {}}}", quoted(mailbox));
  known_.remove(device.account, mailbox);
  return true;
}

bool WorldMaker::subscribe(Actor& device, std::string& action) {
  if (device.offline) return false;
  action = fmt::format("{{subscribe: {}}}", quoted(any(mailboxes(device.account, false))));
  return true;
}

bool WorldMaker::try_names(Actor& device, std::string& action) {
  if (device.offline) return false;
  std::set<std::string> names;
  for (std::size_t i = 0; i < 3; ++i) names.insert(any(kOddNames));
  action = fmt::format("{{try_names: [{}]}}", fmt::join(names, ", "));
  if (device.idle.empty()) device.open = device.webmail ? "" : "INBOX";
  return true;
}

bool WorldMaker::quota(Actor& device, std::string& action) {
  if (device.offline || known_.accounts[device.account].limits.empty()) return false;
  action = "quota";
  return true;
}

bool WorldMaker::offline(Actor& device, std::string& action) {
  if (device.offline || device.webmail) return false;
  if (device.open.empty() && !device.resync.empty()) {  // what it keeps is what it has seen
    pending_ = fmt::format("  - {}: {{open: INBOX}}", device.name);
    device.open = "INBOX";
  }
  action = "{go: offline}";
  device.offline = true;
  return true;
}

bool WorldMaker::online(Actor& device, std::string& action) {
  if (!device.offline) return false;
  action = device.resync.empty() ? "{go: online}" : fmt::format("{{go: online, resync: {}}}", device.resync);
  device.offline = false;
  went_to(device, device.open.empty() ? "INBOX" : device.open);
  return true;
}

bool WorldMaker::logout(Actor& device, std::string& action) {
  if (device.offline || device.webmail) return false;
  action = "logout";
  device.open.clear();
  return true;
}

bool WorldMaker::drop(Actor& device, std::string& action) {
  if (device.offline || device.webmail) return false;
  action = "drop";
  device.open.clear();
  return true;
}

bool WorldMaker::compare(Actor& device, std::string& action) {
  if (device.offline) return false;
  action = "compare";
  went_to(device, device.open.empty() ? "INBOX" : device.open);
  return true;
}

bool WorldMaker::connect(Actor& device, std::string& action) {
  if (device.offline) return false;
  action = "{connect: now, expect: accepted}";
  device.open = device.webmail ? "" : device.idle;
  return true;
}

bool WorldMaker::smuggle(Actor& device, std::string& action) {
  if (device.offline || !offer_.tls) return false;
  action = "{smuggle: NOOP}";
  return true;
}

/// The connection breaks at any byte of what the device sends, or before it is answered: nobody knows then what became
/// of the step.
bool WorldMaker::cut(Actor& device, std::string& action) {
  static constexpr Act kActs[] = {&WorldMaker::read, &WorldMaker::flag, &WorldMaker::unflag, &WorldMaker::delete_,
                                  &WorldMaker::move, &WorldMaker::copy, &WorldMaker::save,   &WorldMaker::upload};
  known_.watch();
  if (!(this->*kActs[below(std::size(kActs))])(device, action)) return false;
  action.pop_back();
  action += one_in(3) ? std::string(", cut: before-reply}")
                      : fmt::format(", cut: after {} bytes}}", 1 + below(one_in(2) ? 60 : 400));
  known_.doubt_touched();
  device.open.clear();
  device.cut = true;
  return true;
}

/// Rarely, and never the last reader of an account: somebody must be left to look.
bool WorldMaker::vanish(Actor& device, std::string& action) {
  const auto others = std::count_if(actors_.begin(), actors_.end(), [&](const Actor& other) {
    return other.kind == Kind::imap && other.account == device.account && !other.gone;
  });
  if (others < 2) return false;
  action = "vanish";
  device.gone = true;
  device.open.clear();
  return true;
}

}  // namespace mailproof::explore
