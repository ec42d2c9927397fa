#include "server/imap/fetch_items.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "server/imap/session.h"
#include "server/imap/wire_string.h"
#include "wire/imap/chars.h"
#include "wire/mime/header.h"

namespace mailproof::server {
namespace {

using Kind = FetchItem::Kind;
using What = Section::What;

struct Word {
  std::string_view name;
  Kind kind;
};
constexpr Word kWords[] = {
    {"UID", Kind::uid},          {"FLAGS", Kind::flags},       {"INTERNALDATE", Kind::internaldate},
    {"RFC822.SIZE", Kind::size}, {"ENVELOPE", Kind::envelope}, {"BODYSTRUCTURE", Kind::bodystructure},
    {"MODSEQ", Kind::modseq}};

// header-list = "(" header-fld-name *(SP header-fld-name) ")"
std::string read_names(imap::Cursor& c, std::vector<std::string>& names) {
  std::string label = " (";
  c.sp();
  if (!c.open_list()) return label;
  while (c.next_item()) {
    names.push_back(c.astring().text());
    const bool atom = !names.back().empty() && std::all_of(names.back().begin(), names.back().end(), [](char ch) {
      return imap::is(imap::astring_char, ch) && static_cast<unsigned char>(ch) < 0x80;
    });
    if (names.size() > 1) label += ' ';
    label += atom ? names.back() : imap_string(names.back());
  }
  return label + ')';
}

}  // namespace

// section-spec = section-msgtext / (section-part ["." section-text])
Section read_section(imap::Cursor& c, std::string& label) {
  Section section;
  bool more = c.peek() != ']';
  while (c.peek() >= '0' && c.peek() <= '9') {
    section.part.push_back(c.nz_number());
    label += fmt::format("{}{}", section.part.size() > 1 ? "." : "", section.part.back());
    more = c.accept('.');
  }
  if (!more) return section;
  if (!section.part.empty()) label += '.';
  const auto word = upper(c.word());
  label += word;
  if (word == "HEADER") {
    section.what = What::header;
  } else if (word == "TEXT") {
    section.what = What::text;
  } else if (word == "MIME" && !section.part.empty()) {
    section.what = What::mime;
  } else if (word == "HEADER.FIELDS" || word == "HEADER.FIELDS.NOT") {
    section.what = word == "HEADER.FIELDS" ? What::fields : What::fields_not;
    label += read_names(c, section.names);
  } else {
    c.fail("a section");
  }
  return section;
}

namespace {

FetchItem section_item(imap::Cursor& c, bool peek) {
  FetchItem item(Kind::section, "BODY[");
  item.sets_seen = !peek;
  item.section = read_section(c, item.label);
  c.expect(']');
  item.label += ']';
  if (c.accept('<')) {  // "<" number "." nz-number ">"
    const auto origin = c.number();
    c.expect('.');
    item.partial.emplace(origin, c.nz_number());
    c.expect('>');
    item.label += fmt::format("<{}>", origin);
  }
  return item;
}

FetchItem legacy_item(std::string_view label, What what, bool sets_seen) {
  FetchItem item(Kind::section, label);
  item.section.what = what;
  item.sets_seen = sets_seen;
  return item;
}

FetchItem read_item(const ImapSession& session, imap::Cursor& c) {
  const auto word = c.word();
  for (const auto& known : kWords) {
    if (iequals(word, known.name)) return FetchItem(known.kind);
  }
  if (iequals(word, "BODY.PEEK") && c.expect('[')) return section_item(c, true);
  if (iequals(word, "BODY")) return c.accept('[') ? section_item(c, false) : FetchItem(Kind::body);
  if (iequals(word, "RFC822")) return legacy_item("RFC822", What::all, true);
  if (iequals(word, "RFC822.HEADER")) return legacy_item("RFC822.HEADER", What::header, false);
  if (iequals(word, "RFC822.TEXT")) return legacy_item("RFC822.TEXT", What::text, true);
  FetchItem item(Kind::extended);
  item.word = session.extensions().find(&Extension::fetch_words, word);
  if (item.word == nullptr) {
    c.fail("a FETCH item");
  } else if (item.word->read != nullptr) {
    item.word->read(c, item);
  }
  return item;
}

bool read_macro(imap::Cursor& c, std::vector<FetchItem>& items) {
  const auto add = [&](std::initializer_list<Kind> kinds) {
    for (const auto kind : kinds) items.emplace_back(kind);
    return true;
  };
  if (c.accept_word("FAST")) return add({Kind::flags, Kind::internaldate, Kind::size});
  if (c.accept_word("ALL")) return add({Kind::flags, Kind::internaldate, Kind::size, Kind::envelope});
  if (c.accept_word("FULL")) return add({Kind::flags, Kind::internaldate, Kind::size, Kind::envelope, Kind::body});
  return false;
}

std::string selected_fields(std::string_view header, const std::vector<std::string>& names, bool listed) {
  std::string text;
  while (const auto field = mime::take_field(header)) {
    const bool named =
        std::any_of(names.begin(), names.end(), [&](const auto& name) { return iequals(name, field->name); });
    if (named == listed) text += field->raw;
  }
  return text + "\r\n";
}

}  // namespace

bool FetchRequest::has(Kind kind) const {
  return std::any_of(items.begin(), items.end(), [&](const auto& item) { return item.kind == kind; });
}

FetchRequest read_fetch_request(ImapSession& session, imap::Cursor& c) {
  FetchRequest request;
  if (!read_macro(c, request.items)) {
    if (c.peek() == '(' && c.open_list()) {
      while (c.next_item()) request.items.push_back(read_item(session, c));
      if (request.items.empty()) c.fail("a FETCH item");
    } else {
      request.items.push_back(read_item(session, c));
    }
  }
  if (c.ok() && !c.at_end() && c.sp() && c.open_list()) {
    while (c.next_item()) {
      if (c.accept_word("VANISHED")) {
        request.vanished = true;
      } else if (c.accept_word("CHANGEDSINCE")) {
        c.sp();
        request.changed_since = c.number64();
      } else {
        const auto* modifier = session.extensions().find(&Extension::fetch_modifiers, c.atom());
        if (modifier == nullptr) {
          c.fail("CHANGEDSINCE, VANISHED or an extension's modifier");
        } else {
          modifier->read(session, c, request);
        }
      }
    }
  }
  if ((request.changed_since || request.has(Kind::modseq)) && !session.keeps_modseqs())
    c.fail("a mailbox that keeps mod-sequences");
  return request;
}

std::optional<std::string> section_text(const Section& section, std::string_view message, const mime::Part* structure) {
  std::string_view header;
  std::string_view text;
  if (section.part.empty()) {
    if (section.what == What::all) return std::string(message);
    const auto size = mime::header_size(message);
    header = message.substr(0, size);
    text = message.substr(size);
  } else {
    const auto* part = mime::find_part(*structure, section.part);
    if (part == nullptr) return std::nullopt;
    if (section.what == What::all) return std::string(part->body.of(message));
    if (section.what == What::mime) return std::string(part->header.of(message));
    // HEADER and TEXT of a part are those of the message it encloses (RFC 3501 section 6.4.5).
    if (!part->is_message() || part->parts.empty()) return std::nullopt;
    header = part->parts.front().header.of(message);
    text = part->parts.front().body.of(message);
  }
  switch (section.what) {
    case What::header:
      return std::string(header);
    case What::text:
      return std::string(text);
    default:
      return selected_fields(header, section.names, section.what == What::fields);
  }
}

}  // namespace mailproof::server
