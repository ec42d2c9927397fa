#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "scenario/yaml/node.h"

namespace mailproof::explore {

/// A scenario as text, and in which line each of its steps stands.
struct Written {
  struct StepLine {
    int line = 0;           ///< from 1
    std::size_t step = 0;   ///< index of the step
    std::size_t child = 0;  ///< within together, from 1; 0 = the step itself
  };
  std::string text;
  std::vector<StepLine> steps;
};

/// What stands behind a step in a file, by the step as entries_in_one_line() has it: "# and it stays".
using Comments = std::map<std::string, std::string>;
/// Those of a file, which `document` was read from.
Comments comments_of(std::string_view text, const scenario::Node& document);

/// Writes a story, or a file of checks, as people write them: keys one a line, devices and steps in flow style, their
/// colons in one column. What is written reads back as the same tree. A step that has a comment keeps it.
Written write(const scenario::Node& story, const Comments& comments = {});

}  // namespace mailproof::explore
