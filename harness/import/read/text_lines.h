#pragma once
#include <algorithm>
#include <cstddef>
#include <string_view>

namespace mailproof::imports {

/// The lines of a text with their numbers, without LF; CR is left where it stands.
class TextLines {
 public:
  explicit TextLines(std::string_view text) : rest_(text) {}
  /// False: there is none any more.
  bool next() {
    if (rest_.empty()) return false;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    line = rest_.substr(0, end);
    ended = end < rest_.size();
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++number;
    return true;
  }
  std::string_view without_cr() const { return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line; }

  std::string_view line;
  bool ended = false;  ///< by LF
  std::size_t number = 0;

 private:
  std::string_view rest_;
};

}  // namespace mailproof::imports
