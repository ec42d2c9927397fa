"""Servers that are bad in every way we know: the tool says which host, protocol and step, and what it saw; it stays small,
ends within the step's bound, and leaves a complete run directory."""
import concurrent.futures
import dataclasses
import os
import re
import signal
import socket
import subprocess
import time
from unittest import mock

import pytest

import tool
import reference_server
from reference_server import ROOT

CERTS = ROOT / "fixtures/certs"
PATIENCE = 0.2
GREETING, COMMAND = 10 * PATIENCE, 60 * PATIENCE  # the bounds of a bring-up step and of a command
REST = 8  # the rest of the story, and its settling time
MEMORY_MB = 64
KEPT = r".*what it said in all takes more than \d+ KiB to keep, the most for one session"
LONG_LINE = r"a line of more than \d+ octets"
EXPIRED = r"certificate of 'mailproof expired' \(names: localhost, 127\.0\.0\.1, ::1; valid until 2020-02-01\) has expired"
WRONG_HOST = (r"certificate of 'mailproof wronghost' \(names: mail\.elsewhere\.test; valid until [-0-9]{10}\) "
              r"does not match host 127\.0\.0\.1")


@dataclasses.dataclass
class Case:
    kind: str
    protocol: str
    says: str  # regular expression behind "PROTOCOL 127.0.0.1:PORT: "
    statuses: tuple = (3,)
    bound: float = REST
    tls: str = "none"

    @property
    def id(self):
        return f"{self.kind}-{self.protocol}"


CASES = [
    Case("silent", "imap", "greeting: no greeting within 2s", bound=GREETING + REST),
    Case("silent", "pop3", "greeting: nothing came within 2s", bound=GREETING + REST),
    Case("silent", "lmtp", "greeting: nothing came within 2s", bound=GREETING + REST),
    Case("garbage", "imap", r"greeting: this is no IMAP greeting: .*last seen: \"\\x17"),
    Case("garbage", "pop3", r"greeting: not a POP3 response \(last seen: \"\\x17"),
    Case("garbage", "lmtp", r"greeting: not an LMTP reply \(last seen: \"\\x17"),
    Case("endless-line", "imap", f"greeting: {LONG_LINE} .*last seen: .*and welcome and welcome"),
    Case("endless-line", "pop3", f"greeting: {LONG_LINE} .*last seen: .*and welcome and welcome"),
    Case("endless-line", "lmtp", f"greeting: {LONG_LINE} .*last seen: .*and welcome and welcome"),
    Case("endless-reply", "imap", f"LIST: {LONG_LINE} .*Posteingang"),
    Case("endless-reply", "pop3", f"STAT: {LONG_LINE} .*900900", statuses=(1, 3)),
    Case("endless-reply", "lmtp", f"LHLO: {LONG_LINE} .*PIPELININGPIPELINING"),
    Case("flood", "imap", rf"(SELECT|EXAMINE): {KEPT} .*1 EXISTS"),
    Case("flood", "pop3", f"LIST: {KEPT}", statuses=(1, 3)),
    Case("flood", "lmtp", "LHLO: .*a reply without end"),
    Case("flood-ok", "imap", r"(SELECT|EXAMINE): more than \d+ responses without an end .*OK still there"),
    Case("flood-rows", "imap", rf"UID FETCH: {KEPT} .*FETCH"),
    # Sizes that a few octets announce, and many answers that are each of a bearable size.
    Case("flood-sets", "imap", "is not ours"),
    Case("flood-vanished", "imap", "is not ours"),
    Case("flood-answers", "imap", rf"{KEPT} .*FETCH"),
    Case("flood-list", "imap", f"LIST: {KEPT} .*Ordner"),
    Case("many-flags", "imap", rf"UID FETCH: {KEPT} .*FLAGS", bound=30),
    Case("exists-8m", "imap", r"(SELECT|EXAMINE): the server claims a mailbox of 8000000 messages; 1000000 are followed"),
    Case("exists-jumps", "imap", rf"(SELECT|EXAMINE): {KEPT} .*(EXISTS|VANISHED)"),
    Case("copyuid-1m", "imap", "is not ours"),
    Case("list-1m", "pop3", f"LIST: {KEPT}", statuses=(1, 3)),
    Case("uidl-long", "pop3", f"UIDL: {KEPT}", statuses=(1, 3)),
    Case("big", "imap", "INBOX of user[0-9]+ holds 100000 messages that are not ours; it was not changed", bound=30),
    Case("trickle", "imap", r"(SELECT|EXAMINE): no end of the reply within 12s .*OK still there", bound=COMMAND + REST),
    Case("trickle", "pop3", "LIST: no end of the reply within 12s", statuses=(1, 3), bound=2 * COMMAND + REST),
    Case("trickle", "lmtp", "LHLO: no end of the reply within 2s", bound=GREETING + REST),
    Case("literal-10g", "imap", "UID FETCH: literal of 10737418240 octets announced"),
    Case("literal-3g", "imap", r"UID FETCH: more than \d+ octets without an end", bound=COMMAND + REST),
    Case("literal-3g", "pop3", r"(TOP|RETR): a response of more than \d+ octets", statuses=(1, 3), bound=COMMAND + REST),
    Case("many-literals", "imap", r"UID FETCH: more than \d+ octets without an end", bound=COMMAND + REST),
    Case("deep-lists", "imap", rf"UID FETCH: {LONG_LINE} .*BODYSTRUCTURE \(\(\(\("),
    Case("lies", "imap", r"(SELECT|EXAMINE): the server claims a mailbox of 1000000000 messages"),
    Case("lies", "pop3", "STAT 1000000000 5", statuses=(1,)),
    Case("lies", "lmtp", "lmtp-replies/too-many", statuses=(1,)),
    Case("lies-rows", "imap", "is told FETCH 2 of INBOX"),
    Case("close-mid-literal", "imap", r"UID FETCH: closed by the other end, \d+ octets of a literal missing"),
    Case("close-mid-literal", "pop3", r"(TOP|RETR): closed by the other end", statuses=(1, 3)),
    Case("close-mid-literal", "lmtp", r"end of data: closed by the other end \(last seen: \"354 go ahead", statuses=(1, 3)),
    Case("wrong-password", "imap", r"LOGIN: the server refused the login of user\d+: NO \[AUTHENTICATIONFAILED\]"),
    Case("wrong-password", "pop3", r"PASS: login with USER refused .*-ERR \[AUTH\] wrong password"),
    Case("expired", "imap", f"TLS: {EXPIRED}", tls="implicit"),
    Case("expired", "pop3", f"TLS: {EXPIRED}", tls="implicit"),
    Case("wronghost", "imap", f"TLS: {WRONG_HOST}", tls="implicit"),
    Case("wronghost", "pop3", f"TLS: {WRONG_HOST}", tls="implicit"),
    Case("starttls-injection", "imap", r"tls.bytes-behind-starttls .*injected", tls="starttls"),
    Case("starttls-injection", "pop3", r"tls.bytes-behind-starttls .*USER", tls="starttls"),
]
NAMES_NO_ENDPOINT = {"big-imap", "flood-sets-imap", "flood-vanished-imap", "copyuid-1m-imap", "lies-pop3", "lies-lmtp", "lies-rows-imap", "starttls-injection-imap", "starttls-injection-pop3"}


