#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "history/history.h"
#include "import/anonymise/words.h"

namespace mailproof::imports {

/// The same history with other words: names, addresses, subjects, mailboxes and what servers said are replaced;
/// numbers, sizes, times and the order of events stay, so that judges come to the same.
std::unique_ptr<history::History> anonymised(const history::History& original, Pseudonyms& words);

/// A log of what went over the wire, as WireLog::all() has it: in mail every word and number is replaced, in commands
/// and replies the words that are not the protocol's.
std::string anonymised_log(std::string_view original, Pseudonyms& words);

}  // namespace mailproof::imports
