#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace mailproof::imports {

/// One direction of a TCP connection, put together again from its segments, in whatever order and however often they
/// were captured. Numbers are modulo 2^32 (RFC 9293 section 3.4).
class TcpDirection {
 public:
  /// SYN: what follows begins behind this number.
  void begin(std::uint32_t sequence);
  /// What can be read now; "" = a piece before it has not come, or it was there already. Where no SYN was captured the
  /// first segment is the beginning.
  std::string segment(std::uint32_t sequence, std::string_view octets);
  /// FIN, behind all that was read: it has a number of its own.
  void finish() { next_ += known_ ? 1 : 0; }
  /// All octets before this number came.
  bool has_all_before(std::uint32_t number) const { return !known_ || unwrapped(number) <= next_; }

 private:
  std::uint64_t unwrapped(std::uint32_t number) const;

  std::map<std::uint64_t, std::string> ahead_;
  std::uint64_t next_ = 0;
  bool known_ = false;
};

}  // namespace mailproof::imports
