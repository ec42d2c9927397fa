"""What a release pipeline relies on: known deviations excuse what they name and nothing else, and against a baseline only what
is new fails. The server is the built-in one over sockets, its bugs switched on and off."""
import json
import shutil

import jsonschema
import pytest

import tool
from reference_server import PASSWORD, ROOT, server

SCHEMA = json.loads((ROOT / "reports/run.schema.json").read_text())
ENVIRONMENT = {**tool.ENVIRONMENT, "MAILPROOF_PASSWORD": PASSWORD}
DEFECT = "pop3.uidl-changes"
STORY = "pop3.drop-before-quit-keeps-mail"
FINDING = f"{STORY}/uidl/changed"
GOOD = "pop3.delete-on-download"

TARGET = """\
target: node-7
imap: [{{host: 127.0.0.1, port: {imap}}}]
pop3: [{{host: 127.0.0.1, port: {pop3}}}]
lmtp: [{{host: 127.0.0.1, port: {lmtp}}}]
delivery: [lmtp]
settle: 1s
accounts:
  - {{login: "user%04d", address: "user%04d@example.test", first: 1, count: 20, password_env: MAILPROOF_PASSWORD}}
"""


@pytest.fixture(scope="module")
def wrong():
    """A server that gives a message another unique-id in every session."""
    with server("--defect", DEFECT) as running:
        yield running.ports


@pytest.fixture(scope="module")
def right():
    with server() as running:
        yield running.ports


def play(tmp_path, ports, *arguments, known=(), change=lambda text: text, name="run"):
    """A run on the server with these ports; `known`: entries of the target file. What ran, and its run.json."""
    target = tmp_path / "target.yaml"
    entries = "".join(f"  - {entry}\n" for entry in known)
    target.write_text(change(TARGET.format(**ports)) + (f"known:\n{entries}" if known else ""))
    ran = tool.mailproof("run", "--target", target, "--out", tmp_path / name, *arguments, env=ENVIRONMENT)
    written = tool.complete_run(tmp_path / name)
    jsonschema.validate(written, SCHEMA)
    return ran, written


def one(written, identity=STORY):
    return next(scenario for scenario in written["scenarios"] if scenario["id"] == identity)


@pytest.fixture(scope="module")
def baseline(wrong, tmp_path_factory):
    """run.json of the wrong server, in which the story fails and the good one passes."""
    folder = tmp_path_factory.mktemp("baseline")
    ran, written = play(folder, wrong, STORY, GOOD)
    assert ran.status == 1 and one(written)["verdict"] == "fail" and one(written, GOOD)["verdict"] == "pass", ran.text
    assert [finding["id"] for finding in one(written)["findings"]] == [FINDING]
    return folder / "run/run.json"


@pytest.mark.parametrize("entry", [FINDING, STORY])
def test_a_known_deviation_does_not_fail_the_run(wrong, tmp_path, entry):
    ran, written = play(tmp_path, wrong, STORY, GOOD, known=[f"{{id: {entry}, why: fixed in 4.2, until: 2099-03-01}}"])
    assert ran.status == 0, ran.text
    assert one(written)["verdict"] == "known-fail" and "fixed in 4.2" in one(written)["note"]
    assert one(written)["findings"][0]["accepted"] == "known until 2099-03-01: fixed in 4.2"
    assert written["verdict"] == "pass" and "known-fail " in ran.out and FINDING in ran.out


def judge_says_the_same(ran, directory):
    again = tool.mailproof("judge", directory)
    assert again.status == ran.status and again.out == tool.without_bytes(ran.out), again.text


