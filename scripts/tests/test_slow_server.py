"""A server that answers late is slow and not wrong; one that swallows a command is wrong. A proxy in front of the built-in
server holds its POP3 replies back. Bounds are a tenth here: a second, and three the second time."""
import contextlib
import json
import os
import socket
import threading
import time

import reference_server
import tool

TARGET = """\
target: slow
imap: [{{host: 127.0.0.1, port: {imap}, tls: none}}]
pop3: [{{host: 127.0.0.1, port: {pop3}, tls: none}}]
lmtp: [{{host: 127.0.0.1, port: {lmtp}, tls: none}}]
delivery: [lmtp]
settle: 1s
accounts:
  - {{login: "user%04d", address: "user%04d@example.test", first: 1, count: 20, password_env: MAILPROOF_PASSWORD}}
"""
ENVIRONMENT = {**os.environ, "MAILPROOF_PASSWORD": reference_server.PASSWORD}
LISTS = "scenarios/conformance/pop3/1939-5.yaml"


class Proxy:
    """Lines of the client go on one by one; before one that begins with a word of `delays` so many seconds pass, None: for ever."""

    def __init__(self, to, delays):
        self.to, self.delays = to, delays
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                server = socket.create_connection(self.to)
                threading.Thread(target=self.onward, args=(client, server), daemon=True).start()
                threading.Thread(target=self.back, args=(server, client), daemon=True).start()

    def onward(self, client, server):
        with contextlib.suppress(OSError):
            for line in client.makefile("rb"):
                word = line.split(maxsplit=1)[0].decode() if line.split() else ""
                delay = self.delays.get(word, 0)
                if delay is None:
                    continue
                time.sleep(delay)
                server.sendall(line)
            server.shutdown(socket.SHUT_WR)

    @staticmethod
    def back(server, client):
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)


def play(tmp_path, delays, *words):
    with reference_server.server() as builtin:
        proxy = Proxy(builtin.pop3, delays)
        target = tmp_path / "target.yaml"
        target.write_text(TARGET.format(imap=builtin.ports["imap"], pop3=proxy.listener.getsockname()[1], lmtp=builtin.ports["lmtp"]))
        only = [option for word in words for option in ("--only", word)]
        return tool.finish(tool.start("run", "--target", target, "--out", tmp_path / "run", "--patience", "0.1", "--jobs", "4", LISTS,
                                      *only, env=ENVIRONMENT), timeout=120)


RETRIEVING = ["pop3.1939-5.retr-multiline", "pop3.1939-5.retr-repeatable", "pop3.1939-5.retr-empty-body"]


def found(tmp_path):
    """Each finding's class and what was seen."""
    run = json.loads((tmp_path / "run/run.json").read_text())
    return [(finding["id"].split("/", 1)[1], finding["actual"]) for scenario in run["scenarios"] for finding in scenario["findings"]]


def test_late_is_a_latitude_and_the_run_says_once_that_it_is_slow(tmp_path):
    ran = play(tmp_path, {"RETR": 1.8}, *RETRIEVING)
    assert ran.status == 0, ran.text
    findings = found(tmp_path)
    assert [kind for kind, _ in findings] == ["conformance/late"] * 3, ran.text
    for _, actual in findings:
        assert actual.startswith("nothing within 1s; played once more with three times the patience, it came after 1.8"), actual
    assert ran.out.count("is slow: in 3 of 3 scenarios an answer did not come within its bound, in 3 it came") == 1


def test_silence_is_inconclusive(tmp_path):
    ran = play(tmp_path, {"RETR": 20}, RETRIEVING[0])
    assert ran.status == 3, ran.text
    [(kind, actual)] = found(tmp_path)
    assert kind == "conformance/silent", ran.text
    assert actual == "nothing within 3s\nplayed before with a third of the patience: nothing within 1s"


def test_a_command_that_is_swallowed_is_a_fault(tmp_path):
    ran = play(tmp_path, {"RETR": None}, RETRIEVING[0])
    assert ran.status == 1, ran.text
    [(kind, actual)] = found(tmp_path)
    assert kind == "conformance/broken", ran.text
    assert actual == "nothing within 3s, and what was sent after it was answered at once: NOOP -> +OK"
