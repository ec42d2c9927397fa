#include <array>
#include <stdexcept>

#include "judge/case.h"

namespace mailproof::judge {
namespace {

constexpr auto kFail = Severity::fail;
constexpr auto kLatitude = Severity::latitude;
constexpr auto kUnclear = Severity::inconclusive;
constexpr auto kError = Severity::error;

constexpr auto kClasses = std::to_array<FindingClass>({
    {"loss", "lost", kFail,
     "RFC 5321 section 6.1, RFC 2033 section 4.2, RFC 3501 sections 6.3.11 and 6.4.7: who answers OK has taken "
     "responsibility for "
     "the message; it must not be lost (I1)"},
    {"loss", "lost-in-move", kFail,
     "RFC 6851 section 3.3: a message that is moved is in the source or in the destination, whatever the answer (I19)"},
    {"loss", "lost-in-rename", kFail,
     "RFC 3501 section 6.3.5: RENAME changes the name of a mailbox; what is in it stays (I20)"},
    {"loss", "not-confirmed", kUnclear,
     "Absence counts only when a second look after the settling time misses the message too (I1)"},
    {"loss", "perhaps-reported", kUnclear,
     "RFC 5321 section 6.1: what was taken is delivered or reported; a report to a full mailbox is seen by nobody "
     "(I35)"},
    {"loss", "not-audited", kUnclear, "Every accepted message must be found by a complete listing in the end (I1)"},
    {"loss", "suppressed-duplicate", kLatitude,
     "Common practice: a second delivery of the same message may be suppressed; no RFC asks for it (I1, I3)"},
    {"loss", "filed-elsewhere", kLatitude,
     "Common practice: a filter may file accepted mail in another mailbox of the same account (I1)"},
    {"loss", "put-elsewhere", kFail,
     "RFC 3501 sections 6.3.11 and 6.4.7, RFC 6851 section 3.3: what a client appends, copies or moves is in the "
     "mailbox that it named (I1)"},

    {"loss", "gone-when-marked", kLatitude,
     "RFC 3501 sections 5.2 and 6.4.3: what has \\Deleted any client of the account may expunge, and a server may "
     "itself "
     "(I1)"},

    {"content", "altered", kFail,
     "RFC 5321 section 4.4, RFC 3501 section 2.3: nothing but trace headers on top may be added; the content stays as "
     "sent (I2)"},
    {"content", "fields-added", kLatitude,
     "Common practice: a filter puts header fields of its own also below those that were sent; what was sent is there "
     "as "
     "it was (I2)"},
    {"content", "line-end-added", kFail,
     "RFC 3501 section 6.3.11: the literal of APPEND is the new message, also where its last line does not end (I2)"},
    {"content", "not-given", kFail,
     "RFC 3501 section 6.4.5: FETCH retrieves data of a message in the mailbox, or says NO; RFC 1939 section 5: RETR "
     "of "
     "what is listed sends the message (I2)"},
    {"content", "nil", kFail,
     "RFC 3501 section 6.4.5: the content of a message that is there can be fetched (NIL is for one that was expunged, "
     "RFC 2180 section 4.1.3)"},

    {"duplicates", "duplicated", kFail,
     "One acceptance makes one copy: RFC 5321 section 4.1.1.4, RFC 6851 section 3.3 (I3)"},
    {"duplicates", "refused-but-there", kFail,
     "RFC 3501 sections 6.3.11 and 6.4.7: after an APPEND or COPY that fails the mailbox is as it was before (I4)"},
    {"duplicates", "after-lost-answer", kLatitude,
     "RFC 1047: where the answer was lost and the client tried again, or one MTA behind another, a second copy may "
     "come "
     "(I3)"},
    {"duplicates", "moved-twice", kLatitude,
     "RFC 6851 section 3.3: each message SHOULD either be moved or unaffected, also when two sessions move it at once"},
    {"duplicates", "put-by-nobody", kLatitude,
     "Common practice: a filter, or a server that keeps what was removed, may put a copy into another mailbox; RFC "
     "6851 section 3.1: what is moved is in the target, and nowhere else (I3)"},
    {"duplicates", "left-by-rename", kFail,
     "RFC 3501 section 6.3.5: RENAME changes the name of a mailbox, and nothing stays under the old one; of INBOX it "
     "moves all messages and leaves INBOX empty (I20)"},
    {"duplicates", "resurrected", kFail, "RFC 3501 section 6.4.3: what was expunged is removed permanently (I6, I15)"},

    {"content", "size-differs", kFail,
     "RFC 3501 section 2.3.4: RFC822.SIZE is the number of octets in the message (I5)"},
    {"content", "piece-longer", kFail,
     "RFC 3501 section 6.4.5: a partial fetch brings at most as many octets as were asked for"},

    {"flags", "seen-by-peek", kFail, "RFC 3501 section 6.4.5: BODY.PEEK does not set the \\Seen flag (I17)"},
    {"flags", "unexplained", kLatitude,
     "RFC 3501 sections 2.3.2 and 6.4.6: a flag tells what somebody did with the message (I17)"},

    {"flags", "store-changed-more", kFail,
     "RFC 3501 section 6.4.6: STORE alters the flags of the messages that it names, and of no others (I17)"},
    {"flags", "forgotten", kFail,
     "RFC 3501 section 2.3.2: of a permanent flag concurrent and subsequent sessions see any change; another session "
     "had "
     "been told of this one (I17)"},
    {"flags", "came-back", kFail,
     "RFC 3501 section 2.3.2: permanent flags are those which the client can add or remove permanently; concurrent and "
     "subsequent sessions see any change (I17)"},
    {"flags", "session-only", kLatitude,
     "RFC 3501 sections 2.3.2 and 7.1: of a flag that is not permanent a change lasts for the session alone (I17)"},
    {"flags", "lost-in-copy", kLatitude,
     "RFC 3501 section 6.4.7, RFC 6851 section 3.3: the flags and internal date of what is copied or moved SHOULD be "
     "preserved (I18)"},
    {"flags", "gained-in-copy", kFail,
     "RFC 3501 section 6.4.7, RFC 6851 section 3.3: what is copied or moved has the flags of its message, and none of "
     "another's that was copied with it (I18)"},

    {"uidplus", "uidvalidity", kFail,
     "RFC 4315 section 3: APPENDUID and COPYUID tell the UIDVALIDITY of the destination mailbox, then the UID (I21)"},
    {"uidplus", "uid", kFail,
     "RFC 4315 section 3: APPENDUID and COPYUID tell the UID of the message that was made (I21)"},
    {"uidplus", "sets", kFail,
     "RFC 4315 section 3: COPYUID names as many UIDs in the destination as in the source (I21)"},

    {"mailboxes", "not-listed", kFail,
     "RFC 3501 sections 6.3.3, 6.3.8 and 5.1.3: a mailbox that was made under a name is listed under that name"},
    {"mailboxes", "not-selectable", kFail,
     "RFC 3501 sections 6.3.3 and 6.3.1: a mailbox that was made can be selected"},
    {"mailboxes", "still-listed", kFail, "RFC 3501 section 6.3.4: DELETE removes the mailbox permanently"},

    {"idle", "silent", kFail,
     "RFC 3501 section 5.2 and RFC 2177 section 3: a change of the mailbox's size that is seen during a command is "
     "told "
     "then; IDLE is the command that waits for it (I27)"},

    {"idle", "noop-silent", kFail,
     "RFC 3501 sections 5.2 and 6.1.2: a change of the mailbox's size that is seen during a command is told then; NOOP "
     "is the command that polls for new mail (I16)"},

    {"maildrop", "not-listed", kFail,
     "RFC 1939 section 4: when the maildrop has been opened each message in it gets a number (I28)"},

    {"identity", "uid-reused", kFail,
     "RFC 3501 section 2.3.1.1: under one UIDVALIDITY a UID means one message for ever (I5)"},
    {"identity", "size-changed", kFail,
     "RFC 3501 sections 2.3.1.1 and 2.3.4: a message does not change, its size neither (I5)"},
    {"identity", "date-changed", kFail,
     "RFC 3501 sections 2.3.1.1 and 2.3.3: a message does not change, its internal date neither (I5)"},
    {"identity", "uid-changed", kFail, "RFC 3501 section 2.3.1.1: a UID must not change during the session (I5)"},
    {"identity", "uid-order", kFail, "RFC 3501 section 2.3.1.1: UIDs ascend strictly with the sequence numbers (I7)"},

    {"identity", "uid-below-uidnext", kFail,
     "RFC 3501 section 2.3.1.1: UIDNEXT will not change unless messages are added, and what is added gets at least "
     "that "
     "UID (I8)"},
    {"identity", "uidnext-fell", kFail,
     "RFC 3501 section 2.3.1.1: UIDNEXT tells what the next UID will be at least: it never falls (I9)"},
    {"identity", "uidnext-behind", kFail,
     "RFC 3501 section 2.3.1.1: UIDNEXT is greater than every UID that was given (I9)"},
    {"identity", "uidvalidity-fell", kFail,
     "RFC 3501 section 2.3.1.1: where UIDs do not persist the new UIDVALIDITY MUST be greater than the one before "
     "(I10)"},
    {"identity", "uidvalidity-changed", kLatitude,
     "RFC 3501 section 2.3.1.1: UIDs SHOULD persist across sessions; with another UIDVALIDITY every client fetches all "
     "again (I10)"},

    {"modseq", "fell", kFail, "RFC 7162 section 3.1: the mod-sequence of a message only grows (I22)"},
    {"modseq", "stays", kFail,
     "RFC 7162 section 3.1: whenever metadata of a message changes it gets a new mod-sequence, higher than all before "
     "(I22)"},
    {"modseq", "below-highest", kFail,
     "RFC 7162 sections 3.1 and 3.1.2.1: what changes after HIGHESTMODSEQ was told gets a mod-sequence above it, or "
     "who "
     "asks with CHANGEDSINCE never hears of it (I22)"},
    {"modseq", "highest-behind", kFail,
     "RFC 7162 section 3.1.2.1: HIGHESTMODSEQ is the highest mod-sequence of all messages in the mailbox (I22)"},

    {"view", "expunge-unasked", kFail,
     "RFC 3501 section 7.4.1: EXPUNGE is not sent when no command is in progress (I12)"},
    {"view", "exists-fell", kFail,
     "RFC 3501 sections 5.2 and 7.3.1: the number of messages shrinks by EXPUNGE only, never by EXISTS (I11)"},
    {"view", "expunge-out-of-range", kFail,
     "RFC 3501 section 7.4.1: EXPUNGE names a sequence number between 1 and the number of messages (I11)"},
    {"view", "row-out-of-range", kFail,
     "RFC 3501 sections 7.3.1 and 7.4.2: FETCH names a message that EXISTS has announced (I11, I14)"},
    {"view", "rows-missing", kFail,
     "RFC 3501 section 6.4.5: FETCH answers for every message in the view, when nobody is expunging (I11)"},
    {"view", "expunge-of-the-living", kFail,
     "RFC 3501 section 7.4.1: EXPUNGE reports a message that was removed permanently (I11)"},

    {"removal", "more-than-expunged", kFail,
     "RFC 3501 sections 6.4.2 and 6.4.3, RFC 6851 section 3: only what has \\Deleted set, or is moved, goes (I15)"},
    {"removal", "more-than-marked", kFail,
     "RFC 1939 section 6: QUIT removes the messages marked as deleted; in no case any other (I29)"},
    {"removal", "without-quit", kFail,
     "RFC 1939 section 6: a session that ends without QUIT must not remove any messages (I29)"},
    {"removal", "quit-ok-but-there", kFail,
     "RFC 1939 section 6: after QUIT the messages marked as deleted are removed, or the answer is -ERR (I29)"},
    {"removal", "expunge-ok-but-there", kFail,
     "RFC 3501 section 6.4.3: EXPUNGE removes permanently all messages that have \\Deleted set (I15)"},
    {"removal", "store-ok-but-unset", kFail,
     "RFC 3501 section 6.4.6: a STORE that is answered OK has changed the flags; EXPUNGE takes what has \\Deleted "
     "(I15)"},

    {"removal", "unasked", kFail,
     "RFC 3501 section 6.4.3, RFC 1939 section 6: what goes, a client has asked for: it has \\Deleted set and is "
     "expunged, is moved, or is marked when QUIT comes (I15, I29)"},
    {"removal", "marked-over-imap", kLatitude,
     "RFC 1939 section 6: QUIT removes the messages marked as deleted, in no case any other; what bears IMAP's "
     "\\Deleted any client, and the server itself, may expunge at any time (I29)"},
    {"removal", "kept-for-imap", kLatitude,
     "RFC 1939 section 6: QUIT removes what is marked from the maildrop; whether IMAP goes on showing it, no RFC says"},
    {"removal", "moved-to-trash", kLatitude,
     "RFC 1939 section 6: QUIT removes what is marked from the maildrop; whether IMAP has it in a mailbox for deleted "
     "mail, no RFC says"},
    {"removal", "expunged-to-trash", kLatitude,
     "RFC 3501 section 6.4.3: EXPUNGE removes from the selected mailbox; whether the server then has it in a mailbox "
     "for "
     "deleted mail, no RFC says"},
    {"removal", "gone-after-download", kLatitude,
     "RFC 1939 section 8: a site may delete, following a login that was ended by a QUIT, all messages downloaded "
     "during "
     "the session with the RETR command"},
    {"removal", "not-as-declared", kFail,
     "The target file says what becomes, for IMAP, of what POP3 deletes, and with QUIT of what POP3 downloads "
     "(scenarios/targets.md, pop3_delete and pop3_download)"},

    {"pop3-session", "numbering-changed", kFail,
     "RFC 1939 section 4: a message keeps its number for the whole session (I28)"},
    {"pop3-session", "stat-not-sum", kFail,
     "RFC 1939 section 5: STAT is the count and the sum of what LIST tells (I28)"},
    {"pop3-session", "deleted-still-told", kFail,
     "RFC 1939 section 5: a message marked as deleted is not listed and not accessible (I28)"},
    {"pop3-session", "rset-does-not-restore", kFail,
     "RFC 1939 section 5: RSET unmarks; every message is back under its number (I28)"},
    {"pop3-session", "retr-size", kFail,
     "RFC 1939 sections 5 and 11: LIST tells the exact size in octets of what RETR sends (I31)"},
    {"pop3-session", "uidl-missing", kFail,
     "RFC 1939 section 7: UIDL without an argument has a line for each message in the maildrop (I30)"},
    {"pop3-session", "top-lines", kFail,
     "RFC 1939 section 7: TOP n k sends the header, the blank line and the first k lines of the body (I31)"},

    {"uidl", "format", kFail, "RFC 1939 section 7: a unique-id is one to 70 characters from 0x21 to 0x7E (I30)"},
    {"uidl", "not-unique", kFail, "RFC 1939 section 7: a unique-id identifies one message within a maildrop (I30)"},
    {"uidl", "changed", kFail, "RFC 1939 section 7: a unique-id persists across sessions (I30)"},
    {"uidl", "reused", kFail,
     "RFC 1939 section 7: a unique-id is not used again for as long as the message that has it exists (I30)"},
    {"uidl", "reused-later", kLatitude,
     "Common practice: a unique-id is not used again when its message is gone, either: clients that keep mail know it "
     "and skip the next one; RFC 1939 section 7 asks for it only as long as the message exists (I30)"},

    {"maildrop-lock", "stale-lock", kFail,
     "RFC 1939 section 4, RFC 2449 section 8.1.2: a maildrop is in use only while a session has it (I32)"},
    {"maildrop-lock", "snapshot-broken", kFail,
     "RFC 1939 section 4: a session has the maildrop for itself, or a snapshot that another session does not change "
     "(I32)"},

    {"agreement", "pop3-lacks", kFail, "Common practice: the maildrop and INBOX hold the same messages (I33)"},
    {"agreement", "imap-lacks", kFail, "Common practice: the maildrop and INBOX hold the same messages (I33)"},
    {"agreement", "not-confirmed", kUnclear,
     "The maildrop and INBOX may differ for a moment; a second look after the settling time decides (I33)"},

    {"lmtp-replies", "too-few", kFail,
     "RFC 2033 section 4.2: after the final dot one reply comes for each recipient that was accepted (I34)"},
    {"lmtp-replies", "too-many", kFail,
     "RFC 2033 section 4.2: after the final dot one reply comes for each recipient that was accepted, and no more "
     "(I34)"},
    {"lmtp-replies", "refused-but-delivered", kFail,
     "RFC 2033 section 4.2, RFC 5321 section 4.2.1: after a 4yz or 5yz reply the message was not accepted; delivered "
     "all the same it comes twice (I34)"},

    {"recipients", "refused-for-another", kFail,
     "RFC 2033 section 4.2: the reply for a recipient says what became of the message for that recipient (I34)"},
    {"recipients", "refused-with-another", kLatitude,
     "RFC 5321 sections 3.3 and 6.1: who has no room is refused at RCPT, or gets a report; that all others wait is "
     "left "
     "to no RFC (I34)"},

    {"bounce", "silent-drop", kFail,
     "RFC 5321 section 6.1: accepted mail is delivered, or its failure is reported to the sender (I35)"},
    {"bounce", "queued", kUnclear,
     "RFC 5321 section 4.5.4.1: what cannot be delivered is tried again, for days; until the MTA gives up nothing is "
     "owed (I35)"},
    {"bounce", "report-unread", kUnclear,
     "RFC 5321 section 6.1: a failure is reported to the sender; what may be another's report is not read (I35)"},
    {"bounce", "reported-twice", kFail,
     "RFC 5321 section 6.1, RFC 3464: one failure for one recipient is reported once (I35)"},
    {"bounce", "report-for-refused", kFail,
     "RFC 5321 section 4.2.5: after a refusal the client reports the failure, not the server (I35)"},
    {"bounce", "reported-and-delivered", kFail,
     "RFC 3464 section 2.3.3: \"failed\" means that the message was not delivered (I35)"},
    {"bounce", "report-status", kFail,
     "RFC 3464 section 2.3.4: a failed recipient has a status of class 4 or 5 in the form of RFC 3463 (I35)"},
    {"bounce", "report-reason", kFail,
     "RFC 3463 section 3.2: a status x.1.1 says that the address is unknown; the mailbox exists (I35)"},
    {"bounce", "report-elsewhere", kFail,
     "RFC 5321 section 6.1: the recipient of a notification MUST be the address from the envelope return path (I35)"},
    {"bounce", "report-sender", kFail, "RFC 5321 section 4.5.5: a delivery report has the null reverse-path (I35)"},

    {"quota", "usage-wrong", kFail,
     "RFC 2087 section 3: the usage of STORAGE is the sum of the messages' RFC822.SIZE, in units of 1024 octets; RFC "
     "9208 section 5.1: an estimate of their space (I36)"},
    {"quota", "usage-estimated", kLatitude,
     "RFC 2087 section 3: the usage of STORAGE is the sum of the messages' RFC822.SIZE; RFC 9208 section 5.1 lets it "
     "be "
     "an estimate of their space (I36)"},
    {"quota", "usage-late", kLatitude,
     "RFC 2087 section 3: the usage of STORAGE is the sum of the messages' RFC822.SIZE; RFC 9208 section 8 lets a "
     "server "
     "tell what it has cached (I36)"},
    {"quota", "refused-below-limit", kFail,
     "RFC 9208 sections 3.1 and 4.3.1: mail is refused as over quota only when it would exceed the limit (I36)"},
    {"quota", "refused-by-estimate", kLatitude,
     "RFC 9208 section 4.3.1: mail is refused as over quota when it would exceed the limit; section 5.1 lets the usage "
     "be "
     "an estimate, and that stood near it (I36)"},
    {"quota", "not-freed", kFail, "RFC 9208 section 4.3.1: what was removed counts no longer (I36)"},
    {"quota", "wrong-reason", kFail,
     "RFC 3463 section 3.2: x.1.1 says that the mailbox does not exist; senders give such an address up (I36)"},
    {"quota", "accepted-over-limit", kFail,
     "RFC 9208 section 3.1.2: a server with hard limits disallows what would exceed one; this one did so at other "
     "times, for the same command (I36)"},
    {"quota", "let-over-limit", kLatitude,
     "RFC 9208 section 3.1.2: limits may be hard or soft: a server MAY choose to disallow what would exceed one (I36)"},
    {"quota", "messages-wrong", kFail,
     "RFC 9208 section 5.2: the usage of MESSAGE MUST be the exact number of messages in the mailboxes that the root "
     "governs, INBOX among them (I36)"},
    {"quota", "messages-differ", kLatitude,
     "RFC 9208 section 5.2: the usage of MESSAGE MUST be an exact number; the root may govern mailboxes that the "
     "client "
     "does not see, and not all that it sees (I36)"},
    {"quota", "others-mail", kUnclear,
     "RFC 9208 section 3: a quota counts whatever is there; how much other people's mail is, nobody looked (I36)"},
    {"quota", "usage-changed", kUnclear,
     "The usage is compared with the messages while neither changes; mail that comes in meanwhile counts, too (I36)"},
    {"quota", "not-told", kUnclear, "The scenario asks for the quota usage, and the server did not tell it (I36)"},

    {"isolation", "leak", kFail, "No session of one user ever sees a message of another (I37)"},

    {"expectation", "may-differ", kLatitude, "The scenario says what a server may do otherwise, and where that stands"},
    {"expectation", "welcome", kFail, "The scenario says whether a login is accepted"},
    {"expectation", "plaintext-login", kLatitude,
     "RFC 8314 section 4.1: logging in without TLS SHOULD be refused; RFC 3501 section 6.2.3 and RFC 2595 section 2.3 "
     "ask "
     "only that it can be"},
    {"expectation", "late", kLatitude, "The scenario gives a time within which this must be so"},
    {"expectation", "not-seen", kFail, "The scenario says that the device sees the messages"},
    {"expectation", "did-not-stay", kFail, "The scenario says for how long the device goes on seeing the messages"},
    {"expectation", "still-seen", kFail, "The scenario says that the messages go from the device"},
    {"expectation", "outcome", kFail, "The scenario says what must come of the delivery"},
    {"expectation", "not-found", kFail, "RFC 3501 section 6.4.4: SEARCH finds what matches, and nothing else"},
    {"expectation", "search-refused", kFail, "RFC 3501 section 6.4.4: SEARCH takes every key that stands there"},
    {"expectation", "not-downloaded", kFail, "The scenario says that the messages are downloaded"},
    {"expectation", "fate", kFail, "The scenario says what becomes of the messages"},
    {"expectation", "count", kFail, "The scenario says how many messages the mailbox holds"},
    {"expectation", "disagree", kFail, "The scenario says that the views agree"},
    {"expectation", "delta-differs", kFail,
     "RFC 7162 sections 3.1.4.1 and 3.2.5: a resync tells everything that has changed, and nothing else (I23, I24)"},
    {"expectation", "not-intact", kFail, "The scenario says that the messages are as they were sent"},
    {"expectation", "not-asked", kUnclear, "What the scenario expects must be looked at"},

    {"tls", "clear-text-obeyed", kFail,
     "RFC 9051 section 6.2.1, RFC 2595 section 4, CERT VU#555316: what came in clear text behind STARTTLS is thrown "
     "away or breaks the "
     "handshake; it is never obeyed"},
    {"conformance", "broken", kFail, "What the RFC demands (MUST), or a practice that mail hangs on"},
    {"conformance", "not-followed", kLatitude, "What the RFC recommends (SHOULD), or what clients count on"},
    {"conformance", "not-played", kError, "A check must come as far as its first line"},
    {"conformance", "unclear", kUnclear, "Only what was asked and answered can be judged"},
    {"conformance", "not-prepared", kUnclear,
     "What only prepares a check is not what the check is about: without it nothing can be said"},
    {"conformance", "service-ended", kUnclear,
     "RFC 5321 sections 3.8 and 4.2.1, RFC 9051 section 7.1.5: a server may end its service at any time, with 421 or "
     "BYE"},
    {"conformance", "not-now", kUnclear,
     "RFC 5530 section 3, RFC 3206 section 4, RFC 5321 section 4.2.1: a server may say that it cannot do it at the "
     "moment"},
    {"conformance", "hung-up", kUnclear,
     "A network may end a connection, too: what happens once is held against nobody"},
    {"conformance", "queued", kUnclear, "RFC 5321 section 4.5.4.1: an MTA may try for days"},
    {"conformance", "beyond-bounds", kUnclear, "What a check does not follow any further it cannot judge"},
    {"conformance", "late", kLatitude, "No RFC gives a reply a deadline: what comes late is not wrong"},
    {"conformance", "silent", kUnclear,
     "No RFC gives a reply a deadline: what did not come may still come, unless later commands are answered before it"},
    {"conformance", "others-mail", kUnclear, "Only on a mailbox that holds the check's own mail can it be judged"},

    {"session", "unreachable", kError, "The target must be reachable"},
    {"session", "login-refused", kError, "The target's accounts must let us in"},
    {"session", "tls-failed", kError, "RFC 8314: TLS must come up and the certificate must be valid"},
    {"session", "bring-up-failed", kError, "A session must come as far as its first command"},
    {"session", "problem", kError, "The scenario must be playable"},
    {"session", "interrupted", kUnclear, "Only what was played to its end can be judged"},
    {"session", "another-run", kError,
     "One run at a time has the accounts, and what a scenario sent has come before the next: else one takes the "
     "other's mail away"},
    {"session", "foreign-mail", kUnclear, "What is not ours is neither removed, nor moved, nor marked, nor read"},
    {"session", "audit-incomplete", kUnclear, "The audit must be able to look at every leased account"},
    {"session", "protocol-broken", kFail, "The server must keep to the grammar"},
    {"session", "beyond-bounds", kUnclear,
     "No RFC bounds what a server says, but mailproof does: what it does not follow any further it cannot judge"},
    {"session", "literal-too-short", kFail,
     "RFC 3501 section 4.3: a literal is as many octets as it announces; who waits for the rest waits for ever"},
    {"session", "ended-by-server", kLatitude,
     "RFC 3501 sections 3.4 and 7.1.5, RFC 1939 section 3: a command is answered; a session that ends before, but by "
     "BYE during IDLE, leaves open what became of it"},
    {"session", "hung-up", kUnclear,
     "RFC 3501 section 3.4: a server \"MUST NOT unilaterally close the connection without sending an untagged BYE "
     "response\"; RFC 1939 section 3: a command is answered; a network may do that too, so that nothing is known of "
     "the "
     "command"},
    {"session", "no-answer", kUnclear, "A command must be answered within its bound"},
    {"session", "unreadable-vanished", kFail,
     "RFC 7162 section 7: VANISHED names UIDs, and none of them is 0; who cannot read it keeps what is gone (I13)"},
    {"session", "unreadable-fetch", kFail,
     "RFC 3501 sections 7.4.2 and 9: a FETCH response follows the grammar; of one that does not a client learns "
     "nothing"},
    {"session", "mailbox-name", kLatitude,
     "RFC 3501 section 5.1.3: by convention names are in modified UTF-7, in which \"&\" begins what is encoded; the "
     "grammar does not demand it, but clients decode"},
    {"session", "deviation", kLatitude, "The server's answers must follow the grammar"},

    {"judging", "crashed", kError, "A judge must come to an end"},
});

}  // namespace

std::span<const FindingClass> finding_classes() { return kClasses; }

const FindingClass& finding_class(std::string_view judge, std::string_view name) {
  for (const FindingClass& known : kClasses)
    if (known.judge == judge && known.name == name) return known;
  throw std::logic_error("no class of findings " + std::string(judge) + "/" + std::string(name));
}

}  // namespace mailproof::judge
