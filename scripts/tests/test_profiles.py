"""Profiles of clients that Debian has are held to what the client itself sends: both are recorded against the built-in server by
`mailproof record`, in the same situations, and must come to the same commands, with arguments of the same shape, in the same order,
on as many connections. Not compared: times, tags, message numbers and UIDs, what an ID says, and what is sent ahead of an answer.

    python3 scripts/tests/test_profiles.py [PROFILE...]      prints both, side by side
"""
import concurrent.futures
import contextlib
import pathlib
import re
import smtplib
import socket
import socketserver
import sys
import tempfile
import threading
import time

import pytest
import yaml

import real_clients
import real_thunderbird
import tool
from reference_server import MESSAGE, PASSWORD, ROOT, Running, filler, server
from test_record import Recorder

CLIENTS = {
    "curl": real_clients.Curl, "fetchmail": real_clients.Fetchmail, "getmail": real_clients.Getmail, "mbsync": real_clients.Mbsync,
    "mutt": real_clients.Mutt, "neomutt": real_clients.Neomutt, "thunderbird": real_thunderbird.Thunderbird,
    "thunderbird-pop": real_thunderbird.ThunderbirdPop,
}
OPTIONS = {"mbsync": {"mailboxes": "INBOX", "deflate": False}}  # of who is not recorded as he is anyway
SITUATIONS = ("one message is there", "mail came", "nothing new", "one was read", "one was deleted")
IDENTITY = {"X-MAILPROOF", "MESSAGE-ID", "SUBJECT"}  # is added wherever header fields are fetched: scenarios/devices/README.md
SETTLED = 0.3  # seconds between situations, so that the clocks of two processes may differ


class Command:
    def __init__(self, at, text):
        self.at, self.shape = at, shape(text)

    def __repr__(self):
        return self.shape


def shape(text):
    """A command without its tag, with # for numbers of messages; case, quotes and the order of header fields do not matter."""
    words = text.split(" ")
    if re.fullmatch(r"[A-Za-z]?\d+", words[0]):
        words = words[1:]
    line = " ".join(words).strip().upper()
    line = re.sub(r'"([^" ]+)"', r"\1", line)
    if line.startswith("ID "):
        return "ID"
    line = re.sub(r"HEADER\.FIELDS \(([^)]*)\)",
                  lambda found: f"HEADER.FIELDS ({' '.join(sorted(set(found.group(1).split()) - IDENTITY))})", line)
    line = re.sub(r"^(UID FETCH|FETCH|UID STORE|STORE|UID MOVE|UID COPY|UID EXPUNGE) [\d:,*]+", r"\1 #", line)
    line = re.sub(r"^(RETR|TOP|DELE|LIST|UIDL) \d+", r"\1 #", line)
    return re.sub(r"^(USER|AUTH\S*|PASS)( .*)?$", lambda found: found.group().rstrip(), line)


def connections(run, protocol):
    """Of each connection what the client sent, in the order in which they were opened."""
    out = []
    for path in sorted(pathlib.Path(run).glob(f"wire/*/*-{protocol}.log")):
        commands = []
        for line in path.read_text("utf-8", "replace").splitlines():
            found = re.match(r"([\d.]+) C: (.*)", line)
            if found and found.group(2) not in ("***", "DONE"):
                commands.append(Command(float(found.group(1)), found.group(2)))
        if commands:
            out.append(commands)
    return out


def divided(talks, marks):
    """Situation -> the talks in it: of each connection what was sent between its mark and the next."""
    out = {}
    ends = [at for _, at in marks[1:]] + [float("inf")]
    for (name, begin), end in zip(marks, ends):
        parts = [[command.shape for command in talk if begin <= command.at < end] for talk in talks]
        out[name] = [part for part in parts if part]
    return out


def deliver(upstream, *messages):
    with smtplib.LMTP(*upstream.lmtp) as lmtp:
        for message in messages:
            lmtp.sendmail("user0002@example.test", ["user0001@example.test"], message)


class Traffic:
    """What passes, so that one can wait until a client that acts by itself has done what it does."""
    QUIET = 2.0  # seconds without an octet

    def __init__(self):
        self.octets, self.last = 0, time.monotonic()

    def passed(self, octets):
        self.octets, self.last = self.octets + octets, time.monotonic()

    def settles(self, since):
        """Something came after there had been `since` octets, and then nothing for a while."""
        bound = time.monotonic() + real_clients.PATIENCE
        while self.octets == since or time.monotonic() - self.last < self.QUIET:
            assert time.monotonic() < bound, f"{self.octets - since} octets passed, and it did not become quiet"
            time.sleep(0.05)


