#include "explore/retell.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "core/bytes.h"
#include "core/units.h"
#include "explore/retell_cast.h"
#include "explore/retell_mail.h"
#include "explore/story_tree.h"
#include "explore/write.h"

namespace mailproof::explore {
namespace {

using history::Event;
using history::Type;
using history::What;
using scenario::Node;

constexpr std::uint64_t kOrdinary = 2048;  ///< octets of a message that a story says no size of

std::string protocol_word(Protocol protocol) { return protocol == Protocol::pop3 ? "pop3" : "imap"; }

class Teller {
 public:
  Teller(const history::History& history, std::string id)
      : history_(history), id_(std::move(id)), cast_(history), mail_(history, cast_), namespaced_(is_namespaced()) {}

  Result<Retold> run() {
    if (cast_.accounts().children.empty()) return Error{"", "nobody logged in, and nothing was delivered"};
    for (const auto& [where, mail] : mail_.before()) put(where, mail);
    if (mail_.put_elsewhere() != 0)
      left_out_["mail that the server itself put elsewhere than into INBOX"] = mail_.put_elsewhere();
    for (const Event& e : history_.events()) tell(e);
    flush();
    fates();
    Retold out;
    out.story = story();
    for (const auto& [what, times] : left_out_)
      out.left_out.push_back(times == 1 ? what : fmt::format("{} ({} times)", what, times));
    if (write(out.story).text.size() > scenario::kMaxFile / 2 || steps_.size() > kMostSteps)
      return Error{"", fmt::format("{} steps are more than a story may have: take fewer sessions, or one user's",
                                   steps_.size())};
    if (!story_tree::fit(out.story, id_ + ".yaml")) return Error{"", "nothing of it can be done again"};
    return out;
  }

 private:
  static constexpr std::size_t kMostSteps = 3000;

  /// A message of the story: of a set, by its place in it.
  struct Letter {
    std::string set;
    std::size_t index = 1;
    std::size_t of = 1;  ///< so many are in the set
  };
  /// What a device does next with several messages, one after the other.
  struct Pending {
    std::string verb, mailbox;
    std::vector<std::uint32_t> messages;
  };
  struct Session {
    MailboxOf where;
    std::uint32_t uidvalidity = 0;
    bool writable = false, left = false, listed = false;
    bool said = false;            ///< a step of the story is its own
    std::optional<Node> opening;  ///< of the mailbox that it has open: told when something is done there
    std::map<std::uint32_t, std::uint32_t> by_number;  ///< POP3
    std::set<std::uint32_t> marked;                    ///< POP3: DELE
    std::vector<Pending> pending;
  };

  // Names.

  /// Folders below INBOX, as Courier and Cyrus have them.
  bool is_namespaced() const {
    return std::any_of(history_.events().begin(), history_.events().end(),
                       [](const Event& e) { return e.mailbox.starts_with("INBOX."); });
  }
  std::string mailbox(const std::string& name) const {
    if (!namespaced_ || !name.starts_with("INBOX.")) return name;
    std::string out = name.substr(6);
    std::replace(out.begin(), out.end(), '.', '/');
    return out;
  }
  std::string ref(std::uint32_t first, std::uint32_t last) const {
    const Letter& from = letters_.at(first);
    const Letter& to = letters_.at(last);
    if (from.index == 1 && to.index == from.of) return from.set;
    return story_tree::text_of({from.set, static_cast<std::int64_t>(from.index), static_cast<std::int64_t>(to.index)});
  }

  // Which message it is.

  /// Of what a server tells: it says of which mailbox.
  std::uint32_t at(const Event& e, std::uint32_t uid) {
    if (e.type != Type::obs || e.mailbox.empty() || e.uidvalidity == 0) return in_open(e.session, uid);
    return mail_.at_uid(history_.session(e.session).account, e.mailbox, e.uidvalidity, uid);
  }
  /// Of what a client asks for: the mailbox is the one that it has open.
  std::uint32_t in_open(std::uint32_t session, std::uint32_t uid) {
    const Session& s = sessions_[session];
    return mail_.at_uid(history_.session(session).account, s.where.second, s.uidvalidity, uid);
  }

  void follow(const Event& e) {
    if (e.type != Type::ok || e.session == 0) return;
    Session& s = sessions_[e.session];
    s.where = {history_.session(e.session).account, invoke_of(e).mailbox};
    s.uidvalidity = e.uidvalidity;
    s.writable = e.what == What::select;
  }

