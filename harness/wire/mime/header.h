#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/text/line_reader.h"

namespace mailproof::mime {

/// One header field of a message held in memory. All views point into it.
struct Field {
  std::string_view raw;   ///< from the name through the last line end, folds included
  std::string_view name;  ///< as written; empty for a line that is no field
  std::string_view body;  ///< behind the colon, folds included, last line end excluded
};

/// Takes the next field off the front of `rest`. Nothing at the empty line that ends the header, or at the end.
/// CRLF and bare LF both end lines here: stored mail has both.
std::optional<Field> take_field(std::string_view& rest);

/// Octets of the header with the empty line that ends it; all of the entity if none does.
std::size_t header_size(std::string_view entity);

/// RFC 5322 section 2.2.3: line ends removed, blanks at both ends trimmed.
std::string unfold(std::string_view body);

/// The unfolded body of the first field of that name.
std::optional<std::string> find_field(std::string_view header, std::string_view name);

/// Reads header fields from a stream, resumable at every octet; keeps one field, at most kFieldLimit of it.
class HeaderReader {
 public:
  static constexpr std::size_t kFieldLimit = 16 * 1024;
  enum class Event : std::uint8_t { more, field, end };

  /// Takes bytes off the front of `in` up to the next event; `end` stops right behind the empty line. After it, nothing
  /// is taken.
  Event next(std::string_view& in);
  /// The stream is over: a field that was waiting for its continuation, or end.
  Event finish();

  /// Of a field event, until the next call. A line that is no field has an empty name.
  std::string_view name() const;
  std::string value() const;         ///< unfolded
  bool cut() const { return cut_; }  ///< longer than kFieldLimit
  bool done() const { return done_; }
  std::uint64_t octets() const { return octets_; }  ///< taken so far; after end: where the body begins

 private:
  bool emit();

  text::LineReader lines_{kFieldLimit};
  std::string pending_;  ///< the field being read, lines joined with their folds
  std::string field_;
  bool pending_cut_ = false;
  bool cut_ = false;
  bool done_ = false;
  std::uint64_t octets_ = 0;
};

}  // namespace mailproof::mime
