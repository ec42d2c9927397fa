#pragma once
#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "history/ledger/ledger.h"
#include "history/number_map.h"
#include "wire/imap/sequence_set.h"

namespace mailproof::history {

/// A copy: one message in one place, known by its UID (IMAP) or its UIDL (POP3). A message in a mailbox that both
/// protocols look at has two of these; the cell joins them.
struct Copy {
  std::uint32_t box : 31 = 0;
  bool identified : 1 = false;  ///< its content was looked at
  std::uint32_t uid = 0;        ///< POP3: the number of its UIDL
  std::uint32_t message = 0;    ///< 0 = not ours, or not known yet
  std::uint32_t departure = 0;  ///< its number; 0 = nothing was asked or told of it
};
static_assert(sizeof(Copy) <= 16, "the memory budget of a message at load");

/// What was asked and told of the removal of a copy.
struct Departure {
  std::uint32_t marked = 0;     ///< the STORE, DELE or row (event) that says \Deleted
  std::uint32_t marked_ok = 0;  ///< the event that made the mark certain
  std::uint32_t cleared = 0;    ///< the newest STORE that takes the mark back: its invoke, then its answer
  std::uint32_t told_gone = 0;  ///< the event by which a session was told first that it is expunged; 0 = none was
  std::uint32_t request = 0;    ///< invoke of the command that asked for the removal
  std::uint16_t put = 0;        ///< how often its message had been put there when the removal was asked for
  std::uint8_t clearing = 0;    ///< STOREs that take the mark back and are not answered, or never were
  enum Removal : std::uint8_t { none, maybe, certain } removal = none;
  bool moving : 1 = false;      ///< the removal is a MOVE's
  bool arrived : 1 = false;     ///< ... and its destination has been counted for certain
  bool told_where : 1 = false;  ///< a MOVE said by COPYUID where it put it
  bool settled : 1 = false;     ///< no mark was in flight when the newest `cleared` was asked for
};

/// A MOVE that may have taken a copy: it was not answered, or OK did not say what it did; or it was refused, and may
/// have moved some all the same (RFC 6851 section 3.3), which counts when there is a sign of it.
struct Claim {
  std::uint32_t invoke = 0, to = 0;  ///< event, place
  bool refused = false, counted = false;
};

/// A mailbox name of one account.
struct Place {
  std::uint32_t account = 0;
  std::uint16_t mailbox = 0;
  Blocks<std::uint32_t, 256> cells;  ///< numbers
  std::vector<std::uint32_t> boxes;
  std::uint32_t reshaped = 0;  ///< the newest answer to a DELETE or RENAME of it that may have been done
  std::uint32_t went_to = 0;   ///< place: its new name, where that was a RENAME
};

/// What holds UIDs: a place under one UIDVALIDITY, or an account's maildrop.
struct Box {
  std::uint32_t place = 0;
  std::uint32_t uidvalidity = 0;
  bool pop = false;
  std::vector<std::uint32_t> marked;  ///< copies with a mark, certain or possible
  std::uint32_t emptied = 0;          ///< maildrop: the newest answer to a QUIT that may have removed something
};

/// The unique-ids that POP3 told, numbered from 1: their text stands in the events that told them first.
class Uidls {
 public:
  explicit Uidls(const History& history) : history_(history), numbers_(0, Hash{this}, Same{this}) {}
  /// Of the id that this event tells.
  std::uint32_t number(const Event& told);
  std::uint32_t find(std::string_view id) const;  ///< 0 = nobody was told it
  const std::string& text(std::uint32_t number) const { return history_.event(told_by_[number - 1]).text; }

