"""What the command line says and takes: options that take one word, families of scenarios, what a terminal and what a log is
shown, what a reader of a report elsewhere needs."""
import json
import os
import pty
import re
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree

import pytest

import tool
from reference_server import BINARY, ROOT

STORY = "mixed.pop-download-empties-the-phone"
DROPS = ["--defect", "delivery.accepts-and-drops"]


def run(out, *arguments, **options):
    ran = tool.mailproof("run", "--sim", "--out", out, *arguments, **options)
    return ran, json.loads((out / "run.json").read_text("utf-8"))


# --- options

@pytest.mark.parametrize("arguments, says", [
    (["run", "scenarios", "--sim", "--only", "pop3", "sync"], "sync stands behind --only, which takes one word: --only pop3 --only sync"),
    (["run", "scenarios", "--sim", "--skip", "pop3", "sync"], "--skip pop3 --skip sync"),
    (["run", "scenarios", "--sim", "--defect", "pop3.uidl-twice", "pop3.uidl-changes"], "--defect pop3.uidl-twice --defect pop3.uidl-changes"),
    (["run", "--sim", "--only", "pop3", STORY], "--only pop3: none of the 1 scenarios"),
    (["run", "scenarios", "--sim", "--seed", "18446744073709551616"], "--seed: expected a number up to 18446744073709551615"),
    (["run", "scenarios", "--sim", "-x", "-1"], "--max-causes: Value -1 not in range 1 to 1000000"),
    (["run", "synk", "--sim"], "the first words of several"),
])
def test_wrong_use_is_said(arguments, says, tmp_path):
    ran = tool.mailproof(*arguments, "--out", tmp_path / "run")
    assert ran.status == 2 and says in ran.err, ran.text
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", ["run", "load", "probe", "server"])
def test_help_does_not_promise_several_words_where_one_is_taken(command):
    several = re.findall(r"^  (-\S+) \S+ \.\.\.", tool.mailproof(command, "--help").out, re.MULTILINE)
    assert several == [], several


def test_a_family_and_a_folder_are_played_by_their_name(tmp_path):
    listed = [one["id"] for one in json.loads(tool.mailproof("list", "--json").out)]
    _, written = run(tmp_path / "family", "sync")
    assert sorted(one["id"] for one in written["scenarios"]) == sorted(one for one in listed if one.startswith("sync."))
    _, written = run(tmp_path / "folder", "conformance", "--only", "pop3.1939-5")
    assert {one["id"].rpartition(".")[0] for one in written["scenarios"]} == {"pop3.1939-5"}


def test_without_a_word_it_says_what_there_is():
    ran = tool.mailproof()
    assert ran.status == 2
    for word in ("run", "load", "list", "check", "probe", "judge", "prove", "server", "To begin with:", "--help"):
        assert word in ran.err
    for line in re.findall(r"^  mailproof (\w+)", ran.err, re.MULTILINE):
        assert tool.mailproof(line, "--help").status == 0


def test_fail_fast_ends_at_the_first_cause(tmp_path):
    ran, written = run(tmp_path / "one", "scenarios", *DROPS, "--fail-fast")
    assert ran.status == 1 and [one["verdict"] for one in written["scenarios"]].count("fail") == 1
    assert any("stopped where 1 cause was known: " in note for note in written["notes"])
    ran, written = run(tmp_path / "two", "scenarios", "--defect", "pop3.uidl-twice", "-x", "2")
    failed = [one for one in written["scenarios"] if one["verdict"] == "fail"]
    assert len({one["findings"][0]["id"].partition("/")[2] for one in failed}) == 2
    assert not run(tmp_path / "none", STORY, "--fail-fast")[1]["notes"]


def test_last_failed_plays_what_did_not_pass(tmp_path):
    out = tmp_path / "run"
    _, first = run(out, "scenarios/mixed", "scenarios/tls", *DROPS)
    failed = [one["id"] for one in first["scenarios"] if one["verdict"] == "fail"]
    assert 0 < len(failed) < len(first["scenarios"])
    _, again = run(out, "scenarios/mixed", "scenarios/tls", "--last-failed")
    assert [one["id"] for one in again["scenarios"]] == failed and again["verdict"] == "pass"
    ran = tool.mailproof("run", "--sim", "scenarios/mixed", "--last-failed", "--out", out)
    assert ran.status == 2 and "nothing failed" in ran.err
    assert tool.mailproof("run", "--sim", "scenarios", "--last-failed", "--out", tmp_path / "other").status == 2


