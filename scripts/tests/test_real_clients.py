"""Mail clients that people use, at once on a mailbox, through `record`: in front of a real server and of the built-in one. What became of a
mail that fetchmail took is told by the proxy, by the server's own recording and by a capture of the packets; the three agree."""
import json
import pathlib
import re
import threading

import pytest

import throwaways
from reference_server import PASSWORD, Running, server
from real_clients import Curl, Fetchmail, Getmail, Mbsync, Mutt
from test_import import captured, events
from test_record import Recorder, findings
from tool import ENVIRONMENT, mailproof

TAKEN = "<3.fixture@example.test>"


def mail(number):
    return throwaways.message("user0001@example.test", number, 400 * number).replace(b"\n", b"\r\n")


def at_work(recorder, folder, password):
    """One user's clients in a day."""
    def client(kind, **options):
        return kind(folder / kind.program, recorder.ports, password=password, **options)

    for number in range(1, 7):
        recorder.deliver(mail(number))
    mbsync, fetchmail, getmail = client(Mbsync), client(Fetchmail, uidl=True), client(Getmail)
    mbsync.look()
    assert len(mbsync.messages()) == 6
    getmail.look()
    assert getmail.taken.read_bytes().count(b"Message-ID:") == 6
    client(Mutt).look("<first-entry><next-entry><delete-message><sync-mailbox>")
    assert b"fixture@example.test" in client(Curl).ask("INBOX;UID=1;SECTION=HEADER")
    # mbsync goes on, and fetchmail takes mail away beside it; then more comes in.
    failed = []

    def again_and_again():
        try:
            for _ in range(4):
                mbsync.look()
        except AssertionError as error:
            failed.append(error)

    beside = threading.Thread(target=again_and_again)
    beside.start()
    fetchmail.look(at_most=2)
    recorder.deliver(mail(7))
    beside.join()
    assert not failed, failed
    assert fetchmail.taken.read_bytes().count(b"Message-ID:") == 2
    # What mbsync's user deletes, mbsync deletes on the server.
    mbsync.look()
    mbsync.messages()[-1].unlink()
    mbsync.look()


def explained(run, message):
    ran = mailproof("explain", run, message, "--json")
    assert ran.status == 0, ran.text
    told = json.loads(ran.out)["messages"]
    assert len(told) == 1
    return told[0]


# Where a mail was heard, and in which file, is another place in each; so is the length of a login that is not in a rawlog. A rawlog knows the
# user by the folder's name, and does not know from which address he came: its devices and sessions have other names.
def comparable(one):
    def named(text):
        return re.sub(r"#\d+", "", text.replace("user0001@example.test", "user0001"))

    return {
        "verdict": one["verdict"], "marks": one["marks"], "nothing_left": one["nothing_left"], "size": one["size"],
        "accounts": [(named(end["account"]), end["became"], re.sub(r"[\d.]+ s\b", "T", named(end["asked"]))) for end in one["accounts"]],
        "local": [re.sub(r"at [\d.]+ s", "", named(local)) for local in one["local_copies"]],
        "life": [(line["word"], line["sure"], named(line["text"]), named(line.get("device", "")), line.get("protocol")) for line in one["life"]],
    }


@pytest.fixture(scope="module")
def three():
    """The run of the proxy, that of Dovecot's rawlogs and that of the capture, of the same sessions."""
    with throwaways.open_folder("rawlog", "rawlog/user0001", "rawlog/lmtp", "capture") as folder:
        with throwaways.running("dovecot", MAILPROOF_RAWLOG=str(folder / "rawlog")) as dovecot:
            for file in (folder / "rawlog/user0001").iterdir():
                file.unlink()  # of whoever looked whether it is up
            ports = {protocol: dovecot.port(protocol, "none") for protocol in ("imap", "pop3", "lmtp")}
            recorder = Recorder(Running(ports), folder / "proxy", "--all-clients", protocols=tuple(ports))
            recorder.password = throwaways.PASSWORD
            try:
                with captured(folder / "capture/all.pcap", recorder.ports.values()):
                    at_work(recorder, folder / "house", throwaways.PASSWORD)
                status, told = recorder.stop()
                assert status == 0, told
            finally:
                recorder.process.kill()
                recorder.process.wait()
                recorder.process.stdout.close(), recorder.process.stderr.close()
        for run, what in (("rawlog-run", (folder / "rawlog", "--by-directory")), ("capture-run", (folder / "capture/all.pcap",))):
            ran = mailproof("import", *what, "--all-clients", "--out", folder / run)
            assert ran.status == 0, ran.text
        yield {"proxy": folder / "proxy", "rawlog": folder / "rawlog-run", "capture": folder / "capture-run"}


def test_a_real_server_is_not_accused_whatever_clients_do(three):
    for name, run in three.items():
        assert findings(run) == [], name
    assert len(events(three["proxy"], what="deliver", type="ok")) == 7
    assert events(three["proxy"], what="quit", type="ok") and events(three["proxy"], what="expunge", type="ok")


