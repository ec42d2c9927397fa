#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/smtp/status_code.h"
#include "wire/text/deviations.h"
#include "wire/text/line_reader.h"

namespace mailproof::smtp {

/// One reply, of one line or many (RFC 5321 section 4.2). Lives in its reader, valid until the reader's next call.
struct Reply {
  int code = 0;                            ///< 200 to 599; of the last line
  std::optional<EnhancedStatus> enhanced;  ///< of the first line that has one (RFC 2034)
  std::string text;                        ///< without codes, lines joined by '\n'
  std::size_t lines = 0;

  bool positive() const { return code >= 200 && code < 300; }
  bool intermediate() const { return code >= 300 && code < 400; }
  bool transient() const { return code >= 400 && code < 500; }
  bool permanent() const { return code >= 500; }
  std::string_view first_line() const { return std::string_view(text).substr(0, text.find('\n')); }
  /// "552 5.2.2 Quota exceeded", in one line made printable: for reports.
  std::string summary() const;
};

/// Reads replies, resumable at every octet, in bounded memory. Same for SMTP and LMTP.
class ReplyReader {
 public:
  static constexpr std::uint64_t kLineLimit = 512;     ///< RFC 5321 section 4.5.3.1.5, CRLF included; longer is noted
  static constexpr std::size_t kLineKept = 12'288;     ///< ... and kept up to this: a challenge (RFC 4954 section 4)
  static constexpr std::size_t kLinesKept = 100;       ///< of one reply; more are noted and dropped
  static constexpr std::size_t kLinesBroken = 10'000;  ///< a reply that goes on so long is an attack: broken()

  /// Takes bytes off the front of `in` up to the end of a reply. Null: all of `in` was taken, or broken().
  const Reply* next(std::string_view& in);

  /// A line was no reply, or a reply has no end. Nothing more is read; garbage() is the line, printable.
  bool broken() const { return broken_; }
  const std::string& garbage() const { return garbage_; }
  /// A reply has begun and is not complete.
  bool unfinished() const { return lines_.in_line() || open_; }
  std::uint64_t unfinished_octets() const { return lines_.unfinished_octets(); }  ///< of a line without its end
  std::string_view unfinished_line() const { return lines_.unfinished(); }        ///< its kept beginning
  std::uint64_t offset() const { return lines_.offset(); }
  text::Deviations& deviations() { return deviations_; }

 private:
  void take_line(const text::Line& line);
  void give_up(std::string_view line);

  text::LineReader lines_{kLineKept};
  Reply reply_;
  bool open_ = false;  ///< the last line was a continuation
  bool broken_ = false;
  std::string garbage_;
  text::Deviations deviations_;
};

}  // namespace mailproof::smtp
