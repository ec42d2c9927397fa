"""`load` with a plan: customers with devices, mail that comes in for them, what must hold, and an end for every message."""
import imaplib
import json
import re
import smtplib

import pytest
import yaml

import reference_server
import tool

ROOT = reference_server.ROOT
SMALL = {
    "plan": "small", "accounts": 20, "ramp": "3s", "for": "12s", "pace": 20,
    "mix": {"thunderbird": "60%", "pop-delete": "40%"},
    "arrivals": {"deliveries": "20/s", "sizes": "small"},
    "slo": ["imap.fetch p99 < 5s", "errors = 0%", "lost = 0"],
}
PROFILES = sorted(path.stem for path in (ROOT / "scenarios/devices").glob("*.yaml"))


def write(folder, **changes):
    plan = {key: value for key, value in {**SMALL, **changes}.items() if value is not None}
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(plan, sort_keys=False), "utf-8")
    return path


def load(folder, *arguments, status=0):
    """What it printed, and stats.json."""
    ran = tool.mailproof("load", *arguments, "--out", folder / "run")
    assert ran.status == status, ran.text
    return ran.text, json.loads((folder / "run/stats.json").read_text("utf-8"))


def closes(ledger):
    return ledger["sent"] == ledger["accepted"] + ledger["refused"] + ledger["unknown"] and ledger["accepted"] == sum(
        ledger["fates"].values())


def test_a_plan_passes_and_its_ledger_closes(tmp_path):
    text, stats = load(tmp_path, write(tmp_path), "--sim")
    assert stats["verdict"] == "pass" and "pass: 0 lost" in text
    assert stats["plan"]["accounts"] == 20 and stats["plan"]["aborted"] == ""
    # 20/s, rising over three seconds: 1.5 + 12 seconds' worth, and the last would be due at the very end.
    assert stats["ledger"]["sent"] == 269 and closes(stats["ledger"])
    assert set(stats["ledger"]["fates"]) == {"present", "removed-by-client"}
    operations = stats["operations"]
    assert operations["lmtp.deliver"]["ok"] == 269
    assert operations["pop3.dele"]["ok"] == stats["ledger"]["fates"]["removed-by-client"]
    assert operations["delivery-to-visible.imap"]["ok"] > 100
    assert [line["verdict"] for line in stats["slos"]] == ["pass"] * 3


def test_the_number_of_threads_changes_nothing(tmp_path):
    plan = write(tmp_path)
    both = [load(tmp_path, plan, "--sim", "--jobs", jobs)[1] for jobs in (1, 2)]
    assert both[0]["ledger"] == both[1]["ledger"]
    for name in ("lmtp.deliver", "imap.connect", "pop3.connect", "pop3.retr", "pop3.dele", "delivery-to-visible"):
        assert both[0]["operations"][name]["ok"] == both[1]["operations"][name]["ok"], name


def test_the_same_seed_is_the_same_run(tmp_path):
    plan = write(tmp_path, arrivals={"deliveries": "20/s", "spacing": "poisson"})
    first, again = (load(tmp_path, plan, "--sim")[1] for _ in range(2))
    other = load(tmp_path, plan, "--sim", "--seed", 2)[1]
    assert first == again
    assert first["ledger"]["sent"] != other["ledger"]["sent"] or first["operations"] != other["operations"]


def test_over_sockets(tmp_path):
    text, stats = load(tmp_path, write(tmp_path, ramp="1s", **{"for": "4s"}), "--sockets", "--jobs", 2)
    assert stats["verdict"] == "pass", text
    assert stats["ledger"]["sent"] == 89 and closes(stats["ledger"])
    assert re.search(r"at most \d+ connections", text)


