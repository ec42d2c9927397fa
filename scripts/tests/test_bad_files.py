"""Files of others, and of people, that are cut off, garbage or without an end: a sentence that says where, or a run that accuses
nobody for it; never more than 64 MB, and never for long."""
import os
import random

import pytest

from reference_server import ROOT
from tool import mailproof

MEMORY_MB = 64
SECONDS = 60  # on a machine that is busy
CORPUS = ROOT / "harness/import/fuzz/corpus/recordings"
RECORDINGS = ["curl", "cyrus", "dovecot", "exim", "imaptest", "javamail", "mailkit", "popstate", "postfix", "thunderbird"]
NOISE = random.Random(7).randbytes(4096)


def sample(form):
    """The fuzzer's, whose first byte says what the file's name does not."""
    return (CORPUS / form).read_bytes()[1:]


CHANGES = {
    "cut-in-a-line": lambda data: data[:len(data) * 2 // 3],
    "noise-within": lambda data: data[:len(data) // 2] + NOISE + data[len(data) // 2:],
    "noise-behind": lambda data: data + NOISE,
    "nuls": lambda data: data + bytes(100_000),
    "a-line-without-an-end": lambda data: data + b"x" * 4_000_000,
}


def small(ran):
    assert ran.peak_mb < MEMORY_MB and ran.seconds < SECONDS, f"{ran.peak_mb:.0f} MB, {ran.seconds:.1f} s"
    return ran


def a_sentence(ran, name):
    """An error of the file: what it is called, and what was expected there."""
    assert ran.status == 2 and name in ran.err and "expected" in ran.err, ran.text
    assert len(ran.err.splitlines()) <= 3 and len(ran.err) < 2000, ran.err
    return small(ran)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("form", RECORDINGS)
def test_a_recording_that_is_broken(tmp_path, form, change):
    path = tmp_path / f"{form}.log"
    path.write_bytes(CHANGES[change](sample(form)))
    ran = mailproof("import", path, "--out", tmp_path / "run", timeout=SECONDS)
    if ran.status == 2 and "these files hold no conversation" in ran.err:
        assert len(ran.err.splitlines()) == 1
        small(ran)
    elif ran.status == 2:
        a_sentence(ran, path.name)
    else:
        assert ran.status in (0, 1, 3), ran.text
        small(ran)


@pytest.mark.parametrize("first", [b"", b"Dear diary\n"], ids=["noise", "text"])
def test_what_is_no_recording_is_not_read_to_its_end(tmp_path, first):
    path = tmp_path / "huge.log"
    path.write_bytes(first + NOISE * 256)
    os.truncate(path, 3 << 30)  # nothing is in the rest, and nothing of it takes room
    ran = a_sentence(mailproof("import", path, "--out", tmp_path / "run", timeout=SECONDS), "huge.log")
    assert "huge.log:1:1" in ran.err
    a_sentence(mailproof("import", "/dev/zero", "--out", tmp_path / "run", timeout=SECONDS), "/dev/zero")


def test_a_recording_that_is_too_long_is_said_so(tmp_path):
    path = tmp_path / "mailkit.log"
    path.write_bytes(sample("mailkit") + b"S: * OK still here\n" * 80_000)
    os.truncate(path, 80 << 20)
    ran = mailproof("import", path, "--out", tmp_path / "run", timeout=SECONDS)
    assert ran.status == 2 and "expected a recording of at most 64 MiB" in ran.err, ran.text


PLAN, PROFILE = ROOT / "scenarios/load/office-day.yaml", ROOT / "scenarios/devices/mbsync.yaml"
FILES_OF_PEOPLE = {
    "cut": lambda text: text[:len(text) * 2 // 3].rsplit(b"\n", 1)[0] + b"\n  - {",
    "noise": lambda text: NOISE,
    "noise-within": lambda text: text[:len(text) // 2] + NOISE + text[len(text) // 2:],
    "nuls": lambda text: text + bytes(1000),
    "deep": lambda text: text + b"more: " + b"[" * 100_000,
    "a-line-without-an-end": lambda text: text + b"more: " + b"x" * 4_000_000,
    "many-keys": lambda text: text + b"".join(b"key%d: 1\n" % i for i in range(50_000)),
}


@pytest.mark.parametrize("change", FILES_OF_PEOPLE)
@pytest.mark.parametrize("original", [PLAN, PROFILE], ids=["plan", "profile"])
def test_a_plan_or_a_profile_that_is_broken(tmp_path, original, change):
    path = tmp_path / "broken.yaml"
    path.write_bytes(FILES_OF_PEOPLE[change](original.read_bytes()))
    ran = mailproof("check", path, timeout=SECONDS)
    assert ran.status == 2 and "broken.yaml" in ran.text, ran.text[:3000]
    assert len(ran.text) < 100_000
    small(ran)
