#pragma once
#include <array>

#include "server/server.h"

namespace mailproof::server {

/// One line a defect: name, what the server then does, the judge that must fire. It acts where `defect("its name")` is
/// asked.
inline constexpr auto kPop3Defects = std::to_array<Switch>({
    {"pop3.dele-without-quit", "deletions are carried out although the connection ends without QUIT", "removal"},
    {"pop3.quit-deletes-nothing", "QUIT says +OK and removes nothing", "removal"},
    {"pop3.quit-deletes-more", "QUIT after a DELE empties the maildrop, mail that came since the login included",
     "removal"},
    {"pop3.quit-takes-numbers",
     "QUIT removes what has the marked numbers in the mailbox by then, whatever IMAP has expunged meanwhile",
     "removal"},
    {"pop3.quit-takes-unmarked", "QUIT that has something to remove takes what RSET had unmarked, too", "removal"},
    {"pop3.quit-counts-from-the-end",
     "QUIT removes what is as far from the newest message as the marked ones were at login, whatever came meanwhile",
     "removal"},
    {"pop3.quit-expunges", "QUIT that has something to remove takes what has \\Deleted with it", "conformance"},
    {"pop3.dele-sets-deleted", "DELE sets \\Deleted at once, and a session that ends without QUIT leaves it there",
     "conformance"},
    {"pop3.rset-leaves-last", "RSET leaves the mark of the last message", "pop3-session"},
    {"pop3.retr-cut-at-dot-line", "RETR ends before the first line that begins with a dot", "pop3-session"},
    {"pop3.size-counts-lf", "STAT and LIST count every line end as one octet", "pop3-session"},
    {"pop3.list-shows-deleted", "LIST and UIDL go on listing what DELE marked", "pop3-session"},
    {"pop3.renumbers-in-session", "message numbers follow what other sessions do to the mailbox", "pop3-session"},
    {"pop3.uidl-changes", "the same message has another unique-id in every session", "uidl"},
    {"pop3.uidl-twice", "the newest message has the unique-id of the one before it", "uidl"},
    {"pop3.lock-kept-after-drop", "a connection that ends without QUIT keeps the maildrop locked for ever",
     "maildrop-lock"},
    {"pop3.stls-keeps-clear-text",
     "what came in clear text in one piece with STLS is obeyed when the next octets come under TLS", "tls"},
    {"pop3.stls-obeys-clear-text", "what came in clear text in one piece with STLS is obeyed under TLS", "tls"},
    {"pop3.empty-at-times", "every third login finds an empty maildrop", "maildrop"},
    {"pop3.hides-newest", "the newest message is not in the maildrop", "agreement"},
    {"pop3.uidl-reused", "the unique-id of a message is that of its number, and the next in its place has it again",
     "uidl"},
    {"pop3.removed-is-empty", "RETR of a message that IMAP has expunged meanwhile brings an empty one", "pop3-session"},
    {"pop3.top-counts-header", "TOP counts the lines of the header as lines of the body", "conformance"},
    {"pop3.top-counts-pieces", "TOP counts each 1024 octets of a long line as a line", "conformance"},
    {"pop3.unfinished-line-glued", "RETR of a message without a last line end glues the final dot to its last line",
     "conformance"},
    {"pop3.block-end-lost-at-edge",
     "where a buffer of 4,096 octets ends before the last octet of a reply to RETR, that octet is never sent",
     "conformance"},
    {"pop3.quit-unanswered", "QUIT is carried out, and the connection ends without an answer", "conformance"},
    {"pop3.command-lost-at-4096",
     "of a command that lies across the end of a read of 4096 octets the beginning is thrown away", "conformance"},
    {"pop3.pipelined-twice", "a command that comes in one piece with the one before it is carried out twice",
     "conformance"},
});

}  // namespace mailproof::server
