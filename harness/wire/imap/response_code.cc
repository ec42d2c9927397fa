#include "wire/imap/response_code.h"

#include "core/bytes.h"
#include "wire/imap/chars.h"

namespace mailproof::imap {

void ResponseCode::clear() {
  name = {};
  arguments = {};
  number = 0;
  uidvalidity = 0;
  source.clear();
  destination.clear();
  modseq.reset();
  flags.clear();
  words.clear();
}

namespace {

/// The arguments are read by a cursor of their own: a code that is wrong does not make its response unreadable.
bool read_arguments(Cursor& c, ResponseCode& code) {
  // resp-code-apnd = "APPENDUID" SP nz-number SP append-uid
  if (code.is("APPENDUID")) {
    code.uidvalidity = c.nz_number();
    c.sp();
    code.destination = c.sequence_set();
    return c.end();
  }
  // resp-code-copy = "COPYUID" SP nz-number SP uid-set SP uid-set
  if (code.is("COPYUID")) {
    code.uidvalidity = c.nz_number();
    c.sp();
    code.source = c.sequence_set();
    c.sp();
    code.destination = c.sequence_set();
    return c.end();
  }
  if (code.is("UIDNEXT") || code.is("UIDVALIDITY") || code.is("UNSEEN")) {
    code.number = c.nz_number();
    return c.end();
  }
  if (code.is("HIGHESTMODSEQ")) {
    code.modseq = c.number64();
    return c.end();
  }
  // resp-text-code =/ "MODIFIED" SP sequence-set (RFC 7162)
  if (code.is("MODIFIED")) {
    code.source = c.sequence_set();
    return c.end();
  }
  if (code.is("PERMANENTFLAGS")) {
    c.flag_list(code.flags);
    return c.end();
  }
  if (code.is("CAPABILITY")) {
    while (c.ok() && !c.at_end()) {
      code.words.push_back(c.atom());
      if (!c.at_end()) c.sp();
    }
    return c.ok();
  }
  return true;
}

/// Codes in whose arguments strings stand, and in those a "]": BADCHARSET, INPROGRESS (RFC 9585), NEWNAME (RFC 2060).
bool holds_strings(std::string_view name) {
  return iequals(name, "BADCHARSET") || iequals(name, "INPROGRESS") || iequals(name, "NEWNAME");
}

// resp-text-code = ... / atom [SP 1*<any TEXT-CHAR except "]">]
/// Where the "]" of the code stands that `text` begins with; npos where its "[" begins plain text, as TEXT-CHAR lets
/// it.
std::size_t end_of_code(std::string_view text) {
  std::size_t at = 1;
  while (at < text.size() && is(atom_char, text[at])) ++at;
  const std::string_view name = text.substr(1, at - 1);
  if (name.empty() || at >= text.size() || (text[at] != ' ' && text[at] != ']')) return std::string_view::npos;
  const std::size_t first = text.find(']', at);
  if (holds_strings(name)) {
    bool quoted = false;
    for (; at < text.size(); ++at) {
      if (!quoted && text[at] == ']') return at;
      if (text[at] == '"') quoted = !quoted;
      if (quoted && text[at] == '\\') ++at;
    }
  }
  // A URL may name its host by an address in brackets; what follows the code's own is a space (RFC 2221 section 4).
  if (iequals(name, "REFERRAL"))
    for (at = first; at < text.size(); at = text.find(']', at + 1))
      if (at + 1 == text.size() || text[at + 1] == ' ') return at;
  return first;
}

}  // namespace

bool read_response_code(Cursor& c, ResponseCode& into) {
  const std::size_t end = end_of_code(c.rest());
  if (c.peek() != '[' || end == std::string_view::npos) return false;
  const std::size_t stop = c.column() + end;
  c.take_char();
  into.name = c.atom();
  if (c.accept(' ')) {
    const std::size_t begin = c.column();
    while (c.column() < stop) c.take_char();
    into.arguments = c.since(begin);
  }
  c.take_char();
  Cursor arguments(into.arguments);
  if (!read_arguments(arguments, into)) {
    c.note(DeviationCode::syntax);
    const std::string_view name = into.name;
    const std::string_view raw = into.arguments;
    into.clear();
    into.name = name;
    into.arguments = raw;
  }
  // mod-sequence-value: 1 and more. Of a mailbox that keeps none NOMODSEQ tells (RFC 7162 section 3.1.2.2).
  if (into.is("HIGHESTMODSEQ") && into.modseq == std::uint64_t{0}) c.note(DeviationCode::number_zero);
  return true;
}

}  // namespace mailproof::imap