class Modest(socketserver.StreamRequestHandler):
    """Of the built-in server's IMAP what a server without ACL and LIST-EXTENDED says: what clients ask of who has them, no profile plays."""

    def handle(self):
        with contextlib.suppress(OSError), socket.create_connection(self.server.behind) as behind:
            answers = threading.Thread(target=self.answer, args=(behind,))
            answers.start()
            while octets := self.request.recv(65536):
                self.server.traffic.passed(len(octets))
                behind.sendall(octets)
            behind.shutdown(socket.SHUT_WR)
            answers.join()

    def answer(self, behind):
        with contextlib.suppress(OSError):
            for line in behind.makefile("rb"):
                if b"CAPABILITY" in line:
                    line = re.sub(rb" (ACL|RIGHTS=\w+|LIST-EXTENDED)(?=[ \]\r])", b"", line)
                elif line.startswith(b"* NAMESPACE "):
                    line = b'* NAMESPACE (("" "/")) NIL NIL\r\n'
                self.server.traffic.passed(len(line))
                self.request.sendall(line)
            self.request.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def door(behind, traffic):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Modest) as one:
        one.behind, one.traffic, one.daemon_threads = behind, traffic, True
        threading.Thread(target=one.serve_forever, args=(0.05,)).start()
        try:
            yield one.server_address[1]
        finally:
            one.shutdown()


@contextlib.contextmanager
def modest():
    traffic = Traffic()
    with server() as upstream, door(upstream.imap, traffic) as imap, door(upstream.pop3, traffic) as pop3:
        running = Running({**upstream.ports, "imap": imap, "pop3": pop3})
        running.traffic = traffic
        yield running


@contextlib.contextmanager
def recorder(folder, *protocols):
    with modest() as upstream:
        proxy = Recorder(upstream, folder / "run", protocols=protocols)
        proxy.began = time.monotonic()
        try:
            yield upstream, proxy
        finally:
            proxy.stop()
            proxy.process.stdout.close(), proxy.process.stderr.close()


def ask_the_client(name, folder):
    """What the real client sends."""
    kind, marks = CLIENTS[name], []
    with recorder(folder, "imap", "pop3", "smtp") as (upstream, proxy):
        options = {"traffic": upstream.traffic} if issubclass(kind, real_thunderbird.Thunderbird) else OPTIONS.get(name, {})
        client = kind(folder / "home", proxy.ports, **options)

        def situation(number, do):
            time.sleep(SETTLED)
            marks.append((number if number is None else SITUATIONS[number], time.monotonic() - proxy.began - SETTLED / 2))
            do()

        try:
            deliver(upstream, filler(1500, 1))
            situation(0, client.morning)
            situation(None, client.settle)
            situation(1, lambda: (deliver(upstream, *(MESSAGE, filler(2000, 2))[:kind.news]), client.await_news()))
            situation(2, client.look)
            for number, act in ((3, client.read), (4, client.delete)):
                if act is not None:
                    situation(number, act)
            time.sleep(SETTLED)
        finally:
            client.close()
    out = divided(connections(folder / "run", kind.protocol), marks)
    out.pop(None)
    return out


POLL, COMES = 2.0, 0.5  # seconds: between polls; until the customer comes
NEVER = "0.0001%"


def sped_up(profile, acts):
    """The profile as it is, but for when: a poll every two seconds; where its user `acts`, a message that was there at the first is
    read by the third and deleted by the fourth."""
    poll = {key: value for key, value in profile["poll"].items() if key != "jitter"}
    profile = {**profile, "poll": {**poll, "every": f"{POLL * 1000:.0f}ms"}}
    for section, after in (("read", POLL * 1.3), ("delete", POLL)):
        if section not in profile:
            continue
        always = profile[section]["share"] == "100%"
        profile[section] = {**profile[section], "share": "100%" if acts or always else NEVER,
                            "after": "10ms" if always else f"{after * 1000:.0f}ms"}
    return profile


def play(name, folder, acts, polls):
    """What a customer with this profile sends, who comes when one message is there, and when that began."""
    kind = CLIENTS[name]
    folder.mkdir(parents=True)
    profile = yaml.safe_load((ROOT / f"scenarios/devices/{name}.yaml").read_text("utf-8"))
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(sped_up(profile, acts), sort_keys=False), "utf-8")
    news = COMES + POLL / 2
    (folder / "times").write_text("0.05\n" + ("" if acts else f"{news}\n" * kind.news), "utf-8")
    plan = {"plan": "one-customer", "accounts": 1, "ramp": f"{COMES * 2000:.0f}ms",
            "for": f"{(polls - 0.5) * POLL * 1000 - COMES * 1000:.0f}ms", "mix": {str(folder / f"{name}.yaml"): "100%"},
            "arrivals": {"recorded": str(folder / "times"), "sizes": "small"}}
    (folder / "plan.yaml").write_text(yaml.safe_dump(plan, sort_keys=False), "utf-8")
    with recorder(folder, "imap", "pop3") as (upstream, proxy):
        target = {"target": "recorded", "imap": [{"port": proxy.ports["imap"]}], "pop3": [{"port": proxy.ports["pop3"]}],
                  "lmtp": [{"port": upstream.lmtp[1]}], "settle": "2s",
                  "accounts": [{"login": "user0001", "address": "user0001@example.test", "password_env": "MAILPROOF_PASSWORD"}]}
        (folder / "target.yaml").write_text(yaml.safe_dump(target), "utf-8")
        ran = tool.mailproof("load", folder / "plan.yaml", "--target", folder / "target.yaml", "--i-own-these-mailboxes",
                             "--out", folder / "load", env={**tool.ENVIRONMENT, "MAILPROOF_PASSWORD": PASSWORD})
    assert ran.status == 0, ran.text
    talks = connections(folder / "run", kind.protocol)
    if kind.protocol == "imap":  # the look into the mailbox before the load, and the one after it
        assert "EXAMINE INBOX" in map(str, talks[0]) and "EXAMINE INBOX" in map(str, talks[-1])
        talks = talks[1:-1]
    return talks, min(talk[0].at for talk in talks) - 0.1


