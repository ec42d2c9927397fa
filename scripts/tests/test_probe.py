"""`mailproof probe` says what a target offers and what would get in the way: against the built-in server, Dovecot,
servers that are bad, and one that counts connections and repeats passwords."""
import concurrent.futures
import contextlib
import json
import os
import re
import socket
import socketserver
import subprocess
import tempfile
import threading

import jsonschema
import pytest
import yaml

import tool
from reference_server import ROOT
from reference_server import server as serving
from throwaways import running

SCHEMA = json.loads((ROOT / "reports/probe.schema.json").read_text())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
DOVECOT_ENVIRONMENT = {**os.environ, "MAILPROOF_PASSWORD": "s3cret"}
CERTS = ROOT / "fixtures/certs"


def probe(*arguments, env=None, timeout=60):
    """The run, and what its JSON says, which is as the schema has it."""
    ran = tool.mailproof("probe", "--json", *arguments, env=env, timeout=timeout)
    assert ran.err == "", ran.text
    seen = json.loads(ran.out)
    VALIDATOR.validate(seen)
    assert seen["status"] == ran.status
    assert tool.PASSWORD not in ran.text
    return ran, seen


def by_flags(port, protocol="imap", host="127.0.0.1", *more):
    return [f"--{protocol}", f"{host}:{port}", "--user", "user0001", *more]


def endpoints(seen, protocol):
    return [one for one in seen["endpoints"] if one["protocol"] == protocol]


def hindrances(seen):
    return [one["text"] for one in seen["obstacles"] if one["hinders"]]


def test_the_schema_is_one_and_refuses():
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({"target": "x"})


def test_the_built_in_server():
    ran, seen = probe("--sockets")
    assert ran.status == 0 and hindrances(seen) == []
    assert [one["protocol"] for one in seen["endpoints"]] == [*["imap"] * 3, *["pop3"] * 3, "lmtp", *["smtp"] * 3]
    assert sorted(one["tls"] for one in endpoints(seen, "imap")) == ["implicit", "none", "starttls"]
    assert all(one["usable"] and one["greeting"] for one in seen["endpoints"])
    imap, pop3 = endpoints(seen, "imap")[0], endpoints(seen, "pop3")[0]
    assert "UIDPLUS" in imap["capabilities"]["after_login"] and "UIDL" in pop3["capabilities"]["after_login"]
    for one in (imap, pop3):
        assert one["connections"] == {"opened": 12, "logged_in": 12, "served": 12, "refusals": []}
        assert 0 < one["round_trip_ms"]["noop"] < 1000 and 0 < one["round_trip_ms"]["connect"] < 1000
    user, small, box = seen["accounts"]
    assert (user["login"], small["login"], box["login"]) == ("user0001", "small0001", "c01box1")
    assert user["imap"] == user["pop3"] == {"login": "ok", "messages": 0}
    assert small["promised_quota"] == 65536 and small["quotas"][0]["limit"] == 64


def test_text_for_people():
    ran = tool.mailproof("probe", "--sockets")
    assert ran.status == 0 and ran.err == ""
    for line in (r"^imap 127\.0\.0\.1:\d+ \(no TLS\)$", "^  connections    12 of 12 served at once$",
                 "^Nothing hinders a run.$", r"^  round trip     \d+\.\d\d ms to the greeting, \d+\.\d\d ms a NOOP$"):
        assert re.search(line, ran.out, re.MULTILINE), ran.out


@pytest.fixture(scope="module")
def dovecot():
    with running("dovecot") as server:
        yield server


@pytest.fixture
def empty(dovecot):
    yield dovecot
    dovecot.do("reset")