  /// Mail that was there before anything was heard.
  void put(const MailboxOf& where, const std::map<std::uint64_t, std::uint32_t>& mail) {
    std::vector<std::uint32_t> fresh, again;
    for (const auto& [place, message] : mail) {
      (letters_.contains(message) ? again : fresh).push_back(message);
      there_[where].insert(message);
    }
    const std::string box = mailbox(where.second);
    const std::string saver = cast_.saver(where.first);
    const bool inbox = where.second == "INBOX";
    if (!inbox && saver.empty()) return;
    if (!fresh.empty()) {
      const std::string set = new_set(fresh);
      std::vector<std::pair<std::string, Node>> action = {{inbox ? "deliver" : "save", word(set)},
                                                          {"to", word(inbox ? account(where.first) : box)}};
      if (fresh.size() > 1) action.emplace_back("count", word(std::to_string(fresh.size())));
      if (const auto size = size_of(fresh)) action.emplace_back("size", word(*size));
      say(inbox ? "mta" : saver, map_of(std::move(action)));
    }
    for (const std::uint32_t message : again)
      if (!saver.empty()) say(saver, map_of({{"upload", word(ref(message, message))}, {"to", word(box)}}));
  }

  std::string new_set(const std::vector<std::uint32_t>& messages) {
    const std::string set = sets_ == 0 ? "mail" : fmt::format("mail{}", sets_ + 1);
    ++sets_;
    for (std::size_t i = 0; i < messages.size(); ++i) letters_[messages[i]] = {set, i + 1, messages.size()};
    return set;
  }

  std::optional<std::string> size_of(const std::vector<std::uint32_t>& messages) const {
    constexpr std::uint64_t kMost = 8U << 20;
    std::uint64_t most = 0;
    for (const std::uint32_t message : messages)
      if (message <= history_.messages().size()) most = std::max(most, history_.message(message).size);
    if (most <= kOrdinary) return std::nullopt;
    return format_size(std::min(kMost, (most + 511) / 512 * 512));
  }

  const std::string& account(std::uint32_t number) const { return cast_.account_name(number); }

  // Steps.

  void say(const std::string& device, Node action) {
    if (device.empty()) return;
    Node step = map_of({{device, std::move(action)}});
    if (device == "mta") mta_ = true;
    // Twice the same word says nothing more: NOOP, NOOP.
    if (!steps_.empty() && step.children.front().kind == Node::Kind::scalar &&
        scenario::entries_in_one_line(steps_.back()) == scenario::entries_in_one_line(step))
      return;
    steps_.push_back(std::move(step));
  }
  void say_of(std::uint32_t number, Node action) {
    Session& s = sessions_[number];
    if (const auto opening = std::exchange(s.opening, std::nullopt)) say(cast_.device_of(number), *opening);
    s.said = true;
    say(cast_.device_of(number), std::move(action));
  }
  /// What devices saw and did to single messages is said before anything else is.
  void act(const Event& e, Node action) {
    flush();
    say_of(e.session, std::move(action));
  }
  /// Of a session that did nothing there is nothing to end.
  void leave(const Event& e, const char* how) {
    Session& s = sessions_[e.session];
    flush();
    s.opening.reset();
    if (!std::exchange(s.left, true) && s.said) act(e, word(how));
  }
  void act(const Event& e, std::string_view verb, const std::string& object) {
    act(e, map_of({{std::string(verb), word(object)}}));
  }
  /// Who listens already goes on listening.
  void listen(const Event& e) {
    const std::string& device = cast_.device_of(e.session);
    const std::string box = mailbox(sessions_[e.session].where.second);
    const auto last =
        std::find_if(steps_.rbegin(), steps_.rend(), [&](const Node& step) { return story_tree::acts(step, device); });
    const Node* idle = last == steps_.rend() ? nullptr : scenario::find(story_tree::entry_of(*last), "idle");
    const bool listens = idle != nullptr && idle->text == box && sessions_[e.session].pending.empty();
    if (!box.empty() && !listens) act(e, "idle", box);
  }

