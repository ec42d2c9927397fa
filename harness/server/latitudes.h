#pragma once
#include <array>

#include "server/server.h"

namespace mailproof::server {

/// One line a latitude: name, what the server then does instead, the RFC that leaves it open. No judge may mind any of
/// them.
inline constexpr auto kLatitudes = std::to_array<Switch>({
    {"imap.nil-for-expunged", "FETCH of a message another session expunged answers NIL instead of its data",
     "RFC 2180 section 4.1.3"},
});

}  // namespace mailproof::server