def test_dovecot(dovecot):
    ran, seen = probe("--target", dovecot.target_file, env=DOVECOT_ENVIRONMENT)
    assert ran.status == 0 and "s3cret" not in ran.text
    starttls, implicit, _ = endpoints(seen, "imap")
    assert "STARTTLS" in starttls["capabilities"]["before_tls"] and "before_tls" not in implicit["capabilities"]
    for one in [starttls, implicit] + endpoints(seen, "pop3")[:2]:
        assert one["usable"] and one["tls_session"]["version"] == "TLSv1.3"
        certificate = one["certificate"]
        assert certificate["verified"] and certificate["names"] == ["localhost", "127.0.0.1", "::1"]
        assert certificate["issuer"] == "mailproof test CA" and 20 <= certificate["days_left"] <= 25
        assert {"PLAIN", "LOGIN"} <= set(one["mechanisms"])
        assert one["connections"]["served"] == 12
    for one in (starttls, implicit):
        assert "QUOTA" in one["capabilities"]["after_login"] and "QUOTA" not in one["capabilities"]["after_tls"]
    assert "SASL PLAIN LOGIN" in endpoints(seen, "pop3")[0]["capabilities"]["after_tls"]
    small = seen["accounts"][1]
    assert small["login"] == "small01" and small["imap"]["login"] == small["pop3"]["login"] == "ok"
    assert small["quotas"] == [{"root": "User quota", "resource": "STORAGE", "used": 0, "limit": 64}]
    assert seen["obstacles"][-1]["text"] == "the target has no SMTP: stories with bounces do not apply"


def test_mail_that_is_not_ours_hinders_and_is_left_alone(empty):
    empty.deliver("user0001@example.test")
    ran, seen = probe("--target", empty.target_file, env=DOVECOT_ENVIRONMENT)
    assert ran.status == 1
    assert hindrances(seen) == ["INBOX of user0001 holds 1 message that is not ours: a run touches no such mailbox"]
    assert seen["accounts"][0]["mailboxes"] == [{"name": "INBOX", "messages": 1, "ours": 0}]
    session = empty.imap("user0001")
    session.select(readonly=True)
    flags = session.fetch("1", "(FLAGS)")[1][0]
    assert b"Seen" not in flags and b"Deleted" not in flags


