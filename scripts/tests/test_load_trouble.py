"""`load` where things go wrong: what stood in the way comes first, by its name, and nothing passes that was not played."""
import json
import os
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree

import reference_server
import tool
from test_interrupts import until

ROOT = reference_server.ROOT
ENVIRONMENT = {**tool.ENVIRONMENT, "MAILPROOF_PASSWORD": reference_server.PASSWORD, "WRONG_PASSWORD": "another"}
ACCOUNTS = '  - {{login: "user%04d", address: "user%04d@example.test", first: {first}, count: {count}, password_env: {env}}}\n'


def target_of(folder, ports, *accounts):
    path = folder / "target.yaml"
    path.write_text("target: node\n" + "".join(f"{name}: [{{host: 127.0.0.1, port: {ports[name]}}}]\n" for name in ("imap", "pop3", "lmtp")) +
                    "delivery: [lmtp]\nsettle: 1s\naccounts:\n" +
                    "".join(ACCOUNTS.format(first=first, count=count, env=env) for first, count, env in accounts), "utf-8")
    return path


def arrivals(directory):
    run = json.loads((directory / "run.json").read_text("utf-8"))
    return next(one for one in run["scenarios"] if one["id"] == "load.arrivals")


def customers(folder, target, seconds=30):
    return tool.start("load", "--profile", "thunderbird", "--accounts", 10, "--rate", "20/s", "--for", f"{seconds}s", "--target",
                      target, "--out", folder / "run", env=ENVIRONMENT)


def test_logins_that_are_refused_are_counted(tmp_path):
    with reference_server.server(users=40) as server:
        target = target_of(tmp_path, server.ports, (1, 5, "MAILPROOF_PASSWORD"), (11, 15, "WRONG_PASSWORD"))
        ran = tool.mailproof("load", "--profile", "thunderbird", "--accounts", 20, "--for", "5s", "--target", target, "--out",
                             tmp_path / "run", env=ENVIRONMENT)
    assert ran.status == 3 and "plan thunderbird was not played on node" in ran.out
    assert "the server refused the login of user00" in ran.out and " accounts that were looked at; the others of 20 were not)" in ran.out


def test_an_interrupted_plan_says_so_first_and_passes_in_nothing(tmp_path):
    with reference_server.server(users=10) as server:
        process = customers(tmp_path, target_of(tmp_path, server.ports, (1, 10, "MAILPROOF_PASSWORD")))
        until(lambda: "seconds" in "".join(p.read_text("utf-8") for p in tmp_path.glob("run/progress-0.jsonl")), process)
        process.send_signal(signal.SIGINT)
        ran = tool.finish(process)
    assert ran.status == 3 and "INTERRUPTED: it was ended before its time." in ran.out.splitlines()[0]
    last = ran.out.splitlines()[-2]
    assert last.startswith("inconclusive: 0 lost, ") and last.endswith(" not looked for, no SLO line asked for")
    assert arrivals(tmp_path / "run")["verdict"] == "inconclusive"


def test_a_killed_one_leaves_nothing_that_passed(tmp_path):
    with reference_server.server(users=10) as server:
        process = customers(tmp_path, target_of(tmp_path, server.ports, (1, 10, "MAILPROOF_PASSWORD")))
        until(lambda: list(tmp_path.glob("run/progress-0.jsonl")), process)
        process.kill()
        tool.finish(process)
    run = json.loads((tmp_path / "run/run.json").read_text("utf-8"))
    assert run["interrupted"] and run["notes"][0].startswith("NOT FINISHED")
    assert {one["verdict"] for one in run["scenarios"]} == {"inconclusive"}


def test_a_server_that_dies_is_named_above_the_figures(tmp_path):
    server = tool.start("server", "--users", 10, "--imap", 0, "--pop3", 0, "--smtp", 0, "--lmtp", 0, env=ENVIRONMENT)
    try:
        lines = until(lambda: (text := os.pread(server.out.fileno(), 4096, 0).decode()) and "ready" in text and text, server)
        ports = {words[0]: int(words[1].rsplit(":", 1)[1]) for words in map(str.split, lines.splitlines()) if len(words) == 2}
        process = customers(tmp_path, target_of(tmp_path, ports, (1, 10, "MAILPROOF_PASSWORD")), seconds=6)
        until(lambda: list(tmp_path.glob("run/progress-0.jsonl")), process)
        time.sleep(2)
    finally:
        server.kill()
        tool.finish(server)
    ran = tool.finish(process)
    assert ran.status == 3, ran.text
    above = ran.out[:ran.out.index("plan thunderbird on node")]
    assert "BROKEN OFF: " in above and "imap sessions did not end by our doing (mostly " in above
    assert "UNSERVED: " in above and " messages that were due were never handed over to the server." in above
    assert arrivals(tmp_path / "run")["verdict"] == "inconclusive"
    cases = ElementTree.parse(tmp_path / "run/junit.xml").getroot().iter("testcase")
    assert any(case.get("name") == "load.arrivals" for case in cases)


def test_copies_of_a_story_that_open_files_do_not_suffice_for(tmp_path):
    """It may go well, as seldom all of them are under way together: it is said, and where it went wrong it is our limit."""
    command = f"ulimit -n 90; exec {reference_server.BINARY} load mixed.pop-download-empties-the-phone --sockets --serves 300/s --copies 60 --rate 200/s"
    ran = subprocess.run(["bash", "-c", f"{command} --out {tmp_path}/run"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 3, ran.stdout + ran.stderr
    assert "perhaps in the way, if all copies are under way together: " in ran.stderr and "ulimit -n" in ran.stderr
    assert "GENERATOR-LIMITED: this process may open no more files (ulimit -n)" in ran.stdout.split("operation")[0]
