"""Python's poplib against the built-in server: a client that shares no code with it."""
import base64
import poplib
import smtplib
import ssl
import time

import pytest
from reference_server import MESSAGE, PASSWORD, filler, server


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with server(tls_dir=tmp_path_factory.mktemp("tls")) as listeners:
        yield listeners


def deliver(running, to, message=MESSAGE):
    with smtplib.SMTP(*running.smtp) as smtp:
        smtp.sendmail("user0002@example.test", [f"{to}@example.test"], message, ["BODY=8BITMIME"])


def login(running, user):
    pop = poplib.POP3(*running.pop3, timeout=10)
    pop.user(user)
    pop.pass_(PASSWORD)
    return pop


def content(lines):
    return b"".join(line + b"\r\n" for line in lines)


def sent_part(retrieved):
    """What was sent, without the trace fields that delivery puts on top (RFC 5321 section 4.4)."""
    return retrieved[retrieved.index(b"From: ") :]


def test_retr_gives_back_every_byte_and_list_counts_them(running):
    deliver(running, "user0001")
    pop = login(running, "user0001")
    count, octets = pop.stat()
    assert count == 1
    response, lines, _ = pop.retr(1)
    got = content(lines)
    assert sent_part(got) == MESSAGE
    assert got.startswith(b"Return-Path: <user0002@example.test>\r\n")
    assert len(got) == octets
    assert pop.list(1) == b"+OK 1 %d" % octets
    assert pop.list()[1] == [b"1 %d" % octets]
    pop.dele(1)
    pop.quit()


def test_top_is_header_blank_line_and_that_many_lines(running):
    deliver(running, "user0003")
    pop = login(running, "user0003")
    whole = content(pop.retr(1)[1])
    header, body = whole.split(b"\r\n\r\n", 1)
    for lines in (0, 1, 7, 8, 9, 10):
        expected = header + b"\r\n\r\n" + b"".join(body.splitlines(keepends=True)[:lines])
        assert content(pop.top(1, lines)[1]) == expected, lines
    assert content(pop.top(1, 10**6)[1]) == whole
    pop.quit()


def test_uidl_is_the_same_in_the_next_session_and_never_reused(running):
    for number in range(3):
        deliver(running, "user0004", filler(2000, number))
    first = login(running, "user0004")
    before = first.uidl()[1]
    assert len(set(line.split()[1] for line in before)) == 3
    assert first.uidl(2) == b"+OK " + before[1]
    first.dele(3)
    first.quit()
    deliver(running, "user0004", filler(2000, 3))
    second = login(running, "user0004")
    after = second.uidl()[1]
    assert after[:2] == before[:2]
    assert after[2].split()[1] not in {line.split()[1] for line in before}
    second.quit()


def test_dele_without_quit_removes_nothing(running):
    deliver(running, "user0005")
    dropped = login(running, "user0005")
    dropped.dele(1)
    assert dropped.stat() == (0, 0)
    with pytest.raises(poplib.error_proto):
        dropped.retr(1)
    dropped.close()
    again = login_when_free(running, "user0005")
    assert again.stat()[0] == 1
    again.quit()


def login_when_free(running, user, seconds=5):
    """The server learns of a dropped connection a moment after us."""
    end = time.monotonic() + seconds
    while True:
        try:
            return login(running, user)
        except poplib.error_proto as refused:
            if b"[IN-USE]" not in refused.args[0] or time.monotonic() > end:
                raise
            time.sleep(0.02)


def test_rset_takes_deletions_back_and_quit_carries_them_out(running):
    for number in range(3):
        deliver(running, "user0006", filler(3000, number))
    pop = login(running, "user0006")
    sizes = pop.list()[1]
    pop.dele(2)
    assert [line.split()[0] for line in pop.list()[1]] == [b"1", b"3"]
    pop.rset()
    assert pop.list()[1] == sizes
    pop.dele(1)
    pop.dele(3)
    kept = pop.uidl(2).split()[2]
    pop.quit()
    pop = login(running, "user0006")
    assert [line.split()[1] for line in pop.uidl()[1]] == [kept]
    pop.quit()


def test_the_maildrop_is_exclusive(running):
    first = login(running, "user0007")
    with pytest.raises(poplib.error_proto, match=r"\[IN-USE\]"):
        login(running, "user0007")
    first.quit()
    login(running, "user0007").quit()


def test_wrong_password_says_so_with_a_response_code(running):
    pop = poplib.POP3(*running.pop3, timeout=10)
    pop.user("user0008")
    with pytest.raises(poplib.error_proto, match=r"-ERR \[AUTH\]"):
        pop.pass_("wrong")
    pop.user("user0008")
    pop.pass_(PASSWORD)
    pop.quit()


def test_apop(running):
    pop = poplib.POP3(*running.pop3, timeout=10)
    assert pop.apop("user0009", PASSWORD).startswith(b"+OK")
    pop.quit()
    pop = poplib.POP3(*running.pop3, timeout=10)
    with pytest.raises(poplib.error_proto, match=r"\[AUTH\]"):
        pop.apop("user0009", "wrong")
    pop.quit()


def test_sasl_plain_with_and_without_an_initial_response(running):
    response = base64.b64encode(b"\0user0010\0" + PASSWORD.encode()).decode()
    pop = poplib.POP3(*running.pop3, timeout=10)
    assert pop._shortcmd("AUTH PLAIN " + response).startswith(b"+OK")
    pop.quit()
    pop = poplib.POP3(*running.pop3, timeout=10)
    pop._putcmd("AUTH PLAIN")
    assert pop._getline()[0] == b"+ "
    assert pop._shortcmd(response).startswith(b"+OK")
    pop.quit()


def test_capa(running):
    pop = poplib.POP3(*running.pop3, timeout=10)
    before = pop.capa()
    for word in ("USER", "TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE", "STLS", "SASL", "IMPLEMENTATION"):
        assert word in before
    assert before["EXPIRE"] == ["NEVER"]
    assert set(before["SASL"]) == {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"}
    pop.quit()


def test_pipelined_commands_are_answered_in_order(running):
    deliver(running, "user0011")
    pop = login(running, "user0011")
    pop.sock.sendall(b"STAT\r\nNOOP\r\nLIST 1\r\nUIDL 9\r\nRETR 1\r\nSTAT\r\n")
    replies = [pop._getline()[0][:4] for _ in range(4)]
    assert replies == [b"+OK ", b"+OK", b"+OK ", b"-ERR"] or replies == [b"+OK ", b"+OK ", b"+OK ", b"-ERR"]
    assert sent_part(content(pop._getlongresp()[1])) == MESSAGE
    assert pop._getline()[0].startswith(b"+OK 1 ")
    pop.quit()


def test_stls_and_pop3s(running):
    context = ssl.create_default_context(cafile=running.cert)
    pop = poplib.POP3(*running.pop3, timeout=10)
    pop.stls(context)
    assert "STLS" not in pop.capa()
    pop.user("user0012")
    pop.pass_(PASSWORD)
    pop.quit()
    pop = poplib.POP3_SSL(*running.pop3s, timeout=10, context=context)
    pop.user("user0012")
    pop.pass_(PASSWORD)
    pop.quit()
