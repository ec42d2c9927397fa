// What a computer does that collects its mail over POP3. Nothing that it marks goes before QUIT (RFC 1939 section 6).
#include <fmt/format.h>

#include <algorithm>

#include "explore/world_maker.h"

namespace mailproof::explore {

std::span<const WorldMaker::Verb> WorldMaker::pop3_verbs() {
  static constexpr Verb kVerbs[] = {
      {"pop see", 3, false, false, &WorldMaker::pop_see},
      {"pop connect", 2, true, false, &WorldMaker::pop_connect},
      {"list", 2, true, false, &WorldMaker::pop_list},
      {"download", 6, true, false, &WorldMaker::pop_download},
      {"pop delete", 4, true, false, &WorldMaker::pop_delete},
      {"reset", 2, true, false, &WorldMaker::pop_reset},
      {"quit", 6, true, false, &WorldMaker::pop_quit},
      {"quit cut", 1, true, false, &WorldMaker::pop_quit_cut},
      {"pop drop", 2, true, true, &WorldMaker::pop_drop},
      {"pop compare", 2, true, false, &WorldMaker::pop_compare},
      {"advance", 2, false, false, &WorldMaker::pop_advance},
      {"pop beside", 2, false, false, &WorldMaker::pop_beside},
      {"pop drain", 8, false, false, &WorldMaker::pop_drain},
      {"pop smuggle", 1, false, false, &WorldMaker::pop_smuggle},
  };
  return kVerbs;
}

/// RFC 1939 section 4: a server gives the maildrop to one session at a time, where it likes to.
bool WorldMaker::maildrop_free(const Actor& device) const {
  return std::none_of(actors_.begin(), actors_.end(), [&](const Actor& other) {
    return &other != &device && other.kind == Kind::pop3 && other.account == device.account && other.connected;
  });
}

/// What is in the maildrop now is what this session has until it ends.
void WorldMaker::login(Actor& device) {
  if (device.connected) return;
  device.connected = true;
  left_.erase(device.account);
  device.maildrop.clear();
  device.sure.clear();
  device.marked.clear();
  for (const auto& [place, held] : seen(device.account).held) {
    if (place.first != "INBOX" || held.there == Sure::no) continue;
    device.maildrop.insert(place.second);
    if (held.there == Sure::yes && !held.several) device.sure.insert(place.second);
  }
}

/// A login beside other steps: what these brought may be in the maildrop, and may have been downloaded and marked with
/// the rest of it; what they took is in it no more, perhaps.
void WorldMaker::login_beside(Actor& device) {
  std::set<std::size_t> sure;
  for (const auto& [place, held] : known_.accounts[device.account].held) {
    if (place.first != "INBOX" || held.there == Sure::no) continue;
    if (device.maildrop.insert(place.second).second) device.marked.try_emplace(place.second, Sure::maybe);
    if (held.there == Sure::yes && device.sure.contains(place.second)) sure.insert(place.second);
  }
  device.sure = std::move(sure);
}

/// QUIT removes what was marked. A letter that has come a second time since is still there.
void WorldMaker::commit(Actor& device, Sure how) {
  for (const auto& [letter, marked] : device.marked) {
    const Sure sure = std::min(how, marked);
    // A client with a calendar has removed what was old enough, whatever else it was asked for.
    if (sure == Sure::yes && !device.after.starts_with('{')) removed(device, "INBOX", letter, "pop3");
    known_.take(device.account, "INBOX", letter, sure);
  }
  const bool left = left_.contains(device.account) || how != Sure::yes;
  hang_up(device);
  if (!left) left_.erase(device.account);
}

/// The server may take a while to notice (RFC 1939 section 4 says no word of how long): who says expressly that a login
/// must be accepted comes later.
void WorldMaker::hang_up(Actor& device) {
  left_.insert(device.account);
  device.connected = false;
  device.marked.clear();
}

bool WorldMaker::pop_see(Actor& device, std::string& action) {
  if (!maildrop_free(device) || !device.marked.empty()) return false;
  Pick what;
  if (!pick(device.account, "INBOX", Sure::yes, what)) return false;
  action = fmt::format("{{see: {}}}", what.text);
  hang_up(device);
  left_.erase(device.account);
  return true;
}

bool WorldMaker::pop_connect(Actor& device, std::string& action) {
  if (!maildrop_free(device) || device.connected || left_.contains(device.account)) return false;
  action = "connect";
  login(device);
  return true;
}

bool WorldMaker::pop_list(Actor& device, std::string& action) {
  if (!maildrop_free(device)) return false;
  action = "list";
  login(device);
  return true;
}

/// The body is read, and where the device's policy says so the message is marked.
bool WorldMaker::pop_download(Actor& device, std::string& action) {
  if (!maildrop_free(device)) return false;
  login(device);
  const unsigned which = below(3);
  Pick what;
  if (which == 2 && !pick_of({device.sure.begin(), device.sure.end()}, what)) return false;
  // Somebody may have removed it since, and then it cannot be had any more: a set that must come has to be there.
  if (which == 2 && std::any_of(what.letters.begin(), what.letters.end(), [&](std::size_t letter) {
        const Held* held = seen(device.account).find("INBOX", letter);
        return view_ != nullptr || held == nullptr || held->there != Sure::yes || device.marked.contains(letter);
      }))
    return false;
  const std::string after = one_in(6) ? (one_in(2) ? "keep" : "delete") : "";
  action = fmt::format("{{download: {}{}{}}}",
                       which == 0   ? "new"
                       : which == 1 ? "all"
                                    : what.text,
                       one_in(2) ? ", as: " + new_set() : "", after.empty() ? "" : ", after: " + after);
  const std::string policy = after.empty() ? device.after : after;
  std::vector<std::size_t> letters = what.letters;
  if (which != 2) letters.assign(device.maildrop.begin(), device.maildrop.end());
  for (const std::size_t letter : letters) {
    const bool sure = device.sure.contains(letter) && (which != 0 || !device.downloaded.contains(letter));
    known_.set_flag(device.account, "INBOX", letter, "seen", true, Sure::maybe);  // RETR may set \Seen
    if (policy == "delete") device.marked[letter] = std::max(device.marked[letter], sure ? Sure::yes : Sure::maybe);
    if (policy != "delete" && policy != "keep" && device.advanced) device.marked.try_emplace(letter, Sure::maybe);
    device.downloaded.insert(letter);
  }
  if (which != 2) known_.touch_all(device.account);
  return true;
}

bool WorldMaker::pop_delete(Actor& device, std::string& action) {
  if (!maildrop_free(device)) return false;
  login(device);
  Pick what;
  if (!pick_of({device.maildrop.begin(), device.maildrop.end()}, what)) return false;
  action = fmt::format("{{delete: {}}}", what.text);
  for (const std::size_t letter : what.letters)
    device.marked[letter] = std::max(device.marked[letter], device.sure.contains(letter) ? Sure::yes : Sure::maybe);
  return true;
}

bool WorldMaker::pop_reset(Actor& device, std::string& action) {
  if (!device.connected) return false;
  action = "reset";
  device.marked.clear();
  return true;
}

bool WorldMaker::pop_quit(Actor& device, std::string& action) {
  if (!device.connected) return false;
  action = "quit";
  commit(device, Sure::yes);
  return true;
}

bool WorldMaker::pop_quit_cut(Actor& device, std::string& action) {
  if (!device.connected) return false;
  const unsigned where = below(8);
  const std::string cut = where < 6    ? fmt::format("after {} bytes", where + 1)
                          : where == 6 ? "before-reply"
                                       : "after-reply";
  action = fmt::format("{{quit: now, cut: {}}}", cut);
  commit(device, where < 5 ? Sure::maybe : where == 7 ? Sure::yes : Sure::maybe);
  return true;
}

bool WorldMaker::pop_drop(Actor& device, std::string& action) {
  if (!device.connected && !device.shaken) return false;
  action = "drop";
  hang_up(device);
  return true;
}

bool WorldMaker::pop_compare(Actor& device, std::string& action) {
  if (!maildrop_free(device)) return false;
  login(device);
  action = "compare";
  for (const std::size_t letter : device.maildrop) {
    known_.set_flag(device.account, "INBOX", letter, "seen", true, Sure::maybe);
    device.downloaded.insert(letter);
  }
  known_.touch_all(device.account);
  return true;
}

bool WorldMaker::pop_advance(Actor& device, std::string& action) {
  if (device.after == "keep" || device.after == "delete") return false;
  action = "{advance: 15 days}";
  device.advanced = true;
  return true;
}

bool WorldMaker::pop_smuggle(Actor&, std::string& action) {
  if (!offer_.tls) return false;
  action = one_in(2) ? "{smuggle: CAPA}" : "{smuggle: NOOP}";
  return true;
}

}  // namespace mailproof::explore
