#pragma once
#include <array>

#include "server/server.h"

namespace mailproof::server {

/// One line a defect: name, what the server then does, the judge that must fire. It acts where `defect("its name")` is
/// asked.
inline constexpr auto kDeliveryDefects = std::to_array<Switch>({
    {"delivery.accepts-and-drops", "every second message accepted with 250 is thrown away", "loss"},
    {"delivery.drops-one-in-200", "one accepted message in 200 is thrown away", "loss"},
    {"delivery.drops-one-in-5000", "one accepted message in 5,000 is thrown away", "loss"},
    {"delivery.suppresses-same-message-id",
     "a second message with a Message-ID this mailbox has had is accepted and thrown away", "loss"},
    {"delivery.drops-every-second-repeat",
     "of messages with a Message-ID that this mailbox has had every second one is accepted and thrown away", "loss"},
    {"delivery.duplicate", "every message is put into the mailbox twice", "duplicates"},
    {"delivery.loses-last-line", "the last line of every message is cut off", "content"},
    {"delivery.strips-eighth-bit", "8-bit octets lose their highest bit", "content"},
    {"delivery.wrong-lmtp-reply-order", "the replies after the final dot come in reverse order of the recipients",
     "lmtp-replies"},
    {"delivery.one-lmtp-reply-for-all", "only the first recipient is answered after the final dot", "lmtp-replies"},
    {"delivery.one-full-fails-all", "when one of several recipients has no room, 451 is said of all of them",
     "recipients"},
    {"delivery.bdat-lost", "mail that comes by BDAT is answered 250 and lost, and the connection is closed", "loss"},
    {"delivery.cross-account-copy", "the next account gets a copy of every message", "isolation"},
    {"delivery.lf-dot-ends-data", "a dot between line ends of which one is a bare LF ends a message over SMTP",
     "conformance"},
    {"delivery.cr-dot-ends-data", "a dot between bare CRs, or behind CRLF and before a CR, ends a message over SMTP",
     "conformance"},
    {"delivery.starttls-obeys-clear-text",
     "what came in clear text in one piece with STARTTLS is obeyed under TLS, over SMTP", "conformance"},
    {"delivery.lost-when-killed", "a server that is killed has lost the newest message of every mailbox", "loss"},
    {"delivery.copy-for-each-recipient", "every recipient gets as many copies as there are recipients", "duplicates"},
    {"delivery.rset-keeps-chunks", "the next BDAT goes on where one was that RSET or EHLO discarded", "conformance"},
    {"delivery.dot-kept-at-edge", "a doubled dot stays doubled behind every 16 KiB of a message", "conformance"},
    {"delivery.half-a-mail-delivered", "what has come of a message when the connection breaks is delivered", "content"},
    {"delivery.second-recipient-cut", "all but the first recipient get a message without its last line", "content"},
});

}  // namespace mailproof::server
