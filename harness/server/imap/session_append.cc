#include <fmt/format.h>

#include "server/imap/message_text.h"
#include "server/imap/session.h"
#include "wire/mime/date.h"

namespace mailproof::server {
namespace {

// append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal
struct AppendArguments {
  std::string mailbox;
  Flags flags;
  std::string date;
};

AppendArguments read_head(imap::Cursor& c) {
  AppendArguments read;
  c.sp();
  read.mailbox = c.astring().text();
  c.sp();
  if (c.peek() == '(') {
    c.flag_list(read.flags);
    c.sp();
  }
  if (c.peek() == '"') {
    read.date = c.quoted().text();
    c.sp();
  }
  return read;
}

}  // namespace

// What can be said before the message comes is said before it comes: no such mailbox, no room.
imap::LiteralAction ImapSession::begin_append(const imap::LiteralBegin& begin) {
  imap::Cursor c(begin.line);
  c.tag();
  c.sp();
  c.word();
  const auto arguments = read_head(c);
  const bool is_mailbox_name = begin.number == 0 && !c.ok();
  if (is_mailbox_name) return begin.size > kLiteralLimit ? imap::LiteralAction::refuse : imap::LiteralAction::keep;
  if (begin.too_large || begin.size > kMessageLimit) {
    append_refusal_ = "[TOOBIG] Message too large";
  } else if (c.ok() && !account_->mailbox(arguments.mailbox) && !context().has(defect("imap.append-into-nothing"))) {
    append_refusal_ = "[TRYCREATE] No such mailbox";
  } else if (const auto full = no_room_for(begin.size); !full.empty()) {
    append_refusal_ = full;
  }
  if (!append_refusal_.empty()) return imap::LiteralAction::refuse;
  append_body_ = std::make_shared<std::string>();
  append_body_->reserve(begin.size);
  return imap::LiteralAction::stream;
}

void ImapSession::cmd_append(imap::Cursor& c) {
  auto arguments = read_head(c);
  const auto literal = c.string();
  if (!c.end()) return bad(c);
  if (literal.form() != imap::Text::Form::literal || !append_body_) return bad("The message must come as a literal");
  const bool into_nothing = context().has(defect("imap.append-into-nothing"));
  if (into_nothing && !account_->mailbox(arguments.mailbox)) return ok("Appended");
  const auto mailbox = existing(arguments.mailbox, "[TRYCREATE]");
  if (!mailbox) return;
  if (!storable(arguments.flags)) return bad("Unknown system flag");
  auto date = internal_date(now());
  if (!arguments.date.empty() && !context().has(defect("imap.append-date-ignored"))) {
    const auto given = mime::parse_internal_date(arguments.date);
    if (!given) return bad("That is no date-time");
    date = {given->unix_seconds(), given->zone_minutes};
  }
  if (append_body_->find('\0') != std::string::npos) return bad("NUL in a message");
  with_crlf(*append_body_);
  if (context().has(defect("imap.append-cut")) && append_body_->size() > 2048) append_body_->resize(2048);
  if (const auto full = no_room_for(append_body_->size()); !full.empty()) return no(full);
  std::string done = "Appended";
  const bool uidplus = !context().has(latitude("imap.no-uidplus"));
  if (context().has(defect("imap.append-ok-but-absent"))) {
    if (uidplus) done = fmt::format("[APPENDUID {} {}] Appended", mailbox->uid_validity(), mailbox->uid_next());
    return ok(done);
  }
  const auto message =
      context().store.append(*account_, *mailbox, std::move(append_body_), std::move(arguments.flags), date);
  if (view_ && &view_->mailbox() == mailbox.get() && context().has(defect("imap.own-append-not-told")))
    view_->forget_arrivals();
  const bool swapped = context().has(defect("imap.appenduid-swapped"));
  if (uidplus)
    done = fmt::format("[APPENDUID {} {}] Appended", swapped ? message->uid : mailbox->uid_validity(),
                       swapped ? mailbox->uid_validity() : message->uid);
  ok(done);
}

}  // namespace mailproof::server