def test_a_lost_message_is_named_with_its_account_and_sessions(tmp_path):
    text, stats = load(tmp_path, write(tmp_path), "--sim", "--defect", "delivery.drops-one-in-200", status=1)
    lost = stats["ledger"]["fates"]["lost"]
    assert lost >= 1 and stats["ledger"]["unexplained"] == lost and closes(stats["ledger"])
    [finding] = [one for one in stats["findings"] if one["id"] == "small/ledger/lost"]
    assert finding["times"] == lost == len(finding["messages"]) and finding["severity"] == "fail"
    for message in finding["messages"]:
        assert re.match(r"message \d+ to user\d{4}, accepted at \d+\.\d{3} s; (never seen, though there was \w+ session|no device)",
                        message)
    assert re.search(r"MISSED +lost = 0 +" + str(lost), text)
    [command] = set(re.findall(r"Reproduce: +mailproof (.*)", text))
    assert tool.mailproof(*command.split(), "--out", tmp_path / "again").status == 1


@pytest.mark.parametrize("defect, found", [("pop3.quit-deletes-nothing", "reappeared"), ("delivery.duplicate", "duplicated"),
                                           ("imap.foreign-body", "leaked")])
def test_other_defects_are_found_under_load(defect, found, tmp_path):
    text, _ = load(tmp_path, write(tmp_path, pace=100), "--sim", "--defect", defect, status=1)
    assert f"small/ledger/{found}  [fail]" in text


def test_an_slo_that_is_missed_fails(tmp_path):
    text, stats = load(tmp_path, write(tmp_path, slo=["imap.fetch p99 < 1ms", "lost = 0"]), "--sim", status=1)
    assert [line["verdict"] for line in stats["slos"]] == ["fail", "pass"] and stats["verdict"] == "fail"
    assert re.search(r"MISSED imap.fetch p99 < 1ms +\d+\.\d+ ms", text)


def test_an_slo_of_what_never_happened_is_inconclusive(tmp_path):
    text, stats = load(tmp_path, write(tmp_path, slo=["smtp.deliver p99 < 1s"]), "--sim", status=3)
    assert stats["slos"][0]["verdict"] == "inconclusive" and "nothing of it happened" in text


def test_abort_when_ends_it_early(tmp_path):
    plan = write(tmp_path, **{"for": "60s"}, abort_when=["imap.fetch p50 > 0ms"], slo=None)
    text, stats = load(tmp_path, plan, "--sim", status=1)
    assert text.startswith("ABORTED: abort_when: imap.fetch p50 > 0ms held") and stats["seconds"] < 20


def test_a_rate_that_ends_it_is_that_of_one_thread(tmp_path):
    plan = write(tmp_path, abort_when=["imap.fetch rate < 1000/s"])
    ran = tool.mailproof("load", plan, "--sim", "--jobs", 2, "--out", tmp_path / "run")
    assert ran.status == 2 and "a rate is that of one thread, and 2 play" in ran.err, ran.text


def test_what_one_thread_ends_it_for_ends_all(tmp_path):
    plan = write(tmp_path, accounts=24, mix={"thunderbird": "50%", "fetchmail": "50%"}, ramp=None, **{"for": "60s"},
                 abort_when=["imap.connect p50 > 0ms"], slo=None)
    text, stats = load(tmp_path, plan, "--sockets", "--jobs", 2, status=1)  # one thread has all that is IMAP
    assert text.startswith("ABORTED: abort_when: imap.connect p50 > 0ms held") and stats["seconds"] < 30, text


def test_a_sample_is_looked_into_and_the_rest_is_said(tmp_path):
    _, stats = load(tmp_path, write(tmp_path), "--sim", "--audit", "50%")
    fates = stats["ledger"]["fates"]
    assert closes(stats["ledger"]) and fates["not-looked-for"] > 0 and fates["present"] > 0


@pytest.mark.parametrize("profile", PROFILES)
def test_each_profile_plays(profile, tmp_path):
    plan = write(tmp_path, accounts=5, mix={profile: "100%"}, pace=300, slo=["errors = 0%", "lost = 0"])
    _, stats = load(tmp_path, plan, "--sim")
    # Every one of them sees mail, and asks for no more than its protocol has.
    assert stats["operations"]["delivery-to-visible"]["ok"] > 50
    spoken = {name.split(".")[0] for name in stats["operations"]} - {"delivery-to-visible", "lmtp"}
    assert len(spoken) == 1