 private:
  struct Hash {
    using is_transparent = void;
    const Uidls* of;
    std::size_t operator()(std::string_view id) const { return std::hash<std::string_view>()(id); }
    std::size_t operator()(std::uint32_t number) const { return (*this)(std::string_view(of->text(number))); }
  };
  struct Same {
    using is_transparent = void;
    const Uidls* of;
    bool operator()(std::uint32_t one, std::uint32_t other) const { return one == other; }
    bool operator()(std::string_view id, std::uint32_t number) const { return id == of->text(number); }
    bool operator()(std::uint32_t number, std::string_view id) const { return id == of->text(number); }
  };
  const History& history_;
  Blocks<std::uint32_t, 256> told_by_;  ///< events, by number - 1
  boost::unordered_flat_set<std::uint32_t, Hash, Same> numbers_;
  std::uint32_t newest_ = 0;  ///< one listing after the other has the same ones in the same order
};

/// COPY or MOVE of a UID whose content nobody had looked at yet; settled when either end is identified.
struct PendingCopy {
  std::uint32_t source = 0, destination = 0;  ///< copies; destination 0 = its UID is not known
  std::uint32_t to = 0;                       ///< place
  std::uint32_t event = 0;
  bool certain = false;
  bool settled = false;
};

/// One line of a POP3 session's maildrop.
struct PopRow {
  std::uint32_t copy = 0;
  std::uint32_t message = 0;
  bool listed = false, identified = false;
  std::uint32_t dele = 0;  ///< invoke of the DELE
  bool dele_ok = false, dele_maybe = false;
  bool asked = false;           ///< by any DELE, also where RSET took it back
  std::uint32_t retrieved = 0;  ///< the event that shows it whole
  bool marked() const { return dele_ok || dele_maybe; }
};

/// Empties it, and keeps no room: `= {}` would.
template <class T>
void give_back(std::vector<T>& list) {
  std::vector<T>().swap(list);
}

struct SessionState {
  std::uint32_t box = 0;    ///< selected mailbox, or the maildrop; 0 = none
  std::uint32_t since = 0;  ///< the event by which it was connected
  bool writable = false;
  bool quit = false;
  std::optional<Pop3Download> announced;  ///< by EXPIRE
  std::vector<std::uint32_t> listed;      ///< IMAP: copies of which a row came since SELECT, but for those ...
  std::vector<std::pair<std::uint32_t, std::size_t>> unlisted;  ///< ... told as gone when so many were listed
  std::vector<PopRow> rows;                                     ///< POP3, by number - 1
  NumberMap row_of;                                             ///< copy -> the newest row that got it
  struct Left {
    std::uint32_t number = 0, message = 0;
    bool marked = false;
  };
  std::vector<Left> left;  ///< of one that ended, the rows that DELE asked for, by number

  void unlist(std::uint32_t copy);
  void settle_listed();  ///< leaves nothing unlisted
  void forget_listed() {
    give_back(listed);
    give_back(unlisted);
  }
  bool has_marked(std::uint32_t message) const;         ///< by DELE, certainly or perhaps
  std::uint32_t asked_for(std::uint32_t number) const;  ///< which message a DELE of this number was about
  void end();                                           ///< afterwards only these two are asked
};

/// IMAP's view of INBOX and POP3's are two: a bit for each.
constexpr unsigned view_of(Protocol protocol) { return protocol == Protocol::pop3 ? 2 : 1; }
constexpr unsigned kBothViews = 3;

struct Ledger::Impl {
  Impl(const History& h, std::optional<Pop3Download> when_nobody_says)
      : history(h), assumed(when_nobody_says), uidls(h) {}

  const History& history;
  std::optional<Pop3Download> assumed;
  Cells cells;
  Attempts attempts;
  std::vector<Report> reports;
  std::vector<std::string> mailbox_names;
  Chains cells_of, attempts_of;        ///< by message
  std::vector<std::uint32_t> touched;  ///< places in `cells`, since the newest apply()

