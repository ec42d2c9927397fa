"""A scenario file as pytest collects it, and how verdicts become outcomes (README.md has the table)."""
import re

import pytest

from .tool import Trouble, finding_text, printable

FIRST_KEY = re.compile(r"\A(?:\s*#.*\n|\s*\n)*id:\s")
CONTENT = re.compile(r"^(?:steps|checks):", re.MULTILINE)
LARGEST = 1 << 20  # characters that are looked at


class Latitude(UserWarning):
    """A SHOULD that the server does not follow, or a bound it missed: passes, and is told."""


class Finding(Exception):
    """What a failed scenario or check found; its text is the report's."""


def is_scenario(path):
    """Begins with id: and holds steps: or checks:, so neither a wrong server (wrong:) nor a target file (target:)."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(LARGEST)
    except (OSError, UnicodeDecodeError):
        return False
    return bool(FIRST_KEY.match(text) and CONTENT.search(text))


class ScenarioFile(pytest.File):
    shown = None  # its name for the tool, relative to where that runs
    holds = 0     # how many scenarios and checks are played of it

    def collect(self):
        setup = self.config.mailproof
        self.shown = setup.shown(self.path)
        try:
            listed = setup.tool.list(self.shown)
        except Trouble as trouble:
            raise self.CollectError(str(trouble)) from None
        items = [ScenarioItem.from_parent(self, name=entry["id"], entry=entry) for entry in listed]
        self.holds = sum(not item.left_out for item in items)
        return items


class ScenarioItem(pytest.Item):
    def __init__(self, *, entry, **known):
        super().__init__(**known)
        self.listed, self.found = entry, None
        self.add_marker("mailproof")
        # It waits out a server's timer, up to half an hour; the tool plays it where it is told to.
        self.left_out = "slow" in entry["tags"] and not self.config.mailproof.tool.has("--slow")
        # `-k slow`, `-k MUST`
        self.extra_keyword_matches.update({entry["kind"], entry["level"], *entry["tags"]} - {""})

    def setup(self):
        """Plays, or reads what was played with others: what goes wrong here is an error, no failure."""
        setup = self.config.mailproof
        setup.ready()
        self.found = setup.plays.entry(self)
        if self.left_out:
            pytest.skip("slow: not run (--mailproof-args=--slow runs it)")
        if self.found is None:
            raise Trouble(f"{self.name} was not played, and run.json does not say why")
        verdict = self.found["verdict"]
        self.user_properties.append(("mailproof_verdict", verdict))
        if self.listed["level"]:
            self.user_properties.append(("mailproof_level", self.listed["level"]))
        if verdict in ("error", "inconclusive"):
            raise Trouble(self.text())

    def runtest(self):
        verdict = self.found["verdict"]
        note = printable(self.found.get("note") or verdict)
        if verdict == "not-applicable":
            pytest.skip(note)
        if verdict == "known-fail":
            pytest.xfail(note)  # returns with --runxfail
        if verdict == "latitude":
            self.warn(Latitude(self.headline()))
        if verdict in ("pass", "latitude"):
            if self.found["findings"] or self.found.get("note"):
                self.add_report_section("call", "mailproof", self.text())
            return
        raise Finding(self.text())

    def headline(self):
        """What `mailproof run` says first of it: the class of the first finding that counts, and the sentence that is
        broken; of what is no promise of the server's, what was seen."""
        for finding in self.found["findings"]:
            if finding.get("accepted"):
                continue
            said = finding["requirement" if finding["severity"] in ("fail", "latitude") else "actual"]
            return printable(f"{finding['id'].removeprefix(self.name + '/')}: {said}".split("\n", 1)[0])
        return printable(self.found.get("note") or self.found["verdict"])

    def text(self):
        """All that was found, and where its run is kept."""
        texts = [finding_text(finding) for finding in self.found["findings"]]
        if self.found.get("note") or not texts:
            texts.insert(0, f"{self.found['verdict']} {self.name}: {printable(self.found.get('note') or '')}".rstrip(": "))
        return "\n\n".join(texts)

    def completed(self, report, excinfo):
        """A phase of ours ended: its report says what the tool said, at the scenario's own line."""
        path, line = str(self.path), self.line() + 1
        if report.when == "call" and self.config.mailproof.tool.target != "sim":  # the simulation's time is not ours
            report.duration = self.found["seconds"]
        if report.skipped and isinstance(report.longrepr, tuple):
            report.longrepr = (path, line, report.longrepr[2])
        if report.failed and isinstance(excinfo.value, (Finding, Trouble, Latitude)):
            # The text alone, no Python traceback.
            shown, crash = excinfo.getrepr(style="value"), excinfo.getrepr(style="short").reprcrash
            crash.path, crash.lineno = path, line
            crash.message = self.headline() if self.found else str(excinfo.value).split("\n", 1)[0]
            shown.chain, shown.reprcrash = [(shown.reprtraceback, crash, None)], crash
            report.longrepr = shown

    def reportinfo(self):
        # With the title: a domain that is the node's own end would be shown with each dot of it as "::".
        return self.path, self.line(), f"{self.name}: {self.listed['title']}".rstrip(": ")

    def line(self):
        """Where the id stands, counted from 0: of a story the whole, of a check its last part."""
        ids = "|".join(map(re.escape, (self.name, self.name.rpartition(".")[2])))
        own = re.compile(rf"^\s*(-\s*)?(\{{\s*)?id:\s*[\"']?({ids})[\"']?\s*([,}}#]|$)")
        lines = self.path.read_text("utf-8", "replace").split("\n")
        return next((number for number, line in enumerate(lines) if own.match(line)), 0)
