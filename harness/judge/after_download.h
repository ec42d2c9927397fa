#pragma once
#include "judge/case.h"

namespace mailproof::judge {

/// Whether this server removes at QUIT what the session downloaded with RETR, as RFC 1939 section 8 lets a site do,
/// where neither the target file nor EXPIRE says anything of it: something went so, and nothing that was downloaded so
/// stayed. The ledger is one that assumes nothing.
bool removes_what_was_downloaded(const history::History& history, const history::Ledger& ledger);

/// Whether a POP3 session found again what an earlier one had downloaded, and left, where nobody says what becomes of
/// that: what is missing elsewhere in the same run went by no policy then.
bool keeps_what_was_downloaded(const history::History& history, const history::Ledger& ledger);

/// Where a POP3 session that logged in after this QUIT was answered still found the message: the event; 0 = none did.
std::uint32_t found_after(const Case& c, std::uint32_t message, std::uint32_t account, std::uint32_t quit);

}  // namespace mailproof::judge
