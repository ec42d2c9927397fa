#pragma once
#include <set>
#include <string>
#include <string_view>

#include "judge/leaving.h"

namespace mailproof::judge {

/// I17, for the judge of flags: a permanent flag that STORE set, and that was confirmed, is there for sessions that
/// begin afterwards (RFC 3501 section 2.3.2), unless somebody took it away; and one that was taken away is not.
void judge_kept_flags(Case& c, const Leaving& leaving);

/// The flags of a list that stay with a message, in lower case: \Recent is a session's own, and what is \Deleted may
/// go at any time.
std::set<std::string> lasting_flags(std::string_view flags);

}  // namespace mailproof::judge