def test_the_three_tell_the_same_of_a_mail_that_fetchmail_took(three):
    told = {name: explained(run, TAKEN) for name, run in three.items()}
    assert comparable(told["proxy"]) == comparable(told["capture"])
    assert comparable(told["proxy"]) == comparable(told["rawlog"])
    life = [line["word"] for line in told["proxy"]["life"]]
    assert life[:2] == ["sent", "accepted"] and {"visible", "downloaded", "asked", "confirmed"} <= set(life)
    taken = told["proxy"]["accounts"][0]
    assert taken["became"] == "removed by a client" and "over POP3" in taken["asked"] and "DELE, then QUIT" in taken["asked"]
    # When it happened is the same to a tenth of a second, each by the clock of whoever recorded.
    def times(name):
        at = [line["at"] for line in told[name]["life"]]
        return [one - at[0] for one in at]
    for name in ("rawlog", "capture"):
        assert times(name) == pytest.approx(times("proxy"), abs=0.1), name
    for name in told:
        assert told[name]["not_known"] == [], name


def test_all_of_them_tell_the_same_of_every_mail(three):
    for number in range(1, 8):
        told = {name: comparable(explained(run, f"<{number}.fixture@example.test>")) for name, run in three.items()}
        assert told["proxy"] == told["capture"], number
        assert told["proxy"] == told["rawlog"], number


def test_all_is_what_did_not_end_as_expected(three):
    for run in three.values():
        ran = mailproof("explain", run, "all")
        assert ran.status == 0 and "ended as expected" in ran.out, ran.text


def test_the_sessions_become_a_story_that_other_servers_pass(three, tmp_path):
    story = tmp_path / "day.yaml"
    source = pathlib.Path(three["rawlog"]).parent / "rawlog"
    ran = mailproof("import", source, "--by-directory", "--out", tmp_path / "run", "--as-scenario", story)
    assert ran.status == 0 and "the built-in server passes it" in ran.err, ran.text
    text = story.read_text("utf-8")
    assert "user0001" not in text and "Protokoll" not in text
    for step in ("mta:", "{deliver: mail", "phone", "expunge", "{download:", "quit", "over: pop3"):
        assert step in text, step
    assert mailproof("check", story).status == 0
    assert mailproof("run", story, "--sim", "--out", tmp_path / "again").status == 0
    bad = mailproof("run", story, "--sim", "--defect", "pop3.quit-deletes-nothing", "--out", tmp_path / "bad")
    assert bad.status == 1, bad.text
    with throwaways.running("dovecot") as dovecot:
        real = mailproof("run", story, "--target", dovecot.target_file, "--out", tmp_path / "real",
                         env={**ENVIRONMENT, "MAILPROOF_PASSWORD": throwaways.PASSWORD})
    assert real.status == 0, real.text


def test_the_built_in_server_serves_them_all(tmp_path):
    with server() as upstream:
        recorder = Recorder(upstream, tmp_path / "run", "--all-clients")
        try:
            at_work(recorder, tmp_path / "house", PASSWORD)
            status, told = recorder.stop()
        finally:
            recorder.process.kill()
            recorder.process.wait()
            recorder.process.stdout.close(), recorder.process.stderr.close()
    # Some of them compress: what is not heard the promise of all clients does not cover.
    assert status == 3 and findings(tmp_path / "run") == [] and "what follows COMPRESS is not read" in told, told
    one = explained(tmp_path / "run", TAKEN)
    assert one["verdict"] == "removed by a client" and "over POP3" in one["accounts"][0]["asked"]


def test_a_pop_server_that_deletes_nothing_is_found_with_fetchmail_alone(tmp_path):
    with server("--defect", "pop3.quit-deletes-nothing") as upstream:
        recorder = Recorder(upstream, tmp_path / "run", "--all-clients")
        try:
            for number in (1, 2):
                recorder.deliver(mail(number))
            fetchmail = Fetchmail(tmp_path / "fetchmail", recorder.ports, uidl=True)
            fetchmail.look()
            fetchmail.look()
            status, told = recorder.stop()
        finally:
            recorder.process.kill()
            recorder.process.wait()
            recorder.process.stdout.close(), recorder.process.stderr.close()
    assert status == 1 and any("/removal/" in one for one in findings(tmp_path / "run")), told
    every = mailproof("explain", tmp_path / "run", "all", "--html", tmp_path / "page.html")
    assert "not removed though asked for" in every.out, every.text
    page = (tmp_path / "page.html").read_text("utf-8")
    assert page.count('<path class="way"') == 2 and "not removed though asked for" in page


def test_what_a_recording_leaves_open_is_named_and_nobody_is_accused_of_it(tmp_path):
    """The same bug, heard without the session that shows it, or without the promise that nothing else was there."""
    with server("--defect", "pop3.quit-deletes-nothing") as upstream:
        recorder = Recorder(upstream, tmp_path / "run")
        try:
            phone = recorder.imap()
            phone.append("INBOX", None, None, mail(1))
            phone.select()
            phone.fetch("1", "(UID BODY.PEEK[HEADER])")
            Fetchmail(tmp_path / "fetchmail", upstream.ports, uidl=True).look()  # past the proxy
            phone.noop()
            phone.logout()
            status, told = recorder.stop()
        finally:
            recorder.process.kill()
            recorder.process.wait()
            recorder.process.stdout.close(), recorder.process.stderr.close()
    assert status == 0 and findings(tmp_path / "run") == [], told
    one = explained(tmp_path / "run", "<1.fixture@example.test>")
    assert one["verdict"] == "still there" and one["found"] == []
    assert [what for what in one["not_known"] if "not heard" in what]
