"""`shrink` makes of a story that fails the shortest one that fails the same way: it can be played as it stands, fails with the same class
on the server with the bug, and passes on one without."""
import json
import re

import pytest

import test_record
import tool

SYNC = "sync.offline-device-catches-up-by-qresync"


def shrunk(*arguments, status=0):
    ran = tool.mailproof("shrink", *arguments)
    assert ran.status == status, ran.text
    return ran


def steps(text):
    return [line for line in text.splitlines() if re.match(r" +- (?!together:)", line)]


def played(story, folder, *arguments):
    ran = tool.mailproof("run", story, "--sim", *arguments, "--out", folder)
    return ran, json.loads((folder / "findings.json").read_text("utf-8"))["findings"]


# defect, story, class, most steps
CASES = [("pop3.dele-without-quit", "pop3.drop-before-quit-keeps-mail", "removal/without-quit", 3),
         ("imap.append-ok-but-absent", "sync.sent-copy-appears-everywhere", "loss/lost", 1),
         ("imap.qresync-misses-expunge", SYNC, "expectation/delta-differs", 5),
         ("imap.move-doubles", "mixed.accepted-mail-survives-a-kill", "duplicates/duplicated", 2),
         ("quota.not-freed-by-expunge", "quota.account-quota-blocks-all-its-mailboxes", "", 6)]


@pytest.mark.parametrize("defect, story, finding, most", CASES)
def test_the_shorter_story_fails_the_same_way_and_accuses_no_right_server(defect, story, finding, most, tmp_path):
    out = tmp_path / "short.yaml"
    ran = shrunk(story, "--sim", "--defect", defect, "--out", out)
    text = out.read_text("utf-8")
    assert 1 <= len(steps(text)) <= most, text
    head = re.match(r"# Shows (\S+): ((?:.+\n# )+)(mailproof run .*)\nid: ", text)
    assert head and (not finding or head[1] == finding), text
    assert f"--sim --defect {defect} --seed 1" in head[3] and "short.yaml" in head[3]
    assert re.search(rf"^{re.escape(head[1])}: \d+ steps to {len(steps(text))} in .* fails 10 of 10 times$", ran.err, re.M), ran.err
    again, findings = played(out, tmp_path / "again", "--defect", defect)
    assert again.status == 1 and head[1] in {one["id"].split("/", 1)[1] for one in findings}
    right, _ = played(out, tmp_path / "right")
    assert right.status == 0, right.out
    assert tool.mailproof("check", out).status == 0
    for leftover in ("title:", "why:", "refs:", "tags:", "{}"):
        assert leftover not in text


def test_a_run_directory_names_what_failed_and_how_it_was_played(tmp_path):
    tool.mailproof("run", "--sim", "scenarios/sync", "--only", SYNC, "--defect", "imap.qresync-misses-expunge", "--seed", 3, "--out", tmp_path / "run")
    ran = shrunk(tmp_path / "run")
    assert "--sim --defect imap.qresync-misses-expunge --seed 3" in ran.out and "delta-differs" in ran.out
    # The run keeps the text: the file may be another by the time.
    kept = tmp_path / "run/scenarios" / f"{SYNC}.kept"
    assert kept.read_text("utf-8") == (tool.ROOT / "scenarios/sync/offline-device-catches-up-by-qresync.yaml").read_text("utf-8")
    assert [path.name for path in kept.parent.iterdir()] == [kept.name], "of what passed nothing is kept"
    named = shrunk(tmp_path / "run", "--scenario", SYNC)
    assert named.out == ran.out
    more = shrunk(tmp_path / "run", "--latitude", "pop3.no-uidl", "--defect", "imap.qresync-misses-expunge")
    assert "--sim --defect imap.qresync-misses-expunge --latitude pop3.no-uidl --seed 3" in more.out
    wrong = shrunk(tmp_path / "run", "--scenario", "sync.no-such", status=2)
    assert "no scenario sync.no-such" in wrong.err


