"""Other people's mail comes in beside every story, on a real server: none of it goes, is marked or is read. The same in
simulation, with more kinds of mail and at any moment: harness/play/tests/foreign_mail_test.cc."""
import contextlib
import imaplib
import os
import random
import re
import smtplib
import threading

import pytest

import tool
from throwaways import PASSWORD, running

SERVER = os.environ.get("MAILPROOF_FOREIGN_SERVER", "dovecot")
TIMES = int(os.environ.get("MAILPROOF_FOREIGN_TIMES", "1"))
USERS = [f"user{n:04d}" for n in range(1, 41)]
PRIVATE = "-- private: not for mailproof --"
HEAD = "From: Bob <bob@example.org>\nTo: {to}\nMessage-ID: <letter.{n}@example.org>\nX-Letter: {n}\nMIME-Version: 1.0\n"
REPORT = """\
Content-Type: multipart/report; report-type={kind}; boundary="b"

--b
Content-Type: text/plain

{private}
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org

Final-Recipient: rfc822; carol@example.net
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

Message-ID: <somebody@example.org>

--b--
"""
KINDS = {
    "a letter": "Subject: dinner\n\n{private}\n",
    "a subject that says multipart/report": "Subject: what is multipart/report; report-type=delivery-status?\n\n{private}\n",
    "a report about somebody's mail": "Subject: Undelivered Mail Returned to Sender\n" + REPORT.replace("{kind}", "delivery-status"),
    "a read receipt": "Subject: Read: hello\n" + REPORT.replace("{kind}", "disposition-notification"),
    "our header, quoted": "Subject: strange\n\nX-Mailproof: v1 run=00000000000000ff n=1 seed=00000000000000ff owner=a@b\n\n{private}\n",
    "our header, copied": "X-Mailproof: v1 run=00000000000000ff n=1 seed=00000000000000ff owner=a@b\nSubject: x\n\n{private}\n",
}


class Others:
    """Writes a letter to every account as soon as a run has put mail there, in the middle of its story."""

    def __init__(self, server, seed):
        self.server, self.random, self.letters = server, random.Random(seed), []
        self.over = threading.Event()
        self.sessions = {user: server.imap(user) for user in USERS}
        self.thread = threading.Thread(target=self.write)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        for session in self.sessions.values():
            with contextlib.suppress(imaplib.IMAP4.abort, OSError):  # it went with a server that was restarted
                session.logout()

    def write(self):
        left = set(self.sessions)
        while left and not self.over.is_set():
            for user in sorted(left):
                try:
                    if b"MESSAGES 0" in self.sessions[user].status("INBOX", "(MESSAGES)")[1][0]:
                        continue
                    for _ in range(self.random.randint(1, 3)):
                        self.letter(user)
                    left.discard(user)
                except (imaplib.IMAP4.abort, OSError):  # scenarios restart and kill the server
                    with contextlib.suppress(imaplib.IMAP4.abort, OSError):
                        self.sessions[user] = self.server.imap(user)

    def letter(self, user):
        number, to = len(self.letters), f"{user}@example.test"
        kind = self.random.choice(list(KINDS))
        text = (HEAD + KINDS[kind]).replace("{to}", to).replace("{n}", str(number)).replace("{private}", PRIVATE)
        with smtplib.LMTP("127.0.0.1", self.server.port("lmtp", "none"), timeout=30) as lmtp:
            lmtp.sendmail("bob@example.org", [to], text.encode())
        self.letters.append((user, number, kind, text))

    def harmed(self):
        """A line for each letter that is missing, changed or marked."""
        out, there = [], {}
        for user, number, kind, text in self.letters:
            if user not in there:
                session = self.server.imap(user)
                session.select("INBOX", readonly=True)
                rows = [row for row in session.fetch("1:*", "(FLAGS BODY.PEEK[])")[1] if isinstance(row, tuple)]
                there[user] = {found[1]: row for row in rows if (found := re.search(rb"^X-Letter: (\d+)\r$", row[1], re.M))}
                session.logout()
            row = there[user].get(str(number).encode())
            where = f"{kind} in {user}'s INBOX"
            if row is None:
                out.append(f"missing: {where}")
            elif not row[1].rstrip().endswith(text.rstrip().replace("\n", "\r\n").encode()):  # but for line ends at the end
                out.append(f"changed: {where}: {row[1]}")
            elif b"\\Seen" in row[0] or b"\\Deleted" in row[0]:
                out.append(f"marked: {where}: {row[0]}")
        return out


@pytest.fixture(scope="module")
def server():
    with running(SERVER) as one:
        yield one


@pytest.mark.parametrize("time", range(TIMES))
@pytest.mark.parametrize("played", ["scenarios/mixed scenarios/pop3", "scenarios/sync", "scenarios/conformance/mixed"])
def test_mail_of_others_stays_as_it_was(server, tmp_path, played, time):
    server.do("reset")
    with Others(server, f"{played} {time}" if time else played) as others:
        ran = tool.mailproof("run", *played.split(), "--target", server.target_file, "--jobs", 4, "--out", tmp_path / "run",
                       env={**tool.ENVIRONMENT, "MAILPROOF_PASSWORD": PASSWORD}, timeout=300)
    assert len(others.letters) >= 3, ran.text
    harmed = others.harmed()
    read = [file.name for file in (tmp_path / "run").rglob("*") if file.is_file() and PRIVATE in file.read_text(errors="replace")]
    counts = [sum(line.startswith(kind) for line in harmed) for kind in ("missing", "changed", "marked")]
    print(f"on {SERVER}: {len(others.letters)} messages of others watched: {counts[0]} missing, {counts[1]} changed, "
          f"{counts[2]} \\Seen or \\Deleted, {len(read)} read; exit {ran.status}")
    assert harmed == [] and read == []
