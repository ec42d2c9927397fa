"""What a run leaves in its directory: another run takes away only what a run has written, and `judge` comes to what the run
came to, unless the history is not whole."""
import json
import re
import shutil
import signal
import time

import tool
from test_cli import STORIES, STORY, defects, everything_below, red, run, target_file  # noqa: F401  (fixtures)


def judged(directory):
    """What `judge` makes of a directory: its status, and a line a scenario without the times."""
    ran = tool.mailproof("judge", directory)
    lines = [line for line in ran.out.splitlines() if " s  " in line and any(story in line for story in STORIES)]
    return ran, [[line.split()[0], *line.split()[3:]] for line in lines]


def test_an_old_run_is_judged_the_same_again(red, tmp_path):  # noqa: F811
    _, directory, ran, written = red
    copy = tmp_path / "old"
    shutil.copytree(directory, copy)
    for gone in (None, "run.json", "findings.json", "junit.xml"):
        if gone:
            (copy / gone).unlink()
        again, lines = judged(copy)
        assert again.status == ran.status == 1
        assert [(line[0], line[1]) for line in lines] == [(s["verdict"], s["id"]) for s in written["scenarios"]]
        for scenario in written["scenarios"]:
            for finding in scenario["findings"]:
                assert finding["id"].partition("/")[2] in again.out  # those of one class are one finding of the run


def test_judge_prints_what_the_run_printed(red):  # noqa: F811
    """Verdicts, seconds, evidence, commands, totals."""
    _, directory, ran, _ = red
    assert tool.mailproof("judge", directory).out == tool.without_bytes(ran.out)


def test_judge_of_repetitions_and_of_what_was_left_out(tmp_path):
    for arguments in (["scenarios/pop3", "--repeat", "3", "--defect", "pop3.dele-without-quit", "--patience", "2"],
                      ["scenarios/conformance/pop3/1939-3.yaml", "--strict"]):
        ran, _ = run(tmp_path / "run", *arguments)
        again = tool.mailproof("judge", tmp_path / "run")
        # What looks at the bytes of all others is played last; it is judged in its place.
        assert again.status == ran.status
        assert sorted(again.out.splitlines()) == sorted(tool.without_bytes(ran.out).splitlines())


def cut_to(directory, copy, lines):
    """A copy of a run of which only the first lines of the history are left."""
    shutil.copytree(directory, copy)
    path = copy / "history.jsonl"
    path.write_text("".join(lines(path.read_text("utf-8").splitlines(True))), "utf-8")
    return copy


def test_a_history_that_is_cut_is_never_a_pass(tmp_path):
    ran, _ = run(tmp_path / "run", "scenarios/pop3", "scenarios/mixed")
    assert ran.status == 0
    whole = tool.mailproof("judge", tmp_path / "run")
    assert whole.status == 0 and "not finished" not in whole.out
    number = len([one for one in STORIES if one.split(".")[0] in ("pop3", "mixed")])

    def ends(lines):
        return [place for place, line in enumerate(lines) if line.startswith('{"end"')]

    cuts = {"between two": (lambda lines: lines[:ends(lines)[2] + 1], 3), "in one": (lambda lines: lines[:ends(lines)[2] - 1], 2),
            "before the end of the last": (lambda lines: lines[:-1], number - 1), "all": (lambda lines: lines[:1], 0),
            "a line in the middle": (lambda lines: lines[:ends(lines)[0] - 1] + lines[ends(lines)[0]:], number - 1)}
    for name, (lines, left) in cuts.items():
        judged = tool.mailproof("judge", cut_to(tmp_path / "run", tmp_path / name, lines))
        assert judged.status == 3, (name, judged.text)
        assert f"note: the run was not finished: {left} of {number} scenarios" in judged.out, (name, judged.out)
        verdict = "error" if name == "a line in the middle" else "inconclusive"
        assert re.search(f"^{verdict}: ", judged.out, re.MULTILINE), judged.out


