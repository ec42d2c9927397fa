"""mailproof explore: random worlds from a seed, each a scenario that can be kept, changed and played."""
import re

import pytest

import reference_server
import tool


def explore(*arguments, **more):
    return tool.mailproof("explore", *arguments, **more)


def summary(ran):
    """worlds, operations and what was found."""
    line = re.search(r"^(\d+) worlds?, (\d+) operations?, .*: (nothing found|\d+ kinds? of findings found)$", ran.out, re.M)
    assert line, ran.text
    return int(line[1]), int(line[2]), line[3]


def test_a_correct_server_is_not_accused():
    ran = explore("--seeds", "1..12", "--all")
    assert ran.status == 0, ran.text
    worlds, operations, found = summary(ran)
    assert (worlds, found) == (12, "nothing found")
    assert operations > 12 * 50


def test_a_defect_is_found_and_its_world_kept(tmp_path):
    ran = explore("--seeds", "1..20", "--defect", "imap.exists-shrinks", "--keep", tmp_path / "worlds")
    assert ran.status == 1, ran.text
    assert re.search(r"^fail explore\.seed-\d+/view/exists-fell$", ran.out, re.M), ran.out
    kept = list((tmp_path / "worlds").iterdir())
    assert len(kept) == 1  # it ends at the first
    command = re.search(r"Reproduce: +mailproof (run .*)$", ran.out, re.M)[1].split()
    assert str(kept[0]) in command
    again = tool.mailproof(*command, "--out", tmp_path / "run")
    assert again.status == 1 and "view/exists-fell" in again.out, again.text
    right = tool.mailproof("run", kept[0], "--sim", "--out", tmp_path / "right")
    assert right.status == 0, right.text


@pytest.mark.parametrize("defect, found, seeds", [("imap.idle-silent", "idle/silent", "60..80"),
                                                  ("imap.numbers-shared", "conformance/broken", "1..130"),
                                                  ("quota.rename-counts-again", "quota/usage-wrong", "1..150"),
                                                  ("delivery.lf-dot-ends-data", "conformance/broken", "1..130"),
                                                  ("pop3.top-counts-header", "conformance/broken", "1..130"),
                                                  ("delivery.one-full-fails-all", "recipients/refused-for-another", "1..30"),
                                                  ("quota.not-freed-by-pop3", "quota/refused-below-limit", "1..150")])
def test_what_takes_several_steps_or_a_talk_is_found(defect, found, seeds):
    ran = explore("--seeds", seeds, "--defect", defect)
    assert ran.status == 1 and f"/{found}" in ran.out, ran.text


def test_the_command_of_a_world_names_the_target_it_was_made_for():
    """What a target offers decides what its worlds are made of: IMAP alone leaves out much."""
    with reference_server.server("--defect", "imap.peek-sets-seen") as server:
        where = ["--imap", f"127.0.0.1:{server.ports['imap']}", "--user", "user0001", "--address", "user0001@example.test"]
        environment = {**tool.ENVIRONMENT, "MAILPROOF_PASSWORD": reference_server.PASSWORD}
        ran = explore("--seeds", "1..40", *where, env=environment, timeout=300)
        command = re.search(r"mailproof explore --print (\d+) (.*) > explore-\d+.yaml && ", ran.out)
        assert command, ran.text
        again = explore("--print", command[1], *command[2].split(), env=environment)
        assert again.status == 0 and again.out == explore("--print", command[1], *where, env=environment).out
        assert again.out != explore("--print", command[1]).out


def test_all_goes_on_with_one_finding_a_class():
    ran = explore("--seeds", "1..12", "--all", "--defect", "imap.peek-sets-seen")
    assert ran.status == 1
    worlds, _, found = summary(ran)
    assert worlds == 12
    heads = re.findall(r"^(?:fail|error) explore\.seed-\d+/(\S+)$", ran.out, re.M)
    assert "flags/seen-by-peek" in heads and len(heads) == len(set(heads))
    assert found.startswith(f"{len(heads)} ")


