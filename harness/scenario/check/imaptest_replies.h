#pragma once
#include <string>
#include <vector>

namespace mailproof::scenario {

/// What the replies to the commands of one group of an ImapTest script must be. Patterns are in ImapTest's own
/// notation, with its default directives filled in; play/ compares them.
struct ImapTestReplies {
  struct Untagged {
    enum class Is { must, must_not, may } is = Is::must;
    std::string pattern;  ///< without "* "
    int line = 0;         ///< of the script
  };
  struct Tagged {
    std::string tag;      ///< of the command
    std::string pattern;  ///< "ok [trycreate]"; empty: any
    int line = 0;
  };
  std::vector<Untagged> untagged;
  std::vector<Tagged> tagged;  ///< empty: the greeting, which is untagged
  bool ordered = false;        ///< untagged ones must come as they are written
  bool no_extra = false;       ///< and no others
};

}  // namespace mailproof::scenario
