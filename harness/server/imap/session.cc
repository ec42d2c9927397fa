#include "server/imap/session.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/utf8.h"

namespace mailproof::server {
namespace {

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto point = utf8_point(text);
    if (point.length == 0) return false;
    text.remove_prefix(point.length);
  }
  return true;
}

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
              {.kept_literal = kLiteralLimit, .kept_in_line = 4 * kLiteralLimit, .literals = 256}),
      extensions_(context.switches) {}

ImapSession::~ImapSession() = default;

std::span<const ImapCommand> ImapSession::commands() {
  static constexpr ImapCommand rows[] = {
      {"CAPABILITY", kAnyState, via<&ImapSession::cmd_capability>},
      {"NOOP", kAnyState, via<&ImapSession::cmd_noop>},
      {"LOGOUT", kAnyState, via<&ImapSession::cmd_logout>},
      {"STARTTLS", kNotAuthenticated, via<&ImapSession::cmd_starttls>},
      {"LOGIN", kNotAuthenticated, via<&ImapSession::cmd_login>},
      {"AUTHENTICATE", kNotAuthenticated, via<&ImapSession::cmd_authenticate>},
      {"ENABLE", kLoggedIn, via<&ImapSession::cmd_enable>},
      {"SELECT", kLoggedIn, via<&ImapSession::cmd_select>},
      {"EXAMINE", kLoggedIn, via<&ImapSession::cmd_examine>},
      {"CREATE", kLoggedIn, via<&ImapSession::cmd_create>},
      {"DELETE", kLoggedIn, via<&ImapSession::cmd_delete>},
      {"RENAME", kLoggedIn, via<&ImapSession::cmd_rename>},
      {"SUBSCRIBE", kLoggedIn, via<&ImapSession::cmd_subscribe>},
      {"UNSUBSCRIBE", kLoggedIn, via<&ImapSession::cmd_unsubscribe>},
      {"LIST", kLoggedIn, via<&ImapSession::cmd_list>},
      {"LSUB", kLoggedIn, via<&ImapSession::cmd_lsub>},
      {"STATUS", kLoggedIn, via<&ImapSession::cmd_status>},
      {"APPEND", kLoggedIn, via<&ImapSession::cmd_append>, true, 1},
      {"CHECK", kSelected, via<&ImapSession::cmd_noop>},
      {"CLOSE", kSelected, via<&ImapSession::cmd_close>},
      {"EXPUNGE", kSelected, via<&ImapSession::cmd_expunge>},
      {"SEARCH", kSelected, via<&ImapSession::cmd_search>, false},
      {"FETCH", kSelected, via<&ImapSession::cmd_fetch>, false},
      {"STORE", kSelected, via<&ImapSession::cmd_store>, false},
      {"COPY", kSelected, via<&ImapSession::cmd_copy>},
  };
  return rows;
}

