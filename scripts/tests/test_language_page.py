"""Every example of scenarios/README.md is played: whole files as they stand, lists of steps behind the beginning that the
page gives them."""
import re

import pytest

import tool
from reference_server import ROOT

PAGE = (ROOT / "scenarios/README.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
WHOLE = [block for block in BLOCKS if block.startswith("id:")]
BEGINNING = next(block for block in WHOLE if block.startswith("id: page.examples"))
STEPS = [block for block in BLOCKS if not block.startswith("id:")]


def name(block):
    return block.strip().split("\n")[0].strip("- ")[:50]


def test_the_page_has_examples():
    assert len(WHOLE) == 2 and len(STEPS) >= 10


@pytest.mark.parametrize("way", ["--sim", "--sockets"])
@pytest.mark.parametrize("text", WHOLE + [BEGINNING + block for block in STEPS],
                         ids=[name(block) for block in WHOLE + STEPS])
def test_an_example_of_the_page_passes(tmp_path, text, way):
    path = tmp_path / "example.yaml"
    path.write_text(text, "utf-8")
    ran = tool.mailproof("run", way, path, "--out", tmp_path / "run")
    assert ran.status == 0, ran.out + ran.err
    written = tool.complete_run(tmp_path / "run")
    # A second copy after a lost answer, and a POP3 server that lets two in, are latitudes of the examples themselves.
    assert [scenario["verdict"] for scenario in written["scenarios"]] in (["pass"], ["latitude"]), ran.out


def test_a_broken_example_would_be_noticed(tmp_path):
    path = tmp_path / "example.yaml"
    path.write_text(BEGINNING + "  - judge: {count: 5, of: alice}\n", "utf-8")
    assert tool.mailproof("run", "--sim", path, "--out", tmp_path / "run").status == 1
