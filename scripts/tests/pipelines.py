"""Plays a CI pipeline's own steps on this machine: the shell lines of the YAML in their order, in a clean folder, with the
environment that the CI would give them. What is no shell line has a local equivalent, named by whoever plays it."""
import dataclasses
import os
import pathlib
import re
import subprocess

import yaml

HOME_NEEDS = ("PATH", "HOME", "LANG")


@dataclasses.dataclass
class Step:
    name: str
    status: int
    said: str


@dataclasses.dataclass
class Played:
    steps: list
    workspace: pathlib.Path

    @property
    def green(self):
        return all(step.status == 0 for step in self.steps)

    @property
    def said(self):
        return "".join(f"--- {step.name}: {step.status}\n{step.said}" for step in self.steps)


def clean_environment(**more):
    return {**{name: os.environ[name] for name in HOME_NEEDS if name in os.environ}, "CI": "true", **more}


def shell(command, workspace, environment, name):
    ran = subprocess.run(command, cwd=workspace, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, timeout=600)
    return Step(name, ran.returncode, ran.stdout)


def github(file, workspace, actions, secrets, env):
    """The workflow's only job. `actions`: action -> what is done instead, with its inputs; `env`: what the user wrote."""
    workflow = yaml.safe_load(file.read_text())
    (job,) = workflow["jobs"].values()
    assert job["defaults"]["run"]["shell"] == "bash"
    values = {f"secrets.{name}": value for name, value in secrets.items()}
    values |= {f"env.{name}": value for name, value in ({**workflow["env"], **env}).items()}

    def filled(text):
        return re.sub(r"\$\{\{ *([\w.]+) *\}\}", lambda found: str(values[found.group(1)]), str(text))

    summary = workspace.parent / "step-summary.md"
    summary.touch()
    environment = clean_environment(GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(workspace), GITHUB_STEP_SUMMARY=str(summary))
    environment |= {name: filled({**workflow["env"], **env}[name]) for name in {**workflow["env"], **env}}
    played = Played([], workspace)
    for step in job["steps"]:
        if not played.green and step.get("if") != "always()":
            continue
        if "uses" in step:
            inputs = {key: value if "hashFiles" in str(value) else filled(value) for key, value in step.get("with", {}).items()}
            actions[step["uses"].partition("@")[0]](workspace, inputs)
        else:
            # https://docs.github.com/actions: what `shell: bash` is.
            played.steps.append(shell(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], workspace,
                                      environment, step["name"]))
    return played


def gitlab(file, workspace, instead, variables):
    """The include's only job. `instead`: line of before_script -> what is done instead; `variables`: what the user set."""
    pipeline = yaml.safe_load(file.read_text())
    known = {**pipeline.pop("variables"), **variables}
    ((name, job),) = pipeline.items()
    environment = clean_environment(GITLAB_CI="true", CI_PROJECT_DIR=str(workspace), **{k: str(v) for k, v in known.items()})
    for path in job["cache"]["paths"]:
        instead["cache"](workspace / path)
    lines = [instead.get(line, line) for line in job["before_script"]] + job["script"]
    assert lines[0] != job["before_script"][0], "the packages of the container are here already"
    played = Played([], workspace)
    # The runner joins both lists into one script that stops at the first line that fails; after_script is one of its own.
    played.steps.append(shell(["bash", "-c", "set -eo pipefail\n" + "\n".join(lines)], workspace, environment, name))
    played.steps.append(shell(["bash", "-c", "\n".join(job["after_script"])], workspace, environment, "after_script"))
    for path in [*job["artifacts"]["paths"], *job["artifacts"]["reports"].values()]:
        assert (workspace / path).exists(), f"artifact {path}\n{played.said}"
    return played
