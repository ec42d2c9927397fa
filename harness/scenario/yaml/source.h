#pragma once
#include <string_view>
#include <vector>

#include "scenario/scenario.h"

namespace mailproof::scenario {

class Complaints;

/// The text of a file by lines, to show people what stands at a place and to count columns in characters, not bytes.
class Source {
 public:
  explicit Source(std::string_view text);  ///< a byte order mark at the beginning is passed over

  std::string_view text() const { return text_; }
  /// `line` from 0, `byte` = offset within it; both clamped to the text.
  Pos pos(int line, int byte) const;
  /// What stands there, to the end of the line, without blanks around it; from byte 0 the whole line.
  std::string_view rest_of_line(int line, int byte) const;
  /// Whether a quote that opens there is closed anywhere. True when no quote stands there.
  bool quote_closes(int line, int byte) const;
  /// Complains of bytes that no YAML file has: text that is not UTF-8, control bytes, tabs as indentation. True when
  /// there are none.
  bool clean(Complaints& complaints) const;

 private:
  std::string_view line(int number) const;

  std::string_view text_;
  std::vector<std::string_view> lines_;
};

}  // namespace mailproof::scenario
