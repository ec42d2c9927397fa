"""run --imaptest: ImapTest's scripts, played as they are. Its own are not copied here: MAILPROOF_IMAPTEST names a folder of them."""
import json
import os
import pathlib
import xml.etree.ElementTree as ElementTree

import pytest

import tool

MBOX = "From a@b  Fri Feb 22 17:06:23 2008\nFrom: a@b.example\nSubject: one\n\nbody1\n\nFrom a@b  Fri Feb 22 17:06:23 2008\nSubject: two\n\nbody2\n"
FLAGS = """connections: 2
messages: all

# both see what one does
1 ok store 1 +flags (\\seen)
* 1 fetch (flags (\\seen))
2 noop
* 1 fetch (flags (\\seen))
2 ok

1 ok uid fetch 1:* (rfc822.size)
* 1 fetch (uid $uid1 rfc822.size $)
* 2 fetch (uid $uid2 rfc822.size $)
1 ok store 2 flags \\deleted
1 ok expunge
* 2 expunge
2 ok noop
* $2 expunge
"""
NEVER = """state: auth

ok list "" ""
* list () "/" ""
ok status inbox (messages)
* status inbox (messages 7)
"""
SKIPPED = "capabilities: XNOBODYHASTHIS\n\nok noop\n"
SCRIPTS = pathlib.Path(os.environ.get("MAILPROOF_IMAPTEST", "no-such-folder"))
BUILTIN_SKIPS = {"listext", "notify", "sort-subject", "thread2"}


@pytest.fixture
def scripts(tmp_path):
    folder = tmp_path / "scripts"
    folder.mkdir()
    for name, text in {"flags": FLAGS, "never": NEVER, "skipped": SKIPPED, "default.mbox": MBOX, "README.md": "no script"}.items():
        (folder / name).write_text(text)
    return folder


def verdicts(out):
    return {one["id"]: one["verdict"] for one in json.loads((out / "run.json").read_text())["scenarios"]}


def test_scripts_are_checks_with_their_verdicts(scripts, tmp_path):
    ran = tool.finish(tool.start("run", "--imaptest", scripts, "--sim", "--out", tmp_path / "run"))
    assert ran.status == 1, ran.text
    assert verdicts(tmp_path / "run") == {"imaptest.flags": "pass", "imaptest.never": "fail", "imaptest.skipped": "not-applicable"}
    # The line of the script, what it wants, what came, and the wire.
    for words in ("* status inbox (messages 7) (script line 6)", "line 5: ok status inbox (messages)", '* STATUS "INBOX" (MESSAGES 0)',
                  "mailproof run --imaptest"):
        assert words in ran.out, ran.out
    suite = ElementTree.parse(tmp_path / "run" / "junit.xml").getroot()
    assert {case.get("name") for case in suite.iter("testcase")} >= {"imaptest.flags", "imaptest.never"}


def test_one_script_and_its_baseline(scripts, tmp_path):
    first = tool.finish(tool.start("run", "--imaptest", scripts / "never", "--sim", "--out", tmp_path / "first"))
    assert first.status == 1, first.text
    again = tool.finish(tool.start("run", "--imaptest", scripts, "--sim", "--out", tmp_path / "again", "--baseline", tmp_path / "first"))
    assert again.status == 0, again.text
    assert verdicts(tmp_path / "again")["imaptest.never"] == "known-fail"


def test_scripts_beside_checks_and_chosen_by_id(scripts, tmp_path):
    ran = tool.finish(tool.start("run", "pop3.1939-5.list-empty", "--imaptest", scripts, "--only", "imaptest.flags", "--only", "pop3", "--sim",
                                 "--out", tmp_path / "run"))
    assert ran.status == 0, ran.text
    assert set(verdicts(tmp_path / "run")) == {"imaptest.flags", "pop3.1939-5.list-empty"}


def test_what_is_no_script_is_refused(scripts, tmp_path):
    (scripts / "bad").write_text("state: asleep\n\nok noop\n")
    ran = tool.finish(tool.start("run", "--imaptest", scripts, "--sim", "--out", tmp_path / "run"))
    assert ran.status == 2 and "bad:1:1: 'asleep'; expected nonauth" in ran.text, ran.text


def test_the_mailbox_of_a_script_goes_with_it(scripts, tmp_path):
    for _ in range(2):  # the second would find the first one's mail
        ran = tool.finish(tool.start("run", "--imaptest", scripts / "flags", "--sockets", "--out", tmp_path / "run"))
        assert ran.status == 0, ran.text


@pytest.mark.skipif(not SCRIPTS.is_dir(), reason="MAILPROOF_IMAPTEST names no folder of ImapTest's scripts")
def test_imaptests_own_scripts_on_the_builtin_server(tmp_path):
    ran = tool.finish(tool.start("run", "--imaptest", SCRIPTS, "--sim", "--out", tmp_path / "run"))
    found = verdicts(tmp_path / "run")
    assert {name for name, verdict in found.items() if verdict == "not-applicable"} == {f"imaptest.{name}" for name in BUILTIN_SKIPS}, ran.text
    assert {name: verdict for name, verdict in found.items() if verdict not in ("pass", "not-applicable")} == {}, ran.text
