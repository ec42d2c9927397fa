#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mailproof::explore {

/// What a world's maker knows of something: it is not so, it may be, it is for sure.
enum class Sure : std::uint8_t { no, maybe, yes };

/// One message in one mailbox.
struct Held {
  Sure there = Sure::no;
  /// There may be more than one copy, or one that came when another had gone: what a device that knows only of the
  /// other one then does to it is not sure.
  bool several = false;
  std::map<std::string, Sure> flags = {};  ///< "seen", "$Work"; one that is absent is not set

  Sure flag(const std::string& name) const {
    const auto at = flags.find(name);
    return at == flags.end() ? Sure::no : at->second;
  }
  bool sure() const { return there != Sure::maybe && !several; }
};

/// One of the world's messages, by the name that its step gave it.
struct Letter {
  std::string set;
  int index = 1;             ///< in the set, from 1
  std::uint64_t octets = 0;  ///< no more than these in a mailbox
  std::set<std::size_t> to;  ///< accounts that it was sent to
  bool again = false;        ///< its outcome is not known to the client, who may send it again
  bool proper = true;        ///< of a kind that nobody may change or refuse
};

/// A limit of an account, or of a customer and all of its accounts.
struct Limit {
  std::optional<std::uint64_t> octets;  ///< none = there is none
  std::uint64_t added = 0;              ///< no more than these are there
};

/// Where a message is: mailbox, and the letter's number.
using Place = std::pair<std::string, std::size_t>;

struct Mailboxes {
  /// Which a server has from the start (RFC 6154) is its own affair.
  std::map<std::string, Sure> names = {{"INBOX", Sure::yes},  {"Archive", Sure::maybe}, {"Drafts", Sure::maybe},
                                       {"Junk", Sure::maybe}, {"Sent", Sure::maybe},    {"Spam", Sure::maybe},
                                       {"Trash", Sure::maybe}};
  std::map<Place, Held> held = {};
  std::vector<std::size_t> limits = {};  ///< that count what is put here
  bool strangers = false;                ///< reports may have come, which are no letters

  const Held* find(const std::string& mailbox, std::size_t letter) const;
  Sure exists(const std::string& mailbox) const;
};

/// What a world's mailboxes hold as far as its maker can know: each step that is written into the world is done to this
/// as well. A server has choices, and steps that start together overtake each other: then it says maybe, and nothing is
/// expected of the server that it need not do.
class Knowledge {
 public:
  std::vector<Letter> letters;
  std::vector<Mailboxes> accounts;
  std::vector<Limit> limits;

  /// A copy more. In a mailbox with a limit it is only sure as long as there is room for all that may be there.
  void put(std::size_t account, const std::string& mailbox, std::size_t letter, Sure how);
  /// All copies are removed, or asked to be.
  void take(std::size_t account, const std::string& mailbox, std::size_t letter, Sure how);
  void set_flag(std::size_t account, const std::string& mailbox, std::size_t letter, const std::string& flag, bool set,
                Sure how);
  /// Whatever bears \Deleted goes; `how` maybe: only where the server cannot do better (no UIDPLUS).
  void expunge(std::size_t account, const std::string& mailbox, Sure how);
  void make(std::size_t account, const std::string& mailbox);
  void rename(std::size_t account, const std::string& from, const std::string& to);
  void remove(std::size_t account, const std::string& mailbox);
  /// Nothing is known any more of where this letter is, nor of its flags.
  void doubt(std::size_t account, std::size_t letter);
  /// What is done between these two nobody knows the end of.
  void watch() { watched_ = Touched(); }
  void doubt_touched();

  bool room(std::size_t account, std::uint64_t octets) const;
  void fill(std::size_t account, std::uint64_t octets);  ///< counts them against the limits
  void filled(std::size_t account);                      ///< up to the limits

  /// Steps that start together: between begin() and end() each is one child.
  void begin_together();
  void next_child();
  void end_together();

 private:
  struct Touched {
    std::set<std::pair<std::size_t, std::size_t>> letters;  ///< account, letter
    std::set<std::pair<std::size_t, std::string>> made;     ///< account, mailbox
    std::set<std::size_t> expunging, all;                   ///< accounts
  };
  void touch(std::size_t account, std::size_t letter);
  Held& at(std::size_t account, const std::string& mailbox, std::size_t letter);

  std::vector<Touched> children_;
  Touched watched_;
  bool together_ = false;
  std::vector<Mailboxes> before_;  ///< as the mailboxes were when the children started

 public:
  /// This child looks at, or takes, whatever is in the account.
  void touch_all(std::size_t account);
};

}  // namespace mailproof::explore
