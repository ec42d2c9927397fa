#pragma once
#include <string>
#include <string_view>

namespace mailproof::scenario {

/// What is wrong with IMAP search keys (RFC 3501 section 6.4.4): `wrong` names the word, `expected` what it should be;
/// both empty: nothing. `standard`: every server must take them; a key of an extension, or a charset, it may refuse.
struct SearchKeys {
  std::string wrong, expected, hint;
  bool standard = true;
  // What they go by of what changes without a message coming or going. Nobody knows here what an extension goes by:
  // MODSEQ does by all flags.
  bool flags = false;
  bool seen = false;  ///< also \Seen, which reading sets
};
SearchKeys read_search_keys(std::string_view query);

}  // namespace mailproof::scenario
