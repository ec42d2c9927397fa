"""Recordings of sessions that are as they should be accuse nobody, and those of sessions that lost mail are not green: small ones,
as ImapTest, tcpdump, Cyrus, Thunderbird and MailKit write them."""
import json
import struct

import pytest

from tool import mailproof

DAY = 1795342502.0
LOGIN = "S: * OK hi\nC: 1 LOGIN alice secretpw\nS: 1 OK in\n"
END = "C: z LOGOUT\nS: * BYE x\nS: z OK bye\n"
POP = "S: +OK hi\nC: USER alice\nS: +OK\nC: PASS secretpw\nS: +OK in\n"


def select(exists=1, mailbox="INBOX", uidvalidity=77, tag="2", asked=""):
    return (f"C: {tag} SELECT {mailbox}{asked}\nS: * {exists} EXISTS\nS: * 0 RECENT\nS: * FLAGS (\\Seen \\Deleted)\n"
            f"S: * OK [UIDVALIDITY {uidvalidity}] x\nS: * OK [UIDNEXT 9] x\nS: {tag} OK [READ-WRITE] x\n")


def seen(uid=5, number=1, flags="", tag="3", header="Message-ID: <m1@x>"):
    size = len(header) + 4
    return (f"C: {tag} UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])\n"
            f"S: * {number} FETCH (UID {uid} FLAGS ({flags}) BODY[HEADER.FIELDS (MESSAGE-ID)] {{{size}}}\nS: {header}\nS: \nS: )\n"
            f"S: {tag} OK x\n")


def lines(text):
    return [(line[0], line[3:]) for line in text.strip("\n").split("\n")]


class Recorded:
    """Files of one import."""

    def __init__(self, folder):
        self.folder, self.files = folder, []

    def imaptest(self, text, at=DAY, step=0.1):
        path = self.folder / f"{len(self.files)}.log"
        self.files.append(path)
        out = b""
        for side, said in lines(text):
            at += step
            out += b"%d.%06d %s: %s\r\n" % (int(at), int(at % 1 * 1e6), b"I" if side == "S" else b"O", said.encode("latin1"))
        path.write_bytes(out)
        return self

    def cyrus(self, pieces, user="alice"):
        path = self.folder / f"{len(self.files)}.telemetry"
        self.files.append(path)
        path.write_bytes(b"---------- %s Sun Nov 22 10:15:02 2026\n\n" % user.encode() + b"".join(
            b"%s%d%s" % (b"<" if side == "C" else b">", int(DAY) + at, b"<" if side == "C" else b">")
            + said.replace("\n", "\r\n").encode("latin1") for side, at, said in pieces))
        return self

    def text(self, name, text):
        self.files.append(self.folder / name)
        self.files[-1].write_text(text)
        return self

    def imported(self, *options, status, out="run"):
        ran = mailproof("import", *self.files, *options, "--out", self.folder / out)
        assert ran.status == status, ran.text
        return ran

    def run(self, out="run"):
        return json.loads((self.folder / out / "run.json").read_text("utf-8"))

    def events(self, **wanted):
        found = [json.loads(line).get("event", {}) for line in (self.folder / "run/history.jsonl").read_text("utf-8").splitlines()]
        return [e for e in found if e and all(e.get(key) == value for key, value in wanted.items())]


@pytest.fixture
def recorded(tmp_path):
    return Recorded(tmp_path)


class Capture:
    """A pcap of raw IP. Connections without SYN began before it."""

    def __init__(self):
        self.packets, self.at = [], DAY

    def packet(self, ends, numbers, flags, octets=b""):
        (host, port), (other, to) = ends
        tcp = struct.pack(">HHIIBBHHH", port, to, *numbers, 0x50, flags, 65535, 0, 0) + octets
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + bytes(map(int, f"{host}.{other}".split(".")))
        self.packets.append(struct.pack("<IIII", int(self.at), int(self.at % 1 * 1e6), len(ip + tcp), len(ip + tcp)) + ip + tcp)
        self.at += 0.05

    def connection(self, client=40000, host="10.0.0.1", port=143, syn=True):
        return Connection(self, ("10.0.0.5", client), (host, port), syn)

    def write(self, path):
        path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101) + b"".join(self.packets))
        return path


class Connection:
    def __init__(self, capture, client, there, syn):
        self.capture, self.ends, self.next = capture, {"C": (client, there), "S": (there, client)}, {"C": 1000, "S": 5000}
        if syn:
            self.say("C", b"", 2), self.say("S", b"", 0x12)

    def say(self, side, octets, flags=0x18):
        other = "S" if side == "C" else "C"
        self.capture.packet(self.ends[side], (self.next[side], self.next[other]), flags, octets)
        self.next[side] += len(octets) + (flags & 3 != 0)

    def play(self, text):
        for side, said in lines(text):
            self.say(side, said.encode("latin1") + b"\r\n")
        return self

    def end(self):
        self.say("C", b"", 0x11), self.say("S", b"", 0x11)


