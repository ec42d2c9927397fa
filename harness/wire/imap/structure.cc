#include "wire/imap/structure.h"

#include "core/bytes.h"
#include "wire/imap/cursor.h"

namespace mailproof::imap {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

std::optional<std::string> nstring(Cursor& c) {
  const Text text = c.nstring();
  return text.is_nil() ? std::nullopt : std::optional(text.text());
}

// address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
mime::Address address(Cursor& c) {
  mime::Address one;
  if (!c.open_list()) return one;
  for (unsigned field = 0; c.next_item(); ++field) switch (field) {
      case 0:
        one.name = nstring(c);
        break;
      case 1:
        one.route = nstring(c);
        break;
      case 2:
        one.mailbox = nstring(c);
        break;
      case 3:
        one.host = nstring(c);
        break;
      default:
        c.fail("\")\"");
    }
  return one;
}

// env-from = "(" 1*address ")" / nil
std::vector<mime::Address> addresses(Cursor& c) {
  std::vector<mime::Address> all;
  if (c.accept_word("NIL") || !c.open_list()) return all;
  while (c.next_item()) all.push_back(address(c));
  return all;
}

// envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP env-bcc SP
//            env-in-reply-to SP env-message-id ")"
mime::Envelope envelope(Cursor& c) {
  mime::Envelope e;
  if (!c.open_list()) return e;
  unsigned field = 0;
  for (; c.next_item(); ++field) switch (field) {
      case 0:
        e.date = nstring(c);
        break;
      case 1:
        e.subject = nstring(c);
        break;
      case 2:
        e.from = addresses(c);
        break;
      case 3:
        e.sender = addresses(c);
        break;
      case 4:
        e.reply_to = addresses(c);
        break;
      case 5:
        e.to = addresses(c);
        break;
      case 6:
        e.cc = addresses(c);
        break;
      case 7:
        e.bcc = addresses(c);
        break;
      case 8:
        e.in_reply_to = nstring(c);
        break;
      case 9:
        e.message_id = nstring(c);
        break;
      default:
        c.fail("\")\"");
    }
  if (c.ok() && field < 10) c.fail("the ten fields of an envelope");
  return e;
}

// body-fld-param = "(" string SP string *(SP string SP string) ")" / nil
Parameters parameters(Cursor& c) {
  Parameters all;
  if (c.accept_word("NIL") || !c.open_list()) return all;
  while (c.next_item()) {
    std::string name = lower(c.string().text());
    c.sp();
    all.emplace_back(std::move(name), c.string().text());
  }
  return all;
}

// body-fld-dsp = "(" string SP body-fld-param ")" / nil
void disposition(Cursor& c, BodyStructure& into) {
  if (c.accept_word("NIL") || !c.open_list()) return;
  for (unsigned field = 0; c.next_item(); ++field) switch (field) {
      case 0:
        into.disposition = lower(c.string().text());
        break;
      case 1:
        into.disposition_parameters = parameters(c);
        break;
      default:
        c.fail("\")\"");
    }
}

// body-fld-lang = nstring / "(" string *(SP string) ")"
void languages(Cursor& c, BodyStructure& into) {
  if (c.peek() != '(') {
    if (auto one = nstring(c)) into.languages.push_back(std::move(*one));
    return;
  }
  c.open_list();
  while (c.next_item()) into.languages.push_back(c.string().text());
}

/// [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc *(SP body-extension)]]], `field` counted from the disposition.
void extension(Cursor& c, BodyStructure& into, unsigned field) {
  switch (field) {
    case 0:
      disposition(c, into);
      break;
    case 1:
      languages(c, into);
      break;
    case 2:
      into.location = nstring(c);
      break;
    default:
      c.skip_value();
  }
}

BodyStructure body(Cursor& c);

// body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
void multipart(Cursor& c, BodyStructure& into) {
  into.type = "multipart";
  unsigned field = 0;
  do {
    if (field == 0 && c.peek() == '(') {
      into.parts.push_back(body(c));
      continue;
    }
    switch (field++) {
      case 0:
        into.subtype = lower(c.string().text());
        break;
      case 1:
        into.parameters = parameters(c);
        break;
      default:
        extension(c, into, field - 3);
    }
  } while (c.next_item());
}

// body-type-1part = (body-type-basic / body-type-msg / body-type-text) [SP body-ext-1part]
void single_part(Cursor& c, BodyStructure& into) {
  unsigned field = 0;
  unsigned fields = 7;
  do {
    const bool message = into.type == "message" && (into.subtype == "rfc822" || into.subtype == "global");
    if (field == 2) fields = into.type == "text" ? 8 : message ? 10 : 7;
    if (field >= fields) {
      if (field == fields)
        into.md5 = nstring(c);
      else
        extension(c, into, field - fields - 1);
      continue;
    }
    switch (field) {
      case 0:
        into.type = lower(c.string().text());
        break;
      case 1:
        into.subtype = lower(c.string().text());
        break;
      case 2:
        into.parameters = parameters(c);
        break;
      case 3:
        into.id = nstring(c);
        break;
      case 4:
        into.description = nstring(c);
        break;
      case 5:
        into.encoding = nstring(c).value_or("");
        break;
      case 6:
        into.octets = c.number64();
        break;
      case 7:
        if (message)
          into.envelope = envelope(c);
        else
          into.lines = c.number64();
        break;
      case 8:
        into.parts.push_back(body(c));
        break;
      default:
        into.lines = c.number64();
    }
  } while (++field, c.next_item());
  if (c.ok() && field < fields) c.fail("the fields of a body part");
}

// body = "(" (body-type-1part / body-type-mpart) ")". Recursion ends where open_list() refuses to go deeper.
BodyStructure body(Cursor& c) {
  BodyStructure part;
  if (!c.open_list()) return part;
  if (!c.next_item()) {
    c.fail("a body");
    return part;
  }
  if (c.peek() == '(')
    multipart(c, part);
  else
    single_part(c, part);
  return part;
}

}  // namespace

Result<mime::Envelope> decode_envelope(const LogicalLine& line, std::string_view span) {
  Cursor c(line, span);
  mime::Envelope read = envelope(c);
  if (!c.end()) return c.error();
  return read;
}

Result<BodyStructure> decode_body(const LogicalLine& line, std::string_view span) {
  Cursor c(line, span);
  BodyStructure read = body(c);
  if (!c.end()) return c.error();
  return read;
}

}  // namespace mailproof::imap
