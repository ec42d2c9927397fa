"""A project's tests that are scenario files, played by the real tool on its built-in server."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

import reference_server
from conftest import BINARY, HERE, ROOT, WITH_PLUGIN, hears_interrupts

GOOD, OTHER = "mixed.pop-download-empties-the-phone", "sync.read-on-phone-read-everywhere"
NEEDS_SMTP = "quota.bounce-reaches-the-sender"
LOSES = "--mailproof-args=--defect delivery.accepts-and-drops"
NOT_REFUSED = """\
# A mailbox that has room, and a story that wants a refusal: the RFC that is named lets a server accept.
id: mine.not-refused
title: A refusal that a server may leave out
needs: [imap, delivery]
accounts: [alice]
devices:
  mta:   {delivers: any}
  phone: {imap: alice}
steps:
  - mta:   {deliver: mail, to: alice, expect: refused, latitude: RFC 9208 section 5.1}
  - phone: {see: mail, within: 5s}
"""

CHECKS = """\
id: pop3.1939-5
title: Some of RFC 1939 section 5
needs: [pop3]
mailbox: {messages: 2}
checks:
  - id: stat
    level: MUST
    title: STAT counts the messages
    talk: |
      C: STAT
      S: +OK 2
  - id: wrong-count
    level: MUST
    title: A check that is wrong itself, for its failure to be seen
    talk: |
      C: STAT
      S: +OK 3
  - id: elsewhere
    level: MAY
    title: An extension that nobody has
    when: X-NOBODY
    talk: |
      C: NOOP
      S: +OK
  - id: autologout
    level: SHOULD
    title: Half an hour is waited
    tags: [slow]
    talk: |
      C: NOOP
      S: +OK
