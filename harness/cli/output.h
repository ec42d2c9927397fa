#pragma once
#include <string>
#include <string_view>

namespace mailproof::cli {

// The only ways by which text leaves for a terminal or a CI's log: whatever a server put into it, no command of theirs
// stands in it any more (report/escape.h).

void say(std::string_view text);        ///< to standard output; our own colours stay
void say_json(std::string_view json);   ///< the same for JSON, which stays what it is
void say_error(std::string_view text);  ///< to standard error

/// Whoever read standard output went away (`mailproof run | head`): what would be said is not missed.
bool nobody_reads();

/// Why standard output took not all that was said (a full disk: "No space left on device"); "" where it did, or where
/// nobody reads.
std::string output_refused();

/// Standard output is a terminal that shows colours, and nobody wants none (no-color.org).
bool coloured();

/// Standard error is a terminal on which a line can be written over.
bool line_is_rewritten();

}  // namespace mailproof::cli
