"""The command line as a CI uses it: exit statuses, what is written, what can be repeated, and what a run leaves when it is
killed."""
import base64
import functools
import json
import os
import pathlib
import re
import signal
import subprocess
import subprocess
import time

import jsonschema
import pytest
import yaml

import tool
from reference_server import ROOT

SCHEMA = json.loads((ROOT / "reports/run.schema.json").read_text())
FILES = [path for path in sorted((ROOT / "scenarios").rglob("*.yaml"))
         # behaviour/ is played where it is asked for, the others are no scenarios.
         if not path.name.endswith(".wrong.yaml") and path.parent.name not in ("behaviour", "load", "devices")]


@functools.cache
def identities(path):
    """Of a story its id, of a conformance file those of its checks."""
    document = yaml.safe_load(path.read_text())
    return [f"{document['id']}.{check['id']}" for check in document["checks"]] if "checks" in document else [document["id"]]


STORIES = [identity for path in FILES if "conformance" not in path.parts for identity in identities(path)]
SCENARIOS = [identity for path in FILES for identity in identities(path)]
STORY = "mixed.pop-download-empties-the-phone"
GOOD_FILE = (ROOT / tool.STORY).read_text()


def run(out, *arguments, **options):
    """A run in simulation; what it wrote must be whole, and as its schema says."""
    ran = tool.mailproof("run", "--sim", "--out", out, *arguments, **options)
    written = tool.complete_run(out)
    jsonschema.validate(written, SCHEMA)
    return ran, written


@pytest.fixture(scope="module")
def defects():
    listed = tool.mailproof("server", "--list-defects")
    assert listed.status == 0
    return [line.split()[0] for line in listed.out.splitlines()]


@pytest.fixture(scope="module")
def red(defects, tmp_path_factory):
    """A run of all stories that fails: (defect, directory, what ran, run.json)."""
    for defect in defects:
        out = tmp_path_factory.mktemp("red") / "run"
        ran, written = run(out, "scenarios/mixed", "scenarios/pop3", "--defect", defect)
        if ran.status == 1:
            return defect, out, ran, written
    raise AssertionError("no defect shows in the stories")


def test_green_is_0_and_says_so(tmp_path):
    ran, written = run(tmp_path, "scenarios")
    assert ran.status == 0 and ran.err == ""
    assert written["verdict"] == "pass" and written["target"] == "sim" and written["seed"] == 1
    assert [scenario["id"] for scenario in written["scenarios"]] == SCENARIOS
    for story in STORIES:
        assert story in ran.out
    assert "\x1b" not in ran.out, "colour is for terminals"


def test_red_is_1_with_the_finding_in_full(red):
    defect, _, ran, written = red
    found = [finding for scenario in written["scenarios"] for finding in scenario["findings"]]
    failed = [finding for finding in found if finding["severity"] == "fail"]
    assert written["verdict"] == "fail" and failed
    for finding in failed:
        assert f"--defect {defect}" in finding["reproduce"]
    for cause in written["causes"]:
        assert cause["class"] in ran.out and cause["simplest"] in ran.out
        assert next(one["reproduce"] for one in found if one["id"] == cause["simplest"]) in ran.out
    for word in ("Requirement:", "Expected:", "Actual:", "Evidence:", "Reproduce:"):
        assert word in ran.out


def test_the_printed_command_shows_the_finding_again(red, tmp_path):
    _, _, _, written = red
    for scenario in written["scenarios"]:
        if not scenario["findings"]:
            continue
        words = scenario["findings"][0]["reproduce"].split()
        assert words[0] == "mailproof"
        again = tool.mailproof(*words[1:], "--out", tmp_path / scenario["id"])
        assert again.status == 1
        assert tool.verdicts(tool.complete_run(tmp_path / scenario["id"])) == tool.verdicts({"scenarios": [scenario]})