# --- what is as it should be


def test_what_a_select_is_told_vanished_is_of_the_mailbox_that_it_opens(recorded):
    again = select(mailbox="Archive", uidvalidity=88, exists=0, tag="4", asked=" (QRESYNC (88 1))").replace(
        "S: 4 OK", "S: * VANISHED (EARLIER) 5\nS: 4 OK")
    recorded.imaptest(LOGIN + "C: e ENABLE QRESYNC\nS: * ENABLED QRESYNC\nS: e OK x\n" + select() + seen()
                      + again.replace("S: * 0 EXISTS", "S: * OK [CLOSED] x\nS: * 0 EXISTS") + select(tag="6") + seen(tag="7") + END)
    recorded.imported(status=0)
    recorded.imported("--all-clients", status=0, out="all")


@pytest.mark.parametrize("name", ["alice", "Alice", "alice*master", "EXAMPLE\\alice"])
def test_one_mailbox_under_two_login_names(recorded, name):
    """The phone logs in with the domain, the PC without, or as its admin."""
    phone = LOGIN.replace("LOGIN alice", "LOGIN alice@example.test")
    recorded.imaptest(phone + select() + seen() + "C: n NOOP\nS: n OK x\n" * 30 + "C: 4 NOOP\nS: * 1 EXPUNGE\nS: 4 OK x\n" + END)
    recorded.imaptest(POP.replace("USER alice", f"USER {name}") + "C: UIDL\nS: +OK\nS: 1 u5\nS: .\nC: RETR 1\nS: +OK\nS: Message-ID: <m1@x>\n"
                      "S: \nS: hello\nS: .\nC: DELE 1\nS: +OK\nC: QUIT\nS: +OK bye\n", DAY + 1)
    recorded.imported("--all-clients", status=0)


def test_a_maildrop_that_imap_emptied_under_another_name(recorded):
    recorded.imaptest(POP + "C: UIDL\nS: +OK\nS: 1 u5\nS: .\nC: QUIT\nS: +OK bye\n")
    recorded.imaptest(LOGIN.replace("alice", "alice@example.test") + select() + seen()
                      + "C: 4 UID STORE 5 +FLAGS.SILENT (\\Deleted)\nS: 4 OK x\nC: 5 EXPUNGE\nS: * 1 EXPUNGE\nS: 5 OK x\n" + END, DAY + 60)
    recorded.imaptest(POP + "C: UIDL\nS: +OK\nS: .\nC: QUIT\nS: +OK bye\n", DAY + 120)
    recorded.imported("--all-clients", status=0)


@pytest.mark.parametrize("header,envelope", [("Message-ID: <m1@x> ", "<m1@x> "), ("Message-ID: <m1@x> (added by post@y)", "<m1@x>"),
                                             ("Message-ID: m1 at x", "<m1@x>")])
def test_envelope_says_the_message_id_in_other_words(recorded, header, envelope):
    asked = ("C: 4 UID FETCH 5 (ENVELOPE)\n"
             f'S: * 1 FETCH (UID 5 ENVELOPE (NIL "x" NIL NIL NIL NIL NIL NIL NIL "{envelope}"))\nS: 4 OK x\n')
    recorded.imaptest(LOGIN + select() + seen(header=header) + asked + END)
    recorded.imaptest(LOGIN + select() + asked + seen(header=header) + END, DAY + 60)
    recorded.imported(status=0)


def test_a_piece_from_the_middle_is_no_header(recorded):
    part = "Message-ID: <inner@y>\nSubject: of what was forwarded\n\ntext\n"
    recorded.imaptest(LOGIN + select() + seen() + f"C: 4 UID FETCH 5 (BODY.PEEK[]<16384.16384>)\nS: * 1 FETCH (UID 5 BODY[]<16384> {{{len(part) + part.count(chr(10))}}}\n"
                      + "".join(f"S: {line}\n" for line in part.splitlines()) + "S: )\nS: 4 OK x\n" + END)
    recorded.imported(status=0)


def test_what_binary_brings_is_decoded(recorded):
    def content(item, text):
        whole = f"Message-ID: <m1@x>\n\n{text}\n"
        return (f"C: {item[0]} UID FETCH 5 ({item})\nS: * 1 FETCH (UID 5 {item.replace('.PEEK', '')} {{{len(whole) + whole.count(chr(10))}}}\n"
                + "".join(f"S: {line}\n" for line in whole.splitlines()) + f"S: )\nS: {item[0]} OK x\n")
    recorded.imaptest(LOGIN + select() + content("BODY.PEEK[]", "ab=\nc") + content("BINARY.PEEK[]", "abc").replace("C: B", "C: b").replace("S: B ", "S: b ") + END)
    recorded.imported(status=0)


