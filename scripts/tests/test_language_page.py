"""Every example of scenarios/README.md is played: whole files as they stand, lists of steps behind the beginning that the
page gives them."""
import re

import pytest

import tool
from reference_server import ROOT

PAGE = (ROOT / "scenarios/README.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
BEGINNING = next(block for block in BLOCKS if block.startswith("id: page.examples"))
CHECKS_BEGIN = next(block for block in BLOCKS if block.startswith("id: pop3.page-examples"))
WRONG = next(block for block in BLOCKS if block.startswith("wrong:"))
SECTION = next(block for block in BLOCKS if block.startswith("id: pop3.1939-5"))
WHOLE = [block for block in BLOCKS if block.startswith("id:") and block != CHECKS_BEGIN]
CHECKS = [block for block in BLOCKS if block.startswith("  - id:")]
TARGET = next(block for block in BLOCKS if block.startswith("target:"))
STEPS = [block for block in BLOCKS if block.startswith("  - ") and block not in CHECKS]


def name(block):
    return block.strip().split("\n")[0].strip("- ")[:50]


def test_the_page_has_examples():
    assert len(WHOLE) == 3 and len(STEPS) >= 10 and len(CHECKS) >= 7
    assert len(BLOCKS) == len(WHOLE) + len(STEPS) + len(CHECKS) + 3, "every block is one that is played"


@pytest.mark.parametrize("way", ["--sim", "--sockets"])
@pytest.mark.parametrize("text",
                         WHOLE + [BEGINNING + block for block in STEPS] + [CHECKS_BEGIN + block for block in CHECKS],
                         ids=[name(block) for block in WHOLE + STEPS + CHECKS])
def test_an_example_of_the_page_passes(tmp_path, text, way):
    path = tmp_path / "example.yaml"
    path.write_text(text, "utf-8")
    ran = tool.mailproof("run", way, path, "--out", tmp_path / "run")
    assert ran.status == 0, ran.out + ran.err
    written = tool.complete_run(tmp_path / "run")
    # A second copy after a lost answer, and a POP3 server that lets two in, are latitudes of the examples themselves.
    assert {scenario["verdict"] for scenario in written["scenarios"]} in ({"pass"}, {"latitude"}), ran.out


def test_the_wrong_servers_of_the_page_are_caught(tmp_path):
    (tmp_path / "1939-5.yaml").write_text(SECTION, "utf-8")
    (tmp_path / "1939-5.wrong.yaml").write_text(WRONG, "utf-8")
    ran = tool.mailproof("prove", tmp_path)
    assert ran.status == 0, ran.out + ran.err
    (tmp_path / "1939-5.wrong.yaml").write_text(WRONG.replace("-ERR no messages", "+OK\n    S: ."), "utf-8")
    assert tool.mailproof("prove", tmp_path).status == 1, "a wrong server that is right proves nothing"


# Asks for an account that the target has not: the target file is read, and nothing is connected to.
NEEDS_MUCH = """id: page.needs-much
needs: [imap, quota]
accounts: {alice: {quota: 7KiB}}
devices: {phone: {imap: alice}}
steps: [{phone: sync}]
"""


def test_the_target_file_of_the_page_is_understood(tmp_path):
    scenario, target = tmp_path / "needs-much.yaml", tmp_path / "node-7.yaml"
    scenario.write_text(NEEDS_MUCH, "utf-8")
    target.write_text(TARGET, "utf-8")
    ran = tool.mailproof("run", "--target", target, scenario, "--out", tmp_path / "run")
    written = tool.complete_run(tmp_path / "run")
    assert ran.status == 3 and written["scenarios"][0]["verdict"] == "not-applicable", ran.text
    for key in ("settle", "delivery", "quota", "known", "until"):
        target.write_text(TARGET.replace(f"{key}:", f"{key}s:", 1), "utf-8")
        ran = tool.mailproof("run", "--target", target, scenario, "--out", tmp_path / "other")
        assert ran.status == 2 and f"'{key}s'; expected" in ran.err, ran.text


def test_the_page_names_every_key_of_a_target_file():
    section = PAGE[PAGE.index("## The target file"):]
    for file in ("target.cc", "pool.cc"):
        text = (ROOT / "harness/scenario" / file).read_text("utf-8")
        keys = re.findall(r"k(?:Keys|AdminVerbs|Allowed|ClassKeys) = \{(.*?)\};", text, re.S)
        assert keys
        for key in re.findall(r'"([a-z0-9_-]+)"', " ".join(keys)):
            assert re.search(rf"\b{key}\b", section), key


def test_a_broken_example_would_be_noticed(tmp_path):
    path = tmp_path / "example.yaml"
    path.write_text(BEGINNING + "  - judge: {count: 5, of: alice}\n", "utf-8")
    assert tool.mailproof("run", "--sim", path, "--out", tmp_path / "run").status == 1
