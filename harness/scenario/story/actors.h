#pragma once
#include <set>
#include <string>

#include "scenario/scenario.h"
#include "scenario/yaml/complaints.h"
#include "scenario/yaml/node.h"

namespace mailproof::scenario {

/// customers: {acme: {quota: 128KiB}}
void read_customers(const Node& node, Complaints& complaints, Scenario& scenario);
/// accounts: [alice] or {bob: {quota: 64KiB}, anna: {customer: acme}, carol: {}}. The customers are read by then.
void read_accounts(const Node& node, Complaints& complaints, Scenario& scenario);
/// devices: {mta: {delivers: any}, phone: {imap: alice}, pc: {pop3: alice}}. The accounts are read by then. Names of
/// devices that could not be understood go into `unread`.
void read_devices(const Node& node, Complaints& complaints, Scenario& scenario, std::set<std::string>& unread);
/// Complains where devices or steps use what `needs:` does not list.
void check_needs(const Node* needs, Complaints& complaints, const Scenario& scenario);

}  // namespace mailproof::scenario
