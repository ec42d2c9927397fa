"""Customers of a load plan that write mail themselves, what goes wrong with them, and what is left of a run that is killed."""
import json
import os
import re
import shutil
import signal
import time

import pytest
import yaml

import reference_server
import throwaways
import tool

ROOT = reference_server.ROOT
WRITES = {"every": "5m", "jitter": "50%", "size": "6KiB", "save_to": "Sent", "source": "for this test"}


def profile(folder, name, **sections):
    """A profile that is shipped, with other sections."""
    text = yaml.safe_load((ROOT / f"scenarios/devices/{name}.yaml").read_text("utf-8"))
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({**text, **sections}, sort_keys=False), "utf-8")
    return str(path)


def plan(folder, **changes):
    text = {"plan": "customers", "accounts": 12, "ramp": "2s", "for": "12s", "pace": 60, "mix": {"thunderbird": "100%"},
            "arrivals": {"deliveries": "5/s", "sizes": "small"}, "slo": ["lost = 0", "errors = 0%"], **changes}
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(text, sort_keys=False), "utf-8")
    return path


def load(folder, *arguments, status=0, **more):
    ran = tool.mailproof("load", *arguments, "--out", folder / "run", **more)
    assert ran.status == status, ran.text
    return ran.text, json.loads((folder / "run/stats.json").read_text("utf-8"))


def closes(ledger):
    return ledger["sent"] == ledger["accepted"] + ledger["refused"] + ledger["unknown"] and ledger["accepted"] == sum(
        ledger["fates"].values())


def writers(folder):
    """Four kinds that write: one that stays connected, one that logs in for each thing, one at its polls, and POP3."""
    pop = {key: value for key, value in WRITES.items() if key != "save_to"}
    return {profile(folder, "thunderbird", send=WRITES): "40%", profile(folder, "roundcube", send=WRITES): "20%",
            profile(folder, "mbsync", send=WRITES): "20%", profile(folder, "pop-delete", send=pop): "20%"}


def test_customers_write_and_keep_a_copy_and_the_ledger_closes(tmp_path):
    text, stats = load(tmp_path, plan(tmp_path, mix=writers(tmp_path)), "--sim")
    ledger, operations = stats["ledger"], stats["operations"]
    assert stats["verdict"] == "pass", text
    assert closes(ledger) and ledger["by_customers"] > 10 and ledger["saved"] > 8
    assert operations["submission.send"]["ok"] == ledger["by_customers"] == ledger["sent"] - ledger["saved"] - operations["lmtp.deliver"]["ok"]
    assert operations["imap.append"]["ok"] == ledger["saved"]
    assert f"of these {ledger['by_customers']} sent by customers, and {ledger['saved']} copies that they saved" in text
    (tmp_path / "again").mkdir()
    assert load(tmp_path / "again", tmp_path / "plan.yaml", "--sim")[1]["ledger"] == ledger


def test_they_do_over_sockets(tmp_path):
    _, stats = load(tmp_path, plan(tmp_path, mix=writers(tmp_path), ramp="1s", **{"for": "5s"}), "--sockets", "--jobs", 2)
    assert stats["verdict"] == "pass" and closes(stats["ledger"])
    assert stats["ledger"]["by_customers"] >= 3 and stats["ledger"]["saved"] >= 1


def test_what_a_customer_sent_is_missed_when_it_is_lost(tmp_path):
    text, stats = load(tmp_path, plan(tmp_path, accounts=30, mix={profile(tmp_path, "thunderbird", send={**WRITES, "every": "1m"}): "100%"},
                                      arrivals={"deliveries": "1/s", "sizes": "small"}),
                       "--sim", "--defect", "delivery.drops-one-in-200", status=1)
    [finding] = [one for one in stats["findings"] if one["id"] == "customers/ledger/lost"]
    assert closes(stats["ledger"]) and stats["ledger"]["fates"]["lost"] == finding["times"] >= 1, text
    numbers = [int(re.match(r"message (\d+) to", message).group(1)) for message in finding["messages"]]
    assert any(number >= 2**31 for number in numbers), numbers


