"""What is promised over a whole history is in one table of the code: the page shows it, and the checks that it names are there. And the
kinds of bugs that the built-in server can be given are those of its switches."""
import json
import pathlib
import re
import subprocess
import sys

import tool

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "harness/judge/README.md"


def told():
    """(number, kind, what, source, findings) of each."""
    lines = tool.mailproof("list", "--invariants").out.splitlines()
    assert len(lines) == 3 * 38
    out = []
    for head, source, findings in zip(lines[::3], lines[1::3], lines[2::3]):
        number, kind, what = re.fullmatch(r"I(\d+) +([a-z, ]+?)  +(.+)", head).groups()
        out.append((int(number), kind, what, source.strip(), findings.strip()))
    return out


def test_the_page_shows_them():
    rows = [f"| I{number} | " + " | ".join(rest) + " |" for number, *rest in told()]
    assert [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| I")] == rows


def test_the_checks_that_they_name_ship():
    shipped = {one["id"] for one in json.loads(tool.mailproof("list", "--json").out)}
    named = {one for *_, findings in told() for one in re.findall(r"; check (.+)", findings)}
    assert named and named <= shipped, named - shipped


def test_it_is_a_table_of_its_own():
    assert tool.mailproof("list", "--invariants", "--json").status == 2


def test_every_switch_is_of_a_kind_of_bug():
    ran = subprocess.run([sys.executable, ROOT / "scripts/defect-table"], capture_output=True, text=True, check=True)
    *kinds, last = ran.stdout.splitlines()
    have, all_kinds = map(int, re.fullmatch(r"(\d+) of (\d+) kinds of bugs can be switched on", last).groups())
    assert (len(kinds), all_kinds) == (90, 90) and have >= 75
    switches_of = [re.split(r" {2,}", line)[-1] for line in kinds]
    named = {name for names in switches_of if not names.startswith("- ") for name in names.split()}
    switches = {re.split(r"\s{2,}", line.strip())[0] for line in tool.mailproof("server", "--list-defects").out.splitlines()}
    assert named <= switches, named - switches
