"""Other people's mail clients at the built-in server: imaplib, mbsync (isync), mutt and neomutt, curl. None of them shares code with it."""
import imaplib
import io
import mailbox
import re
import zlib

import pytest

import real_clients
from reference_server import MESSAGE, PASSWORD, filler, server


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with server(tls_dir=tmp_path_factory.mktemp("tls")) as listeners:
        yield listeners


def ok(answer):
    status, data = answer
    assert status == "OK", answer
    return data


@pytest.fixture()
def imap(running):
    """imaplib, logged in as `user` by imap(user)."""
    opened = []

    def login(user, mailbox_name="INBOX"):
        one = imaplib.IMAP4(*running.imap, timeout=10)
        opened.append(one)
        one.login(user, PASSWORD)
        if mailbox_name:
            ok(one.select(mailbox_name))
        return one

    yield login
    for one in opened:
        one.logout()


def contents(client):
    """What the selected mailbox holds: {UID: octets}."""
    client.noop()
    uids = ok(client.uid("SEARCH", "ALL"))[0].split()
    fetched = {uid: ok(client.uid("FETCH", uid, "(BODY.PEEK[])")) for uid in uids}
    return {uid: next(part[1] for part in parts if isinstance(part, tuple)) for uid, parts in fetched.items()}


def without_tuid(text):
    """mbsync writes a field into what it copies, by which it knows the copy again."""
    return re.sub(rb"(?m)^X-TUID: .*\r?\n", b"", text)


def subjects(client):
    return sorted(re.search(rb"(?m)^Subject: (.*?)\r$", text).group(1).decode() for text in contents(client).values())


def flags(client, uid):
    return imaplib.ParseFlags(ok(client.uid("FETCH", uid, "(FLAGS)"))[0])


# imaplib: what has come to the built-in server since test_server_imap.py, whose tests are of the rest.


def letter(subject, date, sender, message_id, references=""):
    head = f"From: {sender}\r\nTo: user0009@example.test\r\nSubject: {subject}\r\nDate: {date}\r\nMessage-ID: <{message_id}>\r\n"
    return (head + (f"References: {references}\r\n" if references else "") + "\r\nWords.\r\n").encode()


def test_imaplib_sorts_threads_and_uses_what_it_found(imap):
    client = imap("user0009")
    for message in (
        letter("beta", "Mon, 2 Mar 2026 10:00:00 +0000", "zoe@example.test", "1@x"),
        letter("alpha", "Sun, 1 Mar 2026 10:00:00 +0000", "ann@example.test", "2@x"),
        letter("Re: alpha", "Tue, 3 Mar 2026 10:00:00 +0000", "bob@example.test", "3@x", "<2@x>"),
    ):
        ok(client.append("INBOX", None, None, message))
    client.noop()
    assert ok(client.sort("(SUBJECT DATE)", "UTF-8", "ALL")) == [b"2 3 1"]
    assert ok(client.uid("SORT", "(REVERSE FROM)", "UTF-8", "ALL")) == [b"1 3 2"]
    assert ok(client.thread("REFERENCES", "UTF-8", "ALL")) == [b"(2 3)(1)"]
    assert ok(client.thread("ORDEREDSUBJECT", "UTF-8", "ALL")) == [b"(2 3)(1)"]
    ok(client.search(None, "RETURN (SAVE)", "SUBJECT", "alpha"))
    ok(client.store("$", "+FLAGS", r"(\Flagged)"))
    assert ok(client.search(None, "FLAGGED")) == [b"2 3"]
    with pytest.raises(imaplib.IMAP4.error):
        client.sort("(NONSENSE)", "UTF-8", "ALL")


