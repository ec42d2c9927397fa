"""`load` with several stories at once: they share a network and a pool of accounts, each has figures of its own, and
every message of each is accounted for."""
import json
import re
import shlex
import sys

import pytest

import reference_server
import tool

POP = "mixed.pop-download-empties-the-phone"  # one account, three messages
READ = "sync.read-on-phone-read-everywhere"  # the same
RAISED = "quota.raising-the-quota-recovers"  # an account with a quota, one without, an admin step
CUSTOMER = "quota.account-quota-blocks-all-its-mailboxes"  # two accounts of a customer, one of nobody's
KILL = "mixed.accepted-mail-survives-a-kill"
WORLDS = ["--sim", "--sockets"]


def load(out, *arguments, status=0):
    """What it printed, and stats.json."""
    ran = tool.mailproof("load", *arguments, "--out", out)
    assert ran.status == status, ran.text
    return ran.out, json.loads((out / "stats.json").read_text("utf-8"))


def closes(ledger):
    return ledger["sent"] == ledger["accepted"] + ledger["refused"] + ledger["unknown"] and ledger["accepted"] == sum(
        ledger["fates"].values())


def rows(text):
    """operation -> done"""
    found = re.finditer(r"^(\S.*?) +(\d+) +[\d.]+ +\d+ +\d+ +\d+ \|", text, re.MULTILINE)
    return {row[1]: int(row[2]) for row in found}


def histories(out):
    """The stories whose histories were kept, one for each copy."""
    lines = [json.loads(line) for line in (out / "history.jsonl").read_text("utf-8").splitlines()]
    return [line["history"]["scenario"] for line in lines if "history" in line]


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("jobs", [1, 2])
def test_two_stories_together(world, jobs, tmp_path):
    text, stats = load(tmp_path / "run", POP, READ, world, "--copies", 12, "--rate", "10/s", "--jobs", jobs)
    assert stats["verdict"] == "pass" and "story" not in stats
    done = rows(text)
    assert {row: done[row] for row in done if row.startswith("story")} == {f"story {POP}": 12, f"story {READ}": 12}
    # Both read over IMAP: their operations stand in one row.
    first, second = stats["stories"]
    assert [first["story"], second["story"]] == [POP, READ]
    assert done["imap.fetch"] == sum(one["operations"]["imap.fetch"]["ok"] for one in (first, second))
    assert "pop3.retr" in first["operations"] and "pop3.retr" not in second["operations"]
    assert closes(stats["ledger"]) and stats["ledger"]["unexplained"] == 0
    assert stats["ledger"]["copies"] == 24 and stats["ledger"]["sent"] == 72
    assert first["ledger"]["fates"] == {"removed-by-client": 36} and second["ledger"]["fates"] == {"present": 36}
    assert first["verdicts"] == second["verdicts"] == {"pass": 12}
    assert "ledger: 24 copies; 72 deliveries attempted = 72 accepted" in text


def test_one_story_has_figures_of_its_own_only(tmp_path):
    text, stats = load(tmp_path / "run", POP, "--sim", "--copies", 5)
    assert text.startswith(f"{POP} on sim: 5 copies in 5 slots, 0.5 copies/s intended, ")
    assert rows(text)["story"] == 5 and stats["story"] == POP and "stories" not in stats


def test_the_rate_and_the_time_count_for_each_story(tmp_path):
    text, stats = load(tmp_path / "run", POP, READ, "--sim", "--copies", 4, "--rate", "7/s", "--for", "3s")
    assert [one["ledger"]["copies"] for one in stats["stories"]] == [21, 21]
    assert text.startswith("2 stories on sim, of each 21 copies in 4 slots, 7.0 copies/s intended; ")