@pytest.mark.parametrize("until", ["2099-03-01", "2026-01-31"])
def test_judge_knows_what_the_run_knew(wrong, tmp_path, until):
    """Also when the target file is gone, and of a run that was killed before it wrote what it came to."""
    ran, written = play(tmp_path, wrong, STORY, GOOD, "--jobs", "1", known=[
        f"{{id: {FINDING}, why: fixed in 4.2, until: {until}}}", "{id: pop3.drop-befor-quit-keeps-mail, why: misspelt}"])
    (tmp_path / "target.yaml").unlink()
    assert one(written)["verdict"] == ("known-fail" if until > "2099" else "fail")
    judge_says_the_same(ran, tmp_path / "run")
    for path in (tmp_path / "run").iterdir():
        if path.name not in ("history.jsonl", "asked.json"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    again = tool.mailproof("judge", tmp_path / "run")
    assert again.status == ran.status, again.text
    assert [line.split()[0] for line in again.out.splitlines()[:2]] == [line.split()[0] for line in ran.out.splitlines()[:2]]
    (tmp_path / "run/asked.json").unlink()
    again = tool.mailproof("judge", tmp_path / "run")
    assert again.status == 1 and "note: known deviations and a baseline, if the run had any, are not known here" in again.out


def test_judge_has_the_baseline_of_the_run(wrong, right, baseline, tmp_path):
    ran, _ = play(tmp_path, wrong, STORY, GOOD, "--baseline", baseline)
    assert ran.status == 0
    judge_says_the_same(ran, tmp_path / "run")
    # Whatever became of the baseline since.
    kept = tmp_path / "baseline.json"
    kept.write_bytes(baseline.read_bytes())
    ran, _ = play(tmp_path, right, GOOD, STORY, "--baseline", kept,
                  change=lambda text: "".join(line for line in text.splitlines(True) if not line.startswith("pop3:")))
    kept.unlink()
    assert ran.status == 1 and "baseline/not-applicable" in ran.out
    judge_says_the_same(ran, tmp_path / "run")


def test_one_that_passes_is_an_unexpected_pass(right, tmp_path):
    ran, written = play(tmp_path, right, STORY, GOOD, known=[f"{{id: {STORY}, why: fixed in 4.2}}"])
    assert ran.status == 1, ran.text
    assert one(written)["verdict"] == "unexpected-pass" and "remove it" in one(written)["note"]
    assert f"unexpected-pass {STORY}: the known deviation {STORY} did not appear (fixed in 4.2)" in ran.out


def test_an_expired_one_fails_and_says_so(wrong, right, tmp_path):
    entry = f"{{id: {FINDING}, why: fixed in 4.2, until: 2026-01-31}}"
    ran, written = play(tmp_path, wrong, STORY, known=[entry])
    assert ran.status == 1 and one(written)["verdict"] == "fail", ran.text
    assert "expired on 2026-01-31" in ran.out and "expired on 2026-01-31" in one(written)["note"]
    ran, written = play(tmp_path, right, STORY, known=[entry])
    assert ran.status == 1 and one(written)["verdict"] == "unexpected-pass", ran.text
    assert "expired on 2026-01-31" in ran.out


def test_a_stale_entry_is_said_and_a_smaller_run_is_no_complaint(right, tmp_path):
    ran, written = play(tmp_path, right, GOOD, known=[f"{{id: {STORY}, why: not played here}}"])
    assert ran.status == 0 and written["notes"] == [], ran.text
    ran, written = play(tmp_path, right, GOOD, known=["{id: pop3.drop-befor-quit-keeps-mail, why: misspelt}"])
    assert ran.status == 0 and "note: the known deviation pop3.drop-befor-quit-keeps-mail names no scenario" in ran.out, ran.text
    assert "(did you mean pop3.drop-before-quit-keeps-mail?)" in ran.out
    assert len(written["notes"]) == 1


def test_one_that_is_not_applicable_is_left_alone(right, tmp_path):
    ran, written = play(tmp_path, right, STORY, "sync.idle-tells-within-seconds", known=[f"{{id: {STORY}, why: w}}"],
                        change=lambda text: "".join(line for line in text.splitlines(True) if not line.startswith("pop3:")))
    assert ran.status == 0 and one(written)["verdict"] == "not-applicable", ran.text


def test_what_the_baseline_has_does_not_fail(wrong, baseline, tmp_path):
    for given in (baseline, baseline.parent):
        ran, written = play(tmp_path, wrong, STORY, GOOD, "--baseline", given)
        assert ran.status == 0 and one(written)["verdict"] == "known-fail", ran.text
        assert one(written)["findings"][0]["accepted"] == f"in the baseline {baseline}"


def test_what_is_new_fails(wrong, right, tmp_path):
    ran, _ = play(tmp_path, right, STORY, GOOD, name="old")
    assert ran.status == 0
    ran, written = play(tmp_path, wrong, STORY, GOOD, "--baseline", tmp_path / "old/run.json")
    assert ran.status == 1 and one(written)["verdict"] == "fail", ran.text


def test_what_is_mended_is_said(right, baseline, tmp_path):
    ran, written = play(tmp_path, right, STORY, GOOD, "--baseline", baseline)
    assert ran.status == 0 and written["notes"] == [f"no longer found: {FINDING}"], ran.text
    assert f"note: no longer found: {FINDING}" in ran.out


def test_what_passed_and_is_not_applicable_now_fails(right, baseline, tmp_path):
    ran, written = play(tmp_path, right, STORY, GOOD, "--baseline", baseline,
                        change=lambda text: "".join(line for line in text.splitlines(True) if not line.startswith("pop3:")))
    assert ran.status == 1, ran.text
    assert one(written, GOOD)["verdict"] == "fail"
    finding, = one(written, GOOD)["findings"]
    assert finding["id"] == f"{GOOD}/baseline/not-applicable" and "has no POP3" in finding["actual"] and finding["reproduce"]
    assert one(written)["verdict"] == "not-applicable" and "not applicable any more" in ran.out


def test_what_is_missing_is_said_where_the_same_was_asked_for(right, baseline, tmp_path):
    old = json.loads(baseline.read_text())
    old["scenarios"].append({**one(old, GOOD), "id": "pop3.taken-away"})
    (tmp_path / "old.json").write_text(json.dumps(old))
    ran, _ = play(tmp_path, right, STORY, GOOD, "--baseline", tmp_path / "old.json")
    assert ran.status == 0 and "not in this run, though the same was asked for: pop3.taken-away" in ran.out, ran.text
    ran, _ = play(tmp_path, right, GOOD, "--baseline", tmp_path / "old.json")
    assert ran.status == 0 and "pop3.taken-away" not in ran.out, ran.text


@pytest.mark.parametrize("text, says", [(None, "nowhere.json"), ("{", "is no run.json of mailproof: it is broken at line 1, column 2"),
                                        ("{}", "nowhere.json is no run.json of mailproof: it has no 'target'\n"),
                                        ('{"target": "x", "scenarios": [{"id": "a"}]}', "a has no 'verdict'")])
def test_a_baseline_that_cannot_be_read_is_2_and_plays_nothing(tmp_path, text, says):
    path = tmp_path / "nowhere.json"
    if text is not None:
        path.write_text(text)
    ran = tool.mailproof("run", "--sim", GOOD, "--baseline", path, "--out", tmp_path / "run")
    assert ran.status == 2 and says in ran.err and not (tmp_path / "run").exists(), ran.text


def test_a_baseline_in_the_directory_that_is_written_anew(tmp_path):
    for status in (1, 0):
        baseline = [] if status else ["--baseline", tmp_path / "run"]
        ran = tool.mailproof("run", "--sim", STORY, "--defect", DEFECT, "--out", tmp_path / "run", *baseline)
        # All there is is known: nothing that counts was said of the server.
        assert ran.status == (1 if status else 3), ran.text
    assert tool.complete_run(tmp_path / "run")["scenarios"][0]["verdict"] == "known-fail"


def test_what_is_left_out_for_being_slow_is_nothing_that_went_away(tmp_path):
    paths = ["--sim", "scenarios/conformance/pop3/1939-3.yaml", "--only", "pop3.1939-3.autologout-reset", "--only",
             "pop3.1939-3.status-upper-case"]
    slow = tool.mailproof("run", *paths, "--slow", "--out", tmp_path / "slow")
    assert slow.status == 0 and one(tool.complete_run(tmp_path / "slow"), "pop3.1939-3.autologout-reset")["verdict"] == "pass"
    quick = tool.mailproof("run", *paths, "--baseline", tmp_path / "slow", "--out", tmp_path / "quick")
    assert quick.status == 0, quick.text
    assert one(tool.complete_run(tmp_path / "quick"), "pop3.1939-3.autologout-reset")["verdict"] == "not-applicable"
