"""mailproof prove: a check that nothing makes fail is worth nothing, and neither is one that a right server fails."""
import json
import shutil

import pytest

import tool

CHECKS = """id: pop3.1939-5
title: RFC 1939 section 5
needs: [pop3]
mailbox: {messages: 2}
checks:
  - id: stat
    level: MUST
    title: STAT tells how many messages there are
    talk: |
      C: STAT
      S: +OK 2 ${octets:number}
  - id: noop
    level: SHOULD
    title: NOOP is answered
    talk: |
      C: NOOP
      S: +OK
  - id: help
    level: MAY
    title: HELP may help
    talk: |
      C: HELP
      S: -ERR
  - id: extra
    level: MUST
    title: EXTRA, where it is offered
    when: EXTRA
    talk: |
      C: EXTRA
      S: +OK extra
"""
STAT = """
  stat:
    - |
      C: STAT
      edit: s/ 2 / 3 /
    - {defect: pop3.hides-newest}
"""
NOOP = """
  noop: |
    C: NOOP
    S: -ERR never
"""
HELP = """
  help: |
    C: HELP
    S: +OK help yourself
"""
EXTRA = """
  extra: |
    C: EXTRA
    S: +OK nothing
right:
  extra: |
    C: CAPA
    edit: s/^\\.$/EXTRA\\r\\n./
    C: EXTRA
    S: +OK extra
permitted:
  stat: |
    C: STAT
    edit: s/$/ octets/
  noop:
    - |
      C: NOOP
      S: +OK what for?
"""
WHOLE = "wrong: pop3.1939-5\nchecks:" + STAT + NOOP + HELP + EXTRA


@pytest.fixture
def prove(tmp_path):
    def ran(wrong, checks=CHECKS, arguments=()):
        (tmp_path / "1939-5.yaml").write_text(checks)
        (tmp_path / "1939-5.wrong.yaml").write_text(wrong)
        return tool.mailproof("prove", *(arguments or [tmp_path]))

    return ran


def test_every_check_passes_on_the_right_server_and_fails_on_each_wrong_one(prove):
    ran = prove(WHOLE)
    assert ran.status == 0, ran.text
    assert ran.out.endswith("4 of 4 proven, with 5 wrong servers and 2 permitted ones\n")
    assert "not-applicable: the server does not offer EXTRA; on the right dialogue pass" in ran.out
    assert "NOT PROVEN" not in ran.out


def test_the_same_as_json(prove, tmp_path):
    ran = prove(WHOLE, arguments=[tmp_path, "--json"])
    told = {one["id"].split(".")[-1]: one for one in json.loads(ran.out)}
    assert ran.status == 0
    assert [one["proven"] for one in told.values()] == [True] * 4
    assert [one["level"] for one in told.values()] == ["MUST", "SHOULD", "MAY", "MUST"]
    assert [trial["verdict"] for trial in told["stat"]["wrong"]] == ["fail", "fail"]
    assert told["stat"]["wrong"][1]["server"] == "defect pop3.hides-newest"
    assert told["noop"]["wrong"][0]["verdict"] == "latitude" and told["noop"]["wrong"][0]["actual"].startswith("-ERR never")
    assert told["help"]["wrong"][0]["verdict"] == "pass" and "help yourself" in told["help"]["wrong"][0]["note"]
    assert [(trial["server"], trial["verdict"]) for trial in told["noop"]["permitted"]] == [("C: NOOP / S: +OK what for?", "pass")]
    assert told["extra"]["built_in"]["verdict"] == "not-applicable" and told["extra"]["right"]["verdict"] == "pass"


def test_one_file_or_one_check(prove, tmp_path):
    assert prove(WHOLE, arguments=[tmp_path / "1939-5.yaml"]).status == 0
    assert "4 of 4 proven" in prove(WHOLE, arguments=[tmp_path / "1939-5.wrong.yaml"]).out
    ran = prove(WHOLE, arguments=["pop3.1939-5.noop", "--scenarios", tmp_path])
    assert ran.status == 0 and "1 of 1 proven" in ran.out


@pytest.mark.parametrize("wrong, told", [
    pytest.param("wrong: pop3.1939-5\nchecks:" + STAT + NOOP + EXTRA, "nothing makes it fail", id="no proof"),
    pytest.param(WHOLE.replace("S: -ERR never", "S: +OK well"), "not caught: C: NOOP / S: +OK well: pass", id="right after all"),
    pytest.param(WHOLE.replace("S: +OK extra", "S: -ERR extra"), "did not pass on the right dialogue", id="wrong right"),
    pytest.param(WHOLE.replace("S: +OK what", "S: -ERR what"), "accuses what is permitted: C: NOOP / S: -ERR what for?: latitude",
                 id="false accusation"),
])
def test_what_is_not_proven_makes_it_1(prove, wrong, told):
    ran = prove(wrong)
    assert ran.status == 1, ran.text
    assert "NOT PROVEN: " + told in ran.out
    assert "never came" not in ran.out
    assert "3 of 4 proven" in ran.out