@pytest.mark.parametrize("arguments, says", [
    (["run"], "which server\\?"),
    (["run", "scenarios"], "which server\\?"),
    (["run", "scenarios", "--sim", "--sockets"], "only one of"),
    (["run", "no.such-story", "--sim"], "no.such-story"),
    (["run", "scenarios", "--sim", "--only", "nothing-like-this"], "--only nothing-like-this: none of the \\d+ scenarios"),
    (["run", "scenarios", "--sim", "--only", "pop3", "--only", f"{STORY}s"], f"did you mean '{re.escape(STORY)}'"),
    (["run", "scenarios", "--sim", "--skip", "mixd"], "--skip mixd: none of .* did you mean 'mixed'"),
    (["run", "scenarios/pop3", "--sim", "--only", "pop3", "--skip", "pop3"], "no scenario is left"),
    (["run", f"{STORY}x", "--sim"], f"did you mean '{re.escape(STORY)}'"),
    (["run", "scenarios", "--sim", "--seed", "-1"], "--seed: expected a whole number from 0 on, not '-1'"),
    (["run", "scenarios", "--sim", "--copy", "-1"], "--copy: expected a whole number"),
    (["run", "scenarios", "--sim", "--defect", "pop3.no-such"], "pop3.no-such"),
    (["run", "scenarios", "--sim", "--patience", "0"], "patience"),
    (["run", "scenarios", "--sim", "--jobs", "0"], "jobs"),
    (["run", "scenarios", "--target", "no/such/file.yaml"], "no/such/file.yaml"),
    (["run", "scenarios", "--imap", "127.0.0.1", "--user", "a"], "expected host:port"),
    (["run", "scenarios", "--imap", "127.0.0.1:99999", "--user", "a"], "expected host:port"),
    (["run", "scenarios", "--imap", "127.0.0.1:143"], "--user"),
    (["run", "scenarios", "--imap", "127.0.0.1:143", "--user", "a", "--password-env", "NOT_SET_ANYWHERE"], "NOT_SET_ANYWHERE"),
    (["run", "scenarios", "--imap", "127.0.0.1:143", "--user", "a", "--defect", "pop3.any"], "--sim or --sockets"),
    (["judge", "no/such/run"], "no/such/run"),
    (["check", "no/such/file.yaml"], "no/such/file.yaml"),
    (["load", "scenarios"], "which server|required"),
    (["load", "pop3.1939-5.list-empty", "--sim"], "list-empty is a check.*give stories"),
    (["load", "scenarios/conformance/pop3", "--sim"], "is a check.*give stories"),
    (["list", "--coverage", "--protocol", "nopop"], "--protocol nopop: .*there is: .*imap4rev1, .*pop3"),
    (["load", STORY, "--sim", "--copies", "2", "--dry-run"], "--dry-run is of a plan or a --profile"),
    (["run", "mixd", "--sim"], "'mixd'; .*did you mean 'mixed'"),
    (["run", tool.STORY, "--sim", "-x", "0"], "max-causes.*0.*1"),
    (["run", "scenarios", "--sm"], "run has no option --sm; did you mean --sim\\? `mailproof run --help` lists them"),
    (["load", f"{STORY}x", "--sim", "--dry-run"], f"did you mean '{re.escape(STORY)}'"),
    (["judge", "scenarios", "--stric=yes"], "judge has no option --stric; did you mean --strict"),
    (["run", "--target", tool.STORY], "'steps'; expected a target .*; this is a story"),
    (["judge", tool.STORY], "this is a file; expected the directory of a run"),
    (["nonsense"], "subcommand"),
    ([], "subcommand"),
], ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "")
def test_wrong_use_is_2_and_plays_nothing(arguments, says, tmp_path):
    ran = tool.mailproof(*arguments, *(["--out", tmp_path / "run"] if arguments[:1] == ["run"] else []))
    assert ran.status == 2, ran.text
    assert re.search(says, ran.text), ran.text
    assert not (tmp_path / "run").exists()


