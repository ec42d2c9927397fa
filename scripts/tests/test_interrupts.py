"""Ctrl-C and SIGTERM: whatever the tool is doing, the first asks for an orderly end with a report, the second ends at once."""
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest

import reference_server
import tool
from test_load import POP, READ, target_file

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
ENVIRONMENT = {**tool.ENVIRONMENT, "MAILPROOF_PASSWORD": reference_server.PASSWORD}


def until(what, process):
    """Looks again and again, as long as the tool runs."""
    for _ in range(3000):
        if seen := what():
            return seen
        assert process.poll() is None, tool.finish(process).text
        time.sleep(0.01)
    raise AssertionError("it did not come to that")


def silent_run(out, port):
    """Four jobs, each of which has begun to talk to a server that says nothing."""
    target = target_file(out.parent, imap=port, pop3=port, lmtp=port)
    process = tool.start("run", "scenarios/sync", "--target", target, "--jobs", 4, "--patience", 100, "--out", out,
                         env=ENVIRONMENT)
    until(lambda: sum(f"imap 127.0.0.1:{port}" in part.read_text("utf-8") for part in out.glob("history/*.jsonl")) == 4,
          process)
    return process


@BOTH
def test_several_jobs_that_wait_for_a_server(number, tmp_path):
    with tool.bad_server("silent") as port:
        process = silent_run(tmp_path / "run", port)
        tool.from_now(process, port)
        process.send_signal(number)
        ran = tool.finish(process)
    assert ran.status == 3 and ran.seconds < 2, ran.text
    run = tool.complete_run(tmp_path / "run")
    assert run["interrupted"] and 1 <= len(run["scenarios"]) <= 4


def test_the_second_signal_ends_at_once(tmp_path):
    with tool.bad_server("silent") as port:
        process = silent_run(tmp_path / "run", port)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        assert tool.finish(process).status in (3, 130)  # 3: all was over before the second came


@pytest.mark.parametrize("after", range(1, 11))
def test_while_loops_are_made_and_destroyed(after, tmp_path):
    """Over sockets every scenario has a loop of its own, and most are over in an instant."""
    process = tool.start("run", "scenarios/conformance", "--sockets", "--jobs", 4, "--out", tmp_path / "run")
    until(lambda: len(list(tmp_path.glob("run/history/*.jsonl"))) >= after, process)
    process.send_signal(signal.SIGINT)
    ran = tool.finish(process)
    assert ran.status in (0, 1, 3), ran.text
    assert tool.complete_run(tmp_path / "run")["interrupted"]


@BOTH
@pytest.mark.parametrize("descriptors", [0, 25])
def test_a_load(number, descriptors, tmp_path):
    """As soon as its threads make their loops, and when copies have connections."""
    process = tool.start("load", POP, READ, "--sockets", "--copies", 2000, "--rate", "20/s", "--jobs", 2, "--out",
                         tmp_path / "run")
    until(lambda: (tmp_path / "run").exists() and len(os.listdir(f"/proc/{process.pid}/fd")) > descriptors, process)
    process.send_signal(number)
    ran = tool.finish(process)
    assert ran.status == 3, ran.text
    assert json.loads((tmp_path / "run/stats.json").read_text("utf-8"))["verdict"] == "inconclusive"


@BOTH
def test_the_built_in_server(number):
    process = subprocess.Popen([reference_server.BINARY, "server"], stdout=subprocess.PIPE, text=True)
    try:
        while process.stdout.readline() != "ready\n":
            assert process.poll() is None
        process.send_signal(number)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def has_open(pid, path):
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            if link.samefile(path):
                return True
        except OSError:  # closed meanwhile
            pass
    return False


@BOTH
@pytest.mark.parametrize("arguments", [["run", "--sim"], ["check"], ["load", "--sim"], ["probe", "--target"]], ids=lambda value: value[0])
def test_a_file_that_is_a_pipe_nobody_writes_into(arguments, number, tmp_path):
    """It is opened before anything else happens, and that lasts for ever."""
    os.mkfifo(tmp_path / "pipe.yaml")
    process = tool.start(*arguments, tmp_path / "pipe.yaml")
    time.sleep(1)
    assert process.poll() is None
    process.began = time.monotonic()
    process.send_signal(number)
    ran = tool.finish(process)
    # 2: the open that the signal interrupted has said so first.
    assert ran.status in (2, 3) and ran.seconds < 2, ran.text


@BOTH
def test_what_only_reads_ends_at_once(number, tmp_path):
    ran = tool.mailproof("run", "scenarios/sync", "--sim", "--defect", "imap.size-zero", "--out", tmp_path / "run")
    assert ran.status == 1, ran.text
    history = tmp_path / "run/history.jsonl"
    head, *rest = history.read_text("utf-8").splitlines(keepends=True)
    history.write_text(head + "".join(rest) * 100, "utf-8")
    process = tool.start("judge", tmp_path / "run")
    until(lambda: has_open(process.pid, history), process)
    process.began = time.monotonic()
    process.send_signal(number)
    ran = tool.finish(process)
    assert ran.status == 3 and ran.seconds < 2, ran.text


def test_a_story_that_is_being_shrunk(tmp_path):
    """It said that the story does not fail."""
    with tool.bad_server("silent") as port:
        target = target_file(tmp_path, imap=port, pop3=port, lmtp=port)
        process = tool.start("shrink", "sync.offline-device-catches-up", "--target", target, "--patience", 100, env=ENVIRONMENT)
        until(lambda: os.path.exists(f"/proc/{process.pid}/fd") and any(
            os.readlink(link).startswith("socket:") for link in map(f"/proc/{process.pid}/fd/{{}}".format, os.listdir(f"/proc/{process.pid}/fd"))
            if os.path.lexists(link)), process)
        process.send_signal(signal.SIGINT)
        ran = tool.finish(process)
    assert ran.status == 3 and ran.err == "mailproof: interrupted: the story was not made shorter\n", ran.text
