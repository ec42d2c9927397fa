"""A server may say the same in many words (rewording.py has what the RFCs say of each), and none of them is accused. The
built-in server is right, so whatever is found behind the proxy is our own fault."""
import json
import os

import pytest
import reference_server
import rewording
import tool

TARGET = """\
target: reworded
imap: [{{host: 127.0.0.1, port: {imap}, tls: none}}]
pop3: [{{host: 127.0.0.1, port: {pop3}, tls: none}}]
lmtp: [{{host: 127.0.0.1, port: {lmtp}, tls: none}}]
smtp: [{{host: 127.0.0.1, port: {smtp}, tls: none}}]
delivery: [lmtp, smtp, append]
settle: 3s
allow: [failed-logins]
accounts:
  - {{login: "user%04d", address: "user%04d@example.test", first: 1, count: 100, password_env: MAILPROOF_PASSWORD}}
  - {{login: "small%04d", address: "small%04d@example.test", first: 1, count: 20, quota: 64KiB, password_env: MAILPROOF_PASSWORD}}
"""
ENVIRONMENT = {**os.environ, "MAILPROOF_PASSWORD": reference_server.PASSWORD}
KINDS = ["conformance/imap", "conformance/pop3", "conformance/smtp", "conformance/lmtp", "conformance/quota", "sync", "mixed", "pop3",
         "quota"]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_right_server_is_accused_of_none_of_its_words(tmp_path, seed):
    with reference_server.server(users=100) as builtin, rewording.reworded(builtin.ports, seed) as (ports, done):
        target = tmp_path / "target.yaml"
        target.write_text(TARGET.format(**ports))
        ran = tool.finish(tool.start("run", "--target", target, "--out", tmp_path / "run", "--jobs", "8", "--seed", seed,
                                     *(f"scenarios/{kind}" for kind in KINDS), env=ENVIRONMENT), timeout=300)
    run = json.loads((tmp_path / "run/run.json").read_text())
    found = [(finding["id"], finding["actual"]) for scenario in run["scenarios"] for finding in scenario["findings"]]
    assert found == [] and ran.status == 0, ran.text
    assert sum(scenario["verdict"] == "pass" for scenario in run["scenarios"]) > 600, ran.out
    assert set(done) == set(rewording.REWORDINGS) and min(done.values()) > 20, done
