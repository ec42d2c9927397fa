// What devices did over IMAP and POP3.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/bytes.h"
#include "explore/retell_teller.h"

namespace mailproof::explore {

// IMAP.

void Teller::imap(const Event& e) {
  Session& s = sessions_[e.session];
  switch (e.what) {
    case What::select:
    case What::examine:
      if (e.type != Type::ok) return;
      flush();
      follow(e);
      s.opening = map_of({{e.what == What::select ? "open" : "examine", word(mailbox(s.where.second))}});
      return;
    case What::row:
    case What::message:
      return seen(e);
    case What::expunged:
      return told_gone(e, e.uid);
    case What::vanished:
      for (const std::uint32_t uid : history::parse_uids(e.set)) told_gone(e, uid);
      return;
    case What::idle:
      return e.type == Type::invoke ? listen(e) : void();
    case What::end:
      return leave(e, "drop");
    default:
      if (e.type == Type::ok) return imap_done(e, s);
      if (e.type == Type::info && changes(e.what)) ++left_out_["a command of which nobody knows what it did"];
      return;
  }
}

bool Teller::changes(What what) {
  return what == What::store || what == What::copy || what == What::move || what == What::expunge ||
         what == What::append;
}

void Teller::imap_done(const Event& e, Session& s) {
  const Event& asked = invoke_of(e);
  const std::string box = mailbox(asked.mailbox), other = mailbox(asked.other_mailbox);
  switch (e.what) {
    case What::store:
      return store(e, asked);
    case What::expunge:
    case What::close:
      return expunge(e, asked);
    case What::copy:
    case What::move:
      return copy_or_move(e, asked, other);
    case What::append:
      return append(e, asked, box);
    case What::create:
      return act(e, "create", box);
    case What::subscribe:
      return asked.text.empty() ? act(e, "subscribe", box) : void();
    case What::remove:
      there_.erase({history_.session(e.session).account, asked.mailbox});
      return act(e, "remove", box);
    case What::rename: {
      const std::uint32_t owner = history_.session(e.session).account;
      if (asked.mailbox == "INBOX") return void(++left_out_["a RENAME of INBOX"]);
      for (auto* of : {&there_, &marked_}) {
        auto before = std::exchange(*of, {});
        for (auto& [where, mail] : before) {
          const auto name = where.first == owner ? renamed(where.second, asked) : std::nullopt;
          (*of)[{where.first, name.value_or(where.second)}].merge(mail);
        }
      }
      return act(e, map_of({{"rename", word(box)}, {"to", word(other)}}));
    }
    case What::noop:
      return s.where.second.empty() ? void() : act(e, word("sync"));
    case What::logout:
      return leave(e, "log out");
    default:
      return;
  }
}

void Teller::seen(const Event& e) {
  const Session& s = sessions_[e.session];
  const std::uint32_t message = e.message != 0 ? e.message : at(e, e.uid);
  if (message == 0 || !there_[s.where].contains(message)) return;
  const std::string& device = cast_.device_of(e.session);
  const bool whole = e.what == What::message && e.code == "full";
  if (whole && read_.insert({device, message}).second) {
    seen_.insert({device, s.where, message});
    return with(e, "read", message);
  }
  if (seen_.insert({device, s.where, message}).second) with(e, "see", message);
}

void Teller::told_gone(const Event& e, std::uint32_t uid) {
  const Session& s = sessions_[e.session];
  const std::uint32_t message = at(e, uid);
  if (message == 0 || there_[s.where].contains(message)) return;
  if (seen_.erase({cast_.device_of(e.session), s.where, message}) != 0) with(e, "lose", message);
}

void Teller::store(const Event& e, const Event& asked) {
  const MailboxOf where = sessions_[e.session].where;
  const bool takes = asked.code.starts_with('-');
  const bool replaces =
      !takes && !asked.code.starts_with('+');  // RFC 3501 section 6.4.6: \Deleted goes where it is not named
  std::vector<std::uint32_t> messages;
  for (const std::uint32_t uid : history::parse_uids(asked.set))
    if (const std::uint32_t message = at(e, uid); message != 0 && there_[where].contains(message))
      messages.push_back(message);
  std::vector<std::string> flags;
  bool deleted = false;
  std::string_view rest = asked.flags;
  while (!rest.empty()) {
    const std::string_view flag = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), flag.size() + 1));
    if (iequals(flag, "\\Deleted") && !takes)
      deleted = true;
    else if (flag.starts_with('\\') && !iequals(flag, "\\Recent"))
      flags.push_back(lower(flag.substr(1)));
    else if (!flag.empty() && !flag.starts_with('\\'))
      flags.emplace_back(flag);
  }
  flush();
  const auto told = [&](std::vector<std::pair<std::string, Node>> action) {
    if (where.second != "INBOX") action.emplace_back("in", word(mailbox(where.second)));
    say_of(e.session, map_of(std::move(action)));
  };
  std::vector<std::uint32_t> unmarked;
  if (replaces && !deleted)
    std::copy_if(messages.begin(), messages.end(), std::back_inserter(unmarked),
                 [&](std::uint32_t message) { return marked_[where].contains(message); });
  for_ranges(unmarked, [&](const std::string& letters) {
    told({{"unflag", word(letters)}, {"with", list_of({"deleted"})}});
  });
  for_ranges(messages, [&](const std::string& letters) {
    if (!flags.empty()) told({{takes ? "unflag" : "flag", word(letters)}, {"with", list_of(flags)}});
    if (deleted) told({{"delete", word(letters)}, {"how", word("flag")}});
  });
  const bool clears =
      (replaces && !deleted) || (takes && std::find(flags.begin(), flags.end(), "deleted") != flags.end());
  for (const std::uint32_t message : messages) {
    if (deleted) marked_[where].insert(message);
    if (clears) marked_[where].erase(message);
  }
}

