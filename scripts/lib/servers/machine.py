"""What the throwaways of one user share on a machine: blocks of ports, and the kernel's limit of inotify instances.

A block belongs to the server whose state names it, from the moment it is chosen until 'down': two that start at once
would both find its ports free, and each would take the other's listeners for its own; a killed one wants its ports back."""
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import socket
import tempfile

from servers.trouble import Trouble, say

INOTIFY = pathlib.Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_WANTED = 8192
# Below the range the kernel takes outgoing ports from (32768), above the well-known ones; one block a server.
FIRST_BLOCK, BLOCKS, BLOCK = 20000, 120, 100


def own_folder():
    """This user's folder for state of servers and for what they share."""
    mine = pathlib.Path(tempfile.gettempdir()) / f"mailproof-{os.geteuid()}"
    mine.mkdir(mode=0o711, exist_ok=True)
    if mine.is_symlink() or mine.stat().st_uid != os.geteuid():
        raise Trouble(f"{mine} belongs to somebody else; set MAILPROOF_STATE and TMPDIR to folders of your own")
    return mine


def free_blocks(state, offsets):
    """The first port of each block that is free, which is `state`'s until the next one is asked for, and from then on
    if its state.json names it. The same state begins at the same block, so that a target keeps its ports."""
    for step in range(BLOCKS):
        base = FIRST_BLOCK + (first_block(state) + step) % BLOCKS * BLOCK
        with locked(str(base), wait=False) as claim:
            if claim and holder(base) in (None, state) and all(port_is_free(base + offset) for offset in offsets):
                rewrite(claim, str(state))
                yield base
    raise Trouble(f"no {len(list(offsets))} free ports between {FIRST_BLOCK} and {FIRST_BLOCK + BLOCKS * BLOCK}")


def first_block(state):
    return int(hashlib.sha256(str(state).encode()).hexdigest(), 16) % BLOCKS


def port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def inotify_is_enough():
    return not INOTIFY.exists() or int(INOTIFY.read_text()) >= INOTIFY_WANTED // 2


def raise_inotify():
    """A process a session and one user for all of them: the 129th IDLE would be told of new mail 29 s late."""
    with locked("inotify") as before:
        if inotify_is_enough():
            return
        was = INOTIFY.read_text().strip()
        try:
            INOTIFY.write_text(str(INOTIFY_WANTED))
        except OSError:
            say(f"fs.inotify.max_user_instances is {was} and only root can raise it: sessions will share processes")
            return
        rewrite(before, was)
        say(f"fs.inotify.max_user_instances raised from {was} to {INOTIFY_WANTED}; the last 'down' restores it")


def restore_inotify():
    """When no server is left that may need it."""
    with locked("inotify") as before:
        was = before.read()
        if not was or any(holder(base) for base in claimed()):
            return
        if INOTIFY.read_text().strip() == str(INOTIFY_WANTED):
            INOTIFY.write_text(was)
        rewrite(before, "")


def claimed():
    return [path.name for path in shared_folder().iterdir() if path.name.isdigit()]


def holder(base):
    """The folder of the server whose block this is, None when it is nobody's, or no longer."""
    state = (shared_folder() / str(base)).read_text()
    try:
        held = json.loads(pathlib.Path(state, "state.json").read_text()).get("base") if state else None
    except OSError:
        held = None
    return pathlib.Path(state) if str(held) == str(base) else None


def shared_folder():
    folder = own_folder() / "shared"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextlib.contextmanager
def locked(name, wait=True):
    """The file of this name, nobody else's as long as it is open; None where that would have to be waited for."""
    with open(shared_folder() / name, "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield None
            return
        file.seek(0)
        yield file


def rewrite(file, text):
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()
