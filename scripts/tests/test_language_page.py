"""Every example in YAML, on every page, is played, proven or read: whole files as they stand; lists of steps, checks and wrong
servers with the beginning that their page gives them; parts of target files with what else must be there."""
import re

import pytest
import yaml

import tool
from pages import BLOCKS
from reference_server import ROOT

STORIES, CHECKS_PAGE, TARGETS = "scenarios/README.md", "scenarios/conformance/README.md", "scenarios/targets.md"
BEGIN_STORY, BEGIN_CHECKS = "id: page.examples\n", "id: pop3.page-examples\n"
YAML = [block for block in BLOCKS if block.kind == "yaml"]


def kind(block):
    """What is done with a block."""
    kinds = {BEGIN_STORY: "beginning", BEGIN_CHECKS: "beginning", "id: ": "whole", "  - id: ": "check", "  - ": "step", "wrong: ": "wrong",
             "target: ": "target", "known:\n": "part", "admin:\n": "part", "plan: ": "load", "profile: ": "devices"}
    return next(kinds[begin] for begin in kinds if block.text.startswith(begin))


def of_kind(wanted):
    return [block for block in YAML if kind(block) == wanted]


def beginning(page):
    [found] = [block.text for block in of_kind("beginning") if block.page == page]
    return found


def whole(block):
    return block.text if kind(block) == "whole" else beginning(block.page) + block.text


def names(blocks):
    return [f"{block.name}:{block.text.strip().splitlines()[0].strip('- ')[:40]}" for block in blocks]


PLAYED = of_kind("whole") + of_kind("step") + of_kind("check")


def test_the_pages_have_examples_and_each_is_of_a_kind():
    counts = {page: [kind(block) for block in YAML if block.page == page] for page in (STORIES, CHECKS_PAGE, TARGETS)}
    assert counts[STORIES].count("step") >= 10 and counts[STORIES].count("whole") == 1
    assert counts[CHECKS_PAGE].count("check") >= 8 and counts[CHECKS_PAGE].count("wrong") == 3
    assert counts[TARGETS].count("target") == 1


@pytest.mark.parametrize("way", ["--sim", "--sockets"])
@pytest.mark.parametrize("block", PLAYED, ids=names(PLAYED))
def test_an_example_passes(tmp_path, block, way):
    for letter in [one.text for one in BLOCKS if one.kind == "eml"]:
        (tmp_path / "letters").mkdir(exist_ok=True)
        (tmp_path / "letters/invoice.eml").write_text(letter, "utf-8")
    path = tmp_path / "example.yaml"
    path.write_text(whole(block), "utf-8")
    ran = tool.mailproof("run", way, path, "--out", tmp_path / "run")
    written = tool.complete_run(tmp_path / "run")
    verdicts = {scenario["verdict"] for scenario in written["scenarios"]}
    assert ran.status == 0, ran.out + ran.err
    # A second copy after a lost answer, and a POP3 server that lets two in, are latitudes of the examples themselves.
    assert verdicts in ({"pass"}, {"latitude"}), ran.out


@pytest.mark.parametrize("block", of_kind("load") + of_kind("devices"), ids=lambda block: block.page)
def test_a_plan_or_profile_that_is_shown_is_one_that_is_shipped(block, tmp_path):
    name = block.text.split("\n")[0].split(": ")[1]
    shipped = ROOT / "scenarios" / kind(block) / f"{name}.yaml"
    if name == "phone-that-writes":  # the reader's own
        (tmp_path / f"{name}.yaml").write_text(block.text, "utf-8")
        checked = tool.mailproof("check", tmp_path / f"{name}.yaml")
        assert checked.status == 0, checked.text
        return
    assert block.text == shipped.read_text("utf-8")


@pytest.mark.parametrize("block", [block for block in of_kind("whole") if "\nsteps:" in block.text and block.page != STORIES and "id: page." not in block.text],
                         ids=lambda block: block.page)
def test_a_story_that_is_shown_elsewhere_is_the_one_that_is_shipped(block):
    story = yaml.safe_load(block.text)
    assert story == yaml.safe_load((ROOT / "scenarios" / f"{story['id'].replace('.', '/', 1)}.yaml").read_text("utf-8"))


