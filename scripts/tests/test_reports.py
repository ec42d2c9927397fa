"""Reports, read back by parsers that are not ours: what a hostile server says must never break a file that CI reads."""
import json
import os
import pathlib
import subprocess
import xml.etree.ElementTree as ElementTree

import jsonschema
import junitparser
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TESTS = pathlib.Path(os.environ.get("MAILPROOF_REPORT_TESTS", ROOT / "build/release/report_tests"))
SCHEMA = json.loads((ROOT / "reports/run.schema.json").read_text())

AS_JUNIT = {"pass": [], "latitude": [], "fail": ["Failure"], "unexpected-pass": ["Failure"], "error": ["Error"],
            "inconclusive": ["Error"], "not-applicable": ["Skipped"], "known-fail": ["Skipped"]}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    directory = tmp_path_factory.mktemp("reports")
    subprocess.run([TESTS, "--gtest_filter=Files.ForIndependentParsers"], check=True, capture_output=True, cwd=ROOT,
                   env={**os.environ, "MAILPROOF_REPORTS_OUT": str(directory)})
    return directory


@pytest.mark.parametrize("name", ["sample", "hostile"])
def test_junit_is_well_formed_and_counts_add_up(written, name):
    root = ElementTree.parse(written / f"mailproof-{name}.junit.xml").getroot()
    assert root.tag == "testsuites"
    cases = root.findall("./testsuite/testcase")
    assert len(cases) == int(root.get("tests")) == 4
    for element, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert len(root.findall(f"./testsuite/testcase/{element}")) == int(root.get(count))


@pytest.mark.parametrize("name", ["sample", "hostile", "checks"])
def test_junit_says_the_same_to_somebody_elses_reader(written, name):
    """python3-junitparser, which reads what CIs read."""
    (suite,) = junitparser.JUnitXml.fromfile(str(written / f"mailproof-{name}.junit.xml"))
    results = [[type(result).__name__ for result in case.result] for case in suite]
    own = json.loads((written / f"mailproof-{name}.run.json").read_text("utf-8"))["scenarios"]
    assert results == [AS_JUNIT[one["verdict"]] for one in own]
    if name != "hostile":  # its names are escaped
        assert [case.name for case in suite] == [one["id"] for one in own]
    assert [suite.tests, suite.failures, suite.errors, suite.skipped] == [
        len(own), *(sum(kind in found for found in results) for kind in ("Failure", "Error", "Skipped"))]
    assert {one.name for one in suite.properties()} >= {"seed", "version", "verdict"}


def test_junit_tells_the_level_and_section_of_a_check(written):
    root = ElementTree.parse(written / "mailproof-checks.junit.xml").getroot()
    case = root.find("./testsuite/testcase[@name='pop3.2449-8.1.2.login-delay']")
    assert case.get("classname") == "pop3.2449-8.1.2" and case[0].tag == "properties"
    assert {one.get("name"): one.get("value") for one in case[0]} == {
        "kind": "check", "level": "SHOULD", "rfc": "2449", "section": "8.1.2"}
    known = root.find("./testsuite/testcase[@name='x.uidl-stable']/skipped")
    assert known.get("message") == "known-fail: known: fixed in 4.2"


def test_junit_keeps_what_a_person_can_read(written):
    failure = ElementTree.parse(written / "mailproof-hostile.junit.xml").find("./testsuite/testcase/failure")
    assert "Köln €" in failure.text and "<script>alert(1)</script>" in failure.text
    assert "\x1b" not in failure.text and "\u202e" not in failure.text


@pytest.mark.parametrize("name", ["sample", "hostile", "checks", "hostile-checks"])
def test_run_json_is_as_its_schema_says(written, name):
    jsonschema.validate(json.loads((written / f"mailproof-{name}.run.json").read_text("utf-8")), SCHEMA)


@pytest.mark.parametrize("name", ["sample", "hostile"])
def test_findings_json_is_as_the_schema_says(written, name):
    findings = json.loads((written / f"mailproof-{name}.findings.json").read_text("utf-8"))["findings"]
    assert len(findings) == 2
    one = {**SCHEMA["definitions"]["finding"], "definitions": SCHEMA["definitions"]}
    for finding in findings:
        jsonschema.validate(finding, one)
        assert finding["scenario"]


def test_the_schema_refuses_what_is_not_a_run():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"verdict": "green", "seed": 1, "target": "x", "scenarios": []}, SCHEMA)


@pytest.mark.parametrize("name", ["sample", "hostile", "checks", "hostile-checks"])
def test_summary_is_utf8_and_its_fences_close(written, name):
    fence = None
    for line in (written / f"mailproof-{name}.summary.md").read_text("utf-8").splitlines():
        ticks = len(line) - len(line.lstrip("`"))
        if fence is None and ticks >= 3 and line.endswith("text"):
            fence = ticks
        elif fence is not None and ticks >= fence and line == "`" * ticks:
            fence = None
    assert fence is None
