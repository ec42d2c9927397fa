"""Recordings that real servers and clients make are read and judged: a server that keeps its promises is not accused,
whatever is missing in them."""
import contextlib
import imaplib
import json
import pathlib
import poplib
import smtplib
import struct
import subprocess
import tempfile
import time

import pytest

from reference_server import filler, server
from test_record import everything, recorded
from throwaways import running
from tool import complete_run, mailproof


def history(directory):
    lines = (pathlib.Path(directory) / "history.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def events(directory, **wanted):
    found = [line["event"] for line in history(directory) if "event" in line]
    return [event for event in found if all(event.get(key) == value for key, value in wanted.items())]


def accounts(directory):
    """Those that were known from the first, and those that turned up."""
    lines = history(directory)
    return [account["name"] for line in lines if "history" in line for account in line["history"]["accounts"]] + [
        line["account"]["name"] for line in lines if "account" in line]


def messages(directory):
    return [line["message"] for line in history(directory) if "message" in line]


@pytest.fixture(scope="module")
def rawlogs():
    """What Dovecot records of a user with a phone, a desktop that fetches by POP3, and mail that comes in."""
    # Not in pytest's own folder, which is closed to the user that Dovecot runs as.
    with tempfile.TemporaryDirectory(prefix="mailproof-rawlog-") as folder:
        yield recorded_in(pathlib.Path(folder))


def recorded_in(folder):
    folder.chmod(0o777)
    for name in ("user0001", "lmtp"):
        (folder / name).mkdir()
        (folder / name).chmod(0o777)
    with running("dovecot", MAILPROOF_RAWLOG=str(folder)) as dovecot:
        for number in range(1, 4):
            dovecot.deliver("user0001@example.test", number)
        phone = dovecot.imap("user0001")
        phone.select()
        phone.fetch("1:*", "(UID FLAGS RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER])")
        phone.uid("fetch", "2", "(BODY[])")
        phone.append("Sent", r"(\Seen)", None, b"Message-ID: <sent-1@example.test>\r\nSubject: Antwort\r\n\r\nJa.\r\n")
        phone.store("1", "+FLAGS", r"(\Deleted)")
        phone.expunge()
        phone.uid("move", "2", "Archive")
        desktop = dovecot.pop("user0001")
        desktop.stat(), desktop.list(), desktop.uidl()
        desktop.retr(1)
        desktop.dele(1)
        desktop.quit()
        phone.noop()
        phone.select("Archive")
        phone.fetch("1:*", "(UID FLAGS ENVELOPE)")
        phone.logout()
    return folder


def test_dovecots_rawlogs_become_a_run(rawlogs, tmp_path):
    ran = mailproof("import", rawlogs / "user0001", "--user", "user0001", "--out", tmp_path / "run")
    assert ran.status == 0, ran.text
    run = complete_run(tmp_path / "run")
    assert run["verdict"] == "pass"
    mail = messages(tmp_path / "run")
    assert {one["message_id"] for one in mail} >= {"<1.fixture@example.test>", "<2.fixture@example.test>",
                                                   "<3.fixture@example.test>", "<sent-1@example.test>"}
    assert all(one.get("subject") for one in mail)
    assert accounts(tmp_path / "run") == ["user0001"]
    for what, kind in (("append", "ok"), ("store", "ok"), ("expunge", "ok"), ("move", "ok"), ("retr", "ok"),
                       ("dele", "ok"), ("quit", "ok"), ("expunged", "obs"), ("pop-uidl", "obs"), ("stat", "ok")):
        assert events(tmp_path / "run", what=what, type=kind), (what, kind)
    # A message is one message, over whatever protocol it is read.
    third = next(one["n"] for one in mail if one["message_id"] == "<3.fixture@example.test>")
    sessions = {event["session"] for event in events(tmp_path / "run", what="message", message=third)}
    assert len(sessions) == 2
    again = mailproof("judge", tmp_path / "run")
    assert again.status == 0, again.text
    # Named by both of its files, and with its folder, each session is read once.
    twice = mailproof("import", *sorted((rawlogs / "user0001").iterdir()), rawlogs / "user0001", "--user", "user0001", "--out", tmp_path / "twice")
    assert twice.status == 0 and len(events(tmp_path / "twice")) == len(events(tmp_path / "run"))


def test_half_of_the_recordings_accuse_nobody(rawlogs, tmp_path):
    """Each file pair alone, each with its beginning missing, and every one as another user's."""
    pairs = sorted({path.with_suffix("") for path in (rawlogs / "user0001").iterdir()})
    assert len(pairs) >= 2
    for number, pair in enumerate(pairs):
        ran = mailproof("import", f"{pair}.in", "--out", tmp_path / f"alone-{number}", "--strict")
        assert ran.status == 0, ran.text
        for lines in range(1, len(pathlib.Path(f"{pair}.out").read_bytes().splitlines()), 7):
            cut = tmp_path / f"cut-{number}-{lines}"
            cut.mkdir()
            for end in (".in", ".out"):
                whole = pathlib.Path(f"{pair}{end}").read_bytes().splitlines(keepends=True)
                (cut / f"one{end}").write_bytes(b"".join(whole[lines if end == ".out" else 0:]))
            ran = mailproof("import", cut, "--user", "user0001", "--out", tmp_path / f"run-{number}-{lines}")
            assert ran.status in (0, 3) or "there are none" in ran.text, ran.text
    ran = mailproof("import", rawlogs / "user0001", "--out", tmp_path / "unknown")
    assert ran.status == 0, ran.text


def test_all_clients_of_a_correct_server_are_not_accused(rawlogs, tmp_path):
    ran = mailproof("import", rawlogs, "--by-directory", "--all-clients", "--strict", "--out", tmp_path / "run")
    assert ran.status == 0, ran.text
    accepted = events(tmp_path / "run", what="deliver", type="ok")
    assert len(accepted) == 3, ran.text


def test_what_is_no_recording_is_said_with_its_place(tmp_path):
    (tmp_path / "notes.txt").write_text("Dear diary\n")
    ran = mailproof("import", tmp_path / "notes.txt", "--out", tmp_path / "run")
    assert ran.status == 2 and "notes.txt:1:1: expected" in ran.err and "Dear diary" in ran.err
    assert not (tmp_path / "run").exists()
    ran = mailproof("import", tmp_path / "nothing", "--out", tmp_path / "run")
    assert ran.status == 2 and "nothing: expected" in ran.err
    (tmp_path / "one.in").write_text("1795342502.104113 1 NOOP\nwithout a time\n")
    (tmp_path / "one.out").write_text("1795342502.104113 1 OK\n")
    ran = mailproof("import", tmp_path / "one.in", "--out", tmp_path / "run")
    assert ran.status == 2 and "one.in:2:1: expected the time" in ran.err


# --- captures


def packets(path):
    """The file's header, and each packet with its own."""
    data = pathlib.Path(path).read_bytes()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    found, at = [], 24
    while at + 16 <= len(data):
        length = struct.unpack_from(order + "I", data, at + 8)[0]
        found.append(data[at:at + 16 + length])
        at += 16 + length
    return data[:24], found


def payload(packet, port):
    """What a TCP packet on loopback (Ethernet, IPv4) brings from this port."""
    frame = packet[16:]
    header = 14 + (frame[14] & 15) * 4
    source = struct.unpack_from(">H", frame, header)[0]
    return frame[header + (frame[header + 12] >> 4) * 4:] if source == port else b""


@contextlib.contextmanager
def captured(path, ports):
    """All packets of these ports, by tcpdump."""
    path.parent.chmod(0o777)
    command = ["tcpdump", "-i", "lo", "-s0", "-U", "-Z", "root", "-w", str(path), " or ".join(f"tcp port {p}" for p in ports)]
    tcpdump = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        said = tcpdump.stderr.readline()
        while said and "listening on" not in said:
            if "permitted" in said or "permission" in said:
                pytest.skip(f"nobody may capture here: {said.strip()}")
            said = tcpdump.stderr.readline()
        yield
        time.sleep(1)  # the kernel hands packets over in blocks
    finally:
        tcpdump.terminate()
        tcpdump.wait()
        tcpdump.stderr.close()


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    """A phone and a desktop at work."""
    path = tmp_path_factory.mktemp("capture") / "all.pcap"
    with server() as running_server, captured(path, running_server.ports.values()):
        ports = [running_server.ports[name] for name in ("imap", "pop3", "lmtp")]
        with smtplib.LMTP(*running_server.lmtp, timeout=30) as lmtp:
            for number in range(3):
                lmtp.sendmail("user0002@example.test", ["user0001@example.test"], filler(4000, number))
        phone = imaplib.IMAP4(*running_server.imap, timeout=30)
        phone.login("user0001", "pass")
        phone.select()
        phone.fetch("1:*", "(UID FLAGS RFC822.SIZE BODY.PEEK[])")
        phone.store("2", "+FLAGS", r"(\Deleted)")
        phone.expunge()
        desktop = poplib.POP3(*running_server.pop3, timeout=30)
        desktop.user("user0001"), desktop.pass_("pass")
        desktop.uidl(), desktop.retr(1), desktop.dele(1)
        desktop.quit()
        phone.noop()
        phone.logout()
    yield path, ports


def test_a_capture_becomes_a_run(capture, tmp_path):
    path, _ = capture
    ran = mailproof("import", path, "--all-clients", "--strict", "--out", tmp_path / "run")
    assert ran.status == 0, ran.text
    assert len(events(tmp_path / "run", what="deliver", type="ok")) == 3
    assert len(events(tmp_path / "run", what="message", code="full")) == 4
    assert len(messages(tmp_path / "run")) == 3 and len(accounts(tmp_path / "run")) == 1
    logs = "".join(log.read_text("utf-8") for log in (tmp_path / "run/wire").rglob("*.log"))
    assert "LOGIN" in logs and "***" in logs and "LOGIN user0001 pass" not in logs and "PASS pass" not in logs


def mangled(path, to, change):
    head, found = packets(path)
    to.write_bytes(head + b"".join(change(found)))
    return to


def test_what_is_answered_behind_the_clients_fin_is_heard(tmp_path):
    """It says that no more comes from there (RFC 9293 section 3.6), not that nobody answers."""
    client, there, out = [100], [900], []

    def send(by_client, octets=b"", flags=0x18):
        mine, other = (client, there) if by_client else (there, client)
        ports = (40000, 110) if by_client else (110, 40000)
        hosts = (b"\x0a\0\0\1", b"\x0a\0\0\2") if by_client else (b"\x0a\0\0\2", b"\x0a\0\0\1")
        segment = struct.pack(">HHIIBBHHH", *ports, mine[0], other[0], 0x50, flags, 4096, 0, 0) + octets
        packet = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0, *hosts) + segment
        out.append(struct.pack("<IIII", 1_800_000_000, len(out), len(packet), len(packet)) + packet)
        mine[0] += len(octets) + (flags & 3 != 0)

    send(True, flags=2), send(False, flags=0x12)
    send(False, b"+OK ready\r\n")
    for word in (b"USER alice", b"PASS pass"):
        send(True, word + b"\r\n"), send(False, b"+OK\r\n")
    send(True, b"DELE 1\r\nQUIT\r\n", 0x19)
    send(False, b"+OK\r\n"), send(False, b"+OK bye\r\n"), send(False, flags=0x11)
    send(True, flags=0x10)
    path = tmp_path / "half.pcap"
    for name, kept in (("whole", out), ("cut", out[:-2])):
        path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101) + b"".join(kept))
        ran = mailproof("import", path, "--out", tmp_path / name)
        assert ran.status == 0, ran.text
        assert len(events(tmp_path / name, what="dele", type="ok")) == 1 and len(events(tmp_path / name, what="quit", type="ok")) == 1
        ends = events(tmp_path / name, what="end")
        assert len(ends) == 1 and ends[0]["flags"] == "clean", ends