"""


def target_file(folder, ports=None, more=""):
    """A server on these ports of loopback; nobody answers on port 1."""
    path = folder / "mail-server.yaml"
    services = (f"{name}: [{{host: 127.0.0.1, port: {(ports or {}).get(name, 1)}}}]" for name in ("imap", "pop3", "lmtp"))
    path.write_text("target: node-7\n" + "\n".join(services) + "\naccounts:\n"
                    '  - {login: "user%04d", address: "user%04d@example.test", first: 1, count: 20, password_env: MAILPROOF_PASSWORD}\n'
                    + more)
    return path.name


def test_every_scenario_is_an_item_with_its_id(project):
    project.add(GOOD), project.add(OTHER)
    ran = project.play("-v")
    ran.assert_outcomes(passed=2)
    ran.stdout.fnmatch_lines([f"scenarios/{GOOD}.yaml::{GOOD} PASSED*", f"scenarios/{OTHER}.yaml::{OTHER} PASSED*"])


def test_every_check_of_a_file_is_an_item(project):
    path = project.add(CHECKS)
    ran = project.play("-v", "-rsf")
    ran.assert_outcomes(passed=1, failed=1, skipped=2)
    ran.stdout.fnmatch_lines([f"{path}::pop3.1939-5.stat PASSED*", f"{path}::pop3.1939-5.wrong-count FAILED*", "*wrong-count: A check *",
                              "fail pop3.1939-5.wrong-count/conformance/*", f"SKIPPED ?1? {path}:18: * X-NOBODY",
                              f"SKIPPED ?1? {path}:25: slow: not run*", f"FAILED {path}::pop3.1939-5.wrong-count - conformance/*"])


@pytest.mark.parametrize("arguments, outcomes, ids", [
    (["-k", "stat"], {"passed": 1}, ["pop3.1939-5.stat"]),
    (["-k", "slow"], {"skipped": 1}, None),
    (["-k", "slow or stat"], {"passed": 1, "skipped": 1}, ["pop3.1939-5.stat"]),
    (["-k", "slow", "--mailproof-args=--slow"], {"passed": 1}, ["pop3.1939-5.autologout"]),
    (["-k", "check and not wrong-count"], {"passed": 1, "skipped": 2}, ["pop3.1939-5.stat", "pop3.1939-5.elsewhere"]),
])
def test_only_what_is_selected_is_played(project, arguments, outcomes, ids):
    project.add(CHECKS)
    project.play("--mailproof-out=runs", *arguments).assert_outcomes(deselected=4 - sum(outcomes.values()), **outcomes)
    assert played(project.path / "runs").get("all") == ids


def test_only_our_yaml_is_collected(project):
    good = project.add(GOOD)
    text = (project.path / good).read_text()
    for name, other in {"compose.yaml": "services: {mail: {image: x}}\nsteps:\n", "k8s.yml": "kind: Pod\nid: x\n",
                        "x.wrong.yaml": "wrong: pop3.1939-5\nchecks:\n", "y.wrong.yaml": text, "latin1.yaml": "id: é\nsteps:\n",
                        "product.yaml": "id: 7\nname: steps: none\n",
                        "target.yaml": "target: x\n"}.items():
        (project.path / name).write_bytes(other.encode("latin-1"))
    target_file(project.path)
    (project.path / "commented.yml").write_text(f"# ours\n\n{text}".replace(GOOD, "mine.too"))
    ran = project.play("--collect-only", "-q")
    assert ran.ret == 0
    assert [line for line in ran.outlines if "::" in line] == ["commented.yml::mine.too", f"{good}::{GOOD}"]


def test_the_ini_file_can_name_them(project):
    project.add(GOOD), project.add(OTHER)
    project.makeini("[pytest]\nmailproof_files = scenarios/mixed.*.yaml\n")
    ran = project.play("-v")
    ran.assert_outcomes(passed=1)
    ran.stdout.fnmatch_lines([f"*::{GOOD} PASSED*"])


def test_a_failure_is_the_finding(project):
    good = project.add(GOOD)
    project.add("pop3.leave-on-server")
    ran = project.play(LOSES, "--junitxml=junit.xml")
    assert ran.ret == 1
    ran.assert_outcomes(failed=2)
    ran.stdout.fnmatch_lines([
        f"_* {GOOD}: A POP client that deletes * _*", f"fail {GOOD}/loss/lost", "  Requirement: RFC 5321 section 6.1*", "  Expected:    mail.2 in alice's INBOX*",
        "  Actual:      accepted from mta over LMTP*", "  Evidence:", "    | *S: 250 2.0.0*", "  Life:", "* absent *",
        f"  Reproduce:   mailproof run {GOOD} --sim --defect delivery.accepts-and-drops --seed 1*",
        f"FAILED {good}::{GOOD} - loss/lost: RFC 5321 section 6.1*"])
    ran.stdout.no_fnmatch_line("*Traceback*")
    case = ElementTree.parse(project.path / "junit.xml").find(f".//testcase[@name='{GOOD}']")
    assert case.find("failure").get("message").startswith("loss/lost: RFC 5321 section 6.1")
    assert case.find("./properties/property[@name='mailproof_verdict']").get("value") == "fail"


def test_the_printed_command_shows_it_again(project):
    project.add(GOOD)
    ran = project.play(LOSES)
    line = next(line for line in ran.outlines if "Reproduce:" in line)
    words = line.split("Reproduce:")[1].split()
    again = subprocess.run([BINARY, *words[1:]], cwd=project.path, capture_output=True, text=True)
    assert again.returncode == 1 and f"fail {GOOD}/loss/lost" in again.stdout


def test_what_is_not_applicable_is_skipped_with_the_reason(project):
    path = project.add(NEEDS_SMTP)
    ran = project.play("-rs", "--mailproof-target", target_file(project.path))
    ran.assert_outcomes(skipped=1)
    ran.stdout.fnmatch_lines([f"SKIPPED ?1? {path}:1: the target has no SMTP"])


@pytest.mark.parametrize("more", [[], ["--mailproof-batch=item"], ["-n2"]], ids=["one run", "a run each", "workers"])
def test_where_all_is_skipped_nothing_was_tested(project, more):
    """A port that was forgotten in the target file is no green build; `mailproof run` ends with 3."""
    if more == ["-n2"]:
        pytest.importorskip("xdist")
    project.add(NEEDS_SMTP)
    ran = project.play(*more, "--mailproof-target", target_file(project.path))
    ran.assert_outcomes(skipped=1)
    assert ran.ret == 1
    ran.stdout.fnmatch_lines(["mailproof: inconclusive: nothing was said about the server (1 not-applicable)"])
    # Beside what was played it is no matter.
    project.add(GOOD)
    with reference_server.server() as server:
        ports = {name: port for name, port in server.ports.items() if name != "smtp"}
        ran = project.play(*more, "--mailproof-target", target_file(project.path, ports))
    assert ran.ret == 0
    ran.assert_outcomes(passed=1, skipped=1)


def test_what_cannot_be_said_is_an_error_and_no_failure(project):
    path = project.add(GOOD)
    ran = project.play("--mailproof-target", target_file(project.path))
    assert ran.ret == 1
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["*ERROR at setup of*", f"error {GOOD}/session/*", "  Requirement: *", f"ERROR {path}::{GOOD} - session/*"])


def test_a_latitude_passes_with_a_warning(project):
    path = project.add(NOT_REFUSED)
    ran = project.play("-rP")
    ran.assert_outcomes(passed=1, warnings=1)
    ran.stdout.fnmatch_lines([f"  {path}:2: Latitude: expectation/may-differ: *", "*Captured mailproof call*",
                              "latitude mine.not-refused/*", "  Requirement: *"])
    project.play("-W", "error").assert_outcomes(failed=1)
    project.play("--mailproof-args=--strict").assert_outcomes(failed=1)


def test_what_is_in_the_baseline_is_an_expected_failure(project):
    project.add(GOOD)
    project.play("--mailproof-out=first", LOSES).assert_outcomes(failed=1)
    known = LOSES + " --baseline first/all/run/run.json"
    ran = project.play("-rx", known)
    assert ran.ret == 1, "nothing else was played: `mailproof run` ends with 3"
    ran.assert_outcomes(xfailed=1)
    ran.stdout.fnmatch_lines([f"XFAIL scenarios/{GOOD}.yaml::{GOOD} - *baseline*"])
    ran = project.play("--runxfail", known)
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines([f"fail {GOOD}/loss/lost"])


@pytest.mark.parametrize("defect, outcome, line", [
    (["--defect", "delivery.accepts-and-drops"], "xfailed", f"XFAIL *::{GOOD} - *mended in 4.2*"),
    ([], "failed", f"FAILED *::{GOOD} - *"),
])
def test_a_known_deviation_is_expected_and_its_absence_fails(project, defect, outcome, line):
    project.add(GOOD)
    with reference_server.server(*defect) as server:
        name = target_file(project.path, server.ports, f"known: [{{id: {GOOD}, why: mended in 4.2}}]\nsettle: 1s\n")
        ran = project.play("-rxf", "--mailproof-target", name)
    ran.assert_outcomes(**{outcome: 1})
    ran.stdout.fnmatch_lines([line])


def test_a_file_that_is_wrong_says_where(project):
    text = (ROOT / "scenarios/mixed/pop-download-empties-the-phone.yaml").read_text()
    path = project.add(text.replace("download: new", "downlaod: new"))
    ran = project.play()
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines([f"{path}:*downlaod*download*"])


def test_a_missing_tool_says_what_to_do(project):
    project.add(GOOD)
    ran = project.play("--mailproof-binary", "no/such/mailproof")
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["mailproof is not at '*no/such/mailproof'"])


def test_a_missing_target_file_is_said(project):
    project.add(GOOD)
    ran = project.play("--mailproof-target=elsewhere.yaml")
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["no target file at '*/elsewhere.yaml'"])


def test_it_needs_no_xdist(project):
    project.add(GOOD)
    project.play("-p", "no:xdist").assert_outcomes(passed=1)


def test_a_tool_that_dies_is_an_error_for_everybody(project):
    project.add(GOOD), project.add(OTHER)
    dies = project.path / "dies"
    dies.write_text(f'#!/bin/sh\n[ "$1" = list ] && exec {BINARY} "$@"\nkill -SEGV $$\n')
    dies.chmod(0o755)
    ran = project.play("--mailproof-binary", "./dies")
    ran.assert_outcomes(errors=2)
    ran.stdout.fnmatch_lines(["mailproof was killed by signal 11"])


@pytest.mark.parametrize("arguments, says", [
    (["--mailproof-target=sim", "--mailproof-server=dovecot"], "a target or a server, not both"),
    (["--mailproof-batch=all"], "no batch 'all'; there is: item, file, session"),
    (["--mailproof-jobs=many"], "'many' is no number of jobs"),
])
def test_wrong_use(project, arguments, says):
    ran = project.play(*arguments)
    assert ran.ret == 4
    ran.stderr.fnmatch_lines([f"*{says}*"])


def test_options_stand_in_the_ini_file_too(project):
    project.add(NEEDS_SMTP)
    target_file(project.path)
    project.makeini("[pytest]\nmailproof_target = mail-server.yaml\nmailproof_out = runs\n")
    folder = project.path / "scenarios"
    ran = subprocess.run([sys.executable, "-m", "pytest", *WITH_PLUGIN], cwd=folder, capture_output=True, text=True)
    assert "1 skipped" in ran.stdout, "relative names are relative to the ini file"
    assert json.loads((project.path / "runs/all/run/run.json").read_text())["target"] == "node-7"


def played(folder):
    """Folder of each run below --mailproof-out -> the ids it played."""
    return {path.parents[1].name: [one["id"] for one in json.loads(path.read_text())["scenarios"]]
            for path in sorted(pathlib.Path(folder).glob("*/run/run.json"))}


@pytest.mark.parametrize("arguments, runs", [
    (["--mailproof-batch=session"], {"all": {GOOD, OTHER}}),
    (["--mailproof-batch=file"], {f"scenarios-{GOOD}.yaml": {GOOD}, f"scenarios-{OTHER}.yaml": {OTHER}}),
    (["--mailproof-batch=item"], {f"scenarios-{GOOD}.yaml-{GOOD}": {GOOD}, f"scenarios-{OTHER}.yaml-{OTHER}": {OTHER}}),
    (["-k", "read-everywhere"], {"all": {OTHER}}),
])
@pytest.mark.parametrize("workers", [[], ["-n", "3"]], ids=["alone", "workers"])
def test_a_process_plays_a_batch_of_what_is_selected(project, arguments, runs, workers):
    project.add(GOOD), project.add(OTHER)
    ran = project.play("--mailproof-out=runs", *arguments, *workers)
    ran.assert_outcomes(passed=len(set().union(*runs.values())))
    assert {name: set(ids) for name, ids in played(project.path / "runs").items()} == runs


def test_an_earlier_session_is_not_believed(project):
    project.add(GOOD)
    project.play("--mailproof-out=runs").assert_outcomes(passed=1)
    project.play("--mailproof-out=runs", LOSES).assert_outcomes(failed=1)
    project.play("--mailproof-out=runs", "-n", "2").assert_outcomes(passed=1)


def test_workers_share_what_was_found(project):
    project.add(GOOD), project.add(OTHER), project.add(NEEDS_SMTP), project.add(NOT_REFUSED)
    ran = project.play("-n", "4", LOSES, "--mailproof-out=runs")
    assert ran.ret == 1 and list(played(project.path / "runs")) == ["all"]
    ran.stdout.fnmatch_lines([f"fail {GOOD}/loss/lost", f"FAILED *::{GOOD} - loss/lost: RFC 5321 section 6.1*"])


def test_a_rerun_plays_again_alone(project):
    project.add(GOOD), project.add(OTHER)
    project.makeconftest("""
        from _pytest.runner import runtestprotocol
        def pytest_runtest_protocol(item, nextitem):
            runtestprotocol(item, nextitem=nextitem, log=False)
    """)
    project.play("--mailproof-out=runs").assert_outcomes(passed=2)
    alone = [ids for name, ids in played(project.path / "runs").items() if name.startswith("again-")]
    assert sorted(alone) == [[GOOD], [OTHER]]


def test_workers_play_once(project):
    counting, log = project.path / "counting", project.path / "log"
    counting.write_text(f'#!/bin/sh\n[ "$1" = list ] || echo "$1" >>{log}\nexec {BINARY} "$@"\n')
    counting.chmod(0o755)
    for number in range(4):
        project.add(NOT_REFUSED.replace("not-refused", f"story-{number}"))
    project.play("-n", "4", "--mailproof-binary=./counting").assert_outcomes(passed=4, warnings=4)
    assert log.read_text() == "run\n"


@pytest.mark.parametrize("arguments", ["--jobs=2", "--jobs 2"])
def test_jobs_of_ones_own_are_taken(project, arguments):
    project.add(GOOD)
    project.play(f"--mailproof-args={arguments}").assert_outcomes(passed=1)


def test_an_interrupted_session_ends_the_tool(project):
    project.add(GOOD)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        name = target_file(project.path, dict.fromkeys(("imap", "pop3", "lmtp"), silent.getsockname()[1]))
        process = subprocess.Popen([sys.executable, "-m", "pytest", *WITH_PLUGIN, "--mailproof-out=runs",
                                    f"--mailproof-target={name}"], cwd=project.path, stdout=subprocess.PIPE, text=True,
                                   preexec_fn=hears_interrupts)
        connection, _ = silent.accept()
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
        connection.close()
    assert process.returncode == 2 and "KeyboardInterrupt" in said
    assert json.loads((project.path / "runs/all/run/run.json").read_text())["interrupted"]


def test_the_tool_in_a_python_test(project):
    project.add(GOOD)
    project.makepyfile(f"""
        import pytest
        from pytest_mailproof import Trouble

        def test_green(mailproof):
            run = mailproof.run("scenarios")
            assert run.passed and run.verdict == "pass" and run.scenarios["{GOOD}"]["verdict"] == "pass" and not run.findings

        def test_red(mailproof):
            run = mailproof.run("scenarios/{GOOD}.yaml", "--defect", "delivery.accepts-and-drops")
            assert not run.passed and run.status == 1
            assert [one["id"] for one in run.findings] == ["{GOOD}/loss/lost"]
            assert (run.directory / "junit.xml").is_file()
            assert run.passed, str(run)

        def test_no_such_story(mailproof):
            with pytest.raises(Trouble, match="no.such-story"):
                mailproof.run("no.such-story")
    """)
    ran = project.play("test_the_tool_in_a_python_test.py")
    ran.assert_outcomes(passed=2, failed=1)
    ran.stdout.fnmatch_lines([f"*AssertionError: fail {GOOD}/loss/lost*", "*Requirement: RFC 5321*"])


def test_it_is_installed_from_its_folder(project):
    """Copied first, because setuptools builds beside its sources; then found by its entry point, without -p."""
    source = shutil.copytree(HERE, project.path / "source", ignore=shutil.ignore_patterns("tests", "__pycache__"))
    site = project.path / "site"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-build-isolation", "--no-deps", "--target",
                    site, source], check=True, env={**os.environ, "PYTHONPATH": "", "PIP_ROOT_USER_ACTION": "ignore"})
    project.add(GOOD)
    ran = subprocess.run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "scenarios", "-v"], cwd=project.path,
                         capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(site)})
    assert "1 passed" in ran.stdout, ran.stdout + ran.stderr


def test_an_interrupt_while_the_tool_is_begun_ends_it(project):
    """The signal comes when the tool plays and nobody knows of it yet."""
    project.add(GOOD)
    project.makeconftest("""
        import os, pathlib, signal, subprocess
        class Popen(subprocess.Popen):
            def __init__(self, command, *arguments, **options):
                super().__init__(command, *arguments, **options)
                if "run" in command:
                    pathlib.Path("pid").write_text(str(self.pid))
                    os.kill(os.getpid(), signal.SIGINT)
        subprocess.Popen = Popen
    """)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        name = target_file(project.path, dict.fromkeys(("imap", "pop3", "lmtp"), silent.getsockname()[1]))
        ran = subprocess.run([sys.executable, "-m", "pytest", *WITH_PLUGIN, f"--mailproof-target={name}"], cwd=project.path,
                             capture_output=True, text=True, preexec_fn=hears_interrupts, timeout=60)
    assert ran.returncode == 2 and "KeyboardInterrupt" in ran.stdout
    with pytest.raises(ProcessLookupError):
        os.kill(int((project.path / "pid").read_text()), 0)
