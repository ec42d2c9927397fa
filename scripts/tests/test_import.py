"""Recordings that real servers and clients make are read and judged: a server that keeps its promises is not accused,
whatever is missing in them."""
import json
import pathlib
import shutil

import pytest

from throwaways import running
from tool import complete_run, mailproof


def history(directory):
    lines = (pathlib.Path(directory) / "history.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def events(directory, **wanted):
    found = [line["event"] for line in history(directory) if "event" in line]
    return [event for event in found if all(event.get(key) == value for key, value in wanted.items())]


def messages(directory):
    return [line["message"] for line in history(directory) if "message" in line]


@pytest.fixture(scope="module")
def rawlogs(tmp_path_factory):
    """What Dovecot records of a user with a phone, a desktop that fetches by POP3, and mail that comes in."""
    folder = tmp_path_factory.mktemp("rawlog")
    for path in (folder.parent.parent, folder.parent, folder):
        path.chmod(0o777)
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
    yield folder


def test_dovecots_rawlogs_become_a_run(rawlogs, tmp_path):
    ran = mailproof("import", rawlogs / "user0001", "--user", "user0001", "--out", tmp_path / "run")
    assert ran.status == 0, ran.text
    run = complete_run(tmp_path / "run")
    assert run["verdict"] == "pass"
    mail = messages(tmp_path / "run")
    assert {one["message_id"] for one in mail} >= {"<1.fixture@example.test>", "<2.fixture@example.test>",
                                                   "<3.fixture@example.test>", "<sent-1@example.test>"}
    assert all(one.get("subject") for one in mail)
    accounts = history(tmp_path / "run")
    assert [line["account"]["name"] for line in accounts if "account" in line] == ["user0001"]
    for what, kind in (("append", "ok"), ("store", "ok"), ("expunge", "ok"), ("move", "ok"), ("retr", "ok"),
                       ("dele", "ok"), ("quit", "ok"), ("expunged", "obs"), ("pop-uidl", "obs"), ("stat", "ok")):
        assert events(tmp_path / "run", what=what, type=kind), (what, kind)
    # A message is one message, over whatever protocol it is read.
    third = next(one["n"] for one in mail if one["message_id"] == "<3.fixture@example.test>")
    sessions = {event["session"] for event in events(tmp_path / "run", what="message", message=third)}
    assert len(sessions) == 2
    again = mailproof("judge", tmp_path / "run")
    assert again.status == 0, again.text


def test_half_of_the_recordings_accuse_nobody(rawlogs, tmp_path):
    """Each file pair alone, each with its beginning missing, and every one as another user's."""
    pairs = sorted({path.with_suffix("") for path in (rawlogs / "user0001").iterdir()})
    assert len(pairs) >= 2
    for number, pair in enumerate(pairs):
        ran = mailproof("import", f"{pair}.in", "--out", tmp_path / f"alone-{number}", "--strict")
        assert ran.status == 0, ran.text
        for lines in range(1, len(pair.with_suffix(".out").read_bytes().splitlines()), 7):
            cut = tmp_path / f"cut-{number}-{lines}"
            cut.mkdir()
            for end in (".in", ".out"):
                whole = pathlib.Path(f"{pair}{end}").read_bytes().splitlines(keepends=True)
                (cut / f"one{end}").write_bytes(b"".join(whole[lines if end == ".out" else 0:]))
            ran = mailproof("import", cut, "--user", "user0001", "--all-clients", "--out", tmp_path / f"run-{number}-{lines}")
            assert ran.status in (0, 3), ran.text
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
