"""Processes of a server, by pid only: which belong to it, stopping, waking and killing all of them."""
import os
import pathlib
import signal
import time


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


def everybody():
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def descendants(pid):
    """pid and all below it."""
    parent = {one: int(fields[1]) for one in everybody() if (fields := stat_fields(one))}
    found = [pid]
    for one in found:
        found += [child for child, its_parent in parent.items() if its_parent == one]
    return found


def send(number, pids):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def freeze(listing):
    """Stops all that `listing()` names, again and again until it names nobody new: a process that still runs may fork
    between the listing and the stop, and an orphan that is overlooked keeps the ports."""
    stopped = []
    while fresh := [pid for pid in listing() if pid not in stopped]:
        send(signal.SIGSTOP, fresh)
        stopped += fresh
    return stopped


def thaw(pids):
    """Masters last: they were stopped first, and find their children as they left them."""
    send(signal.SIGCONT, reversed(pids))


def kill_all(listing):
    pids = freeze(listing)
    send(signal.SIGKILL, pids)
    wait_gone(pids, 5)


def wait_gone(pids, seconds):
    deadline = time.monotonic() + seconds
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.01)