BAD_FILES = {
    "an unknown verb": (lambda text: text.replace("download: new", "downlaod: new"), "download"),
    "an unknown device": (lambda text: text.replace("- pc:    quit", "- pd:    quit"), "pc"),
    "an unknown key": (lambda text: text.replace("needs:", "neds:"), "needs"),
    "no YAML": (lambda text: text.replace("accounts: [alice]", "accounts: [alice"), ""),
    "a bad duration": (lambda text: text.replace("within: 5s", "within: 5 parsecs"), "5 parsecs"),
}


@pytest.mark.parametrize("what", BAD_FILES)
def test_a_bad_file_is_2_with_its_place_and_nothing_is_played(what, tmp_path):
    change, named = BAD_FILES[what]
    text = change(GOOD_FILE)
    assert text != GOOD_FILE
    bad = tmp_path / "bad.yaml"
    bad.write_text(text)
    for arguments in (["check", bad], ["run", tool.STORY, bad, "--sim", "--out", tmp_path / "run"]):
        ran = tool.mailproof(*arguments)
        assert ran.status == 2, ran.text
        assert re.search(rf"bad\.yaml:\d+:\d+: .*{re.escape(named)}", ran.err, re.DOTALL), ran.err
    assert not (tmp_path / "run").exists()


TARGET = """\
target: node-7
imap: [{{host: 127.0.0.1, port: {port}, tls: none}}]
pop3: [{{host: 127.0.0.1, port: {port}, tls: none}}]
lmtp: [{{host: 127.0.0.1, port: {port}, tls: none}}]
delivery: [lmtp]
accounts:
  - {{count: {count}, login: "user{{n:04}}", address: "user{{n:04}}@example.test", password_env: MAILPROOF_PASSWORD}}
"""


def target_file(folder, port=9, count=1, change=lambda text: text):
    path = folder / "target.yaml"
    path.write_text(change(TARGET.format(port=port, count=count)))
    return path


def test_a_target_with_a_typo(tmp_path):
    path = target_file(tmp_path, change=lambda text: text.replace("delivery:", "delivrey:"))
    ran = tool.mailproof("run", tool.STORY, "--target", path, "--out", tmp_path / "run")
    assert ran.status == 2
    assert "target.yaml:5:1" in ran.err and "delivery" in ran.err, ran.err


def test_a_target_whose_password_is_nowhere(tmp_path):
    path = target_file(tmp_path)
    environment = {name: value for name, value in os.environ.items() if name != "MAILPROOF_PASSWORD"}
    ran = tool.mailproof("run", tool.STORY, "--target", path, "--out", tmp_path / "run", env=environment)
    assert ran.status == 2 and "MAILPROOF_PASSWORD" in ran.err, ran.text


def test_a_pool_too_small_says_how_many_accounts_are_needed(tmp_path):
    story = tmp_path / "two.yaml"
    story.write_text(GOOD_FILE.replace("accounts: [alice]", "accounts: [alice, bob]").replace("mixed.", "two."))
    with tool.bad_server("silent") as port:
        ran = tool.mailproof("run", story, "--target", target_file(tmp_path, port), "--out", tmp_path / "run")
    assert ran.status == 3, ran.text
    assert "2 accounts" in ran.out or "2 of" in ran.out or "needs 2" in ran.out, ran.text
    assert tool.complete_run(tmp_path / "run")["verdict"] == "inconclusive"


def test_a_server_that_is_down_is_said_once(tmp_path):
    target = target_file(tmp_path, count=50, change=lambda text: text.replace("{n:04}", "%04d"))
    ran = tool.mailproof("run", "scenarios", "--target", target, "--out", tmp_path / "run")
    said = re.compile(r"note: (\d+) of \1 scenarios ended in the same error, .*: imap 127.0.0.1:9: connect: connection refused; "
                      r".*mailproof probe --target FILE")
    assert ran.status == 3 and said.search(ran.out), ran.text
    assert len(ran.out.splitlines()) < 200, "637 before"
    assert re.search(r"^error +\d+ x  the same: ", ran.out, re.MULTILINE)
    for name in ("summary.md", "report.html"):
        assert "ended in the same error" in (tmp_path / "run" / name).read_text("utf-8")
    written = tool.complete_run(tmp_path / "run")
    assert sum(len(one["findings"]) for one in written["scenarios"]) > 150, "the files keep all"
    # What plays alone is played last, and judged in its place: which of the same come first, and are shown, differs.
    def shown(text):
        lines = text.splitlines()
        each = [line for line in lines if re.match(r"error +[0-9.]+ s ", line)]
        return len(each), sorted(line for line in lines if line not in each)
    assert shown(tool.mailproof("judge", tmp_path / "run").out) == shown(tool.without_bytes(ran.out))


