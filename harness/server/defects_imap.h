#pragma once
#include <array>

#include "server/server.h"

namespace mailproof::server {

/// One line a defect: name, what the server then does, the judge that must fire. It acts where `defect("its name")` is
/// asked.
inline constexpr auto kImapDefects = std::to_array<Switch>({
    {"imap.append-ok-but-absent", "APPEND answers OK with an APPENDUID and stores nothing", "accepted"},
});

}  // namespace mailproof::server
