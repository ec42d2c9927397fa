#pragma once
#include <memory>

#include "core/admin.h"
#include "host/builtin.h"
#include "host/owed.h"
#include "net/commands.h"
#include "sim/sim_network.h"

namespace mailproof::host {

/// Admin steps by the commands of the target file, run beside `loop`. All must outlive it. Its end waits for what is
/// under way and does what is owed, within kPutInOrder and what is left of a pause; `owed` has what could not be done.
std::unique_ptr<Admin> make_command_admin(const scenario::Target& target, net::Loop& loop, Owed& owed);
inline constexpr Duration kPutInOrder = std::chrono::seconds(30);
/// ... on the built-in server in simulation.
std::unique_ptr<Admin> make_sim_admin(server::Server& server, sim::SimNetwork& network);
/// ... on the built-in server over sockets; replies come on `loop`.
std::unique_ptr<Admin> make_hosted_admin(HostedServer& server, net::Loop& loop);

/// Verbs that a built-in target has, as its target file would list them.
void offer_builtin_admin(scenario::Target& target);

}  // namespace mailproof::host
