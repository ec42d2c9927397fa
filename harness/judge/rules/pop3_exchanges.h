#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "history/wire_bytes.h"

namespace mailproof::judge {

/// One thing that the server said, and what it was said to. Views point into the Pop3Exchanges it is of.
struct Pop3Exchange {
  enum class To : std::uint8_t {
    connection,  ///< the greeting
    command,
    response,  ///< a client's line within AUTH (RFC 5034 section 4)
  };
  To to = To::connection;
  bool secured = false;
  std::string keyword;   ///< of the command, in upper case; of a response the AUTH it belongs to
  std::string argument;  ///< may be a password: for evidence there is said()

  std::string_view status;  ///< the reply's first line as sent, without its line end
  bool ends_in_crlf = true;
  bool positive() const { return indicator() == Indicator::ok; }
  bool negative() const { return indicator() == Indicator::err; }
  /// "+ " and base64, where one may stand. A lone "+" is taken for one with nothing in it.
  bool challenge() const;
  /// What stands behind "+OK " or "-ERR ".
  std::string_view text() const;

  bool multi_line = false;
  bool whole = false;              ///< multi-line: its terminator came
  std::string_view body;           ///< lists: as sent, without the terminator; empty for a message
  std::uint64_t octets = 0;        ///< messages: after unstuffing
  bool terminator_is_crlf = true;  ///< lists: the line with the dot

  std::string said() const;                          ///< "PASS ***", "RETR 1", "the greeting"
  std::string excerpt() const;                       ///< both sides, made printable
  std::string excerpt(std::string_view line) const;  ///< ... with a line of the body

 private:
  enum class Indicator : std::uint8_t { ok, err, neither };
  Indicator indicator() const;
};

/// What passed on a POP3 connection as commands and the replies to them, in order, pipelined or not (RFC 2449 section
/// 6.6). It stops where nobody can say any more what a reply belongs to: behind a client's line against the grammar, an
/// unknown command that succeeded, and a line that nobody asked for. A connection that was cut gives what was complete.
class Pop3Exchanges {
 public:
  explicit Pop3Exchanges(const history::WireBytes& bytes);
  Pop3Exchanges(const Pop3Exchanges&) = delete;
  Pop3Exchanges& operator=(const Pop3Exchanges&) = delete;

  std::span<const Pop3Exchange> all() const { return all_; }

 private:
  class Layer;
  std::string clear_, secured_;  ///< what the server said before TLS and under it
  std::vector<Pop3Exchange> all_;
};

/// The lines of a list's body: without line ends, and without the dot that stuffing put in front.
struct BodyLine {
  std::string_view text;
  bool ends_in_crlf = true;
};
std::vector<BodyLine> body_lines(const Pop3Exchange& exchange);

}  // namespace mailproof::judge
