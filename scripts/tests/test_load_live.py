"""The live page of a load: HTTP, WebSocket and /metrics, asked with nothing but Python's own library; and what a terminal shows."""
import json
import os
import pty
import re
import select
import socket
import struct
import subprocess
import time

import pytest

import tool
from browser import Browser, Socket, WITHOUT, ask
from reference_server import BINARY, ROOT

POP = "mixed.pop-download-empties-the-phone"


def started(tmp_path, *arguments):
    """A load with a live page: the process, its address, and what comes behind the address."""
    process = tool.start("load", POP, "--sockets", "--copies", 20, "--rate", "5/s", "--for", "2m", "--out", tmp_path / "run",
                         *arguments)
    for _ in range(200):
        process.err.seek(0)
        found = re.search(r"live: http://([^:]+|\[.*\]):(\d+)(/\S*)", process.err.read().decode())
        if found:
            return process, found[1].strip("[]"), int(found[2]), found[3]
        assert process.poll() is None, tool.finish(process).text
        time.sleep(0.05)
    raise AssertionError("no address was printed")


def ended(process):
    process.send_signal(tool.signal.SIGINT)
    return tool.finish(process)


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    process, host, port, _ = started(tmp_path_factory.mktemp("live"), "--live")
    yield host, port
    assert ended(process).status == 3


def test_the_page(live):
    status, headers, text = ask(live, "/")
    assert status == 200 and headers["Content-Type"].startswith("text/html") and headers["Cache-Control"] == "no-store"
    assert "new WebSocket" in text and "uPlot" in text and "Permission is hereby granted" in text
    assert not re.search(r'(src|href)="(?!#)', text), "a page of its own"


def test_the_socket_tells_each_second(live):
    watching = Socket(live)
    assert watching.status == 101
    states = []
    while len(states) < 3:
        state = watching.message()
        if state.get("begun", 0) > 5 and not state["preparing"]:
            states.append(state)
    assert states[2]["passed"] > states[0]["passed"] and states[2]["begun"] > states[0]["begun"]
    rows = {row[0]: row for row in states[2]["rows"]}
    name, rate, now50, now99, done, fail, info, p50, p99, most = rows["imap.fetch"]
    assert 0 < now50 <= now99
    assert done > 0 and rate > 0 and 0 < p50 <= p99 <= most and fail == info == 0
    assert states[2]["chart"]["operations"][0]["name"] == "story"
    assert states[2]["ledger"]["sent"] >= states[2]["ledger"]["accepted"]


def test_two_may_watch_and_one_may_go(live):
    first, second = Socket(live), Socket(live)
    first.message(), second.message()
    first.socket.close()
    second.message(), second.message()


def test_metrics_are_prometheus_text(live):
    for _ in range(100):
        status, headers, text = ask(live, "/metrics")
        if 'operation="imap.fetch",outcome="ok"} ' in text and "mailproof_seconds" in text:
            break
        time.sleep(0.1)
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    values, types = {}, {}
    for line in text.splitlines():
        if kind := re.fullmatch(r"# TYPE (\w+) (counter|gauge|histogram)", line):
            types[kind[1]] = kind[2]
        elif not line.startswith("#"):
            sample = re.fullmatch(r'(\w+)(\{(\w+="([^"\\]|\\.)*",?)*\})? ([-+.\de]+)', line)
            assert sample, line
            assert re.sub("_(bucket|sum|count)$", "", sample[1]) in types or sample[1] in types, line
            values[sample[1] + (sample[2] or "")] = float(sample[5])
    assert types["mailproof_response_seconds"] == "histogram"
    buckets = [v for k, v in values.items() if k.startswith('mailproof_response_seconds_bucket{operation="imap.fetch"')]
    assert buckets == sorted(buckets) and buckets[-1] == values['mailproof_response_seconds_count{operation="imap.fetch"}']
    assert values['mailproof_copies{state="begun"}'] >= values['mailproof_copies{state="over"}']


def test_the_dashboard_asks_for_what_there_is(live):
    dashboard = json.loads((ROOT / "reports/grafana.json").read_text("utf-8"))
    asked = set(re.findall(r"\bmailproof_\w+", json.dumps(dashboard["panels"])))
    assert asked
    told = set(re.findall(r"^(mailproof_\w+)", ask(live, "/metrics")[2], re.M)) | {"mailproof_errors_total", "mailproof_messages_total"}
    assert asked <= told, asked - told


def test_head_other_methods_and_other_paths(live):
    status, headers, text = ask(live, "/", "HEAD")
    assert status == 200 and int(headers["Content-Length"]) > 1000 and text == ""
    assert ask(live, "/", "POST")[0] == 405
    assert ask(live, "/../etc/passwd")[0] == 404
    assert ask(live, "/state.json")[0] == 200


def test_another_site_in_a_browser_reads_nothing(live):
    """By a name that leads here (DNS rebinding), or by a page of another origin."""
    assert ask(live, "/metrics", Host="evil.example.test")[0] == 403
    assert ask(live, "/state.json", Origin="http://evil.example.test")[0] == 403
    assert Socket(live, Origin="http://evil.example.test").status == 403
    assert Socket(live, Origin=f"http://{live[0]}:{live[1]}").status == 101


