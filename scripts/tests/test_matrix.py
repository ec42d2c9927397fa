"""mailproof matrix: runs of several servers beside each other, each verdict a link that leads to its evidence."""
import json
import os
import re

import pytest

import tool
from browser import Browser, WITHOUT
from test_report_html import Page

SECTION = "scenarios/conformance/pop3/1939-6.yaml"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("matrix")
    tool.mailproof("run", "--sim", SECTION, "--out", folder / "right")
    broken = tool.mailproof("run", "--sim", "--defect", "pop3.quit-deletes-nothing", SECTION, "--out", folder / "broken")
    assert broken.status == 1, broken.text
    return folder


def test_what_separates_the_servers_is_first_and_leads_to_its_evidence(runs):
    ran = tool.mailproof("matrix", "--out", runs / "table", f"right={runs / 'right'}", f"broken={runs / 'broken'}")
    assert ran.status == 0, ran.text
    text = (runs / "table/matrix.html").read_text()
    page = Page(text)
    assert page.wrong == []
    first = re.search(r"<tr class=\"of-MUST\"><td class=\"id\">([^<]*)<.*", text)
    assert first.group(1) == "pop3.1939-6.dele-commits-on-quit"
    links = re.findall(r"href=\"([^\"#]*)#([^\"]*)\"><span class=\"badge (?:pass|fail)\"", first.group(0))
    assert len(links) == 2
    for path, anchor in links:
        report = (runs / "table" / path).read_text()
        row = re.search(rf"<tr id=\"{anchor}\">.*", report).group(0)
        assert "pop3.1939-6.dele-commits-on-quit" in row
    found = re.search(r"<a href=\"#(finding-\d+)\">", row)  # of the broken one, which comes last
    assert f"id=\"{found.group(1)}\"" in report
    assert "dele-commits-on-quit" in (runs / "table/matrix.md").read_text()


@WITHOUT
def test_a_browser_shows_it_wide_and_narrow(runs, tmp_path):
    """Nothing is wider than the window; when the table is scrolled its first row and column stay; the boxes filter."""
    names = [f"{name}-of-a-server={runs / 'right'}" for name in ("first", "second", "third", "fourth")]
    ran = tool.mailproof("matrix", "--out", runs / "seen", *names, f"broken={runs / 'broken'}")
    assert ran.status == 0, ran.text
    with Browser(tmp_path) as browser:
        for width in (1400, 390):
            browser.width(width)
            browser.open((runs / "seen/matrix.html").as_uri())
            assert browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width
            browser.picture(f"matrix-{width}.png")
            shown = "[...document.querySelectorAll('table.matrix tbody tr')].filter((row) => row.offsetHeight > 0).length"
            differing = browser.evaluate(shown)
            assert differing > 0
            browser.evaluate("document.getElementById('f-same').click()")
            everything = browser.evaluate(shown)
            assert everything > differing
            places = """JSON.stringify(['thead th:first-child', 'thead th:last-child', 'tbody tr:last-child td:first-child'].map((one) => {
                const box = document.querySelector('table.matrix ' + one).getBoundingClientRect();
                return [Math.round(box.left), Math.round(box.top)]; }))"""
            before = json.loads(browser.evaluate(places))
            browser.evaluate("document.querySelector('#matrix .scroll').scrollBy(60, 60)")
            after = json.loads(browser.evaluate(places))
            assert after[0] == before[0] and after[1][1] == before[1][1], "the first row stays"
            assert after[2] == [before[2][0], before[2][1] - 60], "the first column stays, and goes with its rows"
            browser.picture(f"matrix-{width}-scrolled.png")
            browser.evaluate("document.getElementById('f-MUST').click()")
            assert browser.evaluate(shown) < everything
            assert not browser.evaluate("[...document.querySelectorAll('tr.of-MUST')].some((row) => row.offsetHeight > 0)")


def test_two_columns_of_one_name_and_what_is_no_run_are_refused(runs, tmp_path):
    same = tool.mailproof("matrix", "--out", tmp_path, runs / "right", runs / "broken")
    assert same.status == 2 and "NAME=" in same.err
    none = tool.mailproof("matrix", "--out", tmp_path, tmp_path)
    assert none.status == 2 and "run.json" in none.err
    assert os.listdir(tmp_path) == []
