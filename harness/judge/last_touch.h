#pragma once
#include "judge/case.h"

namespace mailproof::judge {

/// The last thing that was done to the whole mailbox of this cell while it held the message, as far as that is known: a
/// RENAME of it or of one above it, between the last sight of the message and the first listing without it. Null: none.
const history::Event* renamed_away(const Case& c, const history::Cell& cell);

}  // namespace mailproof::judge