  /// Later, with what else this device does to messages of the mailbox.
  void with(const Event& e, std::string_view verb, std::uint32_t message) {
    if (message == 0 || !letters_.contains(message)) return;
    for (auto& [number, session] : sessions_)
      if (number != e.session && !session.pending.empty()) flush(number);
    Session& s = sessions_[e.session];
    const std::string box = mailbox(s.where.second);
    auto same = std::find_if(s.pending.begin(), s.pending.end(),
                             [&](const Pending& p) { return p.verb == verb && p.mailbox == box; });
    if (same == s.pending.end()) {
      s.pending.push_back({std::string(verb), box, {}});
      same = std::prev(s.pending.end());
    }
    if (std::find(same->messages.begin(), same->messages.end(), message) == same->messages.end())
      same->messages.push_back(message);
  }

  void flush() {
    for (auto& [number, session] : sessions_) flush(number);
  }
  void flush(std::uint32_t number) {
    auto pending = std::exchange(sessions_[number].pending, {});
    const bool pop = history_.session(number).protocol == Protocol::pop3;
    // RFC 1939 section 6: DELE does nothing before QUIT, so that downloads may be said first.
    std::stable_sort(pending.begin(), pending.end(),
                     [&](const Pending& a, const Pending& b) { return pop && a.verb > b.verb; });
    for (auto& one : pending)
      for_ranges(one.messages, [&](const std::string& letters) {
        std::vector<std::pair<std::string, Node>> action = {{one.verb, word(letters)}};
        if (!pop && one.mailbox != "INBOX") action.emplace_back("in", word(one.mailbox));
        say_of(number, map_of(std::move(action)));
      });
  }

  /// Messages of a set that stand side by side are one word.
  template <class F>
  void for_ranges(const std::vector<std::uint32_t>& messages, const F& f) {
    std::vector<std::uint32_t> sorted;
    for (const std::uint32_t message : messages)
      if (letters_.contains(message)) sorted.push_back(message);
    std::sort(sorted.begin(), sorted.end(), [&](std::uint32_t a, std::uint32_t b) {
      const Letter &x = letters_.at(a), &y = letters_.at(b);
      return std::tie(x.set, x.index) < std::tie(y.set, y.index);
    });
    for (std::size_t begin = 0; begin < sorted.size();) {
      std::size_t end = begin;
      while (end + 1 < sorted.size() && letters_.at(sorted[end + 1]).set == letters_.at(sorted[begin]).set &&
             letters_.at(sorted[end + 1]).index == letters_.at(sorted[end]).index + 1)
        ++end;
      f(ref(sorted[begin], sorted[end]));
      begin = end + 1;
    }
  }

  const Event& invoke_of(const Event& e) const { return e.command == 0 ? e : history_.event(e.command); }

  void tell(const Event& e) {
    if (e.what == What::deliver) return delivery(e);
    if (e.session == 0 || cast_.device_of(e.session).empty()) return;
    if (history_.session(e.session).protocol == Protocol::pop3)
      pop3(e);
    else
      imap(e);
  }

  void delivery(const Event& e) {
    if (e.type == Type::fail) ++left_out_["a delivery that was refused"];
    if (e.type == Type::info) ++left_out_["a delivery of which nobody knows what became"];
    if (e.type != Type::ok || e.account == 0) return;
    const Event& asked = invoke_of(e);
    const std::uint32_t message = e.message != 0 ? e.message : asked.message;
    if (message == 0 || !delivered_.insert(asked.index).second) return;
    std::vector<std::string> to;
    for (std::uint32_t i = e.index; i <= history_.events().size(); ++i) {
      const Event& other = history_.event(i);
      if (other.what != What::deliver || other.type != Type::ok || invoke_of(other).index != asked.index) continue;
      if (other.account == 0 || std::find(to.begin(), to.end(), account(other.account)) != to.end()) continue;
      to.push_back(account(other.account));
      there_[{other.account, "INBOX"}].insert(message);
    }
    flush();
    // The same message once more is the sender trying again.
    if (letters_.contains(message)) return say("mta", map_of({{"retry", word(ref(message, message))}}));
    const std::string set = new_set({message});
    std::vector<std::pair<std::string, Node>> action = {{"deliver", word(set)},
                                                        {"to", to.size() == 1 ? word(to.front()) : list_of(to)}};
    if (const auto size = size_of({message})) action.emplace_back("size", word(*size));
    say("mta", map_of(std::move(action)));
  }

  // IMAP.