void Teller::expunge(const Event& e, const Event& asked) {
  const Session& s = sessions_[e.session];
  if (e.what == What::close && !s.writable) return;
  std::set<std::uint32_t>& marked = marked_[s.where];
  std::set<std::uint32_t> going = marked;
  if (!asked.set.empty()) {
    going.clear();
    for (const std::uint32_t uid : history::parse_uids(asked.set))
      if (const std::uint32_t message = at(e, uid); marked.contains(message)) going.insert(message);
  }
  if (going.empty()) return;
  if (going == marked) {
    act(e, s.where.second == "INBOX" ? word("expunge") : map_of({{"expunge", word(mailbox(s.where.second))}}));
  } else {
    // UID EXPUNGE of some of those that are marked (RFC 4315 section 2.1).
    flush();
    for_ranges({going.begin(), going.end()}, [&](const std::string& letters) {
      say_of(e.session, map_of({{"delete", word(letters)}, {"how", word("expunge")}}));
    });
  }
  for (const std::uint32_t message : going) {
    there_[s.where].erase(message);
    marked.erase(message);
    seen_.erase({cast_.device_of(e.session), s.where, message});
    removed(message, e);
  }
}

void Teller::copy_or_move(const Event& e, const Event& asked, const std::string& to) {
  const MailboxOf from = sessions_[e.session].where, into{from.first, asked.other_mailbox};
  std::vector<std::uint32_t> messages;
  for (const std::uint32_t uid : history::parse_uids(asked.set.empty() ? e.set : asked.set))
    if (const std::uint32_t message = at(e, uid); message != 0 && there_[from].contains(message))
      messages.push_back(message);
  flush();
  const bool move = e.what == What::move;
  for_ranges(messages, [&](const std::string& letters) {
    std::vector<std::pair<std::string, Node>> action = {{move ? "move" : "copy", word(letters)}, {"to", word(to)}};
    if (from.second != "INBOX") action.emplace_back("in", word(mailbox(from.second)));
    say_of(e.session, map_of(std::move(action)));
  });
  for (const std::uint32_t message : messages) {
    there_[into].insert(message);
    copied_.insert(message);
    if (!move) continue;
    there_[from].erase(message);
    seen_.erase({cast_.device_of(e.session), from, message});
  }
}

void Teller::append(const Event& e, const Event& asked, const std::string& box) {
  const std::uint32_t message = asked.message != 0 ? asked.message : mail_.another();
  const MailboxOf where{history_.session(e.session).account, asked.mailbox};
  there_[where].insert(message);
  if (letters_.contains(message)) {
    copied_.insert(message);
    return act(e, map_of({{"upload", word(ref(message, message))}, {"to", word(box)}}));
  }
  const std::string set = new_set({message});
  std::vector<std::pair<std::string, Node>> action = {{"save", word(set)}, {"to", word(box)}};
  if (const auto size = size_of({message})) action.emplace_back("size", word(*size));
  act(e, map_of(std::move(action)));
}

// POP3.

void Teller::pop3(const Event& e) {
  Session& s = sessions_[e.session];
  s.where = {history_.session(e.session).account, "INBOX"};
  if (e.type == Type::obs && e.what == What::pop_uidl) {
    if (const std::uint32_t known = mail_.at_uidl(s.where.first, e.text); known != 0) s.by_number[e.seq] = known;
  }
  if (e.type == Type::obs && e.what == What::message && e.message != 0) s.by_number[e.seq] = e.message;
  if (e.what == What::end) {
    return leave(e, "drop");
  }
  if (e.type != Type::ok) return;
  const std::uint32_t message = s.by_number.contains(e.seq) ? s.by_number[e.seq] : 0;
  switch (e.what) {
    case What::connect:
      return act(e, "connect", "now");
    case What::pop_uidl:
    case What::pop_list:
      if (!std::exchange(s.listed, true)) act(e, word("list"));
      return;
    case What::retr:
      if (there_[s.where].contains(message)) with(e, "download", message);
      return;
    case What::dele:
      if (message == 0) return void(++left_out_["a DELE of a message that nobody read, here or elsewhere"]);
      if (!there_[s.where].contains(message)) return;
      s.marked.insert(message);
      return with(e, "delete", message);
    case What::rset:
      s.marked.clear();
      return act(e, word("reset"));
    case What::quit:
      leave(e, "quit");
      for (const std::uint32_t gone : s.marked) {
        there_[s.where].erase(gone);
        removed(gone, e);
      }
      return;
    default:
      return;
  }
}

}  // namespace mailproof::explore
