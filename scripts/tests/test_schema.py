"""scenarios/schema.json, which editors use, and `mailproof check`, which decides, must refuse and accept the same files."""
import json
import os
import pathlib
import re
import subprocess

import jsonschema
import pytest
import yaml

from pages import BLOCKS

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESTS = ROOT / "harness/scenario/tests"
BINARY = pathlib.Path(os.environ.get("MAILPROOF_BIN", ROOT / "build/release/mailproof"))
SCHEMA = json.loads((ROOT / "scenarios/schema.json").read_text())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)

OF_LOAD = {"plan": sorted((ROOT / "scenarios/load").glob("*.yaml")), "device": sorted((ROOT / "scenarios/devices").glob("*.yaml"))}
SCENARIOS = sorted(path for path in (ROOT / "scenarios").rglob("*.yaml")
                   if not path.name.endswith(".wrong.yaml") and path not in OF_LOAD["plan"] + OF_LOAD["device"])
GOOD = sorted((TESTS / "good").glob("*.yaml"))
BAD = sorted((TESTS / "bad").glob("*.yaml"))  # what the schema can know; the folders below hold what only the program can
COMPLAINTS = (TESTS / "bad/expected.txt").read_text().splitlines()


class CoreLoader(yaml.SafeLoader):
    """YAML 1.2's core types, as editors read them: PyYAML's own would make `yes` a flag and `12:30` a number."""


CoreLoader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("bool", r"^(true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$", "-+.0123456789"),
):
    CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


def read(path):
    return yaml.load(path.read_text(encoding="utf-8"), CoreLoader)


def complaints(document):
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in VALIDATOR.iter_errors(document)]


def check(*arguments):
    if not BINARY.exists():
        pytest.fail(f"{BINARY} is not built; MAILPROOF_BIN names another")
    return subprocess.run([BINARY, "check", *map(str, arguments)], capture_output=True, text=True, timeout=60, cwd=ROOT)


def short(path):
    return str(path.relative_to(ROOT))


def test_the_schema_is_one():
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert SCENARIOS and GOOD and len(BAD) > 20


@pytest.mark.parametrize("path", SCENARIOS + GOOD, ids=short)
def test_what_is_right_passes_both(path):
    assert complaints(read(path)) == []
    checked = check(path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("kind", OF_LOAD)
def test_plans_and_profiles_pass_theirs(kind):
    schema = json.loads((ROOT / f"scenarios/{kind}.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    for path in OF_LOAD[kind]:
        assert [error.message for error in validator.iter_errors(read(path))] == [], path
        checked = check(path)
        assert checked.returncode == 0, checked.stderr
    without_its_name = {key: value for key, value in read(OF_LOAD[kind][0]).items() if key not in ("plan", "profile")}
    assert list(validator.iter_errors(without_its_name))


@pytest.mark.parametrize("path", BAD, ids=short)
def test_what_is_wrong_fails_in_both(path):
    assert complaints(read(path)) != []
    assert check(path).returncode == 2


@pytest.mark.parametrize("path", sorted((TESTS / "bad").glob("meaning/*.yaml")) + sorted((TESTS / "bad").glob("yaml/*.yaml")), ids=short)
def test_what_only_the_program_can_know_fails_there(path):
    assert check(path).returncode == 2


def lines_of_steps(path):
    """The line each step begins in, and its last."""
    root = yaml.compose(path.read_text(encoding="utf-8"), CoreLoader)
    steps = next(value for key, value in root.value if key.value == "steps")
    return [(node.start_mark.line + 1, max(node.start_mark.line + 1, node.end_mark.line)) for node in steps.value]


def wrong_lines(path):
    return {int(line.split(":")[1]) for line in COMPLAINTS if line.startswith(path.name + ":")}


def steps_one_by_one():
    for path in BAD:
        document = read(path)
        if not isinstance(document, dict) or not isinstance(document.get("steps"), list):
            continue
        wrong = wrong_lines(path)
        if any(line < lines_of_steps(path)[0][0] for line in wrong):
            continue  # the mistakes are above the steps
        for step, (first, last) in zip(document["steps"], lines_of_steps(path)):
            alone = {**document, "steps": [step]}
            is_wrong = any(first <= line <= last for line in wrong)
            yield pytest.param(alone, is_wrong, id=f"{path.stem}:{first}")


@pytest.mark.parametrize("document, is_wrong", steps_one_by_one())
def test_every_wrong_step_fails_in_the_schema_by_itself_and_every_right_one_passes(document, is_wrong):
    assert bool(complaints(document)) == is_wrong, complaints(document)


def test_check_names_the_place_the_text_and_the_nearest_word():
    path = TESTS / "bad/verbs-misspelt.yaml"
    checked = check(path)
    output = checked.stdout + checked.stderr
    for line in COMPLAINTS:
        if line.startswith(path.name):
            assert str(TESTS / "bad" / line) in output


def test_check_prints_what_it_understood_as_json():
    path = ROOT / "scenarios/mixed/pop-download-empties-the-phone.yaml"
    checked = check("--json", path)
    assert checked.returncode == 0, checked.stderr
    [story] = json.loads(checked.stdout)
    assert story["id"] == "mixed.pop-download-empties-the-phone"
    assert [step["verb"] for step in story["steps"]] == ["deliver", "see", "download", "quit", "lose", "fate"]
    assert story["steps"][0]["messages"] == "mail"


TARGETS = jsonschema.Draft7Validator(json.loads((ROOT / "scenarios/target.schema.json").read_text()))
TARGET_FILES = [block for block in BLOCKS if block.kind == "yaml" and re.match("(target|known|admin):", block.text)]


@pytest.mark.parametrize("block", TARGET_FILES, ids=lambda block: block.name)
def test_a_target_file_of_a_page_is_one_of_its_schema(block):
    TARGETS.check_schema(TARGETS.schema)
    whole = block.text.startswith("target:")
    least = "target: node-7\nimap: [{port: 143}]\naccounts: [{login: user@example.test, password_env: PASSWORD}]\n"
    document = yaml.load(block.text if whole else least + block.text, CoreLoader)
    assert [error.message for error in TARGETS.iter_errors(document)] == []


# What is a file that is there, a program or a placeholder, the reader alone says.
OF_THE_READER = {"admin", "certificates"}


@pytest.mark.parametrize("path", [path for path in sorted((TESTS / "bad/target").glob("*.yaml")) if path.stem not in OF_THE_READER], ids=short)
def test_a_target_file_that_is_wrong_is_none_of_the_schema(path):
    assert list(TARGETS.iter_errors(read(path)))


def test_the_schema_of_target_files_has_the_keys_of_the_reader():
    text = (ROOT / "harness/scenario/target/target.cc").read_text("utf-8")
    keys = re.findall(r'"([a-z0-9_]+)"', re.search(r"kTargetKeys = \{(.*?)\};", text, re.S)[1])
    assert sorted(keys) == sorted(TARGETS.schema["properties"])