def test_list_and_check():
    listed = tool.mailproof("list")
    assert listed.status == 0 and [line.split()[0] for line in listed.out.splitlines()] == SCENARIOS
    checked = tool.mailproof("check", "scenarios")
    assert checked.status == 0 and f"{len(SCENARIOS)} scenarios" in checked.out
    understood = json.loads(tool.mailproof("check", "--json", "scenarios").out)
    assert [scenario["id"] for scenario in understood] == SCENARIOS
    one = json.loads(tool.mailproof("check", "--json", STORY).out)
    assert one == [s for s in understood if s["id"] == STORY] and len(one[0]["steps"]) == 6


def test_list_as_json_says_what_each_is_and_where():
    listed = tool.mailproof("list", "--json")
    assert listed.status == 0
    scenarios = json.loads(listed.out)
    assert [one["id"] for one in scenarios] == SCENARIOS
    for one in scenarios:
        assert set(one) == {"id", "title", "path", "kind", "level", "tags"} and one["title"]
        check = one["id"] not in STORIES
        assert one["kind"] == ("check" if check else "story") and isinstance(one["tags"], list)
        assert one["level"] in (["MUST", "SHOULD", "PRACTICE", "MAY"] if check else [""])
        assert one["id"] in identities(ROOT / one["path"])
    assert [one["id"] for one in json.loads(tool.mailproof("list", "--json", STORY).out)] == [STORY]


def test_list_coverage_names_every_must_without_a_check():
    covered = tool.mailproof("list", "--coverage")
    assert covered.status == 0
    rows = [line.split("\t") for line in (ROOT / "scenarios/conformance/catalogue.tsv").read_text().splitlines()[1:]]
    musts = {row[0] for row in rows if row[3] == "MUST"} - set(SCENARIOS)
    assert {line.split()[0] for line in covered.out.partition("without a check:\n")[2].splitlines()} == musts
    pop3 = tool.mailproof("list", "--coverage", "--protocol", "pop3")
    assert pop3.status == 0 and "imap." not in pop3.out and "pop3.1939-5 " in pop3.out


def test_list_levels_says_of_every_other_level_why():
    ran = tool.mailproof("list", "--coverage", "--levels")
    assert ran.status == 0 and "no note says why" not in ran.out
    rows = dict(line.split("\t")[:4:3] for line in (ROOT / "scenarios/conformance/catalogue.tsv").read_text().splitlines())
    checks = {one["id"]: one["level"] for one in json.loads(tool.mailproof("list", "--json").out)}
    changed = {id for id, level in rows.items() if id in checks and checks[id] != level}
    assert changed and {line.split()[0] for line in ran.out.splitlines() if " instead of " in line} == changed
    assert f"{len(changed)} of {len(rows) - 1} checks" in ran.out


@pytest.mark.parametrize("arguments", [
    ["list"], ["list", "--scenarios", "nosuch"], ["list", ".", "--coverage"], ["run", "--sim", "pop3.1939-5"],
    ["run", "--sim", "scenarios"], ["load", "--sim", STORY], ["check", STORY], ["prove"],
], ids=" ".join)
def test_without_a_scenarios_folder_that_is_what_is_said(arguments, tmp_path):
    ran = subprocess.run([tool.BINARY, *arguments], cwd=tmp_path, capture_output=True, text=True)
    folder = "nosuch" if "nosuch" in arguments else "scenarios"
    assert ran.returncode == 2 and ran.stdout == "" and not list(tmp_path.iterdir())
    assert ran.stderr == (f"mailproof: there is no folder '{folder}' here: run in a checkout of mailproof, "
                          "or say where its scenarios are with --scenarios DIR\n")


