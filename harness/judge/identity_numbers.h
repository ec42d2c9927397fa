#pragma once
#include "judge/case.h"

namespace mailproof::judge {

/// I8, I9 and I10, for the judge of identity: UIDNEXT is above every UID that was there and at or below every UID that
/// is given later, and never falls; UIDVALIDITY stays, or grows where it must change (RFC 3501 section 2.3.1.1).
void judge_mailbox_numbers(Case& c);

}  // namespace mailproof::judge
