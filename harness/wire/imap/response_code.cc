#include "wire/imap/response_code.h"

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

}  // namespace

bool read_response_code(Cursor& c, ResponseCode& into) {
  if (!c.expect('[')) return false;
  into.name = c.atom();
  if (!c.ok()) return false;
  std::size_t begin = c.column();
  if (c.accept(' ')) {
    begin = c.column();
    // Only the charsets of BADCHARSET are strings, in which "]" may stand.
    if (into.is("BADCHARSET")) {
      c.skip_value();
    } else {
      while (c.peek() != ']' && !c.at_end()) c.take_char();
    }
    into.arguments = c.since(begin);
  }
  if (!c.expect(']')) return false;
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
