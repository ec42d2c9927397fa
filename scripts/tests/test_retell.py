"""What was heard becomes a story: the shipped stories are played over sockets, captured, and made into stories again. These pass on a right
server, and fail on the one with the bug if the capture is of that one."""
import pytest

from reference_server import PASSWORD, server
from test_import import captured
from tool import ENVIRONMENT, mailproof

TARGET = """target: builtin
imap: [{{host: 127.0.0.1, port: {imap}, tls: none}}]
pop3: [{{host: 127.0.0.1, port: {pop3}, tls: none}}]
lmtp: [{{host: 127.0.0.1, port: {lmtp}, tls: none}}]
delivery: [lmtp]
settle: 200ms
accounts:
  - {{login: "user%04d", address: "user%04d@example.test", first: 1, count: 20, password_env: MAILPROOF_PASSWORD}}
"""


def retold(story, folder, *server_options):
    """The story of a capture of this story, and what was said of it."""
    folder.chmod(0o777)
    with server(*server_options) as upstream:
        ports = {name: getattr(upstream, name)[1] for name in ("imap", "pop3", "lmtp")}
        (folder / "target.yaml").write_text(TARGET.format(**ports))
        with captured(folder / "all.pcap", ports.values()):
            ran = mailproof("run", story, "--target", folder / "target.yaml", "--out", folder / "run",
                            env={**ENVIRONMENT, "MAILPROOF_PASSWORD": PASSWORD})
    assert ran.status == (1 if server_options else 0), ran.text
    imported = mailproof("import", folder / "all.pcap", "--out", folder / "imported", "--as-scenario", folder / "again.yaml")
    assert "the built-in server passes it" in imported.err, imported.text
    return folder / "again.yaml", imported


@pytest.mark.parametrize("story, steps", [
    ("sync.folders-and-moves-replicate", ["{move: mail", "to: "]),
    ("sync.read-on-phone-read-everywhere", ["{idle: INBOX}", "{read: mail"]),
    ("sync.renamed-folders-keep-their-mail", ["{rename: "]),
    ("mixed.switch-imap-to-pop", ["{move: mail, to: Projects}", "{download: mail3}", "over: pop3"]),
    ("sync.offline-device-catches-up-by-qresync", ["expunge"]),
])
def test_a_story_comes_out_of_its_own_capture(story, steps, tmp_path):
    again, imported = retold(story, tmp_path)
    text = again.read_text("utf-8")
    for step in steps:
        assert step in text, text
    assert "the server itself put elsewhere" not in imported.err


@pytest.mark.parametrize("defect, story", [("pop3.quit-deletes-nothing", "mixed.pop-download-empties-the-phone"),
                                           ("imap.append-ok-but-absent", "sync.sent-copy-appears-everywhere"),
                                           ("imap.move-doubles", "sync.folders-and-moves-replicate")])
def test_of_a_server_with_a_bug_comes_a_story_that_shows_it(defect, story, tmp_path):
    again, _ = retold(story, tmp_path, "--defect", defect)
    ran = mailproof("run", again, "--sim", "--defect", defect, "--out", tmp_path / "bad")
    assert ran.status == 1, (ran.text, again.read_text("utf-8"))


def test_a_device_that_listens_may_be_told_to_listen(tmp_path):
    """Clients begin IDLE again and again; a story that says so ends."""
    (tmp_path / "twice.yaml").write_text(
        "id: test.idle-twice\nneeds: [imap, delivery]\naccounts: [alice]\n"
        "devices: {mta: {delivers: any}, phone: {imap: alice}, laptop: {imap: alice}}\nsteps:\n  - mta: {deliver: mail, to: alice}\n"
        "  - phone: {idle: INBOX}\n  - laptop: {read: mail}\n  - phone: {idle: INBOX}\n  - laptop: {delete: mail}\n  - phone: {lose: mail}\n")
    ran = mailproof("run", tmp_path / "twice.yaml", "--sim", "--out", tmp_path / "run")
    assert ran.status == 0, ran.text
