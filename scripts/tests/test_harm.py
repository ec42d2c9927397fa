"""What servers, disks and other people's files must not be able to do to whoever runs the tool: crash it, speak through
its output to a terminal or a CI, get a password printed, or get a verdict out of half a history."""
import base64
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import urllib.parse

import pytest

import reference_server
import tool
from reference_server import BINARY, ROOT

STORIES = ["scenarios/mixed/pop-download-empties-the-phone.yaml", "scenarios/sync/folders-and-moves-replicate.yaml"]
CHECKS = "scenarios/conformance/pop3/1939-7.yaml"
COMMANDS = ["::", "##[", "##vso[", "\x1b", "\x85", "\u2028", "\u202e"]


# S7: a history is input.

@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    out = tmp_path_factory.mktemp("recorded") / "run"
    ran = tool.mailproof("run", *STORIES, CHECKS, "--sim", "--defect", "pop3.quit-deletes-nothing", "--out", out)
    assert ran.status == 1
    return out


def lines_of(directory):
    return (directory / "history.jsonl").read_text("utf-8").splitlines()


def changed(recorded, folder, lines):
    shutil.copytree(recorded, folder)
    (folder / "history.jsonl").write_text("".join(line + "\n" for line in lines), "utf-8")
    return folder


REFERENCES = {("event", key) for key in ("session", "command", "message", "account")} | {
    ("session", "device"), ("session", "account"), ("message", "sender")}


@pytest.mark.parametrize("kind, key", sorted(REFERENCES))
@pytest.mark.parametrize("value", [4294967295, 4294967296, -1, 999, "1", [1]])
def test_a_reference_to_what_is_not_there_is_an_error_of_the_file(recorded, tmp_path, kind, key, value):
    lines = lines_of(recorded)
    # The last of its kind: everything that could be referred to stands before it.
    number = max(i for i, line in enumerate(lines) if line.startswith(f'{{"{kind}"'))
    line = json.loads(lines[number])
    line[kind][key] = value
    lines[number] = json.dumps(line)
    ran = tool.mailproof("judge", changed(recorded, tmp_path / "run", lines))
    assert ran.status == 2 and ran.out == ""
    assert f"history.jsonl:{number + 1}: '{key}' of " in ran.err


def test_every_line_may_be_changed_anywhere(recorded, tmp_path):
    """Every number of a sample of lines, one at a time: judged, or refused with its place; nothing dies."""
    lines = lines_of(recorded)
    folder = changed(recorded, tmp_path / "run", lines)
    seen = set()
    for number, line in enumerate(lines):
        object = json.loads(line)
        kind = next(iter(object))
        what = (kind, object[kind].get("what"), object[kind].get("type"))
        if what in seen:
            continue
        seen.add(what)
        for key, before in object[kind].items():
            if not isinstance(before, int) or isinstance(before, bool):
                continue
            object[kind][key] = 77777
            (folder / "history.jsonl").write_text("".join(
                (json.dumps(object) if i == number else one) + "\n" for i, one in enumerate(lines)), "utf-8")
            ran = tool.mailproof("judge", folder)
            assert ran.status in (0, 1, 2, 3), (number, key, ran.text)
            if ran.status == 2:
                assert f"history.jsonl:{number + 1}: " in ran.err, ran.err
            assert "crashed" not in ran.out, (number, key, ran.out)
            object[kind][key] = before
    assert len(seen) > 40


@pytest.mark.parametrize("text", ["", "null", "[]", "[" * 100000, '{"day":1}', '{"day":"x","strict":false,"known":[7]}'],
                         ids=["empty", "null", "list", "deep", "day", "known"])
@pytest.mark.parametrize("name", ["asked.json", "run.json"])
def test_the_other_files_of_a_run_are_input_too(recorded, tmp_path, name, text):
    folder = changed(recorded, tmp_path / "run", lines_of(recorded))
    (folder / name).write_text(text)
    ran = tool.mailproof("judge", folder)
    assert ran.status == 1 and (name == "run.json" or "asked.json" in ran.out), ran.text


# S9 and S10: what a server says.

PASSWORD = 'c0rrect "h0rse\\ b&ttery'


