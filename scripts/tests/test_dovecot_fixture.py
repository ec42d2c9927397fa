"""The throwaway Dovecot does what the stories need: every protocol and TLS flavour, limits of accounts and of customers
and their changes, pauses, kill, restart, reset, and five hundred sessions at once with mail announced promptly."""
import imaplib
import poplib
import smtplib
import time

import pytest

from throwaways import PASSWORD, running


@pytest.fixture(scope="module")
def dovecot():
    with running("dovecot") as server:
        yield server


def refusal(dovecot, to, size=8192):
    """What LMTP says to one more message, or None when it is accepted."""
    try:
        dovecot.deliver(to, size=size)
    except smtplib.SMTPDataError as refused:
        return refused.smtp_code, refused.smtp_error[:6]
    return None


FULL = (552, b"5.2.2 ")


def test_every_listener_takes_a_login_and_shows_its_certificate(dovecot):
    dovecot.deliver("user0003@example.test")
    for tls in ("starttls", "implicit"):
        session = dovecot.imap("user0003", tls)
        assert session.select()[1] == [b"1"]
        assert b".Gr=C3=BC=C3=9Fe" in session.fetch("1", "(BODY.PEEK[])")[1][0][1]
        session.logout()
    pop = dovecot.pop("user0003", "implicit")
    assert pop.stat()[0] == 1
    pop.quit()
    pop = dovecot.pop("user0003@example.test", "starttls")
    assert b".Gr=C3=BC=C3=9Fe" in pop.retr(1)[1]
    pop.dele(1)
    pop.quit()
    assert dovecot.count("user0003") == 0


def test_no_password_is_taken_before_tls(dovecot):
    with pytest.raises(imaplib.IMAP4.error, match="PRIVACYREQUIRED"):
        dovecot.imap("user0001", "none")
    with pytest.raises(poplib.error_proto, match="AUTH"):
        dovecot.pop("user0001", "none")


def test_a_wrong_password_is_refused_at_once(dovecot):
    """Dovecot holds up each of them for 2 s unless it is told not to; a busy machine does so now and then."""
    session = imaplib.IMAP4("127.0.0.1", dovecot.port("imap", "none"), timeout=30)
    times = []
    for _ in range(3):
        started = time.monotonic()
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            session.login("user0001", "wrong")
        times.append(time.monotonic() - started)
    assert min(times) < 2


def test_a_small_mailbox_refuses_and_takes_mail_again_after_expunge(dovecot):
    accepted = 0
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        for accepted in range(20):
            dovecot.deliver("small01@example.test", accepted, size=8192)
    assert refusal.value.smtp_code == 552 and refusal.value.smtp_error.startswith(b"5.2.2")
    assert accepted == 7  # eight times 8 KiB and its headers is more than 64 KiB, and no grace is given
    session = dovecot.imap("small01")
    session.select()
    assert b"STORAGE" in session.getquotaroot("INBOX")[1][1][0]
    session.store("1:4", "+FLAGS", r"(\Deleted)")
    session.expunge()
    session.logout()
    dovecot.deliver("small01@example.test", 99, size=8192)
    assert dovecot.count("small01") == accepted - 4 + 1


def test_a_new_limit_counts_for_the_very_next_delivery(dovecot):
    for _ in range(3):  # within one second: nothing may be remembered
        dovecot.do("quota", "user0006", 4096)
        assert refusal(dovecot, "user0006@example.test") == FULL
        dovecot.do("quota", "user0006@example.test", 1 << 20)
        assert refusal(dovecot, "user0006@example.test") is None
    session = dovecot.imap("user0006")
    assert b"1024)" in session.getquotaroot("INBOX")[1][1][0]  # in units of 1024 octets
    session.logout()
    dovecot.do("quota", "user0006", 1)
    assert refusal(dovecot, "user0006@example.test") == FULL
    dovecot.do("quota", "user0006", 0)
    assert refusal(dovecot, "user0006@example.test") is None


