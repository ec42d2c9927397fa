"""Throwaways of one machine do not take each other's ports, nor the kernel's limit from each other."""
import contextlib
import itertools
import json
import os
import pathlib
import subprocess
import tempfile

import pytest

from throwaways import PASSWORD, ROOT
from servers import machine


def ask(verb, name, state):
    return subprocess.Popen([ROOT / "scripts/servers", verb, name], text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env={**os.environ, "MAILPROOF_STATE": str(state),
                                                         "MAILPROOF_PASSWORD": PASSWORD})


def done(process):
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return said


def base(state):
    return json.loads((state / "state.json").read_text())["base"]


@pytest.fixture
def rivals():
    """A folder for a Dovecot and one for a Cyrus, which look for free ports from the same block on."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        folder = pathlib.Path(folder)
        folder.chmod(0o711)
        cyrus = next(rival for n in itertools.count()
                     if machine.first_block(rival := folder / str(n) / "cyrus")
                     == machine.first_block(folder / "dovecot"))
        for state in (folder / "dovecot", cyrus):
            stack.callback(lambda state=state: done(ask("down", state.name, state.parent)))
        yield folder / "dovecot", cyrus


def test_two_that_start_at_once_have_ports_of_their_own(rivals):
    for starting in [ask("up", state.name, state.parent) for state in rivals]:
        done(starting)
    assert len({base(state) for state in rivals}) == 2
    for state in rivals:
        assert "running" in done(ask("status", state.name, state.parent))


def test_a_killed_one_keeps_its_ports(rivals):
    dovecot, cyrus = rivals
    done(ask("up", "dovecot", dovecot.parent))
    before = base(dovecot)
    done(ask("kill", "dovecot", dovecot.parent))
    done(ask("up", "cyrus", cyrus.parent))
    done(ask("restart", "dovecot", dovecot.parent))
    assert base(dovecot) == before != base(cyrus)


def test_the_last_one_down_restores_the_limit_of_inotify(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(machine, "INOTIFY", tmp_path / "limit")
    machine.INOTIFY.write_text("128\n")
    states = [tmp_path / name for name in ("first", "second")]
    for state in states:
        state.mkdir()
        for block in machine.free_blocks(state, [1]):
            (state / "state.json").write_text(json.dumps({"base": block}))
            machine.raise_inotify()
            break
    assert base(states[0]) != base(states[1]) and machine.inotify_is_enough()
    for state, limit in zip(states, ("8192", "128")):
        (state / "state.json").unlink()
        machine.restore_inotify()
        assert machine.INOTIFY.read_text() == limit
