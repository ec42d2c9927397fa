#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/connection.h"
#include "server/imap/extension.h"
#include "server/imap/search.h"
#include "server/imap/view.h"
#include "server/imap/wire_string.h"
#include "server/sasl_exchange.h"
#include "wire/imap/cursor.h"
#include "wire/imap/framer.h"
#include "wire/mime/structure.h"

namespace mailproof::server {

/// A message that APPEND brings.
struct AppendMessage {
  Flags flags;
  InternalDate date;
  std::shared_ptr<std::string> octets;
};

/// One IMAP4rev1 connection (RFC 3501) with the extensions of extensions/. Commands are answered one after the other,
/// in the order they come; the handlers of RFC 3501 live in session_*.cc, by what they are about.
class ImapSession final : public Connection, private ImapView::Listener, private imap::FramerSink {
 public:
  static constexpr Duration kAutologout = std::chrono::minutes(30);  ///< RFC 3501 section 5.4
  static constexpr std::uint64_t kMessageLimit = 64ULL << 20U;       ///< octets of one APPEND
  static constexpr std::uint64_t kLiteralLimit = 64ULL << 10U;       ///< octets of any other literal

  ImapSession(ServerContext& context, bool tls);
  ~ImapSession() override;

  // What commands stand on, those of RFC 3501 and those of the extensions.

  using Connection::close;
  using Connection::context;
  using Connection::now;
  using Connection::open;
  using Connection::out;
  using Connection::print;
  using Connection::secure;
  using Connection::wake;
  using Connection::write;

  const std::string& tag() const { return tag_; }
  bool by_uid() const { return by_uid_; }  ///< the command came as UID ...
  void ok(std::string_view text);          ///< "[CODE] text"
  void no(std::string_view text);          ///< the same
  void bad(std::string_view text);
  void bad(const imap::Cursor& c);
  /// The next line the client sends is this one's, and no command. Once.
  void next_line(std::function<void(std::string_view)> take) { next_line_ = std::move(take); }

  bool logged_in() const { return account_ != nullptr; }
  AccountState& account() const { return *account_; }
  ImapView* view() { return view_.get(); }  ///< null: no mailbox is selected
  std::uint8_t state() const { return view_ ? kSelected : logged_in() ? kAuthenticated : kNotAuthenticated; }
  const Extensions& extensions() const { return extensions_; }
  bool enabled(std::string_view word) const { return enabled_.contains(word); }  ///< by ENABLE; in capitals
  template <class T>
  T& own() {  ///< an extension's state of this session
    return extras_.get<T>();
  }
  template <class T>
  T& of_command() {  ///< ... of the command at hand
    return command_extras_.get<T>();
  }

  std::string canonical(std::string_view name) const;
  /// A mailbox's name, as the store has it (modified UTF-7): in a session that has enabled UTF-8 it comes in that.
  std::string read_mailbox_name(imap::Cursor& c);
  /// The same the other way, as a string of the wire.
  std::string wire_name(std::string_view name) const;
  /// Between the levels of a name on the wire; in the store it is always kHierarchyDelimiter.
  char delimiter() const;
  /// A name of the store on the wire, or the other way: the two separators change places.
  std::string separated(std::string name) const;
  /// A name that was read: it has a slash, where that is not the separator.
  bool has_slash(std::string_view name) const;
  bool utf8_names() const { return enabled("IMAP4REV2") || enabled("UTF8=ACCEPT"); }
  /// Whose mailbox a name means, and what its owner calls it; another's are below kOthersPrefix.
  struct Place {
    AccountState* owner;
    std::string name;
  };
  std::optional<Place> locate(std::string_view name) const;  ///< nothing: there is no such user
  std::string name_of(const Mailbox& mailbox) const;         ///< for this user
  bool may_create(const Place& place) const;
  bool listed_by(std::string_view name, std::string_view reference, std::string_view pattern) const;
  bool permits(const Mailbox& mailbox, char right) const;         ///< a right of RFC 4314
  std::shared_ptr<Mailbox> mailbox(std::string_view name) const;  ///< null: none that this user may know of
  /// Null: NO was said, with this code where there is none, and with NOPERM where its right is missing.
  std::shared_ptr<Mailbox> existing(std::string_view name, std::string_view code, char right = '\0');
  /// All that the user may see, by name for this user.
  std::map<std::string, std::shared_ptr<Mailbox>, std::less<>> visible_mailboxes() const;
  void list(imap::Cursor& c) { cmd_list(c); }  ///< as RFC 3501 has it
  /// One LIST response; `attributes` is what stands beside what is always told.
  void write_list(const Listed& listed, bool children, std::string_view attributes, std::string_view extended = {});
  bool refuse_change();  ///< true: the mailbox was opened by EXAMINE, and NO was said
  std::string_view no_room_for(const AccountState& owner,
                               std::uint64_t octets);  ///< "[OVERQUOTA] ..." for a NO; empty: there is room
  /// sequence-set, or "$" where an extension knows it: indexes of the view. Nothing: a number beyond it. Check c.ok().
  struct Messages {
    imap::SequenceSet set;
    std::optional<std::vector<std::size_t>> indexes;
  };
  Messages read_messages(imap::Cursor& c);
  /// What a string of a command holds, also where it was a message that was not kept in the line.
  std::string literal_text(const imap::Text& text) const;

