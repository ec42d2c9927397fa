"""The throwaway Dovecot does what the stories need: every protocol and TLS flavour, the small quota, kill, restart,
reset, and five hundred sessions at once with mail announced promptly."""
import imaplib
import os
import pathlib
import poplib
import smtplib
import ssl
import subprocess
import tempfile
import time

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAIL = """\
From: =?utf-8?q?Zo=C3=AB?= <sender@example.test>
To: {to}
Subject: Protokoll der Sitzung
Message-ID: <{number}.fixture@example.test>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

.Gr=C3=BC=C3=9Fe
{body}
"""


class Dovecot:
    def __init__(self, state):
        self.environment = {**os.environ, "MAILPROOF_STATE": str(state), "MAILPROOF_PASSWORD": "s3cret"}
        self.target_file = pathlib.Path(self.do("up"))
        self.target = yaml.safe_load(self.target_file.read_text())
        self.context = ssl.create_default_context(cafile=self.target["tls"]["ca"])

    def do(self, action):
        run = subprocess.run([ROOT / "scripts/servers", action, "dovecot"], env=self.environment, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        assert run.returncode == 0, run.stderr
        return run.stdout.strip()

    def port(self, protocol, tls):
        return next(entry["port"] for entry in self.target[protocol] if entry["tls"] == tls)

    def imap(self, user, tls="starttls"):
        if tls == "implicit":
            session = imaplib.IMAP4_SSL("localhost", self.port("imap", tls), ssl_context=self.context, timeout=30)
        else:
            session = imaplib.IMAP4("127.0.0.1", self.port("imap", "starttls"), timeout=30)
        session.login(user, "s3cret")
        return session

    def deliver(self, to, number=1, size=500):
        with smtplib.LMTP("127.0.0.1", self.port("lmtp", "none"), timeout=30) as lmtp:
            body = "\n".join("x" * 70 for _ in range(size // 71))
            lmtp.sendmail("user0002@example.test", [to], MAIL.format(to=to, number=number, body=body).encode())

    def count(self, user):
        session = self.imap(user)
        messages = int(session.select("INBOX", readonly=True)[1][0])
        session.logout()
        return messages


@pytest.fixture(scope="module")
def dovecot():
    with tempfile.TemporaryDirectory() as state:
        os.chmod(state, 0o711)  # as root the server runs as nobody
        server = Dovecot(state)
        yield server
        server.do("down")
        assert os.listdir(state) == []


def test_every_listener_takes_a_login_and_shows_its_certificate(dovecot):
    dovecot.deliver("user0003@example.test")
    for tls in ("starttls", "implicit"):
        session = dovecot.imap("user0003", tls)
        assert session.select()[1] == [b"1"]
        assert b".Gr=C3=BC=C3=9Fe" in session.fetch("1", "(BODY.PEEK[])")[1][0][1]
        session.logout()
    upgraded = imaplib.IMAP4("localhost", dovecot.port("imap", "starttls"), timeout=30)
    upgraded.starttls(dovecot.context)
    upgraded.login("user0003", "s3cret")
    upgraded.logout()

    pop = poplib.POP3_SSL("localhost", dovecot.port("pop3", "implicit"), context=dovecot.context, timeout=30)
    pop.user("user0003"), pop.pass_("s3cret")
    assert pop.stat()[0] == 1
    pop.quit()
    pop = poplib.POP3("localhost", dovecot.port("pop3", "starttls"), timeout=30)
    pop.stls(dovecot.context)
    pop.user("user0003@example.test"), pop.pass_("s3cret")
    assert b".Gr=C3=BC=C3=9Fe" in pop.retr(1)[1]
    pop.dele(1)
    pop.quit()
    assert dovecot.count("user0003") == 0


def test_a_wrong_password_is_refused_at_once(dovecot):
    session = imaplib.IMAP4("127.0.0.1", dovecot.port("imap", "starttls"), timeout=30)
    for _ in range(3):
        started = time.monotonic()
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            session.login("user0001", "wrong")
        assert time.monotonic() - started < 2


def test_a_small_mailbox_refuses_and_takes_mail_again_after_expunge(dovecot):
    accepted = 0
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        for accepted in range(20):
            dovecot.deliver("small01@example.test", accepted, size=8192)
    assert refusal.value.smtp_code == 552 and refusal.value.smtp_error.startswith(b"5.2.2")
    assert accepted == 7  # eight times 8 KiB and its headers is more than 64 KiB, and no grace is given
    session = dovecot.imap("small01")
    session.select()
    assert b"STORAGE" in session.getquotaroot("INBOX")[1][1][0]
    session.store("1:4", "+FLAGS", r"(\Deleted)")
    session.expunge()
    session.logout()
    dovecot.deliver("small01@example.test", 99, size=8192)
    assert dovecot.count("small01") == accepted - 4 + 1


def test_killed_it_keeps_accepted_mail_and_its_ports(dovecot):
    dovecot.deliver("user0004@example.test")
    dovecot.do("kill")
    with pytest.raises(ConnectionRefusedError):
        dovecot.imap("user0004")
    dovecot.do("restart")
    assert dovecot.count("user0004") == 1


def test_reset_empties_every_mailbox(dovecot):
    dovecot.deliver("user0005@example.test")
    dovecot.do("reset")
    assert dovecot.count("user0005") == 0


def test_three_hundred_idle_sessions_hear_of_new_mail_at_once(dovecot):
    sessions = {}
    for number in range(1, 301):
        session = sessions[number] = dovecot.imap(f"user{number:04}")
        session.select()
        session.send(b"x1 IDLE\r\n")
        assert session.readline().startswith(b"+")
    started = time.monotonic()
    for number in range(281, 301):
        dovecot.deliver(f"user{number:04}@example.test", number)
    for number in range(281, 301):
        while not sessions[number].readline().endswith(b" EXISTS\r\n"):
            pass
    # Dovecot looks every 0.5 s; a session without inotify, as beyond the first 128 with the kernel's default, after 29 s.
    assert time.monotonic() - started < 20
    for session in sessions.values():
        session.shutdown()
