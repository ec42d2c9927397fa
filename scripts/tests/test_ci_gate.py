"""ci/: the pipelines that mail-server projects copy. Their own steps run here, in a clean folder of such a project whose
server is the built-in one: green on the right one, red on a wrong one, green once that is accepted, red when an extension
goes missing."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time
import xml.etree.ElementTree as ElementTree

import pytest

import pipelines
from reference_server import BINARY, ROOT
from throwaways import PASSWORD, running

GITHUB, GITLAB = ROOT / "ci/github/mail-server-gate.yml", ROOT / "ci/gitlab/mail-server-gate.yml"
DEFECT, FOUND = "pop3.dele-without-quit", "pop3.1939-6.drop-no-commit"
OTHER_DEFECT, ALSO_FOUND = "pop3.quit-deletes-nothing", "pop3.1939-6.dele-commits-on-quit"
NEEDS_PIPELINING = "pop3.2449-6.6.pipelining-large"
SCENARIOS = "conformance/pop3/1939-6.yaml conformance/pop3/2449-6.6.yaml pop3/leave-on-server.yaml"
# A relay that keeps one line of every CAPA to itself: a release that stops advertising an extension.
WITHOUT_PIPELINING = """\
import asyncio, sys

async def relay(reader, writer):
    while data := await reader.read(65536):
        writer.write(data.replace(b"\\r\\nPIPELINING\\r\\n", b"\\r\\n"))
    writer.write_eof()

async def joined(*client):
    server = await asyncio.open_connection("127.0.0.1", int(sys.argv[2]))
    try:
        await asyncio.gather(relay(client[0], server[1]), relay(server[0], client[1]))
    except OSError:
        pass  # a reset of one is a reset of the other
    server[1].transport.abort(), client[1].transport.abort()

