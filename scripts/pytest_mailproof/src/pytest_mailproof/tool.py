"""The program `mailproof`: where it is, what it lists, what it plays. Knows nothing of pytest."""
import contextlib
import dataclasses
import fcntl
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import unicodedata

HERE = pathlib.Path(__file__).resolve()
BUILT_IN = ("sim", "sockets")
GRACE = 60  # seconds that an interrupted run has to clean the mailboxes up


class Trouble(Exception):
    """Nothing can be said about the server: the tool is missing, was used wrongly, or came to no verdict."""


def checkout():
    """The mailproof source tree that this file is part of; where it was installed elsewhere, the one that pytest runs in."""
    cwd = pathlib.Path.cwd()
    for folder in (*HERE.parents, cwd, *cwd.parents):
        if (folder / "scripts/pytest_mailproof/src").is_dir() and (folder / "scripts/servers").is_file():
            return folder
    return None


def find_binary(wished=None):
    """`wished`, $MAILPROOF_BIN, this checkout's own build, or the one on the PATH."""
    named = wished or os.environ.get("MAILPROOF_BIN")
    if named:
        found = shutil.which(named)
        if not found:
            raise Trouble(f"mailproof is not at '{named}'")
        return os.path.abspath(found)
    tree = checkout()
    built = tree / "build/release/mailproof" if tree else None
    if built and os.access(built, os.X_OK):
        return str(built)
    found = shutil.which("mailproof")
    if not found:
        raise Trouble("mailproof was not found: say --mailproof-binary FILE, mailproof_binary in the ini file, "
                      "MAILPROOF_BIN in the environment, or put it on the PATH")
    return found


def printable(text):
    """What a server says may not steer a terminal."""
    return "".join(c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") else
                   c.encode("unicode_escape").decode() for c in text)


def finding_text(finding):
    """A finding of run.json as `mailproof run` prints it."""
    lines = [f"{finding['severity']} {finding['id']}"]
    for key in ("requirement", "expected", "actual"):
        lines.append(f"  {key.capitalize() + ':':<13}" + finding[key].replace("\n", "\n" + " " * 15))
    if finding.get("messages"):
        lines.append(f"  {'Messages:':<13}{', '.join(finding['messages'])}")
    for key, margin in (("evidence", "    | "), ("life", "    ")):
        if finding.get(key):
            lines.append(f"  {key.capitalize()}:")
            lines += [margin + line for entry in finding[key] for line in entry.split("\n")]
    lines.append(f"  {'Reproduce:':<13}{finding['reproduce']}")
    return printable("\n".join(lines))


@dataclasses.dataclass
class Run:
    """One run of the tool: its exit status, what it said, where it wrote, and run.json."""
    status: int
    out: str
    err: str
    directory: pathlib.Path
    result: dict

    @classmethod
    def read(cls, status, directory):
        """What `Mailproof.run` wrote to its directory."""
        out, err = ((directory / name).read_text("utf-8", "replace") for name in ("stdout.txt", "stderr.txt"))
        try:
            result = json.loads((directory / "run/run.json").read_text("utf-8"))
        except (OSError, ValueError):
            result = None  # it never came to write one
        return cls(status, out, err, directory / "run", result)

    @property
    def verdict(self):
        return self.result["verdict"]

    @property
    def passed(self):
        return self.status == 0

    @property
    def scenarios(self):
        """Id -> entry of run.json."""
        return {entry["id"]: entry for entry in self.result["scenarios"]}

    @property
    def findings(self):
        return [finding for entry in self.result["scenarios"] for finding in entry["findings"]]

    def __str__(self):
        return "\n\n".join([*map(finding_text, self.findings), f"{self.verdict}: {self.directory}"])


@contextlib.contextmanager
def locked(path):
    """Alone among all processes of this machine that lock the same file."""
    with open(path, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def interrupt_held_back():
    """What Ctrl-C would raise within is appended to the list instead, where it would raise at all."""
    pressed = []
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield pressed
        return
    signal.signal(signal.SIGINT, lambda *_: pressed.append(True))
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


class Mailproof:
    """The tool with a target. `where`: the folder it runs in, which relative names are relative to."""

    def __init__(self, binary=None, target="sim", arguments=(), environment=None, where=None, out=None):
        self._binary, self.target, self.arguments = binary, target, list(arguments)
        self.environment, self.where, self.out = environment, pathlib.Path(where or os.getcwd()), out
        self.runs = 0

    @property
    def binary(self):
        return find_binary(self._binary)

    def has(self, option):
        """Whether its arguments hold the option, as "--jobs 2" or "--jobs=2"."""
        return any(argument.split("=")[0] == option for argument in self.arguments)

    def list(self, path):
        """The scenarios and checks of a file: id, title, path, kind, level, tags."""
        asked = subprocess.run([self.binary, "list", "--json", path], cwd=self.where, text=True, capture_output=True,
                               stdin=subprocess.DEVNULL)
        if asked.returncode != 0:
            raise Trouble(printable((asked.stderr or asked.stdout).strip()) or f"exit status {asked.returncode}")
        return json.loads(asked.stdout)

    def run(self, *arguments, target=None, directory=None):
        """`mailproof run ARGUMENTS...` on `target`: sim, sockets, a target file, or a Server of `mailproof_server`; else
        on the one that pytest was told. A verdict is an answer; raises Trouble where there is none to read."""
        target = self.target if target is None else target
        if directory is None:
            self.runs += 1
            self.out = self.out or tempfile.mkdtemp(prefix="mailproof-")
            directory = pathlib.Path(self.out) / f"{os.getpid()}-{self.runs:03}"
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        out = directory / "run"
        place = [f"--{target}"] if target in BUILT_IN else ["--target", os.fspath(target)]
        command = [self.binary, "run", *map(os.fspath, arguments), *place, *self.arguments, "--out", os.fspath(out)]
        environment = {**os.environ, **(self.environment or {}), **getattr(target, "environment", {})}
        if target not in BUILT_IN and not (self.where / os.fspath(target)).is_file():
            raise Trouble(f"no target file at '{self.where / os.fspath(target)}'")
        status = self.play(command, directory, environment)
        run = Run.read(status, directory)
        if status not in (0, 1, 3) or run.result is None:
            how = f"ended with {status}" if status >= 0 else f"was killed by signal {-status}"
            raise Trouble(printable(f"mailproof {how}\n{run.err.strip()}\n  command: {shlex.join(command)}"))
        return run

    def play(self, command, directory, environment):
        with open(directory / "stdout.txt", "wb") as out, open(directory / "stderr.txt", "wb") as err:
            with interrupt_held_back() as pressed:  # or a process that nobody knows of would play on
                # In a session of its own: a second signal, from the terminal beside ours, would cut its tidying short.
                process = subprocess.Popen(command, cwd=self.where, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                           env=environment, start_new_session=True)
            try:
                if pressed:
                    raise KeyboardInterrupt
                return process.wait()
            except BaseException:
                # It takes its mail back out of the mailboxes before it ends.
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(GRACE)
                process.kill()
                process.wait()
                raise
