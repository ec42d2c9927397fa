#include "wire/imap/fetch_data.h"

#include <algorithm>
#include <charconv>

#include "core/bytes.h"
#include "wire/imap/chars.h"

namespace mailproof::imap {

void FetchData::clear() {
  uid = 0;
  has_flags = false;
  flags.clear();
  size.reset();
  modseq.reset();
  internaldate = {};
  envelope = {};
  bodystructure = {};
  sections.clear();
}

namespace {

// section = "[" [section-spec] "]", in which header-list may hold strings
std::string_view section(Cursor& c) {
  c.expect('[');
  const std::size_t begin = c.column();
  while (c.ok() && c.peek() != ']') {
    if (c.at_end()) {
      c.fail("\"]\"");
      return {};
    }
    if (c.peek() == '"' || c.peek() == '{')
      c.string();
    else
      c.take_char();
  }
  const std::string_view text = c.since(begin);
  c.expect(']');
  return text;
}

// ["<" number ">"]
std::optional<std::uint32_t> origin(Cursor& c) {
  if (!c.accept('<')) return std::nullopt;
  const std::uint32_t value = c.number();
  c.expect('>');
  return value;
}

void read_section(Cursor& c, FetchData& into, std::string_view item) {
  FetchSection part;
  part.item = item;
  if (c.peek() == '[') part.section = section(c);
  part.origin = origin(c);
  c.sp();
  part.content = c.nstring();
  if (c.ok()) into.sections.push_back(part);
}

// msg-att-dynamic / msg-att-static
void read_item(Cursor& c, FetchData& into) {
  const std::string_view item = c.word();
  if (is_word(item, "FLAGS")) {
    c.sp();
    c.flag_list(into.flags);
    into.has_flags = c.ok();
  } else if (is_word(item, "UID")) {
    c.sp();
    into.uid = c.nz_number();
  } else if (is_word(item, "RFC822.SIZE")) {
    c.sp();
    into.size = c.number64();
  } else if (is_word(item, "MODSEQ")) {
    // fetch-mod-resp = "MODSEQ" SP "(" permsg-modsequence ")"
    c.sp();
    c.expect('(');
    into.modseq = c.number64();
    c.expect(')');
  } else if (is_word(item, "INTERNALDATE")) {
    c.sp();
    into.internaldate = c.quoted();
  } else if (is_word(item, "ENVELOPE")) {
    c.sp();
    into.envelope = c.skip_value();
  } else if (is_word(item, "BODYSTRUCTURE") || (is_word(item, "BODY") && c.peek() != '[')) {
    c.sp();
    into.bodystructure = c.skip_value();
  } else if (is_word(item, "BODY") || is_word(item, "BINARY") || is_word(item, "RFC822") ||
             is_word(item, "RFC822.HEADER") || is_word(item, "RFC822.TEXT")) {
    read_section(c, into, item);
  } else {
    if (c.peek() == '[') section(c);
    origin(c);
    c.sp();
    c.skip_value();
  }
}

}  // namespace

// msg-att = "(" (msg-att-dynamic / msg-att-static) *(SP (msg-att-dynamic / msg-att-static)) ")"
void read_fetch_data(Cursor& c, FetchData& into) {
  if (!c.open_list()) return;
  if (c.peek() == ')') c.note(DeviationCode::syntax);
  while (c.next_item()) read_item(c, into);
}

std::optional<ContentLiteral> content_literal(std::string_view line_so_far) {
  constexpr std::string_view fetch = " FETCH (";
  ContentLiteral found;
  const char* const end = line_so_far.data() + line_so_far.size();
  const char* at = line_so_far.data();
  if (line_so_far.starts_with("* ")) at = std::from_chars(at + 2, end, found.message).ptr;
  // As nearly all of them begin; what is written otherwise is read as the grammar has it.
  if (found.message == 0 || !std::string_view(at, static_cast<std::size_t>(end - at)).starts_with(fetch)) {
    Cursor c(line_so_far);
    if (!c.accept('*') || !c.sp()) return std::nullopt;
    found.message = c.nz_number();
    if (!c.sp() || !c.accept_word("FETCH")) return std::nullopt;
  }
  // From the end backwards: "{n}", "~", space, "<origin>", "]section[", item.
  std::string_view left = line_so_far.substr(0, line_so_far.rfind('{'));
  if (left.ends_with('~')) left.remove_suffix(1);
  while (left.ends_with(' ')) left.remove_suffix(1);
  if (left.ends_with('>')) {
    const std::size_t open = left.rfind('<');
    if (open == std::string_view::npos) return std::nullopt;
    Cursor partial(left.substr(open));
    found.origin = origin(partial);
    left = left.substr(0, open);
  }
  const bool bracket = left.ends_with(']');
  if (bracket) {
    const std::size_t open = left.rfind('[');
    if (open == std::string_view::npos) return std::nullopt;
    found.section = left.substr(open + 1, left.size() - open - 2);
    left = left.substr(0, open);
  }
  std::size_t begin = left.size();
  while (begin > 0 && is(word_char, left[begin - 1])) --begin;
  found.item = left.substr(begin);
  if (bracket)
    return is_word(found.item, "BODY") || is_word(found.item, "BINARY") ? std::optional(found) : std::nullopt;
  const bool old =
      is_word(found.item, "RFC822") || is_word(found.item, "RFC822.HEADER") || is_word(found.item, "RFC822.TEXT");
  return old ? std::optional(found) : std::nullopt;
}

}  // namespace mailproof::imap
