#include "wire/imap/cursor.h"

#include <fmt/format.h>

#include <limits>

#include "core/bytes.h"
#include "wire/imap/chars.h"

namespace mailproof::imap {

std::string Text::text() const {
  std::string out;
  append_to(out);
  return out;
}

void Text::append_to(std::string& out) const {
  if (!escaped_) {
    out += raw_;
    return;
  }
  for (std::size_t i = 0; i < raw_.size(); ++i) {
    if (raw_[i] == '\\' && i + 1 < raw_.size()) ++i;
    out += raw_[i];
  }
}

bool Text::equals(std::string_view value) const { return escaped_ ? text() == value : raw_ == value; }

bool Cursor::fail(const char* expected) {
  if (problem_ == nullptr) {
    problem_ = expected;
    if (deviations_ != nullptr)
      deviations_->note(DeviationCode::syntax, stream_offset_ + at_, at_, text_.substr(std::min(at_, text_.size())),
                        expected);
  }
  return false;
}

Error Cursor::error() const {
  const std::string near = printable(text_.substr(std::min(at_, text_.size())), 40);
  return {fmt::format("column {}", at_),
          fmt::format("expected {}, found {}{}{}", problem_ == nullptr ? "nothing wrong" : problem_,
                      near.empty() ? "" : "\"", near.empty() ? "the end of the line" : near, near.empty() ? "" : "\"")};
}

void Cursor::note_at(DeviationCode code, std::size_t column) {
  if (deviations_ != nullptr)
    deviations_->note(code, stream_offset_ + column, column, text_.substr(std::min(column, text_.size())));
}

bool Cursor::expect(char c) {
  if (accept(c)) return true;
  switch (c) {
    case '(':
      return fail("\"(\"");
    case ')':
      return fail("\")\"");
    case '[':
      return fail("\"[\"");
    case ']':
      return fail("\"]\"");
    case '<':
      return fail("\"<\"");
    case '>':
      return fail("\">\"");
    default:
      return fail("another character");
  }
}

bool Cursor::accept_word(std::string_view word) {
  if (!ok() || at_ >= text_.size() || !is_word(text_.substr(at_, word.size()), word)) return false;
  const std::size_t after = at_ + word.size();
  if (after < text_.size() && is(word_char, text_[after])) return false;
  at_ = after;
  return true;
}

void Cursor::more_spaces() {
  note(DeviationCode::space_extra);
  while (accept(' ')) {
  }
}

bool Cursor::end() {
  if (!ok()) return false;
  if (peek() == ' ') more_spaces();
  return at_end() || fail("the end of the line");
}

template <class Class>
std::string_view Cursor::take(Class&& is_in, const char* expected) {
  if (!ok()) return {};
  const std::size_t begin = at_;
  unsigned char seen = 0;
  while (at_ < text_.size() && is_in(text_[at_])) {
    seen = static_cast<unsigned char>(seen | static_cast<unsigned char>(text_[at_]));
    ++at_;
  }
  if (at_ == begin) {
    fail(expected);
    return {};
  }
  if (seen > 127) note_at(DeviationCode::atom_8bit, begin);
  return text_.substr(begin, at_ - begin);
}

std::string_view Cursor::atom() {
  return take([](char c) { return is(atom_char, c); }, "an atom");
}

std::string_view Cursor::tag() {
  return take([](char c) { return is(astring_char, c) && c != '+'; }, "a tag");
}

std::string_view Cursor::word() {
  return take([](char c) { return is(word_char, c); }, "a name");
}

// flag = "\" atom / atom ; flag-perm = flag / "\*"
std::string_view Cursor::flag() {
  if (!ok()) return {};
  const std::size_t begin = at_;
  if (accept('\\') && accept('*')) return since(begin);
  if (atom().empty()) return {};
  return since(begin);
}

std::uint64_t Cursor::digits(std::uint64_t limit, const char* expected) {
  if (!ok()) return 0;
  const std::size_t begin = at_;
  std::uint64_t value = 0;
  while (at_ < text_.size() && is(digit_char, text_[at_])) {
    const auto digit = static_cast<std::uint64_t>(text_[at_] - '0');
    if (value > (limit - digit) / 10) {
      note_at(DeviationCode::number_overflow, begin);
      fail("a number within its range");
      return 0;
    }
    value = value * 10 + digit;
    ++at_;
  }
  if (at_ == begin) fail(expected);
  return value;
}

std::uint32_t Cursor::number() {
  return static_cast<std::uint32_t>(digits(std::numeric_limits<std::uint32_t>::max(), "a number"));
}

std::uint32_t Cursor::nz_number() {
  const std::size_t begin = at_;
  const std::uint32_t value = number();
  if (ok() && value == 0) {
    note_at(DeviationCode::number_zero, begin);
    fail("a number greater than 0");
  }
  return value;
}

std::uint64_t Cursor::number64(const char* expected) {
  return digits(static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()), expected);
}

const Literal* Cursor::literal_here() {
  while (next_literal_ < literals_.size() && literals_[next_literal_].at < at_) ++next_literal_;
  if (next_literal_ >= literals_.size() || literals_[next_literal_].at != at_) return nullptr;
  return &literals_[next_literal_];
}