@pytest.fixture(scope="module")
def repeated(tmp_path_factory):
    """Runs against servers that refuse a login and repeat it; a password with all that needs an escape."""
    password = PASSWORD.replace(" ", "_").replace('"', "")  # the echo of the fixture splits at blanks
    folder = tmp_path_factory.mktemp("repeated")
    environment = {**os.environ, "MAILPROOF_PASSWORD": password}
    runs = []
    for protocol in ("imap", "pop3"):
        with tool.bad_server("echo", protocol) as port, tool.bad_server("commands", "imap") as other:
            ports = {"imap": other, protocol: port}
            endpoints = [word for name, number in ports.items() for word in (f"--{name}", f"127.0.0.1:{number}")]
            where = [*endpoints, "--user", "user0001", "--address", "user0001@example.test", "--tls", "none"]
            # The mailbox beside it holds a letter, and nobody would log in over POP3.
            ran = tool.mailproof("run", CHECKS, *where, "--i-own-these-mailboxes", "--out", folder / protocol, env=environment)
            runs += [(ran, folder / protocol), (tool.mailproof("judge", folder / protocol), folder / protocol),
                     (tool.mailproof("probe", *where, env=environment), None),
                     (tool.mailproof("probe", "--json", *where, env=environment), None)]
    return password, runs


def everything(run):
    ran, folder = run
    yield "console", ran.text
    for path in sorted(folder.rglob("*")) if folder else []:
        if path.is_file():
            yield path.name, path.read_text("utf-8")


def test_no_secret_is_written_whoever_said_it(repeated):
    password, runs = repeated
    forms = {password, base64.b64encode(password.encode()).decode().rstrip("="),
             base64.b64encode(b"\0user0001\0" + password.encode()).decode().rstrip("="), urllib.parse.quote(password),
             password.replace("\\", "\\\\"), password.replace("&", "&amp;")}
    asked = 0
    for run in runs:
        for name, text in everything(run):
            for form in forms | {password[:7]}:
                assert form not in text, (name, form)
            asked += "you said" in text and "***" in text
    assert asked >= 8, "the servers' words are there, with *** in their place"


def test_no_terminal_and_no_ci_reads_a_command(repeated):
    _, runs = repeated
    shown = 0
    for run in runs:
        for name, text in everything(run):
            for command in COMMANDS if name != "report.html" else ["\x1b", "\u202e"]:
                assert command not in text, (name, command)
            shown += "app.js" in text
    assert shown >= 8, "what they said stays readable"


def test_a_mailbox_that_is_called_like_a_command(tmp_path):
    """Whatever the run comes to: it stands in the history, and as a command nowhere."""
    with tool.bad_server("commands", "imap") as port, reference_server.server() as good:
        ran = tool.mailproof("run", tool.STORY, "--imap", f"127.0.0.1:{port}", "--pop3", f"127.0.0.1:{good.ports['pop3']}",
                             "--lmtp", f"127.0.0.1:{good.ports['lmtp']}", "--user", "user0001", "--address",
                             "user0001@example.test", "--tls", "none", "--out", tmp_path / "run",
                             env={**os.environ, "MAILPROOF_PASSWORD": reference_server.PASSWORD})
    assert ran.status in (1, 3) and "app.js" in (tmp_path / "run/history.jsonl").read_text("utf-8")
    for name, text in everything((ran, tmp_path / "run")):
        for command in COMMANDS if name != "report.html" else ["\x1b"]:
            assert command not in text, (name, command)
    assert tool.mailproof("judge", tmp_path / "run").out == tool.without_bytes(ran.out)


def test_admin_commands_inherit_no_password_and_no_descriptor(tmp_path):
    seen = tmp_path / "seen"
    target = tmp_path / "target.yaml"
    with reference_server.server() as good:
        target.write_text(f"""\
target: somewhere
imap: [{{host: 127.0.0.1, port: {good.ports['imap']}, tls: none}}]
pop3: [{{host: 127.0.0.1, port: {good.ports['pop3']}, tls: none}}]
lmtp: [{{host: 127.0.0.1, port: {good.ports['lmtp']}, tls: none}}]
delivery: [command]
settle: 1s
accounts:
  - {{login: "user%04d", address: "user%04d@example.test", first: 1, count: 20, password_env: OUR_PASSWORD}}
admin:
  deliver: [sh, -c, "env >{seen}.env; ls /proc/self/fd >{seen}.fd; exit 77"]
""")
        tool.mailproof("run", tool.STORY, "--target", target, "--out", tmp_path / "run",
                       env={**os.environ, "OUR_PASSWORD": reference_server.PASSWORD, "MAILPROOF_PASSWORD": "another"})
    environment = pathlib.Path(f"{seen}.env").read_text()
    assert "OUR_PASSWORD" not in environment and "MAILPROOF_PASSWORD" not in environment and "PATH=" in environment
    assert pathlib.Path(f"{seen}.fd").read_text().split() == ["0", "1", "2", "3"]  # the fourth is the listing's own


# S11: half a history.

