#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/connection.h"
#include "server/imap/view.h"
#include "server/imap/wire_string.h"
#include "server/sasl_exchange.h"
#include "wire/imap/cursor.h"
#include "wire/imap/framer.h"
#include "wire/mime/structure.h"

namespace mailproof::server {

struct FetchItem;
struct FetchRequest;

/// One IMAP4rev1 connection (RFC 3501) with the extensions capabilities() names. Commands are answered one after the
/// other, in the order they come; the handlers live in session_*.cc, by what they are about.
class ImapSession final : public Connection, private ImapView::Listener, private imap::FramerSink {
 public:
  static constexpr Duration kAutologout = std::chrono::minutes(30);  ///< RFC 3501 section 5.4
  static constexpr std::uint64_t kMessageLimit = 64ULL << 20U;       ///< octets of one APPEND
  static constexpr std::uint64_t kLiteralLimit = 64ULL << 10U;       ///< octets of any other literal

  ImapSession(ServerContext& context, bool tls);
  /// Has what goes out and comes in deflated, behind what was written already. Empty: it is so already.
  std::function<void()> compress;
  ~ImapSession() override;

 private:
  using Listener = ImapView::Listener;
  enum State : std::uint8_t { kNotAuthenticated = 1, kAuthenticated = 2, kSelected = 4 };
  using Handler = void (ImapSession::*)(imap::Cursor&);
  struct CommandRow {
    std::string_view name;
    std::uint8_t states;        ///< where it is valid
    bool expunges_may_be_told;  ///< RFC 3501 section 7.4.1; the UID forms always may
    Handler run;
  };
  static std::span<const CommandRow> commands();
  static std::span<const CommandRow> uid_commands();

  // Connection
  void on_open() override;
  void on_bytes(std::string_view bytes) override;
  void on_timeout() override;
  Duration idle_limit() const override { return kAutologout; }
  void on_secured() override;
  void on_end() override;

  // imap::FramerSink
  imap::LiteralAction on_literal_begin(const imap::LiteralBegin& begin) override;
  void on_literal_chunk(std::string_view octets) override { append_body_->append(octets); }
  void on_line(const imap::LogicalLine& line) override;

  void on_view_stale() override;

  // session.cc: one command and its answer
  void on_command(const imap::LogicalLine& line);
  void dispatch(std::span<const CommandRow> rows, imap::Cursor& c);
  void ok(std::string_view text);  ///< "[CODE] text"
  void no(std::string_view text);  ///< the same
  void bad(std::string_view text);
  void bad(const imap::Cursor& c);
  void tagged(std::string_view status, std::string_view text);
  bool logged_in() const { return account_ != nullptr; }
  State state() const { return view_ ? kSelected : logged_in() ? kAuthenticated : kNotAuthenticated; }

  // session_report.cc: what the client must be told about its mailbox
  void report_changes(bool expunges);
  void report_removals(const std::vector<ImapView::Removal>& removals);
  void report_flags(std::size_t index, const Flags& flags);
  void write_flags(Flags flags, bool recent);
  void enable_condstore();

  // session_login.cc
  void cmd_capability(imap::Cursor& c);
  void cmd_noop(imap::Cursor& c);
  void cmd_logout(imap::Cursor& c);
  void cmd_starttls(imap::Cursor& c);
  void cmd_login(imap::Cursor& c);
  void cmd_authenticate(imap::Cursor& c);
  void cmd_id(imap::Cursor& c);
  void cmd_enable(imap::Cursor& c);
  void on_sasl_response(std::string_view line);
  void take_sasl_step(const SaslExchange::Step& step);
  void logged_in_as(AccountState& account);
  std::string capabilities() const;

  // compress.cc
  void cmd_compress(imap::Cursor& c);

  // session_select.cc
  void cmd_select(imap::Cursor& c) { select(c, false); }
  void cmd_examine(imap::Cursor& c) { select(c, true); }
  void select(imap::Cursor& c, bool read_only);
  void resync(std::uint32_t uid_validity, Modseq modseq, const std::optional<imap::SequenceSet>& known);
  void cmd_close(imap::Cursor& c);
  void cmd_unselect(imap::Cursor& c);
  void cmd_idle(imap::Cursor& c);
  void on_idle_line(std::string_view line);

  // session_mailboxes.cc
  void cmd_create(imap::Cursor& c);
  void cmd_delete(imap::Cursor& c);
  void cmd_rename(imap::Cursor& c);
  void cmd_subscribe(imap::Cursor& c);
  void cmd_unsubscribe(imap::Cursor& c);
  void cmd_list(imap::Cursor& c);
  void cmd_lsub(imap::Cursor& c);
  void cmd_status(imap::Cursor& c);
  void cmd_namespace(imap::Cursor& c);
  std::shared_ptr<Mailbox> existing(std::string_view name, std::string_view code);  ///< null: NO was said

  // session_quota.cc
  void cmd_getquota(imap::Cursor& c);
  void cmd_getquotaroot(imap::Cursor& c);
  void cmd_setquota(imap::Cursor& c);
  void write_quota(std::string_view root);
  bool quota_root_known(std::string_view root) const;
  std::string_view no_room_for(std::uint64_t octets);  ///< "[OVERQUOTA] ..." for a NO; empty: there is room

  // session_append.cc
  void cmd_append(imap::Cursor& c);
  imap::LiteralAction begin_append(const imap::LiteralBegin& begin);

  // session_messages.cc
  void cmd_store(imap::Cursor& c);
  void cmd_copy(imap::Cursor& c) { copy_or_move(c, false); }
  void cmd_move(imap::Cursor& c) { copy_or_move(c, true); }
  void copy_or_move(imap::Cursor& c, bool move);
  void cmd_expunge(imap::Cursor& c);
  void expunge_deleted(const std::optional<imap::SequenceSet>& only);
  bool refuse_change();  ///< true: the mailbox was opened by EXAMINE, and NO was said

  // session_fetch.cc, session_search.cc
  void cmd_fetch(imap::Cursor& c);
  std::uint64_t told_size(const Message& message) const;  ///< as RFC822.SIZE
  void fetch_one(std::size_t index, const FetchRequest& request);
  void write_section(const FetchItem& item, std::size_t index, const mime::Part* structure);
  void cmd_search(imap::Cursor& c);
  void write_vanished_since(Modseq modseq, const imap::SequenceSet* within);

  imap::Framer framer_;
  std::string tag_;
  bool by_uid_ = false;        ///< the command came as UID ...
  bool tell_expunges_ = true;  ///< the command at hand may be answered with EXPUNGE
  std::size_t rows_ = 0;       ///< told by the FETCH at hand
  bool idling_ = false;
  bool condstore_ = false;  ///< RFC 7162 section 3.1: MODSEQ in every FETCH from now on
  bool qresync_ = false;

  AccountState* account_ = nullptr;
  std::unique_ptr<ImapView> view_;
  std::optional<SaslExchange> sasl_;

  std::shared_ptr<std::string> append_body_;  ///< while an APPEND's literal comes in
  std::string append_refusal_;                ///< what to answer once a literal that cannot be stopped is over
};

/// The session with what deflates its bytes when the client asks for it (compress.cc).
std::unique_ptr<Peer> compressible(std::unique_ptr<ImapSession> session);

}  // namespace mailproof::server
