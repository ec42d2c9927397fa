#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailproof::text {

/// Something the other end sent that its RFC does not allow and that reading could go on after.
struct Deviation {
  std::string_view code;     ///< "pop3.line.bare-lf": static text, never from the wire
  std::uint64_t offset = 0;  ///< where it was seen first, in octets of the stream of its reader
  std::uint64_t count = 0;   ///< how often
  std::string excerpt;       ///< made printable, at most 80 characters
};

/// What one reader noticed: one entry a code, at most kMost codes, so that a hostile peer cannot make it grow.
class Deviations {
 public:
  static constexpr std::size_t kMost = 32;
  void note(std::string_view code, std::uint64_t offset, std::string_view excerpt = {}, std::uint64_t count = 1);
  bool empty() const { return seen_.empty(); }
  const std::vector<Deviation>& all() const { return seen_; }
  const Deviation* find(std::string_view code) const;
  std::vector<Deviation> take();

 private:
  std::vector<Deviation> seen_;
};

}  // namespace mailproof::text
