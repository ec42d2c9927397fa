#pragma once
#include "judge/case.h"

namespace mailproof::judge {

/// RFC822.SIZE against the octets that BODY[] brought, wherever both are known and the content is as it was sent; and
/// no partial fetch brought more than was asked for. Findings content/size-differs and content/piece-longer.
void judge_sizes(Case& c);

}  // namespace mailproof::judge