def test_list_coverage_without_a_catalogue_is_2(tmp_path):
    ran = tool.mailproof("list", "--coverage", "--scenarios", tmp_path)
    assert ran.status == 2 and "catalogue.tsv" in ran.err


def test_the_same_seed_is_the_same_history_whatever_jobs(tmp_path):
    def history(name, repeat, *arguments):
        ran, written = run(tmp_path / name, "scenarios", "--repeat", repeat, *arguments)
        assert ran.status == 0 and len(written["scenarios"]) == repeat * len(SCENARIOS)
        return (tmp_path / name / "history.jsonl").read_bytes()

    one, two = history("one", 5, "--jobs", 1), history("two", 5, "--jobs", 2)
    assert one == two
    first, other = (text.split(b'{"history":')[1:len(SCENARIOS) + 1] for text in (one, history("other", 1, "--jobs", 2, "--seed", 8)))
    assert len(first) == len(other) and all(ours != theirs for ours, theirs in zip(first, other))


def test_only_and_skip(tmp_path):
    def ids(*arguments):
        return [scenario["id"] for scenario in run(tmp_path, "scenarios", *arguments)[1]["scenarios"]]

    def of(*families):
        return [one for one in SCENARIOS if one.split(".")[0] in families]

    assert ids("--only", "pop3") == of("pop3")
    assert ids("--only", "pop3", "--only", "sync.read-on-phone-read-everywhere") == [*of("pop3"), "sync.read-on-phone-read-everywhere"]
    assert ids("--skip", "mixed") == [one for one in SCENARIOS if one.split(".")[0] != "mixed"]
    assert ids("--only", "mixed", "--only", "quota", "--skip", "quota") == of("mixed")
    assert tool.mailproof("run", "--sim", "scenarios", "--only", "pop", "--out", tmp_path).status == 2, "half a word is no prefix"


def test_one_copy_of_many_is_the_same_alone(tmp_path):
    run(tmp_path / "all", STORY, "--repeat", "3", "--seed", "5")
    run(tmp_path / "third", STORY, "--copy", "2", "--seed", "5")
    histories = (tmp_path / "all/history.jsonl").read_text("utf-8").split('{"history":')
    alone = (tmp_path / "third/history.jsonl").read_text("utf-8").split('{"history":')
    assert len(histories) == 4 and len(set(histories)) == 4
    assert alone[1] == histories[3]


def test_until_fail_stops_at_the_first_failure(red, tmp_path):
    defect, _, _, _ = red
    ran, written = run(tmp_path, "scenarios/mixed", "scenarios/pop3", "--defect", defect, "--repeat", "50", "--until-fail")
    assert ran.status == 1
    verdicts = [scenario["verdict"] for scenario in written["scenarios"]]
    assert verdicts[-1] == "fail" and verdicts.count("fail") == 1
    ran, written = run(tmp_path, STORY, "--repeat", "3", "--until-fail")
    assert ran.status == 0 and len(written["scenarios"]) == 3


def everything_below(folder):
    return [path for path in pathlib.Path(folder).rglob("*") if path.is_file()]


@pytest.mark.parametrize("defective", [False, True])
def test_no_password_is_written_or_said(defective, defects, tmp_path):
    """Over sockets, where byte logs are kept. A login that fails shows most of what there is to show."""
    arguments = ["--defect", defects[0]] if defective else []
    ran = tool.mailproof("run", "--sockets", "scenarios/mixed", "scenarios/pop3", "--patience", "0.5", "--out", tmp_path / "run",
                         *arguments)
    files = everything_below(tmp_path)
    assert any("wire" in path.parts for path in files) and ran.status in (0, 1)
    logs = b"".join(path.read_bytes() for path in files)
    assert b"LOGIN" in logs or b"AUTHENTICATE" in logs
    secrets = [tool.PASSWORD.encode()]
    for user in ("user0001", "user0002"):
        secrets.append(base64.b64encode(f"\0{user}\0{tool.PASSWORD}".encode()).rstrip(b"="))
    for secret in secrets:
        assert secret not in logs and secret.decode() not in ran.text


