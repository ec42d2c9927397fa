#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "play/talk/match.h"

namespace mailproof::play {

/// A value of an IMAP reply, or of a pattern for one. An atom, a quoted string and a literal with the same octets are
/// the same.
struct ImapValue {
  enum class Kind { text, list, code } kind = Kind::text;  ///< code: "[UIDNEXT 4]" at the beginning of a status text
  std::string text;                                        ///< of a text its octets; else as written, see in_quotes()
  bool string = false;                                     ///< quoted or literal: compared with its case
  std::vector<ImapValue> items;
};
std::vector<ImapValue> parse_imap_values(std::string_view line);
/// A text that is that word, without case.
bool is_word(const ImapValue& value, std::string_view word);

/// Each literal that a quoted string could say as that string: a server may choose (RFC 3501 section 4.3).
std::string in_quotes(std::string_view line);
/// Whether a reply, with its literals so, has something like the regular expression; letters in either case, as IMAP's
/// words are (RFC 3501 section 9). Throws PatternTrouble.
bool search_imap(std::string_view line, std::string_view regex);
/// The resources of a QUOTA response, which have no order: by name, and that in capitals.
void order_resources(ImapValue& list);

/// "* 2 FETCH (UID ${a})" with a reply: keywords without case; FETCH and STATUS items and flags in any order, further
/// FETCH items free. `open_end`: further words of the reply are free.
bool match_imap(std::string_view pattern, std::string_view line, bool open_end, TalkVariables& variables);

/// What FETCH responses about one message, in the order they came, say together meets a pattern of FETCH (RFC 9051
/// section 7.5.2 lets a server tell a message in pieces). What an earlier one said no later one replaces.
bool match_fetch(std::string_view pattern, const std::vector<std::string_view>& rows, TalkVariables& variables);
/// Where a FETCH response about the message of a pattern, with all items that it names, is not what the pattern says,
/// for people: "in ENVELOPE, item 9: expected NIL, found ()". Empty: nothing to be said.
std::string where_unlike(std::string_view pattern, std::string_view reply, TalkVariables& variables);
/// Which message a FETCH response is about, as it is written; empty: it is none.
std::string_view fetched_number(std::string_view line);

}  // namespace mailproof::play