def test_stories_ride_along(tmp_path):
    story = "sync.read-on-phone-read-everywhere"
    plan = write(tmp_path, also=[{"story": story, "rate": "1/s", "copies": 3}])
    _, stats = load(tmp_path, plan, "--sim")
    assert [one["story"] for one in stats["stories"]] == [story, "small"]
    assert stats["stories"][0]["verdicts"] == {"pass": 15} and closes(stats["ledger"])


def test_times_are_of_the_measured_phase(tmp_path):
    plan = write(tmp_path, ramp="4s", slo=["imap.fetch p50 < 1m"])
    text, stats = load(tmp_path, plan, "--sim")
    fetch = stats["operations"]["imap.fetch"]
    assert stats["measured"]["from_ns"] == 4 * 10**9 and 0 < fetch["measured"]["ok"] < fetch["ok"]
    run = json.loads((tmp_path / "run/run.json").read_text("utf-8"))
    assert run["load"]["measured"]["from_s"] == 4
    assert "SLO: (times and rates of what was due from 4.000 s to" in text
    plan = write(tmp_path, ramp="4s", measure="all", slo=["imap.fetch p50 < 1m"])
    _, stats = load(tmp_path, plan, "--sim")
    assert stats["measured"]["from_ns"] == 0
    ran = tool.mailproof("check", write(tmp_path, measure={"from": "1s", "for": "1h"}))
    assert ran.status == 2 and "an end within the run" in ran.err
    ran = tool.mailproof("check", write(tmp_path, first_poll="later"))
    assert ran.status == 2 and "at-once" in ran.err


def test_polls_are_spread_over_their_interval(tmp_path):
    """Fifty who poll once a minute: in the half minute after their ramp half of them do, and not all before and none then."""
    for first, in_the_ramp in (("at-once", 50), ("spread", 2)):
        plan = write(tmp_path, accounts=50, ramp="2s", pace=5, mix={"pop-delete": "100%"}, first_poll=first,
                     arrivals={"deliveries": "5/s", "sizes": "small"}, slo=["lost = 0"], **{"for": "30s"})
        _, stats = load(tmp_path, plan, "--sim")
        rounds = stats["operations"]["pop3.round"]
        assert 12 <= rounds["measured"]["ok"] <= 38, rounds
        assert abs(rounds["ok"] - rounds["measured"]["ok"] - in_the_ramp) <= 4, rounds


def test_a_plans_shards_are_parts_of_its_accounts_and_not_of_copies(tmp_path):
    plan = write(tmp_path, accounts=20)
    load(tmp_path, plan, "--sim", "--shard", "1/4", "--jobs", 3)
    ran = tool.mailproof("load", plan, "--sim", "--shard", "1/7", "--jobs", 3, "--out", tmp_path / "more")
    assert ran.status == 2 and "21 threads need at least as many accounts of the plan, not 20" in ran.err
    beside = write(tmp_path, accounts=20, also=[{"story": "sync.read-on-phone-read-everywhere", "rate": "1/s", "copies": 3}])
    ran = tool.mailproof("load", beside, "--sim", "--shard", "1/4", "--out", tmp_path / "beside")
    assert ran.status == 2 and "4 threads need at least as many copies of sync.read-on-phone-read-everywhere" in ran.err


def test_a_profile_without_a_file(tmp_path):
    text, stats = load(tmp_path, "--profile", "roundcube", "--accounts", 10, "--for", "20s", "--sim")
    assert "\nmail comes at 100 messages an account and day\n" in text
    assert text.startswith("plan roundcube on sim: 10 accounts") and stats["ledger"]["unexplained"] == 0
    ran = tool.mailproof("load", "--profile", "roundcub", "--sim")
    assert ran.status == 2 and "did you mean 'roundcube'?" in ran.err


