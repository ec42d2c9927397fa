"""Python's smtplib against the built-in server's SMTP and LMTP."""
import email
import poplib
import smtplib
import ssl
import time

import pytest
from reference_server import MESSAGE, PASSWORD, address, filler, server, small

SENDER = "user0002@example.test"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with server(tls_dir=tmp_path_factory.mktemp("tls")) as listeners:
        yield listeners


def maildrop(running, user, delete=False):
    """Every message in the maildrop, as bytes."""
    pop = poplib.POP3(*running.pop3, timeout=10)
    pop.user(user)
    pop.pass_(PASSWORD)
    count = pop.stat()[0]
    messages = [b"".join(line + b"\r\n" for line in pop.retr(n + 1)[1]) for n in range(count)]
    if delete:
        for number in range(count):
            pop.dele(number + 1)
    pop.quit()
    return messages


def test_ehlo_offers_what_it_can_do(running):
    with smtplib.SMTP(*running.smtp) as smtp:
        smtp.ehlo()
        for word in ("enhancedstatuscodes", "size", "pipelining", "8bitmime", "dsn", "starttls", "auth"):
            assert smtp.has_extn(word), word
        assert set(smtp.esmtp_features["auth"].split()) == {"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"}
        assert int(smtp.esmtp_features["size"]) > 1_000_000


def test_mail_arrives_with_its_trace_on_top(running):
    with smtplib.SMTP(*running.smtp) as smtp:
        assert smtp.sendmail(SENDER, ["user0001@example.test"], MESSAGE, ["BODY=8BITMIME"]) == {}
    (got,) = maildrop(running, "user0001")
    assert got.endswith(MESSAGE)
    trace = email.message_from_bytes(got)
    assert trace["Return-Path"] == "<user0002@example.test>"
    assert trace["Delivered-To"] == "user0001@example.test"
    assert "with ESMTP" in trace["Received"] and "for <user0001@example.test>" in trace["Received"]


def test_some_recipients_refused(running):
    with smtplib.SMTP(*running.smtp) as smtp:
        refused = smtp.sendmail(
            SENDER, ["user0003@example.test", "nobody@example.test", "someone@elsewhere.test"], MESSAGE, ["BODY=8BITMIME"]
        )
    assert refused["nobody@example.test"][0] == 550
    assert refused["nobody@example.test"][1].startswith(b"5.1.1 ")
    assert refused["someone@elsewhere.test"][0] == 550
    assert refused["someone@elsewhere.test"][1].startswith(b"5.7.1 ")
    assert len(maildrop(running, "user0003")) == 1


def test_too_large_by_declaration_and_by_content(running):
    with smtplib.SMTP(*running.smtp) as smtp:
        smtp.ehlo()
        limit = int(smtp.esmtp_features["size"])
        code, text = smtp.mail(SENDER, [f"SIZE={limit + 1}"])
        assert (code, text[:6]) == (552, b"5.3.4 ")


@pytest.mark.parametrize("mechanism", ["auth_plain", "auth_login", "auth_cram_md5"])
def test_auth(running, mechanism):
    for password, accepted in ((PASSWORD, True), ("wrong", False)):
        with smtplib.SMTP(*running.smtp) as smtp:
            smtp.ehlo()
            smtp.user, smtp.password = "user0004", password
            name = mechanism.removeprefix("auth_").replace("_", "-").upper()
            if accepted:
                assert smtp.auth(name, getattr(smtp, mechanism))[0] == 235
            else:
                with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
                    smtp.auth(name, getattr(smtp, mechanism))
                assert refused.value.smtp_code == 535
                assert refused.value.smtp_error.startswith(b"5.7.8 ")


def test_starttls(running):
    with smtplib.SMTP(*running.smtp) as smtp:
        smtp.starttls(context=ssl.create_default_context(cafile=running.cert))
        smtp.ehlo()
        assert not smtp.has_extn("starttls")
        assert smtp.sendmail(SENDER, ["user0005@example.test"], MESSAGE, ["BODY=8BITMIME"]) == {}
    (got,) = maildrop(running, "user0005")
    assert b"with ESMTPS" in got


