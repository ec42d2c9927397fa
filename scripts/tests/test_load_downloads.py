"""A load on a site that lets POP3 download a message once (RFC 1939 section 8): what went so is not lost."""
import pytest

from tool import mailproof

PLAN = """\
plan: once
title: customers that leave their mail on the server
accounts: 6
pace: 400
phases:
  - {steady: 10s}
mix: {outlook-pop-14days: 100%}
arrivals: {deliveries: 4/s, sizes: {4KiB: 100%}}
slo:
  - lost = 0
"""


@pytest.mark.parametrize("latitude, verdict, says", [("pop3.removes-downloaded", "latitude", "once/ledger/gone-after-download"),
                                                     ("pop3.expire-0", "pass", "removed-by-client")])
def test_what_was_downloaded_once_is_not_lost(tmp_path, latitude, verdict, says):
    (tmp_path / "once.yaml").write_text(PLAN)
    ran = mailproof("load", tmp_path / "once.yaml", "--sim", "--latitude", latitude, "--out", tmp_path / "run")
    assert ran.status == 0 and says in ran.out and " lost +" not in ran.out, ran.text
    assert f"{verdict}: 0 lost, 0 of 1 SLO lines missed" in ran.out


def test_strict_fails_for_a_latitude_in_every_file(tmp_path):
    (tmp_path / "once.yaml").write_text(PLAN)
    ran = mailproof("load", tmp_path / "once.yaml", "--sim", "--latitude", "pop3.removes-downloaded", "--strict", "--out", tmp_path / "run")
    assert ran.status == 1 and "once/ledger/gone-after-download  [fail]" in ran.out, ran.text
    assert "<failure" in (tmp_path / "run" / "junit.xml").read_text("utf-8")


def test_what_is_gone_and_was_not_downloaded_is_lost(tmp_path):
    (tmp_path / "once.yaml").write_text(PLAN)
    ran = mailproof("load", tmp_path / "once.yaml", "--sim", "--latitude", "pop3.removes-downloaded", "--defect",
                    "delivery.accepts-and-drops", "--out", tmp_path / "run")
    assert ran.status == 1 and "once/ledger/lost  [fail]" in ran.out, ran.text