def test_an_older_history_is_judged_and_says_that_it_may_not_be_whole(tmp_path):
    run(tmp_path / "run", "scenarios/pop3")
    old = cut_to(tmp_path / "run", tmp_path / "old",
                 lambda lines: [line for line in lines if not line.startswith(('{"run"', '{"end"'))])
    (old / "asked.json").unlink()
    judged = tool.mailproof("judge", old)
    assert judged.status == 0 and "note: this history says neither how many scenarios" in judged.out, judged.text
    assert "whether the run was finished is not known" in judged.out


def test_a_killed_run_can_be_read_and_judged(tmp_path):
    with tool.bad_server("silent") as port:
        process = tool.start("run", "scenarios/mixed", "scenarios/pop3", "--target", target_file(tmp_path, port), "--out",
                             tmp_path / "run")
        begun = []
        for _ in range(100):
            begun = [path for path in (tmp_path / "run/history").glob("*.jsonl") if '"connect"' in path.read_text("utf-8")]
            if begun:
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
        assert tool.finish(process).status == -signal.SIGKILL
    [part] = begun
    lines = part.read_text("utf-8").splitlines()
    story = json.loads(lines[0])["history"]["scenario"]
    with part.open("a") as torn:
        torn.write('{"event":{"i":3,"t":12')
    ran = tool.mailproof("judge", tmp_path / "run")
    assert ran.status == 3, ran.text
    assert story in ran.out and ran.err == ""
    assert re.search(r"note: the run was not finished: 0 of \d+ scenarios", ran.out), ran.out


def test_an_earlier_run_in_the_directory_is_replaced(red, tmp_path):  # noqa: F811
    _, directory, _, _ = red
    shutil.copytree(directory, tmp_path / "run")
    ran, written = run(tmp_path / "run", "sync.read-on-phone-read-everywhere")
    assert ran.status == 0 and [scenario["id"] for scenario in written["scenarios"]] == ["sync.read-on-phone-read-everywhere"]
    assert json.loads((tmp_path / "run/findings.json").read_text())["findings"] == []
    assert not (tmp_path / "run/wire").exists()


def test_what_is_not_a_runs_is_not_taken_away(tmp_path):
    """Also not where the folder holds other names of ours, or the run could not begin."""
    def files():
        return {path.name: path.read_text() for path in everything_below(tmp_path / "mine")}

    for name, text in {"wire/mine": "1", "history/000000.jsonl": "2", "run.json": '{"mine": 3}', "report.html": "4",
                       "history.jsonl": "", "junit.xml": "<mine/>"}.items():
        shutil.rmtree(tmp_path / "mine", ignore_errors=True)
        path = tmp_path / "mine" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
        before = files()
        for command in (["run", "--sim", STORY], ["load", "--sim", STORY]):
            ran = tool.mailproof(*command, "--out", tmp_path / "mine")
            assert ran.status == 2 and f"mine: it holds '{name.split('/')[0]}', which a run would take away" in ran.err, ran.text
            assert ran.out == "" and files() == before
    shutil.rmtree(tmp_path / "mine")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("5")
    (tmp_path / "mine/.probe").write_text("6")
    for _ in range(2):
        ran, _ = run(tmp_path / "mine", STORY)
        assert ran.status == 0 and (tmp_path / "mine/notes.txt").exists() and (tmp_path / "mine/.probe").exists()


def test_what_a_killed_run_or_a_load_left_is_replaced(tmp_path):
    (tmp_path / "run/history").mkdir(parents=True)
    (tmp_path / "run/history/000000.jsonl").write_text('{"history":{"scenario":"a.b"}}\n')
    assert run(tmp_path / "run", STORY)[0].status == 0
    for _ in range(2):
        assert tool.mailproof("load", "--sim", STORY, "--copies", "2", "--out", tmp_path / "run").status == 0
    assert json.loads((tmp_path / "run/run.json").read_text())["load"]["command"].startswith("mailproof load ")