def test_the_order_of_packets_and_repetitions_make_no_difference(capture, tmp_path):
    path, _ = capture

    def shuffled(found):
        out = []
        for first, second in zip(found[::2], found[1::2] + [None] * (len(found) % 2)):
            out += [second, first, first] if second else [first]
        return out

    mailproof("import", path, "--out", tmp_path / "straight")
    ran = mailproof("import", mangled(path, tmp_path / "mixed.pcap", lambda found: found[:] + found[-9:]), "--out", tmp_path / "again")
    assert ran.status == 0, ran.text
    assert [(e["what"], e.get("uid")) for e in events(tmp_path / "straight")] == [
        (e["what"], e.get("uid")) for e in events(tmp_path / "again")]
    ran = mailproof("import", mangled(path, tmp_path / "shuffled.pcap", shuffled), "--strict", "--out", tmp_path / "shuffled")
    assert ran.status in (0, 3), ran.text


def test_a_packet_that_is_missing_accuses_nobody(capture, tmp_path):
    """One after the other is left out, from the server's side and from the client's."""
    path, ports = capture
    _, found = packets(path)
    full = [index for index, packet in enumerate(found) if any(payload(packet, port) for port in ports)]
    asked = [index for index in range(len(found)) if index not in full]
    assert len(full) > 20
    blind = 0
    for index in full[::5] + asked[::9]:
        cut = mangled(path, tmp_path / f"{index}.pcap", lambda all_of_them: all_of_them[:index] + all_of_them[index + 1:])
        ran = mailproof("import", cut, "--all-clients", "--strict", "--out", tmp_path / f"run-{index}")
        assert ran.status in (0, 3), ran.text
        blind += any(e.get("code") == "blind" for e in events(tmp_path / f"run-{index}", what="end"))
    assert blind >= 3


