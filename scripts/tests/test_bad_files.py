"""Files of others, and of people, that are cut off, garbage or without an end: a sentence that says where, or a run that accuses
nobody for it; never more than 64 MB, and never for long."""
import os
import random
import re
import shutil

import pytest

from reference_server import ROOT
from tool import STORY, mailproof

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


@pytest.fixture(scope="module")
def red_run(tmp_path_factory):
    out = tmp_path_factory.mktemp("red") / "run"
    assert mailproof("run", "mixed", "--sim", "--defect", "delivery.accepts-and-drops", "--out", out).status == 1
    return out


BREAKS = {
    "cut-in-a-line": lambda data: data[:len(data) * 2 // 3] + b"\n",
    "noise-within": lambda data: data[:len(data) // 2] + NOISE + b"\n" + data[len(data) // 2:],
    "deep": lambda data: b'{"a":' * 100_000 + b"\n" + data,
    "a-line-without-an-end": lambda data: data + b"x" * 20_000_000 + b"\n",
}


@pytest.mark.parametrize("change", BREAKS)
@pytest.mark.parametrize("file, command", [("history.jsonl", ["judge"]), ("history.jsonl", ["explain"]), ("run.json", ["shrink"]),
                                           ("run.json", ["matrix", "--out", "table"]), ("run.json", ["run", STORY, "--sim", "--baseline"])])
def test_a_run_that_is_broken(red_run, tmp_path, file, command, change):
    """Which file, where, and no word of the library that reads it."""
    run = tmp_path / "run"
    shutil.copytree(red_run, run)
    (run / file).write_bytes(BREAKS[change]((run / file).read_bytes()))
    command = [tmp_path / word if word == "table" else word for word in command]
    ran = mailproof(*command, run, *(["--out", tmp_path / "again"] if command[0] == "run" else []), timeout=SECONDS)
    assert ran.status == 2 and f"{run}/{file}" in ran.err and len(ran.err) < 2000, ran.text
    assert "json.exception" not in ran.err, ran.err
    if file == "history.jsonl" and change != "a-line-without-an-end":
        assert re.search(r"history\.jsonl:\d+:\d+: this is no line of a history", ran.err), ran.err
    small(ran)


def test_a_plan_with_a_byte_order_mark(tmp_path):
    (tmp_path / "plan.yaml").write_bytes(b"\xef\xbb\xbf" + PLAN.read_bytes())
    ran = mailproof("load", tmp_path / "plan.yaml", "--sim", "--dry-run")
    assert ran.status == 0 and ran.out.startswith("plan office-day"), ran.text
