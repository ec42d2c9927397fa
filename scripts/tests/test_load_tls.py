"""Handshakes of TLS in a load: full and resumed ones are measured apart, by what the server did."""
import contextlib
import json
import select
import socket
import ssl
import threading

import pytest
import yaml

import reference_server
import tool

TARGET = """\
target: behind-tls
imap: [{{host: 127.0.0.1, port: {imaps}, tls: implicit}}]
pop3: [{{host: 127.0.0.1, port: {pop3s}, tls: implicit}}]
lmtp: [{{host: 127.0.0.1, port: {lmtp}, tls: none}}]
delivery: [lmtp]
tls: {{ca: {cert}}}
accounts:
  - {{count: 20, login: "user%04d", address: "user%04d@example.test", password_env: MAILPROOF_PASSWORD}}
"""
PLAN = {"plan": "over-tls", "accounts": 6, "for": "6s", "pace": 100, "mix": {"pop-delete": "50%", "apple-mail": "50%"},
        "arrivals": {"deliveries": "2/s", "sizes": "small"}, "slo": ["pop3.tls.* p50 < 10s", "errors < 5%"]}


def relay(near, far):
    """One thread: OpenSSL lets no second one read while the first one writes."""
    with near, far, contextlib.suppress(OSError):
        while True:
            ready = [near] if near.pending() else select.select([near, far], [], [], 30)[0]
            for source in ready:
                if not (data := source.recv(65536)):
                    return
                (far if source is near else near).sendall(data)
            if not ready:
                return


@contextlib.contextmanager
def in_front_of(port, context):
    """OpenSSL as Python has it, which gives tickets and takes them; what comes goes on to that port in the clear."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)

    def one(raw):
        with contextlib.suppress(OSError):
            raw.settimeout(30)
            relay(context.wrap_socket(raw, server_side=True), socket.create_connection(("127.0.0.1", port)))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


@contextlib.contextmanager
def behind_tls(folder, version):
    cert, key = reference_server.make_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(cert, key)
    with reference_server.server() as plain, in_front_of(plain.ports["imap"], context) as imaps, \
            in_front_of(plain.ports["pop3"], context) as pop3s:
        target = folder / "target.yaml"
        target.write_text(TARGET.format(imaps=imaps, pop3s=pop3s, lmtp=plain.ports["lmtp"], cert=cert), "utf-8")
        yield target


def play(folder, target, **changes):
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump({**PLAN, **changes}, sort_keys=False), "utf-8")
    ran = tool.mailproof("load", path, "--target", target, "--out", folder / "run",
                         env={**tool.ENVIRONMENT, "MAILPROOF_PASSWORD": reference_server.PASSWORD})
    # On a busy machine the generator is the limit: these tests are about rows.
    assert ran.status == 0 or (ran.status == 3 and "GENERATOR-LIMITED" in ran.text), ran.text
    return ran.text, json.loads((folder / "run/stats.json").read_text("utf-8"))["operations"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_full_and_resumed_handshakes_have_rows_of_their_own(version, tmp_path):
    with behind_tls(tmp_path, version) as target:
        text, operations = play(tmp_path, target, resume_tls=True)
    full, resumed = (operations[f"pop3.tls.{kind}"]["ok"] for kind in ("full", "resumed"))
    # Each device's first is a full one, and each of those after it takes up what the device was given.
    assert full == 3 and resumed > 3 and full + resumed == operations["pop3.connect"]["started"]
    assert operations["imap.tls.full"]["ok"] == 3
    assert operations["pop3.tls.resumed"]["response"]["p50_ns"] > 0
    assert "pop3.tls.resumed" in text and "pop3.tls.* p50 < 10s" in text


def test_each_device_does_as_its_profile_says_and_a_plan_may_say_otherwise(tmp_path):
    mix = {"fetchmail": "50%", "thunderbird-pop": "50%"}
    with behind_tls(tmp_path, ssl.TLSVersion.TLSv1_3) as target:
        _, operations = play(tmp_path, target, mix=mix)
        resumed, connected = operations["pop3.tls.resumed"]["ok"], operations["pop3.connect"]["started"]
        assert operations["pop3.tls.full"]["ok"] > 3, "fetchmail begins anew each time"
        assert 0 < resumed < connected - 6, "thunderbird does not"
        _, operations = play(tmp_path, target, mix=mix, resume_tls=False)
        assert "pop3.tls.resumed" not in operations and operations["pop3.tls.full"]["ok"] > 6


def test_a_server_that_resumes_nothing_has_full_ones_only(tmp_path):
    with reference_server.server(tls_dir=tmp_path) as server:
        target = tmp_path / "target.yaml"
        target.write_text(TARGET.format(**server.ports, cert=server.cert), "utf-8")
        _, operations = play(tmp_path, target, resume_tls=True)
    assert "pop3.tls.resumed" not in operations
    assert operations["pop3.tls.full"]["ok"] == operations["pop3.connect"]["started"] > 6


def test_in_simulation_there_is_no_handshake_to_measure(tmp_path):
    ran = tool.mailproof("load", "--profile", "thunderbird", "--accounts", 2, "--for", "5s", "--sim", "--out", tmp_path / "run")
    assert ran.status in (0, 3) and ".tls." not in ran.out, ran.text