def test_a_loss_names_the_messages_of_each_story(tmp_path):
    arguments = [POP, READ, "--sim", "--copies", 200, "--rate", "50/s", "--defect", "delivery.drops-one-in-200"]
    text, stats = load(tmp_path / "run", *arguments, status=1)
    findings = {finding["id"]: finding for finding in stats["findings"]}
    lost = [findings[f"{story}/loss/lost"] for story in (POP, READ)]
    assert closes(stats["ledger"])
    assert sum(finding["times"] for finding in lost) == stats["ledger"]["fates"]["lost"] == 1200 // 200
    for finding, of in zip(lost, stats["stories"]):
        assert finding["times"] == len(finding["messages"]) == of["ledger"]["fates"]["lost"] > 0
        for message in finding["messages"]:
            copy = re.fullmatch(r"copy (\d+): mail\.[123] of user\d{4}", message)[1]
            assert f"    {message}\n" in text
            kept = tmp_path / "run/wire" / f"{int(copy):06}-{of['story']}"
            assert [log for log in kept.iterdir() if log.read_bytes()], "a finding without its byte logs"
    # The histories of all the copies concerned, none written over by the other story's.
    told = histories(tmp_path / "run")
    assert [told.count(of["story"]) for of in stats["stories"]] == [finding["times"] for finding in lost]
    # The command that is printed shows the same losses again.
    commands = set(re.findall(r"Reproduce:   mailproof load (.*)", text))
    assert len(commands) == 1
    again, _ = load(tmp_path / "again", *shlex.split(commands.pop()), status=1)
    assert re.findall("    copy .*", again) == re.findall("    copy .*", text)


def test_two_stories_with_a_finding_in_the_same_copy_keep_both(tmp_path):
    arguments = [POP, READ, "--sim", "--copies", 1, "--defect", "delivery.accepts-and-drops"]
    _, stats = load(tmp_path / "run", *arguments, status=1)
    assert {finding["id"].split("/")[0] for finding in stats["findings"]} == {POP, READ}
    assert sorted(folder.name for folder in (tmp_path / "run/wire").iterdir()) == [f"000000-{POP}", f"000000-{READ}"]
    assert sorted(histories(tmp_path / "run")) == [POP, READ]


@pytest.mark.parametrize("world", WORLDS)
def test_stories_about_tls_find_the_endpoint_that_wants_it(world, tmp_path):
    text, stats = load(tmp_path / "run", "tls.plaintext-login-refused", POP, world, "--copies", 3, "--rate", "10/s")
    assert stats["verdict"] == "pass", text


@pytest.mark.parametrize("world", WORLDS)
def test_stories_that_need_unequal_accounts_and_an_administrator(world, tmp_path):
    text, stats = load(tmp_path / "run", RAISED, CUSTOMER, POP, world, "--copies", 20, "--rate", "20/s")
    assert [one["verdicts"] for one in stats["stories"]] == [{"pass": 20}] * 3, text
    assert closes(stats["ledger"]) and stats["ledger"]["refused"] > 0


def test_more_copies_than_the_built_in_server_has_accounts_by_itself(tmp_path):
    """1100 accounts of users; and the limit of 64 KiB on 601 mailboxes."""
    _, stats = load(tmp_path / "run", POP, READ, "--sim", "--copies", 550, "--rate", "300/s")
    assert stats["verdict"] == "pass" and stats["ledger"]["copies"] == 1100
    _, stats = load(tmp_path / "more", RAISED, "--sim", "--copies", 601, "--rate", "300/s")
    assert stats["verdict"] == "pass" and stats["ledger"]["copies"] == 601


TARGET = """\
target: node-7
imap: [{{host: {host}, port: {imap}, tls: none}}]
pop3: [{{host: {host}, port: {pop3}, tls: none}}]
lmtp: [{{host: {host}, port: {lmtp}, tls: none}}]
delivery: [{way}]
settle: 2s
allow: [restarts]
admin:
  restart: ["true"]
  kill: ["true"]
  pause: ["true"]
  deliver: ["{python}", "{script}", "{{address}}"]
accounts:
  - {{count: {count}, login: "user%04d", address: "user%04d@example.test", password_env: MAILPROOF_PASSWORD}}
"""

# What a machine's own sendmail command would do: standard input becomes a message.
DELIVER = """\
import smtplib, sys
with smtplib.LMTP("127.0.0.1", {port}) as lmtp:
    lmtp.sendmail("someone@example.test", [sys.argv[1]], sys.stdin.buffer.read())
"""


