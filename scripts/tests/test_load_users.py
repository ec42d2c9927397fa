"""Users in a closed loop: each plays his story, thinks, and plays it again; on the command line and beside a plan."""
import json

import pytest
import yaml

import tool

POP = "mixed.pop-download-empties-the-phone"
READ = "sync.read-on-phone-read-everywhere"
PLAN = {"plan": "with-users", "accounts": 4, "for": "20s", "pace": 4, "mix": {"thunderbird": "100%"},
        "arrivals": {"deliveries": "2/s", "sizes": "small"},
        "also": [{"story": READ, "users": 3, "think": "4s..12s"}, {"story": POP, "rate": "1/s", "copies": 5}]}


def load(out, *arguments, status=0):
    ran = tool.mailproof("load", *arguments, "--out", out)
    assert ran.status == status, ran.text
    return ran.text, json.loads((out / "stats.json").read_text("utf-8"))


def plan(folder, **changes):
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump({**PLAN, **changes}, sort_keys=False), "utf-8")
    return path


@pytest.mark.parametrize("think, least, most", [("2s", 60, 100), ("1s..3s", 60, 100), ("exponential 2s", 60, 140)])
def test_users_play_think_and_play_again(think, least, most, tmp_path):
    text, stats = load(tmp_path / "run", READ, "--sim", "--users", 5, "--think", think, "--for", "40s")
    assert stats["verdict"] == "pass" and stats["unserved"] == 0 and stats["copies"] == 0 and stats["slots"] == 5
    assert least <= stats["played"] <= most, "a play takes a twentieth of a second"
    assert stats["users"] == [{"story": READ, "users": 5, "think": think}]
    story = stats["operations"]["story"]
    assert story["intended"] == story["ok"] == stats["played"] and story["lateness"]["max_ns"] == 0
    assert f"5 users of each in a closed loop, who think {think}; {stats['played']} copies" in text
    assert "coordinated omission" in text and "end of the thinking" in text
    report = (tmp_path / "run/report.html").read_text("utf-8")
    assert f"of 5 users in a closed loop each, who think {think}" in report and "coordinated omission" in report


def test_a_minute_is_how_long_they_go_on(tmp_path):
    _, stats = load(tmp_path / "run", READ, "--sim", "--users", 1, "--think", "30s")
    assert 60 < stats["seconds"] + 31 and stats["seconds"] < 65 and stats["played"] == 2


def test_the_same_seed_is_the_same_run_and_another_is_not(tmp_path):
    asked = [READ, "--sim", "--users", 4, "--think", "1s..5s", "--for", "30s"]
    first, again = (load(tmp_path / name, *asked)[1] for name in ("a", "b"))
    other = load(tmp_path / "c", *asked, "--seed", 2)[1]
    assert first == again and first["operations"] != other["operations"]


def test_the_command_that_is_printed_plays_the_same(tmp_path):
    load(tmp_path / "run", READ, "--sim", "--users", 2, "--think", "exponential 3s", "--for", "20s")
    run = json.loads((tmp_path / "run/run.json").read_text("utf-8"))
    assert "--users 2 --think 'exponential 3s' --for 20s" in run["load"]["command"]
    assert run["load"]["settings"]["they think"] == "exponential 3s"


def test_shards_share_the_users_and_merge_exactly(tmp_path):
    asked = [READ, POP, "--sim", "--users", 7, "--think", "1s..4s", "--for", "25s"]
    _, whole = load(tmp_path / "whole", *asked, "--jobs", 2)
    for part in (1, 2):
        load(tmp_path / f"part-{part}", *asked, "--shard", f"{part}/2")
    ran = tool.mailproof("merge", tmp_path / "part-1", tmp_path / "part-2", "--out", tmp_path / "merged")
    assert ran.status == 0, ran.text
    assert (tmp_path / "merged/stats.json").read_bytes() == (tmp_path / "whole/stats.json").read_bytes()
    assert whole["slots"] == 7 and [one["users"] for one in whole["users"]] == [7, 7]
    other = [*asked[:6], "2s", *asked[7:]]
    load(tmp_path / "other", *other, "--shard", "2/2")
    ran = tool.mailproof("merge", tmp_path / "part-1", tmp_path / "other", "--out", tmp_path / "none")
    assert ran.status == 2 and "users in a closed loop: " in ran.text, ran.text


