#pragma once
#include "judge/case.h"

namespace mailproof::judge {

/// I17, for the judge of flags: a permanent flag that STORE set, and that was confirmed, is there for sessions that
/// begin afterwards (RFC 3501 section 2.3.2), unless somebody took it away.
void judge_kept_flags(Case& c);

}  // namespace mailproof::judge