  std::unordered_map<std::string, std::uint16_t> mailbox_numbers;
  Uidls uidls;
  std::vector<Place> places;  ///< numbers are index + 1, here and below
  std::vector<Box> boxes;
  Blocks<Copy, 64> copies;
  Blocks<Departure, 64> departures;
  std::vector<PendingCopy> pending;                                          ///< also those that are settled
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> pending_of;  ///< copy -> places in `pending`
  std::unordered_set<std::string> known_reports;
  struct Told {
    unsigned reports = 0, settled = 0;  ///< of a failure; so many are about earlier acceptances
  };
  std::unordered_map<std::string, unsigned> reports_at;  ///< by place, message and recipient: how many
  std::unordered_map<std::uint64_t, Told> told_of;       ///< by message and recipient
  std::vector<SessionState> sessions;
  std::unordered_set<std::uint32_t> moves, reshaping;                          ///< commands under way
  std::uint32_t reshaped = 0;                                                  ///< the newest that is over
  std::unordered_map<std::uint32_t, std::vector<Claim>> claims;                ///< by copy
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> refused_into;  ///< by place and message: copies
  std::vector<std::pair<std::uint32_t, std::uint32_t>> crossed;  ///< place and message: put there during a RENAME of it
  std::unordered_set<std::uint32_t> again;  ///< POP3 copies under a unique-id that another had before it
  struct Found {
    std::uint32_t account = 0, place = 0;
    std::string mailbox = {};
  };
  mutable Found found = {};    ///< the newest that was asked for
  NumberMap place_of;          ///< account and mailbox -> place
  NumberMap box_of;            ///< place and UIDVALIDITY -> box
  NumberMap copy_of;           ///< box and UID -> copy
  NumberMap cell_of;           ///< place and message -> cell
  std::uint32_t nameless = 0;  ///< POP3 copies without a UIDL of their own, counted

  void apply(const Event& e);

  // Names and numbers (ledger.cc).
  std::uint16_t mailbox_number(std::string_view name);
  std::uint32_t place(std::uint32_t account, std::string_view mailbox);
  std::uint32_t box(std::uint32_t place, std::uint32_t uidvalidity, bool pop = false);
  std::uint32_t copy(std::uint32_t box, std::uint32_t uid);
  std::uint16_t mailbox_after(std::uint32_t place) const;  ///< for Cell::moved_to
  std::uint32_t find_place(std::uint32_t account, std::string_view mailbox) const;
  std::uint32_t find_box(std::uint32_t account, std::string_view mailbox, std::uint32_t uidvalidity) const;
  const Departure& departure(std::uint32_t copy) const;  ///< an empty one where nothing is known
  Departure& departing(std::uint32_t copy);              ///< of which something is going to be known
  Cell& cell(std::uint32_t message, std::uint32_t place);
  Cell& touch(std::uint32_t number);  ///< the cell of this number, which is going to change
  void attempt(std::uint32_t message, std::uint32_t account, const Event& answer, std::uint32_t smtp_code);
  SessionState& session(std::uint32_t number);
  const Event& invoke_of(const Event& e) const;  ///< the event it completes, or itself

  // Conservation (ledger.cc).
  void add(std::uint32_t message, std::uint32_t place, bool certain, const Event& e);
  void count_perhaps(std::uint32_t message, std::uint32_t place, const Event& e);
  void remove(std::uint32_t copy, bool certain, std::uint32_t request, std::uint32_t mark);
  void identify(std::uint32_t copy, std::uint32_t message);
  void be(std::uint32_t copy, std::uint32_t message);
  void seen(std::uint32_t message, std::uint32_t place, const Event& e);
  void deliver(const Event& e);
  void append(const Event& e);
  void report(const Event& e);

