"""Extensions of the built-in server, asked for by Python's imaplib over a socket: a client that shares no code with it."""
import imaplib
import re

import pytest
from reference_server import MESSAGE, PASSWORD, server

imaplib.Commands.update({name: ("AUTH", "SELECTED") for name in ("GETMETADATA", "SETMETADATA", "REPLACE")})


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with server(tls_dir=tmp_path_factory.mktemp("tls")) as listeners:
        yield listeners


@pytest.fixture()
def login(running):
    opened = []

    def one(user):
        imap = imaplib.IMAP4(*running.imap, timeout=10)
        opened.append(imap)
        imap.login(user, PASSWORD)
        return imap
    yield one
    for imap in opened:
        imap.logout()


def ok(answer):
    status, data = answer
    assert status == "OK", answer
    return data


def test_a_mailbox_is_shared_and_taken_back(login):
    owner, other = login("user0001"), login("user0002")
    ok(owner.create("Shared"))
    ok(owner.append("Shared", None, None, MESSAGE))
    assert other.select('"Other Users/user0001/Shared"', readonly=True)[0] == "NO"
    ok(owner.setacl("Shared", "user0002", "lr"))
    assert ok(other.myrights('"Other Users/user0001/Shared"'))[0].endswith(b" lr")
    assert any(b"Other Users/user0001/Shared" in row for row in ok(other.list()))
    assert ok(other.select('"Other Users/user0001/Shared"', readonly=True)) == [b"1"]
    assert other.append('"Other Users/user0001/Shared"', None, None, MESSAGE)[0] == "NO"
    ok(owner.deleteacl("Shared", "user0002"))
    assert other.select('"Other Users/user0001/Shared"', readonly=True)[0] == "NO"


def test_list_tells_status_and_metadata_at_once(login):
    imap = login("user0003")
    ok(imap.create("Listed"))
    ok(imap.append("Listed", r"(\Seen)", None, MESSAGE))
    ok(imap._simple_command("SETMETADATA", "Listed", '(/private/comment "what it is")'))
    ok(imap._simple_command("LIST", '""', "Listed", "RETURN (STATUS (MESSAGES UNSEEN) METADATA (/private/comment))"))
    assert imap.response("LIST")[1] == [rb'(\HasNoChildren) "/" "Listed"']
    assert imap.response("STATUS")[1] == [b'"Listed" (MESSAGES 1 UNSEEN 0)']
    assert imap.response("METADATA")[1] == [b'"Listed" (/private/comment "what it is")']


def test_a_session_of_rev2_has_names_in_utf8_and_esearch(login):
    imap = login("user0004")
    ok(imap.create('"Gr&APwA3w-e"'))
    ok(imap.enable("IMAP4rev2"))
    ok(imap._simple_command("LIST", '""', '"Gr*"'))
    assert imap.response("LIST")[1] == ['(\\HasNoChildren) "/" "Grüße"'.encode()]
    ok(imap.select("INBOX"))
    assert imap.response("RECENT")[1] == [None]
    ok(imap._simple_command("SEARCH", "ALL"))
    assert re.match(rb'\(TAG "[^"]+"\)$', imap.response("ESEARCH")[1][0])
    assert imap.response("SEARCH")[1] == [None]


def test_a_message_is_replaced(login):
    imap = login("user0005")
    ok(imap.append("INBOX", None, None, MESSAGE))
    ok(imap.select("INBOX"))
    imap.literal = MESSAGE
    ok(imap._simple_command("REPLACE", "1", "INBOX", r"(\Draft)"))
    assert ok(imap.uid("SEARCH", "ALL")) == [b"2"]
    assert ok(imap.uid("SEARCH", "DRAFT")) == [b"2"]
