#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace mailproof::text {

/// What was seen of a dot-terminated text. Counts only; the text itself is never kept.
struct DotStats {
  std::uint64_t octets = 0;        ///< of the text, after unstuffing, terminator excluded
  std::uint64_t lines = 0;         ///< CRLF line ends of the text
  std::uint64_t longest_line = 0;  ///< octets as sent, CRLF included
  std::uint64_t bare_lf = 0;       ///< LF without CR: text, not a line end
  std::uint64_t lf_dot_lines = 0;  ///< a lone dot between line ends that are not both CRLF: the shape of SMTP smuggling
  std::uint64_t unstuffed_dots = 0;  ///< lines that began with one dot and went on: the sender did not stuff
};

/// Undoes dot-stuffing (RFC 5321 section 4.5.2, RFC 1939 section 3) across any cut of the stream.
/// Strict: only CRLF "." CRLF ends the text, and only CRLF begins a line; anything laxer is counted, not believed.
class DotReader {
 public:
  /// Takes bytes off the front of `in` and returns the text they stand for, as a view into `in` or static storage;
  /// empty when they stand for none. Call again until `in` is empty or done(); bytes behind the terminator stay in
  /// `in`.
  std::string_view take(std::string_view& in);

  bool done() const { return state_ == State::done; }
  const DotStats& stats() const { return stats_; }
  void reset() { *this = DotReader(); }

 private:
  enum class State : std::uint8_t { line_start, dot, dot_cr, text, cr, done };
  void scan(std::string_view run);
  void end_line(std::uint64_t octets);

  State state_ = State::line_start;
  bool after_bare_lf_ = false;  ///< the last octet was a bare LF
  bool lf_dot_ = false;         ///< ... and then a dot
  std::uint64_t line_ = 0;      ///< octets of the unfinished line
  DotStats stats_;
};

/// Writes text in dot-stuffed form, right across any cut into chunks.
class DotWriter {
 public:
  /// Gives `out(std::string_view)` the stuffed form of the chunk, as views into it.
  template <class Out>
  void write(std::string_view chunk, Out&& out) {
    std::size_t from = 0;
    for (std::size_t at = 0; at < chunk.size();) {
      if (state_ == State::line_start && chunk[at] == '.') {
        out(chunk.substr(from, at + 1 - from));
        from = at;
      }
      at = skip_line(chunk, at);
    }
    if (from < chunk.size()) out(chunk.substr(from));
  }
  /// The terminator, with the CRLF before it if the text did not end in one.
  std::string_view end() {
    const bool complete = state_ == State::line_start;
    state_ = State::line_start;
    return complete ? ".\r\n" : "\r\n.\r\n";
  }

 private:
  enum class State : std::uint8_t { line_start, text, cr };
  std::size_t skip_line(std::string_view chunk, std::size_t from);
  State state_ = State::line_start;
};

/// Whether a text can be sent as it is, followed by "." CRLF: no line begins with a dot and the last one is complete.
bool needs_dot_stuffing(std::string_view text);
/// The text stuffed, with its terminator.
std::string dot_stuffed(std::string_view text);

}  // namespace mailproof::text
