#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "play/recorded/imap.h"

namespace mailproof::play {

/// Keeps up with the open mailbox of a RecordedImap: which messages are there, which of them are ours, with what
/// flags. Looks at headers first, and fetches the bodies of what is ours only. Where a delivery report's header does
/// not say what it is about, the server is asked to search it for this playing's number: a body that may be somebody
/// else's is never fetched.
class MailboxReader {
 public:
  using Then = std::function<void(bool ok)>;
  using Permitted = std::function<void(const ExpungePermit* permit)>;
  enum class Bodies { fetched, left };
  struct Item {
    std::uint32_t message = 0;    ///< by its token; 0 = not one of this playing
    bool looked_at = false;       ///< its header was seen
    bool full = false;            ///< its body was seen
    bool fetched = false;         ///< ... or asked for, as fetch_as() says
    std::set<std::string> flags;  ///< lower case
    std::uint64_t modseq = 0;     ///< the newest that was told; 0 = none
  };

  explicit MailboxReader(RecordedImap& session, Bodies bodies = Bodies::fetched);

  /// One FETCH of messages that came and are ours.
  struct Fetch {
    std::string items;
    bool first = false;   ///< of the first of them only
    bool singly = false;  ///< a command each
    std::string needs;    ///< is left out where the server does not offer this
  };
  /// Instead of whole bodies: these, one after the other, once each message has been looked at.
  void fetch_as(std::vector<Fetch> how) { how_ = std::move(how); }

  /// From now on, where the mailbox keeps them.
  void ask_modseqs() { modseqs_ = true; }

  /// SELECT or EXAMINE, then everything that is there.
  void open(const std::string& mailbox, bool examine, Then then);
  /// The same, and what comes in meanwhile, a few times: what nobody looked at counts as somebody else's.
  void open_and_keep_up(const std::string& mailbox, bool examine, Then then);
  /// Looks at what is new. With nothing new it calls `then` at once.
  void catch_up(Then then);
  /// Looks at everything again, flags included.
  void look_again(Then then);
  /// Asks for the flags of all messages: a permit if nothing foreign bears \Deleted, else null.
  void may_expunge(Permitted then);

  const std::map<std::uint32_t, Item>& items() const { return items_; }
  std::vector<std::uint32_t> uids_of(const std::vector<std::uint32_t>& messages) const;
  bool has(std::uint32_t message) const;
  OwnedUids owned(const std::vector<std::uint32_t>& messages) const;  ///< their copies here, as far as they are ours
  enum class Leftovers { too, not_these };
  /// Everything that is ours: messages of this playing, reports about them, and what other playings left.
  OwnedUids ours(Leftovers leftovers) const;
  /// Messages that are not ours, or that nobody could look at.
  std::size_t foreign() const;
  /// Delivery reports that may be about us, which could not be found out without reading them.
  std::size_t unread_reports() const { return session_.guard().maybe_reports().size(); }
  /// The last answer with which the mailbox could not be opened or looked at.
  const Completion& failure() const { return failure_; }
  const std::string& mailbox() const { return session_.view().mailbox; }
  std::function<void()> changed;

 private:
  void keep_up(Then then, int looks);
  /// What was looked at: how many, and the highest UID of them.
  struct Known {
    std::size_t count = 0;
    std::uint32_t highest = 0;
  };
  Known known() const;
  void fetch(std::uint32_t from, Then then);
  void failed(const Completion& result, const Then& then);
  void search_reports(Then then);
  void fetch_bodies(Then then);
  void fetch_part(std::shared_ptr<const std::vector<std::uint32_t>> uids, std::size_t part, Then then);
  void may_expunge(Permitted then, int looks);
  bool unseen() const;  ///< something is there whose header, or flags, nobody has been told

  RecordedImap& session_;
  Bodies bodies_;
  std::optional<std::vector<Fetch>> how_;
  bool modseqs_ = false;
  std::map<std::uint32_t, Item> items_;
  std::set<std::uint32_t> searched_;  ///< reports that were searched, whatever came of it
  Completion failure_;
  bool lost_count_ = false;  ///< something went whose UID was never learnt
};

/// What the server has between the levels of names, as LIST tells it.
class Separators {
 public:
  void told(const session::ImapListRow& row);
  /// Whether it is a name below that mailbox, in whatever case.
  bool below(std::string_view name, std::string_view mailbox) const;

 private:
  std::string told_;
};

/// Whether everything in a mailbox of an account, and in the mailboxes below it, is ours: looked at in a session of its
/// own, which changes nothing. One that was there before the scenario is somebody's, though it is empty, but for INBOX;
/// unless all are declared to be ours. Before a mailbox is deleted or renamed. Stays alive until the player goes.
class MailboxCheck {
 public:
  /// Null: it is not, or it could not be looked into; why, in words.
  using Then = std::function<void(const OwnedMailbox* mailbox, const std::string& why)>;
  MailboxCheck(Context& context, std::uint32_t account, std::optional<TlsMode> tls);
  /// A name that was not there before this playing, and that the server lists as \Noselect, holds no mail: it came as
  /// the superior of one that was made (RFC 3501 section 6.3.3). Of any other, \Noselect may mean that we lack the
  /// right to read it (RFC 4314 section 4), so that it is not ours to delete.
  enum class Name { was_there, is_new };
  void look(const std::string& mailbox, Name name, Then then);
  /// The server would not open one of them: there is none of that name, or nobody may look into it.
  bool refused() const { return refused_; }

 private:
  /// What a mailbox held when it was looked into.
  struct Looked {
    std::uint32_t exists = 0;
    std::uint32_t uidnext = 0;  ///< no UID from this one on was seen; 0 = not told
  };
  void check_before();
  void look_into_all(int looks);
  void look_into(std::size_t i, Finish next);
  void leave(int looks);
  void ask_again(std::size_t i, Finish next);
  void finish();

  Context& context_;
  const std::uint32_t account_;
  RecordedImap session_;
  MailboxReader reader_;
  std::string asked_;   ///< the mailbox it is about
  std::string listed_;  ///< ... as LIST tells it
  Separators separators_;
  std::vector<std::string> mailboxes_;  ///< to be looked into
  std::vector<Looked> looked_;          ///< ... and what was there
  bool changed_ = false;                ///< what is in one of them has changed since
  std::string why_;
  bool refused_ = false;
  Then then_;
};

}  // namespace mailproof::play
