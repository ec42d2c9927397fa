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
    seconds: float
    peak_mb: float = 0  # ru_maxrss

    @property
    def text(self):
        return self.out + self.err


def start(*arguments, env=None):
    """The tool, its output going into two temporary files: a pipe that nobody empties must not hold it up."""
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
    process = subprocess.Popen([BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=ROOT,
                               env=env or ENVIRONMENT)
    process.out, process.err, process.began = out, err, time.monotonic()
    return process


def finish(process, timeout=60):
    """Waits for what start() began, killing it after the timeout; the status is negative then."""
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    seconds = time.monotonic() - process.began
    texts = []
    for stream in (process.out, process.err):
        stream.seek(0)
        texts.append(stream.read().decode("utf-8"))
        stream.close()
    return Ran(process.returncode, *texts, seconds)


# The peak that the kernel tells of a process includes that of whoever started it, up to its exec: so a small one starts it.
LAUNCHER = """
import os, sys, time
began = time.monotonic()
pid = os.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
_, status, usage = os.wait4(pid, 0)
os.write(int(sys.argv[1]), b"%d %d %f" % (os.waitstatus_to_exitcode(status), usage.ru_maxrss, time.monotonic() - began))
"""


def mailproof(*arguments, env=None, timeout=180, cwd=ROOT):
    """Runs it to its end, or fails after the timeout."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as figures:
        command = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(figures.fileno()), BINARY, *map(str, arguments)]
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
        status, peak, seconds = texts.pop().split()
        return Ran(int(status), *texts, float(seconds), int(peak) / 1024)


@contextlib.contextmanager
def bad_server(kind, protocol="imap", *options):
    """A bad server; its port."""
    process = subprocess.Popen([sys.executable, BAD_SERVER, kind, "--protocol", protocol, *map(str, options)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline().split()[1])
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
