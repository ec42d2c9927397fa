"""What scripts/setup installs: named once, and on the page that says what mailproof stands on."""
import re

from reference_server import ROOT


def packages():
    lists = re.findall(r"^(?:build=|test=|.*\btest\+=)\(([^)]*)\)", (ROOT / "scripts/setup").read_text("utf-8"), re.M)
    assert len(lists) == 3, "the build's, the tests' and Node's"
    return " ".join(lists).split()


def test_every_package_is_named_once():
    assert sorted(packages()) == sorted(set(packages()))


def test_the_page_names_the_same_packages():
    page = (ROOT / "harness/README.md").read_text("utf-8").split("## What it stands on", 1)[1]
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| ")]
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", "".join(row))]
    assert sorted(named) == sorted(packages())
