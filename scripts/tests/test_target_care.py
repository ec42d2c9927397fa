"""What a run owes to the server it plays on: alone at a time, and no password tried again and again."""
import fcntl
import json
import os
import signal
import time

import pytest

import reference_server
import tool
from throwaways import eventually

TARGET = """\
target: somewhere
imap: [{{host: 127.0.0.1, port: {imap}, tls: none}}]
pop3: [{{host: 127.0.0.1, port: {pop3}, tls: none}}]
lmtp: [{{host: 127.0.0.1, port: {lmtp}, tls: none}}]
delivery: [lmtp]
settle: 1s
accounts:
  - {{login: "user%04d", address: "user%04d@example.test", first: 1, count: 20, password_env: MAILPROOF_PASSWORD}}
"""
LISTS = "scenarios/conformance/pop3/1939-5.yaml"
WAITS = "another run plays on the server of"


@pytest.fixture
def target(tmp_path):
    with reference_server.server() as running:
        path = tmp_path / "target.yaml"
        path.write_text(TARGET.format(**running.ports))
        yield path


def password(word):
    return {**os.environ, "MAILPROOF_PASSWORD": word}


@pytest.mark.parametrize("command", [["run", LISTS, "--only", "pop3.1939-5.stat-empty"], ["probe"],
                                     ["load", tool.STORY, "--copies", "1"]])
def test_one_process_at_a_time_plays_on_a_server(target, tmp_path, command):
    """Another target file, an hour or a year old, that names one endpoint of the same server and the same accounts."""
    where = [] if command == ["probe"] else ["--out", tmp_path / "run"]
    env = {**password(reference_server.PASSWORD), "TMPDIR": str(tmp_path)}
    twin = tmp_path / "twin.yaml"
    twin.write_text(target.read_text().replace("target: somewhere", "target: elsewhere").replace("host: 127.0.0.1", "host: localhost"))
    assert tool.mailproof("probe", "--target", target, env=env).status == 0
    locks = list((tmp_path / f"mailproof-{os.getuid()}").iterdir())
    assert len(locks) == 3, "one for each endpoint"
    with open(locks[0], "r+") as other:
        fcntl.lockf(other, fcntl.LOCK_EX)
        process = tool.start(*command, *where, "--target", twin, env=env)
        deadline = time.monotonic() + 30
        while process.poll() is None and os.fstat(process.err.fileno()).st_size == 0:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert process.poll() is None
    ran = tool.finish(process)
    assert WAITS in ran.err and ran.status == 0, ran.text


def test_what_cannot_begin_is_not_tried_with_every_account(target, tmp_path):
    ran = tool.mailproof("run", LISTS, "--out", tmp_path / "run", "--target", target, env=password("wrong"))
    assert ran.status == 3 and "none of the first 3 could begin" in ran.out
    run = json.loads((tmp_path / "run/run.json").read_text())
    begun = [one["verdict"] for one in run["scenarios"] if one["verdict"] != "not-applicable"]  # slow ones are not
    assert len(begun) > 20 and set(begun) == {"error"}
    heard = list((tmp_path / "run/wire").iterdir())
    assert len(heard) == 3


CHANGES = """\
id: care.limit
title: a limit is changed, and something is awaited that never comes
needs: [imap, delivery, admin]
accounts: [alice]
devices:
  mta: {delivers: any}
  phone: {imap: alice}
steps:
  - mta: {deliver: mail, to: alice}
  - admin: {set_quota: alice, to: 64KiB}
  - admin: {pause: 60s}
"""


@pytest.fixture
def changes(target, tmp_path):
    """Writes down what is done to the server; the pause stands still as long as somebody waits for it."""
    did = tmp_path / "did"
    did.touch()
    script = tmp_path / "admin"
    script.write_text(f"#!/bin/sh\ntrap 'echo thawed >> {did}; exit 143' TERM\necho \"$@\" >> {did}\n"
                      "test \"$1\" != pause || while sleep 0.1; do test ! -e " + str(tmp_path / "thaw") + " || exit 0; done\n")
    script.chmod(0o755)
    with target.open("a") as file:
        file.write(f"admin:\n  set_quota: [{script}, quota, '{{login}}', '{{octets}}']\n  pause: [{script}, pause]\n"
                   f"  restart: [{script}, restart]\nallow: [restarts]\n")
    (tmp_path / "story.yaml").write_text(CHANGES)

    def start(out):
        process = tool.start("run", tmp_path / "story.yaml", "--target", target, "--out", out, env=password(reference_server.PASSWORD))
        eventually(lambda: "pause" in did.read_text() or process.poll() is not None, 60)
        assert process.poll() is None, tool.finish(process).text
        return process
    return start, did


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_was_changed_at_the_server_is_put_in_order_when_a_run_is_cut_short(changes, number, tmp_path):
    start, did = changes
    process = start(tmp_path / "run")
    assert "is to be set back: " in (tmp_path / "run/owed.txt").read_text()
    process.send_signal(number)
    # It says what it is about to do, and waits for the pause.
    eventually(lambda: b" s)\n" in os.pread(process.err.fileno(), 1 << 16, 0), 60)
    assert process.poll() is None, "the server stands still yet"
    (tmp_path / "thaw").touch()
    ran = tool.finish(process)
    assert ran.status == 3, ran.text
    login = did.read_text().split()[1]
    assert did.read_text() == f"quota {login} 65536\npause\nquota {login} 0\n", ran.text
    assert "the quota of " in ran.err and " s)\n" in ran.err and ran.err.endswith("all of it is as it was\n"), ran.text
    assert not (tmp_path / "run/owed.txt").exists()
    assert not [note for note in tool.complete_run(tmp_path / "run")["notes"] if "left changed" in note]


def test_a_run_that_is_killed_leaves_word_of_what_it_changed(changes, tmp_path):
    start, did = changes
    process = start(tmp_path / "run")
    process.kill()
    tool.finish(process)
    (tmp_path / "thaw").touch()
    again = tool.mailproof("run", tmp_path / "story.yaml", "--sim", "--out", tmp_path / "run")
    assert again.status == 2 and f"{tmp_path}/admin quota {did.read_text().split()[1]} 0\n" in again.err, again.text
    (tmp_path / "run/owed.txt").unlink()
    assert tool.mailproof("run", LISTS, "--sim", "--out", tmp_path / "run").status == 0


def test_what_cannot_be_set_back_is_told(changes, tmp_path):
    start, did = changes
    process = start(tmp_path / "run")
    (tmp_path / "admin").write_text(f"#!/bin/sh\necho no \"$@\" >> {did}\nexit 1\n")
    process.send_signal(signal.SIGINT)
    (tmp_path / "thaw").touch()
    ran = tool.finish(process)
    assert ran.status == 3 and "NOT done, to be done by you: the quota of " in ran.err, ran.text
    notes = tool.complete_run(tmp_path / "run")["notes"]
    assert [note for note in notes if note.startswith("left changed at the server, the quota of ")], notes
    assert "is to be set back" in (tmp_path / "run/owed.txt").read_text()
