"""The project's pages, taken apart for the tests that hold them to what is true."""
import dataclasses
import pathlib
import re

from reference_server import ROOT

NOT_OURS = {"build", "runs", ".git", ".cache", "node_modules"}


@dataclasses.dataclass
class Block:
    page: str  # from the project's root
    line: int
    kind: str  # yaml, console, text
    text: str

    @property
    def name(self):
        return f"{self.page}:{self.line}"


def find():
    """Every page, by its place below the project's root."""
    places = (path.relative_to(ROOT) for path in ROOT.rglob("*.md"))
    return {str(place): (ROOT / place).read_text("utf-8") for place in sorted(places) if not NOT_OURS & set(place.parts)}


def blocks(page, text):
    """What stands between fences."""
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.S | re.M):
        yield Block(page, text[:found.start()].count("\n") + 1, found[1], found[2])


def without_blocks(text):
    return re.sub(r"^```\w*\n.*?^```$", "", text, flags=re.S | re.M)


def anchor(heading):
    """As GitHub and GitLab make it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def headings(text):
    return [found[1] for found in re.finditer(r"^#+ (.*)$", without_blocks(text), re.M)]


def links(text):
    """Where the links of a page lead to, those into the world left out."""
    found = re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", without_blocks(text))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def goal(page, link):
    """The path that a link of a page names, and the heading's anchor in it."""
    path, _, wanted = link.partition("#")
    return (ROOT / page).parent / path if path else ROOT / page, wanted


PAGES = find()
BLOCKS = [block for page, text in PAGES.items() for block in blocks(page, text)]