TELEMETRY = "* 1 EXISTS\n* 0 RECENT\n* FLAGS (\\Seen)\n* OK [UIDVALIDITY 77] x\n* OK [UIDNEXT 6] x\n2 OK [READ-WRITE] x\n"
SEES = [("C", 1, "3 UID FETCH 1:* (FLAGS)\n"), ("S", 1, "* 1 FETCH (UID 5 FLAGS ())\n3 OK x\n")]


def test_within_a_second_cyrus_telemetry_has_no_order(recorded):
    recorded.cyrus([("S", 0, "1 OK in\n"), ("C", 0, "2 SELECT INBOX\n"), ("S", 0, TELEMETRY), *SEES, ("C", 2, "4 IDLE\n"),
                    ("S", 2, "+ idling\n"), ("S", 9, "* 1 EXPUNGE\n"), ("C", 20, "DONE\n"), ("S", 20, "4 OK x\n")])
    recorded.cyrus([("S", 1, "1 OK in\n"), ("C", 1, "2 SELECT INBOX\n"), ("S", 1, TELEMETRY), *SEES,
                    ("C", 9, "4 UID STORE 5 +FLAGS.SILENT (\\Deleted)\n"), ("S", 9, "4 OK x\n"), ("C", 9, "5 UID EXPUNGE 5\n"),
                    ("S", 9, "* 1 EXPUNGE\n5 OK x\n")])
    recorded.imported("--all-clients", status=0)


def test_telemetry_of_who_is_told_that_a_second_is_over(recorded):
    """Opened before it went, as far as anybody knows."""
    recorded.cyrus([("S", 0, "1 OK in\n"), ("C", 0, "2 SELECT INBOX\n"), ("S", 0, TELEMETRY), *SEES, ("C", 9, "4 UID STORE 5 +FLAGS (\\Deleted)\n"),
                    ("S", 9, "4 OK x\n"), ("C", 9, "5 EXPUNGE\n"), ("S", 9, "* 1 EXPUNGE\n5 OK x\n")])
    recorded.cyrus([("S", 9, "1 OK in\n"), ("C", 9, "2 SELECT INBOX\n"), ("S", 9, TELEMETRY), ("C", 9, "3 UID FETCH 1:* (FLAGS)\n"),
                    ("S", 9, "* 1 FETCH (UID 5 FLAGS ())\n3 OK x\n")])
    recorded.imported("--all-clients", status=0)


def test_recordings_without_times_are_in_no_order(recorded):
    def mailkit(name, text):
        recorded.text(name, "Connected to imap://h:143/\n" + text)
    mailkit("a.log", LOGIN + select() + seen() + "C: 4 UID STORE 5 +FLAGS.SILENT (\\Deleted)\nS: 4 OK x\nC: 5 EXPUNGE\nS: * 1 EXPUNGE\nS: 5 OK x\n" + END)
    mailkit("b.log", LOGIN + "".join(f"C: n{n} NOOP\nS: n{n} OK x\n" for n in range(12)) + select() + seen() + END)
    recorded.imported(status=0)
    ran = recorded.imported("--all-clients", status=3, out="all")
    assert "2 of 2 sessions were heard in part" in ran.text and "no date" in ran.text, ran.text


BEGUN_IN_IDLE = "S: * OK Still here\n"


def test_a_capture_that_begins_within_idle(recorded):
    capture = Capture()
    phone = capture.connection(40001, syn=False).play(BEGUN_IN_IDLE)
    desktop = capture.connection(40002).play(LOGIN + select() + seen())
    phone.play("C: DONE\nS: 7 OK x\nC: 8 UID STORE 5 +FLAGS.SILENT (\\Deleted)\nS: 8 OK x\nC: 9 UID EXPUNGE 5\nS: * 1 EXPUNGE\nS: 9 OK x\n")
    desktop.play("C: 4 NOOP\nS: * 1 EXPUNGE\nS: 4 OK x\n")
    phone.end(), desktop.end()
    recorded.files.append(capture.write(recorded.folder / "a.pcap"))
    ran = recorded.imported("--all-clients", status=3)
    assert "1 of 2 sessions were heard in part: " in ran.text and "begins in the middle" in ran.text, ran.text
    assert not recorded.events(what="deviation")


def test_a_log_that_begins_within_idle(recorded):
    recorded.imaptest(BEGUN_IN_IDLE + "C: DONE\nS: 7 OK x\nC: 8 NOOP\nS: 8 OK x\n" + END)
    ran = recorded.imported("--all-clients", status=3)
    assert not recorded.events(what="deviation"), ran.text