std::span<const ImapCommand> ImapSession::uid_commands() {
  static constexpr ImapCommand rows[] = {
      {"FETCH", kSelected, via<&ImapSession::cmd_fetch>},
      {"STORE", kSelected, via<&ImapSession::cmd_store>},
      {"COPY", kSelected, via<&ImapSession::cmd_copy>},
      {"SEARCH", kSelected, via<&ImapSession::cmd_search>},
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

void ImapSession::on_end() {
  view_.reset();
  extras_.clear();
}

void ImapSession::deselect() {
  if (!view_) return;
  view_.reset();
  for (const auto* extension : extensions_)
    if (extension->deselected != nullptr) extension->deselected(*this);
}

void ImapSession::on_line(const imap::LogicalLine& line) {
  answering_ = true;
  if (sasl_) {
    on_sasl_response(line.text);
  } else if (next_line_) {
    std::exchange(next_line_, nullptr)(line.text);
  } else {
    on_command(line);
  }
  answering_ = false;
  messages_.clear();
  literal_refusal_.clear();
  literal_is_bad_ = false;
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
  command_extras_.clear();
  tell_expunges_ = true;
  if (line.truncated) return bad("Command line too long");
  if (misspelt(line.text)) return bad("A blank or a backslash too many");
  if (utf8_names() && !is_utf8(line.text)) return bad("That is no UTF-8");
  if (!literal_refusal_.empty()) {
    return literal_is_bad_ ? bad(literal_refusal_) : no(literal_refusal_);
  }
  by_uid_ = c.accept_word("UID");
  if (by_uid_) c.sp();
  dispatch(c);
}

const ImapCommand* ImapSession::command(std::string_view name, bool by_uid) const {
  if (const auto* row = extensions_.find(by_uid ? &Extension::uid_commands : &Extension::commands, name)) return row;
  for (const auto& row : by_uid ? uid_commands() : commands())
    if (iequals(row.name, name)) return &row;
  return nullptr;
}

void ImapSession::dispatch(imap::Cursor& c) {
  const auto* row = command(c.word(), by_uid_);
  if (row == nullptr) return bad("Unknown command");
  if ((row->states & state()) == 0) {
    return bad(fmt::format("{} is not allowed {}", row->name,
                           !logged_in()                       ? "before login"
                           : row->states == kNotAuthenticated ? "after login"
                                                              : "without a selected mailbox"));
  }
  for (const auto* extension : extensions_) {
    if (extension->refuses == nullptr) continue;
    if (const auto why = extension->refuses(*this, *row); !why.empty()) return bad(why);
  }
  tell_expunges_ = row->tells_expunges;
  if (context().has(latitude("imap.expunge-waits-for-noop"))) {
    constexpr std::string_view telling[] = {"NOOP", "CHECK", "EXPUNGE", "MOVE"};
    tell_expunges_ = std::find(std::begin(telling), std::end(telling), row->name) != std::end(telling);
  }
  row->run(*this, c);
}

imap::LiteralAction ImapSession::on_literal_begin(const imap::LiteralBegin& begin) {
  using imap::LiteralAction;
  imap::Cursor c(begin.line);
  tag_ = c.tag();
  c.sp();
  const bool by_uid = c.accept_word("UID") && c.sp();
  const auto* row = command(c.word(), by_uid);
  auto action = begin.too_large || begin.size > kLiteralLimit ? LiteralAction::refuse : LiteralAction::keep;
  if (row != nullptr && row->mailbox_argument != 0 && (row->states & state()) != 0)
    action = begin_message(begin, *row, c);
  // RFC 7888 section 5: with LITERAL- no literal of more octets comes without being asked for.
  if (!begin.synchronising && begin.size > 4096 && context().has(latitude("imap.literal-minus"))) {
    literal_refusal_ = "[TOOBIG] Not more than 4096 octets behind a plus";
    literal_is_bad_ = true;
    action = LiteralAction::refuse;
  }
  if (action == LiteralAction::refuse) {
    if (literal_refusal_.empty()) literal_refusal_ = "[TOOBIG] Literal too large";
    if (begin.synchronising) {
      tell_expunges_ = true;
      no(literal_refusal_);
      literal_refusal_.clear();
      messages_.clear();
    }
    return begin.synchronising ? LiteralAction::refuse : LiteralAction::discard;
  }
  if (begin.synchronising) write("+ Ready for literal data\r\n");
  return action;
}

void ImapSession::ok(std::string_view text) { tagged("OK", text); }

void ImapSession::no(std::string_view text) {
  // These are a MUST where they apply (RFC 3501 sections 6.3.11 and 6.4.7, RFC 7889 section 4, RFC 5464 section 4.3,
  // RFC 3516 section 4.3).
  constexpr std::string_view kept[] = {"[TRYCREATE]", "[TOOBIG]", "[METADATA ", "[UNKNOWN-CTE]"};
  const bool must = std::any_of(std::begin(kept), std::end(kept), [&](auto code) { return text.starts_with(code); });
  if (context().has(latitude("imap.no-without-code")) && text.starts_with('[') && !must)
    text.remove_prefix(text.find(']') + 2);
  tagged("NO", text);
}

void ImapSession::bad(std::string_view text) { print("{} BAD {}\r\n", tag_, text); }

void ImapSession::bad(const imap::Cursor& c) {
  // What is refused for a reason of its own brings its response code.
  const std::string_view problem = c.ok() ? std::string_view() : c.problem();
  bad(problem.starts_with('[') ? std::string(problem) : printable(c.error().message()));
}

void ImapSession::tagged(std::string_view status, std::string_view text) {
  if (view_) report_changes(tell_expunges_);
  print("{} {} {}\r\n", tag_, status, text);
}

}  // namespace mailproof::server