  // What clients asked of mailboxes (imap.cc).
  void select(const Event& e);
  void store(const Event& e);
  void expunge(const Event& e);
  void copy_or_move(const Event& e);
  void copied_untold(const std::vector<std::uint32_t>& told, std::uint32_t in, std::uint32_t to, const Event& e);
  void wait_for(std::uint32_t source, std::uint32_t destination, std::uint32_t to, bool certain, const Event& e);
  void undo_inferred_move(std::uint32_t from);
  void settle_earlier_move(std::uint32_t from, std::uint32_t to);
  void remove_mailbox(const Event& e);
  void rename_mailbox(const Event& e);
  void move_cells(std::uint32_t from, std::uint32_t to, bool certain, const Event& e);
  void rename_place(std::uint32_t from, std::uint32_t to, const Event& e);
  void note_move(const Event& e);                                  ///< under way, or over
  void note_reshaping(const Event& e);                             ///< DELETE and RENAME; as these
  bool surely_copied(std::uint32_t source, const Event& e) const;  ///< by a COPY that is OK
  /// Any MOVE under way asks for it, but for this one.
  bool moved_by_another(std::uint32_t box_number, std::uint32_t uid, std::uint32_t own = 0) const;
  bool taken_by_other_means(std::uint32_t copy, std::uint32_t since) const;  ///< than a MOVE, perhaps
  /// Where the MOVEs that may have taken it put it; 0 = there are none, or not all went to one place.
  std::uint32_t only_destination(std::uint32_t copy) const;
  void claim(std::uint32_t copy, std::uint32_t to, const Event& e);
  void count_refused(std::uint32_t copy);  ///< a MOVE that was refused has moved it, as it seems
  bool being_renamed(std::uint32_t place) const;
  /// Whether a RENAME or DELETE of the place was done since this was asked for, or may just be: which was first nobody
  /// knows.
  bool crosses(std::uint32_t place, std::uint32_t asked) const;
  bool marked_over_pop(std::uint32_t message, std::uint32_t place_number) const;  ///< a POP3 session has it marked
  bool downloaded(std::uint32_t message, std::uint32_t place_number) const;       ///< a POP3 session has it whole
  void told_gone(const Event& e, std::uint32_t uid);
  /// Of a VANISHED: each UID that may have a copy here. Its set names as many as the server likes.
  template <class F>
  void for_each_known(const Event& e, F&& f) const;
  void mark(std::uint32_t copy, std::uint32_t event, bool certain);

  // POP3 (pop3.cc).
  std::uint32_t maildrop(std::uint32_t account);  ///< its box
  PopRow& pop_row(const Event& e);
  std::uint32_t uidl_copy(const Event& e);
  bool put_again(std::uint32_t copy, const SessionState& listing);  ///< since it was removed, and listed once more
  std::uint32_t next_under_same_uidl(std::uint32_t before);
  std::string uidl_of(const Event& e) const;
  void pop_content(const Event& e);
  void pop_uidl(const Event& e);
  void dele(const Event& e);
  void rset(const Event& e);
  void announced(const Event& e);
  void quit(const Event& e);

  // Listings (listing.cc).
  void imap_content(const Event& e);
  void row(const Event& e);
  void enumerated(const Event& e);
  const Cell* in_trash(const Cell& inbox) const;
  bool moved_and_nowhere(const Cell& from) const;
  std::optional<Pop3Delete> pop3_delete(const Cell& inbox) const;
  void compare_views(Cell& inbox, std::uint32_t round);
  struct LifeWriter;  ///< ledger_life.cc

  void take_listing(const Event& e, std::uint32_t place, std::vector<std::uint32_t> messages, bool complete, bool pop);
};

template <class F>
void Ledger::Impl::for_each_known(const Event& e, F&& f) const {
  auto set = imap::SequenceSet::parse(e.set, e.set.size());
  if (!set) return;
  set->normalise();
  if (set->count() <= copies.size()) return set->for_each(~std::uint32_t{0}, [&](std::uint32_t uid) { f(uid); });
  std::vector<std::uint32_t> known;
  for (const Copy& copy : copies)
    if (set->covers(copy.uid)) known.push_back(copy.uid);
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  for (const std::uint32_t uid : known) f(uid);
}

}  // namespace mailproof::history
