"""A throwaway project whose tests are played by the real tool, with the plugin as it stands in this checkout."""
import pathlib
import signal
import sys

import pytest

pytest_plugins = ["pytester"]
HERE = pathlib.Path(__file__).resolve().parents[1]
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "scripts/tests"))
from reference_server import BINARY  # noqa: E402

WITH_PLUGIN = ("-p", "pytest_mailproof.plugin", "-p", "no:cacheprovider")


def hears_interrupts():
    """In a child: also where a shell began these tests in the background, deaf to them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def project(pytester, monkeypatch):
    """A folder with stories in scenarios/, where `project.play(...)` runs pytest with the plugin."""
    monkeypatch.setenv("MAILPROOF_BIN", BINARY)
    monkeypatch.setenv("PYTHONPATH", str(HERE / "src"))
    monkeypatch.setenv("MAILPROOF_PASSWORD", "pass")
    monkeypatch.setenv("COLUMNS", "200")
    pytester.makeini("[pytest]")
    (pytester.path / "scenarios").mkdir()

    def add(scenario):
        """A story of ours by its id, or the text of one."""
        text = scenario
        if "\n" not in scenario:
            family, _, rest = scenario.partition(".")
            text = (ROOT / "scenarios" / family / f"{rest}.yaml").read_text()
        path = pytester.path / "scenarios" / (text.split("id: ")[1].split("\n")[0] + ".yaml")
        path.write_text(text)
        return f"scenarios/{path.name}"

    def play(*arguments):
        return pytester.runpytest_subprocess(*WITH_PLUGIN, *arguments)

    pytester.add, pytester.play = add, play
    return pytester