def ask_the_profile(name, folder):
    """The same situations as a customer meets them: the user's in a play of their own."""
    kind = CLIENTS[name]
    talks, began = play(name, folder / "looks", False, 3)
    listens = kind.news == 1  # it is told; the poll comes afterwards
    marks = [(0, 0), (1, POLL * 0.4), (2, POLL * (0.85 if listens else 1.5)), (None, POLL * (1.4 if listens else 2.45))]
    out = divided(talks, [(number if number is None else SITUATIONS[number], began + at) for number, at in marks])
    if kind.read is not None:
        talks, began = play(name, folder / "acts", True, 4)
        marks = [(None, 0), (3, POLL * (1.15 if listens else 1.5)), (4, POLL * (2.15 if listens else 2.5)), (None, POLL * 3.4)]
        out.update(divided(talks, [(number if number is None else SITUATIONS[number], began + at) for number, at in marks]))
    out.pop(None)
    return out


def once_each(talks):
    """Every command of a user once, in the order of the first: how many messages somebody reads is not the client's."""
    return [list(dict.fromkeys(command for command in talk)) for talk in talks]


CHANGES = ("UID STORE", "UID MOVE", "UID COPY", "EXPUNGE", "UID EXPUNGE", "UID FETCH # BODY", "UID FETCH # (UID BODY.PEEK[])")


def comparable(name, said):
    """What is compared of what was said; what is left out stands in scenarios/devices/README.md."""
    stays = name == "thunderbird"
    out = {}
    for situation, talks in said.items():
        acts = situation in SITUATIONS[3:]
        if stays:
            # Its synchronisation of other folders is not played; NAMESPACE is asked by whichever connection is the first, and by ours
            # wherever Trash is used, which CREATE makes.
            talks = [talk for talk in talks if not any(re.match(r'SELECT (?!INBOX)', command) for command in talk)]
            talks = [[command for command in talk if not command.startswith(("STATUS", "CREATE", "IDLE", "NAMESPACE"))] for talk in talks]
            if acts:
                talks = [[command for command in talk if command.startswith(CHANGES)] for talk in talks]
            talks = sorted(filter(None, talks))
        out[situation] = once_each(talks) if acts else talks
    return out


AT_ONCE = 8  # they wait most of the time


@contextlib.contextmanager
def asked(names, folder):
    """Name -> what its client and its profile say, as they come: all are asked side by side, the slowest first."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        said = {}
        for name in sorted(names, key=lambda name: name.startswith("thunderbird"), reverse=True):
            said[name] = [pool.submit(ask, name, folder / name / who) for who, ask in (("client", ask_the_client), ("profile", ask_the_profile))]
        try:
            yield lambda name: [comparable(name, one.result()) for one in said[name]]
        finally:
            pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="module")
def both(request, tmp_path_factory):
    wanted = [item.callspec.params["name"] for item in request.session.items if item.module is request.module and hasattr(item, "callspec")]
    with asked(wanted, tmp_path_factory.mktemp("profiles")) as both:
        yield both


@pytest.mark.parametrize("name", CLIENTS)
def test_a_profile_sends_what_its_client_sends(name, both):
    client, profile = both(name)
    assert profile == client


def test_the_version_that_a_profile_names_is_the_one_that_is_here(tmp_path):
    for name, kind in CLIENTS.items():
        version = kind.version(tmp_path)
        text = (ROOT / f"scenarios/devices/{name}.yaml").read_text("utf-8")
        assert f"recorded from {kind.program if kind.program != 'getmail' else 'getmail6'} {version}" in text, (name, version)


def main(names):
    names = names or list(CLIENTS)
    with tempfile.TemporaryDirectory() as folder, asked(names, pathlib.Path(folder)) as both:
        for name in names:
            print(f"{name}: {CLIENTS[name].program} {CLIENTS[name].version(folder)}")
            show(*both(name))


def show(client, profile):
    for situation in SITUATIONS:
        ours, theirs = profile.get(situation, []), client.get(situation, [])
        print(f"  {situation}: {'the same' if ours == theirs else 'NOT the same'}, {len(theirs)} connection{'s'[:len(theirs) != 1]}")
        for label, talks in (("client", theirs),) if ours == theirs else (("client", theirs), ("profile", ours)):
            for talk in talks:
                print(f"    {label}: " + " | ".join(talk))


if __name__ == "__main__":
    main(sys.argv[1:])