def test_garbage_and_silence_harm_nobody(live):
    with socket.create_connection(live, timeout=10) as raw:
        raw.sendall(b"\x16\x03\x01\x02\x00\x01" + b"x" * 40000 + b"\r\n\r\n")
        try:
            raw.recv(100)
        except ConnectionError:
            pass
    silent = [socket.create_connection(live, timeout=10) for _ in range(20)]
    assert ask(live, "/")[0] == 200
    for one in silent:
        one.close()


def test_what_others_can_reach_asks_for_a_token(tmp_path):
    process, _, port, rest = started(tmp_path, "--live", "0.0.0.0:0")
    address, token = ("127.0.0.1", port), rest.removeprefix("/?token=")
    try:
        assert re.fullmatch("[0-9a-f]{32}", token)
        assert ask(address, "/")[0] == ask(address, "/metrics")[0] == ask(address, "/?token=" + "0" * 32)[0] == 403
        assert Socket(address).status == 403
        assert ask(address, f"/?token={token}")[0] == 200
        assert ask(address, "/metrics", Authorization=f"Bearer {token}")[0] == 200
        assert Socket(address, f"/live?token={token}").status == 101
    finally:
        ended(process)


@pytest.mark.parametrize("arguments, why", [
    (["--sockets", "--live", "mail.example.test:80"], "expected an address and a port"),
    (["--sim", "--live", "8080"], "there is nothing to watch"),
])
def test_an_address_that_is_none(arguments, why, tmp_path):
    ran = tool.mailproof("load", POP, *arguments, "--out", tmp_path / "run")
    assert ran.status == 2 and why in ran.err, ran.text


@WITHOUT
def test_a_browser_draws_it(live, tmp_path):
    """The page of a load that goes on, in a real browser: what stands in the document, and on the canvases, after some seconds."""
    with Browser(tmp_path) as browser:
        browser.open(f"http://{live[0]}:{live[1]}/")
        seen = {}
        for _ in range(100):
            seen = json.loads(browser.evaluate("""JSON.stringify({state: document.getElementById("state").textContent,
                rows: document.getElementById("rows").textContent, canvases: [...document.querySelectorAll("canvas")].map((c) =>
                c.width > 0 && c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some((v) => v != 0))})""") or "{\"canvases\": []}")
            if len(seen["canvases"]) == 6 and "imap.fetch" in seen["rows"]:
                break
            time.sleep(0.2)
        assert seen["state"] == "running" and seen["canvases"] == [True] * 6, seen
        browser.picture("live.png")


# --- the terminal

def seen_on_a_terminal(tmp_path, **environment):
    """What standard error says where it is a terminal of 100 columns and 30 rows."""
    ours, theirs = pty.openpty()
    import fcntl
    import termios
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    process = subprocess.Popen([BINARY, "load", POP, "--sockets", "--copies", "10", "--rate", "5/s", "--for", "4s", "--out",
                                str(tmp_path / "run")], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs,
                               env={**tool.ENVIRONMENT, "TERM": "xterm", **environment})
    os.close(theirs)
    text = b""
    while True:
        ready, _, _ = select.select([ours], [], [], 60)
        try:
            part = os.read(ours, 65536) if ready else b""
        except OSError:
            break
        if not part:
            break
        text += part
    assert process.wait(60) == 0
    os.close(ours)
    return text.decode()


def test_a_terminal_shows_how_it_goes(tmp_path):
    text = seen_on_a_terminal(tmp_path)
    assert text.count("\x1b[J") >= 2 and "\x1b[1m" in text, "drawn over itself, in bold"
    last = re.sub(r"\x1b\[[\d;]*[A-Za-z]", "", text.split("\x1b[J")[-1])
    assert re.search(r"due 20   begun 20 .* over 20   connections 0", last), last
    assert re.search(r"^imap\.fetch +[\d.]+ +[\d.]+ +[\d.]+ \| +\d+ +0 +0 +[\d.]+ +[\d.]+", last, re.M), last
    assert "ledger of 20 copies: 60 accepted, 0 refused, 0 without an answer, 0 unexplained" in last
    assert all(len(line) <= 100 for line in last.splitlines())


def test_without_colours_where_nobody_wants_them(tmp_path):
    text = seen_on_a_terminal(tmp_path, NO_COLOR="1")
    assert "\x1b[J" in text and not re.search(r"\x1b\[[\d;]*m", text)


def test_plain_lines_where_there_is_no_terminal(tmp_path):
    ran = tool.mailproof("load", POP, "--sockets", "--copies", 10, "--rate", "2/s", "--for", "12s", "--out", tmp_path / "run")
    assert ran.status == 0 and "\x1b" not in ran.text
    assert re.search(r"^ +\d+ s  due \d+  begun \d+  running \d+  over \d+  p50 [\d.]+ s  p99 [\d.]+ s  errors 0  connections \d+  "
                     r"unexplained 0$", ran.err, re.M), ran.err
