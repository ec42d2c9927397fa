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
    {"imap.fetch-other-body",
     "the newest of several messages comes with the text of the one before it under its own header", "content"},
    {"imap.foreign-body", "the body of the newest message is that of another account's newest message", "isolation"},
    {"imap.uid-reused", "the UID of a message expunged from the end of the mailbox is given to the next one",
     "identity"},
    {"imap.seen-forgotten", "STORE answers with \\Seen as asked and does not keep it", "expectation"},
    {"imap.starttls-obeys-clear-text", "what came in clear text in one piece with STARTTLS is obeyed under TLS", "tls"},
    {"imap.move-doubles", "MOVE leaves two copies in the target", "duplicates"},
});

}  // namespace mailproof::server