def test_mail_of_an_earlier_run_does_not_hinder(empty):
    session = empty.imap("user0001")
    session.append("Archive", None, None, b"X-Mailproof: v1 run=1 n=1 seed=2 owner=a@example.test\r\nSubject: ours\r\n"
                   b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nours\r\n")
    session.logout()
    ran, seen = probe("--target", empty.target_file, env=DOVECOT_ENVIRONMENT)
    assert ran.status == 0
    assert seen["accounts"][0]["mailboxes"] == [{"name": "Archive", "messages": 1, "ours": 1}]


def test_a_wrong_password_is_said_and_tried_once_a_protocol(dovecot):
    log = next(dovecot.target_file.parent.rglob("dovecot.log"))
    before = log.read_text("utf-8", "replace").count("auth failed")
    ran, seen = probe("--target", dovecot.target_file)
    assert ran.status == 1
    said = hindrances(seen)
    assert said == [f"the login of {login} over {protocol}"
                    for login in ("user0001", "small01", "box1@c01.example.test") for protocol in (
                        "IMAP is refused: NO [AUTHENTICATIONFAILED] Authentication failed.",
                        "POP3 is refused: -ERR [AUTH] Authentication failed.")]
    assert all(one["usable"] and one["certificate"]["verified"] for one in endpoints(seen, "imap")[:2])
    assert "not_tried" in endpoints(seen, "imap")[0]["connections"]
    # The endpoint without TLS refuses a USER too, of whatever account: no password was sent there.
    tried = [line for line in log.read_text("utf-8", "replace").splitlines() if "auth failed" in line][before:]
    assert len([line for line in tried if ", TLS, " in line]) == 6, tried


def test_what_this_process_may_open_is_looked_at(dovecot):
    command = ["bash", "-c", 'ulimit -n 256; exec "$0" probe --target "$1"', tool.BINARY, dovecot.target_file]
    ran = subprocess.run(command, env=DOVECOT_ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0 and "this process may open 256 files" in ran.stdout


@pytest.mark.parametrize("first", [True, False])
def test_logins_that_are_refused_for_want_of_tls_say_nothing_about_the_account(dovecot, first, tmp_path):
    """Dovecot answers the USER of such a POP3 session -ERR [AUTH]: of the password it knows nothing."""
    target = yaml.safe_load(dovecot.target_file.read_text())
    for protocol in ("imap", "pop3"):
        target[protocol].sort(key=lambda endpoint: endpoint["tls"] == "none", reverse=first)
    file = tmp_path / "target.yaml"
    file.write_text(yaml.safe_dump(target))
    ran, seen = probe("--target", file, env=DOVECOT_ENVIRONMENT)
    assert ran.status == (1 if first else 0), ran.text
    said = [one["text"] for one in seen["obstacles"] if one["hinders"] == first]
    for protocol in ("imap", "pop3"):
        assert any(re.match(rf"{protocol} .* takes no login without TLS", one) for one in said), said
    assert all(one[protocol]["login"] == "ok" for one in seen["accounts"] for protocol in ("imap", "pop3"))
    plain = [one for one in seen["endpoints"] if one["tls"] == "none" and one["protocol"] in ("imap", "pop3")]
    assert len(plain) == 2 and not any(one["logged_in"] for one in plain)
    assert all("no login works here" in one["connections"]["not_tried"] for one in plain if one["usable"])


@pytest.mark.parametrize("protocol", ["imap", "pop3", "lmtp"])
@pytest.mark.parametrize("kind, says", [("silent", r"cannot be used: greeting: .*within 2s"),
                                        ("garbage", r"cannot be used: greeting: .*\\x17")])
def test_who_says_nothing_of_use(kind, says, protocol):
    with tool.bad_server(kind, protocol) as port:
        ran, seen = probe(*by_flags(port, protocol), "--patience", "0.2")
    assert ran.status == 3 and ran.seconds < 8
    assert re.search(rf"{protocol} 127\.0\.0\.1:{port} {says}", hindrances(seen)[0]), seen["obstacles"]


HOSTILE = ["endless-line", "endless-reply", "flood", "flood-ok", "trickle", "lies", "close-mid-literal",
           "starttls-injection"]


def test_every_wait_is_bounded():
    """A look that goes on, or a list that grows, would keep the operator waiting or fill the memory."""
    def play(case):
        kind, protocol = case
        with tool.bad_server(kind, protocol) as port:
            return case, probe(*by_flags(port, protocol), "--patience", "0.2")

    cases = [(kind, protocol) for kind in HOSTILE for protocol in ("imap", "pop3", "lmtp")]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for case, (ran, seen) in pool.map(play, cases):
            assert ran.status in (0, 1, 3) and ran.seconds < 30 and ran.peak_mb < 64, (case, ran.text)
            if case[0] == "endless-line":
                assert re.search("a line of more than|without an end", hindrances(seen)[0]), seen["obstacles"]
            if case == ("trickle", "lmtp"):
                assert "LHLO: no end of the reply within 2s" in hindrances(seen)[0]
            if case == ("lies", "pop3"):
                assert "holds 1000000000 messages" in hindrances(seen)[0]


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
@pytest.mark.parametrize("kind, trouble", [("expired", "has expired"), ("wronghost", "does not match host 127.0.0.1")])
def test_a_bad_certificate_is_described_and_nobody_logs_in(kind, trouble, protocol):
    subprocess.run([ROOT / "scripts/make-certs", CERTS], check=True)
    with tool.bad_server(kind, protocol, "--certs", CERTS, "--implicit-tls") as port:
        ran, seen = probe(*by_flags(port, protocol), "--tls", "implicit", "--ca", CERTS / "ca.pem")
    assert ran.status == 1
    one = seen["endpoints"][0]
    assert one["certificate"]["subject"] == f"mailproof {kind}" and one["certificate"]["trouble"] == trouble
    assert (one["certificate"]["days_left"] < 0) == (kind == "expired")
    assert f"certificate of 'mailproof {kind}' (names: " in hindrances(seen)[0] and trouble in hindrances(seen)[0]
    # What is offered behind it is seen all the same, without a login.
    assert one["capabilities"]["after_tls"] and "after_login" not in one["capabilities"]
    assert seen["accounts"][0][protocol]["login"] == "not-tried"


def test_one_that_is_silent_does_not_keep_the_others_from_being_looked_at(dovecot):
    text = dovecot.target_file.read_text()
    with tool.bad_server("silent") as port, tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "target.yaml")
        with open(target, "w") as file:
            silent = f"{{host: 127.0.0.1, port: {port}, tls: none}}"
            file.write(re.sub(r"^imap: \[", f"imap: [{silent}, ", text, flags=re.MULTILINE))
        ran, seen = probe("--target", target, "--patience", "0.2", env=DOVECOT_ENVIRONMENT)
    assert ran.status == 1
    assert [one["usable"] for one in seen["endpoints"]][:3] == [False, True, True]
    assert all(one["logged_in"] for one in seen["endpoints"] if one["tls"] != "none")
    assert [one for one in hindrances(seen) if str(port) not in one] == []
    assert seen["accounts"][0]["imap"]["login"] == "ok"


class Counting(socketserver.ThreadingTCPServer):
    """An IMAP server that serves so many connections at once, and with `echo` refuses every login by repeating it."""
    allow_reuse_address = daemon_threads = True

    def __init__(self, most, echo=False):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.most, self.echo, self.open, self.refused, self.worst, self.lock = most, echo, 0, 0, 0, threading.Lock()


class Conversation(socketserver.StreamRequestHandler):
    def handle(self):
        with self.server.lock:
            self.server.open += 1
            self.server.worst = max(self.server.worst, self.server.open)
            served = self.server.open <= self.server.most
            self.server.refused += not served
        try:
            if not served:
                return self.wfile.write(b"* BYE Too many connections from your address\r\n")
            self.wfile.write(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
            for line in self.rfile:
                tag, verb, *rest = line.split()
                if verb == b"LOGIN" and self.server.echo:
                    self.wfile.write(tag + b" NO cannot do " + b" ".join(rest) + b"\r\n")
                    continue
                if verb == b"LOGOUT":
                    return self.wfile.write(b"* BYE\r\n" + tag + b" OK done\r\n")
                if verb == b"CAPABILITY":
                    self.wfile.write(b"* CAPABILITY IMAP4rev1\r\n")
                if verb == b"STATUS":
                    self.wfile.write(b"* STATUS INBOX (MESSAGES 0)\r\n")
                self.wfile.write(tag + b" OK done\r\n")
        except OSError:
            pass  # the client went first
        finally:
            with self.server.lock:
                self.server.open -= 1


@contextlib.contextmanager
def counting(*arguments):
    with Counting(*arguments) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server, server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def test_a_limit_of_connections_is_met_and_told():
    with counting(5) as (server, port):
        ran, seen = probe(*by_flags(port))
    crowd = seen["endpoints"][0]["connections"]
    assert crowd["opened"] == 12 and crowd["served"] == 5 and len(crowd["refusals"]) == 1
    assert "Too many connections from your address" in crowd["refusals"][0]
    assert any("serves 5 of 12 connections at once" in one["text"] for one in seen["obstacles"])
    assert ran.status == 0 and server.worst <= 12


@pytest.mark.parametrize("allowed", [False, True])
def test_elsewhere_limits_are_tried_only_where_floods_are_allowed(allowed, tmp_path):
    """0.0.0.0 leads here, and is not written like a loopback address."""
    with counting(5) as (server, port):
        target = tmp_path / "target.yaml"
        target.write_text(f"target: elsewhere\nimap: [{{host: 0.0.0.0, port: {port}, tls: none}}]\n"
                          "accounts:\n  - {login: user0001, address: user0001@example.test, "
                          "password_env: MAILPROOF_PASSWORD}\n"
                          + ("allow: [floods]\n" if allowed else ""))
        ran, seen = probe("--target", target)
    assert ran.status == 0 and seen["accounts"][0]["imap"]["login"] == "ok"
    if allowed:
        assert seen["endpoints"][0]["connections"]["served"] == 5 and server.refused > 0
    else:
        assert "does not allow floods" in seen["endpoints"][0]["connections"]["not_tried"] and server.refused == 0


def test_a_password_that_the_server_repeats_is_not_printed():
    with counting(5, True) as (_, port):
        ran, seen = probe(*by_flags(port))
        text = tool.mailproof("probe", *by_flags(port)).out
    assert ran.status == 1 and "NO cannot do user0001 ***" in hindrances(seen)[0]
    assert tool.PASSWORD not in text and "***" in text


def test_a_login_that_is_refused_at_one_endpoint_alone_is_not_the_accounts_matter(tmp_path):
    with counting(20) as (_, good), counting(20, True) as (_, bad):
        target = tmp_path / "target.yaml"
        where = "".join(f"  - {{host: 127.0.0.1, port: {port}}}\n" for port in (good, bad))
        target.write_text(f"target: two\nimap:\n{where}accounts:\n"
                          "  - {login: user0001, address: user0001@example.test, password_env: MAILPROOF_PASSWORD}\n")
        ran, seen = probe("--target", target)
    assert ran.status == 0 and seen["accounts"][0]["imap"] == {"login": "ok", "messages": 0}
    first, second = seen["endpoints"]
    assert first["logged_in"] and not second["logged_in"] and not second["usable"]
    assert second["trouble"] == "the login of user0001 is refused: NO cannot do user0001 ***"


@pytest.mark.parametrize("right", [True, False])
def test_the_login_of_a_submission(right, tmp_path):
    with serving("--small", "0") as server:
        target = tmp_path / "target.yaml"
        # Without IMAP and POP3 nothing would be played, and that hinders.
        pop3 = f"pop3: [{{host: 127.0.0.1, port: {server.ports['pop3']}, tls: none}}]\n" if right else ""
        target.write_text(f"target: submission\nsmtp: [{{host: 127.0.0.1, port: {server.ports['smtp']}, auth: yes}}]\n{pop3}"
                          "accounts:\n  - {login: user0001, address: user0001@example.test, "
                          "password_env: MAILPROOF_PASSWORD}\n")
        ran, seen = probe("--target", target, env={**tool.ENVIRONMENT, "MAILPROOF_PASSWORD": "pass"} if right else None)
    if right:
        assert ran.status == 0 and hindrances(seen) == []
        assert [one["usable"] for one in seen["endpoints"] if one["protocol"] == "smtp"] == [True]
    else:
        assert ran.status == 1
        assert re.search(r"cannot be used: the login of user0001 is refused: 535 5\.7\.8 ", hindrances(seen)[0])


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    ran, seen = probe(*by_flags(port))
    assert ran.status == 3 and ran.seconds < 8 and not seen["endpoints"][0]["answered"]
    assert hindrances(seen)[0] == f"imap 127.0.0.1:{port} cannot be used: connect: connection refused"


@pytest.mark.parametrize("arguments, says", [((), "which server?"), (("--sim",), "sockets"),
                                             (("--sockets", "more"), "more"),
                                             (("--target", "/nonexistent.yaml"), "/nonexistent.yaml")])
def test_wrong_use(arguments, says):
    ran = tool.mailproof("probe", *arguments)
    assert ran.status == 2 and says in ran.err and ran.out == ""


# --- probe --behaviour

def behaviours(*arguments, **options):
    """The ways that the server goes, as a set of "topic.way"."""
    _, seen = probe("--behaviour", *arguments, **options)
    return {way["id"].removeprefix("behaviour."): way for topic in seen["behaviours"] for way in topic["ways"]}


def held(ways):
    return {name for name, way in ways.items() if way["is"] == "held"}


BUILT_IN = {"append-uids.by-one", "delete-parent.name-stays", "exists-told.any-command", "expunge-told.any-command", "expunge-told.uid-command",
            "fetch-expunged.text", "fetch-expunged.flags", "idle-told.at-once", "inbox-case.capitals", "inbox-children.made",
            "lsub-parent.shown", "pop3-list-after-dele.left-out", "pop3-retr.sets-nothing", "pop3-second-login.refused",
            "recent.first-session", "rename-inbox.moves-messages", "separator.slash", "store-expunged.no"}


@pytest.fixture(scope="module")
def built_in():
    return behaviours("--sim")


def test_every_topic_is_told_of_the_built_in_server(built_in):
    assert BUILT_IN <= held(built_in), sorted(BUILT_IN - held(built_in))
    topics = {name.split(".")[0] for name in built_in}
    assert topics == {path.stem for path in (ROOT / "scenarios/behaviour").glob("*.yaml") if not path.name.endswith(".wrong.yaml")}
    assert {way["is"] for way in built_in.values()} == {"held", "not-so"}
    assert all(way["text"] for way in built_in.values() if way["is"] == "not-so")
    # Ways exclude each other but in these two topics.
    for topic in topics - {"fetch-expunged", "expunge-told"}:
        assert len([name for name in held(built_in) if name.split(".")[0] == topic]) == 1, topic


@pytest.mark.parametrize("latitude, gone, come", [
    ("imap.nil-for-expunged", "fetch-expunged.text", "fetch-expunged.nil"),
    ("imap.expunge-waits-for-noop", "expunge-told.any-command", "expunge-told.noop"),
    ("pop3.snapshot-maildrop", "pop3-second-login.refused", "pop3-second-login.let-in"),
    ("pop3.retr-sets-seen", "pop3-retr.sets-nothing", "pop3-retr.sets-seen"),
])
def test_a_latitude_is_another_way(built_in, latitude, gone, come):
    ways = behaviours("--sim", "--latitude", latitude)
    assert gone in held(built_in) - held(ways) and come in held(ways) - held(built_in)


def test_behaviours_as_text_and_over_sockets(built_in):
    ran = tool.mailproof("probe", "--behaviour", "--sim")
    assert ran.status == 0 and ran.err == ""
    assert ran.out.startswith("sim: what it does where servers may differ\n\nappend-uids")
    assert "\nseparator             the hierarchy separator is a slash\n" in ran.out
    for name, way in built_in.items():
        assert (f"  {way['title']}\n" in ran.out) == (way["is"] == "held"), name
    ways = behaviours("--sockets", "--jobs", "8")
    assert held(ways) == held(built_in)


def test_dovecot_goes_other_ways():
    with running("dovecot") as server:
        ways = behaviours("--target", server.target_file, "--jobs", "8", env=DOVECOT_ENVIRONMENT)
    assert {"fetch-expunged.nil", "store-expunged.ok", "search-expunged.found", "pop3-second-login.let-in",
            "pop3-retr.sets-seen", "expunge-told.noop"} <= held(ways)
    assert {way["is"] for name, way in ways.items() if name.startswith("rename-inbox.")} == {"not-applicable"}  # others' mail may come in


def test_ways_are_proven_and_no_part_of_a_run():
    proofs = json.loads(tool.mailproof("prove", "--json", "scenarios/behaviour").out)
    assert len(proofs) == 53
    for proof in proofs:
        right = proof.get("right", proof["built_in"])
        assert proof["proven"] and right["verdict"] == "pass" and "note" not in right, proof["id"]
        assert all(trial["note"].startswith("not so (a MAY): ") for trial in proof["wrong"]), proof["id"]
    listed = json.loads(tool.mailproof("list", "--json").out)
    assert not [one["id"] for one in listed if one["id"].startswith("behaviour.")]
    assert "behaviour" not in tool.mailproof("list", "--coverage").out


def test_what_belongs_to_behaviours_wants_them():
    ran = tool.mailproof("probe", "--sockets", "--jobs", "2")
    assert ran.status == 2 and "--behaviour" in ran.text
    ran = tool.mailproof("probe", "--behaviour", "--sim", "--scenarios", "harness")
    assert ran.status == 2 and "harness/behaviour" in ran.text


def test_a_server_that_is_not_there_leaves_behaviours_unknown():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        ran, seen = probe("--behaviour", *by_flags(unused.getsockname()[1]), timeout=120)
    assert ran.status == 3
    assert {way["is"] for topic in seen["behaviours"] for way in topic["ways"]} <= {"unknown", "not-applicable"}
