#pragma once
#include <functional>
#include <memory>

#include "play/context.h"
#include "play/ownership.h"
#include "play/recorded/recorder.h"
#include "session/imap/client.h"

namespace mailproof::play {

/// One IMAP connection that writes down everything it does and sees. Commands take a continuation, called once, from
/// the loop, with how they ended. It stays alive until its Player goes; after `over()` every command ends as fail
/// ("never sent"). What removes or changes messages or fetches their bodies takes a proof that they are ours; one of
/// another mailbox than the open one is never sent either.
class RecordedImap final : public session::ImapSink {
 public:
  using Then = Recorder::Then;

  /// A message that a FETCH brought content of.
  struct Content {
    std::uint32_t uid = 0;
    std::uint32_t message = 0;  ///< by its token; 0 = not one of this playing
    bool full = false;          ///< else the header only
  };
  /// What the owner wants to hear of beside the history. All may be empty.
  struct Hooks {
    std::function<void(std::uint32_t exists, std::uint32_t before)> exists;
    std::function<void(std::uint32_t uid)> expunged;
    std::function<void(const session::ImapFetchRow&)> row;
    std::function<void(const Content&)> content;
    std::function<void(const session::ImapListRow&)> list;
    std::function<void(std::string_view mailbox, std::string_view item, std::uint64_t value)> status;
    std::function<void(const imap::SequenceSet&)> search;
    std::function<void(const imap::SequenceSet&)> vanished;  ///< EARLIER: what went while nobody looked
    std::function<void()> idling;
    std::function<void(const session::Ended&)> ended;
  };

  RecordedImap(Context& context, std::uint32_t device, std::uint32_t account, std::uint32_t audit_round,
               const Endpoint& endpoint, const std::string& mechanism = "", const scenario::Profile* profile = nullptr);

  /// Connects and logs in.
  void open(Then then) { recorder_.open(std::move(then)); }
  void select(const std::string& mailbox, bool examine, Then then);
  void select_qresync(const std::string& mailbox, std::uint32_t uidvalidity, std::uint64_t modseq, Then then);
  void enable(const std::string& what, Then then);
  void unselect(Then then);  ///< leaves the mailbox, and expunges nothing
  void noop(Then then);
  void idle(Then then);  ///< `then` when IDLE is over
  void finish_idle() { client_->finish_idle(); }
  /// Headers, flags, sizes and dates from this UID on; MODSEQ as well, where the mailbox keeps it (RFC 7162).
  void look(std::uint32_t from_uid, bool modseqs, Then then);
  void changed_since(std::uint64_t modseq, Then then);  ///< UID and flags of what has changed in the open mailbox
  void flags(Then then);                                ///< UID and flags of everything in the open mailbox
  void fetch(const OwnedUids& uids, const std::string& items, Then then);
  /// One of them whole, by partial fetches of so many octets each, as clients do that load as they show. The pieces are
  /// in the history one by one, and joined as the content of the message. `then` when one came short.
  void fetch_in_pieces(const OwnedUids& one, std::uint32_t octets, Then then);
  void store(const OwnedUids& uids, const std::string& action, const std::vector<std::string>& flags, Then then);
  void copy(const OwnedUids& uids, const std::string& mailbox, Then then);
  void move(const OwnedUids& uids, const std::string& mailbox, Then then);
  void expunge(const OwnedUids& uids, Then then);        ///< UID EXPUNGE (RFC 4315): needs UIDPLUS
  void expunge(const ExpungePermit& permit, Then then);  ///< EXPUNGE
  void append(const std::string& mailbox, std::uint32_t message, std::shared_ptr<const std::string> text, Then then);
  void search(const std::string& query, Then then);
  /// Which of these have this playing's number in their text: asked of the server, nothing is fetched. Takes the hook
  /// `search` for itself.
  void search_for_us(const std::vector<std::uint32_t>& uids, std::function<void(const imap::SequenceSet& found)> then);
  void create(const std::string& mailbox, Then then);
  void remove(const OwnedMailbox& mailbox, Then then);
  void rename(const OwnedMailbox& from, const std::string& to, Then then);
  void subscribe(const std::string& mailbox, Then then);
  void unsubscribe(const OwnedMailbox& mailbox, Then then);
  void list(Then then);                                ///< all mailboxes
  void lsub(Then then);                                ///< all that are subscribed
  void status(const std::string& mailbox, Then then);  ///< MESSAGES UIDNEXT UIDVALIDITY
  void quota(const std::string& mailbox, Then then);
  void logout(Then then);
  void give_up(const std::string& why) { client_->give_up(why); }
  void drop(bool with_reset) { recorder_.drop(with_reset, "the device drops the connection"); }
  void misbehave(const LinkFaults& faults) { recorder_.misbehave(faults); }

