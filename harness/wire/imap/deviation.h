#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailproof::imap {

/// Where the other side strays from the grammar although it could still be read. Whether that is a failure is a judge's
/// business.
enum class DeviationCode : std::uint8_t {
  bare_lf,                      ///< a line ended by LF alone
  bare_cr,                      ///< CR not followed by LF
  nul,                          ///< NUL outside a literal8
  atom_8bit,                    ///< a byte over 127 where only 7-bit is allowed
  control_char,                 ///< another control character inside a line
  space_missing,                ///< no SP where the grammar wants one
  space_extra,                  ///< SP where the grammar wants none
  text_missing,                 ///< a status response without text
  number_overflow,              ///< a number beyond its type
  number_zero,                  ///< 0 where nz-number stands
  list_unbalanced,              ///< parentheses do not match
  list_too_deep,                ///< nested beyond the limit
  line_too_long,                ///< a line beyond the limit; the rest was skipped
  literal_malformed,            ///< "{" at a line's end that is no literal
  literal_too_large,            ///< announced beyond the limit
  literal_nonsync_from_server,  ///< "{n+}" or "{n-}" sent by a server
  literal_too_many,             ///< more literals in one response than the limit
  string_unterminated,          ///< a quoted string that runs into the line's end
  syntax,                       ///< anything else that does not follow the grammar
  unknown_response,             ///< an untagged response of a name we do not know
  envelope,                     ///< an ENVELOPE that can be skipped, and is none by the grammar
  bodystructure,                ///< a BODY or BODYSTRUCTURE likewise
};
/// "imap.crlf.bare_lf" and so on; stable, findings carry it.
std::string_view name(DeviationCode code);

struct Deviation {
  DeviationCode code{};
  std::uint8_t excerpt_size = 0;
  std::uint16_t column = 0;         ///< from 0, in the logical line; 65535 means "at least"
  std::uint64_t stream_offset = 0;  ///< where the line began plus the column; literals in between are not counted
  std::array<char, 40> excerpt_bytes{};
  const char* expected = nullptr;  ///< what the grammar has there, if that was what failed
  std::string_view excerpt() const { return {excerpt_bytes.data(), excerpt_size}; }
  /// For people: what stands there, and what was expected.
  std::string told() const;
};

/// The last deviations of one connection, and how many there were. Costs nothing until the first one.
class Deviations {
 public:
  static constexpr std::size_t kept = 16;

  void note(DeviationCode code, std::uint64_t stream_offset, std::size_t column, std::string_view excerpt,
            const char* expected = nullptr) {
    Deviation d;
    d.code = code;
    d.expected = expected;
    d.stream_offset = stream_offset;
    d.column = static_cast<std::uint16_t>(std::min<std::size_t>(column, 65535));
    d.excerpt_size = static_cast<std::uint8_t>(std::min(excerpt.size(), d.excerpt_bytes.size()));
    std::copy_n(excerpt.begin(), d.excerpt_size, d.excerpt_bytes.begin());
    if (ring_.size() < kept) {
      if (ring_.empty()) ring_.reserve(kept);
      ring_.push_back(d);
    } else {
      ring_[count_ % kept] = d;
    }
    ++count_;
  }
  /// All there ever were, also those no longer kept.
  std::uint64_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  /// Calls f(const Deviation&) for each one still kept whose number (from 0) is at least `from`, oldest first.
  template <class F>
  void for_each(F&& f, std::uint64_t from = 0) const {
    const std::uint64_t oldest = count_ - ring_.size();
    for (std::uint64_t i = std::max(from, oldest); i < count_; ++i) f(ring_[static_cast<std::size_t>(i % kept)]);
  }

 private:
  std::vector<Deviation> ring_;
  std::uint64_t count_ = 0;
};

}  // namespace mailproof::imap
