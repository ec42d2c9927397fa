"""Runs a command and tells its exit status, its peak memory, the processor's time that it took, how long it took, and for how long of
that it was starved: `launcher.py FD PIDS COMMAND...` writes the five to FD. A small process does it, because the peak that the kernel tells of a process includes that of whoever started it, up to its exec.

On a busy machine a process stands ready and gets no processor: a bound on how long the tool may take would be one on the machine
then. The kernel counts that time of every thread (run delay, the second figure of /proc/PID/task/TID/schedstat); it is told apart, of
the command, of the PIDS it talks with ("12,34"), and of this process when it should have seen the end. What the command computes, and
what it waits for, stays."""
import os
import select
import sys
import time

LOOK_EVERY = 0.1  # seconds: of a thread that ended, what came after the last look is not known


class RunDelay:
    """How long threads of these processes have stood ready without a processor since this was made."""

    def __init__(self, *pids):
        self.pids = pids
        self.first, self.last = {}, {}
        self.look()
        self.first = dict(self.last)

    def look(self):
        for pid in self.pids:
            try:
                for thread in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as stat:
                        self.last[pid, thread] = int(stat.read().split()[1])
            except (OSError, IndexError):
                pass  # it is no more, or this kernel does not count: nothing is taken off then

    def seconds(self):
        """Of all together: of those that answer each other, one stands ready at a time."""
        return sum(last - self.first.get(thread, 0) for thread, last in self.last.items()) / 1e9


def ended(pid, delay, timeout=None):
    """Waits for its end, or returns None after so many seconds. It is not reaped. How long this process stood ready since the last look,
    and might have seen the end."""
    bound = None if timeout is None else time.monotonic() + timeout
    descriptor = os.pidfd_open(pid)
    try:
        end = select.poll()
        end.register(descriptor, select.POLLIN)
        while True:
            own = RunDelay(os.getpid())
            over = end.poll(LOOK_EVERY * 1000)
            delay.look()
            own.look()
            if over:
                return own.seconds()
            if bound is not None and time.monotonic() > bound:
                return None
    finally:
        os.close(descriptor)


def main():
    figures, beside, *command = sys.argv[1:]
    began = time.monotonic()
    delay = RunDelay(*map(int, filter(None, beside.split(","))))
    pid = os.fork()
    if pid == 0:
        os.execv(command[0], command)
    delay.pids += (pid,)
    late = ended(pid, delay)
    wall = time.monotonic() - began
    _, status, usage = os.wait4(pid, 0)
    os.write(int(figures), b"%d %d %f %f %f" % (os.waitstatus_to_exitcode(status), usage.ru_maxrss, usage.ru_utime + usage.ru_stime, wall,
                                               delay.seconds() + late))


if __name__ == "__main__":
    main()