def target_file(folder, host="127.0.0.1", imap=9, pop3=9, lmtp=9, way="lmtp", count=20):
    script = folder / "deliver.py"
    script.write_text(DELIVER.format(port=lmtp))
    path = folder / "target.yaml"
    path.write_text(TARGET.format(host=host, imap=imap, pop3=pop3, lmtp=lmtp, way=way, count=count, script=script,
                                  python=sys.executable))
    return path


def test_delivery_by_command(tmp_path):
    with reference_server.server(users=20) as server:
        target = target_file(tmp_path, **{name: server.ports[name] for name in ("imap", "pop3", "lmtp")}, way="command")
        environment = {**tool.ENVIRONMENT, "MAILPROOF_PASSWORD": reference_server.PASSWORD}
        ran = tool.mailproof("load", POP, READ, "--target", target, "--copies", 5, "--rate", "2/s", "--out",
                             tmp_path / "run", env=environment)
    assert ran.status == 0, ran.text
    stats = json.loads((tmp_path / "run/stats.json").read_text("utf-8"))
    assert stats["ledger"]["fates"] == {"present": 15, "removed-by-client": 15}
    assert not [name for name in stats["operations"] if name.startswith("lmtp")]  # nothing went another way


@pytest.mark.parametrize("world", [*WORLDS, "--target"])
def test_a_story_that_disturbs_the_others_is_refused(world, tmp_path):
    where = [world, target_file(tmp_path)] if world == "--target" else [world]
    ran = tool.mailproof("load", POP, KILL, *where, "--out", tmp_path / "run")
    assert ran.status == 2 and not (tmp_path / "run").exists()
    assert f"{KILL} cannot be played as load: its step kill" in ran.err


@pytest.mark.parametrize("verb", ["restart", "{pause: 1s}"])
def test_so_is_one_that_does_it_beside_something_else(verb, tmp_path):
    story = tmp_path / "disturbs.yaml"
    story.write_text("id: test.disturbs\naccounts: [alice]\nneeds: [imap, delivery, admin]\n"
                     "title: A server that goes away while mail comes in\nwhy: Mail must survive it.\n"
                     "refs: [RFC 5321 section 4.5.4]\n"
                     "devices:\n  mta: {delivers: any}\nsteps:\n"
                     f"  - together:\n      - mta: {{deliver: mail, to: alice}}\n      - admin: {verb}\n")
    ran = tool.mailproof("load", story, "--sim", "--out", tmp_path / "run")
    assert ran.status == 2 and "test.disturbs cannot be played as load: its step" in ran.err, ran.text


def test_a_pool_that_is_too_small_for_all_stories_together(tmp_path):
    target = target_file(tmp_path, count=7)
    ran = tool.mailproof("load", POP, READ, "--target", target, "--copies", 4, "--out", tmp_path / "run")
    assert ran.status == 2 and not (tmp_path / "run").exists()
    assert ("4 copies at a time of each story need 8 accounts, and of the 7 in the target's pool none is left after 3 copies "
            f"of {READ}: {READ} needs 1 unused accounts") in ran.err
    assert "Make 1 more on the server and name them below accounts: in the target file" in ran.err


@pytest.mark.parametrize("host", ["127.example.test", "127.0.0.1.example.test", "localhost.example.test", "sim",
                                  "10.127.0.1", "::2"])
def test_only_loopback_is_loaded_without_being_asked(host, tmp_path):
    ran = tool.mailproof("load", POP, "--target", target_file(tmp_path, f'"{host}"'), "--out", tmp_path / "run")
    assert ran.status == 2 and f"{host} is not loopback: say --yes-load {host}" in ran.err, ran.text
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.8.7", "::1", "localhost"])
def test_loopback_needs_no_permission(host, tmp_path):
    """Nobody listens on port 9, so that the load fails; but it is tried."""
    ran = tool.mailproof("load", POP, "--target", target_file(tmp_path, f'"{host}"', count=1), "--copies", 1,
                         "--out", tmp_path / "run")
    assert ran.status == 3 and "is not loopback" not in ran.text, ran.text