def test_a_slow_server_is_asked_for_less_and_no_copy_is_unserved(tmp_path):
    asked = [READ, "--sim", "--users", 10, "--think", "1s", "--for", "30s"]
    _, quick = load(tmp_path / "quick", *asked)
    _, slow = load(tmp_path / "slow", *asked, "--serves", "20/s")
    assert slow["played"] < quick["played"] and slow["unserved"] == quick["unserved"] == 0
    assert slow["operations"]["story"]["lateness"]["max_ns"] == 0


def test_beside_a_plan(tmp_path):
    file = plan(tmp_path)
    ran = tool.mailproof("load", file, "--sim", "--dry-run")
    assert ran.status == 0 and f"beside             {READ}: 3 users in a closed loop, who think 4s..12s" in ran.out, ran.text
    assert f"beside             {POP}: 1.0 copies/s, at most 5 at a time: 20 in all" in ran.out
    text, stats = load(tmp_path / "run", file, "--sim")
    users, copies = stats["stories"][:2]
    # Four times as fast: 1s to 3s, and a second for the story.
    assert 12 <= users["ledger"]["copies"] <= 36 and copies["ledger"]["copies"] == 20
    assert stats["users"] == [{"story": READ, "users": 3, "think": "4s..12s"}]
    assert f"closed loop: 3 users play {READ} and think 4s..12s between" in text
    again = load(tmp_path / "again", file, "--sim")[1]
    assert stats == again
    for part in (1, 2):
        load(tmp_path / f"part-{part}", file, "--sim", "--shard", f"{part}/2")
    load(tmp_path / "both", file, "--sim", "--jobs", 2)
    ran = tool.mailproof("merge", tmp_path / "part-1", tmp_path / "part-2", "--out", tmp_path / "merged")
    assert ran.status == 0, ran.text
    assert (tmp_path / "merged/stats.json").read_bytes() == (tmp_path / "both/stats.json").read_bytes()


def test_over_sockets(tmp_path):
    _, stats = load(tmp_path / "run", READ, "--sockets", "--users", 4, "--think", "200ms..600ms", "--for", "4s", "--jobs", 2)
    assert stats["verdict"] == "pass" and stats["played"] > 4


def test_compare_says_that_users_ask_a_slower_server_for_less(tmp_path):
    for name, users in (("a", 4), ("b", 6)):
        load(tmp_path / name, READ, "--sim", "--users", users, "--think", "1s", "--for", "1m")
    ran = tool.mailproof("compare", tmp_path / "a", tmp_path / "b")
    assert f"users in a closed loop: 4 of {READ}, who think 1s there, 6 of {READ}, who think 1s here" in ran.out, ran.text
    assert "ask a slower server for less" in ran.out


@pytest.mark.parametrize("flags, said", [
    (["--users", 3], "also --think"),
    (["--think", "2s"], "--think is of --users"),
    (["--users", 3, "--think", "5s..2s"], "--think 5s..2s: expected a thinking time like 2s, 2s..5s or exponential 3s"),
    (["--users", 3, "--think", "2s", "--rate", "2/s"], "either the one or the other"),
    (["--users", 3, "--think", "2s", "--copies", 2], "either the one or the other"),
    (["--users", 3, "--think", "2s", "--for", "0s"], "--for 0s: expected a time like 30s"),
    (["--users", 3, "--think", "2s", "--shard", "1/4"], "4 threads need at least as many --users"),
])
def test_what_does_not_fit_is_said(flags, said, tmp_path):
    ran = tool.mailproof("load", READ, "--sim", *flags, "--out", tmp_path / "run")
    assert ran.status == 2 and said in ran.text, ran.text


@pytest.mark.parametrize("also, said", [
    ("{story: a.b, users: 2}", "plan.yaml:5:21: 'users'; expected also think:"),
    ("{story: a.b, think: 2s}", "plan.yaml:5:21: 'think'; expected think: beside users:"),
    ("{story: a.b, users: 2, think: 5s..2s}", "plan.yaml:5:38: '5s..2s'; expected a thinking time like 2s, 2s..5s"),
    ("{story: a.b, users: 2, think: 2s, rate: 1/s}", "plan.yaml:5:42: 'rate'; expected either users: and think:"),
    ("{story: a.b, users: 0, think: 2s}", "plan.yaml:5:28: '0'; expected users of this story"),
    ("{story: a.b, user: 2}", "did you mean 'users'?"),
])
def test_errors_name_line_and_column(also, said, tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(f"plan: p\naccounts: 1\nfor: 5s\nmix: {{thunderbird: 100%}}\nalso: [{also}]\n", "utf-8")
    ran = tool.mailproof("check", path)
    assert ran.status == 2 and said in ran.text, ran.text
