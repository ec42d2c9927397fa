"""What is installed works from anywhere, without the checkout: the program, its scenarios, manual page and completions."""
import pathlib
import re
import subprocess

import pytest

from tool import BINARY

BUILD = pathlib.Path(BINARY).resolve().parent
WORDS = {"mixed.pop-download-emp": "mixed.pop-download-empties-the-phone", "--basel": "--baseline"}


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    folder = tmp_path_factory.mktemp("usr")
    done = subprocess.run(["cmake", "--install", BUILD, "--prefix", folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_from_anywhere_it_finds_its_scenarios(prefix, tmp_path):
    program = prefix / "bin/mailproof"
    run = subprocess.run([program, "run", "--sim", "--only", "mixed", "--out", tmp_path / "run"], cwd="/", text=True,
                         capture_output=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"^pass: \d+ scenarios on sim", run.stdout, re.MULTILINE)
    one = subprocess.run([program, "check", "mixed.switch-imap-to-pop"], cwd="/", text=True, capture_output=True)
    assert one.stdout == "1 scenario, all well-formed\n"
    (tmp_path / "scenarios").mkdir()  # a folder of one's own comes first
    own = subprocess.run([program, "check", "mixed.switch-imap-to-pop"], cwd=tmp_path, text=True, capture_output=True)
    assert own.returncode == 2


def test_the_manual_page_has_every_option_and_nothing_that_man_stumbles_over(prefix):
    page = prefix / "share/man/man1/mailproof.1"
    shown = subprocess.run(["man", "-l", "--warnings", page], capture_output=True, text=True,
                           env={"PATH": "/usr/bin:/bin", "MANWIDTH": "200", "LC_ALL": "C.UTF-8"})
    assert shown.returncode == 0 and shown.stderr == ""
    text = shown.stdout.replace("‐", "-")
    for command in ("run", "load", "list", "check", "server", "judge", "probe", "prove"):
        assert f"mailproof {command}" in text
        options = subprocess.run([prefix / "bin/mailproof", command, "--help"], capture_output=True, text=True).stdout
        for word in options.split():
            if word.startswith("--") and word != "--help":
                assert word.strip(",.;)") in text, f"{command} {word}"


@pytest.mark.parametrize("typed, completed", WORDS.items())
def test_bash_completes_ids_and_options(prefix, typed, completed):
    script = f"""source {prefix}/share/bash-completion/completions/mailproof
        COMP_WORDS=(mailproof run {typed}) COMP_CWORD=2; _mailproof; echo "${{COMPREPLY[@]}}" """
    said = subprocess.run(["bash", "-c", script], capture_output=True, text=True, cwd="/",
                          env={"PATH": f"{prefix}/bin:/usr/bin:/bin"})
    assert (said.stdout, said.stderr) == (completed + "\n", "")


@pytest.mark.parametrize("shell, file", [("zsh", "zsh/site-functions/_mailproof"),
                                         ("fish", "fish/vendor_completions.d/mailproof.fish")])
def test_other_shells_can_read_theirs(prefix, shell, file):
    said = subprocess.run([shell, "-n", prefix / "share" / file], capture_output=True, text=True)
    assert (said.returncode, said.stderr) == (0, "")


def test_the_debian_package_says_what_it_needs(tmp_path):
    made = subprocess.run(["cpack", "--config", BUILD / "CPackConfig.cmake", "-B", tmp_path], capture_output=True, text=True,
                          cwd=BUILD)
    assert made.returncode == 0, made.stdout + made.stderr
    package = next(tmp_path.glob("mailproof_*.deb"))
    fields = subprocess.run(["dpkg-deb", "-f", package], capture_output=True, text=True, check=True).stdout
    for library in ("libssl3", "libyaml-cpp0.7", "libfmt9", "libstdc++6"):
        assert library in fields
    files = subprocess.run(["dpkg-deb", "-c", package], capture_output=True, text=True, check=True).stdout
    for file in ("./usr/bin/mailproof", "./usr/share/mailproof/scenarios/schema.json", "./usr/share/man/man1/mailproof.1"):
        assert f"{file}\n" in files
