"""Checks of what only a real TLS connection has, alerts and versions: the simulation cannot prove them, a bad server can."""
import contextlib
import subprocess
from unittest import mock

import pytest
import yaml

import reference_server
import tool
from reference_server import ROOT

CERTS = ROOT / "fixtures/certs"
# The check, what it finds, what the bad server speaks, and one that is bad at something else.
BAD = {
    "no-close-alert": ("pop3.8314-3.4.pop3s-close-alert", "closed by the other end without TLS close_notify", "pop3", "old-tls"),
    "reset": ("pop3.8314-3.4.pop3s-close-alert", "the server reset the connection", "pop3", "old-tls"),
    "old-tls": ("pop3.8997-3.tls-min-version", "+OK", "pop3", "no-close-alert"),
    "old-tls for IMAP": ("sec.8997-3.tls-min-version-imap", "t2 OK done", "imap", "no-close-alert"),
    "old-tls for submission": ("sec.8997-3.tls-min-version-submission", "235 welcome", "smtp", "no-close-alert"),
}
CHECKS = sorted({check for check, *_ in BAD.values()})
# Certificates: the check, the kind of the bad server, what it speaks, and where its TLS begins.
CERTIFICATES = {
    "expired": ("sec.8314-4.4.tls-cert-names", "expired", "imap", "implicit"),
    "wronghost": ("sec.8314-4.4.tls-cert-names-pop3", "wronghost", "pop3", "implicit"),
    "expired behind STARTTLS": ("sec.8314-4.4.tls-cert-names-starttls", "expired", "imap", "starttls"),
    "expired behind STLS": ("sec.8314-4.4.tls-cert-names-stls", "expired", "pop3", "starttls"),
    "wronghost for submission with TLS": ("sec.8314-4.4.tls-cert-names-submissions", "wronghost", "smtp", "implicit"),
    "expired behind a submission server's STARTTLS": ("sec.8314-4.4.tls-cert-names-submission", "expired", "smtp", "starttls"),
}
SAYS = {"expired": "has expired", "wronghost": "does not match host 127.0.0.1"}
TARGET = """\
target: {kind}
{protocol}: [{{host: 127.0.0.1, port: {port}, tls: {tls}}}]
tls: {{ca: {certs}/ca.pem}}
accounts:
  - {{login: user0001, address: user0001@example.test, password_env: MAILPROOF_PASSWORD}}
allow: [failed-logins]
"""


@pytest.fixture(scope="module", autouse=True)
def certificates():
    subprocess.run([ROOT / "scripts/make-certs"], check=True)


def play(good, check, kind, protocol, tmp_path):
    """The check against a server that is bad in this way, beside one whose mailboxes can be looked at where SMTP shows none."""
    implicit = "8314" in check
    with tool.bad_server(kind, protocol, "--certs", CERTS, *(["--implicit-tls"] if implicit else [])) as port:
        target = tmp_path / "target.yaml"
        others = f"pop3: [{{host: 127.0.0.1, port: {good.ports['pop3']}, tls: none}}]\n" if protocol == "smtp" else ""
        target.write_text(others + TARGET.format(kind=kind, protocol=protocol, port=port, tls="implicit" if implicit else "starttls", certs=CERTS))
        # Its maildrop is never empty.
        ran = tool.mailproof("run", check, "--target", target,
                             "--i-own-these-mailboxes", "--out", tmp_path / "run")
    scenario, = tool.complete_run(tmp_path / "run")["scenarios"]
    assert scenario["id"] == check, ran.text
    return scenario


def test_every_check_that_is_said_to_be_shown_here_is():
    said = {}
    for path in (ROOT / "scenarios/conformance").rglob("*.wrong.yaml"):
        wrong = yaml.safe_load(path.read_text())
        for check, servers in wrong["checks"].items():
            for server in servers if isinstance(servers, list) else [servers]:
                if isinstance(server, dict) and "test" in server:
                    said[server["test"]] = f"{wrong['wrong']}.{check}"
    shown = {kind: check for kind, (check, *_) in [*BAD.items(), *CERTIFICATES.items()]}
    assert said == {f"scripts/tests/test_tls_checks.py, the bad server {kind}": check for kind, check in shown.items()}


