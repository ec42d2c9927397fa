#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "history/history.h"
#include "import/anonymise/words.h"

namespace mailproof::imports {

/// The numbers and the words of a history that say nothing of anybody: they stay. Of several histories each is told
/// before the first is rewritten: what one of them calls its device may stand in the title of another.
void keep_what_is_ours(const history::History& original, Pseudonyms& words);

/// The same history with other words: names, addresses, subjects, mailboxes and what servers said are replaced;
/// numbers, sizes, times and the order of events stay, so that judges come to the same.
std::unique_ptr<history::History> anonymised(const history::History& original, Pseudonyms& words);

/// Whether the code of such events is a word of our own, and stays.
bool code_is_ours(history::What what);

/// A log of what went over the wire, as WireLog::all() has it: in mail every word and number is replaced, in commands
/// and replies the words that are not the protocol's.
std::string anonymised_log(std::string_view original, Pseudonyms& words);

/// How much of a log's line is "0.123 S: ".
std::size_t head_of_line(std::string_view line);

}  // namespace mailproof::imports
