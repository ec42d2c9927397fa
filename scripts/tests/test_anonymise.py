"""A run is copied without names, addresses, subjects and texts: nothing of the original is left, sizes and structure stay,
and the judges say the same."""
import imaplib
import json
import pathlib
import re
import struct
import time

import pytest

from test_record import findings, recorded
from tool import STORY, complete_run, mailproof

LETTER = (
    "From: Wilhelmina Oldenburg <wilhelmina@kanzlei.example>\r\n"
    "To: Konstantin Freiherr <user0001@example.test>\r\n"
    "Subject: =?utf-8?q?Mandat_K=C3=BChnle_gegen_Bergmann?=\r\n"
    "Date: Mon, 02 Mar 2026 09:15:00 +0100\r\n"
    "Message-ID: <mandat-31415926@kanzlei.example>\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 8bit\r\n"
    "\r\n"
    "Sehr geehrter Konstantin,\r\n"
    "das Passwort lautet Dachstuhl99, die Kontonummer 471108159927.\r\n"
    "Rufen Sie 0171 5550123 an. Ihre Wilhelmina \u00d6zdemir\r\n").encode()
PRIVATE = ["wilhelmina", "oldenburg", "kanzlei", "konstantin", "freiherr", "mandat", "bergmann", "31415926", "geehrter",
           "dachstuhl99", "471108159927", "5550123", "\u00f6zdemir", "user0001", "geheimsache", "k\u00fchnle", "K=C3=BChnle"]


def everything_in(directory):
    """Names and contents of all files."""
    return {path: path.name + path.read_text("utf-8") for path in pathlib.Path(directory).rglob("*") if path.is_file()}


def shape(directory):
    """What stays: every event without its words."""
    out = []
    for line in (pathlib.Path(directory) / "history.jsonl").read_text("utf-8").splitlines():
        event = json.loads(line).get("event")
        if event:
            out.append({key: value for key, value in event.items() if isinstance(value, int) or key in ("type", "what")})
    return out


@pytest.fixture(scope="module", params=[(), ("--defect", "imap.size-huge"), ("--defect", "pop3.quit-deletes-nothing")])
def run(request, tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "run"
    with recorded(out, *request.param, options=("--all-clients",)) as recorder:
        recorder.deliver(LETTER)
        recorder.deliver(LETTER.replace(b"31415926", b"27182818"))
        phone = recorder.imap()
        phone.create("Geheimsache")
        phone.select()
        phone.fetch("1:*", "(UID FLAGS RFC822.SIZE ENVELOPE BODY.PEEK[])")
        phone.uid("copy", "1", "Geheimsache")
        phone.uid("search", None, "FROM", "Wilhelmina")
        phone.select("Geheimsache")
        phone.fetch("1:*", "(UID FLAGS ENVELOPE)")
        phone.logout()
        for _ in range(2):
            pc = recorder.pop()
            pc.list(), pc.uidl(), pc.top(1, 3), pc.retr(1)
            pc.dele(1)
            pc.quit()
        status, told = recorder.stop()
    assert status == (1 if request.param else 0), told
    return out


def test_nothing_of_the_original_is_left(run, tmp_path):
    before = "".join(everything_in(run).values()).lower()
    assert all(word.lower() in before for word in ("wilhelmina", "kanzlei", "31415926", "geheimsache", "dachstuhl99"))
    ran = mailproof("anonymise", run, "--out", tmp_path / "copy")
    assert ran.status == 0, ran.text
    assert "none of them is left" in ran.out and "the judges say the same" in ran.out
    complete_run(tmp_path / "copy")
    assert {path.name for path in (tmp_path / "copy").iterdir()} == {path.name for path in run.iterdir()}
    for path, text in everything_in(tmp_path / "copy").items():
        for word in PRIVATE:
            assert not re.search(rf"(?<![a-z0-9]){re.escape(word.lower())}(?![a-z0-9])", text.lower()), (path, word)
    assert not re.search("wilhelmina|kanzlei|konstantin|dachstuhl|bergmann|geheimsache", "".join(everything_in(tmp_path / "copy").values()).lower())


def test_sizes_structure_and_verdict_stay(run, tmp_path):
    assert mailproof("anonymise", run, "--out", tmp_path / "copy").status == 0
    assert shape(tmp_path / "copy") == shape(run)
    assert findings(tmp_path / "copy") == findings(run)
    before, after = mailproof("judge", run), mailproof("judge", tmp_path / "copy")
    assert before.status == after.status

    def lines(directory):
        return [len(line) for path in sorted(pathlib.Path(directory).rglob("*.log")) for line in path.read_text("utf-8").splitlines()]

    assert sorted(lines(run)) == sorted(lines(tmp_path / "copy"))


def test_the_same_word_becomes_the_same(run, tmp_path):
    for name in ("one", "two"):
        assert mailproof("anonymise", run, "--seed", "7", "--out", tmp_path / name).status == 0
    assert (tmp_path / "one/history.jsonl").read_bytes() == (tmp_path / "two/history.jsonl").read_bytes()
    assert mailproof("anonymise", run, "--seed", "8", "--out", tmp_path / "three").status == 0
    assert (tmp_path / "one/history.jsonl").read_bytes() != (tmp_path / "three/history.jsonl").read_bytes()
    mail = [json.loads(line)["message"] for line in (tmp_path / "one/history.jsonl").read_text("utf-8").splitlines() if '"message":{' in line]
    ids = [one["message_id"].partition("@") for one in mail]
    assert ids[0][0] != ids[1][0] and ids[0][2] == ids[1][2]


def test_a_run_of_our_own_can_be_shown_too(tmp_path):
    mailproof("run", STORY, "--sim", "--defect", "delivery.accepts-and-drops", "--out", tmp_path / "run")
    ran = mailproof("anonymise", tmp_path / "run", "--out", tmp_path / "copy")
    assert ran.status == 0, ran.text
    assert findings(tmp_path / "copy") == findings(tmp_path / "run") != []
    assert "user0001" not in "".join(everything_in(tmp_path / "copy").values())


def test_names_and_addresses_go_whatever_they_look_like(tmp_path):
    """A login that is a number, a folder of the vocabulary and one beyond ASCII, a host's name with an address in it, and protocol in mail."""
    said = [(False, "* OK ready"),
        (True, "a1 LOGIN info x"), (False, "a1 OK Logged in from ip-203-0-113-77.dsl.example, [::ffff:198.51.100.23]"),
        (True, 'a2 SELECT "\u041f\u0440\u043e\u0435\u043a\u0442"'), (False, "* 1 EXISTS"), (False, "* OK [UIDVALIDITY 7] ok"), (False, "a2 OK done"),
        (True, "a3 UID FETCH 1:* (UID BODY.PEEK[])"), (False, "* 1 FETCH (UID 10023 BODY[] {88}"), (False, "Message-ID: <1@x>"),
        (False, "Subject: 8841"), (False, ""), (False, "* 4839 is your code"), (False, "+49 170 98765432 203.0.113.78"), (False, ")"),
        (False, "a3 OK done"), (True, 'a4 CREATE "8841"'), (False, "a4 NO not now: 203.0.113.79."), (True, "a5 LOGOUT"), (False, "* BYE"), (False, "a5 OK bye")]
    out = []
    for number, (client, line) in enumerate(said):
        octets = (line + "\r\n").encode()
        ports, hosts = ((40000, 143), (b"\x0a\0\0\1", b"\x0a\0\0\2")) if client else ((143, 40000), (b"\x0a\0\0\2", b"\x0a\0\0\1"))
        at = {side: 1 + sum(len((text + "\r\n").encode()) for who, text in said[:number] if who is side) for side in (True, False)}
        segment = struct.pack(">HHIIBBHHH", *ports, at[client], at[not client], 0x50, 0x18, 4096, 0, 0) + octets
        packet = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0, *hosts) + segment
        out.append(struct.pack("<IIII", 1_800_000_000, number, len(packet), len(packet)) + packet)
    (tmp_path / "all.pcap").write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101) + b"".join(out))
    assert mailproof("import", tmp_path / "all.pcap", "--out", tmp_path / "run").status in (0, 1, 3)
    ran = mailproof("anonymise", tmp_path / "run", "--out", tmp_path / "copy")
    assert ran.status == 0, ran.text
    for path, text in everything_in(tmp_path / "copy").items():
        for private in ("203.0.113.7", "203-0-113", "198.51.100.23", "\\xd0", "\u041f", "8841", "4839", "98765432", str(tmp_path)):
            assert private not in text, (path, private)
        assert path.suffix != ".log" or not re.search(r"\b(info|170)\b", text), path


