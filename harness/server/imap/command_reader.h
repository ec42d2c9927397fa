#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/imap/line.h"

namespace mailproof::server {

/// One command as it came: the line without its CRLF, literals left in it as "{n}" and kept aside in their order.
class Command {
 public:
  const std::string& text() const { return line_; }
  bool literal_skipped() const { return skipped_; }  ///< the last literal was read but not kept
  /// For imap::Cursor. Views are valid until the command changes.
  imap::LogicalLine line();
  /// The octets of the last literal, moved out: the message of an APPEND.
  std::string take_last_literal() { return std::move(octets_.back()); }

 private:
  friend class CommandReader;
  void clear();
  std::string line_;
  std::vector<std::string> octets_;
  std::vector<imap::Literal> literals_;
  bool skipped_ = false;
};

/// Cuts a client's bytes into commands (RFC 3501 section 2.2.1). Resumable at every byte; memory stays within the
/// limits below, but for literals the session accepts.
class CommandReader {
 public:
  static constexpr std::size_t kLineLimit = 64U << 10U;  ///< all of a command but its literals
  static constexpr std::size_t kLiteralCount = 256;      ///< in one command

  enum class Event {
    need_more,
    literal,   ///< announced, see literal_size(); answer with keep_literal(), skip_literal() or refuse_literal()
    command,   ///< complete, see command(); next() begins a new one
    too_long,  ///< a line beyond the limit was skipped; command() holds its beginning
  };

  /// Takes from the front of `in` what belongs to the next event.
  Event next(std::string_view& in);

  Command& command() { return command_; }
  std::uint64_t literal_size() const { return literal_size_; }
  bool literal_synchronising() const { return literal_synchronising_; }
  void keep_literal() { begin_literal(true); }
  void skip_literal() {
    begin_literal(false);
  }  ///< its bytes are read and dropped; for those that come unasked (RFC 7888)
  void refuse_literal() {
    state_ = State::done;
  }  ///< the client was told NO and will not send it: the command ends here

  /// The next lines are no commands (DONE of IDLE, answers to AUTHENTICATE): "{n}" at their end means nothing.
  void raw_lines(bool raw) { raw_ = raw; }

 private:
  enum class State { line, asked, literal, skip_line, done };
  bool announces_literal();
  void begin_literal(bool keep);

  Command command_;
  State state_ = State::line;
  std::uint64_t literal_size_ = 0;
  std::uint64_t literal_left_ = 0;
  bool literal_synchronising_ = false;
  std::size_t literal_at_ = 0;
  bool keep_ = false;
  bool raw_ = false;
};

}  // namespace mailproof::server