def test_a_printed_world_is_played_by_run_with_the_same_end(tmp_path):
    for seed in (3, 11):
        printed = explore("--print", seed)
        assert printed.status == 0 and printed.out.startswith(f"id: explore.seed-{seed}\n")
        world = tmp_path / f"explore-{seed}.yaml"
        world.write_text(printed.out, encoding="utf-8")
        assert tool.mailproof("check", world).status == 0
        histories = []
        for name in ("one", "two"):
            ran = tool.mailproof("run", world, "--sim", "--out", tmp_path / name)
            assert ran.status == 0, ran.text
            histories.append((tmp_path / name / "history.jsonl").read_bytes())
        assert histories[0] == histories[1]
        assert explore("--seeds", seed).status == 0


def test_worlds_do_not_depend_on_jobs():
    def states(ran):
        return ran.out.split("states reached", 1)[1]

    assert states(explore("--seeds", "1..8", "--all")) == states(explore("--seeds", "1..8", "--all", "--jobs", 3))


def test_what_was_reached_is_told_and_what_was_not():
    ran = explore("--seeds", "1..6")
    reached = re.search(r"^(\d+) of (\d+) states reached, in so many worlds:$", ran.out, re.M)
    assert reached and int(reached[2]) >= 40
    head, never = ran.out.split("never reached:\n")
    assert len(never.splitlines()) == int(reached[2]) - int(reached[1])
    assert re.search(r"^ +\d+ exists-told-in-idle +EXISTS came while IDLE ran$", head, re.M)


@pytest.mark.parametrize("arguments, says", [
    (["--seeds", "9..3"], "expected a seed or a range of them, like 7 or 1..200"),
    (["--seeds", "few"], "expected a seed or a range of them"),
    (["--target", "nowhere.yaml"], "nowhere.yaml"),
    (["--defect", "imap.exist-shrinks"], "did you mean 'imap.exists-shrinks'?"),
    (["--sim", "--sockets"], "only one of"),
])
def test_wrong_use_is_said(arguments, says):
    ran = explore(*arguments)
    assert ran.status == 2 and says in ran.err, ran.text


def test_over_sockets_the_worlds_are_the_same():
    ran = explore("--seeds", "1..2", "--sockets", "--all", timeout=120)
    assert ran.status == 0, ran.text
    assert summary(ran)[0] == 2


# Worlds in which a correct server was accused once, as `shrink` left them.
MENDED = {
    "a MOVE without an answer, and POP3 that takes the message": """
devices: {mta: {delivers: lmtp}, tablet: {imap: alice, idle: INBOX}, pc: {pop3: alice}}
needs: [delivery, imap, lmtp, pop3]
steps:
  - mta:    {deliver: order, to: alice, count: 2}
  - tablet: {move: order.1, to: Receipts}
  - tablet: {move: order.last, to: Receipts, cut: after 27 bytes}
  - pc:     {delete: order.2}
  - pc:     quit
""",
    "two copies in a folder that is renamed, and one in the next of its name": """
devices: {mta: {delivers: lmtp}, web: {imap: alice}}
needs: [delivery, imap, lmtp]
steps:
  - mta: {deliver: note, to: alice}
  - web: {copy: note, to: Projects}
  - web: {copy: note, to: Projects}
  - web: {rename: Projects, to: Projects 2027}
  - web: {copy: note, to: Projects}
""",
}


@pytest.mark.parametrize("steps", MENDED.values(), ids=MENDED)
def test_worlds_that_accused_a_correct_server_once_pass(tmp_path, steps):
    (tmp_path / "world.yaml").write_text("id: explore.mended\ntitle: Nothing is wrong\naccounts: [alice]" + steps)
    ran = tool.mailproof("run", tmp_path / "world.yaml", "--sim", "--repeat", 20, "--out", tmp_path / "run")
    assert ran.status == 0 and "20 pass" in ran.out, ran.text