def test_words_that_our_reports_have_as_well_are_no_leak(tmp_path):
    """Mailboxes are called as our own sentences, tags, keys and protocols are, or as a year; mail has what the page's style has."""
    year = time.strftime("%Y")
    with recorded(tmp_path / "run", "--defect", "imap.size-huge", options=("--all-clients",)) as recorder:
        recorder.deliver(LETTER.replace(b"Sehr geehrter", b'<p style="font-size:16px; color: #f5f7f9">'))
        phone = recorder.imap()
        for name in ("To Do", "How to", "Details", "Findings", "Imap", "Told", year):
            phone.create(f'"{name}"')
            phone.select()
            phone.uid("copy", "1", f'"{name}"')
            phone.select(f'"{name}"')
            phone.fetch("1:*", "(UID INTERNALDATE RFC822.SIZE BODY.PEEK[])")
        phone.logout()
        assert recorder.stop()[0] == 1
    ran = mailproof("anonymise", tmp_path / "run", "--out", f"{tmp_path}/to-show/")
    assert ran.status == 0, ran.text
    assert findings(tmp_path / "to-show") == findings(tmp_path / "run") != []
    assert set(json.loads((tmp_path / "to-show/asked.json").read_text("utf-8"))["commands"].values()) == {"mailproof judge to-show"}
    logs = "".join(text for path, text in everything_in(tmp_path / "to-show").items() if path.suffix == ".log")
    assert re.search(rf'INTERNALDATE "[ 0-9]\d-[A-Z][a-z][a-z]-{year} ', logs)
    assert not re.search(rf'CREATE "?{year}|To Do|Findings|16px', logs)


def test_wrong_use_is_said(run, tmp_path):
    ran = mailproof("anonymise", run, "--out", run)
    assert ran.status == 2 and "another directory" in ran.err
    ran = mailproof("anonymise", tmp_path, "--out", tmp_path / "copy")
    assert ran.status == 2 and "is it a run directory?" in ran.err


def test_a_run_of_several_stories(tmp_path):
    """What one story calls a device may stand in the title of another: it was replaced in the first and left in the second."""
    assert mailproof("run", "mixed", "--sim", "--defect", "delivery.accepts-and-drops", "--out", tmp_path / "run").status == 1
    ran = mailproof("anonymise", tmp_path / "run", "--out", tmp_path / "copy")
    assert ran.status == 0 and "none of them is left" in ran.out, ran.text