def test_a_capture_that_begins_in_the_middle_accuses_nobody(capture, tmp_path):
    path, _ = capture
    _, found = packets(path)
    for begin in range(5, len(found), max(1, len(found) // 8)):
        cut = mangled(path, tmp_path / f"from-{begin}.pcap", lambda all_of_them: all_of_them[begin:])
        ran = mailproof("import", cut, "--all-clients", "--strict", "--out", tmp_path / f"run-{begin}")
        assert ran.status in (0, 3) or "no conversation" in ran.err, ran.text


def test_a_defect_shows_in_a_capture_too(tmp_path):
    path = tmp_path / "defect.pcap"
    with server("--defect", "imap.size-huge") as running_server, captured(path, [running_server.ports["imap"]]):
        phone = imaplib.IMAP4(*running_server.imap, timeout=30)
        phone.login("user0001", "pass")
        phone.append("INBOX", None, None, filler(3000))
        phone.select()
        phone.fetch("1:*", "(UID RFC822.SIZE BODY.PEEK[])")
        phone.logout()
    ran = mailproof("import", path, "--out", tmp_path / "run")
    assert ran.status == 1 and "content/size-differs" in ran.text, ran.text


def test_a_capture_and_the_proxy_say_the_same(tmp_path):
    """Of the same sessions, event for event."""
    path = tmp_path / "passing.pcap"
    with recorded(tmp_path / "proxy", options=("--all-clients",)) as recorder:
        with captured(path, recorder.ports.values()):
            everything(recorder)
        assert recorder.stop()[0] == 0
    assert mailproof("import", path, "--all-clients", "--out", tmp_path / "capture").status == 0

    def sessions(directory):
        told = {}
        for event in events(directory):
            keys = ("type", "what", "uid", "seq", "message", "mailbox", "set", "flags", "code", "size", "hash")
            connects = event["what"] in ("connect", "end")  # how long a login took, and who hung up
            told.setdefault(event["session"], []).append([event.get(key) for key in keys[:2 if connects else None]])
        return told

    proxy, capture_ = sessions(tmp_path / "proxy"), sessions(tmp_path / "capture")
    assert len(proxy) == len(capture_) > 10
    for number, told in proxy.items():
        assert capture_[number] == told, number


# --- what curl and Cyrus write


def test_what_curl_traces_is_read(tmp_path):
    with server() as running_server:
        (tmp_path / "mail.eml").write_bytes(filler(900))
        host, port = running_server.imap
        trace = tmp_path / "trace"
        for options in (["-T", str(tmp_path / "mail.eml"), f"imap://{host}:{port}/INBOX"],
                        [f"imap://{host}:{port}/INBOX;UID=1"]):
            subprocess.run(["curl", "-s", "-o", str(tmp_path / "got"), "--trace", str(trace), "--trace-time", "-u", "user0001:pass",
                            *options], check=True)
            ran = mailproof("import", trace, "--strict", "--out", tmp_path / "run")
            assert ran.status == 0, ran.text
            assert [e["type"] for e in events(tmp_path / "run", what="connect")] == ["invoke", "ok"]
    assert events(tmp_path / "run", what="select", type="ok")
    # curl 7.88 does not trace a message that comes in one piece with the line before it.
    assert events(tmp_path / "run", what="message", code="full") or [
        "did not write down" in event["text"] for event in events(tmp_path / "run", what="end", code="blind")] == [True]


def test_cyrus_telemetry_goes_on_behind_mail_that_was_forwarded(tmp_path):
    mail = b"Message-ID: <1@x>\r\n\r\n---------- Forwarded message ---------\r\nFrom: bob\r\n\n---------- Forwarded message ---------\n\nHi\r\n"
    (tmp_path / "imap-4711").write_bytes(
        b"---------- alice Sun Nov  1 10:15:02 2026\n\n<1795342502<2 SELECT INBOX\r\n"
        b">1795342502>* FLAGS (\\Seen)\r\n* 1 EXISTS\r\n* OK [UIDVALIDITY 7] Ok\r\n2 OK [READ-WRITE] Completed\r\n"
        b"<1795342503<3 UID FETCH 5 BODY.PEEK[]\r\n>1795342503>* 1 FETCH (UID 5 BODY[] {%d}\r\n" % len(mail) + mail + b")\r\n3 OK Completed\r\n"
        b"<1795342504<4 UID STORE 5 +FLAGS (\\Deleted)\r\n>1795342504>4 OK Completed\r\n"
        b"---------- alice Sun Nov 22 10:15:02 2026\n\n<1795342602<2 SELECT INBOX\r\n"
        b">1795342602>* FLAGS (\\Seen)\r\n* 0 EXISTS\r\n* OK [UIDVALIDITY 7] Ok\r\n2 OK [READ-WRITE] Completed\r\n")
    ran = mailproof("import", tmp_path / "imap-4711", "--out", tmp_path / "run")
    assert ran.status == 0 and accounts(tmp_path / "run") == ["alice"], ran.text
    assert len(events(tmp_path / "run", what="store", type="ok")) == 1 and len(events(tmp_path / "run", what="select", type="ok")) == 2


def test_cyrus_telemetry_is_read(tmp_path):
    """As in imap/telemetry.c: chunks with the second, not lines."""
    (tmp_path / "imap-4711").write_bytes(
        b"---------- alice Sun Nov 22 10:15:02 2026\n\n<1795342502<2 SELECT INBOX\r\n"
        b">1795342502>* FLAGS (\\Seen)\r\n* 1 EXISTS\r\n* OK [UIDVALIDITY 7] Ok\r\n2 OK [READ-WRITE] Completed\r\n"
        b"<1795342503<3 APPEND Sent {38}\r\n>1795342503>+ go ahead\r\n"
        b"<1795342503<Message-ID: <1@x>\r\nSub<1795342503<ject: Hi\r\n\r\nJa\r\n\r\n"
        b">1795342503>3 OK [APPENDUID 9 12] Completed\r\n<1795342504<4 UID FETCH 5 (FLAGS)\r\n"
        b">1795342504>* 1 FETCH (UID 5 FLAGS (\\Seen))\r\n4 OK Completed\r\n")
    ran = mailproof("import", tmp_path / "imap-4711", "--strict", "--out", tmp_path / "run")
    assert ran.status == 0, ran.text
    assert accounts(tmp_path / "run") == ["alice"]
    appended = events(tmp_path / "run", what="append", type="ok")
    assert [(e["uid"], e["uidvalidity"], e["message"]) for e in appended] == [(12, 9, 1)]
    assert messages(tmp_path / "run")[0]["message_id"] == "<1@x>"
    assert events(tmp_path / "run", what="row")[0]["uid"] == 5
