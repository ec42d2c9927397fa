"""Options, hooks and fixtures. `pytest -p pytest_mailproof.plugin` where it is not installed."""
import pathlib
import shlex
import sys
import tempfile
import uuid

import pytest

from .items import ScenarioFile, ScenarioItem, is_scenario
from .plays import BATCHES, SESSION, Plays
from .servers import Impossible, Servers
from .tool import BUILT_IN, Mailproof

OPTIONS = {
    "target": ("sim, sockets, or a target file: the server to play on (default: sim)", None),
    "server": ("play on this throwaway server of a mailproof checkout instead: dovecot, cyrus...", None),
    "binary": ("the program mailproof (default: $MAILPROOF_BIN, the checkout's own, or the PATH's)", None),
    "args": ("further arguments of `mailproof run`, as a shell would read them", ""),
    "jobs": ("scenarios that one process plays at the same time (default: 4)", "4"),
    "batch": (f"what one process plays: {', '.join(BATCHES)} (default: {SESSION})", SESSION),
    "out": ("keep the run directories here (default: below pytest's temporary folder)", None),
    "servers": ("scripts/servers of a mailproof checkout (default: the checkout this plugin is in)", None),
}


def pytest_addoption(parser):
    group = parser.getgroup("mailproof", "mailproof: stories and conformance checks of mail servers")
    for name, (text, default) in OPTIONS.items():
        group.addoption(f"--mailproof-{name}", metavar=name.upper(), help=text)
        parser.addini(f"mailproof_{name}", text, default=default)
    parser.addini("mailproof_files", "scenario files, as patterns like scenarios/*.yaml (default: every *.yaml that begins "
                                     "with id: and holds steps: or checks:)", type="args", default=[])


class Setup:
    """What the options say, and what all workers of a session share. The process that the user started is its `owner`."""

    def __init__(self, config):
        self.config = config
        self.owner = not hasattr(config, "workerinput")
        self.testrun = uuid.uuid4().hex if self.owner else config.workerinput["mailproof_testrun"]
        self.where = config.invocation_params.dir
        target, server, batch, jobs = map(self.value, ("target", "server", "batch", "jobs"))
        if batch not in BATCHES:
            raise pytest.UsageError(f"mailproof: no batch '{batch}'; there is: {', '.join(BATCHES)}")
        if not jobs.isdigit() or int(jobs) == 0:
            raise pytest.UsageError(f"mailproof: '{jobs}' is no number of jobs")
        if target and server:
            raise pytest.UsageError("mailproof: a target or a server, not both")
        target = target or "sim"
        self.tool = Mailproof(binary=self.file("binary"), target=target if target in BUILT_IN else self.file("target"),
                              arguments=shlex.split(self.value("args")), where=self.where)
        self.wanted_server = server
        self.servers = Servers(pathlib.Path(tempfile.gettempdir()) / f"mailproof-{self.testrun}", self.file("servers"))
        self.without_a_word = ""  # what ended, where none of it says anything about the server
        self.plays = Plays(self.tool, self.folder, self.testrun, batch, int(jobs))

    def value(self, name):
        said = self.config.getoption(f"mailproof_{name}")
        return self.config.getini(f"mailproof_{name}") if said is None else said

    def file(self, name):
        """On the command line relative to where pytest was started, in the ini file to that file. A bare program's name is
        looked up on the PATH."""
        value = self.value(name)
        if not value or (name == "binary" and "/" not in value):
            return value
        by_hand = self.config.getoption(f"mailproof_{name}") is not None
        base = self.where if by_hand else (self.config.inipath or self.config.rootpath / "pytest.ini").parent
        path = base / pathlib.Path(value).expanduser()
        return self.shown(path) if name == "target" else str(path)

    def shown(self, path):
        """The name of a file for the tool, and so in the commands that it prints: short where it can be."""
        try:
            return str(pathlib.Path(path).relative_to(self.where))
        except ValueError:
            return str(path)

    def folder(self):
        """Where runs go; one folder for all workers."""
        said = self.file("out")
        if said:
            return pathlib.Path(said)
        base = self.config._tmp_path_factory.getbasetemp()  # what the fixture tmp_path_factory is
        return (base if self.owner else base.parent) / "mailproof"

    def ready(self):
        """The server that was asked for is up."""
        if self.wanted_server and isinstance(self.tool.target, str):
            self.tool.target = self.server(self.wanted_server)

    def server(self, name):
        try:
            return self.servers.up(name)
        except Impossible as impossible:
            pytest.skip(str(impossible))


def pytest_configure(config):
    config.addinivalue_line("markers", "mailproof: a scenario or check of mailproof")
    config.mailproof = Setup(config)


def pytest_unconfigure(config):
    setup = getattr(config, "mailproof", None)
    if setup and setup.owner:
        for complaint in setup.servers.down():
            print(f"mailproof: {complaint}", file=sys.stderr)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):  # of pytest-xdist: before a worker starts
    node.workerinput["mailproof_testrun"] = node.config.mailproof.testrun


def pytest_report_header(config):
    setup = config.mailproof
    return f"mailproof: {setup.wanted_server or setup.tool.target}"


def pytest_collect_file(file_path, parent):
    if file_path.suffix not in (".yaml", ".yml") or file_path.name.endswith((".wrong.yaml", ".wrong.yml")):
        return None
    patterns = parent.config.getini("mailproof_files")
    if any(file_path.relative_to(parent.config.rootpath).match(one) for one in patterns) if patterns else is_scenario(file_path):
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


def pytest_collection_finish(session):
    session.config.mailproof.plays.selected([item for item in session.items if isinstance(item, ScenarioItem)])


def pytest_sessionfinish(session, exitstatus):
    """Where all was skipped nothing was tested: a service that the target file leaves out would be green for ever."""
    setup = session.config.mailproof
    if setup.owner and exitstatus == pytest.ExitCode.OK:
        setup.without_a_word = setup.plays.without_a_word()
        if setup.without_a_word:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    if config.mailproof.without_a_word:
        terminalreporter.write_line(f"mailproof: inconclusive: nothing was said about the server ({config.mailproof.without_a_word})",
                                    red=True)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if isinstance(item, ScenarioItem):
        item.completed(outcome.get_result(), call.excinfo)


@pytest.fixture(scope="session")
def mailproof(request):
    """The tool, for tests in Python: `mailproof.run("scenarios/mixed", "--strict").passed`."""
    setup = request.config.mailproof
    setup.ready()
    setup.tool.out = setup.folder() / "runs"
    return setup.tool


@pytest.fixture(scope="session")
def mailproof_server(request):
    """`mailproof_server("dovecot")` starts that throwaway, once a session, and says where its target file is."""
    return request.config.mailproof.server
