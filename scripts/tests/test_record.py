"""Real clients reach a server through `mailproof record`: what passes is not changed, what the server does wrong is
noticed as far as it can be known, a correct server is not accused, and no password is written down."""
import contextlib
import fcntl
import imaplib
import json
import os
import pathlib
import poplib
import re
import signal
import smtplib
import socket
import ssl
import subprocess
import termios
import time

import pytest

import throwaways
from reference_server import BINARY, MESSAGE, PASSWORD, Running, filler, make_certificate, server
from tool import complete_run, mailproof

SECRET = "S3cret-of-the-house"
SERVER = {**os.environ, "MAILPROOF_PASSWORD": SECRET}


class Recorder:
    def __init__(self, upstream, out, *options, protocols=("imap", "pop3", "lmtp", "smtp")):
        command = [BINARY, "record", "--out", str(out), *options]
        for protocol in protocols:
            base = protocol.removesuffix("s") if protocol in ("imaps", "pop3s") else protocol
            command += ["--listen", f"{protocol}:127.0.0.1:0", "--upstream", f"{base}:127.0.0.1:{getattr(upstream, base)[1]}"]
        self.out = pathlib.Path(out)
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.ports = {}
        for line in self.process.stdout:
            if line.strip() == "ready":
                break
            name, place = line.split()
            self.ports[name] = int(place.rsplit(":", 1)[1])
        else:
            raise RuntimeError(self.process.stderr.read())

    password = PASSWORD

    def imap(self, user="user0001", password=None):
        session = imaplib.IMAP4("127.0.0.1", self.ports["imap"], timeout=30)
        session.login(user, password or self.password)
        return session

    def pop(self, user="user0001", password=None):
        session = poplib.POP3("127.0.0.1", self.ports["pop3"], timeout=30)
        session.user(user), session.pass_(password or self.password)
        return session

    def deliver(self, message, *to):
        """Over LMTP, which answers for each recipient; Python's own sendmail() takes one answer for all."""
        to = to or ["user0001@example.test"]
        with smtplib.LMTP("127.0.0.1", self.ports["lmtp"], timeout=30) as lmtp:
            lmtp.ehlo_or_helo_if_needed()
            lmtp.mail("user0002@example.test")
            for recipient in to:
                lmtp.rcpt(recipient)
            assert lmtp.docmd("DATA")[0] == 354
            lmtp.send(smtplib._quote_periods(message) + b".\r\n")
            assert [lmtp.getreply()[0] for _ in to] == [250] * len(to)

    def stop(self):
        """Its status and what it said."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out + err


@contextlib.contextmanager
def recorded(out, *server_options, options=(), **more):
    with server(*server_options) as upstream:
        recorder = Recorder(upstream, out, *options, **more)
        try:
            yield recorder
        finally:
            if recorder.process.poll() is None:
                recorder.process.kill()
            recorder.process.wait()
            recorder.process.stdout.close(), recorder.process.stderr.close()


def events(out, **wanted):
    lines = [json.loads(line) for line in (pathlib.Path(out) / "history.jsonl").read_text("utf-8").splitlines()]
    found = [line["event"] for line in lines if "event" in line]
    return [event for event in found if all(event.get(key) == value for key, value in wanted.items())]


def findings(out):
    return sorted(finding["id"] for finding in json.loads((out / "findings.json").read_text("utf-8"))["findings"])


def everything(recorder):
    """What a house with a phone, a desktop and mail that comes in does in a day."""
    for number in range(1, 5):
        recorder.deliver(filler(1500, number))
    recorder.deliver(MESSAGE, "user0001@example.test", "user0002@example.test")
    phone, laptop = recorder.imap(), recorder.imap()
    for device in (phone, laptop):
        device.select()
        device.fetch("1:*", "(UID FLAGS RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID SUBJECT)])")
    phone.uid("fetch", "1:*", "(UID BODY.PEEK[])")
    phone.uid("store", "1", "+FLAGS.SILENT", r"(\Deleted)")
    phone.expunge()
    laptop.noop()
    phone.create("Kept")
    phone.uid("copy", "2", "Kept")
    phone.uid("move", "3", "Kept")
    phone.append("Kept", r"(\Seen)", None, MESSAGE)
    phone.select("Kept")
    phone.fetch("1:*", "(UID FLAGS ENVELOPE)")
    phone.select("INBOX")
    laptop.noop()
    pc = recorder.pop()
    pc.stat(), pc.list(), pc.uidl(), pc.top(1, 0)
    assert len(pc.retr(1)[1]) > 5
    pc.dele(1)
    pc.list(), pc.uidl()
    pc.quit()
    pc = recorder.pop()
    pc.uidl()
    pc.quit()
    for device in (phone, laptop):
        device.noop()
    # Dropped without QUIT: nothing goes (RFC 1939 section 6).
    recorder.deliver(filler(2000, 7))
    pc = recorder.pop()
    pc.uidl()
    pc.dele(1)
    pc.close()
    pc = recorder.pop()
    pc.uidl()
    # The phone removes what the desktop has listed, and the newest one.
    phone.noop()
    phone.fetch("1:*", "(UID FLAGS ENVELOPE)")
    uids = phone.uid("search", None, "ALL")[1][0].decode().split()
    phone.uid("store", f"{uids[0]},{uids[-1]}", "+FLAGS", r"(\Deleted)")
    phone.expunge()
    pc.list(), pc.uidl()
    pc.quit()
    recorder.deliver(filler(2500, 8))
    for device in (phone, laptop):
        device.noop()
        device.fetch("1:*", "(UID FLAGS ENVELOPE)")
        device.logout()
    late = recorder.imap()
    for mailbox in ("INBOX", "Kept"):
        late.select(mailbox)
        late.fetch("1:*", "(UID FLAGS RFC822.SIZE ENVELOPE)")
        late.uid("fetch", "1:*", "(UID BODY.PEEK[])")
    late.logout()


def test_a_correct_server_is_recorded_and_not_accused(tmp_path):
    with recorded(tmp_path / "run", options=("--all-clients", "--strict")) as recorder:
        everything(recorder)
        status, told = recorder.stop()
    assert status == 0, told
    run = complete_run(tmp_path / "run")
    assert run["verdict"] == "pass"
    assert (tmp_path / "run/report.html").read_text("utf-8").count("user0001@example.test-imap") > 1
    assert len(events(tmp_path / "run", what="deliver", type="ok")) == 8
    for what in ("append", "copy", "move", "expunge", "store", "dele", "quit", "retr", "top"):
        assert events(tmp_path / "run", what=what, type="ok"), what
    assert [event for event in events(tmp_path / "run", what="copy", type="ok") if event["uidvalidity"]]
    again = mailproof("judge", tmp_path / "run")
    assert again.status == 0, again.text


def test_a_real_server_is_not_accused(tmp_path):
    """Dovecot, which takes a login in clear text from its own address."""
    with throwaways.running("dovecot") as dovecot:
        ports = {protocol: dovecot.port(protocol, "none") for protocol in ("imap", "pop3", "lmtp")}
        recorder = Recorder(Running(ports), tmp_path / "run", "--all-clients", protocols=tuple(ports))
        recorder.password = throwaways.PASSWORD
        try:
            everything(recorder)
            status, told = recorder.stop()
        finally:
            recorder.process.kill()
            recorder.process.wait()
            recorder.process.stdout.close(), recorder.process.stderr.close()
    assert status == 0, told
    assert not [finding for finding in findings(tmp_path / "run") if "/session/deviation" not in finding], told
    assert len(events(tmp_path / "run", what="deliver", type="ok")) == 8


@pytest.mark.parametrize("defect, judge", [
    ("imap.uid-reused", "identity"),
    ("imap.exists-shrinks", "view"),
    ("imap.expunge-takes-undeleted", "removal"),
    ("imap.fetch-other-body", "content"),
    ("imap.appenduid-swapped", "uidplus"),
    ("imap.size-huge", "content"),
    ("imap.copies-die-together", "removal"),
    ("pop3.dele-without-quit", "removal"),
    ("pop3.quit-deletes-nothing", "removal"),
    ("pop3.quit-deletes-more", "removal"),
    ("pop3.size-counts-lf", "pop3-session"),
    ("pop3.list-shows-deleted", "pop3-session"),
    ("pop3.renumbers-in-session", "pop3-session"),
    ("pop3.uidl-twice", "uidl"),
])
def test_a_defect_is_noticed(tmp_path, defect, judge):
    with recorded(tmp_path / "run", "--defect", defect, options=("--all-clients",)) as recorder:
        with contextlib.suppress(imaplib.IMAP4.error, poplib.error_proto):
            everything(recorder)
        status, told = recorder.stop()
    assert status == 1, told
    assert any(f"/{judge}/" in finding for finding in findings(tmp_path / "run")), told


def test_what_is_found_is_said_while_it_goes_on(tmp_path):
    with recorded(tmp_path / "run", "--defect", "imap.size-huge", protocols=("imap",)) as recorder:
        phone = recorder.imap()
        phone.append("INBOX", None, None, MESSAGE)
        phone.select()
        phone.fetch("1:*", "(UID RFC822.SIZE BODY.PEEK[])")
        line = recorder.process.stderr.readline()
        assert "record/content/size-differs" in line and line.split()[2] == "fail"
        phone.logout()
        status, _ = recorder.stop()
    assert status == 1


def test_no_password_is_written_anywhere(tmp_path):
    with server_with_secret() as upstream:
        recorder = Recorder(upstream, tmp_path / "run")
        recorder.imap(password=SECRET).logout()
        with pytest.raises(imaplib.IMAP4.error):
            recorder.imap(password="An0ther-wrong-one")
        session = imaplib.IMAP4("127.0.0.1", recorder.ports["imap"], timeout=30)
        session.authenticate("PLAIN", lambda _: f"\0user0001\0{SECRET}".encode())
        session.logout()
        recorder.pop(password=SECRET).quit()
        session = poplib.POP3("127.0.0.1", recorder.ports["pop3"], timeout=30)
        session.apop("user0001", SECRET) if b"<" in session.welcome else session.quit()
        status, told = recorder.stop()
    assert status == 0, told
    assert len(events(tmp_path / "run", what="connect", type="ok")) >= 3
    import base64
    forms = [SECRET.encode(), b"An0ther-wrong-one", base64.b64encode(f"\0user0001\0{SECRET}".encode())]
    for path in (tmp_path / "run").rglob("*"):
        if path.is_file():
            for form in forms:
                assert form not in path.read_bytes(), path
    assert not any(form.decode() in told for form in forms)


@contextlib.contextmanager
def server_with_secret():
    import reference_server
    before, reference_server.PASSWORD = reference_server.PASSWORD, SECRET
    try:
        with server() as upstream:
            yield upstream
    finally:
        reference_server.PASSWORD = before


def test_what_was_heard_before_a_kill_is_readable(tmp_path):
    with recorded(tmp_path / "run") as recorder:
        recorder.deliver(MESSAGE)
        phone = recorder.imap()
        phone.select()
        phone.fetch("1:*", "(UID FLAGS BODY.PEEK[])")
        bound = time.monotonic() + 30  # what went over the wire is written once a second
        while not any("FETCH" in path.read_text("utf-8", "replace") for path in (tmp_path / "run/wire").rglob("*.log")):
            assert time.monotonic() < bound, "nothing of it was written"
            time.sleep(0.05)
        recorder.process.kill()
        recorder.process.wait()
        phone.sock.close()
    ran = mailproof("judge", tmp_path / "run")
    assert ran.status == 3 and "not finished" in ran.text, ran.text
    parts = "".join(path.read_text("utf-8") for path in (tmp_path / "run/history").iterdir())
    assert "<invoice-77@example.test>" in parts
    logs = "".join(path.read_text("utf-8") for path in (tmp_path / "run/wire").rglob("*.log"))
    assert "FETCH" in logs and PASSWORD not in logs.replace("password", "")


def test_tls_ends_and_begins_again(tmp_path):
    """STARTTLS and STLS: both sides at once; and implicit TLS towards the client alone."""
    (tmp_path / "theirs").mkdir()
    cert, key = make_certificate(tmp_path)
    context = ssl.create_default_context(cafile=cert)
    with server(tls_dir=tmp_path / "theirs") as upstream:
        recorder = Recorder(upstream, tmp_path / "run", "--cert", cert, "--key", key, "--ca", upstream.cert, "--strict",
                            protocols=("imap", "pop3", "imaps", "lmtp"))
        try:
            recorder.deliver(MESSAGE)
            session = imaplib.IMAP4("localhost", recorder.ports["imap"], timeout=30)
            session.starttls(context)
            session.login("user0001", PASSWORD)
            session.select()
            assert session.fetch("1", "(BODY.PEEK[])")[1][0][1].endswith(MESSAGE)
            session.logout()
            pop = poplib.POP3("localhost", recorder.ports["pop3"], timeout=30)
            pop.stls(context)
            pop.user("user0001"), pop.pass_(PASSWORD)
            assert pop.stat()[0] == 1
            pop.quit()
            session = imaplib.IMAP4_SSL("localhost", recorder.ports["imaps"], ssl_context=context, timeout=30)
            session.login("user0001", PASSWORD)
            assert session.select()[1] == [b"1"]
            session.logout()
            status, told = recorder.stop()
        finally:
            recorder.process.kill()
            recorder.process.wait()
    assert status == 0, told
    assert len(events(tmp_path / "run", what="connect", type="ok")) == 4
    assert {event["message"] for event in events(tmp_path / "run", what="message")} == {1}
    assert events(tmp_path / "run", what="stat", type="ok")


def test_without_a_certificate_what_follows_starttls_passes_unread(tmp_path):
    with server(tls_dir=tmp_path) as upstream:
        recorder = Recorder(upstream, tmp_path / "run", "--all-clients", protocols=("imap",))
        try:
            context = ssl.create_default_context(cafile=upstream.cert)
            session = imaplib.IMAP4("localhost", recorder.ports["imap"], timeout=30)
            session.starttls(context)
            session.login("user0001", PASSWORD)
            session.select()
            session.logout()
            status, told = recorder.stop()
        finally:
            recorder.process.kill()
            recorder.process.wait()
    assert status == 3, told  # nothing can be said
    assert not events(tmp_path / "run", what="select")
    assert "STARTTLS" in events(tmp_path / "run", what="end")[0]["text"]


def test_it_adds_little_to_a_command(tmp_path):
    """Neither a wait nor work: of both ways the quickest of many commands, since what a busy machine adds is not always added, and the
    processor's time that it takes."""
    def one(session):
        began = time.perf_counter()
        session.noop()
        return time.perf_counter() - began

    def computed(pid):
        return sum(int((task / "schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9

    with server() as upstream:
        recorder = Recorder(upstream, tmp_path / "run", protocols=("imap",))
        direct = imaplib.IMAP4(*upstream.imap, timeout=30)
        direct.login("user0001", PASSWORD)
        recorded = recorder.imap()
        before = computed(recorder.process.pid)
        times = [(one(recorded), one(direct)) for _ in range(300)]
        took = (computed(recorder.process.pid) - before) / len(times)
        for session in (recorded, direct):
            session.logout()
        recorder.stop()
    added = min(through for through, _ in times) - min(past for _, past in times)
    # 0.07 ms with nothing optimised, where nothing else runs.
    assert added < 0.002 and took < 0.002, f"{added * 1000:.3f} ms, of the processor {took * 1000:.3f} ms"


def test_wrong_use_is_said(tmp_path):
    for arguments, words in (
        (("--listen", "imab:127.0.0.1:0", "--upstream", "imap:127.0.0.1:143"), "did you mean 'imap'?"),
        (("--listen", "imap:127.0.0.1", "--upstream", "imap:127.0.0.1:143"), "expected PROTOCOL:HOST:PORT"),
        (("--listen", "imap:127.0.0.1:0", "--upstream", "pop3:127.0.0.1:110"), "there is no --upstream imap"),
        (("--listen", "imaps:127.0.0.1:0", "--upstream", "imap:127.0.0.1:143"), "--cert"),
    ):
        ran = mailproof("record", *arguments, "--out", tmp_path / "run")
        assert ran.status == 2 and words in ran.err, ran.text
        assert not (tmp_path / "run").exists()


def latitudes():
    listed = subprocess.run([BINARY, "server", "--list-latitudes"], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in listed.splitlines()]


@pytest.mark.parametrize("latitude", latitudes())
def test_a_permitted_server_is_not_accused(tmp_path, latitude):
    with recorded(tmp_path / "run", "--latitude", latitude, options=("--all-clients",)) as recorder:
        # What is refused, or answered another way, a client of Python's may not expect.
        with contextlib.suppress(imaplib.IMAP4.error, poplib.error_proto, AssertionError, IndexError, TypeError):
            everything(recorder)
        status, told = recorder.stop()
    assert status == 0, told
    # Python's client gives up at once where SELECT says READ-ONLY.
    assert len(events(tmp_path / "run")) > (8 if latitude == "imap.read-only" else 40)


def test_who_sends_no_more_still_gets_his_answers(tmp_path):
    """`printf '...' | nc -N`: FIN says only that no more comes (RFC 9293 section 3.6)."""
    with recorded(tmp_path / "run", options=("--all-clients",)) as recorder:
        recorder.deliver(filler(3000, 1))
        with socket.create_connection(("127.0.0.1", recorder.ports["pop3"]), timeout=30) as pop:
            for word in (b"USER user0001", b"PASS pass"):
                pop.recv(65536)
                pop.sendall(word + b"\r\n")
            pop.recv(65536)
            pop.sendall(b"UIDL\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n")
            pop.shutdown(socket.SHUT_WR)
            got = b"".join(iter(lambda: pop.recv(65536), b""))
        assert b"octets" in got and got.count(b"+OK") >= 4, got
        status, told = recorder.stop()
    assert status == 0, told
    assert len(events(tmp_path / "run", what="quit", type="ok")) == 1


def test_who_does_not_read_is_not_read_ahead_for(tmp_path):
    """A phone that stalls in a download costs the recorder a few hundred KiB, and not what it asked for."""
    with recorded(tmp_path / "run") as recorder:
        recorder.deliver(filler(2_000_000, 1))
        phone = recorder.imap()
        phone.select()

        def memory():
            return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{recorder.process.pid}/status").read_text())[1])

        before, stalled = memory(), socket.create_connection(("127.0.0.1", recorder.ports["imap"]), timeout=30)
        stalled.sendall(b"a LOGIN user0001 pass\r\nb EXAMINE INBOX\r\n" + b"c FETCH 1 BODY.PEEK[]\r\n" * 40)
        last = [-1]

        def stands():  # the phone has mail that it does not read, and the recorder takes no more
            waiting = fcntl.ioctl(stalled, termios.FIONREAD, b"\0" * 4)
            was, last[0] = last[0], (memory(), waiting)
            time.sleep(0.3)
            return was == last[0] and waiting != b"\0" * 4
        throwaways.eventually(stands, 60)
        assert memory() - before < 20_000  # of 80 MB
        got = 0
        while got < 40 * 2_000_000:
            octets = stalled.recv(1 << 20)
            assert octets, got
            got += len(octets)
        stalled.close()
        phone.logout()
        status, told = recorder.stop()
    assert status == 0, told
