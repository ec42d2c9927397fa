"""`load` figures that can be believed: nothing is counted as removed that no server confirmed, what clients remove is still seen to be
there twice, what was waited for in vain is slow, and what RFCs permit is no error."""
import json

import pytest
import yaml

import tool
from test_load_plan import closes, load, write


def removing(folder, profile, **changes):
    return write(folder, pace=100, mix={profile: "100%"}, slo=None, **changes)


def finding(stats, name):
    found = [one for one in stats["findings"] if one["id"].endswith(f"/ledger/{name}")]
    return found[0] if found else None


def test_all_of_what_is_delivered_twice_is_seen_though_its_owner_removes_it(tmp_path):
    _, stats = load(tmp_path, removing(tmp_path, "pop-delete"), "--sim", "--defect", "delivery.duplicate", status=1)
    removed = stats["ledger"]["fates"]["removed-by-client"]
    assert removed > 200 and finding(stats, "duplicated")["times"] == stats["ledger"]["accepted"], stats["ledger"]


def test_an_imap_client_that_expunges_has_seen_both(tmp_path):
    (tmp_path / "phone.yaml").write_text(yaml.safe_dump({
        "profile": "phone", "title": "a phone that removes all", "speaks": "imap", "connection": {"stays": True, "source": "a test"},
        "login": {"steps": [{"select": "INBOX"}], "source": "a test"}, "idle": {"source": "RFC 2177"},
        "news": {"steps": [{"fetch": "(UID BODY.PEEK[])", "of": "new"}], "source": "a test"},
        "delete": {"share": "100%", "after": "1s..2s", "how": "expunge", "source": "a test"}}), "utf-8")
    plan = removing(tmp_path, "phone.yaml")
    _, stats = load(tmp_path, plan, "--sim", "--defect", "delivery.duplicate", status=1)
    assert finding(stats, "duplicated")["times"] > 100, stats["ledger"]
    _, stats = load(tmp_path / "right", plan, "--sim")
    assert finding(stats, "duplicated") is None and stats["ledger"]["fates"]["removed-by-client"] > 50 and closes(stats["ledger"])


def test_what_is_gone_when_it_was_only_marked_is_not_removed_by_its_owner(tmp_path):
    plan = removing(tmp_path, "outlook-imap")
    text, stats = load(tmp_path, plan, "--sim", "--defect", "imap.logout-expunges")
    fates = stats["ledger"]["fates"]
    assert "removed-by-client" not in fates and fates["gone-when-marked"] > 20 and closes(stats["ledger"]), text
    assert finding(stats, "gone-when-marked")["severity"] == "latitude" and stats["verdict"] == "latitude"
    _, stats = load(tmp_path / "right", plan, "--sim")
    assert set(stats["ledger"]["fates"]) == {"present"} and stats["verdict"] == "pass"


@pytest.mark.parametrize("profiles", [{"thunderbird": "50%", "roundcube": "50%"}, {"outlook-imap": "50%", "thunderbird-android": "50%"}])
def test_a_soak_is_not_broken_off_by_an_autologout(profiles, tmp_path):
    """RFC 3501 section 5.4: half an hour of silence is enough for it."""
    plan = write(tmp_path, accounts=4, ramp=None, **{"for": None}, phases=[{"steady": "70m"}], pace=1, mix=profiles, slo=None,
                 arrivals={"deliveries": "0.05/s", "sizes": {"4KiB": "100%"}})
    text, stats = load(tmp_path, plan, "--sim")
    assert "imap.connection" not in stats["operations"] and "BROKEN OFF" not in text and stats["verdict"] == "pass", text


def test_a_connection_is_quick_however_long_its_mail_waited(tmp_path):
    plan = write(tmp_path, accounts=4, ramp=None, **{"for": None}, phases=[{"steady": "10s"}], pace=1, mix={"thunderbird": "100%"}, slo=None,
                 arrivals={"deliveries": "30/s", "sizes": {"4KiB": "100%"}, "connections": 1, "each_connection": 5})
    ran = tool.mailproof("load", plan, "--sim", "--serves", "100/s", "--out", tmp_path / "run")
    operations = json.loads((tmp_path / "run/stats.json").read_text("utf-8"))["operations"]
    deliver, connect = operations["lmtp.deliver"], operations["lmtp.connect"]
    assert deliver["response"]["p50_ns"] > 10**9 > 2 * connect["response"]["max_ns"], ran.text


def test_mail_of_the_last_moment_is_handed_over(tmp_path):
    plan = write(tmp_path, ramp=None, **{"for": None}, phases=[{"steady": "10s"}], slo=["unserved = 0"],
                 arrivals={"deliveries": "200/s", "sizes": {"4KiB": "100%"}, "connections": 2})
    _, stats = load(tmp_path, plan, "--sim")
    deliver = stats["operations"]["lmtp.deliver"]
    assert deliver["intended"] == deliver["ok"] == stats["ledger"]["sent"] and stats["slos"][0]["verdict"] == "pass"


def test_pop3_devices_keep_to_the_delay_between_logins(tmp_path):
    """RFC 2449 section 6.5; the latitude wants ten seconds."""
    plan = write(tmp_path, pace=100, mix={"pop-delete": "100%"}, **{"for": "40s"}, slo=["errors = 0%"])
    text, stats = load(tmp_path, plan, "--sim", "--latitude", "pop3.login-delay")
    assert stats["slos"][0]["verdict"] == "pass" and stats["plan"]["put_off"] > 20, text
    assert "POP3 announces LOGIN-DELAY 10: " in text and closes(stats["ledger"])


def test_the_measured_phase_has_a_table_of_its_own(tmp_path):
    text, stats = load(tmp_path, write(tmp_path, measure={"from": "5s", "for": "8s"}), "--sim")
    apart = text[text.index("of what was due from 5.000 s to 13.000 s alone, the measured phase:"):]
    done = next(line.split()[1] for line in apart.splitlines() if line.startswith("imap.fetch"))
    assert int(done) == stats["operations"]["imap.fetch"]["measured"]["ok"] < stats["operations"]["imap.fetch"]["ok"]
