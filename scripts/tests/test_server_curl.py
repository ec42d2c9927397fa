"""curl against the built-in server: every protocol, plain, upgraded and over TLS from the start."""
import re
import subprocess

import pytest
from reference_server import MESSAGE, PASSWORD, address, filler, server, small


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with server(tls_dir=tmp_path_factory.mktemp("tls")) as listeners:
        yield listeners


def curl(*arguments, stdin=None, fails=None):
    """What curl wrote; `fails` is the exit status that is expected instead of success."""
    done = subprocess.run(["curl", "-sS", "-v", "--max-time", "20", *arguments], input=stdin, capture_output=True)
    assert done.returncode == (fails or 0), done.stderr.decode(errors="replace")
    return done.stdout if not fails else done.stderr


def user(name):
    return ("-u", f"{name}:{PASSWORD}")


def url(running, scheme, listener, path=""):
    return "%s://127.0.0.1:%d/%s" % (scheme, getattr(running, listener)[1], path)


def mail(running, to, message=MESSAGE, *more):
    curl(
        *("--mail-from", "user0002@example.test", "--mail-rcpt", f"{to}@example.test", "-T", "-", *more),
        url(running, "smtp", "smtp", "client.example.test"),
        stdin=message,
    )


def test_smtp_to_pop3_keeps_every_byte(running):
    mail(running, "user0001")
    got = curl(*user("user0001"), url(running, "pop3", "pop3", "1"))
    assert got.endswith(MESSAGE)
    listing = curl(*user("user0001"), url(running, "pop3", "pop3"))
    assert listing.split() == [b"1", str(len(got)).encode()]


def test_smtp_to_imap_keeps_every_byte(running):
    mail(running, "user0003")
    assert curl(*user("user0003"), url(running, "imap", "imap", "INBOX;UID=1")).endswith(MESSAGE)
    assert b"* SEARCH 1" in curl(*user("user0003"), url(running, "imap", "imap", "INBOX?ALL"))


def test_imap_create_and_list(running):
    curl(*user("user0004"), "-X", "CREATE Drafts2", url(running, "imap", "imap"))
    assert b"Drafts2" in curl(*user("user0004"), url(running, "imap", "imap"))


def test_imap_upload_from_a_file(running, tmp_path):
    file = tmp_path / "message.eml"
    file.write_bytes(MESSAGE)
    curl(*user("user0005"), "-T", str(file), url(running, "imap", "imap", "INBOX"))
    assert curl(*user("user0005"), url(running, "imap", "imap", "INBOX;UID=1")) == MESSAGE


def curl_mechanisms():
    """Debian's curl is built without gsasl, and so without SCRAM."""
    features = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
    return ["PLAIN", "LOGIN", "CRAM-MD5"] + (["SCRAM-SHA-256"] if re.search(r"\bgsasl\b", features) else [])


@pytest.mark.parametrize("mechanism", curl_mechanisms())
@pytest.mark.parametrize("protocol", ["imap", "pop3", "smtp"])
def test_sasl(running, protocol, mechanism):
    login = (*user("user0006"), "--login-options", f"AUTH={mechanism}")
    if protocol == "smtp":
        mail(running, "user0007", filler(900), *login)
    else:
        curl(*login, url(running, protocol, protocol))


def test_wrong_password_is_refused_everywhere(running):
    for protocol in ("imap", "pop3", "smtp"):
        arguments = ("-u", "user0006:wrong", url(running, protocol, protocol))
        if protocol == "smtp":
            arguments += ("--mail-from", "a@example.test", "--mail-rcpt", "user0007@example.test", "-T", "-")
        assert b"denied" in curl(*arguments, stdin=filler(500) if protocol == "smtp" else None, fails=67)


def test_tls_in_both_ways(running):
    ca = ("--cacert", running.cert)
    mail(running, "user0008", MESSAGE, "--ssl-reqd", *ca)
    for scheme, listener, more in (
        ("pop3", "pop3", ("--ssl-reqd",)),
        ("pop3s", "pop3s", ()),
    ):
        assert curl(*user("user0008"), *ca, *more, url(running, scheme, listener, "1")).endswith(MESSAGE)
    for scheme, listener, more in (
        ("imap", "imap", ("--ssl-reqd",)),
        ("imaps", "imaps", ()),
    ):
        assert curl(*user("user0008"), *ca, *more, url(running, scheme, listener, "INBOX;UID=1")).endswith(MESSAGE)


def test_over_quota_is_reported_to_the_sender(running):
    big = ("--mail-from", "user0002@example.test", "--mail-rcpt", address(small(1)), "-T", "-")
    said = curl(*big, url(running, "smtp", "smtp"), stdin=filler(80_000), fails=8)
    assert b"552 5.2.2" in said


def test_pop3_dele_by_curl(running):
    mail(running, "user0009")
    curl(*user("user0009"), "-X", "DELE", "-I", url(running, "pop3", "pop3", "1"))
    assert curl(*user("user0009"), url(running, "pop3", "pop3")).strip() == b""