def test_of_a_run_of_checks_and_stories_a_story_is_shrunk(tmp_path):
    checks = "scenarios/conformance/pop3/1939-11.yaml"
    tool.mailproof("run", "--sim", checks, "scenarios/pop3", "--defect", "pop3.size-counts-lf", "--out", tmp_path / "run")
    failed = {one["id"]: one["kind"] for one in json.loads((tmp_path / "run/run.json").read_text("utf-8"))["scenarios"]
              if one["verdict"] == "fail"}
    assert set(failed.values()) == {"check", "story"}
    text = shrunk(tmp_path / "run").out
    assert "# Shows pop3-session/retr-size: " in text and len(steps(text)) == 1, text
    check = next(identity for identity, kind in failed.items() if kind == "check")
    assert "talk: |" in shrunk(tmp_path / "run", "--scenario", check).out


def test_a_story_of_ones_own_is_shrunk_with_its_comments_and_its_letter(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/a.eml").write_text("From: a@example.org\nDate: Mon, 02 Mar 2026 09:14:07 +0100\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nGrüße\n", "utf-8")
    story = tmp_path / "mine.yaml"
    story.write_text("""id: mine.letter
title: Ours
accounts: [alice, bob]
needs: [imap, pop3, delivery, lmtp]
devices:
  mta: {delivers: lmtp}
  phone: {imap: alice}
  pc: {pop3: bob}
steps:
  - mta: {deliver: other, to: bob, count: 3}        # beside it
  - mta: {deliver: letter, to: alice, file: letters/a.eml}   # with an umlaut
  - phone: {see: letter}
  - pc: {download: new}
  - pc: quit
  - judge: {intact: letter}
""", "utf-8")
    out = tmp_path / "elsewhere/short.yaml"
    out.parent.mkdir()
    shrunk(story, "--sim", "--defect", "delivery.strips-eighth-bit", "--out", out)
    text = out.read_text("utf-8")
    assert len(steps(text)) == 1 and "file: ../letters/a.eml" in text, text
    assert "# with an umlaut" in text and "beside it" not in text
    ran, _ = played(out, tmp_path / "again", "--defect", "delivery.strips-eighth-bit")
    assert ran.status == 1


def test_what_fails_at_times_is_played_several_times_and_its_rate_is_said(tmp_path):
    out = tmp_path / "short.yaml"
    ran = shrunk("fixtures/stories/two-hundred.yaml", "--sim", "--defect", "delivery.drops-one-in-200", "--times", 3, "--out", out)
    text = out.read_text("utf-8")
    found = re.search(r"^# It fails (\d+) of 10 times\.$", text, re.M)
    assert found and 1 <= int(found[1]) < 10, text
    assert f"fails {found[1]} of 10 times" in ran.err
    command = re.search(r"^# mailproof (run .*)$", text, re.M)[1].split()
    assert tool.mailproof(*command, "--out", tmp_path / "again").status == 1


def test_a_failing_copy_of_a_load_is_shrunk(tmp_path):
    ran = tool.mailproof("load", "--sim", "mixed.pop-download-empties-the-phone", "--copies", 2, "--defect", "pop3.quit-deletes-nothing",
                         "--out", tmp_path / "load")
    assert ran.status == 1
    text = shrunk(tmp_path / "load").out
    assert "removal/quit-ok-but-there" in text and len(steps(text)) <= 4, text


def test_the_copy_of_a_load_that_failed_is_played_and_its_finding_is_kept(tmp_path):
    """One of many is seen in some copy or other, and beside it may be something else that every copy shows."""
    tool.mailproof("load", "--sim", "mixed.pop-download-empties-the-phone", "--copies", 2, "--defect", "pop3.quit-deletes-nothing",
                   "--out", tmp_path)
    (tmp_path / "run.json").unlink()
    stats = json.loads((tmp_path / "stats.json").read_text("utf-8"))
    found = stats["findings"][0]
    found["messages"] = ["copy 137: mail.1 of user0138", "copy 139: mail.1 of user0140"]
    (tmp_path / "stats.json").write_text(json.dumps(stats), "utf-8")
    ran = shrunk(tmp_path)
    assert "# Shows removal/quit-ok-but-there: " in ran.out and " --copy 137\n" in ran.out, ran.text
    assert " --copy 5\n" in shrunk(tmp_path, "--copy", 5).out
    found["id"] = found["id"].replace("removal/quit-ok-but-there", "loss/lost")
    (tmp_path / "stats.json").write_text(json.dumps(stats), "utf-8")
    assert "does not fail with loss/lost" in shrunk(tmp_path, status=2).err


def test_of_a_plan_the_story_of_a_lost_message_is_shrunk(tmp_path):
    (tmp_path / "lost").mkdir()
    (tmp_path / "stats.json").write_text(json.dumps({"findings": [
        {"id": "load.plan/ledger/lost", "severity": "fail", "times": 2, "messages": ["message 9", "message 12"],
         "reproduce": "mailproof load plan.yaml --sim --defect imap.append-ok-but-absent --seed 1"}]}), "utf-8")
    story = (tool.ROOT / "scenarios/sync/sent-copy-appears-everywhere.yaml").read_text("utf-8")
    (tmp_path / "lost/message-12.yaml").write_text("no story", "utf-8")
    (tmp_path / "lost/message-9.yaml").write_text(re.sub(r"^id: .*$", "id: load.message-9-alone", story, flags=re.M), "utf-8")
    assert "# Shows loss/lost: " in shrunk(tmp_path).out


def test_a_directory_names_no_server_and_no_consent(tmp_path):
    """It may be somebody else's, or of another day: what it was played on is said, and asked for."""
    tool.mailproof("run", "--sim", "mixed.pop-download-empties-the-phone", "--defect", "pop3.quit-deletes-nothing", "--out", tmp_path)
    asked = json.loads((tmp_path / "asked.json").read_text("utf-8"))
    where = "--imap 127.0.0.1:9 --tls none --user alice --i-own-these-mailboxes"
    for there in (where, f"--target {tmp_path}/target.yaml"):
        asked["commands"] = {name: f"mailproof run {name} {there} --seed 1" for name in asked["commands"]}
        (tmp_path / "asked.json").write_text(json.dumps(asked), "utf-8")
        ran = tool.mailproof("shrink", tmp_path, env={"MAILPROOF_PASSWORD": "pass"})
        assert ran.status == 2 and "which server?" in ran.err and there in ran.err, ran.text
    shrunk(tmp_path, "--sim", "--defect", "pop3.quit-deletes-nothing")


def test_the_shorter_story_is_named_by_its_file_also_below_the_scenarios(tmp_path):
    out = tmp_path / "short.yaml"
    story = "mixed.pop-download-empties-the-phone"
    (tmp_path / "pop-download-empties-the-phone.yaml").write_text(
        (tool.ROOT / "scenarios/mixed/pop-download-empties-the-phone.yaml").read_text("utf-8"), "utf-8")
    shrunk(story, "--sim", "--defect", "pop3.quit-deletes-nothing", "--scenarios", tmp_path, "--out", out)
    assert re.search(r"^# mailproof run \S*short\.yaml --sim ", out.read_text("utf-8"), re.M)


def test_what_does_not_fail_is_not_shrunk(tmp_path):
    ran = shrunk("mixed.pop-download-empties-the-phone", "--sim", status=2)
    assert "does not fail" in ran.err and ran.out == ""
    ran = shrunk("mixed.pop-download-empties-the-phone", "--sim", "--defect", "pop3.quit-deletes-nothing", "--finding", "loss/lost", status=2)
    assert "does not fail with loss/lost" in ran.err
    tool.mailproof("run", "--sim", "mixed.pop-download-empties-the-phone", "--out", tmp_path / "run")
    assert "nothing failed in this run" in shrunk(tmp_path / "run", status=2).err


def test_what_is_no_single_story_is_said(tmp_path):
    assert "one is shrunk at a time" in shrunk("scenarios/pop3", "--sim", status=2).err
    assert "one is shrunk at a time" in shrunk("scenarios/conformance/pop3/1939-3.yaml", "--sim", status=2).err
    (tmp_path / "bad.yaml").write_text("id: x.y\naccounts: [a]\ndevices: {p: {imap: a}}\nsteps:\n  - p: {sea: mail}\n")
    ran = shrunk(tmp_path / "bad.yaml", "--sim", status=2)
    assert "bad.yaml:5:" in ran.err and "did you mean 'see'" in ran.err
    assert "which server?" in shrunk("mixed.pop-download-empties-the-phone", status=2).err


def test_a_story_that_is_wrong_itself_is_shrunk_with_a_word_about_that(tmp_path):
    story = tmp_path / "wrong.yaml"
    story.write_text("id: mine.wrong\nneeds: [imap, delivery]\naccounts: [alice]\ndevices: {mta: {delivers: any}, phone: {imap: alice}}\n"
                     "steps:\n  - mta: {deliver: mail, to: alice, count: 3}\n  - phone: {see: mail}\n  - judge: {count: 9, of: alice}\n")
    ran = shrunk(story, "--sim")
    assert "does not pass this story either (fail)" in ran.err
    assert [step.strip() for step in steps(ran.out)] == ["- judge: {count: 9}"] or len(steps(ran.out)) <= 2, ran.out


def test_over_sockets_each_story_has_fresh_accounts(tmp_path):
    ran = shrunk("mixed.pop-download-empties-the-phone", "--sockets", "--defect", "pop3.quit-deletes-nothing")
    assert "removal/quit-ok-but-there" in ran.out and len(steps(ran.out)) <= 4, ran.out
    assert "--sockets" in ran.out


def test_a_check_by_a_talk_is_shrunk_to_the_lines_that_show_it(tmp_path):
    out = tmp_path / "short.yaml"
    ran = shrunk("pop3.1939-11.retr-size-equals-list", "--sim", "--defect", "pop3.size-counts-lf", "--out", out)
    text = out.read_text("utf-8")
    talk = [line.strip() for line in text.split("talk: |\n")[1].splitlines()]
    before = int(re.search(r": (\d+) lines to ", ran.err)[1])
    assert before > 20 and len(talk) <= 9 and talk[0].startswith("C: "), text
    assert text.count("  - id: ") == 1 and "note:" not in text
    assert text.count("plain") + text.count("office") <= 1, text
    again, findings = played(out, tmp_path / "again", "--defect", "pop3.size-counts-lf")
    assert again.status == 1 and findings
    right, _ = played(out, tmp_path / "right")
    assert right.status == 0, right.out


def test_of_a_run_of_checks_one_is_shrunk(tmp_path):
    checks = "scenarios/conformance/pop3/1939-11.yaml"
    tool.mailproof("run", "--sim", checks, "--defect", "pop3.size-counts-lf", "--out", tmp_path / "run")
    text = shrunk(tmp_path / "run").out
    assert "talk: |" in text and "--defect pop3.size-counts-lf" in text, text


def test_a_recording_of_a_server_with_a_bug_is_shrunk(tmp_path):
    """What two clients did, heard in front of a server whose QUIT removes nothing."""
    with test_record.recorded(tmp_path / "run", "--defect", "pop3.quit-deletes-nothing", options=("--all-clients",)) as recorder:
        test_record.everything(recorder)
        status, told = recorder.stop()
    assert status == 1, told
    assert "which server?" in shrunk(tmp_path / "run", status=2).err
    out = tmp_path / "short.yaml"
    ran = shrunk(tmp_path / "run", "--sim", "--defect", "pop3.quit-deletes-nothing", "--out", out)
    text = out.read_text("utf-8")
    assert 1 <= len(steps(text)) <= 4 and "removal/quit-ok-but-there" in text, (text, ran.err)
    assert played(out, tmp_path / "again", "--defect", "pop3.quit-deletes-nothing")[0].status == 1
    assert played(out, tmp_path / "right")[0].status == 0
    # On a server that does it right there is nothing to shrink: the story plays the same, and passes.
    ran = shrunk(tmp_path / "run", "--sim", status=2)
    assert "does not fail" in ran.err
