"""`compare`: two runs of a load, what differs and what does not, and the exit status for a pipeline."""
import copy
import json

import pytest

import tool

POP = "mixed.pop-download-empties-the-phone"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs of the same, with other seeds; a third where every answer took half as long again, made from the first."""
    folder = tmp_path_factory.mktemp("runs")
    for name, seed in (("old", 1), ("new", 2)):
        ran = tool.mailproof("load", POP, "--sim", "--copies", 20, "--rate", "8/s", "--for", "1m", "--seed", seed, "--out",
                             folder / name)
        assert ran.status == 0, ran.text
    (folder / "slow").mkdir()
    stats = json.loads((folder / "old/stats.json").read_text("utf-8"))
    for operation in stats["operations"].values():
        # 19 buckets of 32 a power of two: half as long again.
        slower = copy.deepcopy(operation["slices"]["response"])
        operation["slices"]["response"] = [[value + 19 if i % 2 == 0 else value for i, value in enumerate(one)] for one in slower]
    (folder / "slow/stats.json").write_text(json.dumps(stats))
    return folder


def test_equal_runs_do_not_differ(runs):
    ran = tool.mailproof("compare", runs / "old", runs / "new", "--fail-if", "* p99 +10%", "--fail-if", "* errors +1%")
    assert ran.status == 0, ran.text
    assert "No difference is shown." in ran.out and "WORSE" not in ran.out
    assert "pass: * p99 +10%: no such difference is shown" in ran.out


def test_a_slower_one_fails_the_pipeline(runs):
    ran = tool.mailproof("compare", runs / "old", runs / "slow", "--fail-if", "imap.* p99 +10%")
    assert ran.status == 1, ran.text
    assert "A difference is shown." in ran.out and "imap.fetch p99 +" in ran.out
    # The other way round it is better, and no failure.
    ran = tool.mailproof("compare", runs / "slow", runs / "old", "--fail-if", "imap.* p99 +10%")
    assert ran.status == 0 and "better" in ran.out, ran.text


def test_several_runs_against_the_first_side_by_side(runs, tmp_path):
    page = tmp_path / "compare.html"
    ran = tool.mailproof("compare", f"4.1={runs / 'old'}", f"4.2={runs / 'new'}", f"4.3={runs / 'slow'}", "--html", page)
    assert ran.status == 0, ran.text
    assert ran.out.count(" against 4.1\n") == 2
    text = page.read_text("utf-8")
    assert "4.2 against 4.1" in text and "4.3 against 4.1" in text and '<td class="bad">worse</td>' in text
    assert "<script" not in text and "http" not in text.replace("https://github.com/leeoniya", "")


def test_too_short_to_compare(tmp_path):
    for name in ("a", "b"):
        assert tool.mailproof("load", POP, "--sim", "--copies", 4, "--out", tmp_path / name).status == 0
    ran = tool.mailproof("compare", tmp_path / "a", tmp_path / "b", "--fail-if", "imap.fetch p99 +10%")
    assert ran.status == 3 and "too short" in ran.out, ran.text


@pytest.mark.parametrize("arguments, why", [
    (["--fail-if", "imap.fetsh p99 +10%"], "did you mean 'imap.fetch'?"),
    (["--fail-if", "imap.fetch p9 +10%"], "did you mean 'p99'?"),
    (["--fail-if", "imap.fetch"], "expected operations, a metric and a change"),
])
def test_a_rule_that_means_nothing_is_refused(arguments, why, runs):
    ran = tool.mailproof("compare", runs / "old", runs / "new", *arguments)
    assert ran.status == 2 and why in ran.err, ran.text


def test_what_is_no_load_is_refused(runs, tmp_path):
    ran = tool.mailproof("compare", runs / "old", tmp_path)
    assert ran.status == 2 and "expected the run directory of a load" in ran.err
    (tmp_path / "stats.json").write_text("{}")
    ran = tool.mailproof("compare", runs / "old", tmp_path)
    assert ran.status == 2 and "not the stats.json of a load" in ran.err
    ran = tool.mailproof("compare", runs / "old")
    assert ran.status == 2 and "two or more" in ran.err
