#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "judge/case.h"

namespace mailproof::judge {

/// Removals in what was recorded of others, where no audit lists the mailboxes in the end: of the judge "removal".
void judge_heard_removals(Case& c);

/// ... of them those from maildrops.
void judge_heard_maildrops(Case& c);

/// Every session of these accounts was heard, from its beginning to its end.
bool heard_all(const history::History& history);

/// Which sessions of a recording were not heard from their beginning to their end, and what that means for what can be
/// said; "" = all were.
std::string heard_in_part_note(const history::History& history);

/// A message that a session was told is gone, or that a complete listing did not have, and that nobody has seen there
/// since.
struct Absence {
  std::uint32_t message = 0, account = 0;
  std::uint32_t event = 0;  ///< the first that tells
  std::string mailbox;
};
std::vector<Absence> heard_absences(const history::History& history, const history::Ledger& ledger);
/// ... of them those of maildrops.
void heard_absences_of_maildrops(Case& c, std::vector<Absence>& out);

/// Of the judge "view": a UID that somebody was told is gone, and that a session which began later has.
void judge_heard_again(Case& c);

}  // namespace mailproof::judge
