#pragma once
#include <array>

#include "server/server.h"

namespace mailproof::server {

/// One line a latitude: name, what the server then does instead, the RFC that leaves it open. No judge may mind any of
/// them.
inline constexpr auto kLatitudes = std::to_array<Switch>({
    {"imap.nil-for-expunged", "FETCH of a message another session expunged answers NIL instead of its data",
     "RFC 2180 section 4.1.3"},
    {"imap.no-without-code",
     "NO comes without a response code, but for those that are a MUST (TRYCREATE, TOOBIG, METADATA, UNKNOWN-CTE)",
     "RFC 3501 section 7.1, RFC 5530"},
    {"imap.expunge-waits-for-noop", "EXPUNGE by others is told during NOOP, CHECK and IDLE only",
     "RFC 3501 section 5.2, RFC 2180 section 4.1.2"},
    {"imap.no-move", "MOVE is not offered: clients copy, mark and expunge", "RFC 6851 section 1"},
    {"imap.no-uidplus", "UIDPLUS is missing: no APPENDUID, no COPYUID, no UID EXPUNGE", "RFC 4315"},
    {"imap.no-quota", "QUOTA is not offered: a limit is there, and nobody is told of it", "RFC 9208 section 1"},
    {"imap.quota-cached", "the usage of STORAGE is told as it was up to three seconds before", "RFC 9208 section 8"},
    {"imap.literal-minus", "LITERAL- is offered instead of LITERAL+: no more than 4096 octets without being asked for",
     "RFC 7888 section 5"},
    {"imap.utf8-accept", "UTF8=ACCEPT is offered, and a message with an 8-bit header is refused without it",
     "RFC 6855 section 4"},
    {"imap.modseq-when-enabled",
     "HIGHESTMODSEQ comes with SELECT only once CONDSTORE is enabled, as Dovecot 2.3 has it", "RFC 4551 section 3.1.1"},
    {"imap.no-modseq", "no mailbox keeps mod-sequences: SELECT says NOMODSEQ, and what needs them is BAD",
     "RFC 7162 section 3.1.2.2"},
    {"imap.takes-plaintext-login", "LOGIN is taken without TLS also on a port that is there for TLS",
     "RFC 8314 section 4.1 (SHOULD), RFC 3501 section 6.2.3"},
    {"delivery.quota-tempfail", "mail for a full mailbox is put off with 452 4.2.2 instead of refused with 552 5.2.2",
     "RFC 5321 section 4.2.3"},
    {"delivery.quota-soft", "a limit is told, and nothing is refused because of it", "RFC 9208 section 3.1.2"},
    {"delivery.bounce-instead-of-refuse", "SMTP accepts mail for a full mailbox and reports the failure to the sender",
     "RFC 5321 section 6.1"},
    {"delivery.queues-when-full",
     "SMTP accepts mail for a full mailbox, tries it every 20 seconds, and reports the failure after five minutes",
     "RFC 5321 section 4.5.4.1"},
    {"delivery.queues", "SMTP accepts all mail at once and delivers it twenty seconds later",
     "RFC 5321 section 4.5.4.1"},
    {"pop3.delete-keeps-for-imap",
     "what POP3 deletes is gone from the maildrop and stays for IMAP, as with Dovecot's "
     "pop3_deleted_flag",
     "RFC 1939 section 6"},
    {"pop3.delete-to-trash", "what POP3 deletes is gone from the maildrop and is in Trash for IMAP",
     "RFC 1939 section 6"},
    {"pop3.removes-downloaded",
     "QUIT also removes what the session downloaded with RETR, and CAPA says nothing of EXPIRE", "RFC 1939 section 8"},
    {"pop3.expire-0", "EXPIRE 0 is announced, and QUIT also removes what the session downloaded with RETR",
     "RFC 2449 section 6.7"},
    {"pop3.snapshot-maildrop", "a second POP3 session of the same user is let in and sees its own snapshot",
     "RFC 1939 section 4"},
    {"pop3.login-delay",
     "LOGIN-DELAY 10 is announced: a login within ten seconds of the user's last one is refused with [LOGIN-DELAY]",
     "RFC 2449 section 6.5"},
    {"pop3.retr-sets-seen", "RETR sets \\Seen", "RFC 1939 section 5"},
});

}  // namespace mailproof::server
