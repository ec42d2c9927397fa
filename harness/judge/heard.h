#pragma once
#include "judge/case.h"

namespace mailproof::judge {

/// Removals in what was recorded of others, where no audit lists the mailboxes in the end: of the judge "removal".
void judge_heard_removals(Case& c);

/// ... of them those from maildrops.
void judge_heard_maildrops(Case& c);

/// Every session of these accounts was heard, from its beginning to its end.
bool heard_all(const history::History& history);

/// Of the judge "view": a UID that somebody was told is gone, and that a session which began later has.
void judge_heard_again(Case& c);

}  // namespace mailproof::judge
