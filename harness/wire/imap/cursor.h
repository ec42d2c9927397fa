#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "wire/imap/deviation.h"
#include "wire/imap/flags.h"
#include "wire/imap/line.h"
#include "wire/imap/sequence_set.h"

namespace mailproof::imap {

/// A string as it stands in the line: nothing is copied until text() is asked for.
class Text {
 public:
  enum class Form : std::uint8_t { nil, atom, quoted, literal };

  Text() = default;
  Text(Form form, std::string_view raw, bool escaped) : raw_(raw), form_(form), escaped_(escaped) {}
  explicit Text(const Literal& literal) : raw_(literal.data), literal_(&literal), form_(Form::literal) {}

  Form form() const { return form_; }
  bool is_nil() const { return form_ == Form::nil; }
  /// Octets. Of a quoted string with escapes: before they are undone.
  std::uint64_t size() const { return literal_ != nullptr ? literal_->size : raw_.size(); }
  /// True when the octets went to a sink; then raw() and text() are empty.
  bool streamed() const { return literal_ != nullptr && !literal_->in_memory; }
  const Literal* literal() const { return literal_; }
  /// Without quotes, escapes still in it. Equal to text() whenever !escaped().
  std::string_view raw() const { return raw_; }
  bool escaped() const { return escaped_; }
  std::string text() const;
  void append_to(std::string& out) const;
  bool equals(std::string_view value) const;

 private:
  std::string_view raw_;
  const Literal* literal_ = nullptr;
  Form form_ = Form::nil;
  bool escaped_ = false;
};

/// Reads one complete logical line from left to right; functions are named after the ABNF rules of RFC 9051 section 9.
/// The first failure sticks: from then on every function returns an empty value and moves nothing, so a caller may read
/// a whole rule and look at ok() once. What is read in spite of a small fault is noted as a deviation when a ring was
/// given. Never allocates but for flag_list() and sequence_set().
class Cursor {
 public:
  static constexpr unsigned max_depth = 64;

  explicit Cursor(const LogicalLine& line, Deviations* deviations = nullptr)
      : text_(line.text), literals_(line.literals), deviations_(deviations), stream_offset_(line.stream_offset) {}
  explicit Cursor(std::string_view text) : text_(text) {}
  /// From where `span`, a part of line.text that was skipped before, begins.
  Cursor(const LogicalLine& line, std::string_view span)
      : text_(line.text.substr(0, static_cast<std::size_t>(span.data() - line.text.data()) + span.size())),
        literals_(line.literals),
        stream_offset_(line.stream_offset),
        at_(static_cast<std::size_t>(span.data() - line.text.data())) {}

  bool ok() const { return problem_ == nullptr; }
  /// What was expected where the first failure happened; null when ok().
  const char* problem() const { return problem_; }
  /// "column 12: expected an atom: `...`". Only when !ok().
  Error error() const;
  /// Makes the line fail here, unless it already has. Always false, so `return c.fail("...")` reads well.
  bool fail(const char* expected);

  std::size_t column() const { return at_; }
  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return ok() && at_ < text_.size() ? text_[at_] : '\0'; }
  std::string_view rest() const { return ok() ? text_.substr(at_) : std::string_view(); }
  /// What was read since column `from`.
  std::string_view since(std::size_t from) const { return text_.substr(from, at_ - from); }

  /// Takes c if it is next.
  bool accept(char c) {
    const bool there = ok() && at_ < text_.size() && text_[at_] == c;
    at_ += there ? 1 : 0;
    return there;
  }
  void take_char() { at_ += ok() && at_ < text_.size() ? 1 : 0; }  ///< whatever it is
  bool expect(char c);                                             ///< takes c, or fails
  /// Takes `word`, in any case, if it is next and an atom ends after it: accept_word("NIL") leaves "NILPOTENT" alone.
  bool accept_word(std::string_view word);
  /// SP. More than one is a deviation, none a failure.
  bool sp() {
    if (!accept(' ')) return fail("a space");
    if (peek() == ' ') more_spaces();
    return true;
  }
  bool end();  ///< fails unless everything was read; spaces left over are a deviation

  std::string_view atom();    ///< 1*ATOM-CHAR
  std::string_view tag();     ///< 1*<any ASTRING-CHAR except "+">
  std::string_view word();    ///< an atom that ends before "[" and "<" too: command names, fetch items
  std::string_view flag();    ///< flag, flag-perm: "\Seen", "\*", "$Forwarded"
  std::uint32_t number();     ///< 0 to 4294967295
  std::uint32_t nz_number();  ///< 1 to 4294967295
  std::uint64_t number64(const char* expected = "a number");  ///< 0 to 2^63-1; also mod-sequence-value
  Text quoted();                                              ///< DQUOTE *QUOTED-CHAR DQUOTE
  Text string();                                              ///< quoted / literal / literal8
  Text nstring();                                             ///< string / nil
  Text astring();                                             ///< 1*ASTRING-CHAR / string
  Text list_mailbox();                                        ///< 1*list-char / string
  std::string_view text();                                    ///< the rest of the line
  void flag_list(FlagList& into);                             ///< "(" [flag *(SP flag)] ")"; `into` is cleared first
  SequenceSet sequence_set(std::size_t max_ranges = SequenceSet::default_max_ranges);
  std::string_view sequence_set_text();  ///< the characters of one, unchecked

  /// "(" items separated by SP ")":  `if (c.open_list()) while (c.next_item()) {...read one item...}`
  /// Lists may nest up to max_depth. next_item() takes the SP between items, and at the end the ")" and returns false.
  bool open_list();
  bool next_item();
  bool close_list();                           ///< takes the ")" of a list that is read without next_item()
  bool too_deep() const { return too_deep_; }  ///< that is why it failed

  /// Skips one value whatever it is: atom, number, string, literal, NIL, list of any content. The span it took in the
  /// line.
  std::string_view skip_value();

  void note(DeviationCode code) { note_at(code, at_); }

 private:
  void note_at(DeviationCode code, std::size_t column);
  void more_spaces();
  const Literal* literal_here();
  std::uint64_t digits(std::uint64_t limit, const char* expected);
  template <class Class>
  std::string_view take(Class&& is_in, const char* expected);

  std::string_view text_;
  std::span<const Literal> literals_;
  Deviations* deviations_ = nullptr;
  std::uint64_t stream_offset_ = 0;
  std::size_t at_ = 0;
  std::size_t next_literal_ = 0;
  const char* problem_ = nullptr;
  unsigned depth_ = 0;
  bool first_item_ = false;
  bool too_deep_ = false;
};

}  // namespace mailproof::imap
