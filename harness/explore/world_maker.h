#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/rng.h"
#include "explore/world.h"
#include "explore/world_knowledge.h"

namespace mailproof::explore {

enum class Kind : std::uint8_t { deliverer, imap, pop3, admin };

/// Who acts in the world, and what its maker knows of it.
struct Actor {
  std::string name, declared;  ///< "phone", "{imap: alice, idle: INBOX}"
  Kind kind = Kind::imap;
  std::size_t account = 0;
  bool gone = false;    ///< it vanished
  bool shaken = false;  ///< its connection was reset, and it does not know yet: what it does next may come to nothing
  // A deliverer.
  std::string way;
  bool reports = false;  ///< failures are reported to an account of the world
  // An IMAP device.
  bool webmail = false, offline = false;
  bool cut = false;    ///< its connection may be broken, and what it had open be open still
  std::string idle;    ///< where it listens; "" = nowhere
  std::string open;    ///< the mailbox that it has open, or had when it went offline; "" = none
  std::string resync;  ///< "" = full
  // A POP3 device.
  std::string after = "keep";          ///< keep, delete, or "{delete_after: 14 days}"
  bool connected = false;              ///< it has the maildrop
  std::set<std::size_t> maildrop;      ///< letters that may be in it as it was at login
  std::set<std::size_t> sure;          ///< ... and are for sure
  std::map<std::size_t, Sure> marked;  ///< to be removed by QUIT
  std::set<std::size_t> downloaded;    ///< it may know these already
  bool advanced = false;
};

/// A mailbox as a file has it.
std::string quoted(const std::string& mailbox);

/// Messages that a step is about: what is written, and which letters.
struct Pick {
  std::string text;
  std::vector<std::size_t> letters;
};

/// Makes one world. Each act_... writes one step of an actor and does it to what is known; false: there was nothing to
/// do it to.
class WorldMaker {
 public:
  WorldMaker(std::uint64_t seed, const Offer& offer);
  std::string text();

 private:
  using Act = bool (WorldMaker::*)(Actor&, std::string&);
  struct Verb {
    std::string_view name;
    unsigned weight;  ///< how often where the seed draws it, beside the others of this kind
    bool together;    ///< may start beside other steps
    bool recovers;    ///< is done whatever became of the connection
    Act act;
  };
  static std::span<const Verb> verbs_of(Kind kind);
  static std::span<const Verb> imap_verbs();
  static std::span<const Verb> pop3_verbs();
  static std::span<const Verb> deliverer_verbs();
  static std::span<const Verb> admin_verbs();

  // world_actors.cc
  void draw_swarm();
  void draw_accounts();
  void draw_actors();
  void add_device(Kind kind, std::size_t account);
  std::string accounts_text() const;
  std::string head() const;

  // world_maker.cc
  void step();
  bool act(Actor& actor, bool together, std::string& action);
  void together();
  void say(const Actor& actor, const std::string& action);
  void say_line(const std::string& line);
  void at_end();
  unsigned weight(std::string_view verb, unsigned natural) const;
  bool may_act(const Actor& actor) const;

  std::uint32_t below(std::size_t n) { return rng_.below(static_cast<std::uint32_t>(n)); }
  bool one_in(std::uint32_t n) { return rng_.one_in(n); }
  template <class T>
  const T& any(const std::vector<T>& of) {
    return of[below(of.size())];
  }
  std::string new_set();
  const Mailboxes& seen(std::size_t account) const {
    return view_ != nullptr ? (*view_)[account] : known_.accounts[account];
  }
  /// A part of a set, all of it in this mailbox: for sure, or perhaps. Nothing: there is none.
  bool pick(std::size_t account, const std::string& mailbox, Sure least, Pick& out);
  bool pick_of(const std::vector<std::size_t>& letters, Pick& out);
  std::vector<std::string> mailboxes(std::size_t account, bool with_letters);
  std::string new_mailbox_name();

  // world_delivery.cc
  bool unreported(const Actor& actor) const;
  bool deliver(Actor&, std::string&);
  bool deliver_cut(Actor&, std::string&);
  bool fill(Actor&, std::string&);
  bool retry(Actor&, std::string&);
  /// "count: 2, size: 4KiB, kind: office", and the letters that come of it.
  std::string new_letters(const std::string& set, bool limited, bool by_append, std::vector<std::size_t>& made,
                          bool& proper);

