"""Python's imaplib against the built-in server: a client that shares no code with it."""
import email
import imaplib
import re
import ssl

import pytest
from reference_server import MESSAGE, PASSWORD, filler, server, small


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with server(tls_dir=tmp_path_factory.mktemp("tls")) as listeners:
        yield listeners


def login(running, user, select="INBOX"):
    imap = imaplib.IMAP4(*running.imap, timeout=10)
    imap.login(user, PASSWORD)
    if select:
        imap.select(select)
    return imap


def ok(answer):
    status, data = answer
    assert status == "OK", answer
    return data


def append(imap, message=MESSAGE, flags="", mailbox="INBOX"):
    return ok(imap.append(mailbox, flags, None, message))


def uids(imap, *criteria):
    return ok(imap.uid("SEARCH", *(criteria or ("ALL",))))[0].split()


def joined(data):
    """imaplib cuts a response at its literals."""
    return b"".join(part if isinstance(part, bytes) else b"".join(part) for part in data)


def fetch_whole(imap, number):
    return ok(imap.fetch(number, "(UID RFC822.SIZE BODY.PEEK[])"))[0]


def test_capabilities(running):
    imap = login(running, "user0001", select=None)
    ok(imap.capability())
    words = ok(imap.capability())[0].decode().split()
    for word in ("IMAP4rev1", "IDLE", "UIDPLUS", "MOVE", "CONDSTORE", "QRESYNC", "ENABLE", "ESEARCH", "NAMESPACE", "QUOTA", "UNSELECT", "ID"):
        assert word in words, word
    imap.logout()


def test_append_gives_back_every_byte_and_a_uid(running):
    imap = login(running, "user0001")
    answer = append(imap, flags=r"(\Flagged)")[0]
    validity, uid = re.search(rb"\[APPENDUID (\d+) (\d+)\]", answer).groups()
    ok(imap.noop())
    assert imap.response("EXISTS")[1][-1] == b"1"
    head, body = fetch_whole(imap, "1")
    assert body == MESSAGE
    assert b"UID " + uid in head and b"RFC822.SIZE %d" % len(MESSAGE) in head
    assert imap.status("INBOX", "(UIDVALIDITY)")[1][0].endswith(b"(UIDVALIDITY %s)" % validity)
    flags = ok(imap.fetch("1", "(FLAGS)"))[0]
    assert rb"\Flagged" in flags and rb"\Seen" not in flags
    imap.logout()


def test_partial_sections_and_structure(running):
    imap = login(running, "user0002")
    append(imap)
    header, body = MESSAGE.split(b"\r\n\r\n", 1)
    assert ok(imap.fetch("1", "(BODY.PEEK[HEADER])"))[0][1] == header + b"\r\n\r\n"
    assert ok(imap.fetch("1", "(BODY.PEEK[TEXT]<10.20>)"))[0][1] == body[10:30]
    _, pdf = email.message_from_bytes(MESSAGE).get_payload()
    assert ok(imap.fetch("1", "(BODY.PEEK[2])"))[0][1].strip() == pdf.get_payload().encode().strip()
    fields = ok(imap.fetch("1", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))[0][1]
    assert fields.startswith(b"Subject: =?utf-8?Q?Rechnung") and fields.endswith(b"\r\n\r\n")
    structure = joined(ok(imap.fetch("1", "(BODYSTRUCTURE)")))
    assert b'"APPLICATION" "PDF"' in structure.upper() and b'"MIXED"' in structure.upper()
    envelope = joined(ok(imap.fetch("1", "(ENVELOPE)")))
    assert b"<invoice-77@example.test>" in envelope and b"Caroline =?utf-8?Q?Wei=C3=9F?=" in envelope
    imap.logout()


def test_store_expunge_and_what_another_session_sees(running):
    phone, laptop = login(running, "user0003"), login(running, "user0003")
    for number in range(4):
        append(phone, filler(1000, number))
    ok(laptop.noop())
    assert laptop.response("EXISTS")[1][-1] == b"4"
    ok(phone.store("2", "+FLAGS", r"(\Seen $Work)"))
    ok(laptop.noop())
    assert any(b"$Work" in line for line in laptop.response("FETCH")[1])
    kept = uids(phone)
    ok(phone.store("1,3", "+FLAGS.SILENT", r"(\Deleted)"))
    assert ok(phone.expunge()) == [b"1", b"2"]
    assert uids(phone) == [kept[1], kept[3]]
    ok(laptop.noop())
    assert sorted(laptop.response("EXPUNGE")[1]) in ([b"1", b"2"], [b"1", b"3"])
    assert uids(laptop) == [kept[1], kept[3]]
    phone.logout()
    laptop.logout()


def test_search(running):
    imap = login(running, "user0004")
    append(imap)
    append(imap, filler(5000, 7), flags=r"(\Seen)")
    assert len(uids(imap)) == 2
    assert uids(imap, "UNSEEN") == uids(imap)[:1]
    assert uids(imap, "SUBJECT", '"Quarterly"') == uids(imap)[1:]
    assert uids(imap, "LARGER", "4000") == uids(imap)[1:]
    assert uids(imap, "NOT", "SEEN", "HEADER", "Message-ID", '"invoice-77"') == uids(imap)[:1]
    assert uids(imap, "OR", "FROM", '"nobody"', "BODY", '"two dots"') == uids(imap)[:1]
    imap.logout()


