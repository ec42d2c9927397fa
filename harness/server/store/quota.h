#pragma once
#include <cstdint>

#include "server/context.h"

namespace mailproof::server {

/// Whether delivery finds room for `octets` more in this account, at both levels (account and domain).
/// The one place where delivery asks; Store::would_fit() says how it is.
Room room_for(const ServerContext& context, const AccountState& account, std::uint64_t octets);

}  // namespace mailproof::server
