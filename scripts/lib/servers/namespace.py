"""A private mount namespace for servers whose paths and users are compiled in (/etc/postfix, user Debian-exim).

Inside it the unpacked packages lie over /usr and /etc, and so does what a server.py wrote below `etc`, with users of
its own; /run begins empty. The network is shared, so the ports are the machine's. Nothing outside changes, and the
namespace ends with its last process. What is written inside goes to memory, except below /run and the folders in
`binds`: those are ordinary folders, so two processes of one server may each enter on their own and still meet there."""
import os
import pathlib
import subprocess
import tempfile
import typing

from servers.processes import everybody
from servers.trouble import Trouble

# $1 the namespace's folder, $2 the packages, then pairs "source target" up to "--", then the command.
ENTER = r"""
folder=$1 tree=$2
shift 2
mount -t tmpfs -o mode=755 mailproof "$folder/memory" || exit 99
for top in usr etc; do
  lower=/$top
  for layer in "$tree/$top" "$folder/$top"; do [ ! -d "$layer" ] || lower=$layer:$lower; done
  upper=$folder/memory/$top work=$folder/memory/.$top
  mkdir -m 755 "$upper" "$work"
  mount -t overlay mailproof -o "lowerdir=$lower,upperdir=$upper,workdir=$work" "/$top" || exit 99
done
while [ "$1" != -- ]; do
  mount --bind "$1" "$2" || exit 99
  shift 2
done
shift
exec "$@"
"""
TRIAL = 'mount -t tmpfs none "$1" && mkdir "$1/up" "$1/work" && ' \
        'mount -t overlay none -o "lowerdir=/etc,upperdir=$1/up,workdir=$1/work" /etc'


class User(typing.NamedTuple):
    name: str
    uid: int
    gid: int
    home: str = "/nonexistent"
    secret: str = "!"  # as in shadow(5)
    shell: str = "/usr/sbin/nologin"


def hashed(password):
    """As shadow(5) keeps it; the quickest kind, because a load test logs in hundreds of times a second."""
    return subprocess.run(["openssl", "passwd", "-1", "-stdin"], input=password, capture_output=True, text=True,
                          check=True).stdout.strip()


class Namespace:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.binds = {"/run": self.folder / "run"}  # path inside -> folder outside

    def prepare(self, users, groups=()):
        """Makes the folders and the namespace's own passwd, shadow and group; `groups` are (name, gid) with no user."""
        for name in ("etc", "usr", "run", "memory"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for path in (self.folder, *self.folder.iterdir()):
            path.chmod(0o755)
        groups = {**{user.name: user.gid for user in users}, **dict(groups)}
        self.add("passwd", [f"{u.name}:x:{u.uid}:{u.gid}::{u.home}:{u.shell}" for u in users])
        self.add("group", [f"{name}:x:{gid}:" for name, gid in groups.items()])
        # The machine's own secrets stay where they are.
        shadow = self.folder / "etc/shadow"
        shadow.touch(mode=0o600)
        shadow.write_text("".join(f"{u.name}:{u.secret}:19000:0:99999:7:::\n" for u in users))

    def add(self, name, lines):
        ours = {line.split(":")[0] for line in lines}
        theirs = pathlib.Path("/etc", name).read_text().splitlines()
        theirs = [line for line in theirs if line.split(":")[0] not in ours]
        (self.folder / "etc" / name).write_text("\n".join([*theirs, *lines]) + "\n")
        (self.folder / "etc" / name).chmod(0o644)

    def bind(self, inside, outside):
        """`outside`, a folder, is seen as `inside`, which is below /etc or /usr, or exists on this machine."""
        if inside.startswith(("/etc/", "/usr/")):
            (self.folder / inside[1:]).mkdir(parents=True, exist_ok=True)
        self.binds[inside] = outside

    def command(self, tree, arguments):
        """What runs `arguments` inside, with the packages in `tree`; the pid stays the one of the first process."""
        for path in (self.folder, tree):
            if any(c in str(path) for c in ",:\\"):
                raise Trouble(f"an overlay cannot be mounted from {path}: no comma, colon or backslash in a path")
        binds = [word for inside, outside in self.binds.items() for word in (outside, inside)]
        return ["unshare", "-m", "--propagation", "private", "sh", "-c", ENTER, "namespace", self.folder, tree,
                *binds, "--", *arguments]

    @staticmethod
    def command_beside(pid, arguments):
        """What runs a tool in the namespace of the running process `pid`."""
        return ["nsenter", "-m", "-t", str(pid), "--", *arguments]

    def members(self):
        """Every process inside, orphans too: a mail server's delivery process outlives the one that began it."""
        mine = mount_namespace(os.getpid())
        ours = {}
        found = []
        for pid in everybody():
            which = mount_namespace(pid)
            if which in (None, mine):
                continue
            if which not in ours:
                ours[which] = f" {self.folder}/memory " in mounts(pid)
            if ours[which]:
                found.append(pid)
        return found


def mount_namespace(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/mnt")
    except OSError:
        return None


def mounts(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/mountinfo").read_text()
    except OSError:
        return ""


def why_impossible():
    """Why no namespace can be made here, or None."""
    if os.geteuid() != 0:
        return "its paths and users are compiled in, so it gets a mount namespace of its own"
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", TRIAL, "trial", folder],
                             capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if run.returncode == 0:
        return None
    return "this root may not mount an overlay in a namespace: " + " ".join(run.stderr.split())