def test_copy_and_move_say_where_it_went(running):
    imap = login(running, "user0005")
    ok(imap.create("Archive/2026"))
    append(imap, filler(700, 1))
    append(imap, filler(800, 2))
    ok(imap.uid("COPY", "1:*", "Archive/2026"))
    assert re.match(rb"\d+ \d+:\d+ \d+:\d+$", imap.response("COPYUID")[1][-1])
    ok(imap.uid("MOVE", uids(imap)[0].decode(), "Archive/2026"))
    assert len(uids(imap)) == 1
    assert b"MESSAGES 3" in ok(imap.status("Archive/2026", "(MESSAGES)"))[0]
    status, text = imap.uid("COPY", uids(imap)[0].decode(), "Nowhere")
    assert status == "NO" and b"[TRYCREATE]" in text[0]
    imap.logout()


def test_mailboxes(running):
    imap = login(running, "user0006", select=None)
    ok(imap.create("Projects"))
    ok(imap.subscribe("Projects"))
    assert any(b"Projects" in line for line in ok(imap.lsub()))
    ok(imap.rename("Projects", "Projekte"))
    names = b"\n".join(ok(imap.list()))
    assert b"Projekte" in names and b"Projects" not in names and b"INBOX" in names
    ok(imap.delete("Projekte"))
    assert imap.select("Projekte")[0] == "NO"
    assert b"NAMESPACE" in ok(imap.namespace())[0] or b'(("" ' in ok(imap.namespace())[0]
    imap.logout()


def test_quota_is_reported_enforced_and_freed(running):
    imap = login(running, small(3))
    message = filler(20_000)
    for _ in range(3):
        append(imap, message)
    roots, quotas = ok(imap.getquotaroot("INBOX"))
    assert any(re.search(rb"STORAGE (5[89]|60) 64", line) for line in quotas), quotas
    status, text = imap.append("INBOX", "", None, message)
    assert status == "NO" and b"[OVERQUOTA]" in text[0]
    ok(imap.store("1", "+FLAGS", r"(\Deleted)"))
    ok(imap.expunge())
    append(imap, message)
    imap.logout()


def test_idle_tells_of_new_mail(running):
    imap, other = login(running, "user0007"), login(running, "user0007")
    imap.send(b"a1 IDLE\r\n")
    assert imap.readline().startswith(b"+ ")
    append(other)
    while b"EXISTS" not in (line := imap.readline()):
        assert line, "the connection was closed"
    assert line == b"* 1 EXISTS\r\n"
    imap.send(b"DONE\r\n")
    while not (line := imap.readline()).startswith(b"a1 "):
        assert line, "the connection was closed"
    assert line.startswith(b"a1 OK")
    other.logout()
    imap.logout()


def test_authenticate(running):
    for mechanism, answer in (
        ("PLAIN", lambda challenge: b"\0user0008\0" + PASSWORD.encode()),
        ("LOGIN", iter([b"user0008", PASSWORD.encode()]).__next__),
    ):
        imap = imaplib.IMAP4(*running.imap, timeout=10)
        ok(imap.authenticate(mechanism, answer if mechanism == "PLAIN" else lambda challenge, give=answer: give()))
        assert imap.state == "AUTH"
        imap.logout()
    imap = imaplib.IMAP4(*running.imap, timeout=10)
    ok(imap.login_cram_md5("user0008", PASSWORD))
    imap.logout()
    imap = imaplib.IMAP4(*running.imap, timeout=10)
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        imap.login("user0008", "wrong")
    imap.logout()


def test_starttls_and_imaps(running):
    context = ssl.create_default_context(cafile=running.cert)
    imap = imaplib.IMAP4(*running.imap, timeout=10)
    ok(imap.starttls(context))
    assert "STARTTLS" not in imap.capabilities
    ok(imap.login("user0009", PASSWORD))
    imap.logout()
    imap = imaplib.IMAP4_SSL(*running.imaps, timeout=10, ssl_context=context)
    ok(imap.login("user0009", PASSWORD))
    imap.logout()


def test_enable_qresync_and_vanished(running):
    imap = login(running, "user0010")
    for number in range(3):
        append(imap, filler(600, number))
    modseq = int(imap.status("INBOX", "(HIGHESTMODSEQ)")[1][0].split()[-1].rstrip(b")"))
    validity = imap.status("INBOX", "(UIDVALIDITY)")[1][0].split()[-1].rstrip(b")").decode()
    ok(imap.store("2", "+FLAGS", r"(\Deleted)"))
    gone = uids(imap)[1]
    ok(imap.expunge())
    imap.logout()
    imap = login(running, "user0010", select=None)
    ok(imap.enable("QRESYNC"))
    ok(imap._simple_command("SELECT", "INBOX", f"(QRESYNC ({validity} {modseq}))"))
    assert imap.untagged_responses["VANISHED"] == [b"(EARLIER) " + gone]
    imap.state = "SELECTED"
    imap.logout()
