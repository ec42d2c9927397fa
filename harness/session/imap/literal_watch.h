#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace mailproof::session {

/// A literal that is announced longer than it is (RFC 3501 section 4.3) swallows the reply behind it. Whether the
/// newest one did: the tagged reply of the command that asked stands within its octets.
class LiteralWatch {
 public:
  /// `line`: the response so far, announcement included. `tag`: of the command under way; "" = none is.
  void begin(std::string_view line, std::uint64_t size, std::string_view tag);
  /// They are looked at later, by look() or suspicion(), and must stay where they are until then or until row_over().
  void add(std::string_view octets);
  void look();
  /// The rest of the row could be read: a literal that came in one piece with it was as long as it said, so that its
  /// octets need not be looked at.
  void row_over();
  /// Which literal, what it announces and what came before the reply, for people; "" = nothing of the kind was seen.
  std::string suspicion();
  bool found() const { return found_; }

 private:
  void search(std::string_view octets);
  std::string line_, tag_, reply_, tail_;  ///< reply_: "\r\nA7 ", once it is looked for
  std::string_view unseen_;                ///< octets that were not looked at yet
  std::uint64_t size_ = 0, came_ = 0, before_ = 0;
  bool found_ = false;
};

}  // namespace mailproof::session
