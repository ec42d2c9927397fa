#include <fmt/format.h>

#include <algorithm>

#include "server/imap/message_text.h"
#include "server/imap/session.h"
#include "wire/mime/date.h"

namespace mailproof::server {

// What can be said before a message comes is said before it comes: no such mailbox, no room.
imap::LiteralAction ImapSession::begin_message(const imap::LiteralBegin& begin, const ImapCommand& row,
                                               imap::Cursor& c) {
  for (unsigned skipped = 1; skipped < row.mailbox_argument; ++skipped) {
    c.sp();
    c.skip_value();
  }
  c.sp();
  const bool is_mailbox_name = begin.number == 0 && c.peek() == '{';
  if (is_mailbox_name) return begin.size > kLiteralLimit ? imap::LiteralAction::refuse : imap::LiteralAction::keep;
  const auto name = read_mailbox_name(c);
  const auto target = c.ok() ? mailbox(name) : nullptr;
  std::uint64_t octets = begin.size;
  for (const auto& message : messages_) octets += message.octets->size();
  if (begin.too_large || octets > kMessageLimit) {
    literal_refusal_ = "[TOOBIG] Message too large";
  } else if (c.ok() && !target && !context().has(defect("imap.append-into-nothing"))) {
    literal_refusal_ = "[TRYCREATE] No such mailbox";
  } else if (target && !permits(*target, 'i')) {
    literal_refusal_ = "[NOPERM] Nothing may be put there";
  } else if (!row.makes_room) {
    literal_refusal_ = no_room_for(target ? target->owner() : *account_, octets);
  }
  if (!literal_refusal_.empty()) return imap::LiteralAction::refuse;
  messages_.push_back({begin.number, std::make_shared<std::string>()});
  messages_.back().octets->reserve(begin.size);
  return imap::LiteralAction::stream;
}

std::shared_ptr<std::string> ImapSession::streamed(const imap::Text& text) const {
  for (const auto& message : messages_)
    if (text.literal() != nullptr && message.number == text.literal()->number) return message.octets;
  return nullptr;
}

std::string ImapSession::literal_text(const imap::Text& text) const {
  const auto octets = streamed(text);
  return octets ? *octets : text.text();
}

// append-message = [SP flag-list] [SP date-time] [SP append-ext] SP append-data; append-data = literal / literal8 /
// append-data-ext (RFC 4466)
std::optional<AppendMessage> ImapSession::read_append_message(imap::Cursor& c) {
  const auto refused = [this](std::string_view why) {
    bad(why);
    return std::nullopt;
  };
  AppendMessage read;
  read.date = internal_date(now());
  c.sp();
  if (c.peek() == '(') {
    c.flag_list(read.flags);
    c.sp();
  }
  if (c.peek() == '"') {
    const auto given = mime::parse_internal_date(c.quoted().text());
    if (c.ok() && !given) return refused("That is no date-time");
    if (given && !context().has(defect("imap.append-date-ignored")))
      read.date = {given->unix_seconds(), given->zone_minutes};
    c.sp();
  }
  const bool literal8 = c.peek() == '~';
  if (literal8 || c.peek() == '{') {
    read.octets = streamed(c.string());
  } else if (c.peek() != '"') {
    const auto* data = extensions_.find(&Extension::append_data, c.atom());
    if (data != nullptr) {
      read.octets = std::make_shared<std::string>();
      if (!data->read(*this, c, *read.octets)) return std::nullopt;
    }
  }
  if (!c.ok()) {
    bad(c);
    return std::nullopt;
  }
  if (!read.octets) return refused("The message must come as a literal");
  // "A zero-length message literal argument is an error, and MUST return a NO" (RFC 3502).
  if (read.octets->empty()) {
    no("A message of no octets");
    return std::nullopt;
  }
  for (const auto* extension : extensions_) {
    const auto why = extension->refuses_message != nullptr ? extension->refuses_message(*this, *read.octets) : "";
    if (why.empty()) continue;
    no(why);
    return std::nullopt;
  }
  if (!storable(read.flags)) return refused("Unknown system flag");
  const bool nul = read.octets->find('\0') != std::string::npos;
  const bool binary =
      std::any_of(extensions_.begin(), extensions_.end(), [](const auto* e) { return e->nul_in_literal8; });
  if (nul && !(literal8 && binary)) return refused("NUL in a message");
  if (!nul) with_crlf(*read.octets);
  return read;
}

// append = "APPEND" SP mailbox 1*append-message (RFC 3502)
void ImapSession::cmd_append(imap::Cursor& c) {
  const bool several =
      std::any_of(extensions_.begin(), extensions_.end(), [](const auto* e) { return e->several_messages; });
  c.sp();
  const auto name = read_mailbox_name(c);
  std::vector<AppendMessage> messages;
  std::uint64_t octets = 0;
  do {
    auto message = read_append_message(c);
    if (!message) return;
    octets += message->octets->size();
    messages.push_back(std::move(*message));
  } while (several && !c.at_end());
  if (!c.end()) return bad(c);
  if (!this->mailbox(name) && context().has(defect("imap.append-into-nothing"))) return ok("Appended");
  const auto mailbox = existing(name, "[TRYCREATE]", 'i');
  if (!mailbox) return;
  if (const auto full = no_room_for(mailbox->owner(), octets); !full.empty()) return no(full);
  const auto code = append(*mailbox, std::move(messages));
  ok(code.empty() ? "Appended" : fmt::format("[{}] Appended", code));
}

std::string ImapSession::append(Mailbox& mailbox, std::vector<AppendMessage> messages) {
  const bool absent = context().has(defect("imap.append-ok-but-absent"));
  imap::SequenceSet uids;
  for (auto& message : messages) {
    if (absent) {
      uids.add(mailbox.uid_next());
      continue;
    }
    keep_permitted(mailbox, message.flags);
    if (message.octets->size() > 2048 && context().has(defect("imap.append-cut"))) message.octets->resize(2048);
    auto& store = context().store;
    uids.add(
        store.append(mailbox.owner(), mailbox, std::move(message.octets), std::move(message.flags), message.date)->uid);
  }
  if (view_ && &view_->mailbox() == &mailbox && context().has(defect("imap.own-append-not-told")))
    view_->forget_arrivals();
  if (context().has(latitude("imap.no-uidplus"))) return {};
  if (!absent && context().has(defect("imap.appenduid-swapped")))
    return fmt::format("APPENDUID {} {}", uids.format(), mailbox.uid_validity());
  return fmt::format("APPENDUID {} {}", mailbox.uid_validity(), uids.format());
}

}  // namespace mailproof::server
