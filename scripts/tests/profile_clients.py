"""Mail clients of Debian as their users have them, driven without a screen: each looks at its mailbox once, as often as it is told."""
import os
import pathlib
import re
import subprocess

PASSWORD = "pass"
USER = "user0001"


class Client:
    """One client of one user, with a home of its own. `ports`: where IMAP, POP3 and SMTP are, on 127.0.0.1."""
    program = ""
    protocol = "imap"

    def __init__(self, home, ports):
        self.home, self.ports = pathlib.Path(home), ports
        self.home.mkdir(parents=True, exist_ok=True)
        self.set_up()

    @classmethod
    def version(cls):
        said = subprocess.run([cls.program, "--version"], capture_output=True, text=True, check=True)
        return re.search(r"\d+(\.\d+)+", said.stdout + said.stderr).group()

    def set_up(self):
        pass

    # What the client does, and its user; where they can.
    read = delete = None
    news = 2  # messages that come at a time

    def morning(self):
        """The first look."""
        self.look()

    def settle(self):
        """What its user does then, and nothing is compared of."""

    def look(self):
        raise NotImplementedError

    def await_news(self):
        """Mail has come."""
        self.look()

    def close(self):
        pass

    def start(self, *command, statuses=(0,), timeout=60):
        environment = {"HOME": str(self.home), "PATH": os.environ["PATH"], "TERM": "xterm", "LC_ALL": "C.UTF-8", "TMPDIR": str(self.home)}
        ran = subprocess.run([str(part) for part in command], cwd=self.home, env=environment, stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=timeout)
        assert ran.returncode in statuses, f"{command}: {ran.returncode}\n{ran.stdout}{ran.stderr}"
        return ran.stdout

    def write(self, name, text, mode=0o600):
        path = self.home / name
        path.write_text(text, "utf-8")
        path.chmod(mode)
        return path


class Mbsync(Client):
    program = "mbsync"

    def set_up(self):
        (self.home / "Mail").mkdir()
        self.write("mbsyncrc", f"""
IMAPAccount work
Host 127.0.0.1
Port {self.ports['imap']}
User {USER}
Pass {PASSWORD}
SSLType None
DisableExtension COMPRESS=DEFLATE

IMAPStore far
Account work

MaildirStore near
Path {self.home}/Mail/
Inbox {self.home}/Mail/INBOX

Channel work
Far :far:
Near :near:
Patterns INBOX
Create Near
Expunge Both
SyncState *
""")

    def look(self):
        self.start("mbsync", "-c", self.home / "mbsyncrc", "-a")

    def flag(self, flag):
        """The user reads or deletes, in the reader that works on these files."""
        box = self.home / "Mail/INBOX"
        path = sorted([*(box / "new").iterdir(), *(box / "cur").iterdir()], key=lambda one: one.name)[0]
        name, _, flags = path.name.partition(":2,")
        path.rename(box / "cur" / f"{name}:2,{''.join(sorted({*flags, flag}))}")

    def read(self):
        self.flag("S")
        self.look()

    def delete(self):
        self.flag("T")
        self.look()


class Fetchmail(Client):
    program, protocol = "fetchmail", "pop3"
    options = ""

    def set_up(self):
        # What it fetched goes to a program, not to this machine's own mail.
        self.write("fetchmailrc", f"""
set no bouncemail
poll 127.0.0.1 service {self.ports[self.protocol]} protocol {self.protocol.upper()}
  user "{USER}" password "{PASSWORD}" sslproto '' {self.options}
  mda "/bin/cat >/dev/null"
""")

    def look(self):
        # 1: there was nothing.
        self.start("fetchmail", "-f", self.home / "fetchmailrc", "--pidfile", self.home / "pid", "-i", self.home / "ids", "--nosyslog",
                   statuses=(0, 1))


class Getmail(Client):
    program, protocol = "getmail", "pop3"

    def set_up(self):
        # Into a Maildir it does not deliver for root, whom tests may be run as.
        self.write("getmailrc", f"""
[retriever]
type = SimplePOP3Retriever
server = 127.0.0.1
port = {self.ports['pop3']}
username = {USER}
password = {PASSWORD}
[destination]
type = MDA_external
path = /bin/true
ignore_stderr = true
allow_root_commands = true
[options]
read_all = false
""")

    def look(self):
        self.start("getmail", "--getmaildir", self.home, "--rcfile", self.home / "getmailrc")


class Curl(Client):
    """A script that takes what is there, message by message: one connection a command line."""
    program = "curl"

    def look(self):
        login = ("curl", "-sS", "--user", f"{USER}:{PASSWORD}")
        url = f"imap://127.0.0.1:{self.ports['imap']}/INBOX"
        found = self.start(*login, url, "-X", "UID SEARCH UNSEEN")
        for uid in re.findall(r"\d+", found):
            self.start(*login, f"{url};UID={uid}")


class Mutt(Client):
    program = "mutt"

    def set_up(self):
        self.write("muttrc", f"""
set folder="imap://{USER}@127.0.0.1:{self.ports['imap']}/"
set spoolfile="+INBOX"
set imap_pass="{PASSWORD}"
set ssl_starttls=no ssl_force_tls=no
set header_cache="{self.home}/cache"
set quit=yes delete=yes move=no
""")

    @classmethod
    def version(cls):
        said = subprocess.run([cls.program, "-v"], capture_output=True, text=True, check=True)
        return re.search(r"\d[\d.]+", said.stdout).group()

    def look(self, keys="<quit>"):
        # A terminal of its own: script(1) makes one.
        command = f"{self.program} -F {self.home}/muttrc -e 'push \"{keys}\"'"
        self.start("script", "-qec", command, "/dev/null")

    def read(self):
        self.look("<first-entry><display-message><exit><quit>")

    def delete(self):
        self.look("<first-entry><delete-message><sync-mailbox><quit>")


class Neomutt(Mutt):
    program = "neomutt"
