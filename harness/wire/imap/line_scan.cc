#include "wire/imap/line_scan.h"

#include <array>
#include <limits>

#include "core/bytes.h"
#include "wire/imap/chars.h"

namespace mailproof::imap {
namespace {

// response-tagged = tag SP resp-cond-state CRLF ; resp-cond-state = ("OK" / "NO" / "BAD") SP resp-text ; BYE and
// PREAUTH likewise
bool is_status(std::string_view word) {
  constexpr std::array<std::string_view, 5> words{"OK", "NO", "BAD", "BYE", "PREAUTH"};
  for (const std::string_view status : words)
    if (is_word(word, status)) return true;
  return false;
}

}  // namespace

void LineScan::begin_response(std::string_view head) {
  reset();
  const std::size_t first = head.find(' ');
  const std::string_view tag = head.substr(0, first);
  if (tag == "+") {
    mode_ = Mode::text;
    return;
  }
  mode_ = Mode::data;
  if (first == std::string_view::npos) return;
  const std::size_t second = head.find(' ', first + 1);
  if (!is_status(head.substr(first + 1, second - first - 1))) return;
  mode_ = Mode::text;
  if (second == std::string_view::npos) return;
  const std::size_t text = second + 1;
  if (text >= head.size() || head[text] != '[') return;
  // Only BADCHARSET carries strings; a brace in any other code is text of a code we do not know.
  mode_ = Mode::code;
  code_literals_ = istarts_with(head.substr(text + 1), "BADCHARSET");
  skip_ = text + 1;
}

void LineScan::begin_command() {
  reset();
  mode_ = Mode::data;
}

bool LineScan::scan_plain_data(std::string_view line) {
  constexpr std::size_t most_digits = 18;  // that fit, whatever they are
  // What begins with a number is no status response, whose text might look like this.
  if (line.size() < 3 || line[0] != '*' || line[1] != ' ' || !is(digit_char, line[2]) || line.back() != '}')
    return false;
  std::size_t begin = line.size() - 1;
  while (is(digit_char, line[begin - 1])) --begin;
  const std::size_t digits = line.size() - 1 - begin;
  if (digits == 0 || digits > most_digits || line[begin - 1] != '{' || line.find('"') != std::string_view::npos)
    return false;
  reset();
  mode_ = Mode::data;
  brace_ = Brace::closed;
  marker_ = digits + 2;
  scanned_ = line.size();
  for (const char c : line.substr(begin, digits)) size_ = size_ * 10 + static_cast<std::uint64_t>(c - '0');
  return true;
}

void LineScan::scan(std::string_view bytes) {
  std::size_t i = 0;
  if (scanned_ < skip_) i = std::min(bytes.size(), skip_ - scanned_);
  scanned_ += bytes.size();
  for (; i < bytes.size() && mode_ != Mode::text; ++i) {
    const char c = bytes[i];
    // Most octets change nothing.
    if (c != '"' && c != '{' && c != ']' && brace_ == Brace::none && !quoted_) continue;
    if (quoting(c)) continue;
    if (mode_ == Mode::code && c == ']') {
      mode_ = Mode::text;
      brace_ = Brace::none;
      return;
    }
    if (mode_ == Mode::data || code_literals_) brace(c);
  }
}

bool LineScan::quoting(char c) {
  if (!quoted_) {
    if (c != '"') return false;
    quoted_ = true;
    brace_ = Brace::none;
    return true;
  }
  if (escape_)
    escape_ = false;
  else if (c == '\\')
    escape_ = true;
  else if (c == '"')
    quoted_ = false;
  return true;
}

// literal = "{" number64 ["+"] "}" CRLF *CHAR8
void LineScan::brace(char c) {
  if (c == '{') {
    brace_ = Brace::open;
    synchronising_ = true;
    size_ = 0;
    marker_ = 1;
    return;
  }
  if (brace_ == Brace::none) return;
  ++marker_;
  const bool digit = is(digit_char, c);
  switch (brace_) {
    case Brace::open:
    case Brace::digits:
      if (digit) {
        const auto value = static_cast<std::uint64_t>(c - '0');
        constexpr auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        const bool overflow = size_ > (limit - value) / 10;
        brace_ = overflow ? Brace::fatal : Brace::digits;
        if (!overflow) size_ = size_ * 10 + value;
      } else if (brace_ == Brace::digits) {
        brace_ = c == '}' ? Brace::closed : c == '+' ? Brace::plus : Brace::fatal;
      } else {
        brace_ = Brace::none;  // "{}", "{a1}": no size, so the end of data that we do not know
      }
      break;
    case Brace::plus:
      synchronising_ = false;
      brace_ = c == '}' ? Brace::closed : digit ? Brace::fatal : Brace::wrong;
      break;
    case Brace::wrong:
      if (digit) brace_ = Brace::fatal;
      break;
    case Brace::fatal:
      if (c == '}') brace_ = Brace::fatal_closed;
      break;
    case Brace::none:
    case Brace::closed:
    case Brace::fatal_closed:
      brace_ = Brace::none;
      break;
  }
}

LineScan::Announcement LineScan::announcement() const {
  Announcement result;
  if (mode_ == Mode::text || quoted_) return result;
  if (brace_ == Brace::fatal_closed) result.verdict = Verdict::malformed;
  if (brace_ != Brace::closed) return result;
  result.verdict = Verdict::literal;
  result.size = size_;
  result.marker = marker_;
  result.synchronising = synchronising_;
  return result;
}

}  // namespace mailproof::imap
