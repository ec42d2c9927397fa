#pragma once
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace mailproof {

/// A pattern could not be tried on a text: looking would take more steps or more memory than a match may. Whether the
/// text is like the pattern is not known then, so that this is our own failure and never the server's. It is thrown
/// because what compares says yes or no; whoever plays catches it and ends with what() as the problem.
class PatternTrouble : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A regular expression as ECMAScript has them, compiled once; copies share it. A text may be of any length: what
/// bounds a match is its steps and its memory (32 MiB), not the stack. Any thread.
class Pattern {
 public:
  enum class Letters { exact, any_case };

  /// The error says what is wrong, and at which character.
  static Result<Pattern> compile(std::string_view text, Letters letters = Letters::exact);
  /// Of one that was compiled before: throws std::logic_error where it is wrong.
  static Pattern checked(std::string_view text, Letters letters = Letters::exact);

  /// Whether the text has something like it. Throws PatternTrouble.
  bool search(std::string_view text) const;
  /// Whether all of the text is like it; then `groups` gets what its parentheses took, from the first on. Throws
  /// PatternTrouble.
  bool match(std::string_view text, std::vector<std::string>* groups = nullptr) const;
  /// The text with the first thing like it replaced: $1, $& and $$ as in ECMAScript. As it is where there is none.
  /// Throws PatternTrouble.
  std::string replace_first(std::string_view text, std::string_view replacement) const;

 private:
  struct Compiled;
  explicit Pattern(std::shared_ptr<const Compiled> compiled);
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace mailproof
