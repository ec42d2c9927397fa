"""A device of a story that is a kind of client: `profile:` says how it does what the steps say."""
import json
import pathlib
import re
import shutil

import pytest

import reference_server
import tool

STORY = """id: test.as-a-client
title: A device as its client
needs: [imap, delivery{needs}]
accounts: [alice]
devices:
  mta: {{delivers: any}}
  it:  {device}
steps:
  - mta: {{deliver: mail, to: alice, count: 3}}
{steps}"""


def story(folder, device, *steps):
    path = folder / "story.yaml"
    lines = "".join(f"  - it: {step}\n" for step in steps)
    needs = ", pop3" if "pop3:" in device else ""
    text = STORY.format(device=device, steps=lines, needs=needs)
    path.write_text(text.replace("[imap, delivery, pop3]", "[delivery, pop3]"), "utf-8")
    return path


def played(folder, device, *steps):
    """What the device asked for, a text for each of its sessions: a line a command, as "store 2 +FLAGS \\Deleted"."""
    ran = tool.mailproof("run", story(folder, device, *steps), "--sim", "--out", folder / "run")
    assert ran.status == 0, ran.text
    said = {}
    for line in (folder / "run/history.jsonl").read_text("utf-8").splitlines():
        line = json.loads(line)
        session, event = line.get("session", {}), line.get("event", {})
        if session.get("label", "").startswith("it#"):
            said[session["n"]] = ""
        elif event.get("type") == "invoke" and event.get("session") in said:
            said[event["session"]] += " ".join([event[key] for key in ("what", "set", "code", "flags", "text") if event.get(key)]) + "\n"
    assert said
    return list(said.values())


def complaint(folder, device, *steps):
    ran = tool.mailproof("check", story(folder, device, *steps))
    assert ran.status != 0, ran.text
    return ran.text


def test_what_it_fetches_is_the_profiles(tmp_path):
    said = "".join(played(tmp_path, "{imap: alice, profile: thunderbird-android}", "{see: mail, within: 5s}"))
    assert "BODY.PEEK[]" in said and "<0.131072>" not in said and re.search(r"^idle", said, re.M)


def test_a_webmail_logs_in_for_each_step_and_looks_once_a_minute(tmp_path):
    said = played(tmp_path, "{imap: alice, profile: roundcube}", "{see: mail, within: 2m}", "{read: mail.1}")
    assert len([one for one in said if "BODYSTRUCTURE" in one]) >= 2
    assert any("store 1 +FLAGS.SILENT \\Seen" in one for one in said) and not any("idle" in one for one in said)


@pytest.mark.parametrize("profile, says, says_not", [("outlook-imap", r"^store 2 .*\\Deleted$", r"^expunge|^move"),
                                                     ("apple-mail", r"^move 2$", r"^expunge|^store"),
                                                     ("mutt", r"^expunge$", r"^expunge \d|^move")])
def test_it_deletes_as_its_client(profile, says, says_not, tmp_path):
    looks = "sync" if profile == "mutt" else "{see: mail, within: 5s}"
    said = "".join(played(tmp_path, f"{{imap: alice, profile: {profile}}}", looks, "{delete: mail.2}"))
    assert re.search(says, said, re.M) and not re.search(says_not, said, re.M), said


def test_a_pop3_client_leaves_or_takes(tmp_path):
    for profile, fate in (("outlook-pop-14days", "present"), ("pop-delete", "removed-by-client")):
        path = story(tmp_path, f"{{pop3: alice, profile: {profile}}}", "{download: new, as: got}", "quit")
        path.write_text(path.read_text("utf-8") + f"  - judge: {{fate: mail, is: {fate}}}\n", "utf-8")
        ran = tool.mailproof("run", path, "--sim", "--out", tmp_path / profile)
        assert ran.status == 0, ran.text


