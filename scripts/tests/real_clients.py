"""Mail clients that people use, from Debian, pointed at a server on loopback and driven without a screen. Each has a folder of its own, where
its configuration is and what it got, and which is its home too: nobody's real home is read or written."""
import os
import pathlib
import pty
import re
import shutil
import subprocess
import termios
import threading

import pytest

from reference_server import PASSWORD

USER = "user0001"
HOST = "127.0.0.1"
PATIENCE = 60  # seconds that a client may take


def needs(program):
    """The program's path. That it is missing is a failure: scripts/setup installs all of them."""
    path = shutil.which(program)
    if path is None:
        pytest.fail(f"{program} is missing: run scripts/setup")
    return path


def at_home(folder):
    """The environment of a program whose home is there."""
    return {"HOME": str(folder), "TMPDIR": str(folder), "PATH": os.environ["PATH"], "TERM": "xterm", "LC_ALL": "C.UTF-8"}


class Client:
    """One client of one user. `ports`: where the server's IMAP, POP3 and SMTP are, by these names in lower case."""
    program, protocol = "", "imap"

    # What it does in a day, as scenarios/devices/ describes it. Its user reads and deletes where he can do that with it.
    read = delete = None
    news = 2  # messages that come at a time

    def __init__(self, folder, ports, *, user=USER, password=PASSWORD):
        needs(self.program)
        self.folder, self.ports, self.user, self.password = pathlib.Path(folder), ports, user, password
        self.folder.mkdir(parents=True, exist_ok=True)
        self.environment = at_home(self.folder)

    ask_version = "--version", r"\d+(\.\d+)+"  # the option, and the version in what it prints

    @classmethod
    def version(cls, folder):
        """`folder`: where it may have its home meanwhile."""
        option, form = cls.ask_version
        said = subprocess.run([needs(cls.program), option], capture_output=True, text=True, check=True, timeout=PATIENCE, cwd=folder,
                              env=at_home(folder))
        return re.search(form, said.stdout + said.stderr).group()

    def morning(self):
        """The first look."""
        self.look()

    def settle(self):
        """What its user does then, and nothing is compared of."""

    def look(self):
        """Looks at the mailbox once."""
        raise NotImplementedError

    def await_news(self):
        """Mail has come."""
        self.look()

    def close(self):
        """The end of the day."""

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, "utf-8")
        path.chmod(0o600)
        return path

    def run(self, *arguments, statuses=(0,)):
        """Runs it to its end."""
        ran = subprocess.run([self.program, *map(str, arguments)], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                             capture_output=True, timeout=PATIENCE)
        assert ran.returncode in statuses, (self.program, ran.returncode, (ran.stdout + ran.stderr).decode("utf-8", "replace"))
        return ran


class Mbsync(Client):
    """Maildirs below `mail` that are kept equal to the account's mailboxes, both ways, deletions too."""
    program = "mbsync"

    def __init__(self, folder, ports, *, mailboxes="*", deflate=True, dates=False, **account):
        """`mailboxes`: which; `deflate`: COMPRESS where it is offered; `dates`: copies get the date of the original."""
        super().__init__(folder, ports, **account)
        self.mail = self.folder / "mail"
        self.mail.mkdir(exist_ok=True)
        self.write("mbsyncrc", f"""\
IMAPAccount account
Host {HOST}
Port {self.ports['imap']}
User {self.user}
Pass {self.password}
SSLType None
{'' if deflate else 'DisableExtension COMPRESS=DEFLATE'}

IMAPStore far
Account account

MaildirStore near
Path {self.mail}/
Inbox {self.mail}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns {mailboxes}
Create Both
Remove Both
Expunge Both
CopyArrivalDate {'yes' if dates else 'no'}
SyncState *
""")

    def look(self):
        return self.run("-c", self.folder / "mbsyncrc", "-a")

    def messages(self, mailbox="INBOX"):
        """What it has of a mailbox, by file."""
        return sorted((path for part in ("new", "cur") for path in (self.mail / mailbox / part).iterdir()), key=lambda path: path.name)

    def flag(self, letter):
        """The user reads or deletes the first, in the reader that works on these files."""
        path = self.messages()[0]
        name, _, letters = path.name.partition(":2,")
        path.rename(self.mail / "INBOX/cur" / f"{name}:2,{''.join(sorted({*letters, letter}))}")

    def read(self):
        self.flag("S")
        self.look()

    def delete(self):
        self.flag("T")
        self.look()