async def main():
    async with await asyncio.start_server(joined, "127.0.0.1", int(sys.argv[1])) as listening:
        await listening.serve_forever()

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """What a clone of mailproof holds: a repository of this checkout's files as they stand."""
    folder = tmp_path_factory.mktemp("clone") / "mailproof"
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                            capture_output=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.test", "-c", "init.defaultBranch=main"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "mailproof"]):
        subprocess.run([*git, *command], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def cached(sources, tmp_path_factory):
    """What the CI's cache brings back from an earlier pipeline: the program, and what it was built from."""
    folder = tmp_path_factory.mktemp("cache")
    shutil.copy2(BINARY, folder / "mailproof")
    (folder / "mailproof.source").write_text(subprocess.run([sources / "ci/gate", "key"], check=True, capture_output=True,
                                                            text=True).stdout)
    return folder


class Project:
    """A mail server's repository: how its server is started, its target file, its pipeline."""

    def __init__(self, folder, sources, cached):
        self.folder, self.sources, self.cached = folder, sources, cached
        self.workspaces = 0
        self.files = {"README": "A mail server.\n"}
        self.ports = free_ports("imap", "pop3", "smtp", "lmtp")
        flags = " ".join(f"--{name} {port}" for name, port in self.ports.items())
        self.files["tests/start-mail-server"] = f'#!/bin/sh\nexec "{BINARY}" server {flags} $SWITCHES\n'
        endpoints = "\n".join(f"{name}: [{{host: 127.0.0.1, port: {port}}}]" for name, port in self.ports.items())
        self.files["mailproof-target.yaml"] = (
            f"target: our-server\n{endpoints}\ndelivery: [lmtp]\nsettle: 1s\naccounts:\n"
            '  - {login: "user%04d", address: "user%04d@example.test", first: 1, count: 100, password_env: MAILPROOF_PASSWORD}\n')

    def pipeline(self, kind, switches="", **variables):
        """One pipeline in a workspace of its own."""
        self.workspaces += 1
        workspace = self.folder / str(self.workspaces) / "workspace"
        for name, text in self.files.items():
            (workspace / name).parent.mkdir(parents=True, exist_ok=True)
            (workspace / name).write_text(text)
        (workspace / "tests/start-mail-server").chmod(0o755)
        variables = {"MAILPROOF_SCENARIOS": SCENARIOS, "SWITCHES": switches, **variables}
        return (self.on_github if kind == "github" else self.on_gitlab)(workspace, variables)

    def bring_cache(self, folder):
        shutil.copytree(self.cached, folder, dirs_exist_ok=True)

    def on_github(self, workspace, variables):
        artifacts = workspace.parent / "artifacts"

        def checkout(_, inputs):  # without a repository it is the project's own, which is there
            if "repository" in inputs:
                assert inputs["repository"] == "example/mailproof" and inputs["ref"] == "main"
                shutil.copytree(self.sources, workspace / inputs["path"])

        actions = {"actions/checkout": checkout,
                   "actions/cache": lambda _, inputs: self.bring_cache(workspace / inputs["path"]),
                   "actions/upload-artifact": lambda _, inputs: shutil.copytree(workspace / inputs["path"], artifacts)}
        return pipelines.github(GITHUB, workspace, actions, {"MAILPROOF_PASSWORD": "pass"}, variables)

    def on_gitlab(self, workspace, variables):
        instead = {"apt-get update -q && apt-get install -q -y --no-install-recommends git ca-certificates": "git --version",
                   "cache": self.bring_cache}
        return pipelines.gitlab(GITLAB, workspace, instead, {"MAILPROOF_PASSWORD": "pass", **variables,
                                                             "MAILPROOF_REPOSITORY": f"file://{self.sources}"})


def free_ports(*names):
    sockets = {name: socket.create_server(("127.0.0.1", 0)) for name in names}
    ports = {name: one.getsockname()[1] for name, one in sockets.items()}
    for one in sockets.values():
        one.close()
    return ports


@pytest.fixture
def project(tmp_path, sources, cached):
    return Project(tmp_path, sources, cached)


def reports(played):
    """Reads every report that a pipeline publishes; run.json's verdicts."""
    folder = played.workspace / "mailproof-report"
    assert ElementTree.parse(folder / "junit.xml").getroot().tag == "testsuites"
    assert (folder / "report.html").read_text().lstrip().lower().startswith("<!doctype html>")
    assert "our-server" in (folder / "summary.md").read_text()
    return {one["id"]: one["verdict"] for one in json.loads((folder / "run.json").read_text())["scenarios"]}


def nothing_listens(project):
    for port in project.ports.values():
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_green_red_and_green_again_with_a_baseline(project, kind):
    green = project.pipeline(kind)
    assert green.green, green.said
    assert set(reports(green).values()) <= {"pass", "not-applicable"} and "every finding fails" in green.said
    nothing_listens(project)

    red = project.pipeline(kind, f"--defect {DEFECT}")
    assert not red.green and reports(red)[FOUND] == "fail", red.said
    assert re.search(r"^fail .*conformance/broken", red.said, re.MULTILINE) and FOUND in red.said and "a promise is broken" in red.said
    if kind == "github":
        assert FOUND in (red.workspace.parent / "step-summary.md").read_text()
        assert (red.workspace.parent / "artifacts/report.html").is_file(), "published also when the gate is red"
    nothing_listens(project)

    project.files["mailproof-baseline.json"] = baseline_of(red)
    accepted = project.pipeline(kind, f"--defect {DEFECT}")
    assert accepted.green and reports(accepted)[FOUND] == "known-fail", accepted.said

    worse = project.pipeline(kind, f"--defect {DEFECT} --defect {OTHER_DEFECT}")
    assert not worse.green and reports(worse)[ALSO_FOUND] == "fail", worse.said


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_red_when_an_extension_goes_missing(project, kind):
    accepted = project.pipeline(kind)
    assert accepted.green and reports(accepted)[NEEDS_PIPELINING] == "pass", accepted.said
    project.files["without-pipelining.py"] = WITHOUT_PIPELINING
    behind, = free_ports("pop3").values()
    start = project.files["tests/start-mail-server"].replace(f"--pop3 {project.ports['pop3']}", f"--pop3 {behind}")
    project.files["tests/start-mail-server"] = start.replace(
        "exec ", f"python3 without-pipelining.py {project.ports['pop3']} {behind} &\nexec ")
    lacking = project.pipeline(kind)
    assert lacking.green and reports(lacking)[NEEDS_PIPELINING] == "not-applicable", lacking.said
    project.files["mailproof-baseline.json"] = baseline_of(accepted)
    missed = project.pipeline(kind)
    assert not missed.green and reports(missed)[NEEDS_PIPELINING] == "fail", missed.said
    nothing_listens(project)


def baseline_of(played):
    """As ci/README.md says it: in the workspace of a run."""
    subprocess.run([".mailproof/ci/gate", "baseline"], cwd=played.workspace, check=True, capture_output=True)
    return (played.workspace / "mailproof-baseline.json").read_text()


def test_the_server_that_does_not_start_is_shown(project):
    project.files["tests/start-mail-server"] = "#!/bin/sh\necho 'port 143 is taken' >&2\nexit 7\n"
    played = project.pipeline("github")
    assert [step.status for step in played.steps] == [0, 3, 0], played.said
    assert "its command ended with 7" in played.said and "port 143 is taken" in played.said


def test_the_server_that_never_answers_is_waited_for_no_longer_than_said(project):
    project.files["tests/start-mail-server"] = "#!/bin/sh\nsleep 300\n"
    played = project.pipeline("github", MAIL_SERVER_WAIT="2")
    assert "not every endpoint answered within 2 s" in played.said and played.steps[1].status == 3


def test_a_server_of_which_a_part_is_missing_is_not_taken_for_started(project):
    """Somebody else has one of its ports: it ends, and the stranger answers."""
    with socket.create_server(("127.0.0.1", project.ports["pop3"])) as stranger:
        threading.Thread(target=greet, args=(stranger,), daemon=True).start()
        played = project.pipeline("github")
    assert [step.status for step in played.steps] == [0, 3, 0] and "its command ended with" in played.said, played.said
    assert "address already in use" in played.said


def greet(listening):
    with contextlib.suppress(OSError):
        while True:
            listening.accept()[0].sendall(b"+OK somebody else\r\n")


def test_a_server_that_goes_into_the_background_and_its_own_stop(project):
    """Like `docker compose up -d`: the command ends before the server answers."""
    start = project.files["tests/start-mail-server"]
    project.files["tests/start-mail-server"] = start.replace("exec ", "(sleep 1; exec ").rstrip() + ") & echo $! >server.pid\n"
    played = project.pipeline("github", MAIL_SERVER_STOP="kill $(cat server.pid); echo our own stop")
    assert played.green and "our own stop" in played.steps[-1].said, played.said
    nothing_listens(project)


def test_a_server_that_is_dead_and_that_nobody_waits_for_is_stopped(tmp_path):
    """In a container whose first process does not wait for orphans, zombies stay, and take signals."""
    dead = subprocess.Popen(["true"], start_new_session=True)
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)
    (tmp_path / "mailproof-report").mkdir()
    (tmp_path / "mailproof-report/mail-server.pid").write_text(f"{dead.pid}\n")
    began = time.monotonic()
    subprocess.run([ROOT / "ci/gate", "stop"], cwd=tmp_path, env=pipelines.clean_environment(), check=True, timeout=60)
    assert time.monotonic() < began + 8, "it is not waited for"
    dead.wait()