def proven(tmp_path, block, change=lambda text: text):
    """`prove` with the checks that the block's wrong servers are about."""
    wanted = yaml.safe_load(block.text)
    if wanted["wrong"] == BEGIN_CHECKS[4:].strip():
        checks = [one.text for one in of_kind("check") if yaml.safe_load(one.text)[0]["id"] in wanted["checks"]]
        checks = beginning(block.page) + "".join(checks)
    else:
        checks, *_ = [one.text for one in of_kind("whole") if yaml.safe_load(one.text)["id"] == wanted["wrong"]]
    (tmp_path / "page.yaml").write_text(checks, "utf-8")
    (tmp_path / "page.wrong.yaml").write_text(change(block.text), "utf-8")
    return tool.mailproof("prove", tmp_path)


@pytest.mark.parametrize("block", of_kind("wrong"), ids=lambda block: block.name)
def test_the_wrong_servers_of_a_page_are_caught(tmp_path, block):
    ran = proven(tmp_path, block)
    assert ran.status == 0, ran.text


def test_a_wrong_server_that_is_right_proves_nothing(tmp_path):
    block = of_kind("wrong")[0]
    ran = proven(tmp_path, block, lambda text: text.replace("-ERR no messages", "+OK\n    S: ."))
    assert ran.status == 1, ran.text


# Asks for an account that the target has not: the target file is read, and nothing is connected to.
NEEDS_MUCH = """id: page.needs-much
needs: [imap, quota]
accounts: {alice: {quota: 7KiB}}
devices: {phone: {imap: alice}}
steps: [{phone: sync}]
"""
LEAST = """target: node-7
imap: [{port: 143}]
accounts: [{login: "user%d@example.test", password_env: MAILPROOF_PASSWORD}]
"""


def read(tmp_path, text):
    scenario, target = tmp_path / "needs-much.yaml", tmp_path / "node-7.yaml"
    scenario.write_text(NEEDS_MUCH, "utf-8")
    target.write_text(text, "utf-8")
    return tool.mailproof("run", "--target", target, scenario, "--out", tmp_path / "run")


ASKED = of_kind("target") + of_kind("part")


@pytest.mark.parametrize("block", ASKED, ids=lambda block: block.name)
def test_a_target_file_of_a_page_is_understood(tmp_path, block):
    ran = read(tmp_path, block.text if kind(block) == "target" else LEAST + block.text)
    assert ran.status == 3 and "not-applicable" in ran.out, ran.text
    written = tool.complete_run(tmp_path / "run")
    assert written["scenarios"][0]["verdict"] == "not-applicable"
    assert not [note for note in written.get("notes", []) if "known" in note], "it names no scenario, or one that is over"


@pytest.mark.parametrize("key", ("settle", "delivery", "quota", "known", "until"))
def test_a_key_of_the_target_file_that_is_misspelt_would_be_noticed(tmp_path, key):
    [block] = [block for block in of_kind("target") if block.page == TARGETS]
    ran = read(tmp_path, block.text.replace(f"{key}:", f"{key}s:", 1))
    assert ran.status == 2 and f"'{key}s'; expected" in ran.err, ran.text


def test_the_page_names_every_key_of_a_target_file():
    page = (ROOT / TARGETS).read_text("utf-8")
    readers = [path for path in (ROOT / "harness/scenario").rglob("*.cc") if path.name in ("target.cc", "pool.cc")]
    assert len(readers) == 2
    for path in readers:
        keys = re.findall(r"k(?:Keys|AdminVerbs|Allowed|ClassKeys) = \{(.*?)\};", path.read_text("utf-8"), re.S)
        assert keys
        for key in re.findall(r'"([a-z0-9_-]+)"', " ".join(keys)):
            assert re.search(rf"\b{key}\b", page), key


def test_the_page_names_every_key_of_a_check():
    page = (ROOT / CHECKS_PAGE).read_text("utf-8")
    [reader] = (ROOT / "harness/scenario").rglob("checks.cc")
    keys = re.findall(r"k(?:File|Check)Keys = \{(.*?)\};", reader.read_text("utf-8"), re.S)
    assert len(keys) == 2
    for key in re.findall(r'"([a-z_]+)"', " ".join(keys)):
        assert re.search(rf"\b{key}\b", page), key


def test_a_broken_example_would_be_noticed(tmp_path):
    path = tmp_path / "example.yaml"
    path.write_text(beginning(STORIES) + "  - judge: {count: 5, of: alice}\n", "utf-8")
    assert tool.mailproof("run", "--sim", path, "--out", tmp_path / "run").status == 1
