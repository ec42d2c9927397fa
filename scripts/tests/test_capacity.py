"""`capacity`: the highest load that still meets the SLO, on a server whose speed is known; and what it says where it
cannot tell."""
import json
import re

import pytest
import yaml

import reference_server
import tool

ROOT = reference_server.ROOT
PLAN = {
    "plan": "small", "accounts": 10, "ramp": "2s", "for": "1m", "pace": 20,
    "mix": {"thunderbird": "60%", "pop-delete": "40%"},
    "arrivals": {"deliveries": "10/s", "sizes": "small"},
    "slo": ["imap.fetch p99 < 250ms", "errors < 1%", "lost = 0"],
}
SIM = ["--sim", "--serves", "300/s"]


def write(folder, name="plan.yaml", **changes):
    plan = {key: value for key, value in {**PLAN, **changes}.items() if value is not None}
    path = folder / name
    path.write_text(yaml.safe_dump(plan, sort_keys=False), "utf-8")
    return path


def capacity(folder, *arguments, status=0):
    """What it printed, and capacity.json."""
    ran = tool.mailproof("capacity", *arguments, "--out", folder / "run")
    assert ran.status == status, ran.text
    return ran.text, json.loads((folder / "run/capacity.json").read_text("utf-8"))


def holds(folder, accounts):
    """Whether `load` says so of the same plan, written for so many accounts."""
    factor = accounts / PLAN["accounts"]
    plan = write(folder, f"{accounts}.yaml", accounts=accounts, first_poll="spread", ramp=f"{int(min(2 * max(1, factor), 8) * 1000)}ms",
                 **{"for": "8s"},
                 arrivals={"deliveries": f"{10 * factor}/s", "sizes": "small",
                           "connections": -(-int(20 * accounts) // PLAN["accounts"])})
    ran = tool.mailproof("load", plan, *SIM, "--out", folder / "load")
    assert ran.status in (0, 1), ran.text
    return ran.status == 0


def test_the_answer_is_the_knee_that_load_shows_as_well(tmp_path):
    text, found = capacity(tmp_path, write(tmp_path), *SIM, "--step-for", "8s")
    answer = found["accounts"]
    assert found["verdict"] == "pass" and found["confirmed"] and found["narrow"] and not found["unsteady"]
    assert holds(tmp_path, answer) and not holds(tmp_path, round(answer * 1.1)), text
    assert f"capacity: {answer} accounts (" in text
    assert re.search(r"first to break: imap\.fetch p99 < 250ms: [\d.]+ ms, at \d+ accounts", text)
    assert re.search(r"confirmed: 80 % \(\d+\) met, 100 % \(\d+\) met, 120 % \(\d+\) MISSED", text)


def test_a_server_twice_as_quick_carries_about_twice_as_much(tmp_path):
    plan = write(tmp_path)
    slow, quick = (capacity(tmp_path, plan, "--sim", "--serves", rate, "--step-for", "8s")[1]["accounts"]
                   for rate in ("150/s", "300/s"))
    assert 1.8 < quick / slow < 2.4


def test_devices_that_poll_are_not_measured_by_their_logins(tmp_path):
    """Each poll of pop-delete is about seven pieces of input, every five minutes: fifty a second are used up at some two
    thousand of them. A ramp in which all of them log in carries a few dozen."""
    ran = tool.mailproof("capacity", "--profile", "pop-delete", "--accounts", 100, "--rate", "0.1/s", "--sim", "--serves", "50/s", "--from", 800,
                         "--out", tmp_path / "run")
    found = json.loads((tmp_path / "run/capacity.json").read_text("utf-8"))
    assert found["accounts"] >= 800, ran.text
    assert "pop-delete polls every 300 s, and a load is measured for 30 s" in ran.text


def test_the_run_directory_holds_each_load_and_the_knee(tmp_path):
    _, found = capacity(tmp_path, write(tmp_path), *SIM, "--step-for", "4s")
    for load in found["loads"]:
        stats = json.loads((tmp_path / "run" / load["directory"] / "stats.json").read_text("utf-8"))
        assert stats["plan"]["accounts"] == load["accounts"]
        # What too little happened of is held against no load, and yet it does not pass.
        assert (stats["verdict"] == "fail") == (load["came"] == "missed")
    page = (tmp_path / "run/report.html").read_text("utf-8")
    assert "<svg" in page and "<script" not in page
    run = json.loads((tmp_path / "run/run.json").read_text("utf-8"))
    assert run["verdict"] == "pass" and run["capacity"]["accounts"] == found["accounts"]
    assert (tmp_path / "run/junit.xml").exists() and (tmp_path / "run/summary.md").exists()


def test_steps_are_bounded_and_what_is_not_confirmed_is_no_answer(tmp_path):
    text, found = capacity(tmp_path, write(tmp_path), *SIM, "--step-for", "4s", "--max-steps", "2", status=3)
    assert len(found["loads"]) == 2 and not found["confirmed"] and "NOT CONFIRMED" in text


def test_what_the_pool_has_is_where_it_ends(tmp_path):
    text, found = capacity(tmp_path, write(tmp_path), "--sim", "--step-for", "4s", "--most", "24", status=3)
    assert found["accounts"] == 24 and "above" not in found
    assert "capacity: at least 24 accounts" in text and "there are no more accounts: --most 24" in text


def test_at_least_decides_the_exit_status(tmp_path):
    plan = write(tmp_path)
    capacity(tmp_path, plan, "--sim", "--step-for", "4s", "--most", "24", "--at-least", "20")
    text, _ = capacity(tmp_path, plan, *SIM, "--step-for", "4s", "--at-least", "2000", status=1)
    assert "asked for were at least 2000 accounts" in text


def test_lost_mail_fails_whatever_the_load(tmp_path):
    text, found = capacity(tmp_path, write(tmp_path), "--sim", "--step-for", "8s", "--most", "40", "--defect",
                           "delivery.drops-one-in-200", status=1)
    assert found["verdict"] == "fail" and "PROMISES THAT NO LOAD EXCUSES" in text and "small/ledger/lost" in text


def test_a_plan_without_slo_is_held_to_specmails(tmp_path):
    text, found = capacity(tmp_path, write(tmp_path, slo=None), "--sim", "--step-for", "4s", "--most", "10", status=3)
    assert "SPECmail2001" in text
    assert {line["line"] for line in found["loads"][0]["slo"]} == {
        "imap.connect p95 < 5s", "imap.select p95 < 5s", "imap.fetch p95 < 5s", "pop3.connect p95 < 5s", "pop3.stat p95 < 5s", "pop3.retr p95 < 5s",
        "pop3.dele p95 < 5s", "lmtp.connect p95 < 5s", "lmtp.deliver p95 < 5s", "delivery-to-visible.imap p95 < 1m", "errors < 1%", "lost = 0"}


def test_over_sockets_and_stories_grow_with_it(tmp_path):
    plan = write(tmp_path, also=[{"story": "sync.read-on-phone-read-everywhere", "rate": "1/s", "copies": 5}],
                 slo=["imap.fetch p99 < 30s", "lost = 0"])
    text, found = capacity(tmp_path, plan, "--sockets", "--step-for", "2s", "--most", "20", "--max-steps", "5", status=3)
    assert found["accounts"] == 20, text
    assert "this machine: " in text


def test_a_server_that_is_down_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("MAILPROOF_PASSWORD", "pass")
    target = tmp_path / "down.yaml"
    target.write_text("""target: down
imap: [{host: 127.0.0.1, port: 1}]
pop3: [{host: 127.0.0.1, port: 1}]
lmtp: [{host: 127.0.0.1, port: 1}]
accounts:
  - {login: "u%d", address: "u%d@example.test", count: 100, password_env: MAILPROOF_PASSWORD}
""", "utf-8")
    text, found = capacity(tmp_path, write(tmp_path), "--target", target, status=3)
    assert found["verdict"] == "error" and "it could not be played: imap 127.0.0.1:1: connect: connection refused" in text
    ran = tool.mailproof("load", write(tmp_path), "--target", target, "--out", tmp_path / "load")
    assert ran.status == 3
    assert "plan small was not played on down: imap 127.0.0.1:1: connect: connection refused" in ran.text
    assert "p99" not in ran.text and "generator" not in ran.text
    ran = tool.mailproof("load", "sync.read-on-phone-read-everywhere", "--target", target, "--out", tmp_path / "story")
    assert ran.status == 3 and "the load was not played on down: " in ran.text and "p99" not in ran.text


def test_over_sockets_the_knee_is_where_the_server_was_made_slow(tmp_path):
    """A hundred pieces of input a second are used up by some twenty or thirty accounts here."""
    plan = write(tmp_path, ramp="1s", slo=["imap.connect p95 < 500ms", "lost = 0"])
    text, found = capacity(tmp_path, plan, "--sockets", "--serves", "100/s", "--step-for", "3s", "--precision", "50", "--from", "60",
                           "--audit", "20%")
    assert found["verdict"] == "pass" and found["confirmed"] and found["narrow"], text
    assert 10 <= found["accounts"] <= 45 and found["above"]["came"] == "missed", text
    # What did not hold is played again at once, and believed then; what this machine was too busy for is played once more as well.
    loads = found["loads"]
    if any(one["came"] == "limited" for one in loads):
        pytest.skip("the answer is right; in which order loads are played again was not seen, for this machine was the limit of one")
    for one, after in zip(loads, loads[1:]):
        assert after["again"] == (one["came"] == "missed" and not one["again"] and one["percent"] <= 100), text
        assert not after["again"] or after["accounts"] == one["accounts"]
    assert loads[1]["again"] and loads[1]["came"] == "missed"
    assert re.search(r"first to break: imap\.connect p95 < 500ms: [\d.]+ m?s, at \d+ accounts", text)
    assert re.search(r"this machine: \d+ % of a core and at most \d+ ms late .* about [\d.]+ times as much", text)


def test_what_cannot_be_searched_says_so(tmp_path):
    def refused(*arguments):
        ran = tool.mailproof("capacity", *arguments, "--out", tmp_path / "run")
        assert ran.status == 2, ran.text
        return ran.text

    plan = write(tmp_path)
    assert "it needs --sim or --sockets" in refused(plan, "--target", ROOT / "nobody.yaml", "--serves", "300/s")
    assert "expected something like 500/s" in refused(plan, "--sim", "--serves", "fast")
    assert "expected a time like 30s" in refused(plan, "--sim", "--step-for", "long")
    assert "is no plan" in refused(ROOT / "scenarios/sync/read-on-phone-read-everywhere.yaml", "--sim")
    assert "whose capacity?" in refused("--sim")
    (tmp_path / "times.txt").write_text("0.5\n1\n", "utf-8")
    recorded = write(tmp_path, "recorded.yaml", arrivals={"recorded": "times.txt"})
    assert "recorded times" in refused(recorded, "--sim")