class Fetchmail(Client):
    """Takes what is there, by POP3, into the file `taken`: the server deletes it."""
    program, protocol = "fetchmail", "pop3"

    def __init__(self, folder, ports, *, uidl=False, **account):
        """`uidl`: messages are known by UIDL, not by what the server calls new."""
        super().__init__(folder, ports, **account)
        self.taken = self.folder / "taken"
        self.write("fetchmailrc", f"""\
set postmaster "nobody"
set no bouncemail
poll {HOST} protocol pop3 port {self.ports['pop3']} {'uidl' if uidl else ''}
  username "{self.user}" password "{self.password}" sslproto ""
  mda "cat >>{self.taken}"
""")

    def look(self, at_most=None):
        limit = () if at_most is None else ("--fetchlimit", at_most)
        # 1: there was no mail; 13: there is more than it may fetch.
        return self.run("-f", self.folder / "fetchmailrc", "-i", self.folder / "ids", "--pidfile", self.folder / "pid", *limit,
                        statuses=(0, 1, 13) if limit else (0, 1))


class Getmail(Client):
    """Takes what it has not seen, by POP3, into the file `taken`, and leaves it on the server."""
    program, protocol = "getmail", "pop3"

    def __init__(self, folder, ports, **account):
        super().__init__(folder, ports, **account)
        self.taken = self.folder / "taken"
        # By another program, because for root, whom tests may be run as, it writes no file itself.
        self.write("getmailrc", f"""\
[retriever]
type = SimplePOP3Retriever
server = {HOST}
port = {self.ports['pop3']}
username = {self.user}
password = {self.password}

[destination]
type = MDA_external
path = {needs("tee")}
arguments = ("-a", "{self.taken}")
allow_root_commands = true

[options]
read_all = false
delivered_to = false
received = false
""")

    def look(self):
        return self.run("--getmaildir", self.folder, "--rcfile", self.folder / "getmailrc")


class Curl(Client):
    """A script that takes what is there, message by message, by IMAP: one connection a command line."""
    program = "curl"

    def ask(self, path, *arguments):
        """The octets that one command line prints."""
        return self.run("-sS", "--max-time", 20, "--user", f"{self.user}:{self.password}", *arguments,
                        f"imap://{HOST}:{self.ports['imap']}/{path}").stdout

    def look(self):
        for uid in re.findall(r"\d+", self.ask("INBOX", "-X", "UID SEARCH UNSEEN").decode()):
            self.ask(f"INBOX;UID={uid}")


class Mutt(Client):
    """In a terminal of its own: opens INBOX, does what the keys say, and leaves."""
    program, ask_version = "mutt", ("-v", r"\d[\d.]+")

    def __init__(self, folder, ports, **account):
        super().__init__(folder, ports, **account)
        self.write("muttrc", f"""\
set folder="imap://{HOST}:{self.ports['imap']}/"
set spoolfile="+INBOX"
set imap_user="{self.user}"
set imap_pass="{self.password}"
set ssl_starttls=no ssl_force_tls=no
set header_cache="{self.folder}/cache"
set sort=mailbox-order
set quit=yes delete=yes move=no confirmappend=no confirmcreate=no
set wait_key=no sleep_time=0
""")

    def look(self, keys=""):
        """`keys` as in mutt's push; it ends by itself after them."""
        ours, its = pty.openpty()
        termios.tcsetwinsize(its, (24, 80))
        process = subprocess.Popen([self.program, "-n", "-F", "muttrc", "-e", f'push "{keys}<quit>"'], cwd=self.folder,
                                   env=self.environment, stdin=its, stdout=its, stderr=its, start_new_session=True)
        os.close(its)
        give_up = threading.Timer(PATIENCE, process.kill)
        give_up.start()
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:  # it has closed its side
            pass
        finally:
            status = process.wait()
            give_up.cancel()
            os.close(ours)
        assert status == 0, (self.program, status, shown[-3000:].decode("utf-8", "replace"))

    def read(self):
        self.look("<first-entry><display-message><exit>")

    def delete(self):
        self.look("<first-entry><delete-message><sync-mailbox>")


class Neomutt(Mutt):
    program = "neomutt"