def lmtp_deliver(running, recipients, message):
    """Replies to each RCPT, and after the final dot one reply for each accepted recipient (RFC 2033 section 4.2)."""
    with smtplib.LMTP(*running.lmtp) as lmtp:
        lmtp.ehlo_or_helo_if_needed()
        assert lmtp.mail(SENDER)[0] == 250
        rcpt = [lmtp.rcpt(recipient) for recipient in recipients]
        assert lmtp.docmd("DATA")[0] == 354
        lmtp.send(smtplib._quote_periods(message) + b".\r\n")
        final = [lmtp.getreply() for code, _ in rcpt if code == 250]
        assert lmtp.noop()[0] == 250
        return rcpt, final


def test_lmtp_answers_each_recipient_in_order(running):
    message = filler(60_000)
    rcpt, final = lmtp_deliver(running, [address(small(1))], message)
    assert [code for code, _ in final] == [250]
    rcpt, final = lmtp_deliver(
        running,
        ["user0006@example.test", address(small(1)), "nobody@example.test", "user0007@example.test"],
        message,
    )
    assert [code for code, _ in rcpt] == [250, 250, 550, 250]
    assert [code for code, _ in final] == [250, 552, 250]
    assert b"user0006" in final[0][1] and b"user0007" in final[2][1]
    assert final[1][1].startswith(b"5.2.2 ")
    assert [len(maildrop(running, user)) for user in ("user0006", small(1), "user0007")] == [1, 1, 1]


def test_lmtp_does_not_know_helo_or_ehlo(running):
    with smtplib.LMTP(*running.lmtp) as lmtp:
        assert lmtp.docmd("EHLO client.example.test")[0] == 500
        assert lmtp.docmd("HELO client.example.test")[0] == 500


def test_over_quota_is_refused_after_data_and_accepted_once_there_is_room(running):
    with smtplib.SMTP(*running.smtp) as smtp:
        sent = 0
        with pytest.raises(smtplib.SMTPDataError) as refused:
            for sent in range(20):
                smtp.sendmail(SENDER, [address(small(2))], filler(8192, sent))
        assert refused.value.smtp_code == 552
        assert refused.value.smtp_error.startswith(b"5.2.2 ")
        assert sent == 7
    assert len(maildrop(running, small(2), delete=True)) == 7
    with smtplib.SMTP(*running.smtp) as smtp:
        assert smtp.sendmail(SENDER, [address(small(2))], filler(8192, 99)) == {}
    assert len(maildrop(running, small(2))) == 1


def until(condition, seconds=20):
    """The first true value of condition(); the bounce is written by a queue with a delay of its own."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "never came true"
        time.sleep(0.1)
    return value


def test_over_quota_may_bounce_instead():
    with server("--latitude", "delivery.bounce-instead-of-refuse") as bouncing:
        with smtplib.SMTP(*bouncing.smtp) as smtp:
            assert smtp.sendmail(SENDER, [address(small(1))], filler(80_000)) == {}
        (report,) = until(lambda: maildrop(bouncing, "user0002"))
        assert maildrop(bouncing, small(1)) == []
        parsed = email.message_from_bytes(report)
        assert parsed["Return-Path"] == "<>"
        assert parsed.get_content_type() == "multipart/report"
        assert parsed.get_param("report-type") == "delivery-status"
        _, status, returned = parsed.get_payload()
        assert status.get_content_type() == "message/delivery-status"
        _, recipient = status.get_payload()
        assert recipient["Action"] == "failed"
        assert recipient["Status"] == "5.2.2"
        assert recipient["Final-Recipient"] == f"rfc822; {address(small(1))}"
        assert returned.get_content_type() in ("message/rfc822", "text/rfc822-headers")
        assert "report-0@example.test" in returned.as_string()


def test_over_quota_may_be_temporary():
    with server("--latitude", "delivery.quota-tempfail") as deferring:
        with smtplib.SMTP(*deferring.smtp) as smtp:
            with pytest.raises(smtplib.SMTPDataError) as refused:
                smtp.sendmail(SENDER, [address(small(1))], filler(80_000))
        assert refused.value.smtp_code == 452
        assert refused.value.smtp_error.startswith(b"4.2.2 ")
