#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailproof::scenario {

/// A line of a script of ImapTest, whose number counts from 1. What is given between "{{{" and "}}}" is joined to the
/// line that it stands in, as the name that it has in ScriptLines::given between two octets of 1.
struct ScriptLine {
  int number = 0;
  std::string text;
  bool header = false;  ///< stands before the first empty line
};

struct ScriptLines {
  std::vector<ScriptLine> lines;  ///< without empty ones and comments
  std::map<std::string, std::string, std::less<>>
      given;                      ///< with the line ends of mail; "~{{{": with LF between its lines
  std::optional<int> unfinished;  ///< the line whose "{{{" nothing ends
};
ScriptLines lines_of(std::string_view script);

/// "!ifenv NAME", "!ifnenv NAME", "!else", "!endif": which lines count.
class ScriptConditions {
 public:
  explicit ScriptConditions(const std::function<bool(const std::string&)>& has_environment)
      : has_environment_(has_environment) {}
  enum class Took { no, yes, without_if };
  Took take(std::string_view line);
  bool skips() const { return !open_.empty() && open_.back().skip; }
  bool unfinished() const { return !open_.empty(); }

 private:
  struct Open {
    bool skip = false, outer = false, turned = false;
  };
  const std::function<bool(const std::string&)>& has_environment_;
  std::vector<Open> open_;
};

}  // namespace mailproof::scenario
