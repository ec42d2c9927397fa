#pragma once
#include <array>

#include "server/server.h"

namespace mailproof::server {

/// Of UIDs, sequence numbers and what a session is told: one line a defect, as in defects_imap.h.
inline constexpr auto kImapViewDefects = std::to_array<Switch>({
    {"imap.uids-renumbered", "an expunge numbers the UIDs of what is left anew, from 1", "identity"},
    {"imap.uids-renumbered-when-killed", "a server that is killed numbers the UIDs of every mailbox anew, from 1",
     "identity"},
    {"imap.uidvalidity-falls", "every SELECT and EXAMINE of a mailbox tells a smaller UIDVALIDITY", "identity"},
    {"imap.uidvalidity-always-one", "every mailbox has UIDVALIDITY 1, one of an old name as well", "identity"},
    {"imap.late-uid", "of two messages the one that comes second gets the lower UID, below the UIDNEXT that was told",
     "identity"},
    {"imap.uidnext-behind", "SELECT, EXAMINE and STATUS tell the highest UID that is taken as UIDNEXT", "identity"},
    {"imap.star-is-nothing", "UID FETCH * finds nothing", "conformance"},
    {"imap.expunge-in-fetch", "EXPUNGE is told while FETCH, STORE and SEARCH run", "conformance"},
    {"imap.numbers-shared", "FETCH by number takes the numbers of the mailbox, not those that the session was told",
     "conformance"},
    {"imap.store-numbers-shared",
     "STORE by number takes the numbers of the mailbox, not those that the session was told", "conformance"},
    {"imap.fetch-ends-at-thousand", "FETCH tells of a thousand messages at most", "conformance"},
    {"imap.copy-keeps-modseq", "a copy has the MODSEQ that its message has in the other mailbox", "conformance"},
    {"imap.expunge-swallowed", "what others expunged is dropped by the next command and never told", "view"},
    {"imap.expunge-told-twice", "what others expunged is told twice", "view"},
    {"imap.fetch-before-exists", "FETCH of a new message is told before the EXISTS that announces it", "view"},
    {"imap.own-append-not-told", "what the session itself appends to its mailbox is not told to it", "conformance"},
    {"imap.rows-misnumbered", "what UID FETCH answers is numbered from 1", "identity"},
    {"imap.old-mailbox-told", "what was expunged from the mailbox before is told of the one selected now", "view"},
    {"imap.move-takes-numbers", "UID MOVE takes its UIDs for message numbers", "expectation"},
    {"imap.silent-store-hides-modseq", "a silent STORE does not tell the new MODSEQ", "conformance"},
    {"imap.vanished-lists-living", "VANISHED (EARLIER) names the oldest message, which is there", "expectation"},
    {"imap.idle-of-inbox-only", "IDLE tells nothing of any mailbox but INBOX, nor when it ends; the next NOOP tells it",
     "idle"},
    {"imap.idle-ends-with-news", "a message that comes in during IDLE ends the connection", "session"},
    {"imap.arrivals-untold", "new mail is told by SELECT and EXAMINE only", "expectation"},
    {"imap.status-drifts", "UNSEEN of STATUS is one too few, and 4294967295 where nothing is", "conformance"},
});

}  // namespace mailproof::server