def endpoints(ports, user="user0001", patience=PATIENCE):
    arguments = []
    for protocol, port in ports.items():
        arguments += [f"--{protocol}", f"127.0.0.1:{port}"]
    return [*arguments, "--user", user, "--address", f"{user}@example.test", "--patience", patience]


@pytest.fixture(scope="module")
def good():
    subprocess.run([ROOT / "scripts/make-certs"], check=True)
    with mock.patch.object(reference_server, "PASSWORD", tool.PASSWORD):
        with reference_server.server("--cert", CERTS / "good.pem", "--key", CERTS / "good.key", "--imaps", "0", "--pop3s",
                                     "0", users=99) as running:
            yield running


@pytest.fixture(scope="module")
def played(good, tmp_path_factory):
    """Every bad server, a few at a time: most of the time is waiting for them."""
    folder = tmp_path_factory.mktemp("played")

    def play(number, case):
        suffix = "s" if case.tls == "implicit" else ""
        ports = {"imap": good.ports["imap" + suffix], "pop3": good.ports["pop3" + suffix], "lmtp": good.ports["lmtp"]}
        out = folder / case.id
        options = ["--certs", CERTS] + (["--implicit-tls"] if suffix else [])
        with tool.bad_server(case.kind, case.protocol, *options) as port:
            ports[case.protocol] = port
            ran = tool.mailproof("run", tool.STORY, *endpoints(ports, f"user{number:04}"), "--tls", case.tls, "--ca",
                                 CERTS / "ca.pem", "--out", out, timeout=10 * case.bound + 60, servers=[port, good])
        return ran, out, port

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        # The slow ones first, so that none of them is what everybody waits for in the end.
        order = sorted(enumerate(CASES, 1), key=lambda entry: -entry[1].bound)
        futures = {case.id: pool.submit(play, number, case) for number, case in order}
    return {name: future.result() for name, future in futures.items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_bad_server(played, case):
    ran, out, port = played[case.id]
    where = "" if case.id in NAMES_NO_ENDPOINT else f"{case.protocol} 127.0.0.1:{port}: "
    said = re.search(re.escape(where) + case.says, ran.out)
    assert said, ran.text
    print(f"{case.id} | {said.group()} | exit {ran.status} | {ran.seconds:.1f} s and starved {ran.starved:.1f} s | {ran.peak_mb:.0f} MB")  # shown by -rP
    assert ran.status in case.statuses, ran.text
    assert ran.peak_mb < MEMORY_MB
    assert ran.seconds < case.bound, f"{ran.wall:.1f} s, of which it was starved {ran.starved:.1f} s"
    assert "not over after" not in ran.text and ran.err == ""
    run = tool.complete_run(out)
    # Where a message breaks off it is seen or not before the client gives up: too little was seen, or nothing could be played.
    # What goes beyond our own bounds is not held against the server.
    cut = ("close-mid-literal-pop3", "close-mid-literal-lmtp", "trickle-pop3", "flood-pop3", "list-1m-pop3", "literal-3g-pop3")
    nothing = ("error", "inconclusive") if case.id in cut else ("error",)
    assert run["verdict"] in (("fail",) if ran.status == 1 else nothing) and not run["interrupted"]


POP3_ONLY = """\
id: pop3.only
title: A server without IMAP
needs: [pop3, delivery]
accounts: [alice]
devices:
  mta: {delivers: any}
  pc: {pop3: alice, after_download: keep}
steps:
  - mta: {deliver: mail, to: alice, count: 1}
  - pc: {download: new, as: got}
"""


def test_a_server_without_imap_is_looked_into_over_pop3(good, tmp_path):
    """The baseline goes over POP3 then, and what it does not understand is not played on."""
    story = tmp_path / "only.yaml"
    story.write_text(POP3_ONLY)
    with tool.bad_server("endless-reply", "pop3") as port:
        ran = tool.mailproof("run", story, *endpoints({"pop3": port, "lmtp": good.ports["lmtp"]}, "user0070"), "--out",
                             tmp_path / "run", servers=[port, good])
    assert ran.status == 3 and ran.seconds < REST
    assert re.search(rf"pop3 127\.0\.0\.1:{port}: STAT: {LONG_LINE}", ran.out), ran.text
    assert '"what":"deliver"' not in (tmp_path / "run/history.jsonl").read_text("utf-8")
    tool.complete_run(tmp_path / "run")


OF_TLS_CHECKS = {"no-close-alert", "reset", "old-tls"}  # test_tls_checks.py
OF_HARM = {"echo", "commands", "small-limit"}  # test_harm.py plays them


def test_every_kind_is_played():
    listed = subprocess.run([tool.BAD_SERVER, "--list"], check=True, capture_output=True, text=True).stdout
    assert {line.split()[0] for line in listed.splitlines()} == {case.kind for case in CASES} | OF_TLS_CHECKS | OF_HARM


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_nobody_listens(tmp_path):
    port = closed_port()
    ran = tool.mailproof("run", tool.STORY, *endpoints({"imap": port, "pop3": port, "lmtp": port}), "--out", tmp_path)
    assert ran.status == 3 and ran.seconds < REST
    assert re.search(f"imap 127.0.0.1:{port}: connect: .*[Cc]onnection refused", ran.out), ran.text
    assert tool.complete_run(tmp_path)["verdict"] == "error"


def test_a_host_that_does_not_exist(tmp_path):
    target = [word.replace("127.0.0.1", "no-such-host.invalid") if isinstance(word, str) else word
              for word in endpoints({"imap": 143, "pop3": 110, "lmtp": 24})]
    ran = tool.mailproof("run", tool.STORY, *target, "--out", tmp_path)
    assert ran.status == 3
    assert re.search(r"imap no-such-host\.invalid:143: connect: .*(not known|resolution|resolve|no address)", ran.out), ran.text
    assert tool.complete_run(tmp_path)["verdict"] == "error"


def history_grows(path, text, process, may_end=False):
    for _ in range(300):
        if any(text in part.read_text("utf-8") for part in path.glob("history/*.jsonl")):
            return
        if may_end and process.poll() is not None:
            return
        assert process.poll() is None
        time.sleep(0.1)
    raise AssertionError(f"no {text} in the history")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_while_a_server_says_nothing(good, tmp_path, number):
    with tool.bad_server("silent", "pop3") as port:
        ports = {"imap": good.ports["imap"], "pop3": port, "lmtp": good.ports["lmtp"]}
        process = tool.start("run", tool.STORY, "scenarios/sync", *endpoints(ports, f"user{80 + number:04}", patience=5),
                             "--out", tmp_path)
        history_grows(tmp_path, f"pop3 127.0.0.1:{port}", process)
        tool.from_now(process, port, good)
        process.send_signal(number)
        ran = tool.finish(process)
    assert ran.status == 3 and ran.seconds < 2
    run = tool.complete_run(tmp_path)
    assert run["interrupted"] and run["verdict"] == "inconclusive"
    assert [scenario["id"] for scenario in run["scenarios"]] == ["mixed.pop-download-empties-the-phone"]
    assert "interrupted" in ran.out and "mixed.pop-download-empties-the-phone" in ran.out
    assert run["scenarios"][0]["verdict"] == "inconclusive", run
    assert '"what":"deliver"' in (tmp_path / "history.jsonl").read_text("utf-8")


@pytest.mark.parametrize("kind, protocol", [("flood", "imap"), ("flood-ok", "imap"), ("flood-rows", "imap"), ("many-flags", "imap"),
                                            ("exists-jumps", "imap"), ("flood-vanished", "imap"), ("list-1m", "pop3")])
def test_interrupted_while_a_server_floods(good, tmp_path, kind, protocol):
    """Whatever is being read: the signal comes in the middle of it, and nothing is read to its end first."""
    with tool.bad_server(kind, protocol) as port:
        ports = {**{name: good.ports[name] for name in ("imap", "pop3", "lmtp")}, protocol: port}
        process = tool.start("run", tool.STORY, *endpoints(ports, "user0090", patience=5), "--out", tmp_path)
        # What it answers with the flood. A bound may be met at once, and the run be over before anybody can interrupt it.
        history_grows(tmp_path, '"pop-list"' if protocol == "pop3" else '"examine"', process, may_end=True)
        tool.from_now(process, port, good)
        process.send_signal(signal.SIGINT)
        ran = tool.finish(process)
    # Which of the two was first, the bound or the signal, is the machine's affair.
    assert ran.status in (1, 3) and ran.seconds < 2, ran.text
    tool.complete_run(tmp_path)


LOAD_MEMORY_MB = 256  # 20 copies at a time, each of which may keep 2 MiB of what a server says, and its readers as much again


@pytest.mark.parametrize("kind, protocol", [("exists-8m", "imap"), ("flood-answers", "imap"), ("list-1m", "pop3"), ("uidl-long", "pop3")])
def test_a_bad_server_under_load(good, tmp_path, kind, protocol):
    target = tmp_path / "target.yaml"
    with tool.bad_server(kind, protocol) as port:
        ports = {**{name: good.ports[name] for name in ("imap", "pop3", "lmtp")}, protocol: port}
        target.write_text("target: bad\n" + "".join(f"{name}: [{{port: {at}}}]\n" for name, at in ports.items()) +
                          'accounts:\n  - {login: "user%04d", address: "user%04d@example.test", count: 40, '
                          'password_env: MAILPROOF_PASSWORD}\n')
        ran = tool.mailproof("load", tool.STORY, "--target", target, "--copies", 20, "--patience", PATIENCE, "--out",
                             tmp_path / "run", timeout=120)
    print(f"load {kind}-{protocol} | exit {ran.status} | {ran.seconds:.1f} s | {ran.peak_mb:.0f} MB")
    assert ran.status in (1, 3), ran.text
    assert ran.peak_mb < LOAD_MEMORY_MB


def test_a_path_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    ran = tool.mailproof("run", tool.STORY, "--sim", "--out", tmp_path / "file/run")
    assert ran.status == 2 and ran.out == ""
    assert re.search(r"file/run: cannot make the run directory: \S", ran.err)



def test_a_place_where_nobody_may_write():
    ran = tool.mailproof("run", tool.STORY, "--sim", "--out", "/proc/mailproof")
    assert ran.status == 2 and ran.out == "" and "/proc/mailproof: cannot" in ran.err


def test_a_full_disk(tmp_path):
    """Said before anything is played; and one that is as good as full is no reason to fall over either."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        ran = tool.mailproof("run", tool.STORY, "--sim", "--out", tmp_path / "run")
        assert ran.status == 2 and ran.out == ""
        assert re.search(r"run: cannot write to the run directory: No space left on device", ran.err), ran.err
        assert not (tmp_path / "run/history.jsonl").exists()
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_disk_that_fills_up_meanwhile(tmp_path):
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", tmp_path], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    try:
        ran = tool.mailproof("run", tool.STORY, "--sim", "--repeat", "200", "--out", tmp_path / "run")
        assert ran.status == 3, ran.text
        assert "No space left on device" in ran.err
    finally:
        subprocess.run(["umount", tmp_path], check=True)
