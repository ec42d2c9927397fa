"""What a bound in a test bounds: what the tool computes and what it waits for, and not how busy the machine is."""
import os
import subprocess
import sys

import launcher

COMPUTE = "import time\nwhile time.process_time() < 0.3: pass"
SPIN = "while True: pass"


def played(*command):
    """Seconds that it took, and those of them for which it was starved."""
    reading, writing = os.pipe()
    subprocess.run([sys.executable, "-I", "-S", launcher.__file__, str(writing), "", *command], check=True, pass_fds=[writing])
    os.close(writing)
    with os.fdopen(reading) as figures:
        status, peak, _, wall, starved = figures.read().split()
    assert status == "0" and int(peak) > 0
    return float(wall), float(starved)


def test_what_stands_ready_without_a_processor_is_taken_off():
    """On one processor with four others that never rest."""
    before = os.sched_getaffinity(0)
    others = []
    try:
        os.sched_setaffinity(0, {min(before)})
        others = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(4)]
        wall, starved = played(sys.executable, "-I", "-S", "-c", COMPUTE)
    finally:
        for other in others:
            other.kill()
            other.wait()
        os.sched_setaffinity(0, before)
    assert starved > 0.3, "four fifths of the processor were others'"
    assert 0.3 <= wall - starved < 1.5


def test_what_it_waits_for_is_not():
    wall, starved = played("/bin/sleep", "1")
    assert wall - starved > 0.9
