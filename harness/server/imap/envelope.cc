#include "server/imap/envelope.h"

#include <fmt/format.h>

#include <algorithm>
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

/// Octets behind a percent sign (RFC 2231 section 4).
std::string undone(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : to_lower(c) - 'a' + 10; };
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'f'); };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && is_digit(text[i + 1]) && is_digit(text[i + 2])) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// The pieces of a parameter, name*0, name*1 and so on, put together (RFC 2231 section 3, RFC 9051 section 7.5.2). What
/// is encoded in UTF-8 or US-ASCII is decoded; another charset leaves the pieces as they are.
std::vector<mime::Parameter> put_together(const std::vector<mime::Parameter>& list) {
  std::vector<mime::Parameter> whole;
  for (const auto& [name, value] : list) {
    const auto star = name.find('*');
    const std::string base = name.substr(0, star);
    const auto piece = [&](std::size_t number) {
      return std::find_if(list.begin(), list.end(), [&](const auto& one) {
        const auto wanted = fmt::format("{}*{}", base, number);
        return one.name == wanted || one.name == wanted + '*';
      });
    };
    const bool first = star != std::string::npos && (name == base + "*0" || name == base + "*0*");
    const bool later = star != std::string::npos && !first && name != base + "*" && piece(0) != list.end();
    if (!first) {
      if (!later) whole.push_back({name, value});
      continue;
    }
    std::string all;
    for (std::size_t number = 0; piece(number) != list.end(); ++number) {
      std::string_view text = piece(number)->value;
      const bool encoded = piece(number)->name.ends_with('*');
      const auto quote = text.find('\'', text.find('\'') + 1);
      if (encoded && number == 0 && quote != std::string_view::npos) text.remove_prefix(quote + 1);
      all += encoded ? undone(text) : std::string(text);
    }
    const bool other_charset =
        name.ends_with('*') && !istarts_with(value, "utf-8'") && !istarts_with(value, "us-ascii'");
    if (other_charset) return list;
    whole.push_back({base, std::move(all)});
  }
  return whole;
}

// body-fld-param = "(" string SP string *(SP string SP string) ")" / nil
void parameters(const std::vector<mime::Parameter>& given, std::string& out) {
  const auto list = put_together(given);
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