  // world_imap.cc
  std::string in(const Actor& device, const std::string& mailbox);
  void went_to(Actor& device, const std::string& mailbox);
  bool may_take_away(const Actor& device, const std::string& mailbox) const;
  Held before(std::size_t account, const std::string& mailbox, std::size_t letter) const;
  bool room_for(const Actor& device, const Pick& pick, const std::string& from) const;
  void moved(Actor& device, const Pick& pick, const std::string& from, const std::string& to);
  bool see(Actor&, std::string&);
  bool lose(Actor&, std::string&);
  bool sync(Actor&, std::string&);
  bool read(Actor&, std::string&);
  bool flag(Actor&, std::string&);
  bool unflag(Actor&, std::string&);
  bool change_flags(Actor&, bool set, std::string&);
  bool search(Actor&, std::string&);
  bool delete_(Actor&, std::string&);
  bool expunge(Actor&, std::string&);
  bool move(Actor&, std::string&);
  bool copy(Actor&, std::string&);
  bool save(Actor&, std::string&);
  bool upload(Actor&, std::string&);
  bool open(Actor&, std::string&);
  bool examine(Actor&, std::string&);
  bool create(Actor&, std::string&);
  bool rename(Actor&, std::string&);
  bool remove(Actor&, std::string&);
  bool subscribe(Actor&, std::string&);
  bool try_names(Actor&, std::string&);
  bool quota(Actor&, std::string&);
  bool offline(Actor&, std::string&);
  bool online(Actor&, std::string&);
  bool logout(Actor&, std::string&);
  bool drop(Actor&, std::string&);
  bool compare(Actor&, std::string&);
  bool connect(Actor&, std::string&);
  bool smuggle(Actor&, std::string&);
  bool vanish(Actor&, std::string&);
  bool cut(Actor&, std::string&);

  // world_episodes.cc
  void say_before(const std::string& actor, const std::string& action);
  bool listen(Actor&, std::string&);
  bool away(Actor&, std::string&);
  bool rename_full(Actor&, std::string&);
  bool copy_without_room(Actor&, std::string&);
  std::optional<std::pair<std::size_t, std::size_t>> small_and_another();
  bool overfill(Actor&, std::string&);
  bool beside_full(Actor&, std::string&);
  bool pop_beside(Actor&, std::string&);
  bool pop_drain(Actor&, std::string&);
  void removed(const Actor& by, const std::string& mailbox, std::size_t letter, std::string_view over);
  void fate_at_end(std::size_t letter);

  // world_pop3.cc
  bool maildrop_free(const Actor& device) const;
  void login(Actor& device);
  void login_beside(Actor& device);
  void commit(Actor& device, Sure how);
  void hang_up(Actor& device);
  bool pop_see(Actor&, std::string&);
  bool pop_connect(Actor&, std::string&);
  bool pop_list(Actor&, std::string&);
  bool pop_download(Actor&, std::string&);
  bool pop_delete(Actor&, std::string&);
  bool pop_reset(Actor&, std::string&);
  bool pop_quit(Actor&, std::string&);
  bool pop_quit_cut(Actor&, std::string&);
  bool pop_drop(Actor&, std::string&);
  bool pop_compare(Actor&, std::string&);
  bool pop_advance(Actor&, std::string&);
  bool pop_smuggle(Actor&, std::string&);

  // world_admin.cc
  void everybody_is_thrown_out();
  bool set_quota(Actor&, std::string&);
  bool restart(Actor&, std::string&);
  bool kill(Actor&, std::string&);
  bool pause(Actor&, std::string&);

  std::uint64_t seed_;
  Offer offer_;
  Rng rng_;
  std::map<std::string, unsigned, std::less<>> swarm_;  ///< verb -> weight; 0 = not in this world
  std::vector<std::string> kinds_;                      ///< of messages
  std::vector<std::uint64_t> sizes_;
  std::vector<std::string> names_;  ///< of mailboxes
  std::size_t steps_ = 0;
  std::string customer_, customer_quota_;
  std::vector<std::string> account_names_, account_texts_;
  std::vector<Actor> actors_;
  std::set<std::size_t> drained_;  ///< accounts with a limit that somebody emptied over POP3
  std::set<std::size_t> left_;     ///< accounts whose maildrop somebody had who went without QUIT
  Knowledge known_;
  const std::vector<Mailboxes>* view_ = nullptr;  ///< what steps that start together can know
  std::map<std::string, int> sets_;               ///< how often a word was used
  std::vector<std::string> lines_;
  std::string pending_;  ///< steps that have to come before the one that is being made
  std::string after_;    ///< a step that comes right behind it
  struct Remover {
    std::string device, over, mailbox;
  };
  std::map<std::pair<std::size_t, std::size_t>, Remover> removers_;  ///< by account and letter
};

}  // namespace mailproof::explore
