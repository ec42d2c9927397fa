"""Cyrus, Courier, GNU Mailutils and popa3d as throwaways do what the stories need, each as far as it can: delivery seen
by every protocol, TLS, limits, kill, restart, reset, many sessions, and nothing left behind."""
import contextlib
import imaplib
import os
import pathlib
import poplib
import smtplib
import socket
import time

import pytest

from throwaways import eventually, message, running

IMAP, POP3 = {"cyrus", "courier", "mailutils"}, {"cyrus", "courier", "mailutils", "popa3d"}
LIMITS = {"cyrus", "courier"}
REFUSED = 77


@pytest.fixture(scope="module")
def servers():
    """Name -> server, up since a test first asked for it."""
    with contextlib.ExitStack() as stack:
        yield (found := Servers(stack))
        for server in found.values():
            assert remains(server.state) != []
            server.do("down")
            # Nor a port or a mount: both end with the processes that hold them.
            assert remains(server.state) == []


class Servers(dict):
    def __init__(self, stack):
        super().__init__()
        self.stack = stack

    def __missing__(self, name):
        self[name] = self.stack.enter_context(running(name))
        return self[name]


@pytest.fixture(params=sorted(POP3))
def server(servers, request):
    return servers[request.param]


def only(names):
    return pytest.mark.parametrize("server", sorted(names), indirect=True)


def remains(folder):
    """Processes that were started for the folder or see something mounted below it."""
    found = []
    for process in pathlib.Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                text = (process / "cmdline").read_bytes() + (process / "mountinfo").read_bytes()
            except OSError:
                continue  # it ended, or is not ours to look at
            if str(folder).encode() in text:
                found.append(text.replace(b"\0", b" ")[:200])
    return found


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def deliver(server, login, number=1, size=500):
    """True when the server took it; False when it refused it as too much."""
    address = f"{login}@example.test"
    if "deliver" in server.target["admin"]:
        run = server.run("deliver", address, input=message(address, number, size).decode())
        assert run.returncode in (0, REFUSED), run.stderr
        return run.returncode == 0
    try:
        server.deliver(address, number, size)
    except smtplib.SMTPDataError as refusal:
        code, said = refusal.smtp_code, refusal.smtp_error
    except smtplib.SMTPRecipientsRefused as refusal:  # as early as that, when the client has told the size
        code, said = refusal.recipients[address]
    else:
        return True
    assert code == 552 and said.startswith(b"5.2.2")
    return False


def pop(server, login):
    return server.pop(login, server.target["pop3"][0]["tls"])


def pop_count(server, login):
    session = pop(server, login)
    messages = session.stat()[0]
    session.quit()
    return messages


@only(IMAP)
def test_delivered_mail_is_seen_by_imap_and_pop3_under_both_kinds_of_tls(server):
    assert deliver(server, "user0003")
    for tls in ("starttls", "implicit"):
        session = server.imap("user0003", tls)
        assert session.select()[1] == [b"1"]
        assert b"\r\n.Gr=C3=BC=C3=9Fe\r\n" in session.fetch("1", "(BODY.PEEK[])")[1][0][1]
        session.logout()
    session = server.pop("user0003", "implicit")
    assert session.stat()[0] == 1
    session.quit()
    session = server.pop("user0003", "starttls")
    assert b".Gr=C3=BC=C3=9Fe" in session.retr(1)[1]
    session.dele(1)
    session.quit()
    assert server.count("user0003") == 0


@only({"popa3d"})
def test_delivered_mail_is_seen_by_pop3_alone(server):
    assert deliver(server, "user0003")
    session = pop(server, "user0003")
    assert b".Gr=C3=BC=C3=9Fe" in session.retr(1)[1]
    session.dele(1)
    session.quit()
    assert pop_count(server, "user0003") == 0


def test_an_unknown_address_is_not_delivered_to(server):
    if "deliver" in server.target["admin"]:
        assert server.run("deliver", "stranger@example.test", input="Subject: x\n\nx\n").returncode == 67
    else:
        with pytest.raises(smtplib.SMTPRecipientsRefused, match="550"):
            server.deliver("stranger/of/nobody@example.test")


@only(IMAP)
def test_no_password_is_taken_before_tls(server):
    with pytest.raises(imaplib.IMAP4.error):
        server.imap("user0001", "none")
    with pytest.raises(poplib.error_proto):
        server.pop("user0001", "none")


@only(LIMITS)
def test_a_small_mailbox_refuses_and_takes_mail_again_after_expunge(server):
    accepted = 0
    while accepted < 20 and deliver(server, "small01", accepted, 8192):
        accepted += 1
    assert accepted == 7  # eight times 8 KiB and its headers is more than 64 KiB
    session = server.imap("small01")
    with pytest.raises(imaplib.IMAP4.error, match="(?i)quota"):
        status, said = session.append("INBOX", None, None, message("small01@example.test", 9, 8192))
        raise imaplib.IMAP4.error(said) if status == "NO" else AssertionError(status)
    session.logout()
    server.remove("small01", "1:4")
    assert deliver(server, "small01", 99, 8192)
    assert server.count("small01") == accepted - 4 + 1


@only(LIMITS)
def test_a_new_limit_counts_for_the_very_next_delivery(server):
    for limit, fits in ((4096, False), (1 << 20, True), (4096, False), (0, True)):
        server.do("quota", "user0006", limit)
        assert deliver(server, "user0006", size=8192) == fits, limit
    assert server.count("user0006") == 2


@only(LIMITS)
def test_an_idling_session_hears_of_new_mail(server):
    session = server.imap("user0007")
    session.select()
    session.send(b"x1 IDLE\r\n")
    assert session.readline().startswith(b"+")
    started = time.monotonic()
    assert deliver(server, "user0007")
    while not session.readline().endswith(b"1 EXISTS\r\n"):
        pass
    assert time.monotonic() - started < 5
    session.shutdown()


def test_two_hundred_sessions_are_greeted(server):
    protocol = "imap" if server.name in IMAP else "pop3"
    sessions = [socket.create_connection(("127.0.0.1", server.port(protocol, "none")), timeout=30) for _ in range(200)]
    greetings = {session.recv(3) for session in sessions}  # all are still open
    for session in sessions:
        session.close()
    assert greetings in ({b"* O"}, {b"+OK"})


def test_killed_it_keeps_accepted_mail_and_its_ports(server):
    assert deliver(server, "user0004")
    server.do("kill")
    assert [port for port in server.ports() if answers(port)] == []
    server.do("restart")
    assert pop_count(server, "user0004") == 1


def test_a_pause_holds_everybody_up(server):
    port = server.target["pop3"][0]["port"]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as session:
        assert session.recv(3) == b"+OK"
        started = time.monotonic()
        server.do("pause", 1000)
        session.sendall(b"QUIT\r\n")
        assert time.monotonic() - started >= 1
        assert eventually(lambda: b"+OK" in session.recv(512))


def test_reset_empties_every_mailbox(server):
    assert deliver(server, "user0005")
    assert pop_count(server, "user0005") == 1
    server.do("reset")
    assert pop_count(server, "user0005") == 0