  /// While somebody wants it, changes of the selected mailbox are told when they happen, not with the next answer.
  void tell_at_once(bool at_once) { tells_at_once_ += at_once ? 1 : -1; }
  bool idles_in_silence() const;  ///< a defect keeps what happens from who idles
  /// append-message, checked. Nothing: the command was answered already.
  std::optional<AppendMessage> read_append_message(imap::Cursor& c);
  /// Stores them. The response code for the answer, or nothing.
  std::string append(Mailbox& mailbox, std::vector<AppendMessage> messages);

  std::vector<std::string> read_status_items(imap::Cursor& c);
  void write_status(Mailbox& mailbox, const std::vector<std::string>& items);

  void report_changes(bool expunges);
  void report_flags(std::size_t index, const Flags& flags);
  void begin_fetch(std::size_t index);  ///< "* n FETCH (", or as UIDONLY has it
  /// Flags that the user may not set are taken out of `flags` (RFC 4314 section 4).
  void keep_permitted(const Mailbox& mailbox, Flags& flags) const;
  void enable_condstore(bool tell = true);
  void enable_qresync();
  bool condstore() const { return condstore_; }
  /// Where not, SELECT says NOMODSEQ, and what needs mod-sequences is refused (RFC 7162 section 3.1.2.2).
  bool keeps_modseqs() const;
  bool tells_modseqs() const { return condstore_ && keeps_modseqs(); }
  Modseq highest_modseq(const Mailbox& mailbox) const;  ///< 0 where none are kept (RFC 7162 section 3.1.7)
  bool qresync() const { return qresync_; }
  /// VANISHED (EARLIER) of RFC 7162 section 3.2.10.1; `within` may be null.
  void write_vanished_since(Modseq modseq, const imap::SequenceSet* within);
  void ok_expunged();  ///< with the HIGHESTMODSEQ that QRESYNC wants
  void deselect();
  void forget_flags();  ///< only with a defect: those that this session set
  /// Removes what bears \Deleted, of these UIDs only or all.
  void expunge_deleted(const std::optional<imap::SequenceSet>& only);
  void copy_or_move(imap::Cursor& c, bool move);

  SearchResult find(const SearchRequest& request);
  void progress(std::size_t done, std::size_t total);  ///< of a long command, after every message
  /// The ESEARCH of what was asked for with RETURN.
  void tell_search(const SearchRequest& request, const SearchResult& result, std::string_view where = {});
  /// Searches that mailbox, selected or not, and tells UIDs in an ESEARCH that names it; nothing when nothing is found.
  void search_in(const std::shared_ptr<Mailbox>& mailbox, const SearchRequest& request);
  void fetch_one(std::size_t index, const FetchRequest& request);

  /// Has what goes out and comes in deflated, behind what was written already. Empty: it is so already.
  std::function<void()> compress;

 private:
  using Listener = ImapView::Listener;
  static std::span<const ImapCommand> commands();
  static std::span<const ImapCommand> uid_commands();
  template <void (ImapSession::*Method)(imap::Cursor&)>
  static void via(ImapSession& session, imap::Cursor& c) {
    (session.*Method)(c);
  }

  // Connection
  void on_open() override;
  void on_bytes(std::string_view bytes) override;
  void on_timeout() override;
  Duration idle_limit() const override { return kAutologout; }
  void on_secured() override;
  void on_end() override;

