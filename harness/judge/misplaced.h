#pragma once
#include "judge/case.h"

namespace mailproof::judge {

/// I3, I20: a message stands where nobody put it: under the old name of a mailbox that was renamed, or in a mailbox
/// that no delivery, APPEND, COPY or MOVE had to do with.
void judge_misplaced(Case& c);

}  // namespace mailproof::judge
