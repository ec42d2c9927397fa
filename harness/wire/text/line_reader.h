#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailproof::text {

/// One line without its end. `text` points into the bytes given or into the reader: valid until its next call.
struct Line {
  std::string_view text;
  std::uint64_t offset = 0;  ///< of its first octet in the stream
  std::uint64_t octets = 0;  ///< as sent, with the line end
  bool bare_lf = false;      ///< ended by LF without CR
  bool cut = false;          ///< longer than the limit; `text` holds its beginning
};

/// Cuts a stream into lines, resumable at every octet. Keeps bytes only while a line is unfinished, never more than
/// `limit`.
class LineReader {
 public:
  explicit LineReader(std::size_t limit) : limit_(limit) {}

  /// Takes one line off the front of `in`. Nothing: all of `in` was taken and its line is unfinished.
  std::optional<Line> next(std::string_view& in);

  bool in_line() const { return octets_ != 0; }
  /// The kept beginning of the unfinished line.
  std::string_view unfinished() const { return delivered_ ? std::string_view() : std::string_view(kept_); }
  std::uint64_t unfinished_octets() const { return octets_; }
  std::uint64_t offset() const { return offset_; }
  void set_limit(std::size_t limit) { limit_ = limit; }
  std::size_t limit() const { return limit_; }

 private:
  std::size_t limit_;
  std::string kept_;
  bool delivered_ = false;    ///< kept_ holds a line already handed out
  bool cr_ = false;           ///< the last octet taken was CR
  std::uint64_t octets_ = 0;  ///< taken of the unfinished line
  std::uint64_t offset_ = 0;  ///< of the stream
};

}  // namespace mailproof::text