  // imap::FramerSink
  imap::LiteralAction on_literal_begin(const imap::LiteralBegin& begin) override;
  void on_literal_chunk(std::string_view octets) override { messages_.back().octets->append(octets); }
  void on_line(const imap::LogicalLine& line) override;

  void on_view_stale() override;

  // session.cc: one command and its answer
  void on_command(const imap::LogicalLine& line);
  const ImapCommand* command(std::string_view name, bool by_uid) const;
  void dispatch(imap::Cursor& c);
  void tagged(std::string_view status, std::string_view text);

  // session_report.cc: what the client must be told about its mailbox
  void tell_changes(bool expunges);
  void tell_size();
  /// Message numbers may be told: not with UIDONLY (RFC 9586).
  bool tells_numbers() const { return !enabled("UIDONLY"); }
  void report_removals(const std::vector<ImapView::Removal>& removals);
  void write_flags(Flags flags, bool recent);

  // session_login.cc
  void cmd_capability(imap::Cursor& c);
  void cmd_noop(imap::Cursor& c);
  void cmd_logout(imap::Cursor& c);
  void cmd_starttls(imap::Cursor& c);
  void cmd_login(imap::Cursor& c);
  void cmd_authenticate(imap::Cursor& c);
  void cmd_enable(imap::Cursor& c);
  void on_sasl_response(std::string_view line);
  void take_sasl_step(const SaslExchange::Step& step);
  void logged_in_as(AccountState& account);
  std::string capabilities() const;

  // session_select.cc
  void cmd_select(imap::Cursor& c) { select(c, false); }
  void cmd_examine(imap::Cursor& c) { select(c, true); }
  void select(imap::Cursor& c, bool read_only);
  void cmd_close(imap::Cursor& c);

  // session_mailboxes.cc
  void cmd_create(imap::Cursor& c);
  void cmd_delete(imap::Cursor& c);
  void cmd_rename(imap::Cursor& c);
  void cmd_subscribe(imap::Cursor& c);
  void cmd_unsubscribe(imap::Cursor& c);
  void cmd_list(imap::Cursor& c);
  void cmd_lsub(imap::Cursor& c);
  void cmd_status(imap::Cursor& c);

  // session_append.cc
  void cmd_append(imap::Cursor& c);
  imap::LiteralAction begin_message(const imap::LiteralBegin& begin, const ImapCommand& row, imap::Cursor& c);
  std::shared_ptr<std::string> streamed(const imap::Text& text) const;  ///< null when it is no message of the command

  // session_messages.cc
  void cmd_store(imap::Cursor& c);
  void cmd_copy(imap::Cursor& c) { copy_or_move(c, false); }
  void cmd_expunge(imap::Cursor& c);

  // session_fetch.cc, session_search.cc
  void cmd_fetch(imap::Cursor& c);
  std::uint64_t told_size(const Message& message) const;  ///< as RFC822.SIZE
  void write_section(const FetchItem& item, std::size_t index, const mime::Part* structure);
  void cmd_search(imap::Cursor& c);

  imap::Framer framer_;
  const Extensions extensions_;
  Extras extras_;
  Extras command_extras_;
  std::set<std::string, std::less<>> enabled_;
  std::string tag_;
  bool by_uid_ = false;
  bool tell_expunges_ = true;  ///< the command at hand may be answered with EXPUNGE
  int tells_at_once_ = 0;      ///< who wants it
  bool answering_ = false;     ///< a command is at work, and its answer will tell
  std::size_t rows_ = 0;       ///< told by the FETCH at hand
  bool condstore_ = false;     ///< RFC 7162 section 3.1: MODSEQ in every FETCH from now on
  bool qresync_ = false;

  AccountState* account_ = nullptr;
  std::unique_ptr<ImapView> view_;
  std::optional<SaslExchange> sasl_;
  std::function<void(std::string_view)> next_line_;

  struct MessageLiteral {
    std::uint32_t number;
    std::shared_ptr<std::string> octets;
  };
  std::vector<MessageLiteral> messages_;  ///< of the command that comes in
  std::string literal_refusal_;           ///< what to answer once a literal that cannot be stopped is over
  bool literal_is_bad_ = false;           ///< ... with BAD instead of NO
};

/// The session with what deflates its bytes when the client asks for it (compress.cc).
std::unique_ptr<Peer> compressible(std::unique_ptr<ImapSession> session);

}  // namespace mailproof::server
