"""Throwaway mail servers of a mailproof checkout (scripts/servers), one of each a session, shared by all its workers."""
import os
import pathlib
import shutil
import subprocess

from .tool import Trouble, checkout, locked

NEEDS_ROOT = 77  # exit status of `scripts/servers up`: not possible here
FAR = 300  # seconds; the first time packages are fetched


class Impossible(Exception):
    """This server cannot run here; says why."""


class Server:
    """A server that runs. Passed to `mailproof.run(target=...)` or wherever a target file's name is wanted."""

    def __init__(self, servers, name, target):
        self.servers, self.name, self.target = servers, name, pathlib.Path(target)
        # What the tool needs to log in, and to use the commands of the target file.
        self.environment = {name: servers.environment[name] for name in ("MAILPROOF_PASSWORD", "MAILPROOF_STATE")}

    def __fspath__(self):
        return str(self.target)

    def do(self, verb, *arguments, input=""):
        """scripts/servers VERB NAME ARGUMENTS: reset, kill, restart, quota, pause, deliver...; what it printed."""
        ran = self.servers.ask(verb, self.name, *arguments, input=input)
        if ran.returncode != 0:
            raise Trouble(f"scripts/servers {verb} {self.name}: {ran.stderr.strip()}")
        return ran.stdout.strip()


class Servers:
    def __init__(self, state, command=None):
        self.state = pathlib.Path(state)
        self.command = command
        self.environment = {**os.environ, "MAILPROOF_STATE": str(self.state / "state"), "PYTHONDONTWRITEBYTECODE": "1",
                            "MAILPROOF_PASSWORD": os.environ.get("MAILPROOF_PASSWORD") or "pass"}

    def ask(self, *arguments, input=""):
        command = self.command
        if not command:
            tree = checkout()
            if not tree:
                raise Trouble("throwaway servers need a mailproof checkout: say --mailproof-servers CHECKOUT/scripts/servers, "
                              "or mailproof_servers in the ini file")
            command = tree / "scripts/servers"
        try:
            return subprocess.run([command, *map(str, arguments)], env=self.environment, text=True, capture_output=True,
                                  input=input, timeout=FAR)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Trouble(f"throwaway servers: {error}") from error

    def up(self, name):
        """The server, started by the first that asks. Raises Impossible where it cannot be, Trouble where it should."""
        for folder in (self.state, self.state / "state"):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o711)  # a server that root starts runs as somebody else
        kept = {how: self.state / f"{name}.{how}" for how in ("target", "impossible", "trouble")}
        with locked(self.state / "lock"):
            if not any(file.exists() for file in kept.values()):
                ran = self.ask("up", name)
                how = {0: "target", NEEDS_ROOT: "impossible"}.get(ran.returncode, "trouble")
                if how == "trouble":
                    self.ask("down", name)
                kept[how].write_text((ran.stdout if how == "target" else ran.stderr).strip())
        if kept["impossible"].exists():
            raise Impossible(kept["impossible"].read_text())
        if kept["trouble"].exists():
            raise Trouble(f"the server {name} did not start: {kept['trouble'].read_text()}")
        return Server(self, name, kept["target"].read_text())

    def down(self):
        """Stops all and removes their state. For the session's own process, after all workers have ended."""
        if not self.state.exists():
            return []
        complaints = []
        for known in sorted(self.state.glob("*.target")):
            ran = self.ask("down", known.stem)
            if ran.returncode != 0:
                complaints.append(ran.stderr.strip())
        if not complaints:
            shutil.rmtree(self.state)
        return complaints
