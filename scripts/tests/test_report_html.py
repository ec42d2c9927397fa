"""report.html as a browser takes it, read by Python's own parser: one file that needs no other, nothing of a server's
text taken for markup, and findings before all else."""
import html.parser
import json
import re

import pytest

import tool
from reference_server import ROOT
from test_reports import written  # noqa: F401  (the fixture)

VOID = {"meta", "br", "link", "img", "hr", "input", "base", "col"}


class Page(html.parser.HTMLParser):
    """Every tag with its attributes, all text, and what does not balance."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.wrong, self.tags, self.words = [], [], [], []
        self.feed(text)
        self.close()
        self.wrong += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        if len(set(names)) != len(names):
            self.wrong.append(f"<{tag}> has an attribute twice")
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.wrong.append(f"<{tag}/>")

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data):
        self.words.append(data)

    def handle_comment(self, data):
        self.wrong.append(f"comment: {data}")

    def unknown_decl(self, data):
        self.wrong.append(f"declaration: {data}")

    @property
    def text(self):
        return "".join(self.words)

    def anchors(self):
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]


def check(text):
    """What holds of every report; the parsed page."""
    page = Page(text)
    assert page.wrong == []
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "svg"}
    for tag, attributes in page.tags:
        assert not {"src", "onclick", "onload", "onerror", "style"} & set(attributes), (tag, attributes)
        assert not any(name.startswith("on") for name in attributes)
        if "href" in attributes:
            assert attributes["href"].startswith("#"), attributes
    style = text[text.index("<style>"):text.index("</style>")]
    assert not re.search(r"url\(|@import|https?:", style)
    anchors = page.anchors()
    assert len(set(anchors)) == len(anchors)
    for _, attributes in page.tags:
        if "href" in attributes:
            assert attributes["href"][1:] in anchors
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in page.tags
    return page


@pytest.mark.parametrize("name", ["sample", "hostile", "checks", "hostile-checks"])
def test_is_well_formed_and_needs_nothing_else(written, name):  # noqa: F811
    text = (written / f"mailproof-{name}.report.html").read_text("utf-8")
    page = check(text)
    assert [tag for tag, _ in page.tags if tag in ("h1", "h2")][:2] == ["h1", "h2"]
    assert page.anchors()[0] == "findings"


@pytest.mark.parametrize("name", ["hostile", "hostile-checks"])
def test_what_a_server_says_is_text(written, name):  # noqa: F811
    text = (written / f"mailproof-{name}.report.html").read_text("utf-8")
    assert "<script" not in text and "alert(1)" in Page(text).text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e\ufffe\uffff]", text)


def test_shows_checks_by_section_and_level(written):  # noqa: F811
    page = check((written / "mailproof-checks.report.html").read_text("utf-8"))
    assert "RFC 1939" in page.text and "section 8.1.2" in page.text and "MUST (2)" in page.text
    assert "1 accepted, and not counted" in page.text
    assert ("span", {"class": "whole"}) in page.tags and "1 known-fail" in page.text
    assert [attributes for tag, attributes in page.tags if tag == "td" and attributes.get("data-lane") == "pc"]


def test_of_a_run_that_failed(tmp_path):
    ran = tool.mailproof("run", "--sim", tool.STORY, "scenarios/quota", "--defect", "delivery.accepts-and-drops", "--out", tmp_path)
    assert ran.status == 1, ran.text
    page = check((tmp_path / "report.html").read_text("utf-8"))
    finding = json.loads((tmp_path / "run.json").read_text())["scenarios"][0]["findings"][0]
    for part in ("requirement", "expected", "actual", "reproduce"):
        assert finding[part] in page.text, part
    assert finding["evidence"][0].splitlines()[0] in page.text and finding["life"][0] in page.text
    lanes = {attributes["data-lane"] for tag, attributes in page.tags if "data-lane" in attributes}
    assert {"mta", "phone", "pc", "audit"} <= lanes
    assert "step 3: pc: {download: new, as: got}" in page.text
    assert (tmp_path / "report.html").stat().st_size < 1 << 20


def test_no_password_is_in_it(tmp_path):
    ran = tool.mailproof("run", "--sockets", "scenarios/tls", tool.STORY, "--out", tmp_path)
    assert ran.status == 0, ran.text
    assert tool.PASSWORD not in (tmp_path / "report.html").read_text("utf-8")


def test_every_story_that_passed_can_be_unfolded(tmp_path):
    assert tool.mailproof("run", "--sim", "scenarios/mixed", "--out", tmp_path).status == 0
    page = check((tmp_path / "report.html").read_text("utf-8"))
    stories = [attributes for tag, attributes in page.tags if tag == "details" and attributes.get("class") == "story"]
    assert len(stories) == len([one for one in (ROOT / "scenarios/mixed").glob("*.yaml") if not one.name.endswith(".wrong.yaml")])
    assert all("open" not in attributes for attributes in stories)
