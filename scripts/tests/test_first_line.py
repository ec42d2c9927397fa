"""For each bug of the built-in server the first line of what was found names the kind of it, however much follows from it."""
import json
import re

import pytest

import tool

STORIES = ["scenarios/", "fixtures/stories/"]
FIRST = {
    "imap.append-ok-but-absent": "loss/lost",
    "imap.expunge-takes-undeleted": "removal/more-than-expunged",
    "imap.exists-shrinks": "view/exists-fell",
    "imap.fetch-other-body": "content/altered",
    "imap.foreign-body": "isolation/leak",
    "imap.uid-reused": "identity/uid-reused",
    "imap.seen-forgotten": "expectation/not-found",  # by SEARCH UNSEEN; what it is not seen by comes next
    "imap.starttls-obeys-clear-text": "tls/clear-text-obeyed",
    "imap.move-doubles": "duplicates/duplicated",
    "imap.peek-sets-seen": "flags/seen-by-peek",
    "imap.appenduid-swapped": "uidplus/uidvalidity",
    "imap.size-zero": "content/size-differs",
    "imap.size-huge": "content/size-differs",
    "imap.size-counts-lf": "content/size-differs",
    "imap.literal-longer-than-sent": "session/protocol-broken",
    "imap.partial-gives-more": "content/piece-longer",
    "imap.idle-silent": "idle/silent",
    "imap.search-unseen-empty": "expectation/not-found",
    "imap.vanished-zero": "session/unreadable-vanished",
    "imap.qresync-misses-expunge": "expectation/delta-differs",
    "imap.modseq-stays": "expectation/delta-differs",
    "imap.copies-die-together": "removal/more-than-expunged",
    "imap.rename-loses-newest": "loss/lost-in-rename",
    "imap.list-merges-ampersand": "mailboxes/not-listed",
    "pop3.empty-at-times": "maildrop/not-listed",
    "delivery.one-full-fails-all": "recipients/refused-for-another",
    "delivery.bdat-lost": "loss/lost",
    "quota.rename-counts-again": "quota/usage-wrong",
    "pop3.dele-without-quit": "removal/without-quit",
    "pop3.quit-deletes-nothing": "removal/quit-ok-but-there",
    "pop3.quit-deletes-more": "removal/more-than-marked",
    "pop3.retr-cut-at-dot-line": "pop3-session/retr-size",
    "pop3.size-counts-lf": "pop3-session/retr-size",
    "pop3.list-shows-deleted": "pop3-session/deleted-still-told",
    "pop3.renumbers-in-session": "pop3-session/numbering-changed",
    "pop3.uidl-changes": "uidl/changed",
    "pop3.uidl-twice": "uidl/not-unique",
    "pop3.lock-kept-after-drop": "maildrop-lock/stale-lock",
    "pop3.stls-obeys-clear-text": "tls/clear-text-obeyed",
    "pop3.hides-newest": "agreement/pop3-lacks",
    "delivery.accepts-and-drops": "loss/lost",
    "delivery.drops-one-in-200": "loss/lost",
    "delivery.suppresses-same-message-id": "loss/",
    "delivery.duplicate": "duplicates/duplicated",
    "delivery.loses-last-line": "content/altered",
    "delivery.strips-eighth-bit": "content/altered",
    "delivery.wrong-lmtp-reply-order": "lmtp-replies/",
    "delivery.one-lmtp-reply-for-all": "lmtp-replies/too-few",
    "delivery.cross-account-copy": "isolation/leak",
    "delivery.lost-when-killed": "loss/lost",
    "delivery.lf-dot-ends-data": "conformance/broken",
    "delivery.cr-dot-ends-data": "conformance/broken",
    "delivery.starttls-obeys-clear-text": "conformance/broken",
    "quota.reports-in-spite-of-never": "conformance/broken",
    "quota.reports-null-sender": "conformance/broken",
    "quota.over-accepts-and-drops": "loss/lost",
    "quota.not-freed-by-expunge": "quota/not-freed",
    "quota.not-enforced": "quota/accepted-over-limit",
    "quota.refuses-with-room": "quota/refused-below-limit",
    "quota.refuses-as-unknown-user": "quota/wrong-reason",
    "quota.bounce-never-sent": "bounce/silent-drop",
    "quota.two-bounces": "bounce/reported-twice",
    "quota.bounce-after-refusal": "bounce/report-for-refused",
    "quota.bounce-wrong-status": "bounce/report-reason",
}
LISTED = [line.split()[0] for line in tool.mailproof("server", "--list-defects").out.splitlines()]


def test_the_table_has_every_bug():
    assert sorted(FIRST) == sorted(LISTED)


@pytest.mark.parametrize("defect", FIRST)
def test_the_first_line_names_the_kind(defect, tmp_path):
    ran = tool.mailproof("run", "--sim", *STORIES, "--defect", defect, "--out", tmp_path)
    scenarios, _, found = ran.out.partition("\n\n")
    first = found.splitlines()[0]
    assert re.match(r"fail .*\b" + re.escape(FIRST[defect]), first), first
    causes = json.loads((tmp_path / "run.json").read_text("utf-8"))["causes"]
    assert FIRST[defect] in causes[0]["class"] + "/"
    assert causes[0]["class"] in (tmp_path / "summary.md").read_text("utf-8").split("| verdict |")[0]
    # A line a scenario, one a cause, and of these the first few in full.
    assert len(found.splitlines()) < 450, len(found.splitlines())
