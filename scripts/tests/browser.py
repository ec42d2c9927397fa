"""A headless Chromium, told what to do over its own protocol: pages at a width, what a script finds in them, and pictures."""
import base64
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import time

import pytest

WITHOUT = pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium here: apt-get install chromium")


def ask(address, path, method="GET", **headers):
    connection = http.client.HTTPConnection(*address, timeout=10)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, dict(answer.getheaders()), text


class Socket:
    """As much of RFC 6455 as a client needs."""

    def __init__(self, address, path="/live", **headers):
        self.socket = socket.create_connection(address, timeout=10)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", f"Host: {address[0]}:{address[1]}", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", *(f"{name}: {value}" for name, value in headers.items())]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self.rest, head = b"", b""
        while b"\r\n\r\n" not in head:
            part = self.socket.recv(4096)
            assert part, head
            head += part
        head, self.rest = head.split(b"\r\n\r\n", 1)
        self.status = int(head.split()[1])
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        assert self.status != 101 or accept in head

    def take(self, n):
        while len(self.rest) < n:
            part = self.socket.recv(65536)
            assert part, "the connection ended"
            self.rest += part
        out, self.rest = self.rest[:n], self.rest[n:]
        return out

    def send(self, value):
        text = json.dumps(value).encode()
        assert len(text) < 65536
        self.socket.sendall(struct.pack(">BBH", 0x81, 0xFE, len(text)) + bytes(4) + text)  # masked with zeros

    def message(self):
        text = b""
        while True:
            first, second = self.take(2)
            length = second & 0x7F
            assert not second & 0x80, "a server masks nothing"
            if length >= 126:
                length = struct.unpack(">H" if length == 126 else ">Q", self.take(2 if length == 126 else 8))[0]
            text += self.take(length)
            if first & 0x80:
                return json.loads(text)


class Browser:
    """`with Browser(folder) as browser`: the folder keeps its profile."""

    def __init__(self, folder):
        self.folder, self.number = pathlib.Path(folder), 0

    def __enter__(self):
        self.process = subprocess.Popen(["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={self.folder}",
                                         "--remote-debugging-port=0", "about:blank"], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        ports = self.folder / "DevToolsActivePort"
        for _ in range(600):
            if ports.exists() and len(ports.read_text().splitlines()) == 2:
                break
            time.sleep(0.1)
        address = ("127.0.0.1", int(ports.read_text().split()[0]))
        page = next(one for one in json.loads(ask(address, "/json/list")[2]) if one["type"] == "page")
        self.tools = Socket(address, re.sub("ws://[^/]*", "", page["webSocketDebuggerUrl"]))
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def tell(self, method, **parameters):
        self.number += 1
        self.tools.send({"id": self.number, "method": method, "params": parameters})
        while (said := self.tools.message()).get("id") != self.number:
            pass
        assert "error" not in said, said
        return said["result"]

    def width(self, pixels, height=900):
        self.tell("Emulation.setDeviceMetricsOverride", width=pixels, height=height, deviceScaleFactor=1, mobile=False)

    def open(self, url):
        self.tell("Page.navigate", url=url)
        for _ in range(600):
            if self.evaluate("location.href != 'about:blank' && document.readyState") == "complete":
                return
            time.sleep(0.05)
        raise AssertionError(f"{url} is never all there")

    def evaluate(self, script):
        return self.tell("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def picture(self, name):
        """What is seen now, in the folder that MAILPROOF_PICTURES names; nowhere without it."""
        if folder := os.environ.get("MAILPROOF_PICTURES"):
            pathlib.Path(folder, name).write_bytes(base64.b64decode(self.tell("Page.captureScreenshot")["data"]))
