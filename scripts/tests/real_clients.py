"""Mail clients that people use, from Debian, pointed at a server on loopback: each configured in a folder of its own, run to its end."""
import os
import pathlib
import pty
import select
import shutil
import subprocess
import time

import pytest

USER = "user0001"
HOST = "127.0.0.1"


def needs(program):
    if shutil.which(program) is None:
        pytest.fail(f"{program} is missing: run scripts/setup")
    return program


class House:
    """The clients of one user, and where they keep what they got."""

    def __init__(self, folder, ports, password, user=USER):
        self.folder, self.ports, self.password, self.user = pathlib.Path(folder), ports, password, user
        self.folder.mkdir(exist_ok=True)
        self.home = self.folder / "home"
        self.home.mkdir(exist_ok=True)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, "utf-8")
        path.chmod(0o600)
        return path

    def run(self, *command, accept=(0,), **options):
        ran = subprocess.run([str(word) for word in command], env={**os.environ, "HOME": str(self.home)}, text=True,
                             capture_output=True, timeout=60, stdin=subprocess.DEVNULL, **options)
        assert ran.returncode in accept, (command[0], ran.returncode, ran.stdout, ran.stderr)
        return ran

    def mbsync(self):
        """All mailboxes, both ways, into maildirs."""
        (self.folder / "near").mkdir(exist_ok=True)
        rc = self.write("mbsyncrc", f"""\
IMAPAccount box
Host {HOST}
Port {self.ports['imap']}
User {self.user}
Pass {self.password}
SSLType None
AuthMechs LOGIN

IMAPStore far
Account box

MaildirStore near
Path {self.folder}/near/
Inbox {self.folder}/near/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
""")
        return self.run(needs("mbsync"), "-c", rc, "-a")

    def near(self, mailbox="INBOX"):
        """The messages that mbsync has of a mailbox, by file."""
        return sorted(path for part in ("new", "cur") for path in (self.folder / "near" / mailbox / part).iterdir())

    def fetchmail(self, *options):
        """By POP3, into one file; what was fetched is deleted, unless it is told to keep. 1: there was no mail; 13: and there is more."""
        rc = self.write("fetchmailrc", f"""\
set postmaster "nobody"
set no bouncemail
poll {HOST} protocol pop3 port {self.ports['pop3']} uidl
  username "{self.user}" password "{self.password}"
  sslproto "" mda "cat >>{self.folder}/fetched.mbox"
""")
        return self.run(needs("fetchmail"), "-f", rc, "-i", self.folder / "fetchids", "--pidfile", self.folder / "fetchmail.pid",
                        *options, accept=(0, 1, 13))

    def getmail(self, delete):
        """By POP3, into another file; by another program, because as root it writes none itself."""
        rc = self.write("getmailrc", f"""\
[retriever]
type = SimplePOP3Retriever
server = {HOST}
port = {self.ports['pop3']}
username = {self.user}
password = {self.password}

[destination]
type = MDA_external
path = {shutil.which("tee")}
arguments = ("-a", "{self.folder}/got.mbox")
allow_root_commands = true

[options]
delete = {str(delete).lower()}
delivered_to = false
received = false
""")
        (self.folder / "getmail").mkdir(exist_ok=True)
        return self.run(needs("getmail"), "--getmaildir", self.folder / "getmail", "--rcfile", rc)

    def mutt(self, *keys):
        """In a terminal of its own: opens INBOX, does what the keys say, and leaves."""
        rc = self.write("muttrc", f"""\
set folder="imap://{HOST}:{self.ports['imap']}/"
set spoolfile="+INBOX"
set imap_user="{self.user}"
set imap_pass="{self.password}"
set imap_authenticators="login"
set ssl_starttls=no
set ssl_force_tls=no
set delete=yes
set quit=yes
set wait_key=no
set header_cache=""
set move=no
push "{''.join(keys)}<quit>"
""")
        master, slave = pty.openpty()
        process = subprocess.Popen([needs("mutt"), "-n", "-F", rc], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                   env={**os.environ, "HOME": str(self.home), "TERM": "xterm"})
        os.close(slave)
        shown, bound = b"", time.monotonic() + 60
        while process.poll() is None and time.monotonic() < bound:
            if select.select([master], [], [], 0.1)[0]:
                try:
                    shown += os.read(master, 65536)
                except OSError:
                    break
        os.close(master)
        try:
            assert process.wait(10) == 0, shown.decode("utf-8", "replace")
        finally:
            process.kill()
            process.wait()

    def curl(self, path="INBOX", *options):
        return self.run(needs("curl"), "-s", "-u", f"{self.user}:{self.password}", *options,
                        f"imap://{HOST}:{self.ports['imap']}/{path}").stdout