def test_a_refused_password_is_not_said_either(tmp_path):
    with tool.bad_server("wrong-password") as port:
        ran = tool.mailproof("run", tool.STORY, "--target", target_file(tmp_path, port), "--out", tmp_path / "run")
    assert ran.status == 3 and "wrong password" in ran.out
    logs = b"".join(path.read_bytes() for path in everything_below(tmp_path / "run"))
    assert b"LOGIN" in logs and tool.PASSWORD.encode() not in logs and tool.PASSWORD not in ran.text


def test_without_out_a_run_goes_below_runs(tmp_path):
    ran = subprocess.run([tool.BINARY, "run", STORY, "--sim", "--scenarios", ROOT / "scenarios"], cwd=tmp_path,
                         capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    (made,) = (tmp_path / "runs").iterdir()
    assert tool.complete_run(made)["verdict"] == "pass" and f"runs/{made.name}" in ran.stdout


def test_a_target_that_only_takes_mail(tmp_path):
    """Nobody sees what its mailboxes hold: a crash before, in the look before the first step."""
    target = target_file(tmp_path, change=lambda text: re.sub("(?m)^(imap|pop3):.*\n", "", text).replace("{n:04}", "%04d"))
    ran = tool.mailproof("run", "lmtp.2033-4.2", "mixed", "--target", target, "--out", tmp_path / "run")
    assert ran.status == 3 and "the target has neither IMAP nor POP3" in ran.out, ran.text
    assert set(re.findall(r"(?m)^(\S+) +\d+\.\d+ s  ", ran.out)) == {"not-applicable"}
    ran = tool.mailproof("probe", "--target", target)
    assert "the target has neither IMAP nor POP3: nobody sees whose mail its mailboxes hold" in ran.out, ran.text


def test_what_standard_output_does_not_take_is_no_success(tmp_path):
    with open("/dev/full", "w") as full:
        ran = subprocess.run([tool.BINARY, "run", tool.STORY, "--sim", "--out", tmp_path / "run"], cwd=tool.ROOT, stdout=full,
                             stderr=subprocess.PIPE, text=True, timeout=60)
    assert ran.returncode == 3, ran.stderr
    assert ran.stderr.endswith("mailproof: standard output could not be written: No space left on device\n")


def test_two_runs_do_not_write_into_one_directory(tmp_path):
    """The second took away what the first had written, which then had no reports."""
    with tool.bad_server("silent") as port:
        target = target_file(tmp_path, port, change=lambda text: text.replace("{n:04}", "%04d"))
        first = tool.start("run", tool.STORY, "--target", target, "--patience", 100, "--out", tmp_path / "run")
        while not list(tmp_path.glob("run/history/*.jsonl")):
            assert first.poll() is None
            time.sleep(0.01)
        second = tool.mailproof("run", tool.STORY, "--sim", "--out", tmp_path / "run")
        first.send_signal(signal.SIGINT)
        assert tool.finish(first).status == 3
    assert second.status == 2 and "another run is writing into this directory" in second.err, second.text
    assert tool.complete_run(tmp_path / "run")["interrupted"]
    assert tool.mailproof("run", tool.STORY, "--sim", "--out", tmp_path / "run").status == 0


def test_a_target_file_is_no_scenario(tmp_path):
    ran = tool.mailproof("run", target_file(tmp_path), "--sim", "--out", tmp_path / "run")
    assert ran.status == 2 and "this is a target file: mailproof run --target FILE" in ran.err, ran.text


def test_a_misspelt_subcommand_is_named_with_the_nearest():
    near, far = tool.mailproof("rnu", "--sim", "scenarios"), tool.mailproof("zzzzzz")
    assert near.status == far.status == 2
    assert "'rnu'; did you mean 'run'?" in near.err
    assert "'zzzzzz'; there is: run, load, capacity, explore, list" in far.err
