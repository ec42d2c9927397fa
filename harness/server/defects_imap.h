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
    {"imap.store-passes-one-over",
     "STORE of \\Deleted on several messages leaves the first without it, says so in its FETCH, and answers OK",
     "removal"},
    {"imap.starttls-obeys-clear-text", "what came in clear text in one piece with STARTTLS is obeyed under TLS", "tls"},
    {"imap.move-doubles", "MOVE leaves two copies in the target", "duplicates"},
    {"imap.peek-sets-seen", "BODY.PEEK of a whole message, a text or a part sets \\Seen; of a header it does not",
     "flags"},
    {"imap.appenduid-swapped", "APPENDUID tells the UID before the UIDVALIDITY", "uidplus"},
    {"imap.size-zero", "RFC822.SIZE is 0 whatever the message", "content"},
    {"imap.size-huge", "RFC822.SIZE is 2^63-1 whatever the message", "content"},
    {"imap.size-counts-lf", "RFC822.SIZE counts every line end as one octet", "content"},
    {"imap.literal-longer-than-sent", "the literal of a message over 16 KiB announces a quarter more octets than come",
     "session"},
    {"imap.partial-gives-more", "BODY[]<0.100> brings up to 64 octets more than were asked for", "content"},
    {"imap.idle-silent", "nothing is told while IDLE runs, nor when it ends; the next NOOP tells it", "idle"},
    {"imap.search-unseen-empty", "SEARCH UNSEEN finds nothing, in two empty replies", "expectation"},
    {"imap.vanished-zero", "the expunge of UID 1 is told as VANISHED 0:1 where QRESYNC is on", "session"},
    {"imap.qresync-misses-expunge", "VANISHED (EARLIER) leaves out the highest UID when it was expunged",
     "expectation"},
    {"imap.modseq-stays", "a change of flags leaves the message's MODSEQ as it was", "modseq"},
    {"imap.copies-die-together", "what COPY makes is the same message: who expunges one takes the others", "removal"},
    {"imap.rename-loses-newest", "RENAME loses the newest message of the mailbox", "loss"},
    {"imap.list-merges-ampersand", "LIST encodes an ampersand between two letters that are not ASCII as one of them",
     "mailboxes"},
    {"imap.expunge-leaves-one", "EXPUNGE leaves one of several messages with \\Deleted, the newest", "removal"},
    {"imap.logout-expunges", "LOGOUT expunges what has \\Deleted in the selected mailbox", "loss"},
    {"imap.expunged-comes-back", "a server that is killed has what was expunged last from every mailbox again",
     "removal"},
    {"imap.copy-loses-flags", "COPY makes messages without any flag", "flags"},
    {"imap.copy-in-part", "COPY without room for all copies what fits and answers NO", "duplicates"},
    {"imap.copy-cuts", "COPY keeps the first half of a message", "content"},
    {"imap.move-leaves-source", "MOVE leaves the message in the source as well", "removal"},
    {"imap.copy-ok-but-absent", "COPY answers OK without COPYUID and copies nothing", "loss"},
    {"imap.copy-takes-another", "COPY of one message copies the one before it, and answers OK without COPYUID", "loss"},
    {"imap.rename-leaves-copies", "RENAME leaves copies of the messages under the old name", "duplicates"},
    {"imap.move-loses-flags", "MOVE makes messages without any flag", "flags"},
    {"imap.move-leaves-copy-in-trash", "MOVE puts one more copy into Trash", "duplicates"},
    {"imap.moved-comes-back", "what MOVE took out of the source is there again under another UID", "removal"},
    {"imap.flags-forgotten", "flags that a session set are gone when it logs out or closes the mailbox", "flags"},
    {"imap.store-changes-next", "STORE changes the message behind those that it names as well", "flags"},
    {"imap.store-changes-all", "STORE changes all messages of the mailbox", "flags"},
    {"imap.rename-inbox-keeps", "RENAME of INBOX leaves its messages in INBOX as well", "conformance"},
    {"imap.create-empties", "CREATE of a mailbox that is there answers OK and empties it", "loss"},
    {"imap.delete-takes-inferiors", "DELETE of a mailbox takes those below it along", "conformance"},
    {"imap.append-into-nothing", "APPEND to a mailbox that is not there answers OK", "conformance"},
    {"imap.append-cut", "APPEND keeps the first 2048 octets of a message", "content"},
    {"imap.append-date-ignored", "APPEND takes the time of the day for the date-time that it was given", "conformance"},
});

}  // namespace mailproof::server