def test_what_was_due_and_is_slow_counts_after_the_end_too(tmp_path):
    """A server that drowns: a round that was begun and is not over with the load would be the slowest, and left out."""
    _, stats = load(tmp_path, "--profile", "thunderbird", "--accounts", "160", "--for", "20s", "--rate", "16/s", "--sim", "--serves", "60/s",
                    status=3)  # mail was never handed over
    connect, rounds = stats["operations"]["imap.connect"], stats["operations"]["imap.round"]
    assert connect["ok"] == 320
    # Of its two connections one looks for mail, and a few of those are due for a second time.
    assert rounds["ok"] + rounds["fail"] + rounds["info"] == rounds["started"] and 160 <= rounds["started"] <= 170


def test_a_login_that_is_refused_is_no_login_and_no_poll(tmp_path):
    plan = write(tmp_path, mix=[{"devices": ["pop-delete", "outlook-pop-14days"], "share": "100%"}], slo=["pop3.login errors < 1%", "pop3.round errors < 1%"])
    text, stats = load(tmp_path, plan, "--sim", "--latitude", "pop3.login-delay", status=1)
    for name in ("pop3.connect", "pop3.login", "pop3.round"):
        one = stats["operations"][name]
        assert one["fail"] > 0 and one["fail"] == one["errors"]["login refused"], text
    assert "MISSED pop3.login errors < 1%" in text and "MISSED pop3.round errors < 1%" in text


