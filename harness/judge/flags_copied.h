#pragma once
#include "judge/leaving.h"

namespace mailproof::judge {

/// I18, for the judge of flags: what COPY makes has the flags and the internal date of what was copied (RFC 3501
/// section 6.4.7, SHOULD), and no flag of another message that was copied with it.
void judge_copied_flags(Case& c, const Leaving& leaving);

}  // namespace mailproof::judge
