#pragma once
#include <optional>
#include <string>

#include "scenario/scenario.h"
#include "scenario/target/target.h"

namespace mailproof::play {

/// Why a scenario cannot be played on this target, in a sentence; nothing if it can.
std::optional<std::string> not_applicable(const scenario::Scenario& scenario, const scenario::Target& target);

/// Connections that a scenario may have open at the same time.
struct Connected {
  std::size_t of_one_account = 0;  ///< over IMAP and POP3
  std::size_t in_all = 0;
};
/// At most: devices and deliverers, the fresh sessions that ask again for what is missing, the audit's.
Connected connected_by(const scenario::Scenario& scenario, const scenario::Target& target);

/// The first step from which every session of the target suffers, not only the scenario's own: restart, kill, pause.
/// Null: there is none.
const scenario::Step* disturbing_step(const std::vector<scenario::Step>& steps);
/// Whether others could suffer from it: by such a step, or because it is of the family `robust`, which does to a server
/// what may bring it down. What came of that would be told of whoever happened to be playing beside it.
bool plays_alone(const scenario::Scenario& scenario);

/// The way of delivery that is meant: `any` = the target's first that we can do.
scenario::Way delivery_way(const scenario::Target& target, scenario::Way asked);

/// Picks an account of the right class for each of the scenario's, out of those not in `taken` (by index into
/// target.accounts). Empty if the pool has too few; `why` then says how many of which class are needed.
std::vector<std::size_t> choose_accounts(const scenario::Scenario& scenario, const scenario::Target& target,
                                         std::vector<bool>& taken, std::string& why);

}  // namespace mailproof::play