@pytest.mark.parametrize("form", ["pcap", "log"])
def test_a_recording_that_begins_within_retr(recorded, form):
    text = "S: +OK 1204 octets\nS: Return-Path: <x@y>\nS: \nS: text\nS: .\nC: DELE 1\nS: +OK\nC: QUIT\nS: +OK bye\n"
    if form == "log":
        recorded.imaptest(text)
    else:
        capture = Capture()
        capture.connection(port=110, syn=False).play(text).end()
        recorded.files.append(capture.write(recorded.folder / "a.pcap"))
    ran = recorded.imported(status=3)
    assert "session/protocol-broken" not in ran.text


def test_the_same_login_at_two_servers(recorded):
    capture = Capture()
    for host, header in (("10.0.0.1", "Message-ID: <old@x>"), ("10.0.0.2", "Message-ID: <new@x>")):
        capture.connection(host=host).play(LOGIN + select(uidvalidity=1) + seen(header=header) + END).end()
    recorded.files.append(capture.write(recorded.folder / "a.pcap"))
    ran = recorded.imported(status=0)
    assert "of 2 accounts" in ran.text
    assert "identity/uid-reused" in recorded.imported("--one-server", status=1, out="one").text


def test_replace_and_what_is_not_known(recorded):
    mail = "Message-ID: <m2@x>\n\nhello\n"
    size = len(mail) + mail.count("\n")
    recorded.imaptest(LOGIN + select() + seen() + f"C: 4 UID REPLACE 5 INBOX {{{size}+}}\n" + "".join(f"C: {line}\n" for line in mail.splitlines())
                      + "C: \nS: * 2 EXISTS\nS: * 1 EXPUNGE\nS: 4 OK x\n" + END)
    recorded.imported("--all-clients", status=0)
    assert [e["set"] for e in recorded.events(what="expunge", type="invoke")] == ["5"]
    other = Recorded(recorded.folder)
    other.imaptest(LOGIN + select() + seen() + "C: 4 XSWEEP now\nS: * 1 EXPUNGE\nS: 4 OK x\n" + END)
    other.imported("--all-clients", status=0, out="other")


def test_close_of_who_may_not_expunge(recorded):
    """RFC 4314 section 4: it is answered OK, and removes nothing."""
    recorded.imaptest(LOGIN + select() + seen() + "C: 4 UID STORE 5 +FLAGS (\\Deleted)\nS: * 1 FETCH (UID 5 FLAGS (\\Deleted))\nS: 4 OK x\nC: 5 CLOSE\nS: 5 OK x\n" + END)
    recorded.imaptest(LOGIN + select() + seen(flags="\\Deleted") + END, DAY + 60)
    recorded.imported("--all-clients", status=0)


def test_one_append_of_two_messages_and_one_of_parts(recorded):
    def body(number):
        return f"C: Message-ID: <m{number}@x>\nC: \nC: hi"
    count = len("Message-ID: <m1@x>\r\n\r\nhi")
    recorded.imaptest(LOGIN + f"C: 4 APPEND INBOX {{{count}+}}\n{body(1)} {{{count}+}}\n{body(2)}\nS: 4 OK [APPENDUID 77 10:11] x\n"
                      + f'C: 5 APPEND INBOX CATENATE (URL "/x" TEXT {{{count}+}}\n{body(3)})\nS: 5 OK [APPENDUID 77 12] x\n'
                      + select(exists=3) + "".join(seen(uid=9 + n, number=n, tag=f"f{n}", header=f"Message-ID: <m{n if n < 3 else 9}@x>") for n in (1, 2, 3)) + END)
    recorded.imported(status=0)
    assert [(e.get("uid"), e.get("message")) for e in recorded.events(what="append", type="ok")] == [(10, 1), (11, 2), (12, None)]


def test_a_set_with_a_star_reaches_what_has_come_since(recorded):
    recorded.imaptest(LOGIN + select() + seen() + "C: n NOOP\nS: n OK x\n" * 20 + "C: 4 UID STORE 1:* +FLAGS.SILENT (\\Deleted)\nS: * 2 EXISTS\nS: 4 OK x\nC: 5 EXPUNGE\n"
                      "S: * 1 EXPUNGE\nS: * 1 EXPUNGE\nS: 5 OK x\n" + END)
    recorded.imaptest(LOGIN + select(exists=2) + "C: 3 UID FETCH 1:* (FLAGS)\nS: * 1 FETCH (UID 5 FLAGS ())\nS: * 2 FETCH (UID 6 FLAGS ())\nS: 3 OK x\n"
                      + "C: n NOOP\nS: n OK x\n" * 30 + "C: 4 NOOP\nS: * 1 EXPUNGE\nS: * 1 EXPUNGE\nS: 4 OK x\n" + END, DAY + 1.5)
    recorded.imported("--all-clients", status=0)