def test_scenarios_may_stand_on_several_lines(project):
    played = project.pipeline("github", MAILPROOF_SCENARIOS=SCENARIOS.replace(" ", "\n"))
    assert played.green, played.said
    run = json.loads((played.workspace.parent / "artifacts/run.json").read_text())
    assert len({one["id"].rsplit(".", 1)[0] for one in run["scenarios"]}) == 3


def gate_build(sources, folder, **environment):
    ran = subprocess.run([sources / "ci/gate", "build"], cwd=folder, env=pipelines.clean_environment(**environment),
                         capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert subprocess.run([folder / ".mailproof-cache/mailproof", "--version"]).returncode == 0
    return ran.stdout.splitlines()[-1].rpartition(" is ")[2]


def test_the_program_is_built_again_only_when_its_sources_change(sources, tmp_path):
    """With a stand-in for cmake, which would take its minutes, that writes down how it was called."""
    changed = shutil.copytree(sources, tmp_path / "mailproof")
    tools, calls = tmp_path / "tools", tmp_path / "calls"
    tools.mkdir()
    (tools / "cmake").write_text(f'#!/bin/sh\npwd >>{calls}\necho "$*" >>{calls}\nmkdir -p build/release\n'
                                 f'cp "{BINARY}" build/release/mailproof\n')
    (tools / "cmake").chmod(0o755)
    path = f"{tools}:{os.environ['PATH']}"
    assert gate_build(changed, tmp_path, PATH=path) == "built"
    assert calls.read_text().splitlines() == [str(changed), "--preset release -DMAILPROOF_TESTS=OFF", str(changed),
                                              "--build --preset release --target mailproof"]
    assert gate_build(changed, tmp_path, PATH=path) == "in the cache"
    with (changed / "harness/cli/main.cc").open("a") as source:
        source.write("\n")
    assert gate_build(changed, tmp_path, PATH=path) == "built"


@pytest.mark.skipif("MAILPROOF_GATE_FROM_SOURCE" not in os.environ, reason="builds all of mailproof once more: scripts/test --all")
def test_the_program_is_built_from_its_sources(sources, tmp_path):
    assert gate_build(sources, tmp_path) == "built"
    assert gate_build(sources, tmp_path) == "in the cache"


def test_a_word_that_is_no_step_is_said():
    ran = subprocess.run([ROOT / "ci/gate", "foo"], env=pipelines.clean_environment(), capture_output=True, text=True)
    assert ran.returncode == 2 and "'foo' is no step: build, start, run, stop, key or baseline" in ran.stderr


@pytest.mark.parametrize("missing, says", [
    ({"MAILPROOF_TARGET": "elsewhere.yaml"}, "no target file at 'elsewhere.yaml'"),
    ({"MAILPROOF_CACHE_DIR": "empty"}, "no program at empty/mailproof"),
])
def test_what_is_missing_is_said(sources, tmp_path, cached, missing, says):
    shutil.copytree(cached, tmp_path / ".mailproof-cache")
    ran = subprocess.run([sources / "ci/gate", "run"], cwd=tmp_path, env=pipelines.clean_environment(**missing), capture_output=True,
                         text=True)
    assert ran.returncode == 2 and says in ran.stderr


def test_the_program_is_built_anew_for_its_sources_and_not_for_a_page(tmp_path):
    files = {"CMakeLists.txt": "", "CMakePresets.json": "", "harness/main.cc": "int main() {}\n", "harness/README.md": "# How\n",
             "reports/report.css": ""}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "ci").mkdir()
    shutil.copy(ROOT / "ci/gate", tmp_path / "ci")

    def key(name):
        (tmp_path / name).write_text("changed\n")
        return subprocess.run([tmp_path / "ci/gate", "key"], check=True, capture_output=True, text=True).stdout

    before = key("CMakeLists.txt")
    assert key("harness/README.md") == before
    assert key("harness/main.cc") != before


