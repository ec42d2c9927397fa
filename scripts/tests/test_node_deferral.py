"""A hosting node whose Dovecot refuses only for a while when a mailbox is full (452): mail waits in the queue, comes
through when the limit is raised, and is given up with a bounce after seconds."""
import smtplib

import pytest

from test_node_fixtures import NODES, queued, reports
from throwaways import eventually, running


@pytest.fixture(scope="module")
def nodes():
    with running(NODES[0], MAILPROOF_TEMPFAIL="1") as exim, running(NODES[1], MAILPROOF_TEMPFAIL="1") as postfix:
        yield exim, postfix


def test_refused_for_a_while_mail_waits_for_space_and_is_given_up_in_seconds(nodes):
    for node in nodes:
        for user in ("small01", "small02"):
            with pytest.raises(smtplib.SMTPDataError, match="452"):
                for number in range(9):
                    node.deliver(f"{user}@example.test", number, 16384)
        node.send("small01@example.test", 61, 16384, sender="user0061@example.test")
        node.send("small02@example.test", 62, 16384, sender="user0061@example.test")
    for node in nodes:
        before = node.count("small02")
        assert queued(node)
        node.do("quota", "small02", 1 << 20)
        eventually(lambda: node.count("small02") == before + 1)
    for node in nodes:
        report, = eventually(lambda: reports(node, "user0061"), 30)
        assert report["Final-Recipient"].endswith("small01@example.test")
        assert "4.2.2" in report["Status"] + report["Diagnostic-Code"]