  void imap(const Event& e) {
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

  static bool changes(What what) {
    return what == What::store || what == What::copy || what == What::move || what == What::expunge ||
           what == What::append;
  }

  void imap_done(const Event& e, Session& s) {
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

  /// Whoever is told of a message sees it, if it must be there.
  void seen(const Event& e) {
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

  void told_gone(const Event& e, std::uint32_t uid) {
    const Session& s = sessions_[e.session];
    const std::uint32_t message = at(e, uid);
    if (message == 0 || there_[s.where].contains(message)) return;
    if (seen_.erase({cast_.device_of(e.session), s.where, message}) != 0) with(e, "lose", message);
  }

  void store(const Event& e, const Event& asked) {
    const MailboxOf where = sessions_[e.session].where;
    const bool takes = asked.code.starts_with('-');
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
    for_ranges(messages, [&](const std::string& letters) {
      std::vector<std::pair<std::string, Node>> in;
      if (where.second != "INBOX") in.emplace_back("in", word(mailbox(where.second)));
      const auto told = [&](std::vector<std::pair<std::string, Node>> action) {
        action.insert(action.end(), in.begin(), in.end());
        say_of(e.session, map_of(std::move(action)));
      };
      if (!flags.empty()) told({{takes ? "unflag" : "flag", word(letters)}, {"with", list_of(flags)}});
      if (deleted) told({{"delete", word(letters)}, {"how", word("flag")}});
    });
    const bool clears = takes && std::find(flags.begin(), flags.end(), "deleted") != flags.end();
    for (const std::uint32_t message : messages) {
      if (deleted) marked_[where].insert(message);
      if (clears) marked_[where].erase(message);
    }
  }

  void expunge(const Event& e, const Event& asked) {
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

  void copy_or_move(const Event& e, const Event& asked, const std::string& to) {
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

  void append(const Event& e, const Event& asked, const std::string& box) {
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

  void pop3(const Event& e) {
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

  // What became of it.

  void removed(std::uint32_t message, const Event& e) {
    removed_by_[message].insert({cast_.device_of(e.session), history_.session(e.session).protocol});
  }

  /// Of those that one device removed, and of which there was one copy.
  void fates() {
    std::map<std::pair<std::string, Protocol>, std::vector<std::uint32_t>> by;
    for (const auto& [message, who] : removed_by_) {
      const std::uint32_t number = message;
      const auto has = [number](const auto& box) { return box.second.contains(number); };
      if (who.size() != 1 || copied_.contains(message) || std::any_of(there_.begin(), there_.end(), has)) continue;
      by[*who.begin()].push_back(message);
    }
    for (const auto& one : by)
      for_ranges(one.second, [&](const std::string& letters) {
        const auto& [who, protocol] = one.first;
        steps_.push_back(map_of({{"judge", map_of({{"fate", word(letters)},
                                                   {"is", word("removed-by-client")},
                                                   {"by", word(who)},
                                                   {"over", word(protocol_word(protocol))}})}}));
      });
  }

  Node story() const {
    std::vector<std::string> needs;
    if (cast_.has_imap()) needs.emplace_back("imap");
    if (cast_.has_pop3()) needs.emplace_back("pop3");
    if (mta_) needs.emplace_back("delivery");
    Node steps;
    steps.kind = Node::Kind::list;
    steps.children = steps_;
    return map_of({{"id", word(id_)},
                   {"needs", list_of(needs)},
                   {"accounts", cast_.accounts()},
                   {"devices", cast_.devices(mta_)},
                   {"steps", std::move(steps)}});
  }

  const history::History& history_;
  const std::string id_;
  RetoldCast cast_;
  RetoldMail mail_;
  const bool namespaced_;
  std::map<std::uint32_t, Letter> letters_;
  std::size_t sets_ = 0;
  std::map<MailboxOf, std::set<std::uint32_t>> there_, marked_;  ///< by what was asked
  std::map<std::uint32_t, Session> sessions_;
  std::set<std::tuple<std::string, MailboxOf, std::uint32_t>> seen_;
  std::set<std::pair<std::string, std::uint32_t>> read_;
  std::set<std::uint32_t> delivered_, copied_;
  std::map<std::uint32_t, std::set<std::pair<std::string, Protocol>>> removed_by_;
  std::vector<Node> steps_;
  std::map<std::string, std::size_t> left_out_;
  bool mta_ = false;
};

}  // namespace

Result<Retold> retell(const history::History& history, const std::string& id) { return Teller(history, id).run(); }

}  // namespace mailproof::explore