@pytest.mark.parametrize("device, steps, says", [
    ("{imap: alice, profile: thunderbrid}", ["sync"], r"story.yaml:7:\d+: 'thunderbrid'; expected a device profile.*did you mean 'thunderbird'"),
    ("{imap: alice, profile: pop-delete}", ["sync"], r"story.yaml:7:\d+: 'pop-delete'; expected a profile that speaks IMAP; pop-delete speaks POP3"),
    ("{pop3: alice, profile: getmail}", ["quit"], r"story.yaml:7:\d+: 'getmail'; expected a profile that asks for the capabilities"),
    ("{imap: alice, profile: roundcube, kind: webmail}", ["sync"], r"story.yaml:7:\d+: 'kind'; expected this or profile:"),
    ("{imap: alice, profile: roundcube, idle: INBOX}", ["sync"], r"story.yaml:7:\d+: 'idle'; expected no idle: roundcube does not listen"),
    ("{imap: alice, profile: thunderbird}", ["{delete: mail.1, how: flag}"], r"story.yaml:10:\d+: 'how'; expected no how: thunderbird says it"),
    ("{imap: alice, profile: thunderbird}", ["{read: mail.1, pieces: 1KiB}"], r"story.yaml:10:\d+: 'pieces'; expected no pieces"),
    ("{imap: alice, profile: roundcube}", ["{see: mail, within: 5s}"], r"story.yaml:10:\d+: 'within'; expected within: 1m or more"),
    ("{imap: alice, profile: roundcube}", ["{see: mail}"], r"story.yaml:10:\d+: 'it'; expected within: 1m or more"),
    ("{imap: alice, profile: mutt}", ["{see: mail, within: 40m}"], r"story.yaml:10:\d+: 'it'; expected no see and no lose: mutt looks"),
])
def test_what_such_a_device_cannot_do_is_said_with_its_place(device, steps, says, tmp_path):
    assert re.search(says, complaint(tmp_path, device, *steps)), complaint(tmp_path, device, *steps)


def test_a_profile_beside_the_story_and_one_that_writes(tmp_path):
    page = (reference_server.ROOT / "scenarios/devices/README.md").read_text("utf-8")
    writes = next(block for block in re.findall(r"```yaml\n(.*?)```", page, re.S) if block.startswith("profile: phone-that-writes"))
    pathlib.Path(tmp_path / "own.yaml").write_text(writes, "utf-8")
    assert re.search(r"story.yaml:7:\d+: 'own.yaml'; expected a profile without send", complaint(
        tmp_path, "{imap: alice, profile: own.yaml}", "sync"))
    silent = writes[:writes.index("send:")]
    pathlib.Path(tmp_path / "own.yaml").write_text(silent, "utf-8")
    assert played(tmp_path, "{imap: alice, profile: own.yaml}", "{see: mail, within: 5s}")


def test_what_shows_it_again_says_where_profiles_are(tmp_path):
    """Elsewhere than in a checkout: what a report prints is given as it stands."""
    said = ["--sim", "--scenarios", reference_server.ROOT / "scenarios", "--out", tmp_path / "run"]
    path = story(tmp_path, "{imap: alice, profile: thunderbird}", "{see: mail, within: 5s}")
    for status, given, printed in (
            (1, ["run", path, "--defect", "delivery.accepts-and-drops"], r"Reproduce: +mailproof (.*)"),
            (0, ["load", "--profile", "thunderbird", "--accounts", 4, "--for", "20s"], r"<code>mailproof (.*)</code>")):
        ran = tool.mailproof(*given, *said, cwd=tmp_path)
        assert ran.status == status, ran.text
        again = re.search(printed, ran.out + (tmp_path / "run/summary.md").read_text("utf-8"))[1]
        assert tool.mailproof(*again.split(), "--out", tmp_path / "again", cwd=tmp_path).status == status, again
        for folder in ("run", "again"):
            shutil.rmtree(tmp_path / folder)


def test_a_changed_profile_is_a_changed_story_and_a_changed_plan(tmp_path):
    shutil.copytree(reference_server.ROOT / "scenarios/devices", tmp_path / "devices")
    one = story(tmp_path, "{imap: alice, profile: thunderbird}", "{see: mail, within: 1m}")

    def hashes():
        out = []
        for arguments in (["run", one], ["load", "--profile", "thunderbird", "--accounts", 2, "--for", "2s"]):
            ran = tool.mailproof(*arguments, "--sim", "--scenarios", tmp_path, "--out", tmp_path / "run")
            assert ran.status == 0, ran.text
            out.append(json.loads((tmp_path / "run/run.json").read_text("utf-8"))["scenarios"][0]["hash"])
            shutil.rmtree(tmp_path / "run")
        return out

    before = hashes()
    assert hashes() == before
    with open(tmp_path / "devices/thunderbird.yaml", "a", encoding="utf-8") as profile:
        profile.write("# another one\n")
    assert all(new != old for new, old in zip(hashes(), before))