  session::ImapClient& client() { return *client_; }
  const session::ImapView& view() const { return client_->view(); }
  ImapGuard& guard() { return guard_; }  ///< whose the messages of the open mailbox are
  bool ready() const { return client_->ready() && !over() && !leaving_; }
  bool over() const { return recorder_.over(); }
  const session::Ended& end() const { return recorder_.end(); }  ///< how, once it is over
  std::uint32_t number() const { return recorder_.number(); }
  Hooks hooks;
  /// Says in the history which delivery reports nobody may read: they may be about us.
  void note_unread_reports();
  /// Closes a complete listing of the open mailbox in the history.
  void enumerated(std::uint32_t messages);

  // session::ImapSink
  void on_ready(Time) override { recorder_.ready("OK"); }
  void on_done(const session::ImapCompletion& done, Time now) override;
  void on_idling(Time now) override;
  void on_exists(std::uint32_t n, std::uint32_t before, Time now) override;
  void on_expunge(std::uint32_t seq, std::uint32_t uid, Time now) override;
  void on_vanished(const imap::SequenceSet& uids, bool earlier, Time now) override;
  void on_content_begin(std::uint32_t seq, std::string_view section, std::uint64_t size, Time now) override;
  void on_content(std::string_view chunk) override;
  void on_content_end() override;
  void on_fetch(const session::ImapFetchRow& row, Time now) override;
  void on_list(const session::ImapListRow& row, Time now) override;
  void on_status(std::string_view mailbox, std::string_view item, std::uint64_t value, Time now) override;
  void on_search(const imap::SequenceSet& numbers, Time now) override;
  void on_quota(std::string_view root, std::string_view resource, std::uint64_t used, std::uint64_t limit,
                Time now) override;
  void on_deviation(const session::Deviation& deviation, Time) override { recorder_.deviation(deviation); }
  void on_ended(const session::Ended& ended, Time now) override;

 private:
  history::Event event(history::Type type, history::What what) const { return recorder_.event(type, what); }
  /// As Recorder::command(), in the open mailbox where the invoke does not say which.
  template <class Issue>
  void command(history::Event invoke, Then then, Issue&& issue);
  /// A SELECT or EXAMINE is under way: what is asked for now would meet another mailbox.
  bool selecting() const;
  bool under_way(history::What what) const;
  using Found = std::function<void(bool answered, const imap::SequenceSet& found)>;
  void search_text(const std::string& set, const std::string& text, Found then);
  template <class Issue>
  void command(const OwnedUids& uids, history::Event invoke, Then then, Issue&& issue);
  void next_piece(const OwnedUids& one, Then then);
  void record_piece(const session::ImapFetchRow& row);
  void fetch_items(const std::string& set, const std::string& items, Then then);
  void record_content(const session::ImapFetchRow& row, const Identity& identity);
  bool tells_all(const session::ImapFetchRow& row, std::size_t contents) const;
  bool left_out(const session::ImapFetchRow& row, const Identity& identity);
  void note_left_out();

  /// A message that comes in pieces.
  struct Pieces {
    std::uint32_t octets = 0;   ///< of each
    std::uint32_t from = 0;     ///< of the next
    std::uint64_t came = 0;     ///< of the one asked for
    std::uint32_t message = 0;  ///< ours
    bool over = false;
  };

  Context& context_;
  std::uint32_t session_;  ///< its number
  std::unique_ptr<session::ImapClient> client_;
  std::optional<Pieces> pieces_;
  std::size_t contents_ = 0;      ///< came of one message, in one row
  std::uint32_t most_asked_ = 0;  ///< octets from the first on, by the last fetch(); 0 = all
  bool leaving_ = false;  ///< LOGOUT was asked for: nothing more is taken, though its answer may come before the end
  mail::ContentScanner scanner_;
  ImapGuard guard_;
  bool looks_before_;  ///< what is there before anything is played: nobody judges it
  bool as_client_;     ///< fetches what a kind of client does, parts of a header or of a text too
  std::size_t strangers_ = 0, left_out_ = 0;
  imap::SequenceSet found_;
  Recorder recorder_;  ///< last: its link goes first
};

}  // namespace mailproof::play
