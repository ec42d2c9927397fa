#pragma once
#include <cstdint>
#include <string_view>

#include "wire/pop3/status.h"
#include "wire/text/deviations.h"
#include "wire/text/dot_stuffing.h"
#include "wire/text/line_reader.h"

namespace mailproof::pop3 {

/// Reads what a POP3 server sends, resumable at every octet, in bounded memory: bodies are handed out as they come.
///
///     while ((event = reader.next(in)) != Event::more)
///       status:  if it is +OK of a multi-line command, call expect(Body::text or Body::lines)
///       chunk:   a piece of the unstuffed text (Body::text)
///       line:    one unstuffed line (Body::lines)
///       end:     the multi-line response is complete; body_stats() tells of it
///       garbage: a line that is no status line; framing is lost, nothing more is read
class ResponseReader {
 public:
  enum class Event : std::uint8_t { more, status, chunk, line, end, garbage };
  enum class Body : std::uint8_t { none, text, lines };

  /// RFC 1939 section 3: a first line is at most 512 octets with CRLF; longer ones are read up to this and noted. A
  /// SASL challenge may have 12288 (RFC 5034 section 4).
  static constexpr std::size_t kLineLimit = 12'288;

  /// Takes bytes off the front of `in` up to the next event. `more`: all of `in` was taken (or framing is lost).
  Event next(std::string_view& in);

  /// Valid right after a status event: says that a multi-line body follows.
  void expect(Body body);

  const StatusLine& status() const { return status_; }  ///< until the next call
  std::string_view chunk() const {
    return chunk_;
  }  ///< of chunk and line; of status and garbage the whole line; until the next call
  const text::DotStats& body_stats() const { return dots_.stats(); }
  bool in_body() const { return body_ != Body::none; }
  /// Whether the last byte fed left something unfinished: a connection that ends now was cut.
  bool unfinished() const { return body_ != Body::none || lines_.in_line(); }
  bool broken() const { return broken_; }
  std::uint64_t unfinished_octets() const { return lines_.unfinished_octets(); }  ///< of a first line without its end
  std::string_view unfinished_line() const { return lines_.unfinished(); }        ///< its kept beginning
  std::uint64_t offset() const { return offset_; }                                ///< octets taken
  text::Deviations& deviations() { return deviations_; }

 private:
  Event next_status(std::string_view& in);
  Event next_body(std::string_view& in);
  void end_body();

  text::LineReader lines_{kLineLimit};
  text::LineReader body_lines_{kLineLimit};
  text::DotReader dots_;
  std::string_view rest_;  ///< unstuffed text not yet cut into lines; into `in`, consumed before more is taken
  StatusLine status_;
  std::string_view chunk_;
  Body body_ = Body::none;
  bool broken_ = false;
  std::uint64_t offset_ = 0;
  text::Deviations deviations_;
};

}  // namespace mailproof::pop3
