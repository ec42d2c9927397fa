#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "wire/imap/deviation.h"
#include "wire/imap/line.h"
#include "wire/imap/line_scan.h"

namespace mailproof::imap {

/// What shall become of a literal's octets.
enum class LiteralAction : std::uint8_t {
  keep,  ///< in memory until on_line(); one beyond FramerLimits::kept_literal or kept_in_line is streamed all the same
  stream,   ///< handed to on_literal_chunk() as they come
  discard,  ///< counted only
  refuse,   ///< commands only: a synchronising literal will not be asked for, so the command ends here without
            ///< on_line(); for any other literal it means discard
};

/// An announcement as the sink sees it, before the first octet.
struct LiteralBegin {
  std::string_view line;  ///< the logical line so far, announcement included
  std::uint64_t size = 0;
  std::uint32_t number = 0;   ///< counted from 0 within the line
  bool synchronising = true;  ///< "{n}", else "{n+}"
  bool too_large = false;     ///< beyond FramerLimits::literal; what to do about it is the sink's decision
};

/// Where a Framer tells what it found. Views are valid during the call only. Framer::stop() is allowed in every call.
class FramerSink {
 public:
  virtual ~FramerSink() = default;
  virtual LiteralAction on_literal_begin(const LiteralBegin& begin) = 0;
  /// Octets of a streamed literal. Not called for an empty piece.
  virtual void on_literal_chunk(std::string_view octets) { (void)octets; }
  /// The streamed literal is complete. Also called for an empty one.
  virtual void on_literal_end() {}
  /// One number of a SEARCH or SORT response, before the on_line() of that response.
  virtual void on_number(std::uint32_t number) { (void)number; }
  virtual void on_line(const LogicalLine& line) = 0;
};

struct FramerLimits {
  std::size_t line = 64U << 10;           ///< octets of a logical line without its literals; at least 256
  std::uint64_t literal = 0xffff'ffffU;   ///< larger ones are noted, and LiteralBegin::too_large is set
  std::size_t kept_literal = 4U << 10;    ///< octets of one literal kept in memory
  std::size_t kept_in_line = 256U << 10;  ///< ... of all kept ones of a line together
  std::size_t literals = 1000;  ///< in one line; beyond it they are discarded and the line counts as truncated
};

/// Cuts a stream of bytes into logical lines and literals (RFC 9051 sections 2.2, 4.3), for a client that reads
/// responses or a server that reads commands. Resumable at every byte; consumes all it is given; never throws; memory
/// is bounded by the limits. Each byte is looked at a constant number of times. A line that arrives in one piece is not
/// copied. A line beyond the limit is skipped to its end, its literals included, and reported truncated. When framing
/// is lost for good (a malformed "{...}" at a line's end: what follows may be mail text) it is dead and ignores
/// everything further.
class Framer {
 public:
  enum class Reads : std::uint8_t { responses, commands };

  Framer(Reads reads, FramerSink& sink, const FramerLimits& limits = {});

  /// Consumes `in`. Returns how many octets were looked at: all, unless stop() was called or framing was lost.
  std::size_t feed(Bytes in) { return feed(as_text(in)); }
  std::size_t feed(std::string_view in);

  /// From within a sink call: look at nothing further until restart(). Octets behind a STARTTLS reply stay unread this
  /// way.
  void stop() { stopped_ = true; }
  /// Begins afresh at a line's beginning; stream offsets go on.
  void restart();

  bool dead() const { return dead_; }
  /// Nothing of an unfinished line or literal is held.
  bool at_line_begin() const { return state_ == State::line && buffer_.empty() && literals_.empty(); }
  bool in_literal() const { return state_ == State::literal; }
  std::uint64_t literal_octets_missing() const { return state_ == State::literal ? remaining_ : 0; }
  /// The unfinished line so far, for messages about a connection that ended in the middle.
  std::string_view unfinished() const { return buffer_; }

  /// Octets of the present line beyond the line limit so far, literals not counted.
  std::uint64_t skipped() const { return skipped_; }

  /// Octets looked at since construction.
  std::uint64_t stream_offset() const { return offset_; }
  const Deviations& deviations() const { return deviations_; }
  Deviations& deviations() { return deviations_; }

 private:
  enum class State : std::uint8_t { line, numbers, literal };
  struct Kept {
    std::size_t begin = 0;
    std::size_t size = 0;
  };

  std::string_view take_line_bytes(std::string_view in);
  std::string_view take_head(std::string_view in);
  std::string_view take_numbers(std::string_view in);
  std::string_view take_literal(std::string_view in);
  void leave_numbers(bool with_pending_digits);
  void emit_number();
  void append(std::string_view bytes);
  void physical_line_end(std::string_view text);
  void begin_literal(const LineScan::Announcement& announced);
  void end_literal();
  void end_line(std::string_view text);
  void forget_line();
  void die(DeviationCode code, std::string_view excerpt);
  void note(DeviationCode code, std::size_t column, std::string_view excerpt) {
    deviations_.note(code, line_offset_ + column, column, excerpt);
  }

  FramerSink& sink_;
  FramerLimits limits_;
  std::string buffer_;             ///< the logical line so far, when it is not complete in one piece
  std::string kept_;               ///< octets of the literals kept in memory
  std::vector<Literal> literals_;  ///< of the line so far; `data` is filled in at the line's end
  std::vector<Kept> kept_places_;  ///< beside literals_
  LineScan scan_;
  Deviations deviations_;
  std::uint64_t offset_ = 0;
  std::uint64_t line_offset_ = 0;
  std::uint64_t remaining_ = 0;
  std::uint64_t skipped_ = 0;
  std::uint64_t number_ = 0;
  unsigned digits_ = 0;
  Reads reads_;
  State state_ = State::line;
  LiteralAction action_ = LiteralAction::discard;
  bool head_checked_ = false;
  bool skipping_ = false;  ///< over the line limit: scan only
  bool truncated_ = false;
  bool last_was_cr_ = false;   ///< while skipping
  bool space_before_ = false;  ///< in numbers: a space was taken since the last number
  bool stopped_ = false;
  bool dead_ = false;
};

}  // namespace mailproof::imap
