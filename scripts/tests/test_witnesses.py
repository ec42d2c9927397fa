"""Logs of servers and of programs are read beside recordings, as their owners write them: real servers and JavaMail make them here. What they
say is told in a message's life, attributes what is gone, and accuses nobody."""
import imaplib
import os
import pathlib
import re
import subprocess

import pytest

import throwaways
from reference_server import PASSWORD, server
from real_clients import needs
from test_import import events, messages
from test_real_clients import explained
from throwaways import eventually, open_folder, running
from tool import mailproof

# Java leaves a file of figures outside of every folder of ours unless it is told not to.
JAVA = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "JDK_JAVA_OPTIONS": "-XX:-UsePerfData"}
JARS = "/usr/share/java/javax.mail.jar:/usr/share/java/javax.activation.jar"


def logged(told):
    return [line["text"] for line in told["life"] if line["word"] == "logged"]


def imported(out, *what):
    ran = mailproof("import", *what, "--out", out)
    assert ran.status == 0, ran.text
    return out


def test_dovecots_mail_log_is_a_witness(tmp_path):
    with open_folder("user0001", "lmtp") as rawlogs:
        with running("dovecot", MAILPROOF_RAWLOG=str(rawlogs), MAILPROOF_MAIL_LOG="1") as dovecot:
            for number in (1, 2):
                dovecot.deliver("user0001@example.test", number)
            phone = dovecot.imap("user0001")
            phone.select()
            phone.uid("copy", "1", "Archive")
            phone.store("1", "+FLAGS", r"(\Deleted)")
            phone.expunge()
            phone.logout()
            desktop = dovecot.pop("user0001")
            desktop.uidl(), desktop.retr(1), desktop.dele(1)
            desktop.quit()
            theirs, log = dovecot.target_file.parent / "dovecot.log", tmp_path / "dovecot.log"
            eventually(lambda: "expunge: box=INBOX, uid=2" in theirs.read_text())  # another process writes it
            log.write_bytes(theirs.read_bytes())
        run = imported(tmp_path / "both", rawlogs / "user0001", "--user", "user0001", log)
    # The first message was never read, so that on the wire nobody knows which it is.
    first, second = explained(run, "<1.fixture@example.test>"), explained(run, "<2.fixture@example.test>")
    assert any("saved mail to INBOX" in text for text in logged(first))
    assert any("copy from INBOX: box=Archive" in text for text in logged(first))
    assert any("expunge: box=INBOX, uid=1" in text for text in logged(first))
    assert any(text.startswith("pop3(user0001") and "expunge: box=INBOX, uid=2" in text for text in logged(second))
    assert second["verdict"] == "removed by a client" and "over POP3" in second["accounts"][0]["asked"]
    # What the log says is not how it came there: of that the sessions say nothing.
    shown = mailproof("anonymise", run, "--out", tmp_path / "shown")
    assert shown.status == 0 and "user0001" not in (tmp_path / "shown/history.jsonl").read_text("utf-8"), shown.text
    alone = tmp_path / "alone"
    assert mailproof("import", log, "--out", alone).status == 3  # nobody was heard: nothing can be said
    assert [one["message_id"] for one in messages(alone)] == ["<1.fixture@example.test>", "<2.fixture@example.test>"]
    first, second = explained(alone, "<1.fixture@example.test>"), explained(alone, "<2.fixture@example.test>")
    assert first["verdict"] == "unknown", "a copy of it is in Archive, or was"
    assert second["verdict"] == "removed by a client (inferred from a log)" and second["accounts"][0]["sure"] == "inferred"
    said = second["accounts"][0]["logged"]
    assert said[0].startswith("Dovecot's log: saved in INBOX at ") and "by lmtp session " in said[0], said
    assert said[-1].startswith("Dovecot's log: expunged from INBOX at ") and "by pop3 session " in said[-1], said
    assert {event["code"] for event in events(alone, what="observed")} >= {"delivered", "copied", "marked", "expunged"}


@pytest.mark.parametrize("node, log, came", [("exim-dovecot", "mta/mainlog", r"exim: \S+ <= user0002@example\.test .* id=1\.fixture"),
                                            ("postfix-dovecot", "mta/mail.log", r"postfix/cleanup\[\d+\]: \w+: message-id=<1\.fixture")])