def test_what_was_removed_in_a_virtual_mailbox(recorded):
    recorded.imaptest(LOGIN + select() + seen() + "C: n NOOP\nS: n OK x\n" * 30 + "C: 9 NOOP\nS: * 1 EXPUNGE\nS: 9 OK x\n" + END)
    recorded.imaptest(LOGIN + 'C: l LIST "" "*"\nS: * LIST (\\All) "/" virtual/All\nS: * LIST () "/" INBOX\nS: l OK x\n'
                      + select(mailbox="virtual/All", uidvalidity=99) + seen(uid=3)
                      + "C: 4 UID STORE 3 +FLAGS (\\Deleted)\nS: 4 OK x\nC: 5 EXPUNGE\nS: * 1 EXPUNGE\nS: 5 OK x\n" + END, DAY + 2)
    recorded.imported("--all-clients", status=0)


def test_thunderbird_gives_the_name_of_a_connection_again(recorded):
    at, out = [0], []

    def log(name, text):
        for side, said in lines(text):
            at[0] += 1
            if " LOGIN " in said:
                said = "Logging suppressed for this command (it probably contained authentication information)"
            what = "SendData" if side == "C" else "CreateNewLineFromSocket"
            out.append(f"2026-11-22 10:15:02.{at[0]:06d} UTC - [Parent 812: IMAP]: I/IMAP {name}:mail.test:A:{what}: {said}")
    first, other = "7f9fdc166b00", "7f9fdc166c00"
    log(first, LOGIN + select() + seen())
    log(other, LOGIN + select() + seen())
    log(first, "C: 4 UID STORE 5 +FLAGS (\\Deleted)\nS: 4 OK x\nC: 5 EXPUNGE\nS: * 1 EXPUNGE\nS: 5 OK x\n" + END)
    log(other, "C: 4 NOOP\nS: * 1 EXPUNGE\nS: 4 OK x\n")
    log(first, LOGIN + "C: 2 NOOP\nS: 2 OK x\n" + END)
    recorded.text("tb.log", "\n".join(out) + "\n")
    ran = recorded.imported("--user", "alice", "--all-clients", status=0)
    assert "3 conversations heard" in ran.text and recorded.events(what="expunge", type="ok")

UIDL_5 = POP + "C: UIDL\nS: +OK\nS: 1 u5\nS: .\nC: QUIT\nS: +OK bye\n"
MARKED = "C: 4 UID STORE 5 +FLAGS.SILENT (\\Deleted)\nS: 4 OK x\nC: 5 UID EXPUNGE 5\nS: * 1 EXPUNGE\nS: 5 OK x\n"
TOLD_LATER = LOGIN + select() + seen() + "C: n NOOP\nS: n OK x\n" * 60 + "C: 9 NOOP\nS: * 1 EXPUNGE\nS: 9 OK x\n" + END


def test_a_session_of_another_clock_began_before_it_seems(recorded):
    """Two backends, one 1.9 s behind."""
    recorded.imaptest(LOGIN + select() + seen() + MARKED + END, DAY)
    recorded.imaptest(LOGIN + select() + seen() + END, DAY + 2.5)
    recorded.imported(status=0)
    recorded.imported("--all-clients", status=0, out="all")


def test_a_maildrop_of_another_clock_was_opened_before_it_seems(recorded):
    recorded.imaptest(UIDL_5.replace("C: QUIT", "C: DELE 1\nS: +OK\nC: QUIT"))
    recorded.imaptest(UIDL_5, DAY + 1.4)
    recorded.imported("--all-clients", status=0)


def test_a_piece_that_ends_within_the_message_id(recorded):
    long = "<m1.long.id@example>"
    recorded.imaptest(LOGIN + select() + seen(header=f"Message-ID: {long}") + "C: 4 UID FETCH 5 (BODY.PEEK[]<0.29>)\n"
                      "S: * 1 FETCH (UID 5 BODY[]<0> {29}\nS: From: a@b\nS: Message-ID: <m1.lo)\nS: 4 OK x\n" + END)
    recorded.imported(status=0)
    assert {e["message"] for e in recorded.events(what="message")} == {1}


def test_a_sight_between_the_mark_and_its_expunge_in_a_virtual_mailbox(recorded):
    """By an account with the domain in its name, of a client that asks for flags alone."""
    for flags_only in (False, True):
        recorded.files.clear()
        at_all = seen(uid=3) if not flags_only else "C: 3 UID FETCH 1:* (FLAGS)\nS: * 1 FETCH (UID 3 FLAGS ())\nS: 3 OK x\n"
        recorded.imaptest(LOGIN.replace("alice", "alice@example.test") + 'C: l LIST "" "*"\nS: * LIST (\\All) "/" virtual/All\nS: l OK x\n' + END)
        recorded.imaptest(LOGIN + select(mailbox="virtual/All", uidvalidity=99) + at_all + "C: 4 UID STORE 3 +FLAGS (\\Deleted)\nS: 4 OK x\n", DAY + 10)
        recorded.imaptest(TOLD_LATER, DAY + 20)
        recorded.imported("--all-clients", status=0, out=f"run{flags_only}")


