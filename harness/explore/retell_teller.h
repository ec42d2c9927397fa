#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "explore/retell.h"
#include "explore/retell_cast.h"
#include "explore/retell_mail.h"

namespace mailproof::explore {

/// Tells one history as a story: event by event it follows who has which mailbox open, which message stands where, and
/// says what was done. What is said lies in retell_steps.cc, what IMAP and POP3 devices do in retell_devices.cc.
class Teller {
 public:
  Teller(const history::History& history, std::string id)
      : history_(history), id_(std::move(id)), cast_(history), mail_(history, cast_), namespaced_(is_namespaced()) {}
  Result<Retold> run();

 private:
  using Event = history::Event;
  using Type = history::Type;
  using What = history::What;
  using Node = scenario::Node;

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
  bool is_namespaced() const;
  std::string mailbox(const std::string& name) const;
  std::string ref(std::uint32_t first, std::uint32_t last) const;

  // Which message it is.

  /// Of what a server tells: it says of which mailbox.
  std::uint32_t at(const Event& e, std::uint32_t uid);
  /// Of what a client asks for: the mailbox is the one that it has open.
  std::uint32_t in_open(std::uint32_t session, std::uint32_t uid);
  void follow(const Event& e);

  /// Mail that was there before anything was heard.
  void put(const MailboxOf& where, const std::map<std::uint64_t, std::uint32_t>& mail);
  std::string new_set(const std::vector<std::uint32_t>& messages);

  std::optional<std::string> size_of(const std::vector<std::uint32_t>& messages) const;

  const std::string& account(std::uint32_t number) const { return cast_.account_name(number); }

  // Steps.
  void say(const std::string& device, Node action);
  void say_of(std::uint32_t number, Node action);
  /// What devices saw and did to single messages is said before anything else is.
  void act(const Event& e, Node action);
  /// Of a session that did nothing there is nothing to end.
  void leave(const Event& e, const char* how);
  void act(const Event& e, std::string_view verb, const std::string& object);
  /// Who listens already goes on listening.
  void listen(const Event& e);

  /// Later, with what else this device does to messages of the mailbox.
  void with(const Event& e, std::string_view verb, std::uint32_t message);
  void flush();
  void flush(std::uint32_t number);

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

  const Event& invoke_of(const Event& e) const { return history_.asked(e); }
  void tell(const Event& e);

  void delivery(const Event& e);

  // IMAP.
  void imap(const Event& e);

  static bool changes(What what);
  void imap_done(const Event& e, Session& s);

  /// Whoever is told of a message sees it, if it must be there.
  void seen(const Event& e);
  void told_gone(const Event& e, std::uint32_t uid);

  void store(const Event& e, const Event& asked);
  void expunge(const Event& e, const Event& asked);

  void copy_or_move(const Event& e, const Event& asked, const std::string& to);
  void append(const Event& e, const Event& asked, const std::string& box);

  // POP3.
  void pop3(const Event& e);

  // What became of it.
  void removed(std::uint32_t message, const Event& e);

  /// Of those that one device removed, and of which there was one copy.
  void fates();
  Node story() const;

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

}  // namespace mailproof::explore
