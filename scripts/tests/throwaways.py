"""A server from fixtures/servers/ for tests: brought up by scripts/servers, reached by Python's own mail clients."""
import contextlib
import imaplib
import os
import pathlib
import poplib
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
PASSWORD = "s3cret"
ELSEWHERE = "127.0.0.2"  # Dovecot takes a client on its own address for a secure one
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


def message(to, number=1, size=500):
    return MAIL.format(to=to, number=number, body="\n".join("x" * 70 for _ in range(size // 71))).encode()


def connected(client, timeout):
    return socket.create_connection((client.host, client.port), timeout, source_address=(ELSEWHERE, 0))


class Imap(imaplib.IMAP4):
    def _create_socket(self, timeout):
        return connected(self, timeout)


class ImapTls(imaplib.IMAP4_SSL):
    def _create_socket(self, timeout):
        return self.ssl_context.wrap_socket(connected(self, timeout), server_hostname=self.host)


class Pop(poplib.POP3):
    def _create_socket(self, timeout):
        return connected(self, timeout)


class PopTls(poplib.POP3_SSL):
    def _create_socket(self, timeout):
        return self.context.wrap_socket(connected(self, timeout), server_hostname=self.host)


class Server:
    def __init__(self, name, state, **environment):
        self.name, self.state = name, pathlib.Path(state)
        self.environment = {**os.environ, "MAILPROOF_STATE": str(state), "MAILPROOF_PASSWORD": PASSWORD, **environment}
        up = self.run("up")
        if up.returncode == 77:
            pytest.skip(up.stderr.strip())
        assert up.returncode == 0, up.stderr
        self.target_file = pathlib.Path(up.stdout.strip())
        self.target = yaml.safe_load(self.target_file.read_text())
        self.context = ssl.create_default_context(cafile=self.target.get("tls", {}).get("ca"))

    def run(self, verb, *arguments, **options):
        return subprocess.run([ROOT / "scripts/servers", verb, self.name, *map(str, arguments)], env=self.environment,
                              text=True, capture_output=True, timeout=120, **options)

    def do(self, verb, *arguments):
        run = self.run(verb, *arguments)
        assert run.returncode == 0, run.stderr
        return run.stdout.strip()

    def port(self, protocol, tls):
        return next(entry["port"] for entry in self.target[protocol] if entry["tls"] == tls)

    def ports(self):
        protocols = ("imap", "pop3", "lmtp", "smtp")
        return {entry["port"] for protocol in protocols for entry in self.target.get(protocol, [])}

    def imap(self, user, tls="starttls"):
        if tls == "implicit":
            session = ImapTls("localhost", self.port("imap", tls), ssl_context=self.context, timeout=30)
        else:
            session = Imap("localhost", self.port("imap", tls), timeout=30)
        if tls == "starttls":
            session.starttls(self.context)
        session.login(user, PASSWORD)
        return session

    def pop(self, user, tls="starttls"):
        if tls == "implicit":
            session = PopTls("localhost", self.port("pop3", tls), context=self.context, timeout=30)
        else:
            session = Pop("localhost", self.port("pop3", tls), timeout=30)
        if tls == "starttls":
            session.stls(self.context)
        session.user(user), session.pass_(PASSWORD)
        return session

    def deliver(self, to, number=1, size=500, sender="user0002@example.test"):
        """Over LMTP."""
        with smtplib.LMTP("127.0.0.1", self.port("lmtp", "none"), timeout=30) as lmtp:
            lmtp.sendmail(sender, [to], message(to, number, size))

    def send(self, to, number=1, size=500, sender="user0002@example.test"):
        """Over SMTP, to the MTA."""
        with smtplib.SMTP("localhost", self.port("smtp", "starttls"), timeout=30) as smtp:
            smtp.starttls(context=self.context)
            smtp.sendmail(sender, [to], message(to, number, size))

    def count(self, user):
        session = self.imap(user)
        messages = int(session.select("INBOX", readonly=True)[1][0])
        session.logout()
        return messages

    def bodies(self, user):
        session = self.imap(user)
        if session.select("INBOX", readonly=True)[1] == [b"0"]:
            return []
        found = [part[1] for part in session.fetch("1:*", "(BODY.PEEK[])")[1] if isinstance(part, tuple)]
        session.logout()
        return found

    def remove(self, user, numbers):
        session = self.imap(user)
        session.select()
        session.store(numbers, "+FLAGS", r"(\Deleted)")
        session.expunge()
        session.logout()


def eventually(condition, seconds=10):
    """The first true answer; fails when none came in time."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)
    return answer


@contextlib.contextmanager
def open_folder(*parts):
    """A folder with these in it, into which a server that runs as somebody else may write. Not in pytest's own, which is closed to others."""
    with tempfile.TemporaryDirectory(prefix="mailproof-open-") as name:
        folder = pathlib.Path(name)
        for path in (folder, *(folder / part for part in parts)):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o777)
        yield folder


@contextlib.contextmanager
def running(name, **environment):
    with tempfile.TemporaryDirectory() as state:
        os.chmod(state, 0o711)  # as root a server runs as somebody else
        server = Server(name, state, **environment)
        try:
            yield server
        finally:
            server.do("down")
        assert os.listdir(state) == []
