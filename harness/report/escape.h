#pragma once
#include <string>
#include <string_view>

namespace mailproof::report {

/// Text for a person, whatever bytes a server put into it: valid UTF-8 and line ends stay, every other control byte
/// and what is not UTF-8 becomes \xNN. No terminal sequence gets through, and no command to a CI: see
/// without_commands().
std::string plain(std::string_view text);

/// plain(), but our own colours stay: the last step before text goes to a terminal or a CI's log.
std::string terminal(std::string_view text);

/// JSON that reads the same and in which no CI or terminal reads a command: what could be one stands as \uNNNN.
std::string harmless_json(std::string_view json);

/// plain(), on one line: line ends become `between`.
std::string one_line(std::string_view text, std::string_view between = " / ");

/// one_line() of at most `most` octets; a longer one ends in "..." and is never cut inside a character.
std::string shortened(std::string_view text, std::size_t most);

/// one_line() as a JSON string, quotes included, that may stand in a page: nothing in it is HTML or ends a script.
std::string page_json(std::string_view text);

/// plain(), made safe inside XML elements and attributes. Line ends stay as they are in elements; attributes use
/// one_line first.
std::string xml(std::string_view text);

/// plain(), for a cell of a Markdown table or a line of text: what Markdown and HTML would read is escaped.
std::string markdown(std::string_view text);

}  // namespace mailproof::report