def test_what_an_earlier_run_left_is_not_published_for_one_that_crashed(tmp_path):
    """The folder was used before, as on a runner that keeps its workspace; the program dies before it plays."""
    out = tmp_path / "mailproof-report"
    story = ROOT / "scenarios/mixed/pop-download-empties-the-phone.yaml"
    subprocess.run([BINARY, "run", "--sim", story, "--out", out / "run"], cwd=ROOT, check=True, capture_output=True)
    names = ("junit.xml", "summary.md", "report.html", "run.json")
    for name in names:
        shutil.copy2(out / "run" / name, out / name)
    (tmp_path / "mailproof-target.yaml").write_text("target: any\n")
    (tmp_path / ".mailproof-cache").mkdir()
    program = tmp_path / ".mailproof-cache/mailproof"
    program.write_text("#!/bin/sh\nkill -SEGV $$\n")
    program.chmod(0o755)
    summary = tmp_path / "step-summary.md"
    summary.write_text("")
    ran = subprocess.run([ROOT / "ci/gate", "run"], cwd=tmp_path, capture_output=True, text=True,
                         env=pipelines.clean_environment(GITHUB_STEP_SUMMARY=str(summary)))
    assert ran.returncode == 139 and "nothing can be said about this server" in ran.stdout
    assert summary.read_text() == ""
    assert [name for name in names if (out / name).exists() or (out / "run" / name).exists()] == []


def test_what_a_servers_log_says_is_no_command_to_the_ci(project):
    project.files["tests/start-mail-server"] = (
        "#!/bin/sh\nprintf '::error file=x::no\\n##[error]no\\n##vso[task.complete]\\033[2J\\n' >&2\nexit 7\n")
    played = project.pipeline("github")
    assert "its command ended with 7" in played.said and "[task.complete]" in played.said
    assert "::" not in played.said.split("did not start")[1] and "##" not in played.said and "\033" not in played.said


def test_a_server_that_takes_no_password_without_tls_has_started(tmp_path):
    """Its target file names the endpoint where the refusal can be seen, which is usable for nothing else."""
    (tmp_path / ".mailproof-cache").mkdir()
    (tmp_path / ".mailproof-cache/mailproof").symlink_to(pathlib.Path(BINARY).resolve())
    with running("dovecot") as dovecot:
        environment = {**os.environ, "MAILPROOF_TARGET": str(dovecot.target_file), "MAILPROOF_PASSWORD": PASSWORD,
                       "MAIL_SERVER_WAIT": "10"}
        run = subprocess.run([ROOT / "ci/gate", "start"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, "gate: the mail server answers\n"), run.stderr
