"""Every defect of the built-in server turns some story red, by the judge that is named with it; and nothing else does:
without defects, and under every latitude, all stories pass."""
import collections
import json
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("MAILPROOF_BIN", ROOT / "build/release/mailproof"))
SHIPPED = ["scenarios/"]
STORIES = [*SHIPPED, "fixtures/stories/"]
# What the tool can find, it finds with what it ships; but two hundred messages are a load, and no story ships them.
RARE = {"delivery.drops-one-in-200"}


def mailproof(*arguments):
    return subprocess.run([BINARY, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=180)


def switches(kind):
    """name -> last column: the judge of a defect, the RFC of a latitude."""
    rows = [re.split(r"\s{2,}", line.strip()) for line in mailproof("server", f"--list-{kind}").stdout.splitlines()]
    assert rows and all(len(row) == 3 for row in rows), rows
    return {name: last for name, _, last in rows}


DEFECTS = switches("defects")
LATITUDES = switches("latitudes")


def played(tmp_path, *arguments, stories=()):
    """Exit status, findings as (scenario, judge, severity, evidence), verdicts."""
    ran = mailproof("run", "--sim", *(stories or STORIES), "--out", tmp_path / "run", *arguments)
    assert ran.returncode in (0, 1, 3), ran.stdout[-4000:] + ran.stderr
    run = json.loads((tmp_path / "run/run.json").read_text("utf-8"))
    findings = json.loads((tmp_path / "run/findings.json").read_text("utf-8"))["findings"]
    return ran, findings, run["scenarios"]


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_found_by_its_judge(tmp_path, defect):
    ran, findings, _ = played(tmp_path, "--defect", defect, stories=STORIES if defect in RARE else SHIPPED)
    told = {(finding["id"].split("/")[1], finding["severity"]) for finding in findings}
    if (DEFECTS[defect], "fail") not in told:
        # A check that ships finds it, and a story of the project's own shows that the judge does, too.
        assert ("conformance", "fail") in told, sorted(finding["id"] for finding in findings)
        ran, findings, _ = played(tmp_path, "--defect", defect)
        told = {(finding["id"].split("/")[1], finding["severity"]) for finding in findings}
    assert (DEFECTS[defect], "fail") in told, sorted(finding["id"] for finding in findings)
    # What keeps a check from being played at all is an error beside what was found.
    assert ran.returncode == (3 if any(severity == "error" for _, severity in told) else 1)
    # What a person needs to believe it, and the command that shows it again.
    for finding in findings:
        assert finding["scenario"] == finding["id"].split("/")[0]
        assert f"--defect {defect}" in finding["reproduce"]
        assert finding["expected"] and finding["actual"] and finding["requirement"]


# A SHOULD that is not followed: the one story that is about it says so, as a latitude.
SHOULD = {"imap.takes-plaintext-login": {"tls.plaintext-login-refused/expectation/plaintext-login"},
          "imap.no-without-code": {"quota.9208-4.3.1.append-over/conformance/not-followed",  # SHOULD have OVERQUOTA
                                   "quota.9208-4.3.1.copy-over/conformance/not-followed"}}
# What IMAP shows of what POP3 deleted is said, once a run, and colours no scenario.
WAYS = {"pop3.delete-keeps-for-imap": "removal/kept-for-imap", "pop3.delete-to-trash": "removal/moved-to-trash"}
# Whether what it has taken is queued or lost nobody knows.
QUEUES = "delivery.queues-when-full"


def green(tmp_path, *arguments, repeat):
    ran, findings, scenarios = played(tmp_path, "--repeat", repeat, "--jobs", 2, *arguments)
    should = set().union(*(SHOULD[word] for word in arguments if word in SHOULD))
    ways = {WAYS[word] for word in arguments if word in WAYS}
    told = {finding["id"] for finding in findings if finding["id"].split("/", 1)[1] not in ways}
    assert told == should and (not ways or len(findings) > len(told)), ran.stdout[-4000:]
    assert all(finding["severity"] == "latitude" for finding in findings)
    about = {name.split("/")[0] for name in should}
    for scenario in scenarios:
        # What the built-in server does not offer is no matter of a check; a story is always one of it.
        right = ["latitude"] if scenario["id"] in about else ["pass"]
        right += ["not-applicable"] if scenario["kind"] == "check" else []
        assert scenario["verdict"] in right, scenario["id"]
    listed = json.loads(subprocess.run([BINARY, "list", "--json", *STORIES], cwd=ROOT, check=True, capture_output=True).stdout)
    assert len(scenarios) == len(listed) * repeat
    assert ran.returncode == 0


def test_nothing_is_found_where_nothing_is_wrong(tmp_path):
    green(tmp_path, repeat=20)


@pytest.mark.parametrize("latitude", [name for name in LATITUDES if name != QUEUES])
def test_nothing_is_found_in_what_the_rfcs_leave_open(tmp_path, latitude):
    green(tmp_path, "--latitude", latitude, repeat=5)


def test_all_latitudes_at_once_are_no_defect_either(tmp_path):
    green(tmp_path, *(word for latitude in LATITUDES if latitude != QUEUES for word in ("--latitude", latitude)), repeat=5)


def test_mail_that_may_be_queued_is_neither_lost_nor_delivered(tmp_path):
    ran, findings, scenarios = played(tmp_path, "--latitude", QUEUES)
    assert {scenario["verdict"] for scenario in scenarios} == {"pass", "not-applicable", "inconclusive"}
    assert {finding["id"].split("/", 1)[1] for finding in findings} == {"bounce/queued", "expectation/not-asked"}, ran.stdout[-4000:]
    assert all("may still be queued" in finding["actual"] for finding in findings) and ran.returncode == 3


def test_a_defect_is_found_under_every_seed(tmp_path):
    """One message in 200 goes, and which one depends on the seed."""
    _, _, scenarios = played(tmp_path, "--defect", "delivery.drops-one-in-200", "--only", "reference.two-hundred",
                             "--repeat", 5)
    assert [scenario["verdict"] for scenario in scenarios] == ["fail"] * 5


def test_there_are_enough_of_them():
    families = collections.Counter(name.split(".")[0] for name in DEFECTS)
    assert {"pop3", "imap", "delivery", "quota"} <= set(families) and min(families.values()) >= 3, families
    assert len(LATITUDES) >= 6
    assert all("RFC" in rfc for rfc in LATITUDES.values())


@pytest.mark.parametrize("command", [["run", "--sim", "scenarios/"], ["server"]])
@pytest.mark.parametrize("kind, wrong, right", [("defect", "pop3.uidl-twise", "pop3.uidl-twice"),
                                                ("latitude", "imap.no-uid-plus", "imap.no-uidplus")])
def test_a_name_that_does_not_exist_is_refused_with_a_hint(command, kind, wrong, right):
    ran = mailproof(*command, f"--{kind}", wrong)
    assert ran.returncode == 2
    assert f"'{wrong}'" in ran.stderr and f"did you mean '{right}'" in ran.stderr
    assert f"server --list-{kind}s" in ran.stderr
