#include "judge/invariants.h"

#include <array>

#include "core/words.h"

namespace mailproof::judge {
namespace {

constexpr auto kHard = Invariant::Kind::hard;
constexpr auto kBounded = Invariant::Kind::bounded;
constexpr auto kBoth = Invariant::Kind::hard_and_warning;

constexpr auto kInvariants = std::to_array<Invariant>({
    {1, kHard, "What was accepted is there until a client may have removed it",
     "RFC 5321 section 6.1, RFC 3501 section 6.3.11",
     "loss/lost, loss/not-confirmed, loss/not-audited, loss/suppressed-duplicate, loss/filed-elsewhere, "
     "loss/put-elsewhere, "
     "loss/gone-when-marked",
     ""},
    {2, kHard, "What is there was sent, and is as it was sent", "RFC 5321 section 4.4, RFC 3501 section 2.3",
     "content/altered, content/fields-added, content/line-end-added, content/not-given", ""},
    {3, kBoth, "One acceptance makes one copy", "RFC 6851 section 3.3, RFC 1047",
     "duplicates/duplicated, duplicates/after-lost-answer, loss/suppressed-duplicate, duplicates/put-by-nobody", ""},
    {4, kHard, "A refused APPEND or COPY leaves the mailbox as it was", "RFC 3501 sections 6.3.11 and 6.4.7",
     "duplicates/refused-but-there", ""},
    {5, kHard, "A UID under one UIDVALIDITY is one message for ever, with its size and date",
     "RFC 3501 section 2.3.1.1",
     "identity/uid-reused, identity/size-changed, identity/date-changed, identity/uid-changed, content/size-differs",
     ""},
    {6, kHard, "A UID that was expunged is given to no other message", "RFC 3501 sections 2.3.1.1, 6.3.4 and 6.3.5",
     "duplicates/resurrected", "imap.9051-2.3.1.1.uid-no-reuse"},
    {7, kHard, "UIDs ascend with the message numbers", "RFC 3501 section 2.3.1.1", "identity/uid-order", ""},
    {8, kHard, "What comes after UIDNEXT was told has at least that UID", "RFC 3501 section 2.3.1.1",
     "identity/uid-below-uidnext", ""},
    {9, kHard, "UIDNEXT never falls, and is above every UID", "RFC 3501 section 2.3.1.1",
     "identity/uidnext-fell, identity/uidnext-behind", ""},
    {10, kBoth, "UIDVALIDITY stays, or grows where it must change", "RFC 3501 section 2.3.1.1",
     "identity/uidvalidity-fell, identity/uidvalidity-changed", ""},
    {11, kHard, "Numbers are 1 to N; N grows by EXISTS and shrinks by EXPUNGE", "RFC 3501 sections 5.2 and 7.3.1",
     "view/exists-fell, view/expunge-out-of-range, view/row-out-of-range, view/rows-missing, "
     "view/expunge-of-the-living",
     ""},
    {12, kHard, "No EXPUNGE without a command, nor during FETCH, STORE and SEARCH", "RFC 3501 section 7.4.1",
     "view/expunge-unasked", "imap.9051-7.5.1.expunge-not-in-fetch"},
    {13, kHard, "VANISHED names UIDs, and EXPUNGE a number there is", "RFC 7162 sections 3.2.10 and 7",
     "session/unreadable-vanished", "imap.9051-7.5.1.expunge-seq-adjusts"},
    {14, kHard, "FETCH tells of numbers that EXISTS has announced", "RFC 3501 sections 7.3.1 and 7.4.2",
     "view/row-out-of-range", ""},
    {15, kHard, "What goes, a client has asked for; what is asked for goes",
     "RFC 3501 sections 6.4.2, 6.4.3 and 6.4.6, RFC 1939 section 6",
     "removal/more-than-expunged, removal/expunge-ok-but-there, removal/store-ok-but-unset, removal/unasked, "
     "duplicates/resurrected",
     ""},
    {16, kBounded, "A change is told to the other sessions by their next NOOP", "RFC 3501 sections 5.2 and 6.1.2",
     "expectation/not-seen, expectation/still-seen, expectation/late, idle/noop-silent", "x.expunge-propagates"},
    {17, kHard, "Flags are as somebody has set them", "RFC 3501 sections 6.4.6 and 6.4.5",
     "flags/seen-by-peek, flags/unexplained, flags/store-changed-more, flags/forgotten, flags/came-back, "
     "flags/session-only",
     ""},
    {18, kBoth, "A copy is what was copied, with flags and date", "RFC 3501 section 6.4.7",
     "flags/lost-in-copy, flags/gained-in-copy", ""},
    {19, kHard, "What is moved is in the source or in the target", "RFC 6851 section 3.3", "loss/lost-in-move", ""},
    {20, kHard, "RENAME keeps what is in the mailbox", "RFC 3501 section 6.3.5",
     "loss/lost-in-rename, duplicates/left-by-rename", ""},
    {21, kHard, "APPENDUID and COPYUID name the messages that were made", "RFC 4315 section 3",
     "uidplus/uidvalidity, uidplus/uid, uidplus/sets", ""},
    {22, kHard, "MODSEQ rises with every change and never falls", "RFC 7162 sections 3.1 and 3.1.2.1",
     "modseq/fell, modseq/stays, modseq/below-highest, modseq/highest-behind", ""},
    {23, kHard, "A resync tells every change, and nothing that is there as gone", "RFC 7162 sections 3.2.5 and 3.2.6",
     "expectation/delta-differs", ""},
    {24, kHard, "What a resync makes of a cache is what a full listing shows", "RFC 7162 section 3.2.5",
     "expectation/delta-differs", ""},
    {25, kHard, "SEARCH finds what matches, and nothing else", "RFC 3501 section 6.4.4",
     "expectation/not-found, expectation/search-refused", ""},
    {26, kBounded, "In the end all sessions and all counters agree", "RFC 3501 section 6.3.10",
     "expectation/disagree, expectation/count, view/rows-missing", ""},
    {27, kBounded, "IDLE tells what happens", "RFC 2177 section 3", "idle/silent", ""},
    {28, kHard, "POP3 numbers stay, STAT is the sum of LIST, what is marked is not told", "RFC 1939 sections 4 and 5",
     "pop3-session/numbering-changed, pop3-session/stat-not-sum, pop3-session/deleted-still-told, "
     "pop3-session/rset-does-not-restore, maildrop/not-listed",
     ""},
    {29, kHard, "QUIT removes what is marked; nothing else does", "RFC 1939 section 6",
     "removal/more-than-marked, removal/marked-over-imap, removal/without-quit, removal/quit-ok-but-there, "
     "removal/unasked",
     ""},
    {30, kBoth, "A unique-id is one message's, and stays", "RFC 1939 section 7",
     "uidl/format, pop3-session/uidl-missing, uidl/not-unique, uidl/changed, uidl/reused, uidl/reused-later", ""},
    {31, kHard, "RETR brings as many octets as LIST tells; TOP the lines that were asked for",
     "RFC 1939 sections 5, 7 and 11", "pop3-session/retr-size, pop3-session/top-lines", ""},
    {32, kBounded, "One POP3 session has the maildrop, or each a snapshot", "RFC 1939 section 4",
     "maildrop-lock/stale-lock, maildrop-lock/snapshot-broken", ""},
    {33, kBounded, "POP3 and IMAP show the same messages", "",
     "agreement/pop3-lacks, agreement/imap-lacks, agreement/not-confirmed", ""},
    {34, kHard, "Over LMTP every recipient has a reply of its own, and it is true", "RFC 2033 section 4.2",
     "lmtp-replies/too-few, lmtp-replies/too-many, lmtp-replies/refused-but-delivered, "
     "recipients/refused-for-another, recipients/refused-with-another",
     ""},
    {35, kHard, "What was accepted arrives, or its sender is told, once", "RFC 5321 section 6.1, RFC 3464",
     "bounce/silent-drop, bounce/queued, bounce/report-unread, bounce/reported-twice, bounce/report-for-refused, "
     "bounce/reported-and-delivered, bounce/report-status, bounce/report-reason, bounce/report-sender, "
     "bounce/report-elsewhere, "
     "loss/perhaps-reported",
     ""},
    {36, kBounded, "Usage is the sum of the messages, and decides", "RFC 9208 sections 3.1 and 4.3.1",
     "quota/usage-wrong, quota/usage-estimated, quota/usage-late, quota/refused-below-limit, "
     "quota/refused-by-estimate, quota/not-freed, quota/wrong-reason, quota/accepted-over-limit, quota/let-over-limit, "
     "quota/others-mail, quota/usage-changed, quota/not-told, quota/messages-wrong, quota/messages-differ",
     ""},
    {37, kHard, "Nobody sees another's mail", "", "isolation/leak", ""},
    {38, kHard, "What was answered for survives a kill, under its UID",
     "RFC 5321 section 6.1, RFC 3501 section 2.3.1.1", "loss/lost, identity/uid-reused, identity/uidvalidity-changed",
     ""},
});

constexpr Word<Invariant::Kind> kKinds[] = {{"hard", Invariant::Kind::hard},
                                            {"bounded", Invariant::Kind::bounded},
                                            {"warning", Invariant::Kind::warning},
                                            {"hard, warning", Invariant::Kind::hard_and_warning}};
static_assert(complete(kKinds));

}  // namespace

std::span<const Invariant> invariants() { return kInvariants; }
std::string_view name(Invariant::Kind kind) { return word_for(kKinds, kind); }

}  // namespace mailproof::judge