def test_what_comes_behind_a_literal_that_was_refused(recorded):
    recorded.imaptest(LOGIN + select() + seen() + "C: 8 SEARCH CHARSET UTF-8 TEXT {10}\nS: 8 NO [BADCHARSET (US-ASCII)] x\n" + MARKED + END)
    recorded.imported("--all-clients", status=0)
    assert recorded.events(what="expunge", type="ok") and not recorded.events(what="deviation")


def test_a_store_that_is_pipelined_behind_its_select(recorded):
    opened = select()
    first, rest = opened.split("\n", 1)
    asked = "C: 4 UID STORE 5 +FLAGS.SILENT (\\Deleted)\nC: 5 UID EXPUNGE 5\n"
    recorded.imaptest(LOGIN + first + "\n" + asked + rest + "S: 4 OK x\nS: * 1 EXPUNGE\nS: 5 OK x\n" + END, DAY + 3)
    recorded.imaptest(TOLD_LATER)
    recorded.imported("--all-clients", status=0)


# --- what is not


def taken(recorded, text, kind="removal/unasked", other=None):
    recorded.imaptest(LOGIN + select() + seen() + END if other is None else other)
    recorded.imaptest(text, DAY + 3600)
    assert kind in recorded.imported("--all-clients", status=1).text
    recorded.imported(status=0, out="unpromised")


def test_a_mailbox_that_is_empty_has_lost_what_was_in_it(recorded):
    taken(recorded, LOGIN + select(exists=0) + END)


def test_a_mailbox_whose_size_was_not_told_has_lost_nothing(recorded):
    recorded.imaptest(LOGIN + select() + seen() + END)
    recorded.imaptest(LOGIN + select(exists=0).replace("S: * 0 EXISTS\n", "") + END, DAY + 3600)
    recorded.imported("--all-clients", status=0)


def test_what_a_select_is_told_vanished_was_lost(recorded):
    taken(recorded, LOGIN + "C: e ENABLE QRESYNC\nS: * ENABLED QRESYNC\nS: e OK x\n"
          + select(exists=1, asked=" (QRESYNC (77 1))").replace("S: 2 OK", "S: * VANISHED (EARLIER) 5\nS: 2 OK") + END)


def test_an_empty_maildrop_has_lost_what_was_in_it(recorded):
    taken(recorded, POP + "C: STAT\nS: +OK 0 0\nC: QUIT\nS: +OK bye\n", other=POP + "C: UIDL\nS: +OK\nS: 1 u5\nS: .\nC: QUIT\nS: +OK bye\n")


def test_a_search_of_all_tells_what_is_there(recorded):
    taken(recorded, LOGIN + select() + "C: 3 UID SEARCH ALL\nS: * SEARCH 6\nS: 3 OK x\n" + END)


def test_a_search_of_all_that_found_fewer_than_there_are_tells_nothing(recorded):
    recorded.imaptest(LOGIN + select() + seen() + END)
    recorded.imaptest(LOGIN + select(exists=2) + "C: 3 UID SEARCH ALL\nS: * SEARCH 6\nS: 3 OK x\n" + END, DAY + 3600)
    recorded.imported("--all-clients", status=0)


def test_a_session_that_was_not_heard_to_its_end_takes_the_promise_back(recorded):
    recorded.imaptest(LOGIN + select() + seen() + "C: 4 COMPRESS DEFLATE\nS: 4 OK go\nS: xxzzyy\n")
    ran = recorded.imported("--all-clients", status=3)
    said = "1 of 1 session was heard in part"
    assert said in ran.text and "COMPRESS" in ran.text and said in (recorded.folder / "run/summary.md").read_text("utf-8")
    assert said in recorded.imported(status=0, out="unpromised").text

GONE = "C: 9 NOOP\nS: * 1 EXPUNGE\nS: 9 OK x\n"


@pytest.mark.parametrize("asked", ["C: 4 XFOO\nS: 4 BAD unknown\n", "C: 4 DELETE INBOX\nS: 4 NO never\n", "C: 4 DELETE IN\nS: 4 OK x\n"])
def test_what_was_refused_or_is_of_another_mailbox_excuses_nothing(recorded, asked):
    taken(recorded, LOGIN + select() + seen() + asked + GONE + END)


def test_whoever_emptied_the_trash_did_not_ask_for_the_inbox(recorded):
    """Young servers give UIDVALIDITY 1 to all mailboxes."""
    trash = (LOGIN + select(mailbox="Trash") + seen(header="Message-ID: <old@x>") + "C: 4 UID STORE 1:* +FLAGS.SILENT (\\Deleted)\nS: 4 OK x\n"
             "C: 5 EXPUNGE\nS: * 1 EXPUNGE\nS: 5 OK x\n" + END)
    taken(recorded, LOGIN + select() + seen(uid=50) + GONE + END, other=trash)


