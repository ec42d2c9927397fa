"""Starts the built-in server on loopback, for the tests that drive it with other people's mail clients."""
import contextlib
import dataclasses
import os
import pathlib
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("MAILPROOF_BIN", str(ROOT / "build/release/mailproof"))
PASSWORD = "pass"
DOMAIN = "example.test"

# What real mail looks like where it hurts: dot lines, 8-bit text, a long line, a body without a final newline.
MESSAGE = (
    b"From: Caroline =?utf-8?Q?Wei=C3=9F?= <user0002@example.test>\r\n"
    b"To: user0001@example.test\r\n"
    b"Subject: =?utf-8?Q?Rechnung_Nr=2E_77_f=C3=BCr_M=C3=A4rz?=\r\n"
    b"Date: Mon, 02 Mar 2026 09:15:00 +0100\r\n"
    b"Message-ID: <invoice-77@example.test>\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="=_b1"\r\n'
    b"\r\n"
    b"This is a multi-part message in MIME format.\r\n"
    b"--=_b1\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n"
    b"\r\n"
    b"Gr\xc3\xbc\xc3\x9fe aus K\xc3\xb6ln\r\n"
    b".\r\n"
    b"..two dots\r\n"
    b".one dot\r\n"
    b"...\r\n" + b"x" * 900 + b"\r\n"
    b"--=_b1\r\n"
    b'Content-Type: application/pdf; name="invoice.pdf"\r\n'
    b"Content-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; filename="invoice.pdf"\r\n'
    b"\r\n"
    b"JVBERi0xLjQKJcfsj6IKNSAwIG9iago8PC9MZW5ndGggNiAwIFIvRmlsdGVyIC9GbGF0ZURlY29k\r\n"
    b"ZT4+CnN0cmVhbQp4nCvkCuQCAAKSANcKZW5kc3RyZWFtCg==\r\n"
    b"--=_b1--\r\n"
)


def small(number):
    """The login of an account with a quota of 64 KiB."""
    return f"small{number:04}"


def address(login):
    return f"{login}@{DOMAIN}"


def filler(octets, number=0):
    """A plain text message of exactly that many octets, CRLF line ends."""
    head = (
        b"From: user0002@example.test\r\nTo: small0001@example.test\r\nSubject: Quarterly report, part %d\r\n"
        b"Message-ID: <report-%d@example.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
        % (number, number)
    )
    line = b"The figures of this quarter are in line with the plan of last year.\r\n"
    body = line * ((octets - len(head)) // len(line))
    rest = octets - len(head) - len(body)
    if rest:
        body += b"z" * max(rest - 2, 0) + b"\r\n"[-min(rest, 2) :]
    return head + body


@dataclasses.dataclass
class Running:
    """Where each listener is, by its name ("imap", "pop3s", ...)."""

    ports: dict
    cert: str = ""
    pid: int = 0

    def __getattr__(self, name):
        try:
            return ("127.0.0.1", self.ports[name])
        except KeyError:
            raise AttributeError(name) from None


@contextlib.contextmanager
def server(*options, tls_dir=None, users=20):
    """The server with these options; it is stopped, and must have stopped, when the block is left."""
    command = [BINARY, "server", "--listen", "127.0.0.1", "--imap", "0", "--pop3", "0", "--smtp", "0", "--lmtp", "0"]
    cert = ""
    if tls_dir is not None:
        cert, key = make_certificate(pathlib.Path(tls_dir))
        command += ["--imaps", "0", "--pop3s", "0", "--cert", cert, "--key", key]
    command += ["--users", str(users), *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env={**os.environ, "MAILPROOF_PASSWORD": PASSWORD}
    )
    give_up = threading.Timer(30, process.kill)
    give_up.start()
    try:
        ports = {}
        for line in process.stdout:
            words = line.split()
            if words[:1] == ["ready"]:
                break
            if len(words) == 2 and ":" in words[1]:
                ports[words[0]] = int(words[1].rsplit(":", 1)[1])
        else:
            raise RuntimeError(f"{' '.join(command)} ended with {process.wait()} before it was ready")
        give_up.cancel()
        yield Running(ports, cert, process.pid)
        assert process.poll() is None, f"the server died with {process.returncode}"
    finally:
        give_up.cancel()
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            process.stdout.close()


def make_certificate(folder):
    """A self-signed certificate for 127.0.0.1 and localhost: (certificate, key) paths."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        + ["-keyout", str(key), "-out", str(cert)],
        check=True,
        capture_output=True,
    )
    return str(cert), str(key)
