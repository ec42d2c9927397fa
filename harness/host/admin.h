#pragma once
#include <memory>

#include "core/admin.h"
#include "host/builtin.h"
#include "net/commands.h"
#include "sim/sim_network.h"

namespace mailproof::host {

/// Admin steps by the commands of the target file, run beside `loop`. Both must outlive it.
std::unique_ptr<Admin> make_command_admin(const scenario::Target& target, net::Loop& loop);
/// ... on the built-in server in simulation.
std::unique_ptr<Admin> make_sim_admin(server::Server& server, sim::SimNetwork& network);
/// ... on the built-in server over sockets; replies come on `loop`.
std::unique_ptr<Admin> make_hosted_admin(HostedServer& server, net::Loop& loop);

/// Verbs that a built-in target has, as its target file would list them.
void offer_builtin_admin(scenario::Target& target);

}  // namespace mailproof::host