class Deflated(io.RawIOBase):
    """A connection behind COMPRESS DEFLATE, as imaplib wants its socket and its file."""

    def __init__(self, sock, file):
        self.sock, self.file = sock, file
        self.deflate, self.inflate, self.left = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15), b""

    def sendall(self, octets):
        self.sock.sendall(self.deflate.compress(octets) + self.deflate.flush(zlib.Z_SYNC_FLUSH))

    def shutdown(self, how):
        self.sock.shutdown(how)

    def readable(self):
        return True

    def readinto(self, buffer):
        while not self.left:
            octets = self.file.read1(4096)
            if not octets:
                return 0
            self.left = self.inflate.decompress(octets)
        piece, self.left = self.left[: len(buffer)], self.left[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


def test_imaplib_compressed(imap):
    client = imap("user0010")
    ok(client.xatom("COMPRESS", "DEFLATE"))
    plain = client.sock
    client.sock = Deflated(client.sock, client.file)
    client.file = io.BufferedReader(client.sock)
    ok(client.append("INBOX", None, None, MESSAGE))
    ok(client.append("INBOX", None, None, filler(200_000)))
    assert list(contents(client).values()) == [MESSAGE, filler(200_000)]
    assert client.state == "SELECTED" and plain.fileno() != -1


def test_imaplib_enables_utf8():
    with server("--latitude", "imap.utf8-accept") as listeners:
        client = imaplib.IMAP4(*listeners.imap, timeout=10)
        client.login("user0001", PASSWORD)
        ok(client.enable("UTF8=ACCEPT"))
        ok(client.create('"Gr\u00fc\u00dfe"'))
        assert any("Gr\u00fc\u00dfe".encode() in row for row in ok(client.list()))
        client.logout()
        other = imaplib.IMAP4(*listeners.imap, timeout=10)
        other.login("user0001", PASSWORD)
        assert any(b'"Gr&APwA3w-e"' in row for row in ok(other.list())), "modified UTF-7 for who did not ask"
        other.logout()


# mbsync


class Synced(real_clients.Mbsync):
    def sync(self):
        said = self.look().stderr
        assert b"Warning" not in said and b"Error" not in said, said

    def box(self, name="INBOX"):
        return mailbox.Maildir(self.mail / name, create=False)

    def texts(self, name="INBOX"):
        """With the line ends of mail: a maildir has those of Unix."""
        box = self.box(name)
        return sorted(without_tuid(box.get_bytes(key)).replace(b"\n", b"\r\n") for key in box.keys())


@pytest.fixture()
def synced(running, tmp_path):
    return lambda user: Synced(tmp_path / "mbsync", running.ports, user=user, dates=True)


def test_mbsync_brings_every_byte_down_and_up(synced, imap):
    client = imap("user0001")
    for message in (MESSAGE, filler(40_000, 1), filler(700, 2)):
        ok(client.append("INBOX", None, None, message))
    local = synced("user0001")
    local.sync()
    assert local.texts() == sorted([MESSAGE, filler(40_000, 1), filler(700, 2)])
    written = filler(5_000, 3)
    local.box().add(mailbox.MaildirMessage(written.replace(b"\r\n", b"\n")))
    local.sync()
    assert written in map(without_tuid, contents(client).values())
    assert len(contents(client)) == 4
    local.sync()
    assert len(contents(client)) == 4 and len(local.texts()) == 4, "a second sync changes nothing"


def test_mbsync_carries_flags_and_deletions_in_both_directions(synced, imap):
    client = imap("user0002")
    for number in range(1, 5):
        ok(client.append("INBOX", None, None, filler(900, number)))
    local = synced("user0002")
    local.sync()
    one, two, three, four = contents(client)
    ok(client.uid("STORE", one, "+FLAGS", r"(\Deleted)"))
    ok(client.expunge())
    ok(client.uid("STORE", two, "+FLAGS", r"(\Flagged \Answered)"))
    box = local.box()
    keys = {re.search(rb"part (\d)", box.get_bytes(key)).group(1): key for key in box.keys()}
    box.remove(keys[b"3"])
    seen = box.get_message(keys[b"4"])
    seen.set_subdir("cur")
    seen.set_flags("S")
    box[keys[b"4"]] = seen
    local.sync()
    assert sorted(contents(client)) == [two, four]
    assert local.texts() == sorted([filler(900, 2), filler(900, 4)])
    assert rb"\Seen" in flags(client, four)
    assert {text.get_flags() for text in local.box()} == {"FR", "S"}


def test_mbsync_makes_and_fills_folders_on_both_sides(synced, imap):
    client = imap("user0003", None)
    ok(client.create("Projects"))
    ok(client.create("Projects/2026"))
    ok(client.append("Projects/2026", None, None, MESSAGE))
    local = synced("user0003")
    local.sync()
    assert local.texts("Projects/2026") == [MESSAGE]
    made = mailbox.Maildir(local.mail / "Receipts", create=True)
    made.add(mailbox.MaildirMessage(filler(600, 9).replace(b"\r\n", b"\n")))
    local.sync()
    ok(client.select("Receipts"))
    assert [without_tuid(text) for text in contents(client).values()] == [filler(600, 9)]


# mutt and neomutt


def mbox_texts(path):
    """What an mbox holds, without what mutt adds to it."""
    texts = []
    for one in mailbox.mbox(path):
        for added in ("Status", "X-Status", "Content-Length", "Lines"):
            del one[added]
        texts.append(one.as_bytes().replace(b"\n", b"\r\n"))
    return texts


@pytest.mark.parametrize("kind, user", [(real_clients.Mutt, "user0004"), (real_clients.Neomutt, "user0005")])
def test_mutt_reads_a_folder(running, imap, tmp_path, kind, user):
    client = imap(user)
    for message in (filler(900, 1), MESSAGE, filler(800, 2)):
        ok(client.append("INBOX", None, None, message))
    copy = tmp_path / "copy"
    keys = f"<tag-pattern>~A<enter><tag-prefix><copy-message><kill-line>{copy}<enter>"
    kind(tmp_path / "mutt", running.ports, user=user).look(keys)
    got = mbox_texts(copy)
    assert got[0] == filler(900, 1) and got[2] == filler(800, 2)
    assert b"..two dots\r\n.one dot\r\n...\r\n" in got[1] and len(got) == 3
    assert len(contents(client)) == 3, "a copy takes nothing away"


@pytest.mark.parametrize("kind, user", [(real_clients.Mutt, "user0006"), (real_clients.Neomutt, "user0007")])
def test_mutt_moves_flags_and_deletes(running, imap, tmp_path, kind, user):
    client = imap(user)
    ok(client.create("Archive"))
    for number in range(1, 5):
        ok(client.append("INBOX", None, None, filler(700, number)))
    keys = (
        '<limit>all<enter><search>~s \\"part 2\\"<enter><save-message><kill-line>+Archive<enter>'
        '<search>~s \\"part 3\\"<enter><delete-message><search>~s \\"part 4\\"<enter><flag-message><sync-mailbox>'
    )
    kind(tmp_path / "mutt", running.ports, user=user).look(keys)
    client.noop()
    assert subjects(client) == ["Quarterly report, part 1", "Quarterly report, part 4"]
    flagged = ok(client.uid("SEARCH", "FLAGGED"))[0].split()
    assert [contents(client)[uid] for uid in flagged] == [filler(700, 4)]
    ok(client.select("Archive"))
    assert list(contents(client).values()) == [filler(700, 2)]


# curl


def test_curl_appends_lists_flags_moves_and_searches(running, imap, tmp_path):
    curl = real_clients.Curl(tmp_path / "curl", running.ports, user="user0008").ask
    file = tmp_path / "message.eml"
    file.write_bytes(MESSAGE)
    curl("INBOX", "-T", str(file))
    assert curl("INBOX;MAILINDEX=1") == MESSAGE
    assert curl("INBOX;MAILINDEX=1;SECTION=1") == re.search(rb"8bit\r\n\r\n(.*?)\r\n--=_b1", MESSAGE, re.S).group(1)
    assert b'"Trash"' in curl("")
    curl("INBOX", "-X", r"STORE 1 +FLAGS.SILENT (\Flagged)")
    assert curl("INBOX?FLAGGED").split() == [b"*", b"SEARCH", b"1"]
    curl("INBOX", "-X", "MOVE 1 Trash")
    assert list(contents(imap("user0008", "Trash")).values()) == [MESSAGE]
    assert not contents(imap("user0008"))
