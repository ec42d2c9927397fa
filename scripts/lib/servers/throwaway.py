"""A mail server that lives in a temporary folder: what is the same for every server in fixtures/servers/.

A server's own server.py derives from Throwaway and says which packages it needs (`packages`), writes its
configuration (`configure`) and names its command (`command`, or `daemons` where it is made of several)."""
import hashlib
import json
import os
import pathlib
import pwd
import grp
import resource
import shutil
import signal
import subprocess
import time
import typing

from servers.machine import free_blocks, inotify_is_enough, own_folder, raise_inotify, restore_inotify
from servers.namespace import why_impossible
from servers.processes import alive, birth, descendants, freeze, kill_all, send, thaw, wait_gone
from servers.trouble import Trouble, say

START_SECONDS = 20
SKIPPED = 77  # the exit status that says "not possible here", as in Automake's tests


class Daemon(typing.NamedTuple):
    """One process in the foreground, with all that it begins."""
    arguments: list
    environment: dict
    as_root: bool = False  # it becomes the users it wants by itself
    ready: typing.Callable = None  # must be true before the next one starts


class Throwaway:
    packages = []
    ports = {}  # name -> offset in the block
    known_also = []  # lists of known deviations that it shares with others, below fixtures/servers
    needs_root = False  # then it lives in a mount namespace, self.namespace
    namespace = None

    def __init__(self, root, name):
        self.root, self.name = root, name
        self.here = root / "fixtures" / "servers" / name
        self.state = state_folder(root) / name
        # What mailproof runs as an admin command is not told the password: it holds what the server was set up with.
        self.password = os.environ.get("MAILPROOF_PASSWORD") or self.kept_password() or "pass"
        if any(c in self.password for c in ":\r\n\0 "):
            raise Trouble("MAILPROOF_PASSWORD may not hold a space, a colon or a line end")
        account = pwd.getpwuid(os.geteuid()) if os.geteuid() else pwd.getpwnam("nobody")
        self.user, self.uid, self.gid = account.pw_name, account.pw_uid, account.pw_gid
        self.group = grp.getgrgid(account.pw_gid).gr_name
        self.base = self.recalled("base")

    # What a server.py provides.
    def configure(self):
        """Write configuration and accounts below self.state."""
        raise NotImplementedError

    def configure_as_root(self):
        """Called when everything below self.state belongs to the server's user; what must not, is written here."""

    def command(self):
        """The command that runs in the foreground, and its environment."""
        raise NotImplementedError

    def daemons(self):
        """All of them, in the order in which they start."""
        return [Daemon(*self.command())]

    def empty_mailboxes(self):
        """Called while the server is stopped."""
        raise NotImplementedError

    def answers(self):
        """True when a login succeeds."""
        raise NotImplementedError

    def target(self):
        """The text of the target file."""
        raise NotImplementedError

    # What a server.py may provide besides.
    def quota(self, login, octets):
        """The account's own limit from now on; 0 is none."""
        raise Trouble(f"{self.name} cannot set the limit of an account")

    def customer_quota(self, customer, octets):
        """The limit that the customer's mailboxes share from now on; 0 is none."""
        raise Trouble(f"{self.name} has no limit that several mailboxes share")

    def deliver(self, address, message):
        """Delivers where no protocol does; returns 0, or of sysexits(3) 67 no such user, 75 try again, 77 refused."""
        raise Trouble(f"{self.name} takes mail by its own protocols; see its target file")

    # The actions.
    def up(self):
        if self.needs_root and (why := why_impossible()):
            say(f"{self.name} needs root: {why}")
            return SKIPPED
        if self.running():
            say(f"{self.name} runs already")
            return self.announce()
        started = time.monotonic()
        for self.base in free_blocks(self.state, self.ports.values()):
            self.begin_anew()
            self.configure()
            self.own(self.state)
            self.configure_as_root()
            if self.start():
                break
            if not self.log_says("in use"):
                raise self.failed_to_start()
        (self.state / "target.yaml").write_text(self.target())
        (self.state / "target.yaml").chmod(0o644)
        say(f"{self.name} is up after {time.monotonic() - started:.1f} s")
        return self.announce()

    def begin_anew(self):
        """A run that failed, whose machine crashed or of which a part ended left its state."""
        self.end()
        shutil.rmtree(self.state, ignore_errors=True)
        self.state.mkdir(mode=0o711, parents=True)
        self.remember("base", self.base)
        with open(self.state / "password", "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(self.password)
        raise_inotify()
        self.make_certificates()

    def down(self):
        self.end()
        shutil.rmtree(self.state, ignore_errors=True)
        restore_inotify()
        say(f"{self.name} is down")
        return 0

    def kill(self):
        self.must_run()
        self.end()
        say(f"{self.name} was killed; its mail is kept, 'restart' brings it back")
        return 0

    def pause(self, milliseconds):
        """The whole server stands still, as a machine does that swaps or is moved; connections stay."""
        self.must_run()
        stopped = freeze(self.processes)
        try:
            time.sleep(milliseconds / 1000)
        finally:
            thaw(stopped)
        say(f"{self.name} stood still for {milliseconds} ms")
        return 0

    def restart(self):
        if self.base is None:
            raise Trouble(f"{self.name} was never up")
        self.stop()
        if not self.start():
            raise self.failed_to_start()
        return self.announce()

    def reset(self):
        if self.base is None:
            raise Trouble(f"{self.name} was never up")
        self.end()
        self.empty_mailboxes()
        if not self.start():
            raise self.failed_to_start()
        say(f"every mailbox of {self.name} is empty")
        return 0

    def status(self):
        if not self.running():
            print(f"{self.name}: not running" + (" (state kept)" if self.base is not None else ""))
            return 3
        print(f"{self.name}: running, pid {' '.join(map(str, self.masters()))}, "
              + ", ".join(f"{name} {self.port(name)}" for name in self.ports))
        return self.announce()

    # How they work.
    def announce(self):
        print(self.state / "target.yaml")
        return 0

    def port(self, name):
        return self.base + self.ports[name]

    def log(self):
        return self.state / f"{self.name}.log"

    def log_says(self, words):
        return self.log().exists() and words in self.log().read_text(errors="replace")

    def start(self):
        """True when a login succeeds; False when a part of the server ended or it never answered."""
        self.forget_trees()
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        begun = []
        deadline = time.monotonic() + START_SECONDS

        def comes_true(condition):
            while time.monotonic() < deadline and all(process.poll() is None for process in begun):
                if condition():
                    return True
                time.sleep(0.01)
            return False

        for daemon in self.daemons():
            begun.append(self.begin(daemon))
            self.remember("trees", [(process.pid, birth(process.pid)) for process in begun])
            if daemon.ready and not comes_true(daemon.ready):
                break
        else:
            if comes_true(self.answers):
                return True
        self.end()
        return False

    def begin(self, daemon):
        drop = os.geteuid() == 0 and not daemon.as_root
        identity = {"user": self.uid, "group": self.gid, "extra_groups": []} if drop else {}
        with open(self.log(), "ab") as log:
            self.own(self.log())
            return subprocess.Popen(daemon.arguments, env=daemon.environment, cwd=self.state, stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=log, start_new_session=True, **identity)

    def end(self):
        """Without asking, as for a kill, or where no mail is to be kept."""
        if self.processes():
            kill_all(self.processes)
            self.forget_trees()

    def stop(self):
        """Asks politely, the last begun first, then kills whatever is left."""
        everything = self.processes()
        if not everything:
            return
        for master in reversed(self.masters()):
            send(signal.SIGTERM, [master])
            wait_gone(descendants(master), 3)
        kill_all(lambda: [pid for pid in {*everything, *self.processes()} if alive(pid)])
        self.forget_trees()

    def masters(self):
        """The first process of every daemon that still lives."""
        # A pid is used again after a while; the time of birth tells whether it is still ours.
        return [pid for pid, born in self.recalled("trees") or [] if alive(pid) and birth(pid) == born]

    def processes(self):
        """Every process of the server, masters first."""
        found = [pid for master in self.masters() for pid in descendants(master)]
        return [*found, *(pid for pid in self.namespace.members() if pid not in found)] if self.namespace else found

    def running(self):
        trees = self.recalled("trees")
        return bool(trees) and len(self.masters()) == len(trees)

    def must_run(self):
        if not self.processes():
            raise Trouble(f"{self.name} does not run")

    def forget_trees(self):
        self.remember("trees", None)

    def failed_to_start(self):
        tail = self.log().read_text(errors="replace").splitlines()[-15:] if self.log().exists() else []
        return Trouble(f"{self.name} did not start; the end of {self.log()}:\n" + "\n".join(tail))

    def own(self, folder):
        if os.geteuid() == 0:
            for path in [folder, *folder.rglob("*")]:
                os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def make_certificates(self):
        """certs/: good.pem and good.key for the server, ca.pem for its clients."""
        subprocess.run([self.root / "scripts/make-certs", self.state / "certs"], check=True)

    def memory(self):
        path = self.state / "state.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def kept_password(self):
        try:
            return (self.state / "password").read_text()
        except OSError:
            return None

    def recalled(self, key):
        return self.memory().get(key)

    def remember(self, key, value):
        written = self.state / "state.json.new"
        written.write_text(json.dumps({**self.memory(), key: value}))
        written.replace(self.state / "state.json")  # others read it too


def state_folder(root):
    """A folder of this user's and this checkout's own, so that two checkouts do not disturb each other."""
    if os.environ.get("MAILPROOF_STATE"):
        folder = pathlib.Path(os.environ["MAILPROOF_STATE"]).absolute()
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        return folder
    folder = own_folder() / hashlib.sha256(str(root).encode()).hexdigest()[:8]
    folder.mkdir(mode=0o711, exist_ok=True)
    return folder
