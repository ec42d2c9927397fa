"""The hosting nodes do what the stories need: SMTP that ends in a Dovecot mailbox, a real bounce when it is full,
limits that are raised and shared, and nothing lost that was accepted, wherever it stood when the node was killed."""
import email
import os
import select
import signal
import smtplib
import socket
import subprocess
import tempfile

import pytest

from throwaways import ROOT, eventually, running
from servers.namespace import Namespace
from servers.processes import descendants, freeze, stat_fields

NODES = ["exim-dovecot", "postfix-dovecot"]


@pytest.fixture(scope="module", params=NODES)
def node(request):
    with running(request.param) as server:
        yield server


def reports(node, user):
    """The delivery reports in a mailbox (RFC 3464), each as the fields of its recipient."""
    mails = [email.message_from_bytes(body) for body in node.bodies(user)]
    return [mail.get_payload(1).get_payload(1) for mail in mails if mail.get_content_type() == "multipart/report"]


def masters(node):
    return [int(pid) for pid in node.do("status").split("pid ")[1].split(",")[0].split()]


def freeze_dovecot(node):
    """From now on mail stays in the queue."""
    freeze(lambda: descendants(masters(node)[0]))


def queued(node):
    folder = node.target_file.parent / "queue"
    return [path for part in ("input", "incoming", "active", "deferred") for path in (folder / part).rglob("*")
            if path.is_file()]


def fill(node, user, size=16384):
    """By LMTP, until it is refused."""
    accepted = 0
    with pytest.raises(smtplib.SMTPDataError):
        while True:
            node.deliver(user, accepted, size)
            accepted += 1
    return accepted


def test_mail_sent_by_smtp_is_read_by_imap_and_pop(node):
    node.send("user0003@example.test", 3)
    eventually(lambda: node.count("user0003") == 1)
    assert b"<3.fixture@example.test>" in node.bodies("user0003")[0]
    assert node.pop("user0003").stat()[0] == 1


def test_the_mta_refuses_strangers_and_unknown_addresses(node):
    for address in ("somebody@elsewhere.test", "nobody@example.test", "box9@c01.example.test"):
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            node.send(address)
        assert 550 <= refused.value.recipients[address][0] <= 554


def test_a_full_mailbox_bounces_once_and_takes_mail_again_after_expunge(node):
    filled = fill(node, "small01@example.test")
    node.send("small01@example.test", 11, 16384, sender="user0011@example.test")
    report, = eventually(lambda: reports(node, "user0011"))
    assert report["Final-Recipient"].replace(" ", "").lower() == "rfc822;small01@example.test"
    assert report["Action"] == "failed"
    assert "5.2.2" in report["Status"] + report["Diagnostic-Code"]
    # What comes through afterwards shows that nothing else was on its way before it.
    node.remove("small01", "1:2")
    node.send("small01@example.test", 12, 16384, sender="user0011@example.test")
    eventually(lambda: node.count("small01") == filled - 2 + 1)
    eventually(lambda: not queued(node))
    assert node.count("user0011") == 1


def test_a_customers_mailboxes_share_one_limit_and_a_raised_one_counts_at_once(node):
    fill(node, "box1@c01.example.test", 30000)
    node.send("box2@c01.example.test", 21, 30000, sender="user0021@example.test")
    node.send("box1@c02.example.test", 22, 30000, sender="user0021@example.test")
    report, = eventually(lambda: reports(node, "user0021"))
    assert report["Final-Recipient"].endswith("box2@c01.example.test")
    eventually(lambda: node.count("box1@c02.example.test") == 1)
    node.do("customer-quota", "c01", 256 * 1024)
    node.send("box2@c01.example.test", 23, 30000, sender="user0021@example.test")
    eventually(lambda: node.count("box2@c01.example.test") == 1)

    fill(node, "small02@example.test")
    node.do("quota", "small02", 256 * 1024)
    before = node.count("small02")
    node.send("small02@example.test", 24, 16384, sender="user0021@example.test")
    eventually(lambda: node.count("small02") == before + 1)
    assert node.count("user0021") == 1


def test_paused_the_mta_and_dovecot_stand_still(node):
    imap = node.imap("user0031", "implicit")
    pids = masters(node)  # asked beforehand: on a busy machine the question takes as long as a short pause
    with socket.create_connection(("127.0.0.1", node.port("smtp", "none")), timeout=10) as smtp:
        smtp.recv(1000)
        pausing = subprocess.Popen([ROOT / "scripts/servers", "pause", node.name, "3000"], env=node.environment)
        eventually(lambda: all(stat_fields(pid)[0] == "T" for pid in pids))
        smtp.sendall(b"NOOP\r\n")
        imap.send(b"x1 NOOP\r\n")
        assert select.select([smtp, imap.sock], [], [], 0.3)[0] == []
        assert pausing.wait() == 0
        assert smtp.recv(1000).startswith(b"250 ")
        assert imap.readline().startswith(b"x1 OK")
    imap.shutdown()


def test_killed_it_loses_nothing_that_was_accepted(node):
    node.deliver("user0041@example.test", 41)
    freeze_dovecot(node)
    node.send("user0041@example.test", 42)
    assert queued(node)
    node.do("kill")
    for port in node.ports():
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
    node.do("restart")
    eventually(lambda: node.count("user0041") == 2)


def test_a_report_to_a_full_mailbox_is_dropped_and_the_queue_ends_empty(node):
    """RFC 5321 section 6.1: a report has no sender who could be told."""
    for user in ("small03", "small04"):
        fill(node, f"{user}@example.test")
    before = node.count("small04")
    node.send("small03@example.test", 45, 16384, sender="small04@example.test")
    eventually(lambda: not queued(node))
    assert node.count("small04") == before


def test_reset_empties_mailboxes_and_queue(node):
    node.deliver("user0051@example.test", 51)
    fill(node, "box1@c05.example.test", 30000)
    freeze_dovecot(node)
    node.send("user0051@example.test", 52)
    node.do("reset")
    assert not queued(node)
    node.send("user0051@example.test", 53)  # behind whatever came first
    eventually(lambda: node.count("user0051") == 1)
    assert b"<53.fixture@example.test>" in node.bodies("user0051")[0]
    node.deliver("box1@c05.example.test", 54, 30000)


def test_down_leaves_no_process_no_port_and_no_folder(node):
    folder = node.target_file.parent
    before = masters(node)
    inside = Namespace(folder / "namespace")
    assert before[1] in inside.members()
    node.do("down")
    assert inside.members() == [] and not folder.exists()
    assert all(stat_fields(pid) is None or stat_fields(pid)[0] == "Z" for pid in before)
    for port in node.ports():
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


@pytest.mark.parametrize("name", NODES)
def test_without_root_it_says_so(name):
    identity = {}
    if os.geteuid() == 0:
        identity = {"user": "nobody", "group": "nogroup", "extra_groups": []}
    with tempfile.TemporaryDirectory() as state:
        os.chmod(state, 0o777)
        run = subprocess.run(["/usr/bin/env", "python3", ROOT / "scripts/servers", "up", name], text=True,
                             capture_output=True, env={**os.environ, "MAILPROOF_STATE": state}, **identity)
        assert os.listdir(state) == []
    assert run.returncode == 77, run.stderr
    assert run.stderr.startswith(f"{name} needs root: ") and len(run.stderr.splitlines()) == 1
