"""A hosting node: an MTA takes mail by SMTP and hands it by LMTP to a Dovecot of its own, which keeps the limits. What
does not fit is refused to the MTA, which has answered 250 by then, so it sends a bounce to the sender's mailbox here."""
import os
import shutil
import socket
import string

from servers import fixtures
from servers.namespace import Namespace
from servers.packages import unpacked
from servers.throwaway import Daemon

Dovecot = fixtures.module("dovecot").Server


class Node(Dovecot):
    needs_root = True
    ports = {**Dovecot.ports, "smtp": 25}
    known_also = ["dovecot/known.yaml", *Dovecot.known_also]
    delivery = ("smtp", "append")
    settle = "10s"  # an undeliverable message is given up after 6 s, and its bounce has to be delivered too

    # What the MTA's server.py provides.
    mta = None  # the name of the unpacked tree
    mta_packages = []
    users = []
    groups = []
    config = {}  # template beside server.py -> where it belongs below /etc

    def mta_command(self):
        raise NotImplementedError

    def make_queue(self):
        """Makes self.queue() empty, as the MTA expects to find it."""
        raise NotImplementedError

    def __init__(self, root, name):
        super().__init__(root, name)
        self.namespace = Namespace(self.state / "namespace")

    def queue(self):
        return self.state / "queue"

    def mta_state(self):
        """Its log and its certificate: what stays when the queue is emptied."""
        return self.state / "mta"

    def configure_as_root(self):
        self.namespace.prepare(self.users, self.groups)
        owner = self.users[0]
        self.mta_state().mkdir(exist_ok=True)
        for name in ("good.pem", "good.key"):
            shutil.copy(self.state / "certs" / name, self.mta_state())
        addresses = self.mta_state() / "addresses"
        addresses.write_text("".join(f"{login} here\n" for login in self.logins()))
        for path in (self.mta_state(), *self.mta_state().iterdir()):
            os.chown(path, owner.uid, owner.gid)
        domains = ["example.test", *(f"{customer}.example.test" for customer in self.customers())]
        values = {"mta": self.mta_state(), "queue": self.queue(), "domains": ", ".join(domains),
                  "smtp": self.port("smtp"), "lmtp": self.port("lmtp")}
        for name, place in self.config.items():
            path = self.namespace.folder / "etc" / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(string.Template((self.here / name).read_text()).substitute(values))
            path.chmod(0o644)
            # Postfix waits until its configuration is two seconds old, in case somebody still writes to it.
            os.utime(path, (path.stat().st_mtime - 60,) * 2)
        self.make_queue()

    def daemons(self):
        arguments = self.namespace.command(unpacked(self.mta, self.mta_packages), self.mta_command())
        # Mail that was queued before a long kill is given up at its first failure, so Dovecot has to be there for it.
        dovecot = Daemon(*self.command(), ready=super().answers)
        return [dovecot, Daemon(arguments, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, as_root=True)]

    def empty_mailboxes(self):
        super().empty_mailboxes()
        shutil.rmtree(self.queue())
        self.make_queue()

    def answers(self):
        return greets(self.port("smtp"))

    def endpoints(self):
        smtp = f"host: 127.0.0.1, port: {self.port('smtp')}"
        return {**super().endpoints(), "smtp": [f"{{{smtp}, tls: starttls}}", f"{{{smtp}, tls: none}}"]}


def greets(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            return connection.recv(4) == b"220 "
    except OSError:
        return False


def make_folder(path, user, mode, group=None):
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, user.uid, user.gid if group is None else group)
    path.chmod(mode)