@pytest.mark.parametrize("name", BAD)
def test_it_fails_on_the_server_that_is_bad_at_it(good, name, tmp_path):
    check, actual, protocol, _ = BAD[name]
    scenario = play(good, check, name.split()[0], protocol, tmp_path)
    assert scenario["verdict"] == "latitude", scenario
    assert [finding["actual"] for finding in scenario["findings"]] == [actual]


@pytest.mark.parametrize("name", BAD)
def test_it_passes_on_a_server_that_is_bad_at_something_else(good, name, tmp_path):
    check, _, protocol, other = BAD[name]
    scenario = play(good, check, other, protocol, tmp_path)
    assert scenario["verdict"] == "pass" and not scenario["findings"], scenario


@pytest.fixture(scope="module")
def good():
    with mock.patch.object(reference_server, "PASSWORD", tool.PASSWORD):
        with reference_server.server("--cert", CERTS / "good.pem", "--key", CERTS / "good.key", "--imaps", "0", "--pop3s",
                                     "0") as running:
            yield running


def look_at_certificate(good, tmp_path, check, port, protocol, mode, more=""):
    """A target whose first endpoint is good, so that all but the check is over that."""
    first_mode = "none" if mode == "implicit" or protocol == "smtp" else "implicit"
    first = good.ports[protocol if first_mode == "none" else protocol + "s"]
    target = tmp_path / "target.yaml"
    # A check whose id names no protocol speaks POP3 unless it says so, and wants an endpoint of it.
    other = "" if protocol == "pop3" else f"pop3: [{{host: 127.0.0.1, port: {good.ports['pop3']}, tls: none}}]\n"
    target.write_text(f"target: certificates\n{other}{protocol}: [{{host: 127.0.0.1, port: {first}, "
                      f"tls: {first_mode}}}, "
                      f"{{host: 127.0.0.1, port: {port}, tls: {mode}}}]\n"
                      f"tls: {{ca: {CERTS}/ca.pem{more}}}\naccounts:\n"
                      "  - {login: user0001, address: user0001@example.test, password_env: MAILPROOF_PASSWORD}\n")
    ran = tool.mailproof("run", check, "--target", target, "--out", tmp_path / "run")
    scenario, = tool.complete_run(tmp_path / "run")["scenarios"]
    assert scenario["id"] == check, ran.text
    return scenario


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_certificate_that_is_not_valid_fails(good, tmp_path, name):
    check, kind, protocol, mode = CERTIFICATES[name]
    with tool.bad_server(kind, protocol, "--certs", CERTS, *(["--implicit-tls"] if mode == "implicit" else [])) as port:
        scenario = look_at_certificate(good, tmp_path, check, port, protocol, mode)
        assert scenario["verdict"] == "fail" and SAYS[kind] in str(scenario["findings"]), scenario["findings"]
        overlooked = look_at_certificate(good, tmp_path, check, port, protocol, mode, ", insecure: true")
        assert overlooked["verdict"] == "not-applicable", "what nobody verifies is not called valid"


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_certificate_that_is_valid_passes(good, tmp_path, name):
    check, _, protocol, mode = CERTIFICATES[name]
    with contextlib.ExitStack() as stack:
        if protocol == "smtp":  # the built-in server has no SMTP with TLS from the start, and is no submission server
            options = ["--implicit-tls"] if mode == "implicit" else []
            port = stack.enter_context(tool.bad_server("no-close-alert", protocol, "--certs", CERTS, *options))
        else:
            port = good.ports[protocol + "s" if mode == "implicit" else protocol]
        assert look_at_certificate(good, tmp_path, check, port, protocol, mode)["verdict"] == "pass"


def test_a_relay_may_have_any_certificate(good, tmp_path):
    """RFC 8314 is about the servers that users log in to; this one takes mail without a login."""
    check = "sec.8314-4.4.tls-cert-names-submission"
    assert look_at_certificate(good, tmp_path, check, good.ports["smtp"], "smtp", "starttls")["verdict"] == "not-applicable"


def test_the_simulation_says_why_it_does_not_play_them(tmp_path):
    tool.mailproof("run", *CHECKS, "--sim", "--out", tmp_path)
    scenarios = tool.complete_run(tmp_path)["scenarios"]
    assert [scenario["verdict"] for scenario in scenarios] == ["not-applicable"] * len(CHECKS)