# --- terminals, pipes and logs

def on_a_terminal(*arguments, **environment):
    """What a terminal is sent."""
    master, slave = pty.openpty()
    process = subprocess.Popen([BINARY, *map(str, arguments)], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
                               env={**{key: value for key, value in tool.ENVIRONMENT.items() if key != "NO_COLOR"}, **environment})
    os.close(slave)
    out = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        out += piece
    process.wait(60)
    os.close(master)
    return out.decode()


@pytest.mark.parametrize("environment, coloured", [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False),
                                                   ({"TERM": "xterm", "NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)])
def test_colour_is_for_terminals_that_want_it(environment, coloured, tmp_path):
    said = on_a_terminal("run", "--sim", "scenarios/mixed", "--out", tmp_path / "run", **environment)
    assert ("\x1b[" in said) == coloured and "pass" in said
    if environment["TERM"] == "dumb":
        assert "\r" not in said.replace("\r\n", "\n")


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path):
    process = subprocess.Popen([BINARY, "run", "--sim", "scenarios", "--repeat", "20", *DROPS[-2:], "--out", tmp_path / "run"],
                               cwd=ROOT,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    began = time.monotonic()
    assert process.wait(60) == 1 and process.stderr.read() == b""  # what was found until then counts
    process.stderr.close()
    written = json.loads((tmp_path / "run/run.json").read_text("utf-8"))
    assert written["interrupted"] and len(written["scenarios"]) < 2000 and time.monotonic() - began < 30


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_that_comes_twice_at_once_leaves_the_reports(number, tmp_path):
    """timeout(1) sends it to the process and to the group that the process is in."""
    with tool.bad_server("silent") as port:
        target = tmp_path / "target.yaml"
        target.write_text(f"target: silent\nimap: [{{host: 127.0.0.1, port: {port}}}]\npop3: [{{host: 127.0.0.1, port: {port}}}]\n"
                          f"lmtp: [{{host: 127.0.0.1, port: {port}}}]\ndelivery: [lmtp]\n"
                          "accounts: [{login: user0001, address: user0001@example.test, password_env: MAILPROOF_PASSWORD}]\n")
        process = tool.start("run", "scenarios/mixed", "--target", target, "--patience", 100, "--out", tmp_path / "run")
        for _ in range(500):
            if list((tmp_path / "run").glob("history/*.jsonl")):
                break
            time.sleep(0.02)
        process.send_signal(number)
        process.send_signal(number)
        ran = tool.finish(process)
    assert ran.status == 3, ran.text
    written = tool.complete_run(tmp_path / "run")
    assert written["interrupted"] and (tmp_path / "run/report.html").exists() and "interrupted" in ran.out
    # The circumstances, which a person who comes later asks for.
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", written["began"]) and written["began"] <= written["ended"]
    assert f"imap 127.0.0.1:{port}" in written["endpoints"] and f"imap 127.0.0.1:{port}" in ran.out
    assert tool.mailproof("judge", tmp_path / "run").out.splitlines()[-2:] == ran.out.splitlines()[-2:]


def test_what_the_server_says_of_itself_is_kept(tmp_path):
    ran = tool.mailproof("run", "--sockets", STORY, "pop3.2449-6.9", "--out", tmp_path / "run")
    written = json.loads((tmp_path / "run/run.json").read_text("utf-8"))
    said = {endpoint.split()[0]: text for endpoint, text in written["versions"].items()}
    assert said["imap"].startswith("* OK") and said["pop3"].startswith("+OK") and "IMPLEMENTATION" in said["pop3"]
    assert said["lmtp"].startswith("220")
    summary, page = ((tmp_path / "run" / name).read_text("utf-8") for name in ("summary.md", "report.html"))
    for text in (summary, page, ran.out):
        assert written["began"] in text and written["ended"] in text and "mailproof 0." in text
        assert next(iter(written["endpoints"])) in text


# --- reports

def test_an_error_beside_fails_is_the_headline_and_the_status(tmp_path):
    ran, written = run(tmp_path, "scenarios", "--defect", "pop3.lock-kept-after-drop")
    verdicts = {one["verdict"] for one in written["scenarios"]}
    assert {"error", "fail"} <= verdicts and written["verdict"] == "error" and ran.status == 3
    assert ran.out.splitlines()[-2].startswith("error: ") and " fail" in ran.out.splitlines()[-2]
    assert (tmp_path / "summary.md").read_text("utf-8").startswith("# mailproof: error\n")


def test_junit_has_the_sentence_as_its_message(tmp_path):
    _, written = run(tmp_path, "pop3.1939-5", "--defect", "pop3.list-shows-deleted")
    bad = next(one for one in written["scenarios"] if one["verdict"] == "fail")
    failure = ElementTree.parse(tmp_path / "junit.xml").find(f"./testsuite/testcase[@name='{bad['id']}']/failure")
    assert failure.get("message") == "conformance/broken: " + bad["findings"][0]["requirement"]


def test_the_command_of_a_finding_works_where_the_reader_is(tmp_path):
    """Whatever the paths of the machine were on which it was found."""
    own = tmp_path / "tests/own.yaml"
    own.parent.mkdir()
    own.write_text((ROOT / tool.STORY).read_text().replace("mixed.", "own."))
    ran = subprocess.run([BINARY, "run", ROOT / tool.STORY, "x.content-agree", own, "--scenarios", ROOT / "scenarios", "--sim", *DROPS],
                         cwd=tmp_path, capture_output=True, text=True, env={**tool.ENVIRONMENT, "CI": "true"})
    (made,) = (tmp_path / "runs").iterdir()
    written = json.loads((made / "run.json").read_text("utf-8"))
    commands = {one["id"]: one["findings"][0]["reproduce"] for one in written["scenarios"]}
    assert set(commands) == {STORY, "x.content-agree", "own.pop-download-empties-the-phone"}, ran.stdout
    for identity, command in commands.items():
        assert str(tmp_path) not in command and str(ROOT) not in command
        where = tmp_path if identity.startswith("own.") else ROOT
        again = subprocess.run([BINARY, *command.split()[1:], "--out", tmp_path / identity], cwd=where, capture_output=True, text=True)
        assert again.returncode == 1, again.stdout + again.stderr


def test_what_is_new_since_the_baseline_says_so(tmp_path):
    run(tmp_path / "before", STORY)
    ran, written = run(tmp_path / "now", STORY, *DROPS, "--baseline", tmp_path / "before")
    finding = written["scenarios"][0]["findings"][0]
    assert finding["since"] == f"new since the baseline {tmp_path}/before/run.json"
    for text in (ran.out, *((tmp_path / "now" / name).read_text("utf-8") for name in ("summary.md", "report.html"))):
        assert "new since the baseline" in text
    ran, written = run(tmp_path / "again", STORY, *DROPS, "--baseline", tmp_path / "now")
    assert "since" not in written["scenarios"][0]["findings"][0] and "new since" not in ran.out


@pytest.mark.parametrize("defect, says", [
    ("delivery.loses-last-line", r'from octet \d+ on "[^"]+" was sent, and nothing came'),
    ("imap.fetch-other-body", r'from octet \d+ on "[^"]+" was sent, and "[^"]+" came'),
])
def test_altered_content_shows_where(defect, says, tmp_path):
    _, written = run(tmp_path, "x.content-agree", "--defect", defect)
    (altered,) = [one for one in written["scenarios"][0]["findings"] if one["id"].endswith("content/altered")]
    assert re.search(says, altered["actual"]), altered["actual"]


def test_copies_that_never_began_are_said_first(tmp_path):
    ran = tool.mailproof("load", "--sim", STORY, "--copies", 2, "--rate", "40/s", "--for", "20s", "--out", tmp_path)
    stats = json.loads((tmp_path / "stats.json").read_text("utf-8"))
    assert ran.status == 3 and stats["verdict"] == "inconclusive"
    assert ran.out.startswith(f"UNSERVED: {stats['unserved']} of 800 copies never began: the slots were the limit: ")
    assert stats["copies"] == 800 == stats["played"] + stats["unserved"] and stats["played"] > 10
    story = stats["operations"]["story"]["response"]
    assert story["count"] == 800 and story["max_ns"] > 5e9 and story["p50_ns"] > 1e9
    assert re.search(r"^operation .* p99\.9 ms +max ms \|", ran.out, re.MULTILINE)


def test_is_removed_means_removed_by_client(tmp_path):
    wrong = tmp_path / "story.yaml"
    wrong.write_text((ROOT / tool.STORY).read_text().replace("is: removed-by-client", "is: removed"))
    assert "did you mean 'removed-by-client'" in tool.mailproof("check", wrong).err