def test_a_block_that_the_check_never_comes_to_is_named(prove):
    ran = prove(WHOLE.replace("C: NOOP", "2> C: NOOP"))
    assert ran.status == 1 and "the check never came to its 2> C: NOOP" in ran.out, ran.text


def test_wrong_servers_without_their_checks(tmp_path):
    (tmp_path / "x.wrong.yaml").write_text(WHOLE, "utf-8")
    (tmp_path / "other.yaml").write_text(CHECKS, "utf-8")
    ran = tool.mailproof("prove", tmp_path)
    assert ran.status == 2 and f"expected beside it the file of these checks: {tmp_path}/x.yaml" in ran.err, ran.text
    assert "; 1 mistake in wrong-files" in ran.out
    ran = tool.mailproof("prove", tmp_path / "x.wrong.yaml")
    assert ran.status == 2 and f"and there is no {tmp_path}/x.yaml" in ran.err, ran.text
    ran = tool.mailproof("run", "--sim", tmp_path / "x.wrong.yaml")
    assert ran.status == 2 and "this is a file of wrong servers: mailproof prove" in ran.err, ran.text


def test_a_check_that_a_right_server_fails_makes_it_1(prove):
    ran = prove(WHOLE, CHECKS.replace("S: +OK 2 ", "S: +OK 7 "))
    assert ran.status == 1 and "NOT PROVEN: did not pass on the built-in server: fail" in ran.out


@pytest.mark.parametrize("wrong, told", [
    pytest.param(WHOLE.replace("\n  noop:", "\n  nop:"), "'nop'; expected the id of a check of pop3.1939-5 in the file beside; "
                 "did you mean 'noop'?", id="check"),
    pytest.param(WHOLE.replace("pop3.hides-newest", "pop3.hides-newst"), "did you mean 'pop3.hides-newest'?", id="defect"),
    pytest.param(WHOLE.replace("S: -ERR never", "Z: -ERR never"), "'Z: -ERR never'; expected C:, C~:", id="dialogue"),
    pytest.param(WHOLE.replace("wrong: pop3.1939-5", "wrong: pop3.1939-6"), "in the file beside", id="file"),
])
def test_mistakes_in_wrong_files_are_named_where_they_stand(prove, wrong, told):
    ran = prove(wrong)
    assert ran.status == 2 and told in ran.err, ran.text
    assert "1939-5.wrong.yaml:" in ran.err


def test_wire_rules_look_at_the_bytes_of_their_own_check(tmp_path):
    (tmp_path / "r.yaml").write_text("""id: pop3.1939-3
title: RFC 1939 section 3
needs: [pop3]
checks:
  - id: crlf
    level: MUST
    title: every line ends in CRLF
    rule: pop3.crlf
    talk: |
      C: NOOP
      S: +OK
""")
    (tmp_path / "r.wrong.yaml").write_text("""wrong: pop3.1939-3
checks:
  crlf: |
    C: NOOP
    S!: +OK fine\\r indeed\\r\\n
""")
    ran = tool.mailproof("prove", tmp_path)
    assert ran.status == 0 and "CR that no LF follows" in ran.out, ran.text


def test_wrong_servers_of_a_story(tmp_path):
    (tmp_path / "story.yaml").write_text((tool.ROOT / tool.STORY).read_text())
    (tmp_path / "story.wrong.yaml").write_text(
        "wrong: mixed\nchecks:\n  pop-download-empties-the-phone: {defect: pop3.quit-deletes-nothing}\n")
    ran = tool.mailproof("prove", tmp_path)
    assert ran.status == 0 and "1 of 1 proven" in ran.out, ran.text


def test_nothing_to_prove_is_wrong_use(tmp_path):
    (tmp_path / "story.yaml").write_text((tool.ROOT / tool.STORY).read_text())
    ran = tool.mailproof("prove", tmp_path)
    assert ran.status == 2 and "nothing to prove" in ran.err


SLOW = CHECKS.replace("      C: STAT\n      S: +OK 2", "      C: RETR 1\n      S: +OK\n      S: ...\n      S: .\n      C: STAT\n      S: +OK 2")


def test_a_wrong_server_whose_pattern_takes_for_ever_is_our_error_and_the_others_are_played(prove):
    ran = prove("wrong: pop3.1939-5\nchecks:\n  stat: |\n    C: RETR 1\n    edit: s/^(x+)+y$/z/\n" + NOOP + HELP + EXTRA, SLOW)
    assert ran.status == 1, ran.text
    assert "NOT PROVEN: not caught: C: RETR 1 / edit: s/^(x+)+y$/z/: error;" in ran.out
    assert "our own error, not the server's, and the end of this: PatternTrouble: a text of" in ran.out
    assert "3 of 4 proven" in ran.out


