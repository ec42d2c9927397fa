#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/network.h"
#include "core/time.h"

namespace mailproof {

/// One thing a wrong server does.
struct WrongAction {
  enum class Kind {
    say,      ///< sends `text` as it is
    pass,     ///< the correct server's own answer
    edit,     ///< ... with `text` (ECMAScript: $1, $&) for the first match of `pattern` in each of its lines
    drop,     ///< ... without its lines that match `pattern`
    instead,  ///< the correct server's answer to the command `text`
    also,     ///< gives the correct server the command `text` and throws its answer away
    silence,
    wait,   ///< lets `span` pass before the next action
    close,  ///< and nothing is heard any more
    reset,
    compress,  ///< deflates what it says from here on, and inflates what it hears (RFC 4978)
  };
  Kind kind = Kind::pass;
  std::string text = {};
  std::string pattern = {};
  bool only_first = false;  ///< edit: only the first line that matches
  Duration span{};
};

/// What a wrong server does instead of its own answer, at one place of a conversation.
struct WrongBlock {
  enum class At {
    greeting,
    secured,  ///< TLS came up
    line,     ///< the client says the line `text`, without case; of an IMAP command without its tag
    prefix,   ///< `text`, a blank, and anything
    regex,    ///< a line in which `text` (ECMAScript) is found
  };
  At at = At::line;
  Protocol protocol = Protocol::pop3;
  std::optional<unsigned> connection = {};  ///< only on the n-th connection of this protocol, counted from 1
  std::string text = {};
  std::vector<WrongAction> actions = {};

  /// Two blocks of one place: the first is for the first time on a connection, the second for the second.
  bool same_place(const WrongBlock& other) const {
    return at == other.at && protocol == other.protocol && connection == other.connection && text == other.text;
  }
};

/// What a server does wrong: it answers as a correct one wherever no block says otherwise. Of several places that fit a
/// line the one written first counts.
struct WrongDialogue {
  std::vector<WrongBlock> blocks;
};

}  // namespace mailproof
