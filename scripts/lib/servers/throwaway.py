"""A mail server that lives in a temporary folder: what is the same for every server in fixtures/servers/.

A server's own server.py derives from Throwaway and says which packages it needs (`packages`), writes its
configuration (`configure`) and names its command (`command`)."""
import hashlib
import json
import os
import pathlib
import pwd
import grp
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

INOTIFY = pathlib.Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_WANTED = 8192
START_SECONDS = 20
# Below the range the kernel takes outgoing ports from (32768), above the well-known ones; one block a server.
FIRST_BLOCK, BLOCKS, BLOCK = 20000, 120, 100


class Trouble(Exception):
    """Something the person at the keyboard can act on."""


def say(text):
    print(text, file=sys.stderr, flush=True)


class Throwaway:
    packages = []
    ports = {}  # name -> offset in the block

    def __init__(self, root, name):
        self.root, self.name = root, name
        self.here = root / "fixtures" / "servers" / name
        self.state = state_folder(root) / name
        self.password = os.environ.get("MAILPROOF_PASSWORD") or "pass"
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

    def command(self):
        """The command that runs in the foreground, and its environment."""
        raise NotImplementedError

    def empty_mailboxes(self):
        """Called while the server is stopped."""
        raise NotImplementedError

    def answers(self):
        """True when a login succeeds."""
        raise NotImplementedError

    def target(self):
        """The text of the target file."""
        raise NotImplementedError

    # The six actions.
    def up(self):
        if self.running():
            say(f"{self.name} runs already")
            return self.announce()
        started = time.monotonic()
        self.restore_inotify()  # a run that failed or whose machine crashed left its state
        shutil.rmtree(self.state, ignore_errors=True)
        self.state.mkdir(mode=0o711, parents=True)
        self.raise_inotify()
        self.make_certificates()
        for self.base in free_blocks(str(self.state), self.ports.values()):
            self.remember("base", self.base)
            self.configure()
            self.own(self.state)
            if self.start():
                break
            if not self.log_says("in use"):
                raise self.failed_to_start()
        (self.state / "target.yaml").write_text(self.target())
        (self.state / "target.yaml").chmod(0o644)
        say(f"{self.name} is up after {time.monotonic() - started:.1f} s, running as {self.user}")
        return self.announce()

    def down(self):
        self.stop()
        self.restore_inotify()
        shutil.rmtree(self.state, ignore_errors=True)
        say(f"{self.name} is down")
        return 0

    def kill(self):
        if not self.running():
            raise Trouble(f"{self.name} does not run")
        kill_tree(self.recalled("pid"))
        self.forget_pid()
        say(f"{self.name} was killed; its mail is kept, 'restart' brings it back")
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
        self.stop()
        self.empty_mailboxes()
        if not self.start():
            raise self.failed_to_start()
        say(f"every mailbox of {self.name} is empty")
        return 0

    def status(self):
        if not self.running():
            print(f"{self.name}: not running" + (" (state kept)" if self.base is not None else ""))
            return 3
        print(f"{self.name}: running, pid {self.recalled('pid')}, "
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
        """True when a login succeeds; False when the server ended or never answered."""
        self.forget_pid()
        arguments, environment = self.command()
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        identity = {"user": self.uid, "group": self.gid, "extra_groups": []} if os.geteuid() == 0 else {}
        with open(self.log(), "ab") as log:
            self.own(self.log())
            process = subprocess.Popen(arguments, env=environment, cwd=self.state, stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, start_new_session=True, **identity)
        self.remember("pid", process.pid)
        self.remember("born", birth(process.pid))
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            if self.answers():
                return True
            time.sleep(0.01)
        kill_tree(process.pid)
        self.forget_pid()
        return False

    def stop(self):
        """Asks politely, then kills whatever is left of the tree."""
        if not self.running():
            return
        pid = self.recalled("pid")
        tree = descendants(pid)
        os.kill(pid, signal.SIGTERM)
        wait_gone(tree, 3)
        for one in tree:
            if alive(one):
                kill_tree(one)
        self.forget_pid()

    def running(self):
        pid = self.recalled("pid")
        # A pid is used again after a while; the time of birth tells whether it is still ours.
        return bool(pid) and alive(pid) and birth(pid) == self.recalled("born")

    def forget_pid(self):
        self.remember("pid", None)

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

    def inotify_is_enough(self):
        return not INOTIFY.exists() or int(INOTIFY.read_text()) >= INOTIFY_WANTED // 2

    def raise_inotify(self):
        """A process a session and one user for all of them: the 129th IDLE would be told of new mail 29 s late."""
        if self.inotify_is_enough():
            return
        before = INOTIFY.read_text().strip()
        try:
            INOTIFY.write_text(str(INOTIFY_WANTED))
        except OSError:
            say(f"fs.inotify.max_user_instances is {before} and only root can raise it: many sessions will share a process")
            return
        self.remember("inotify", before)
        say(f"fs.inotify.max_user_instances raised from {before} to {INOTIFY_WANTED}; 'down' restores it")

    def restore_inotify(self):
        before = self.recalled("inotify")
        if before and INOTIFY.read_text().strip() == str(INOTIFY_WANTED):
            INOTIFY.write_text(before)

    def memory(self):
        path = self.state / "state.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def recalled(self, key):
        return self.memory().get(key)

    def remember(self, key, value):
        (self.state / "state.json").write_text(json.dumps({**self.memory(), key: value}))


def state_folder(root):
    """A folder of this user's and this checkout's own, so that two checkouts do not disturb each other."""
    if os.environ.get("MAILPROOF_STATE"):
        folder = pathlib.Path(os.environ["MAILPROOF_STATE"]).absolute()
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        return folder
    mine = pathlib.Path(tempfile.gettempdir()) / f"mailproof-{os.geteuid()}"
    mine.mkdir(mode=0o711, exist_ok=True)
    if mine.is_symlink() or mine.stat().st_uid != os.geteuid():
        raise Trouble(f"{mine} belongs to somebody else; set MAILPROOF_STATE to a folder of your own")
    folder = mine / hashlib.sha256(str(root).encode()).hexdigest()[:8]
    folder.mkdir(mode=0o711, exist_ok=True)
    return folder


def free_blocks(key, offsets):
    """Port blocks with every port free. The same key begins at the same block, so a target keeps its ports."""
    first = int(hashlib.sha256(key.encode()).hexdigest(), 16) % BLOCKS
    for step in range(BLOCKS):
        base = FIRST_BLOCK + (first + step) % BLOCKS * BLOCK
        if all(port_is_free(base + offset) for offset in offsets):
            yield base
    raise Trouble(f"no {len(list(offsets))} free ports between {FIRST_BLOCK} and {FIRST_BLOCK + BLOCKS * BLOCK}")


def port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def stat_fields(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def alive(pid):
    fields = stat_fields(pid)
    return fields is not None and fields[0] not in "ZX"


def birth(pid):
    fields = stat_fields(pid)
    return fields and fields[19]


def descendants(pid):
    """pid and all below it."""
    parent = {}
    for entry in os.listdir("/proc"):
        fields = stat_fields(entry) if entry.isdigit() else None
        if fields:
            parent[int(entry)] = int(fields[1])
    found = [pid]
    for one in found:
        found += [child for child, its_parent in parent.items() if its_parent == one]
    return found


def kill_tree(pid):
    """Stopped first: a master that still runs forks an orphan between the listing and the kill, and it keeps the ports."""
    try:
        os.kill(pid, signal.SIGSTOP)
    except ProcessLookupError:
        return
    tree = descendants(pid)
    for one in tree:
        try:
            os.kill(one, signal.SIGKILL)
        except ProcessLookupError:
            pass
    wait_gone(tree, 5)


def wait_gone(pids, seconds):
    deadline = time.monotonic() + seconds
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.01)