def test_what_is_wrong_with_a_plan_is_said_with_its_place(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text("plan: p\naccounts: 10\nfor: 10s\nmix: {thunderbrd: 100%}\nslo: [imap.fech p99 < 1s]\n", "utf-8")
    for command in (["load", path, "--sim"], ["check", path]):
        ran = tool.mailproof(*command)
        assert ran.status == 2
        assert f"{path}:4:7: 'thunderbrd'" in ran.err and "did you mean 'thunderbird'?" in ran.err
        assert f"{path}:5:7: 'imap.fech'" in ran.err and "did you mean 'imap.fetch'?" in ran.err
    ran = tool.mailproof("run", path, "--sim")
    assert ran.status == 2 and "this is a load plan: mailproof load FILE" in ran.err


def test_recorded_mail_has_its_own_times(tmp_path):
    (tmp_path / "times").write_text("0.5\n1.5\n", "utf-8")
    ran = tool.mailproof("check", write(tmp_path, arrivals={"recorded": "times", "spacing": "poisson"}))
    assert ran.status == 2 and "either it, or spacing:" in ran.err, ran.text


def test_a_dry_run_says_what_it_comes_to(tmp_path):
    ran = tool.mailproof("load", "scenarios/load/office-day.yaml", "--sockets", "--dry-run")
    assert ran.status in (0, 2)
    assert "accounts needed    2000" in ran.out and "connections        3320 at the peak, 3 of one account" in ran.out
    assert not (tmp_path / "run").exists()


def test_a_dry_run_counts_letters_and_what_each_message_asks_for(tmp_path):
    def commands(**changes):
        ran = tool.mailproof("load", write(tmp_path, **changes), "--sockets", "--dry-run")
        return float(re.search(r"commands +(\d+)", ran.out)[1])

    quiet = {"mix": {"fetchmail": "100%"}, "accounts": 10, "arrivals": {"deliveries": "1/s", "sizes": "small"}}
    more = {**quiet, "arrivals": {"deliveries": "10/s", "sizes": "small"}}
    seconds = 9 * 25  # nine messages a second more; LIST, TOP and DELE of each
    assert commands(**more, ramp=None, **{"for": "25s"}) - commands(**quiet, ramp=None, **{"for": "25s"}) >= 3 * seconds - 2


def test_a_limit_of_this_machine_is_named_before_the_first_connection(tmp_path):
    import subprocess  # the limit is a process's own
    command = f"ulimit -n 100; exec {reference_server.BINARY} load scenarios/load/office-day.yaml --sockets --out {tmp_path}/run"
    ran = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 2 and "ulimit -n" in ran.stderr and "3320 connections" in ran.stderr
    assert not (tmp_path / "run").exists()


def test_a_limit_of_the_server_is_named_with_its_setting(tmp_path):
    target = tmp_path / "target.yaml"
    target.write_text("target: t\nimap: [{host: 127.0.0.1, port: 1}]\nlmtp: [{host: 127.0.0.1, port: 1}]\n"
                      "accounts: {login: 'u%d', address: 'u%d@example.test', first: 1, count: 9, password_env: MAILPROOF_PASSWORD}\n"
                      "connections: {user: 1, address: 5}\n", "utf-8")
    plan = write(tmp_path, accounts=9, mix=[{"devices": ["thunderbird", "ios-mail"], "share": "100%"}])
    ran = tool.mailproof("load", plan, "--target", target)
    assert ran.status == 2 and "mail_max_userip_connections" in ran.err and "MAXPERIP" in ran.err


def test_other_peoples_mail_stops_it_and_what_mailproof_left_does_not(tmp_path):
    plan = write(tmp_path, accounts=4, ramp=None, pace=50, mix={"thunderbird": "50%", "mbsync": "50%"}, slo=["errors = 0%", "lost = 0"],
                 **{"for": "2s"})
    environment = {**tool.ENVIRONMENT, "MAILPROOF_PASSWORD": reference_server.PASSWORD}
    with reference_server.server(users=6) as server:
        target = tmp_path / "target.yaml"
        target.write_text(
            f"target: t\nsettle: 1s\nimap: [{{host: 127.0.0.1, port: {server.ports['imap']}}}]\n"
            f"lmtp: [{{host: 127.0.0.1, port: {server.ports['lmtp']}}}]\naccounts: {{login: 'user%04d', "
            "address: 'user%04d@example.test', first: 1, count: 4, password_env: MAILPROOF_PASSWORD}\n", "utf-8")

        def play(*more):
            return tool.mailproof("load", plan, "--target", target, *more, "--out", tmp_path / "run", env=environment)

        kept = play("--keep")
        assert kept.status == 0, kept.text
        with imaplib.IMAP4(*server.imap) as client:
            client.login("user0001", reference_server.PASSWORD)
            assert int(client.select()[1][0]) > 0  # what the next one takes away before it begins
        assert play().status == 0
        with smtplib.LMTP(*server.lmtp) as client:
            client.sendmail("x@example.test", ["user0003@example.test"], "From: x@example.test\r\nSubject: mine\r\n\r\nhello\r\n")
        refused = play()
        assert refused.status == 3 and "user0003 holds 1 message that is not mailproof's" in refused.out
        assert play("--i-own-these-mailboxes").status == 0
        with imaplib.IMAP4(*server.imap) as client:
            client.login("user0003", reference_server.PASSWORD)
            assert client.select()[1] == [b"1"] and client.search(None, "UNSEEN", "SUBJECT", "mine")[1] == [b"1"]


@pytest.mark.parametrize("flags, said", [
    (["PLAN", "--copies", 5], "a plan says itself how many, how fast and how long"),
    (["PLAN", "--rate", "5/s"], "a plan says itself how many, how fast and how long"),
    (["PLAN", "--for", "5s"], "a plan says itself how many, how fast and how long"),
    (["PLAN", "--accounts", 5], "--accounts is of --profile"),
    (["--profile", "fetchmail", "--copies", 5], "--copies is of stories"),
    (["pop3.delete-on-download", "--accounts", 5], "--accounts is of --profile"),
    (["--profile", "fetchmail", "--rate", "1000000/s"], "at most 10000/s"),
    (["--profile", "fetchmail", "--for", "100h"], "at most 24h"),
])
def test_what_does_not_belong_together_is_refused(flags, said, tmp_path):
    plan = write(tmp_path)
    ran = tool.mailproof("load", *[plan if flag == "PLAN" else flag for flag in flags], "--sim", "--out", tmp_path / "run")
    assert ran.status == 2 and said in ran.err, ran.text


def few_accounts(folder, count):
    """A target with so many accounts; nobody listens there."""
    path = folder / "target.yaml"
    path.write_text("target: few\n" + "".join(
        f"{protocol}: [{{host: 127.0.0.1, port: 9, tls: none}}]\n" for protocol in ("imap", "pop3", "lmtp"))
        + 'delivery: [lmtp]\naccounts:\n  - {login: "user%02d", address: "user%02d@example.test", first: 1, '
        f"count: {count}, password_env: MAILPROOF_PASSWORD}}\n", "utf-8")
    return path


@pytest.mark.parametrize("command", [("load",), ("load", "--dry-run"), ("capacity", "--step-for", "1s", "--max-steps", 3)])
def test_too_few_accounts_are_said_with_how_many_and_how_to_get_them(command, tmp_path):
    ran = tool.mailproof(*command, write(tmp_path), "--target", few_accounts(tmp_path, 7), "--out", tmp_path / "run")
    assert ran.status != 0
    [said] = [line for line in ran.text.splitlines() if "needs 20 accounts" in line]
    assert "the target's pool has 7: make 13 more on the server and name them in the target file" in said
    assert "count: 20, password_env: ...}" in said and "at most 7 customers" in said


@pytest.mark.parametrize("kind", ["plan", "stories"])
def test_what_is_kept_of_copies_changes_no_verdict_and_no_figure(kind, tmp_path):
    runs, sizes = {}, {}
    for keep in ("full", "findings", "none"):
        folder = tmp_path / keep
        folder.mkdir()
        if kind == "plan":
            plan = write(folder, also=[{"story": "sync.read-on-phone-read-everywhere", "rate": "1/s", "copies": 3}])
            played = (plan, "--sim", "--jobs", 2)
        else:
            played = ("mixed.pop-download-empties-the-phone", "--sim", "--copies", 12, "--rate", "6/s", "--for", "10s",
                      "--defect", "delivery.drops-one-in-200")
        _, runs[keep] = load(folder, *played, "--history", keep, status=0 if kind == "plan" else 1)
        kept = [folder / "run/history.jsonl", *(folder / "run/wire").rglob("*")]
        sizes[keep] = sum(path.stat().st_size for path in kept if path.is_file())
    for one in runs.values():
        for finding in one["findings"]:
            finding.pop("reproduce", None)
    assert runs["full"] == runs["findings"] == runs["none"]
    assert runs["full"]["verdict"] == ("pass" if kind == "plan" else "fail") and closes(runs["full"]["ledger"])
    assert sizes["full"] > sizes["findings"] >= sizes["none"] and sizes["none"] < 100, sizes  # one line, that says so
    assert (sizes["findings"] > sizes["none"]) == (kind == "stories"), sizes


def test_connections_and_octets_of_customers_are_counted_over_time(tmp_path):
    _, stats = load(tmp_path, write(tmp_path), "--sim")
    connections = stats["over_time"]["connections"]["area_ns"]
    # From time zero of the plan on, and not from when its mailboxes were looked at: its last second is the 15th or later.
    assert 15 <= len(connections) < 25 and max(connections) <= 1e9 * stats["plan"]["most_connections"]
    assert sum(stats["octets"]["in"]) > 269 * 2048 and sum(stats["octets"]["out"]) > 269 * 2048


def test_shards_of_a_plan_merge_to_what_one_process_reports(tmp_path):
    plan = write(tmp_path)
    for part in (1, 2):
        ran = tool.mailproof("load", plan, "--sim", "--shard", f"{part}/2", "--out", tmp_path / f"part-{part}")
        assert ran.status == 0, ran.text
    ran = tool.mailproof("merge", tmp_path / "part-1", tmp_path / "part-2", "--out", tmp_path / "whole")
    assert ran.status == 0, ran.text
    load(tmp_path, plan, "--sim", "--jobs", 2)
    assert (tmp_path / "whole/stats.json").read_bytes() == (tmp_path / "run/stats.json").read_bytes()