MANY = """\
id: harm.many
title: So many messages that the history is bigger than the disk
why: A disk that is full for a while
needs: [imap, delivery]
accounts: [alice]
devices:
  mta: {delivers: any}
  phone: {imap: alice}
steps:
  - mta: {deliver: mail, to: alice, count: 1000}
  - phone: {see: mail, within: 60s}
"""


def limited(octets, *arguments):
    """No file may grow beyond that: what a full disk says, without one."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (octets, octets))
    return subprocess.run([BINARY, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, preexec_fn=limit,
                          env=tool.ENVIRONMENT, timeout=120)


def test_a_history_that_could_not_be_written_is_an_error(tmp_path):
    many = tmp_path / "many.yaml"
    many.write_text(MANY)
    whole = tool.mailproof("run", "--sim", many, "--out", tmp_path / "whole")
    size = (tmp_path / "whole/history.jsonl").stat().st_size
    assert whole.status == 0 and size > 1_200_000
    # What comes behind it fits again.
    ran = limited(1_100_000, "run", "--sim", many, tool.STORY, "--out", tmp_path / "run")
    assert ran.returncode == 3, ran.stdout + ran.stderr
    assert re.search(r"says nothing about the server: \S+/history/000000\.jsonl: File too large", ran.stderr)
    assert "pass " not in ran.stdout and re.search("^error: ", ran.stdout, re.MULTILINE), ran.stdout
    judged = tool.mailproof("judge", tmp_path / "run")
    assert judged.status == 3 and "its history is cut" in judged.out, judged.text
    assert not re.search("^(fail|pass) ", judged.out, re.MULTILINE)


def test_histories_that_could_not_be_joined_are_an_error(tmp_path):
    ran = limited(1_100_000, "run", "--sim", "scenarios", "--out", tmp_path / "run")
    assert ran.returncode == 3 and re.search(r"history/joined: File too large", ran.stderr), ran.stderr


def test_two_scenarios_that_ran_into_each_other_accuse_nobody(recorded, tmp_path):
    lines = lines_of(recorded)
    begins = [i for i, line in enumerate(lines) if line.startswith('{"history"')]
    for cut in range(20, 120, 20):
        # The end of the first and the beginning of the second are what was not written.
        left = lines[:begins[1] - cut] + lines[begins[1] + cut:]
        folder = changed(recorded, tmp_path / str(cut), left)
        ran = tool.mailproof("judge", folder)
        first = json.loads(lines[begins[0]])["history"]["scenario"]
        said = [line for line in ran.out.splitlines() if f"  {first}" in line and " s  " in line]
        assert len(said) == 1 and said[0].startswith("error"), ran.text
        assert re.search(r"its history is broken at \S+history\.jsonl:\d+: ", ran.out)
        assert f"fail {first}" not in ran.out


@pytest.mark.parametrize("change", ["missing", "twice", "swapped"])
def test_a_line_that_is_missing_or_there_twice_makes_no_verdict(recorded, tmp_path, change):
    lines = lines_of(recorded)
    at = [i for i, line in enumerate(lines) if line.startswith('{"event"')][30]
    lines[at:at + 2] = {"missing": lines[at + 1:at + 2], "twice": [lines[at]] + lines[at:at + 2],
                        "swapped": [lines[at + 1], lines[at]]}[change]
    ran = tool.mailproof("judge", changed(recorded, tmp_path / "run", lines))
    assert f"history.jsonl:{at + (2 if change == 'twice' else 1)}: event " in ran.out, ran.out
    assert re.search(r"^error +\d", ran.out, re.MULTILINE) and "note: the run was not finished: " in ran.out


# S12: what is refused before it is sent.

def test_a_message_beyond_the_announced_limit_is_refused_at_once(tmp_path):
    with tool.bad_server("small-limit", "lmtp") as port, reference_server.server() as good:
        ran = tool.mailproof("run", tool.STORY, "--imap", f"127.0.0.1:{good.ports['imap']}", "--pop3",
                             f"127.0.0.1:{good.ports['pop3']}", "--lmtp", f"127.0.0.1:{port}", "--user", "user0001",
                             "--address", "user0001@example.test", "--tls", "none", "--out", tmp_path / "run",
                             env={**os.environ, "MAILPROOF_PASSWORD": reference_server.PASSWORD}, timeout=60)
    told = [json.loads(line)["event"] for line in lines_of(tmp_path / "run") if line.startswith('{"event"')]
    refused = [event for event in told if event["what"] == "deliver" and event["type"] == "fail"]
    assert len(refused) == 3
    for event in refused:
        assert event["flags"] == "at-rcpt locally" and "exceeds the announced limit 100" in event["text"]
    assert "not over after" not in ran.text