def test_whose_mailbox_it_is_was_not_heard(recorded):
    text = "S: * PREAUTH hi\n" + select() + seen() + GONE + END
    recorded.imaptest(text)
    assert "removal/unasked" in recorded.imported("--all-clients", status=1).text
    recorded.imaptest(text, DAY + 3600)
    ran = recorded.imported("--all-clients", status=3, out="two")
    assert "2 of 2 sessions were heard in part" in ran.text and "--user" in ran.text


def test_a_search_of_all_in_other_words_tells_what_is_there(recorded):
    taken(recorded, LOGIN + select() + "C: 3 UID SEARCH CHARSET UTF-8 ALL\nS: * SEARCH 6\nS: 3 OK x\n" + END)


# --- secrets, and other people's words


@pytest.mark.parametrize("text", [
    "S: * OK hi\nC: 1 AUTHENTICATE PLAIN\nS: 1 NO no plaintext\nC: AGFsaWNlAHNlY3JldHB3\nS: AGFsaWNlAHNlY3JldHB3 BAD what\n"
    "C: 2 LOGIN alice other\nS: 2 OK in\n" + END,
    "S: +OK hi\nC: AUTH PLAIN\nS: -ERR no plaintext\nC: AGFsaWNlAHNlY3JldHB3\nS: -ERR what\nC: USER alice\nS: +OK\nC: PASS other\nS: +OK in\n"
    "C: QUIT\nS: +OK\n",
    "S: 220 x ESMTP\nC: EHLO x\nS: 250 x\nC: AUTH PLAIN\nS: 504 no\nC: AGFsaWNlAHNlY3JldHB3\nS: 500 what\nC: QUIT\nS: 221 x\n"],
    ids=["imap", "pop3", "smtp"])
def test_a_password_that_is_sent_though_it_was_refused(recorded, text):
    recorded.imaptest(text)
    recorded.imported(status=3 if text.startswith("S: 220") else 0)
    written = b"".join(path.read_bytes() for path in (recorded.folder / "run").rglob("*") if path.is_file())
    assert b"AGFsaWNlAHNlY3JldHB3" not in written and b"secretpw" not in written
    assert not recorded.events(what="deviation")


@pytest.mark.parametrize("text", ["C: c2VjcmV0cHc=\nS: 1 OK in\n" + END, "S: +OK x\nC: c2VjcmV0cHc=\nS: +OK in\nC: QUIT\nS: +OK bye\n"], ids=["imap", "pop3"])
def test_a_capture_that_begins_within_a_login(recorded, text):
    capture = Capture()
    capture.connection(port=143 if "1 OK" in text else 110, syn=False).play(text).end()
    recorded.files.append(capture.write(recorded.folder / "a.pcap"))
    recorded.imported(status=0)
    assert not any(b"c2VjcmV0cHc=" in path.read_bytes() for path in (recorded.folder / "run").rglob("*") if path.is_file())


def test_what_is_no_mail_is_not_written_down(recorded):
    capture = Capture()
    redis = capture.connection(port=6379)
    redis.say("C", b"*2\r\n$4\r\nAUTH\r\n$7\r\nhunter2\r\n"), redis.say("S", b"+OK\r\n"), redis.end()
    web = capture.connection(40001, port=8080)
    web.say("C", b"GET /?key=hunter2 HTTP/1.1\r\nHost: x\r\n\r\n"), web.end()
    capture.connection(40002).play(LOGIN + select() + seen() + END).end()
    recorded.files.append(capture.write(recorded.folder / "a.pcap"))
    ran = recorded.imported("--all-clients", status=0)
    assert "1 conversation heard" in ran.text
    assert not any(b"hunter2" in path.read_bytes() for path in (recorded.folder / "run").rglob("*") if path.is_file())


MAINLOG = "".join(f"2026-11-22 10:15:{n % 60:02d} 1tEeXY-0000{n:02d}-00 <= eve{n}@example.test H=mx P=esmtp S=900 id=m{n}@x\n" for n in range(300))


def test_a_log_is_counted_on_the_console(recorded):
    recorded.imaptest(LOGIN + select() + seen() + END).text("mainlog", MAINLOG)
    ran = recorded.imported(status=0)
    assert "300 lines of logs" in ran.text and "eve7@" not in ran.text


# --- words and files


