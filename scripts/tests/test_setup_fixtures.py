"""The set-ups of Dovecot that strangers run: what is special about each is there, and mail comes and goes on all of them."""
import imaplib
import json
import poplib

import pytest

from throwaways import PASSWORD, message, running
from tool import ENVIRONMENT, mailproof

SETUPS = ["dovecot-locking", "dovecot-deleted-flag", "dovecot-mbox", "dovecot-shared", "dovecot-lazy-expunge",
          "nginx-dovecot", "perdition-dovecot"]


@pytest.fixture(scope="module", params=SETUPS)
def setup(request):
    with running(request.param) as server:
        yield server


def only(*names):
    return pytest.mark.parametrize("setup", names, indirect=True, scope="module")


def test_mail_is_seen_over_both_protocols_and_no_password_is_taken_before_tls(setup):
    setup.deliver("user0003@example.test")
    for tls in ("starttls", "implicit"):
        session = setup.imap("user0003", tls)
        assert session.select("INBOX") == ("OK", [b"1"])
        session.logout()
        pop = setup.pop("user0003", tls)
        assert pop.stat()[0] == 1
        pop.quit()
    with pytest.raises(imaplib.IMAP4.error):
        setup.imap("user0003", "none")
    with pytest.raises(poplib.error_proto):
        setup.pop("user0003", "none")


@only("nginx-dovecot", "perdition-dovecot")
def test_a_proxy_announces_something_else_than_its_backend(setup):
    imap = imaplib.IMAP4_SSL("localhost", setup.port("imap", "implicit"), ssl_context=setup.context)
    before = imap.capabilities
    imap.login("user0004", "s3cret")
    assert b"QRESYNC" in imap.capability()[1][0] and "QRESYNC" not in before
    imap.logout()


@only("dovecot-locking")
def test_a_pop3_session_has_the_mailbox_for_itself_and_folders_lie_below_inbox(setup):
    first = setup.pop("user0005")
    with pytest.raises(poplib.error_proto, match="IN-USE"):
        setup.pop("user0005")
    first.quit()
    session = setup.imap("user0005")
    assert any(name.endswith(b' INBOX.Trash') for name in session.list()[1])
    assert session.create("Elsewhere")[0] == "NO"
    session.logout()


@only("dovecot-deleted-flag")
def test_what_pop3_deletes_stays_for_imap(setup):
    setup.deliver("user0006@example.test")
    pop = setup.pop("user0006")
    pop.dele(1), pop.quit()
    pop = setup.pop("user0006")
    assert pop.stat()[0] == 0
    pop.quit()
    session = setup.imap("user0006")
    assert session.select("INBOX") == ("OK", [b"1"])
    session.logout()


def played(setup, out, *what):
    ran = mailproof("run", *what, "--target", setup.target_file, "--out", out,
                    env={**ENVIRONMENT, "MAILPROOF_PASSWORD": PASSWORD})
    return ran, [one["verdict"] for one in json.loads((out / "run.json").read_text())["scenarios"]]


@only("dovecot-shared")
def test_what_everybody_sees_is_no_part_of_an_account(setup, tmp_path):
    session = setup.imap("user0007")
    assert session.select("Public/Board") == ("OK", [b"1"])
    assert session.append("Public/Board", "", None, message("everybody@example.test"))[0] == "NO"
    session.logout()
    ran, verdicts = played(setup, tmp_path, "mixed.pop-download-empties-the-phone", "sync.folders-and-moves-replicate")
    assert verdicts == ["pass"] * 2, ran.text
    asked = [line for log in (tmp_path / "wire").rglob("*.log")
             for line in log.read_text(errors="replace").splitlines() if " C: " in line]
    assert asked and not [line for line in asked if "Public" in line]


@only("dovecot-lazy-expunge")
def test_what_is_kept_after_expunge_is_said_and_accuses_nobody(setup, tmp_path):
    ran, verdicts = played(setup, tmp_path / "one", "mixed.imap-delete-during-pop-session")
    assert ran.status == 0 and verdicts == ["latitude"] and "removal/expunged-to-trash" in ran.out, ran.text
    # What one playing left there is taken away before the next one: it would fill the mailbox.
    ran, verdicts = played(setup, tmp_path / "more", "quota.copies-without-room-change-nothing", "--repeat", "3")
    assert ran.status == 0 and "fail" not in verdicts, ran.text


def test_where_no_password_is_taken_as_it_is_checks_log_in_by_scram(tmp_path):
    with running("dovecot-scram") as server:
        ran, verdicts = played(server, tmp_path, "pop3.1939-5", "pop3.1939-7.user-then-pass", "imap.9051-6.4.3")
        assert ran.status == 0 and not {"fail", "error", "inconclusive"} & set(verdicts), ran.text
        assert "pass" in verdicts
        assert "RFC 2449 section 6.2" in (tmp_path / "history.jsonl").read_text(), "USER is announced, and lets nobody in"
        said = "".join(log.read_text(errors="replace") for log in (tmp_path / "wire").rglob("*.log"))
        assert "AUTHENTICATE SCRAM-SHA-256" in said and "login0 LOGIN" not in said
