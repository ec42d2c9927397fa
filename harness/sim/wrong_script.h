#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/pattern.h"
#include "core/wrong_dialogue.h"

namespace mailproof::sim {

/// A piece of text with its line end: what stands before it, and the end.
struct WireLine {
  std::string_view text, end;
};
/// Takes the first line off.
WireLine take_line(std::string_view& rest);

/// A dialogue, its patterns compiled and its blocks gathered by the line that they are about. What looks for a pattern
/// throws PatternTrouble.
struct WrongScript {
  using Kind = WrongAction::Kind;

  struct Edit {
    Pattern pattern;
    bool drop = false;
    std::string text;
    bool only_first = false;
  };
  struct Block {
    std::vector<WrongAction> actions;
    std::vector<Edit> edits;  ///< of every answer the block gives
    std::string told;         ///< "C: LIST", "the second C: LIST"
    mutable bool reached = false;
    bool own_command = false;     ///< the correct server hears what the client said
    bool edits_give_own = false;  ///< neither pass nor instead: where the first edit stands the answer is given
  };
  struct Place {
    WrongBlock where;
    std::optional<Pattern> pattern;
    std::vector<Block> times;  ///< for the first, second ... time; the last for all further ones

    bool fits(WrongBlock::At at, std::string_view line) const;
    /// What the groups of a regular expression found that is about the whole line; else nothing.
    std::vector<std::string> groups(std::string_view line) const;
  };

  explicit WrongScript(const WrongDialogue& dialogue);

  std::vector<Place> places;
};

/// An answer as the edit leaves it, line by line.
std::string edited(std::string_view answer, const WrongScript::Edit& edit);

}  // namespace mailproof::sim
