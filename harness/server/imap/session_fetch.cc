#include <algorithm>

#include "server/imap/envelope.h"
#include "server/imap/fetch_items.h"
#include "server/imap/session.h"
#include "wire/mime/date.h"
#include "wire/mime/header.h"

namespace mailproof::server {
namespace {

using Kind = FetchItem::Kind;

/// The header of one message with the text of another.
std::shared_ptr<const std::string> mixed_up(const std::string& header_of, const std::string& text_of) {
  auto mixed = header_of.substr(0, mime::header_size(header_of));
  return std::make_shared<const std::string>(mixed + text_of.substr(mime::header_size(text_of)));
}

/// What a message of another account would be: the newest mail of the first other account that has any.
std::shared_ptr<const std::string> foreign_content(const Store& store, const AccountState& mine) {
  for (const auto& other : store.accounts()) {
    if (other.get() != &mine && !other->inbox().messages().empty()) return other->inbox().messages().back()->content;
  }
  return nullptr;
}

/// The content of a message or of a part of it, not a header.
bool shows_text(const FetchItem& item) {
  return item.kind == Kind::section &&
         (item.section.what == Section::What::all || item.section.what == Section::What::text);
}

}  // namespace

// fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")
//         [SP "(" fetch-modifier *(SP fetch-modifier) ")"]
void ImapSession::cmd_fetch(imap::Cursor& c) {
  c.sp();
  auto [set, indexes] = read_messages(c);
  c.sp();
  auto request = read_fetch_request(*this, c);
  if (!c.end()) return bad(c);
  if (request.vanished && !(by_uid_ && qresync_ && request.changed_since)) {
    return bad("VANISHED goes with UID FETCH, CHANGEDSINCE and ENABLE QRESYNC");
  }
  if (!indexes) return bad("No such message number");
  if (by_uid_ && !request.has(Kind::uid)) request.items.emplace(request.items.begin(), Kind::uid);
  if (request.changed_since && !request.has(Kind::modseq)) request.items.emplace_back(Kind::modseq);
  if (request.has(Kind::modseq)) enable_condstore();
  rows_ = 0;
  if (request.vanished) write_vanished_since(*request.changed_since, &set);
  if (by_uid_ && set == imap::SequenceSet::of(imap::SequenceSet::star) && context().has(defect("imap.star-is-nothing")))
    return ok("Done");
  if (request.narrow) request.narrow(*this, *indexes);
  for (const auto index : *indexes)
    for (const auto& item : request.items)
      if (item.word != nullptr && item.word->refuses != nullptr)
        if (const auto why = item.word->refuses(*this, index, item); !why.empty()) return no(why);
  if (indexes->size() > 1000 && context().has(defect("imap.fetch-ends-at-thousand"))) indexes->resize(1000);
  for (const auto index : *indexes) {
    if (!request.changed_since || view_->entries()[index].message->modseq > *request.changed_since) {
      fetch_one(index, request);
    }
  }
  if (context().has(latitude("imap.ghosts-are-deleted")))  // it tells EXPUNGE behind that
    for (std::size_t i = 0; i < view_->size(); ++i)
      if (view_->entries()[i].flags_changed) report_flags(i, view_->entries()[i].message->flags);
  ok("Done");
}

std::uint64_t ImapSession::told_size(const Message& message) const {
  if (context().has(defect("imap.size-zero"))) return 0;
  if (context().has(defect("imap.size-huge"))) return 0x7fff'ffff'ffff'ffffU;
  if (context().has(defect("imap.size-counts-lf")))
    return message.size() -
           static_cast<std::uint64_t>(std::count(message.content->begin(), message.content->end(), '\n'));
  return message.size();
}

void ImapSession::fetch_one(std::size_t index, const FetchRequest& request) {
  auto& entry = view_->entries()[index];
  auto message = entry.message;
  const auto& shared = view_->mailbox().messages();
  if (!by_uid_ && index < shared.size() && context().has(defect("imap.numbers-shared"))) message = shared[index];
  const auto asks = [&](auto which) { return std::any_of(request.items.begin(), request.items.end(), which); };
  const bool nil = message->expunged && context().has(latitude("imap.nil-for-expunged"));
  const bool peek_sees = context().has(defect("imap.peek-sets-seen"));
  const bool sees = asks([&](const FetchItem& item) { return item.sets_seen || (peek_sees && shows_text(item)); });
  const bool keeps_seen = !context().has(defect("imap.seen-forgotten"));
  if (sees && keeps_seen && permits(view_->mailbox(), 's') && !view_->read_only() && !message->expunged &&
      !message->flags.has(Flag::seen)) {
    auto flags = message->flags;
    flags.add(Flag::seen);
    context().store.set_flags(view_->mailbox(), message, std::move(flags));
  }
  const bool with_flags = request.has(Kind::flags) || (sees && entry.flags_changed);
  const bool with_modseq = request.has(Kind::modseq) || (with_flags && tells_modseqs());
  std::optional<mime::Part> structure;
  if (!nil && asks([](const FetchItem& item) {
        return item.kind == Kind::bodystructure || item.kind == Kind::body || item.section.needs_parts();
      })) {
    structure = mime::parse_structure(*message->content);
  }

  const bool misnumbered = by_uid_ && context().has(defect("imap.rows-misnumbered"));
  begin_fetch(misnumbered ? rows_++ : index);
  std::string text;
  bool first = true;
  // RFC 7162 section 3.2.4: so is a FETCH that sets \Seen.
  if (sees && with_flags && condstore_ && !request.has(Kind::uid)) {
    print("UID {}", message->uid);
    first = false;
  }
  for (const auto& item : request.items) {
    if (item.kind == Kind::flags || item.kind == Kind::modseq) continue;
    if (!first) write(" ");
    first = false;
    text.clear();
    switch (item.kind) {
      case Kind::uid:
        print("UID {}", message->uid);
        break;
      case Kind::internaldate:
        if (nil)
          write("INTERNALDATE \"00-Jan-0000 00:00:00 +0000\"");
        else
          print("INTERNALDATE \"{}\"",
                mime::format_internal_date(mime::from_unix_seconds(message->date.seconds, message->date.zone_minutes)));
        break;
      case Kind::size:
        print("RFC822.SIZE {}", nil ? 0 : told_size(*message));
        break;
      case Kind::envelope:
        if (nil) {
          text = "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)";
        } else {
          const std::string_view content = *message->content;
          format_envelope(mime::read_envelope(content.substr(0, mime::header_size(content))), text);
        }
        print("ENVELOPE {}", text);
        break;
      case Kind::body:
      case Kind::bodystructure:
        if (nil) {
          text = "(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 0 0)";
        } else {
          format_body_structure(*structure, *message->content, item.kind == Kind::bodystructure, text);
        }
        print("{} {}", item.kind == Kind::body ? "BODY" : "BODYSTRUCTURE", text);
        break;
      case Kind::section:
        if (nil) {
          print("{} NIL", item.label);
        } else {
          write_section(item, index, structure ? &*structure : nullptr);
        }
        break;
      case Kind::extended:
        item.word->write(*this, index, item);
        break;
      default:
        break;
    }
  }
  if (with_flags) {
    if (!first) write(" ");
    first = false;
    nil ? write_flags({}, false) : write_flags(message->flags, entry.recent);
    view_->told(entry);
  }
  if (with_modseq) print("{}MODSEQ ({})", first ? "" : " ", message->modseq);
  write(")\r\n");
}

void ImapSession::write_section(const FetchItem& item, std::size_t index, const mime::Part* structure) {
  auto content = view_->entries()[index].message->content;
  if (index + 1 == view_->size()) {
    if (index > 0 && context().has(defect("imap.fetch-other-body"))) {
      content = mixed_up(*content, *view_->entries()[index - 1].message->content);
    }
    if (context().has(defect("imap.foreign-body"))) {
      if (const auto foreign = foreign_content(context().store, *account_); foreign) content = foreign;
    }
  }
  if (item.section.what == Section::What::all && item.section.part.empty() && !item.partial) {
    const bool longer = content->size() > 16384 && context().has(defect("imap.literal-longer-than-sent"));
    print("{} {{{}}}\r\n", item.label, content->size() + (longer ? content->size() / 4 : 0));
    out().body(content);
    return;
  }
  const auto text = section_text(item.section, *content, structure);
  if (!text) {
    print("{} NIL", item.label);
    return;
  }
  std::string_view piece = *text;
  const std::size_t more = context().has(defect("imap.partial-gives-more")) ? 64 : 0;
  if (item.partial)
    piece = piece.substr(std::min<std::size_t>(item.partial->first, piece.size()), item.partial->second + more);
  print("{} {{{}}}\r\n", item.label, piece.size());
  write(piece);
}

}  // namespace mailproof::server
