"""Throwaway servers as fixtures: a real Dovecot, and a scripts/servers that only writes down what it is asked."""
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from conftest import WITH_PLUGIN, hears_interrupts

STORY = "sync.read-on-phone-read-everywhere"


@pytest.fixture
def fake(project, monkeypatch):
    """`scripts/servers` of a checkout where `up` ends with the status of $FAKE_STATUS; project.asked() is what it was told."""
    log, command = project.path / "asked", project.path / "servers"
    command.write_text(f'#!/bin/sh\necho "$@" >>{log}\n[ "$1" = up ] || exit 0\necho "no namespaces here" >&2\n'
                       f'sleep 0.5\necho {project.path}/target.yaml\nexit $FAKE_STATUS\n')
    command.chmod(0o755)
    monkeypatch.setenv("FAKE_STATUS", "0")
    project.mkdir("tmp")
    monkeypatch.setenv("TMPDIR", str(project.path / "tmp"))
    project.left_behind = lambda: list((project.path / "tmp").glob("mailproof-*"))
    project.asked = lambda: log.read_text().splitlines()
    project.makepyfile("""
        import pytest

        @pytest.mark.parametrize("number", range(6))
        def test_it(mailproof_server, number):
            server = mailproof_server("cyrus")
            assert str(server.target).endswith("target.yaml") and server.environment["MAILPROOF_PASSWORD"] == "pass"
            server.do("quota", "user0001", 4096)
    """)
    return project


@pytest.mark.parametrize("workers", [[], ["-n", "3"]], ids=["alone", "workers"])
def test_one_server_a_session(fake, workers):
    fake.play("--mailproof-servers=servers", *workers).assert_outcomes(passed=6)
    asked = fake.asked()
    assert asked[0] == "up cyrus" and asked[-1] == "down cyrus"
    assert sorted(asked[1:-1]) == ["quota cyrus user0001 4096"] * 6
    assert not fake.left_behind()


@pytest.mark.parametrize("workers", [[], ["-n", "3"]], ids=["alone", "workers"])
def test_a_server_that_needs_root_is_skipped_with_its_reason(fake, workers, monkeypatch):
    monkeypatch.setenv("FAKE_STATUS", "77")
    ran = fake.play("-rs", "--mailproof-servers=servers", *workers)
    ran.assert_outcomes(skipped=6)
    ran.stdout.fnmatch_lines(["SKIPPED ?6? *: no namespaces here"])
    assert fake.asked() == ["up cyrus"], "asked once"


def test_a_server_that_does_not_start_is_an_error_at_once(fake, monkeypatch):
    monkeypatch.setenv("FAKE_STATUS", "1")
    ran = fake.play("--mailproof-servers=servers")
    ran.assert_outcomes(failed=6)
    ran.stdout.fnmatch_lines(["*Trouble: the server cyrus did not start: no namespaces here"])
    assert fake.asked() == ["up cyrus", "down cyrus"]


def test_stories_on_a_server_that_cannot_be_are_skipped(fake, monkeypatch):
    monkeypatch.setenv("FAKE_STATUS", "77")
    path = fake.add(STORY)
    ran = fake.play("-rs", "--mailproof-servers=servers", "--mailproof-server=cyrus", path)
    ran.assert_outcomes(skipped=1)
    ran.stdout.fnmatch_lines([f"SKIPPED ?1? {path}:1: no namespaces here"])


def test_stories_and_python_tests_share_a_real_server(project):
    """On two workers, and nothing of it is left. As root the server runs as somebody else, who must reach its files."""
    project.add(STORY), project.add("quota.raising-the-quota-recovers")
    project.makepyfile(f"""
        import pathlib

        def test_the_servers_own_commands(mailproof_server):
            server = mailproof_server("dovecot")
            assert "running" in server.do("status")
            pathlib.Path("state").write_text(str(server.target.parent))

        def test_a_story(mailproof_server, mailproof):
            run = mailproof.run("scenarios/{STORY}.yaml", target=mailproof_server("dovecot"))
            assert run.passed and run.result["target"] == "dovecot", str(run)
    """)
    mask = os.umask(0o077)
    try:
        ran = project.play("-n", "2", "--mailproof-server=dovecot", "-v")
    finally:
        os.umask(mask)
    ran.assert_outcomes(passed=4)
    state = (project.path / "state").read_text()
    assert not pathlib.Path(state).exists()
    assert state not in subprocess.run(["ps", "axww"], capture_output=True, text=True).stdout


def test_an_interrupted_session_takes_its_server_down(fake):
    fake.makepyfile("""
        import time

        def test_long(mailproof_server):
            mailproof_server("cyrus")
            time.sleep(60)
    """)
    process = subprocess.Popen([sys.executable, "-m", "pytest", *WITH_PLUGIN, "--mailproof-servers=servers"], cwd=fake.path,
                               stdout=subprocess.DEVNULL, preexec_fn=hears_interrupts)
    begun = time.monotonic()
    while not list((fake.path / "tmp").glob("*/cyrus.target")):
        assert process.poll() is None and time.monotonic() < begun + 30
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 2
    assert fake.asked() == ["up cyrus", "down cyrus"] and not fake.left_behind()
