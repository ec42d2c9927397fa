// BINARY (RFC 3516): parts without their transfer encoding, and messages with octets of every kind.
#include <fmt/format.h>

#include <algorithm>

#include "server/imap/fetch_items.h"
#include "server/imap/session.h"
#include "wire/mime/transfer_encoding.h"

namespace mailproof::server {
namespace {

// section-binary = "[" [section-part] "]"
void read_part(imap::Cursor& c, FetchItem& item) {
  c.expect('[');
  item.label = "[";
  item.section = read_section(c, item.label);
  if (item.section.what != Section::What::all) c.fail("the number of a part");
  c.expect(']');
  item.label += ']';
}

// partial = "<" number "." nz-number ">"
void read_peek(imap::Cursor& c, FetchItem& item) {
  read_part(c, item);
  if (!c.accept('<')) return;
  const auto origin = c.number();
  c.expect('.');
  item.partial.emplace(origin, c.nz_number());
  c.expect('>');
  item.label += fmt::format("<{}>", origin);
}

void read_binary(imap::Cursor& c, FetchItem& item) {
  read_peek(c, item);
  item.sets_seen = true;
}

struct Decoded {
  bool there = true;
  std::optional<std::string> octets;  ///< nothing: nobody knows the encoding
};

Decoded decoded(ImapSession& session, std::size_t index, const FetchItem& item) {
  const std::string_view message = *session.view()->entries()[index].message->content;
  if (item.section.part.empty()) return {.there = true, .octets = std::string(message)};
  const auto structure = mime::parse_structure(message);
  const auto* part = mime::find_part(structure, item.section.part);
  if (part == nullptr) return {.there = false, .octets = std::string()};
  return {.there = true, .octets = mime::transfer_decoded(part->encoding, part->body.of(message))};
}

std::string_view refuses(ImapSession& session, std::size_t index, const FetchItem& item) {
  return decoded(session, index, item).octets ? "" : "[UNKNOWN-CTE] Nobody knows that transfer encoding";
}

// "BINARY" section-binary ["<" number ">"] SP (nstring / literal8)
void write_binary(ImapSession& session, std::size_t index, const FetchItem& item) {
  const auto part = decoded(session, index, item);
  if (!part.there) return session.print("BINARY{} NIL", item.label);
  std::string_view piece = *part.octets;
  if (item.partial)
    piece = piece.substr(std::min<std::size_t>(item.partial->first, piece.size()), item.partial->second);
  const bool nul = piece.find('\0') != std::string_view::npos;
  session.print("BINARY{} {}{{{}}}\r\n", item.label, nul ? "~" : "", piece.size());
  session.write(piece);
}

void write_size(ImapSession& session, std::size_t index, const FetchItem& item) {
  session.print("BINARY.SIZE{} {}", item.label, decoded(session, index, item).octets->size());
}

}  // namespace

const Extension& binary_extension() {
  static const Extension extension{.capabilities = "BINARY",
                                   .fetch_words = {{"BINARY", read_binary, write_binary, refuses},
                                                   {"BINARY.PEEK", read_peek, write_binary, refuses},
                                                   {"BINARY.SIZE", read_part, write_size, refuses}},
                                   .nul_in_literal8 = true};
  return extension;
}

}  // namespace mailproof::server
