#include "server/imap/session.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailproof::server {
namespace {

/// Blanks that do not belong there, or a backslash in a quoted string before what needs none: a syntax error (RFC 9051
/// sections 2.2.1 and 9, QUOTED-CHAR).
bool misspelt(std::string_view line) {
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char next = i + 1 < line.size() ? line[i + 1] : '\0';
    if (quoted && line[i] == '\\') {
      if (next != '"' && next != '\\') return true;
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && line[i] == ' ' && (next == ' ' || next == '\0')) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::unique_ptr<Peer> make_imap(ServerContext& context, bool tls, bool needs_tls) {
  auto session = std::make_unique<ImapSession>(context, tls);
  if (needs_tls) session->require_tls();
  return compressible(std::move(session));
}

ImapSession::ImapSession(ServerContext& context, bool tls)
    : Connection(context, tls),
      framer_(imap::Framer::Reads::commands, *this,
              {.kept_literal = kLiteralLimit, .kept_in_line = 4 * kLiteralLimit, .literals = 256}) {}

ImapSession::~ImapSession() = default;

std::span<const ImapSession::CommandRow> ImapSession::commands() {
  constexpr std::uint8_t any = kNotAuthenticated | kAuthenticated | kSelected;
  constexpr std::uint8_t logged_in = kAuthenticated | kSelected;
  static constexpr CommandRow rows[] = {
      {"CAPABILITY", any, true, &ImapSession::cmd_capability},
      {"NOOP", any, true, &ImapSession::cmd_noop},
      {"LOGOUT", any, true, &ImapSession::cmd_logout},
      {"ID", any, true, &ImapSession::cmd_id},
      {"STARTTLS", kNotAuthenticated, true, &ImapSession::cmd_starttls},
      {"LOGIN", kNotAuthenticated, true, &ImapSession::cmd_login},
      {"AUTHENTICATE", kNotAuthenticated, true, &ImapSession::cmd_authenticate},
      {"COMPRESS", logged_in, true, &ImapSession::cmd_compress},
      {"ENABLE", logged_in, true, &ImapSession::cmd_enable},
      {"SELECT", logged_in, true, &ImapSession::cmd_select},
      {"EXAMINE", logged_in, true, &ImapSession::cmd_examine},
      {"CREATE", logged_in, true, &ImapSession::cmd_create},
      {"DELETE", logged_in, true, &ImapSession::cmd_delete},
      {"RENAME", logged_in, true, &ImapSession::cmd_rename},
      {"SUBSCRIBE", logged_in, true, &ImapSession::cmd_subscribe},
      {"UNSUBSCRIBE", logged_in, true, &ImapSession::cmd_unsubscribe},
      {"LIST", logged_in, true, &ImapSession::cmd_list},
      {"LSUB", logged_in, true, &ImapSession::cmd_lsub},
      {"NAMESPACE", logged_in, true, &ImapSession::cmd_namespace},
      {"STATUS", logged_in, true, &ImapSession::cmd_status},
      {"APPEND", logged_in, true, &ImapSession::cmd_append},
      {"IDLE", logged_in, true, &ImapSession::cmd_idle},
      {"GETQUOTA", logged_in, true, &ImapSession::cmd_getquota},
      {"GETQUOTAROOT", logged_in, true, &ImapSession::cmd_getquotaroot},
      {"SETQUOTA", logged_in, true, &ImapSession::cmd_setquota},
      {"CHECK", kSelected, true, &ImapSession::cmd_noop},
      {"CLOSE", kSelected, true, &ImapSession::cmd_close},
      {"UNSELECT", kSelected, true, &ImapSession::cmd_unselect},
      {"EXPUNGE", kSelected, true, &ImapSession::cmd_expunge},
      {"SEARCH", kSelected, false, &ImapSession::cmd_search},
      {"FETCH", kSelected, false, &ImapSession::cmd_fetch},
      {"STORE", kSelected, false, &ImapSession::cmd_store},
      {"COPY", kSelected, true, &ImapSession::cmd_copy},
      {"MOVE", kSelected, true, &ImapSession::cmd_move},
  };
  return rows;
}

std::span<const ImapSession::CommandRow> ImapSession::uid_commands() {
  static constexpr CommandRow rows[] = {
      {"FETCH", kSelected, true, &ImapSession::cmd_fetch}, {"STORE", kSelected, true, &ImapSession::cmd_store},
      {"COPY", kSelected, true, &ImapSession::cmd_copy},   {"EXPUNGE", kSelected, true, &ImapSession::cmd_expunge},
      {"MOVE", kSelected, true, &ImapSession::cmd_move},   {"SEARCH", kSelected, true, &ImapSession::cmd_search},
  };
  return rows;
}

void ImapSession::on_open() { print("* OK [CAPABILITY {}] {} ready\r\n", capabilities(), context().options.host); }

void ImapSession::on_bytes(std::string_view bytes) {
  framer_.feed(bytes);
  if (framer_.dead() && open()) {
    write("* BYE The end of a command cannot be found any more\r\n");
    close();
  }
}

void ImapSession::on_timeout() { write("* BYE Autologout; idle for too long\r\n"); }

void ImapSession::on_secured() { framer_.restart(); }

void ImapSession::on_end() { view_.reset(); }

void ImapSession::on_line(const imap::LogicalLine& line) {
  if (sasl_) {
    on_sasl_response(line.text);
  } else if (idling_) {
    on_idle_line(line.text);
  } else {
    on_command(line);
  }
  append_body_.reset();
  append_refusal_.clear();
  if (!open()) framer_.stop();
}

void ImapSession::on_command(const imap::LogicalLine& line) {
  imap::Cursor c(line);
  const auto tag = c.tag();
  if (!c.ok() || !c.sp()) {
    write("* BAD A command begins with a tag and a space\r\n");
    return;
  }
  tag_ = tag;
  by_uid_ = false;
  tell_expunges_ = true;
  if (line.truncated) return bad("Command line too long");
  if (misspelt(line.text)) return bad("A blank or a backslash too many");
  if (!append_refusal_.empty()) {
    return no(append_refusal_);
  }
  by_uid_ = c.accept_word("UID");
  if (by_uid_) c.sp();
  dispatch(by_uid_ ? uid_commands() : commands(), c);
}

void ImapSession::dispatch(std::span<const CommandRow> rows, imap::Cursor& c) {
  const auto name = c.word();
  for (const auto& row : rows) {
    if (!iequals(row.name, name)) continue;
    if ((row.states & state()) == 0) {
      return bad(fmt::format("{} is not allowed {}", row.name,
                             !logged_in()                      ? "before login"
                             : row.states == kNotAuthenticated ? "after login"
                                                               : "without a selected mailbox"));
    }
    tell_expunges_ = row.expunges_may_be_told || context().has(defect("imap.expunge-in-fetch"));
    if (context().has(latitude("imap.expunge-waits-for-noop"))) {
      tell_expunges_ = row.run == &ImapSession::cmd_noop || row.run == &ImapSession::cmd_expunge ||
                       row.run == &ImapSession::cmd_move;
    }
    return (this->*row.run)(c);
  }
  bad("Unknown command");
}

imap::LiteralAction ImapSession::on_literal_begin(const imap::LiteralBegin& begin) {
  using imap::LiteralAction;
  imap::Cursor c(begin.line);
  tag_ = c.tag();
  c.sp();
  auto action = begin.too_large || begin.size > kLiteralLimit ? LiteralAction::refuse : LiteralAction::keep;
  std::string_view refusal = "[TOOBIG] Literal too large";
  if (logged_in() && c.accept_word("APPEND")) action = begin_append(begin);
  if (action == LiteralAction::refuse) {
    if (append_refusal_.empty()) append_refusal_ = refusal;
    if (begin.synchronising) {
      tell_expunges_ = true;
      no(append_refusal_);
      append_refusal_.clear();
      append_body_.reset();
    }
    return begin.synchronising ? LiteralAction::refuse : LiteralAction::discard;
  }
  if (begin.synchronising) write("+ Ready for literal data\r\n");
  return action;
}

void ImapSession::ok(std::string_view text) { tagged("OK", text); }

void ImapSession::no(std::string_view text) {
  // TRYCREATE is a MUST (RFC 3501 sections 6.3.11 and 6.4.7).
  if (context().has(latitude("imap.no-without-code")) && text.starts_with('[') && !text.starts_with("[TRYCREATE]"))
    text.remove_prefix(text.find(']') + 2);
  tagged("NO", text);
}

void ImapSession::bad(std::string_view text) { print("{} BAD {}\r\n", tag_, text); }

void ImapSession::bad(const imap::Cursor& c) { bad(printable(c.error().message())); }

void ImapSession::tagged(std::string_view status, std::string_view text) {
  if (view_) report_changes(tell_expunges_);
  print("{} {} {}\r\n", tag_, status, text);
}

}  // namespace mailproof::server
