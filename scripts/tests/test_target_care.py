"""What a run owes to the server it plays on: alone at a time, and no password tried again and again."""
import fcntl
import json
import os
import time

import pytest

import reference_server
import tool

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
    assert len(run["scenarios"]) > 20 and {one["verdict"] for one in run["scenarios"]} == {"error"}
    heard = list((tmp_path / "run/wire").iterdir())
    assert len(heard) == 3
