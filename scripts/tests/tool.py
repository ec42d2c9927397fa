"""Runs the real binary and measures it: what it printed, its exit status, how long it took, its peak memory."""
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

import launcher
from reference_server import BINARY, ROOT

BAD_SERVER = ROOT / "fixtures/bad-servers/bad_server.py"
PASSWORD = "c0rrect-h0rse"
STORY = "scenarios/mixed/pop-download-empties-the-phone.yaml"
# As on a user's own machine: on a CI's, commands to play again bear no path of it (cli/reproduce.cc).
ENVIRONMENT = {**{name: value for name, value in os.environ.items() if name != "CI"}, "MAILPROOF_PASSWORD": PASSWORD}


@dataclasses.dataclass
class Ran:
    status: int
    out: str
    err: str
    wall: float  # seconds
    starved: float = 0  # of these, how long it or who it talked with stood ready and got no processor: launcher.py
    peak_mb: float = 0  # ru_maxrss
    computed: float = 0  # seconds

    @property
    def seconds(self):
        """How long it took, as a machine that is not busy would have it: what is bounded."""
        return max(self.computed, self.wall - self.starved)

    @property
    def text(self):
        return self.out + self.err


def start(*arguments, env=None):
    """The tool, its output going into two temporary files: a pipe that nobody empties must not hold it up."""
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
    process = subprocess.Popen([BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=ROOT,
                               env=env or ENVIRONMENT)
    process.out, process.err = out, err
    from_now(process)
    return process


def from_now(process, *servers):
    """What finish() tells of its time is counted from here; `servers` are what it talks with."""
    process.delay = launcher.RunDelay(process.pid, *(server.pid for server in servers))
    process.began = time.monotonic()


def finish(process, timeout=60):
    """Waits for what start() began, killing it after the timeout; the status is negative then."""
    late = 0 if process.poll() is not None else launcher.ended(process.pid, process.delay, timeout)
    if late is None:
        process.kill()
    process.wait()
    wall = time.monotonic() - process.began
    texts = []
    for stream in (process.out, process.err):
        stream.seek(0)
        texts.append(stream.read().decode("utf-8"))
        stream.close()
    return Ran(process.returncode, *texts, wall, process.delay.seconds() + (late or 0))


def mailproof(*arguments, env=None, timeout=180, cwd=ROOT, servers=()):
    """Runs it to its end, or fails after the timeout; `servers` are what it talks with (anything with a pid)."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as figures:
        command = [sys.executable, "-I", "-S", launcher.__file__, str(figures.fileno()), ",".join(str(one.pid) for one in servers),
                   BINARY, *map(str, arguments)]
        process = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   env=env or ENVIRONMENT, pass_fds=[figures.fileno()], start_new_session=True)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        texts = []
        for stream in (out, err, figures):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8"))
        status, peak, computed, wall, starved = texts.pop().split()
        return Ran(int(status), *texts, float(wall), float(starved), int(peak) / 1024, float(computed))


class Port(int):
    """Where a server listens, and the process that does."""
    pid = 0


@contextlib.contextmanager
def bad_server(kind, protocol="imap", *options):
    """A bad server; its Port."""
    process = subprocess.Popen([sys.executable, BAD_SERVER, kind, "--protocol", protocol, *map(str, options)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        port = Port(process.stdout.readline().split()[1])
        port.pid = process.pid
        yield port
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def complete_run(directory):
    """Reads every file of a run directory that must be there; run.json's content."""
    directory = pathlib.Path(directory)
    run = json.loads((directory / "run.json").read_text("utf-8"))
    lines = (directory / "history.jsonl").read_text("utf-8").splitlines()
    kinds = [next(iter(json.loads(line))) for line in lines]
    assert kinds[0] == "run" and kinds[-1] == "end" and kinds.count("history") == kinds.count("end") == len(run["scenarios"])
    ElementTree.parse(directory / "junit.xml")
    json.loads((directory / "findings.json").read_text("utf-8"))
    assert (directory / "summary.md").read_text("utf-8")
    return run


def without_bytes(text):
    """What a run prints, without the lines of the conversation: they stand in wire/, not in the history."""
    return re.sub(r"^    \|   .*\n", "", text, flags=re.MULTILINE)


def verdicts(run):
    return [(scenario["id"], scenario["verdict"], sorted(finding["id"] for finding in scenario["findings"]))
            for scenario in run["scenarios"]]
