#pragma once
#include <array>

#include "server/server.h"

namespace mailproof::server {

/// One line a defect: name, what the server then does, the judge that must fire. It acts where `defect("its name")` is
/// asked.
inline constexpr auto kImapDefects = std::to_array<Switch>({
    {"imap.append-ok-but-absent", "APPEND answers OK and stores nothing", "loss"},
    {"imap.expunge-takes-undeleted", "EXPUNGE also removes the newest message without \\Deleted", "removal"},
    {"imap.exists-shrinks", "what others expunged is told by a smaller EXISTS, without EXPUNGE", "view"},
    {"imap.fetch-other-body", "the body of the newest of several messages is that of the one before it", "content"},
    {"imap.foreign-body", "the body of the newest message is that of another account's newest message", "isolation"},
    {"imap.move-doubles", "MOVE leaves two copies in the target", "duplicates"},
});

}  // namespace mailproof::server