def test_an_mtas_log_tells_how_mail_came_and_what_came_back(node, log, came, tmp_path):
    with open_folder("user0001", "lmtp") as rawlogs:
        with running(node, MAILPROOF_RAWLOG=str(rawlogs), MAILPROOF_MAIL_LOG="1") as server_:
            state = server_.target_file.parent
            server_.send("user0001@example.test", 1)
            server_.send("small01@example.test", 9, 90000)
            eventually(lambda: "9.fixture" in (state / log).read_text() and re.search(r"552 5\.2\.2", (state / log).read_text()), 30)
            eventually(lambda: server_.count("user0001") == 1)
            desktop = server_.pop("user0001")
            desktop.uidl(), desktop.retr(1), desktop.dele(1)
            desktop.quit()
            eventually(lambda: "expunge: box=INBOX" in (state / f"{node}.log").read_text())
            (tmp_path / "mta.log").write_bytes((state / log).read_bytes())
            (tmp_path / "dovecot.log").write_bytes((state / f"{node}.log").read_bytes())
        run = imported(tmp_path / "run", rawlogs / "user0001", "--user", "user0001", tmp_path / "mta.log", tmp_path / "dovecot.log")
    first = explained(run, "<1.fixture@example.test>")
    said = logged(first)
    assert any(re.search(came, text) for text in said), said
    assert any("250 2.0.0" in text for text in said) and any("saved mail to INBOX" in text for text in said), said
    assert any("expunge: box=INBOX" in text for text in said)
    # Times of all of them are one time: it was accepted before it was taken.
    words = [line["word"] for line in first["life"]]
    assert words.index("logged") < words.index("downloaded") < words.index("confirmed")
    refused = explained(run, "<9.fixture@example.test>")
    assert any("5.2.2" in text for text in logged(refused)) and refused["verdict"] == "bounced (inferred from a log)"
    assert any("log: delivered to" in text and "250 2.0.0" in text for text in first["accounts"][0]["logged"]), first
    assert {event["code"] for event in events(run, what="observed")} >= {"accepted", "delivered", "bounced", "expunged"}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The folder of a program that uses JavaMail, compiled."""
    folder = tmp_path_factory.mktemp("javamail")
    source = pathlib.Path(__file__).parent / "JavaMailClient.java"
    subprocess.run([needs("ecj"), "-proc:none", "-source", "11", "-target", "11", "-cp", JARS, "-d", str(folder), str(source)],
                   check=True, env=JAVA)
    return folder


def debug_output(program, protocol, port, password):
    ran = subprocess.run([needs("java"), "-cp", f"{JARS}:{program}", "JavaMailClient", protocol, str(port), "user0001", password],
                         capture_output=True, text=True, timeout=120, env=JAVA)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_what_javamail_prints_is_a_recording(program, protocol, tmp_path):
    with running("dovecot") as dovecot:
        for number in (1, 2, 3):
            dovecot.deliver("user0001@example.test", number)
        text = debug_output(program, protocol, dovecot.port(protocol, "none"), throwaways.PASSWORD)
    (tmp_path / "debug.log").write_text(text)
    run = imported(tmp_path / "run", tmp_path / "debug.log", "--user", "user0001", "--strict", "--all-clients")
    assert {one["message_id"] for one in messages(run)} >= {f"<{number}.fixture@example.test>" for number in (1, 2, 3)}
    first = explained(run, "<1.fixture@example.test>")
    assert first["verdict"] == "removed by a client", first
    if protocol == "imap":
        assert events(run, what="append", type="ok") and events(run, what="copy", type="ok")
    else:
        assert "DELE, then QUIT" in first["accounts"][0]["asked"]
    assert not events(run, what="deviation")


def test_a_bug_shows_in_javamails_output_too(program, tmp_path):
    with server("--defect", "imap.size-huge") as upstream:
        phone = imaplib.IMAP4(*upstream.imap, timeout=30)
        phone.login("user0001", PASSWORD)
        for number in (1, 2, 3):
            phone.append("INBOX", None, None, throwaways.message("user0001@example.test", number).replace(b"\n", b"\r\n"))
        phone.create("Archive")
        phone.logout()
        text = debug_output(program, "imap", upstream.imap[1], PASSWORD)
    (tmp_path / "debug.log").write_text(text)
    ran = mailproof("import", tmp_path / "debug.log", "--out", tmp_path / "run")
    assert ran.status == 1 and "content/size-differs" in ran.text, ran.text


def test_what_thunderbird_and_mailkit_write_is_told_apart(tmp_path):
    """As their sources write it (nsImapProtocol::Log, ProtocolLogger)."""
    log = "2026-11-22 10:15:0{} UTC - [Parent 812: IMAP]: I/IMAP 7f9fdc166b00:mail.test:{}\r\n"
    lines = [(1, "A:CreateNewLineFromSocket: 2 OK Logged in"), (2, 'A:SendData: 5 select "INBOX"'),
             (2, "S-INBOX:CreateNewLineFromSocket: * 1 EXISTS"), (2, "S-INBOX:CreateNewLineFromSocket: * OK [UIDVALIDITY 7] x"),
             (2, "S-INBOX:CreateNewLineFromSocket: 5 OK [READ-WRITE] done"), (3, "S-INBOX:SendData: 6 UID fetch 1:* (FLAGS)"),
             (3, "S-INBOX:CreateNewLineFromSocket: * 1 FETCH (UID 4 FLAGS (\\Seen))"), (3, "S-INBOX:CreateNewLineFromSocket: 6 OK done")]
    (tmp_path / "imap.log").write_text("".join(log.format(f"{at}.104113", text) for at, text in lines), newline="")
    (tmp_path / "protocol.log").write_text(
        "Connected to imap://127.0.0.1:143/\r\nS: * OK ready\r\nC: A1 LOGIN alice ********\r\nS: A1 OK Logged in\r\nC: A2 SELECT INBOX\r\n"
        "S: * 1 EXISTS\r\nS: * OK [UIDVALIDITY 7] x\r\nS: A2 OK done\r\nC: A3 UID FETCH 4 (FLAGS)\r\nS: * 1 FETCH (UID 4 FLAGS (\\Seen))\r\n"
        "S: A3 OK done\r\n", newline="")
    run = imported(tmp_path / "run", tmp_path / "imap.log", "--user", "alice")
    assert events(run, what="row")[0]["uid"] == 4 and events(run, what="select", type="ok")
    run = imported(tmp_path / "run2", tmp_path / "protocol.log")
    assert events(run, what="row")[0]["uid"] == 4


def test_what_thunderbird_remembers_of_pop3_is_told(tmp_path):
    (tmp_path / "one.in").write_bytes(b"1795342502.2 UIDL\r\n".replace(b".2 ", b".200000 ") + b"1795342502.300000 RETR 1\r\n1795342502.400000 QUIT\r\n")
    (tmp_path / "one.out").write_bytes(
        b"1795342502.100000 +OK Logged in.\r\n1795342502.210000 +OK\r\n1795342502.210000 1 000000036b0c2bb5\r\n1795342502.210000 .\r\n"
        b"1795342502.310000 +OK\r\n1795342502.310000 Message-ID: <1@x>\r\n1795342502.310000 \r\n1795342502.310000 Hi\r\n1795342502.310000 .\r\n"
        b"1795342502.410000 +OK Bye\r\n")
    (tmp_path / "popstate.dat").write_text("# POP3 State File\n# This is a generated file!  Do not edit.\n\n*mail.example.test alice\n"
                                           "k 000000036b0c2bb5 1795342502\n")
    run = imported(tmp_path / "run", tmp_path / "one.in", "--user", "alice", tmp_path / "popstate.dat")
    told = explained(run, "<1@x>")
    assert any("taken, and left on the server; known since 2026-11-22" in text for text in logged(told))
    (tmp_path / "popstate.dat").write_text("*mail.example.test alice\nk 1 1\nx 2 3\n")
    wrong = mailproof("import", tmp_path / "popstate.dat", "--out", tmp_path / "wrong")
    assert wrong.status == 2 and "popstate.dat:3:1: expected" in wrong.err
