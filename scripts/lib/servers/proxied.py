"""A mail proxy in front of a Dovecot of its own, as hosters with several backends have it: clients reach IMAP and POP3 by
the proxy alone, which ends their TLS; delivery goes to Dovecot."""
import imaplib
import socket
import string

from servers import fixtures
from servers.target_file import endpoint
from servers.throwaway import Daemon

Dovecot = fixtures.module("dovecot").Server


class Proxied(Dovecot):
    templates = []  # the proxy's configuration: files beside server.py
    ports = {**Dovecot.ports, "proxy-imap": 53, "proxy-imaps": 63, "proxy-pop3": 50, "proxy-pop3s": 65, "proxy-auth": 80}

    def proxies(self):
        """The proxy's processes as (arguments, environment)."""
        raise NotImplementedError

    def daemons(self):
        return [Daemon(*self.command(), ready=super().answers), *(Daemon(*proxy) for proxy in self.proxies())]

    def answers(self):
        try:
            imap = imaplib.IMAP4("127.0.0.1", self.port("proxy-imap"), timeout=5)
            imap.logout()
            for name in ("proxy-imaps", "proxy-pop3", "proxy-pop3s"):
                socket.create_connection(("127.0.0.1", self.port(name)), timeout=5).close()
            return True
        except (OSError, imaplib.IMAP4.error):
            return False

    def endpoints(self):
        reading = {protocol: [endpoint(self.port(f"proxy-{protocol}"), "starttls"),
                              endpoint(self.port(f"proxy-{protocol}s"), "implicit"),
                              endpoint(self.port(f"proxy-{protocol}"), "none")] for protocol in ("imap", "pop3")}
        return {**super().endpoints(), **reading}

    def configure(self):
        super().configure()
        values = {name.replace("-", "_"): self.port(name) for name in self.ports}
        values.update(dir=self.state, log=self.log(), password=self.password)
        for template in self.templates:
            text = string.Template((self.here / template).read_text("utf-8")).substitute(values)
            (self.state / template).write_text(text, "utf-8")
            (self.state / template).chmod(0o600)