def test_a_check_whose_pattern_takes_for_ever_is_an_error_and_accuses_nobody(tmp_path):
    (tmp_path / "1939-5.yaml").write_text(CHECKS.replace("S: +OK 2 ${octets:number}", "S: +OK\n      C: RETR 1\n      S: +OK\n      S!~: ^(x+)+y$\n      S: ."))
    ran = tool.mailproof("run", "--sim", "--out", tmp_path / "run", tmp_path / "1939-5.yaml")
    assert ran.status == 3, ran.text
    verdicts = {one["id"]: one for one in json.loads((tmp_path / "run/run.json").read_text())["scenarios"]}
    assert {name: one["verdict"] for name, one in verdicts.items()} == {
        "pop3.1939-5.stat": "error", "pop3.1939-5.noop": "pass", "pop3.1939-5.help": "pass", "pop3.1939-5.extra": "not-applicable"}
    assert 'octets could not be compared with the pattern "^(x+)+y$": it takes too many steps' in verdicts["pop3.1939-5.stat"]["note"]


STORIES = sorted(path for path in (tool.ROOT / "scenarios").glob("*/*.yaml")
                 if path.parent.name not in ("behaviour", "conformance", "devices", "load") and not path.name.endswith(".wrong.yaml"))


def test_beside_every_story_stands_what_it_fails_on_and_what_it_permits():
    assert len(STORIES) >= 47
    assert [path.name for path in STORIES if not path.with_suffix(".wrong.yaml").exists()] == []
    ran = tool.mailproof("prove", *STORIES, timeout=300)
    assert ran.status == 0, ran.text[-3000:]
    assert f"{len(STORIES)} of {len(STORIES)} proven (0 checks, {len(STORIES)} stories), with " in ran.out.splitlines()[-1]


STORY = """id: sync.one
accounts: [alice]
devices: {mta: {delivers: lmtp}, phone: {imap: alice}}
needs: [imap, delivery, lmtp]
steps:
  - mta: {deliver: mail, to: alice}
  - phone: {see: mail, within: 5s}
"""


@pytest.mark.parametrize("wrong, told", [
    pytest.param("servers: [{defect: imap.move-doubles}]", "not caught: defect imap.move-doubles: pass", id="right after all"),
    pytest.param("servers: [{defect: delivery.duplicate}]\npermitted: [{defect: delivery.loses-last-line}]",
                 "accuses what is permitted: defect delivery.loses-last-line: fail", id="false accusation"),
    pytest.param("servers: [{defect: delivery.duplicate}]\npermitted: [{latitude: imap.no-move}]", "", id="proven"),
])
def test_a_story_is_held_to_the_file_beside_it(tmp_path, wrong, told):
    (tmp_path / "one.yaml").write_text(STORY)
    (tmp_path / "one.wrong.yaml").write_text("wrong: sync.one\n" + wrong + "\n")
    ran = tool.mailproof("prove", tmp_path)
    assert ran.status == (1 if told else 0), ran.text
    assert (f"NOT PROVEN: {told}" in ran.out) == bool(told)
    assert f"{0 if told else 1} of 1 proven (0 checks, 1 story)" in ran.out
    (tmp_path / "one.wrong.yaml").write_text("wrong: sync.onne\n" + wrong + "\n")
    assert tool.mailproof("prove", tmp_path).status == 2


# What a session may say last, and the server then ends it: before it answers, or behind the answer.
CUT = {"": ["CAPA", "AUTH *", "USER *", "PASS *", "STAT", "LIST", "UIDL", "TOP *", "RETR *", "DELE *", "RSET", "QUIT"],
       "lmtp> ": ["LHLO *", "MAIL *", "RCPT *", "DATA", "BDAT *", "QUIT"],
       "smtp> ": ["EHLO *", "MAIL *", "RCPT *", "DATA", "BDAT *", "QUIT"]}


@pytest.mark.parametrize("family", sorted({path.parent.name for path in STORIES}))
def test_a_session_cut_short_is_that_and_nothing_else(tmp_path, family):
    """Nothing is owed that was not asked, whatever the server did not answer any more."""
    played = 0
    for folder in (path for path in (tool.ROOT / "scenarios" / family).iterdir() if path.is_dir()):
        shutil.copytree(folder, tmp_path / folder.name)  # letters of their own
    for path in STORIES:
        if path.parent.name != family:
            continue
        (tmp_path / path.name).write_text(path.read_text())
        cuts = [f"{protocol}C: {command}\n    {how}close" for protocol, commands in CUT.items() for command in commands
                for how in ("", "pass\n    ")]
        played += len(cuts)
        listed = "".join(f"  - |\n    {cut}\n" for cut in cuts)
        (tmp_path / path.name).with_suffix(".wrong.yaml").write_text(
            f"wrong: {family}.{path.stem}\nservers: [{{defect: delivery.duplicate}}]\npermitted:\n{listed}")
    ran = tool.mailproof("prove", tmp_path, "--json", timeout=600)
    told = json.loads(ran.out)
    assert sum(len(one["permitted"]) for one in told) == played
    # That nobody could log in is an error of the run and accuses nobody.
    accused = [(one["id"], problem) for one in told for problem in one["problems"]
               if problem.startswith("accuses") and not any(word in problem for word in (": error; ", ": inconclusive; "))]
    assert accused == []
    assert {"inconclusive", "pass"} <= {trial["verdict"] for one in told for trial in one["permitted"]}
