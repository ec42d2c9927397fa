#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mailproof::imap {

/// Follows one logical line as far as needed to say whether a "{n}" at a physical line's end announces a literal.
/// resp-text may legally end in "{5}", a quoted string may contain it; only the grammar tells (RFC 9051 section 9:
/// resp-text, literal, quoted). Plain data, resumable at every byte.
class LineScan {
 public:
  enum class Verdict : std::uint8_t {
    no_literal,
    literal,
    malformed,  ///< stands where only a literal can stand, but is none
  };
  struct Announcement {
    Verdict verdict = Verdict::no_literal;
    bool synchronising = true;
    std::size_t marker = 0;  ///< length, "{" to "}"
    std::uint64_t size = 0;
  };

  /// A new logical line. For responses, `head` must hold its first 256 octets or the whole physical line if it is
  /// shorter; it decides whether this is a status response, whose text is free.
  void begin_response(std::string_view head);
  void begin_command();
  /// Begins and scans at once what nearly every literal stands in: untagged data like "* 1 FETCH (... {310}", in which
  /// nothing is quoted. False: it is something else, and nothing was done.
  bool scan_plain_data(std::string_view line);
  bool begun() const { return mode_ != Mode::unknown; }

  /// The next bytes, without the line's end.
  void scan(std::string_view bytes);
  std::size_t scanned() const { return scanned_; }

  /// At a physical line's end.
  Announcement announcement() const;
  /// The announced literal is over, the line goes on.
  void resume_after_literal() { brace_ = Brace::none; }
  void reset() { *this = LineScan(); }

 private:
  enum class Mode : std::uint8_t { unknown, data, code, text };
  /// wrong: no literal, and no digit in it either; fatal: looks like a literal's size but is none.
  enum class Brace : std::uint8_t { none, open, digits, plus, closed, wrong, fatal, fatal_closed };
  bool quoting(char c);
  void brace(char c);

  std::uint64_t size_ = 0;
  std::size_t scanned_ = 0;
  std::size_t skip_ = 0;  ///< the head, which begin_response() has read
  std::size_t marker_ = 0;
  Mode mode_ = Mode::unknown;
  Brace brace_ = Brace::none;
  bool quoted_ = false;
  bool escape_ = false;
  bool code_literals_ = false;
  bool synchronising_ = true;
};

}  // namespace mailproof::imap