def test_who_comes_back_before_having_left_plays_on(tmp_path):
    """A dip shorter than the slow server needs for a goodbye: as many rounds are due as on a quick one."""
    rounds = {}
    for serves in ("40/s", "1000/s"):
        (tmp_path / serves[:2]).mkdir()
        path = plan(tmp_path, accounts=40, pace=20, mix={"pop-delete": "50%", "roundcube": "50%"}, slo=["lost = 0"],
                    phases=[{"steady": "2s"}, {"steps": ["10%", "100%"], "each": "1s"}, {"steady": "50s"}],
                    arrivals={"deliveries": "2/s", "sizes": "small"})
        document = {key: value for key, value in yaml.safe_load(path.read_text("utf-8")).items() if key not in ("ramp", "for")}
        path.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
        _, stats = load(tmp_path / serves[:2], path, "--sim", "--serves", serves)
        rounds[serves] = [stats["operations"][name]["ok"] for name in ("pop3.round", "imap.round")]
    assert rounds["40/s"][0] > rounds["1000/s"][0] * 3 / 4 > 50, rounds
    assert rounds["40/s"][1] > rounds["1000/s"][1] / 2, rounds


def test_mail_that_a_device_was_too_busy_to_be_told_of_is_waited_for_and_counted(tmp_path):
    text, stats = load(tmp_path, plan(tmp_path, accounts=50, ramp="5s", **{"for": "30s"}, pace=1, arrivals={"deliveries": "20/s", "sizes": "small"},
                                      slo=["lost = 0"]), "--sim", "--serves", "150/s")
    visible, ledger = stats["operations"]["delivery-to-visible"], stats["ledger"]
    assert visible["intended"] == ledger["accepted"] > 300, text


def test_a_target_without_smtp_is_refused(tmp_path):
    target = {"target": "no-smtp", "imap": [{"port": 1143}], "lmtp": [{"port": 2400}], "accounts": [
        {"login": "user%04d", "address": "user%04d@example.test", "count": 20, "password_env": "MAILPROOF_PASSWORD"}]}
    (tmp_path / "target.yaml").write_text(yaml.safe_dump(target), "utf-8")
    ran = tool.mailproof("load", plan(tmp_path, mix={profile(tmp_path, "thunderbird", send=WRITES): "100%"}), "--target",
                         tmp_path / "target.yaml")
    assert ran.status == 2 and "sends mail, and the target has no smtp: endpoint" in ran.err


def test_a_lost_message_comes_with_what_was_said_and_a_story_that_tries_it_alone(tmp_path):
    defect = ("--sim", "--defect", "delivery.drops-one-in-200")
    load(tmp_path, plan(tmp_path, accounts=20, mix={"thunderbird": "60%", "pop-delete": "40%"},
                        arrivals={"deliveries": "30/s", "sizes": "small"}), *defect, status=1)
    log = min((tmp_path / "run/lost").glob("*.log"), key=lambda path: int(path.stem.split("-")[1]))
    said = log.read_text("utf-8")
    assert re.search(r"Session \d+, which brought it, and the last that it said(, all of it of later mail)?:\n\d+\.\d{3} s [CS*]: ", said), said
    assert re.search(r"(Thunderbird|POP3).* of user\d{4}, and the last that it said:\n", said), said
    findings = json.loads((tmp_path / "run/findings.json").read_text("utf-8"))["findings"]
    [lost] = [one for one in findings if one["id"] == "customers/ledger/lost"]
    assert any("C: " in line for line in lost["evidence"]) and str(log.with_suffix(".yaml")) in lost["evidence"][-1]
    assert "which brought it" in (tmp_path / "run/report.html").read_text("utf-8")
    story = log.with_suffix(".yaml")
    assert tool.mailproof("run", story, "--sim", "--out", tmp_path / "right").status == 0
    again = tool.mailproof("run", story, *defect, "--repeat", 400, "--until-fail", "--out", tmp_path / "alone")
    assert again.status == 1, again.text


def test_errors_come_with_what_went_over_the_wire(tmp_path):
    """The server has room for a few messages only: the rest is refused, each class of it with the first few conversations."""
    with reference_server.server("--domain-quota", "48KiB") as full:
        target = {"target": "full", "imap": [{"port": full.imap[1]}], "pop3": [{"port": full.pop3[1]}], "lmtp": [{"port": full.lmtp[1]}],
                  "settle": "2s", "accounts": [{"login": "user%04d", "address": "user%04d@example.test", "count": 12,
                                                "password_env": "MAILPROOF_PASSWORD"}]}
        (tmp_path / "target.yaml").write_text(yaml.safe_dump(target), "utf-8")
        text, stats = load(tmp_path, plan(tmp_path, slo=["lost = 0"], ramp="1s", **{"for": "4s"}), "--target", tmp_path / "target.yaml",
                           env={**tool.ENVIRONMENT, "MAILPROOF_PASSWORD": reference_server.PASSWORD})
    classes = stats["operations"]["lmtp.deliver"]["errors"]
    assert classes and stats["ledger"]["refused"] == sum(classes.values())
    errors = {one["class"]: one for one in json.loads((tmp_path / "run/findings.json").read_text("utf-8"))["errors"]}
    html = (tmp_path / "run/report.html").read_text("utf-8")
    for what, times in classes.items():
        one = errors[f"lmtp.deliver: {what}"]
        assert one["times"] == times and 1 <= len(one["wire"]) <= 3
        code = what.split()[0]
        assert re.search(rf"S: {code}", one["wire"][0]) and "C: MAIL FROM" in "".join(one["wire"]), one
        assert f"lmtp.deliver: {what}, and what was said last:" in text
        assert f"S: {code}" in html