def test_chunks_that_were_refused_are_no_part_of_the_next_message(recorded):
    def chunk(n, last=""):
        return f"C: BDAT 29{last}\nC: Message-ID: <m{n}@x>\nC: \nC: hello\n"
    recorded.imaptest("S: 220 x ESMTP\nC: EHLO x\nS: 250 x\nC: MAIL FROM:<a@x>\nS: 250 ok\nC: RCPT TO:<alice@x>\nS: 250 ok\n" + chunk(1) + "S: 452 full\n"
                      "C: RSET\nS: 250 ok\nC: MAIL FROM:<a@x>\nS: 250 ok\nC: RCPT TO:<alice@x>\nS: 250 ok\n" + chunk(2, " LAST") + "S: 250 ok\nC: QUIT\nS: 221 x\n")
    recorded.imported(status=0)
    told = [json.loads(line)["message"]["message_id"] for line in (recorded.folder / "run/history.jsonl").read_text("utf-8").splitlines() if '"message":{' in line]
    assert told == ["<m2@x>"]


def test_what_is_no_recording_in_a_directory_is_named(recorded):
    recorded.imaptest(LOGIN + select() + seen() + END)
    folder = recorded.folder / "logs"
    folder.mkdir()
    recorded.files[0].rename(folder / "a.log")
    (folder / "README").write_text("what this is\n")
    (folder / "empty").write_text("")
    (folder / "one.in").write_text("1795342502.104113 1 NOOP\n17953")
    (folder / "one.out").write_text("1795342502.104113 1 OK x\n1795342503.2")
    recorded.files = [folder]
    ran = recorded.imported(status=0)
    assert "2 files are no recordings: " in ran.text and "README" in ran.text
    (recorded.folder / "nothing").write_text("")
    recorded.files = [recorded.folder / "nothing"]
    assert "it is empty" in recorded.imported(status=2, out="none").text


# --- explained, anonymised, told as a story


def explained(recorded, *what):
    ran = mailproof("explain", recorded.folder / "run", *what)
    assert ran.status == 0, ran.text
    return ran.text


def test_what_a_later_listing_does_not_have_is_not_still_there(recorded):
    recorded.imaptest(LOGIN + select() + seen() + END)
    recorded.imaptest(LOGIN + select() + seen(uid=6, header="Message-ID: <m2@x>") + END, DAY + 3600)
    recorded.imported(status=0)
    for text in (explained(recorded, "mail.1"), explained(recorded)):
        assert "still there" not in text and "by whom was not heard" in text and "mail.1" in text
    assert "still there" in explained(recorded, "mail.2")


def test_what_pop3_lists_no_more_is_not_still_there(recorded):
    def session(uidl):
        return POP + "C: UIDL\nS: +OK\n" + uidl + "S: .\n"
    recorded.imaptest(session("S: 1 u5\n") + "C: RETR 1\nS: +OK\nS: Message-ID: <m1@x>\nS: \nS: hello\nS: .\nC: QUIT\nS: +OK bye\n")
    recorded.imaptest(session("") + "C: QUIT\nS: +OK bye\n", DAY + 3600)
    recorded.imported(status=0)
    assert "by whom was not heard" in explained(recorded, "mail.1")


def test_the_copy_for_others_keeps_what_logs_say(recorded):
    exim = "".join(f"2026-11-22 10:15:02 1xkzJL-000{n}Vo-1f <= a@b H=x id=m{n}@x\n2026-11-22 10:15:03 1xkzJL-000{n}Vo-1f {what}\n" for n, what in (
        (1, "== alice@example.test R=r T=t defer (-44): 452 full"), (2, "** alice@example.test R=r T=t : 550 full"),
        (3, '=> alice@example.test R=r T=t C="250 ok"')))
    recorded.imaptest(LOGIN + select() + seen(header="Message-ID: <m9@x>") + END).text("mainlog", exim)
    recorded.imported(status=0)
    ran = mailproof("anonymise", recorded.folder / "run", "--out", recorded.folder / "shown", "--seed", "5")
    assert ran.status == 0, ran.text
    for folder in ("run", "shown"):
        text = mailproof("explain", recorded.folder / folder, "mail").text
        for said in ("perhaps queued (inferred from a log)", "bounced (inferred from a log)", "Exim's log: delivered to"):
            assert said in text, (folder, text)


def test_a_story_knows_that_store_replaces(recorded):
    recorded.imaptest(LOGIN + select() + seen() + "C: 4 UID STORE 5 FLAGS (\\Deleted)\nS: 4 OK x\nC: 5 UID STORE 5 FLAGS (\\Seen)\nS: 5 OK x\n"
                      "C: 6 EXPUNGE\nS: 6 OK x\n" + seen(flags="\\Seen", tag="7") + END)
    ran = recorded.imported("--as-scenario", recorded.folder / "story.yaml", status=0)
    story = (recorded.folder / "story.yaml").read_text("utf-8")
    assert "removed-by-client" not in story and "unflag" in story and "passes it" in ran.text, story