def test_a_customers_mailboxes_share_one_limit(dovecot):
    accepted = 0
    while (said := refusal(dovecot, "box1@c01.example.test")) is None:
        accepted += 1
    assert said == FULL and accepted == 14  # fifteen times 8 KiB and headers is more than 128 KiB
    assert refusal(dovecot, "box2@c01.example.test") == FULL
    assert refusal(dovecot, "box1@c02.example.test") is None  # another customer
    assert refusal(dovecot, "user0007@example.test") is None
    session = dovecot.imap("box3@c01.example.test")
    assert b"Customer (STORAGE 121 128)" in session.getquotaroot("INBOX")[1][1][0]
    session.logout()
    dovecot.remove("box1@c01.example.test", "1")
    assert refusal(dovecot, "box2@c01.example.test") is None
    assert refusal(dovecot, "box2@c01.example.test") == FULL
    dovecot.do("customer-quota", "c01", 256 * 1024)
    assert refusal(dovecot, "box2@c01.example.test") is None
    dovecot.do("customer-quota", "c01", 128 * 1024)
    assert refusal(dovecot, "box2@c01.example.test") == FULL
    dovecot.do("quota", "box4@c01.example.test", 1)
    dovecot.do("customer-quota", "c01", 0)
    assert refusal(dovecot, "box3@c01.example.test") is None
    assert refusal(dovecot, "box4@c01.example.test") == FULL  # its own
    dovecot.do("quota", "box4@c01.example.test", 0)


@pytest.mark.parametrize("arguments, words", [
    (("quota", "user9999", 1), "no account user9999@example.test"), (("customer-quota", "c99", 1), "no customer c99"),
    (("quota", "user0001", "-1"), "no number"), (("pause", "1e3"), "no number"),
    (("deliver", "user0001@example.test"), "by its own protocols")])
def test_what_it_cannot_do_it_says(dovecot, arguments, words):
    run = dovecot.run(*arguments, input="")
    assert run.returncode == 1 and words in run.stderr


def test_paused_it_stands_still_and_then_goes_on(dovecot):
    session = dovecot.imap("user0008")
    began = time.monotonic()
    dovecot.do("pause", 300)
    assert time.monotonic() - began >= 0.3
    assert session.noop()[0] == "OK"
    session.logout()


def test_killed_it_keeps_accepted_mail_and_its_ports(dovecot):
    dovecot.deliver("user0004@example.test")
    dovecot.do("kill")
    with pytest.raises(ConnectionRefusedError):
        dovecot.imap("user0004")
    dovecot.do("restart")
    assert dovecot.count("user0004") == 1


def test_reset_empties_every_mailbox_and_every_customer(dovecot):
    dovecot.deliver("user0005@example.test")
    while refusal(dovecot, "box1@c03.example.test", size=32768) is None:
        pass
    dovecot.do("reset")
    assert dovecot.count("user0005") == dovecot.count("box1@c03.example.test") == 0
    assert refusal(dovecot, "box1@c03.example.test", size=32768) is None


def test_three_hundred_idle_sessions_hear_of_new_mail_at_once(dovecot):
    sessions = {}
    for number in range(1, 301):
        session = sessions[number] = imaplib.IMAP4("127.0.0.1", dovecot.port("imap", "none"), timeout=30)
        session.login(f"user{number:04}", PASSWORD)
        session.select()
        session.send(b"x1 IDLE\r\n")
        assert session.readline().startswith(b"+")
    started = time.monotonic()
    for number in range(281, 301):
        dovecot.deliver(f"user{number:04}@example.test", number)
    for number in range(281, 301):
        while not sessions[number].readline().endswith(b" EXISTS\r\n"):
            pass
    # Dovecot looks every 0.5 s; a session without inotify, as beyond the first 128 with the kernel's default, after
    # 29 s.
    assert time.monotonic() - started < 20
    for session in sessions.values():
        session.shutdown()
