#pragma once
#include <vector>

#include "history/wire_bytes.h"
#include "judge/rules/rule.h"

// The looks of IMAP's rules in the table of rules.cc: what each adds is cut to kMostViolations there.
namespace mailproof::judge::imap_rules {

using Found = std::vector<Violation>;

void crlf(const history::WireBytes& bytes, Found& found);
void completion_once(const history::WireBytes& bytes, Found& found);

}  // namespace mailproof::judge::imap_rules
