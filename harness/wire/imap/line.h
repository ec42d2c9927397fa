#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace mailproof::imap {

/// One literal of a logical line. Its announcement ("{310}") stays in the text where it was; its octets are here if
/// they were few, and went to a sink if they were many.
struct Literal {
  std::size_t at = 0;        ///< column of "{" in LogicalLine::text
  std::size_t marker = 0;    ///< length of the announcement, "{" to "}"
  std::uint64_t size = 0;    ///< octets announced, and all of them arrived
  bool in_memory = false;    ///< else the octets were handed on while they came in
  std::string_view data;     ///< the octets when in_memory
  std::uint32_t number = 0;  ///< counted from 0 within the line; what sinks were told
};

/// A response or command without its final CRLF, complete with its literals. Views are valid until the next feed().
struct LogicalLine {
  std::string_view text;
  std::span<const Literal> literals;
  std::uint64_t stream_offset = 0;  ///< of the first byte of text, from the beginning of the connection
  bool truncated = false;           ///< the line was over the limit: text is its beginning, the rest was skipped
};

}  // namespace mailproof::imap
