#include "server/imap/envelope.h"

#include <fmt/format.h>

#include <iterator>

#include "core/bytes.h"
#include "server/imap/wire_string.h"

namespace mailproof::server {
namespace {

/// A space, then a string.
void next_string(std::string_view text, std::string& out) {
  out += ' ';
  out += imap_string(text);
}

void nstring(const std::optional<std::string>& text, std::string& out) { out += text ? imap_string(*text) : "NIL"; }

// "(" 1*address ")" / nil
void addresses(const std::vector<mime::Address>& list, std::string& out) {
  if (list.empty()) {
    out += "NIL";
    return;
  }
  out += '(';
  for (const auto& address : list) {
    out += '(';
    nstring(address.name, out);
    out += ' ';
    nstring(address.route, out);
    out += ' ';
    nstring(address.mailbox, out);
    out += ' ';
    nstring(address.host, out);
    out += ')';
  }
  out += ')';
}

// body-fld-param = "(" string SP string *(SP string SP string) ")" / nil
void parameters(const std::vector<mime::Parameter>& list, std::string& out) {
  if (list.empty()) {
    out += "NIL";
    return;
  }
  char before = '(';
  for (const auto& [name, value] : list) {
    out += before;
    out += imap_string(upper(name));
    next_string(value, out);
    before = ' ';
  }
  out += ')';
}

// [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc]]]
void disposition_languages_location(const mime::Part& part, std::string& out) {
  if (part.disposition) {
    out += " (";
    out += imap_string(part.disposition->value);
    out += ' ';
    parameters(part.disposition->parameters, out);
    out += ") ";
  } else {
    out += " NIL ";
  }
  if (part.languages.empty()) out += "NIL";
  for (std::size_t i = 0; i < part.languages.size(); ++i) {
    out += i == 0 ? '(' : ' ';
    out += imap_string(part.languages[i]);
  }
  if (!part.languages.empty()) out += ')';
  out += ' ';
  nstring(part.location, out);
}

// body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
void multipart(const mime::Part& part, std::string_view message, bool extended, std::string& out) {
  for (const auto& child : part.parts) format_body_structure(child, message, extended, out);
  next_string(upper(part.content_type.subtype), out);
  if (!extended) return;
  out += ' ';
  parameters(part.content_type.parameters, out);
  disposition_languages_location(part, out);
}

}  // namespace

void format_envelope(const mime::Envelope& envelope, std::string& out) {
  out += '(';
  nstring(envelope.date, out);
  out += ' ';
  nstring(envelope.subject, out);
  for (const auto* list :
       {&envelope.from, &envelope.sender, &envelope.reply_to, &envelope.to, &envelope.cc, &envelope.bcc}) {
    out += ' ';
    addresses(*list, out);
  }
  out += ' ';
  nstring(envelope.in_reply_to, out);
  out += ' ';
  nstring(envelope.message_id, out);
  out += ')';
}

void format_body_structure(const mime::Part& part, std::string_view message, bool extended, std::string& out) {
  out += '(';
  if (part.is_multipart() && !part.parts.empty()) {
    multipart(part, message, extended, out);
    out += ')';
    return;
  }
  // A multipart that cannot be cut up is shown as the text it is: IMAP has no multipart without parts.
  const bool enclosed = part.is_message() && !part.parts.empty();
  const bool text = part.content_type.type == "text" || part.is_multipart();
  out += imap_string(text ? "TEXT" : upper(part.content_type.type));
  next_string(part.is_multipart()              ? "PLAIN"
              : part.is_message() && !enclosed ? "X-RFC822"
                                               : upper(part.content_type.subtype),
              out);
  // body-fields = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP body-fld-octets
  out += ' ';
  parameters(part.content_type.parameters, out);
  out += ' ';
  nstring(part.id, out);
  out += ' ';
  nstring(part.description, out);
  next_string(part.encoding, out);
  fmt::format_to(std::back_inserter(out), " {}", part.body.size());
  if (enclosed) {
    const auto& inner = part.parts.front();
    out += ' ';
    format_envelope(mime::read_envelope(inner.header.of(message)), out);
    out += ' ';
    format_body_structure(inner, message, extended, out);
  }
  if (enclosed || text) fmt::format_to(std::back_inserter(out), " {}", part.lines);
  if (extended) {
    out += ' ';
    nstring(part.md5, out);
    disposition_languages_location(part, out);
  }
  out += ')';
}

}  // namespace mailproof::server
