// What ENVELOPE, BODY and BODYSTRUCTURE may look like, word for word (RFC 9051 section 9, RFC 3501 section 9). Nothing
// is kept of what is read, and nothing allocated.
#include <algorithm>

#include "core/bytes.h"
#include "wire/imap/cursor.h"
#include "wire/imap/structure.h"

namespace mailproof::imap {
namespace {

/// Reads on from where the cursor stands; where it returns false, the cursor has failed.
class Structure {
 public:
  explicit Structure(Cursor& c) : c_(c) {}

  /// SP, and one only.
  bool space(const char* before) {
    if (!c_.accept(' ') || c_.peek() == ' ') return c_.fail(before);
    return true;
  }

  bool string_of(const char* rule) {
    const char next = c_.peek();
    if (next != '"' && next != '{' && next != '~') return c_.fail(rule);
    c_.string();
    return c_.ok();
  }

  /// nstring. NIL and NILPOTENT are two words.
  bool nstring_of(const char* rule) { return c_.accept_word("NIL") || string_of(rule); }

  bool number_of(const char* rule) {
    c_.number64(rule);
    return c_.ok();
  }

  bool open(const char* rule) { return c_.peek() == '(' ? c_.open_list() : c_.fail(rule); }

  bool close(const char* rule) { return c_.close_list() || c_.fail(rule); }

  // address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
  bool address() {
    constexpr const char* rule = "the four strings of an address, or NIL in place of one";
    if (!open(rule)) return false;
    for (int field = 0; field < 4; ++field)
      if ((field > 0 && !space(rule)) || !nstring_of(rule)) return false;
    return close(rule);
  }

  // env-from = "(" 1*address ")" / nil
  bool addresses() {
    constexpr const char* rule = "NIL or a list of at least one address";
    if (c_.accept_word("NIL")) return true;
    if (!open(rule)) return false;
    do {
      if (c_.peek() != '(') return c_.fail(rule);
      if (!address()) return false;
    } while (c_.peek() == '(');
    return close(rule);
  }

  // envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP env-bcc SP
  //            env-in-reply-to SP env-message-id ")"
  bool envelope() {
    constexpr const char* ten = "the ten fields of an envelope";
    if (!open(ten)) return false;
    for (int field = 0; field < 10; ++field) {
      if (field > 0 && !space(ten)) return false;
      const bool list = field >= 2 && field <= 7;
      if (!(list ? addresses() : nstring_of("a string or NIL, for the date, the subject or a message-id")))
        return false;
    }
    return close("the end of the envelope behind its ten fields");
  }

  // body-fld-param = "(" string SP string *(SP string SP string) ")" / nil
  bool parameters() {
    constexpr const char* rule = "parameters as pairs of strings, or NIL where there are none";
    if (c_.accept_word("NIL")) return true;
    if (!open(rule)) return false;
    do {
      if (!string_of(rule) || !space(rule) || !string_of(rule)) return false;
    } while (c_.accept(' '));
    return close(rule);
  }

  // body-fld-dsp = "(" string SP body-fld-param ")" / nil
  bool disposition() {
    constexpr const char* rule = "a disposition with its parameters in a list, or NIL";
    if (c_.accept_word("NIL")) return true;
    return open(rule) && string_of(rule) && space(rule) && parameters() && close(rule);
  }

  // body-fld-lang = nstring / "(" string *(SP string) ")"
  bool languages() {
    constexpr const char* rule = "a language, a list of languages, or NIL";
    if (c_.peek() != '(') return nstring_of(rule);
    c_.open_list();
    do {
      if (!string_of(rule)) return false;
    } while (c_.accept(' '));
    return close(rule);
  }

  // body-extension = nstring / number / number64 / "(" body-extension *(SP body-extension) ")"
  bool extension() {
    constexpr const char* rule = "a string, a number, or a list of these";
    if (c_.peek() >= '0' && c_.peek() <= '9') return number_of(rule);
    if (c_.peek() != '(') return nstring_of(rule);
    if (!c_.open_list()) return false;
    do {
      if (!extension()) return false;
    } while (c_.accept(' '));
    return close(rule);
  }

  /// [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc *(SP body-extension)]]], behind what comes first.
  bool extensions() {
    for (int field = 0; c_.accept(' '); ++field) {
      const bool read = field == 0   ? disposition()
                        : field == 1 ? languages()
                        : field == 2 ? nstring_of("a location, or NIL")
                                     : extension();
      if (!read) return false;
    }
    return c_.ok();
  }

  // body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
  bool multipart() {
    do {
      if (!body()) return false;
    } while (c_.peek() == '(');
    constexpr const char* rule = "a space and the subtype of the multipart behind its parts";
    if (!space(rule) || !string_of(rule)) return false;
    return !c_.accept(' ') || (parameters() && extensions());
  }

  // body-fields = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP body-fld-octets
  bool fields() {
    constexpr const char* next = "the next field of the part";
    return space(next) && parameters() && space(next) && nstring_of("a Content-ID, or NIL") && space(next) &&
           nstring_of("a description, or NIL") && space(next) &&
           string_of("the transfer encoding as a string: it is never NIL") && space(next) &&
           number_of("the number of octets of the part");
  }

  // body-type-1part = (body-type-basic / body-type-msg / body-type-text) [SP body-ext-1part]
  bool single_part() {
    constexpr const char* names = "the type and the subtype of the part, as two strings";
    if (c_.peek() != '"' && c_.peek() != '{') return c_.fail(names);
    const Text type = c_.string();
    if (!space(names) || (c_.peek() != '"' && c_.peek() != '{')) return c_.fail(names);
    const Text subtype = c_.string();
    if (!fields()) return false;
    const bool message = iequals(type.raw(), "MESSAGE");
    if (iequals(type.raw(), "TEXT")) {
      constexpr const char* rule = "the number of lines of a text part";
      if (!space(rule) || !number_of(rule)) return false;
    } else if (message && c_.rest().starts_with(" (") &&
               (iequals(subtype.raw(), "RFC822") || iequals(subtype.raw(), "GLOBAL"))) {
      // media-basic has "MESSAGE" as well: what the server does not look into may be told like any part.
      constexpr const char* rule = "envelope, structure and number of lines of the message in a message/rfc822 part";
      if (!space(rule) || !envelope() || !space(rule) || !body() || !space(rule) || !number_of(rule)) return false;
    }
    return !c_.accept(' ') || (nstring_of("an MD5, or NIL") && extensions());
  }

  // body = "(" (body-type-1part / body-type-mpart) ")"
  bool body() {
    constexpr const char* rule = "a part in parentheses";
    if (!open(rule)) return false;
    if (!(c_.peek() == '(' ? multipart() : single_part())) return false;
    return close("the end of the part");
  }

 private:
  Cursor& c_;
};

/// What is nested deeper than a reader goes is no fault of the writer's.
void note_structure(const Cursor& c, DeviationCode code, const LogicalLine& line, Deviations& into) {
  if (c.ok() || c.too_deep()) return;
  const std::size_t at = std::min(c.column(), line.text.size());
  into.note(code, line.stream_offset + at, at, line.text.substr(at), c.problem());
}

}  // namespace

void check_envelope(const LogicalLine& line, std::string_view span, Deviations& into) {
  Cursor c(line, span);
  if (Structure(c).envelope()) c.end();
  note_structure(c, DeviationCode::envelope, line, into);
}

void check_body(const LogicalLine& line, std::string_view span, Deviations& into) {
  Cursor c(line, span);
  if (Structure(c).body()) c.end();
  note_structure(c, DeviationCode::bodystructure, line, into);
}

}  // namespace mailproof::imap