// quoted = DQUOTE *QUOTED-CHAR DQUOTE
Text Cursor::quoted() {
  if (!accept('"')) {
    fail("a quoted string");
    return {};
  }
  const std::size_t begin = at_;
  bool escaped = false;
  while (at_ < text_.size() && text_[at_] != '"') {
    if (text_[at_] == '\\') {
      escaped = true;
      ++at_;
    }
    ++at_;
  }
  at_ = std::min(at_, text_.size());
  if (at_ == text_.size()) {
    note_at(DeviationCode::string_unterminated, begin);
    fail("a closing quote");
    return {};
  }
  const std::string_view raw = since(begin);
  ++at_;
  return {Text::Form::quoted, raw, escaped};
}

// string = quoted / literal ; literal8 = "~" literal (RFC 9051, RFC 3516)
Text Cursor::string() {
  if (!ok()) return {};
  if (peek() == '"') return quoted();
  if (peek() == '~') ++at_;
  if (const Literal* literal = literal_here()) {
    at_ += literal->marker;
    ++next_literal_;
    return Text(*literal);
  }
  fail("a string");
  return {};
}

Text Cursor::nstring() {
  if (accept_word("NIL")) return {};
  return string();
}

Text Cursor::astring() {
  if (const char c = peek(); c == '"' || c == '{' || (c == '~' && at_ + 1 < text_.size() && text_[at_ + 1] == '{'))
    return string();
  return {Text::Form::atom, take([](char c) { return is(astring_char, c); }, "an atom or a string"), false};
}

// list-mailbox = 1*list-char / string
Text Cursor::list_mailbox() {
  if (const char c = peek(); c == '"' || c == '{') return string();
  return {Text::Form::atom, take([](char c) { return is(list_char, c); }, "a mailbox pattern"), false};
}

std::string_view Cursor::text() {
  const std::string_view all = rest();
  at_ += all.size();
  return all;
}

void Cursor::flag_list(FlagList& into) {
  into.clear();
  if (!open_list()) return;
  constexpr int few = 64;  // of a message of this world; more than that are sorted at once
  int count = 0;
  std::vector<std::string_view> many;
  while (next_item()) {
    if (++count <= few)
      into.add(flag());
    else
      many.push_back(flag());
  }
  if (!many.empty()) into.add_many(many);
}

std::string_view Cursor::sequence_set_text() {
  return take([](char c) { return is(set_char, c); }, "a sequence set");
}

SequenceSet Cursor::sequence_set(std::size_t max_ranges) {
  const std::size_t begin = at_;
  const std::string_view written = sequence_set_text();
  if (!ok()) return {};
  auto set = SequenceSet::parse(written, max_ranges);
  if (set) return std::move(*set);
  at_ = begin;
  fail("a sequence set");
  return {};
}

bool Cursor::open_list() {
  if (!expect('(')) return false;
  if (depth_ >= max_depth) {
    too_deep_ = true;
    note(DeviationCode::list_too_deep);
    return fail("a list nested at most 64 deep");
  }
  ++depth_;
  first_item_ = true;
  return true;
}

bool Cursor::close_list() {
  if (!accept(')')) return false;
  --depth_;
  return true;
}

bool Cursor::next_item() {
  if (!ok()) return false;
  const bool first = first_item_;
  first_item_ = false;
  if (accept(')')) {
    --depth_;
    return false;
  }
  if (at_end()) {
    note(DeviationCode::list_unbalanced);
    return fail("\")\"");
  }
  if (first) {
    if (peek() == ' ') more_spaces();
  } else if (peek() == ' ') {
    sp();
  } else if (peek() == '(') {
    // Lists in a row need no SP: body-type-mpart = 1*body, addresses in ENVELOPE.
  } else {
    note(DeviationCode::space_missing);
  }
  if (peek() == ')') {
    note(DeviationCode::space_extra);
    return next_item();
  }
  return true;
}

std::string_view Cursor::skip_value() {
  if (!ok()) return {};
  const std::size_t begin = at_;
  unsigned open = 0;
  do {
    switch (peek()) {
      case '(':
        if (depth_ + open >= max_depth) {
          too_deep_ = true;
          note(DeviationCode::list_too_deep);
          fail("a list nested at most 64 deep");
          return {};
        }
        ++open;
        ++at_;
        break;
      case ')':
        if (open == 0) {
          fail("a value");
          return {};
        }
        --open;
        ++at_;
        break;
      case ' ':
        if (open == 0) {
          fail("a value");
          return {};
        }
        ++at_;
        break;
      case '"':
      case '{':
        string();
        break;
      case '\\':
        flag();
        break;
      default:
        if (at_end()) {
          if (open > 0) note(DeviationCode::list_unbalanced);
          fail(open > 0 ? "\")\"" : "a value");
          return {};
        }
        if (peek() == '~' && at_ + 1 < text_.size() && text_[at_ + 1] == '{')
          string();
        else
          take([](char c) { return is(list_char, c); }, "a value");
    }
  } while (ok() && open > 0);
  return ok() ? since(begin) : std::string_view();
}

}  // namespace mailproof::imap