def test_no_password_is_in_what_is_kept(tmp_path):
    secret = "S3cret-of-the-house"
    load(tmp_path, plan(tmp_path, accounts=20, mix={"pop-delete": "50%", "mutt": "50%"}, arrivals={"deliveries": "30/s", "sizes": "small"}),
         "--sim", "--defect", "delivery.drops-one-in-200", status=1, env={**tool.ENVIRONMENT, "MAILPROOF_PASSWORD": secret})
    kept = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert any(path.suffix == ".log" for path in kept)
    assert not [path for path in kept if secret.encode() in path.read_bytes()]


def test_a_run_that_is_killed_tells_what_was_known(tmp_path):
    process = tool.start("load", plan(tmp_path, **{"for": "60s"}), "--sockets", "--out", tmp_path / "run")
    progress, bound = tmp_path / "run/progress-0.jsonl", time.monotonic() + 60
    while not progress.exists() or not progress.read_text("utf-8").endswith("\n"):
        assert process.poll() is None and time.monotonic() < bound
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    tool.finish(process)
    last = json.loads(progress.read_text("utf-8").splitlines()[-1])
    assert last["messages"]["accepted"] > 10 and last["operations"]["imap.login"]["ok"] >= 10
    run = json.loads((tmp_path / "run/run.json").read_text("utf-8"))
    assert run["interrupted"] and "NOT FINISHED" in json.dumps(run) and "--sockets" in run["load"]["command"]
    assert tool.mailproof("judge", tmp_path / "run").status == 3


def test_recorded_clients_and_writers_on_a_real_server(tmp_path):
    with throwaways.running("dovecot") as dovecot:
        mix = {"thunderbird": "25%", "mbsync": "15%", "mutt": "15%", "neomutt": "15%", "curl": "10%", "fetchmail": "10%", "thunderbird-pop": "10%"}
        text, stats = load(tmp_path, plan(tmp_path, accounts=10, mix=mix, ramp="1s", **{"for": "6s"}), "--target", dovecot.target_file,
                           env={**tool.ENVIRONMENT, "MAILPROOF_PASSWORD": throwaways.PASSWORD})
    assert stats["verdict"] == "pass" and closes(stats["ledger"]), text


def test_one_message_in_five_thousand_is_missed_and_explained(tmp_path):
    """As many as office-day has in a minute and more, of fewer customers; on a right server all are there."""
    path = plan(tmp_path, accounts=60, mix={"thunderbird": "60%", "pop-delete": "40%"}, arrivals={"deliveries": "400/s", "sizes": "small"},
                ramp="1s", **{"for": "15s"}, slo=["lost = 0"])
    text, stats = load(tmp_path, path, "--sim", "--defect", "delivery.drops-one-in-5000", status=1)
    ledger = stats["ledger"]
    assert closes(ledger) and ledger["sent"] > 5500 and ledger["fates"]["lost"] == 1, text
    assert "MISSED lost = 0" in text
    [finding] = [one for one in stats["findings"] if one["id"] == "customers/ledger/lost"]
    [named] = finding["messages"]
    number = re.match(r"message (\d+) to user\d{4}, accepted at [\d.]+ s; never seen, though there was (imap|pop3) session", named).group(1)
    explained = tool.mailproof("explain", tmp_path / "run")
    assert explained.status == 0 and named in explained.out, explained.text
    assert "which brought it, and the last that it said" in explained.out
    assert f"Alone:  mailproof run {tmp_path / 'run'}/lost/message-{number}.yaml --repeat 500 --until-fail" in explained.out
    assert tool.mailproof("explain", tmp_path / "run", f"message {number}").out == explained.out
    assert tool.mailproof("explain", tmp_path / "run", "message 1").status == 2
    assert "is told as text" in tool.mailproof("explain", tmp_path / "run", "--html", tmp_path / "page.html").err and not (tmp_path / "page.html").exists()
    shutil.rmtree(tmp_path / "run")
    load(tmp_path, path, "--sim")
