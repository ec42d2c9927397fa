#include "server/imap/envelope.h"

#include <fmt/format.h>

#include <iterator>

#include "core/bytes.h"
#include "server/imap/wire_string.h"

namespace mailproof::server {
namespace {

void nstring(const std::optional<std::string>& text, std::string& out) { out += text ? imap_string(*text) : "NIL"; }

void string_or_nil(std::string_view text, std::string& out) { out += text.empty() ? "NIL" : imap_string(text); }

// body-fld-param = "(" string SP string *(SP string SP string) ")" / nil
void parameters(const std::vector<std::pair<std::string, std::string>>& list, std::string& out) {
  if (list.empty()) {
    out += "NIL";
    return;
  }
  char before = '(';
  for (const auto& [name, value] : list) {
    out += before;
    out += imap_string(name);
    out += ' ';
    out += imap_string(value);
    before = ' ';
  }
  out += ')';
}

// body-fld-dsp SP body-fld-lang SP body-fld-loc
void disposition_language_location(const MimePart& part, std::string& out) {
  if (const auto field = header_field(part.header, "Content-Disposition"); field) {
    const auto disposition = parse_parameterised(*field);
    out += " (" + imap_string(disposition.value) + ' ';
    parameters(disposition.parameters, out);
    out += ')';
  } else {
    out += " NIL";
  }
  out += ' ';
  nstring(header_field(part.header, "Content-Language"), out);
  out += ' ';
  nstring(header_field(part.header, "Content-Location"), out);
}

/// Reads one mailbox-list from left to right (RFC 5322 section 3.4), tolerant of what mail really carries.
class AddressReader {
 public:
  explicit AddressReader(std::string_view text) : rest_(text) {}

  void read_all(std::string& out) {
    while (!rest_.empty()) read_one(out);
    if (in_group_) out += "(NIL NIL NIL NIL)";
  }

 private:
  // Collects words until "," ";" ":" "<" or the end; quotes and comments are undone.
  char collect() {
    phrase_.clear();
    comment_.clear();
    bool gap = false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') {
        add(gap, quoted('"'));
      } else if (c == '(') {
        comment_ = quoted(')');
      } else if (c == ',' || c == ';' || c == '<' || c == ':') {
        return c;
      } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        gap = !phrase_.empty();
        continue;
      } else {
        add(gap, std::string_view(&c, 1));
      }
      gap = false;
    }
    return '\0';
  }
  void add(bool gap, std::string_view text) {
    if (gap) phrase_ += ' ';
    phrase_ += text;
  }
  std::string quoted(char end) {
    std::string text;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == end) break;
      if (c == '\\' && !rest_.empty()) {
        c = rest_.front();
        rest_.remove_prefix(1);
      }
      if (c != '\r' && c != '\n') text += c;
    }
    return text;
  }
  void read_one(std::string& out) {
    const char stop = collect();
    if (stop == ':') {  // group: display-name ":" [group-list] ";"
      in_group_ = true;
      out += "(NIL NIL " + imap_string(phrase_) + " NIL)";
      return;
    }
    if (stop == '<') {
      const auto end = rest_.find('>');
      auto address = rest_.substr(0, end);
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
      std::string_view route;
      if (const auto colon = address.rfind(':'); address.starts_with('@') && colon != std::string_view::npos) {
        route = address.substr(0, colon);
        address.remove_prefix(colon + 1);
      }
      emit(phrase_, route, address, out);
      if (collect() == ';') end_group(out);
      return;
    }
    if (!phrase_.empty()) emit(comment_, "", phrase_, out);
    if (stop == ';') end_group(out);
  }
  void emit(std::string_view name, std::string_view route, std::string_view address, std::string& out) {
    const auto at = address.rfind('@');
    out += '(';
    string_or_nil(name, out);
    out += ' ';
    string_or_nil(route, out);
    out += ' ';
    out += imap_string(address.substr(0, at));
    out += ' ';
    // Without a domain NIL would mean a group; an empty string says the host is missing.
    out += at == std::string_view::npos ? "\"\"" : imap_string(address.substr(at + 1));
    out += ')';
  }
  void end_group(std::string& out) {
    if (in_group_) out += "(NIL NIL NIL NIL)";
    in_group_ = false;
  }

  std::string_view rest_;
  std::string phrase_;
  std::string comment_;
  bool in_group_ = false;
};

}  // namespace

void format_addresses(std::string_view field, std::string& out) {
  std::string list;
  AddressReader(field).read_all(list);
  out += list.empty() ? "NIL" : '(' + list + ')';
}

void format_envelope(std::string_view header, std::string& out) {
  const auto from = header_field(header, "From");
  const auto addresses = [&](const std::optional<std::string>& field) {
    out += ' ';
    format_addresses(field.value_or(""), out);
  };
  out += '(';
  nstring(header_field(header, "Date"), out);
  out += ' ';
  nstring(header_field(header, "Subject"), out);
  addresses(from);
  // Sender and Reply-To default to From (RFC 3501 section 7.4.2).
  for (const auto* name : {"Sender", "Reply-To"}) {
    auto field = header_field(header, name);
    addresses(field && !field->empty() ? field : from);
  }
  for (const auto* name : {"To", "Cc", "Bcc"}) addresses(header_field(header, name));
  out += ' ';
  nstring(header_field(header, "In-Reply-To"), out);
  out += ' ';
  nstring(header_field(header, "Message-ID"), out);
  out += ')';
}

void format_body_structure(const MimePart& part, bool extended, std::string& out) {
  out += '(';
  if (part.is_multipart()) {
    for (const auto& child : part.parts) format_body_structure(child, extended, out);
    out += ' ' + imap_string(part.subtype);
    if (extended) {
      out += ' ';
      parameters(part.parameters, out);
      disposition_language_location(part, out);
    }
    out += ')';
    return;
  }
  // body-fields = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP body-fld-octets
  out += imap_string(part.type) + ' ' + imap_string(part.subtype) + ' ';
  parameters(part.parameters, out);
  out += ' ';
  nstring(header_field(part.header, "Content-ID"), out);
  out += ' ';
  nstring(header_field(part.header, "Content-Description"), out);
  out += ' ' + imap_string(upper(header_field(part.header, "Content-Transfer-Encoding").value_or("7BIT")));
  fmt::format_to(std::back_inserter(out), " {}", part.body.size());
  if (part.is_message()) {
    out += ' ';
    format_envelope(part.parts.front().header, out);
    out += ' ';
    format_body_structure(part.parts.front(), extended, out);
  }
  if (part.is_message() || part.type == "TEXT") fmt::format_to(std::back_inserter(out), " {}", part.lines());
  if (extended) {
    out += ' ';
    nstring(header_field(part.header, "Content-MD5"), out);
    disposition_language_location(part, out);
  }
  out += ')';
}

}  // namespace mailproof::server
