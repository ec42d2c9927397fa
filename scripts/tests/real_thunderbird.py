"""Thunderbird without a screen, driven through its Marionette port as a user would: accounts, new mail, reading, deleting."""
import contextlib
import json
import socket
import subprocess
import time

from real_clients import HOST, PATIENCE, Client

PREFERENCES = {
    "app.update.enabled": False, "browser.shell.checkDefaultClient": False, "mail.shell.checkDefaultClient": False,
    "datareporting.policy.dataSubmissionEnabled": False, "toolkit.telemetry.enabled": False, "app.donation.eoy.version.viewed": 999,
    "mail.provider.enabled": False, "mail.server.default.use_compress_deflate": False, "mailnews.start_page.enabled": False, "mail.spotlight.firstRunDone": True, "mail.rights.version": 1,
    "mail.winsearch.firstRunDone": True, "mailnews.database.global.indexer.enabled": False, "network.manage-offline-status": False,
    "network.proxy.type": 0, "marionette.port": 0, "extensions.update.enabled": False, "services.settings.server": "", "calendar.timezone.local": "UTC",
}


class Marionette:
    """Its wire: "length:[0, id, command, parameters]", and an answer of the same form."""

    def __init__(self, told, process):
        """`told`: the file into which the process writes its port."""
        bound = time.monotonic() + PATIENCE
        while not (told.exists() and told.read_text()):
            assert process.poll() is None and time.monotonic() < bound, "thunderbird opened no port to be driven by"
            time.sleep(0.1)
        self.socket = socket.create_connection((HOST, int(told.read_text())), timeout=PATIENCE)
        self.buffer, self.number = b"", 0
        self.receive()
        self.send("WebDriver:NewSession", {})
        self.send("Marionette:SetContext", {"value": "chrome"})

    def receive(self):
        while b":" not in self.buffer or len(self.buffer.split(b":", 1)[1]) < int(self.buffer.split(b":", 1)[0]):
            more = self.socket.recv(65536)
            assert more, "thunderbird ended"
            self.buffer += more
        size, rest = self.buffer.split(b":", 1)
        self.buffer = rest[int(size):]
        return json.loads(rest[:int(size)])

    def send(self, command, parameters):
        self.number += 1
        text = json.dumps([0, self.number, command, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(text), text))
        _, _, error, value = self.receive()
        assert not error, error
        return value

    def script(self, text, *arguments):
        """`text` is the body of an async function of these arguments; what it returns."""
        wrapped = ("const [done, ...given] = [arguments[arguments.length - 1], ...Array.from(arguments).slice(0, -1)];"
                   "(async (...args) => {" + text + "})(...given).then(v => done({value: v}), e => done({error: String(e) + e.stack}));")
        said = self.send("WebDriver:ExecuteAsyncScript", {"script": wrapped, "args": list(arguments), "newSandbox": False, "sandbox": "system"})
        said = (said or {}).get("value", said) or {}
        assert "error" not in said, said
        return said.get("value")


ACCOUNT = """
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const [type, port, user, password] = args;
const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
const host = (type == "imap" ? "imap" : "mailbox") + "://127.0.0.1";
login.init(host, null, host, user, password, "", "");
await Services.logins.addLoginAsync(login);
const server = MailServices.accounts.createIncomingServer(user, "127.0.0.1", type);
server.port = port;
server.socketType = 0;
server.authMethod = 3;
server.password = password;
if (type == "pop3") {  // as the account wizard sets it up: accountConfig.js
  const pop = server.QueryInterface(Ci.nsIPop3IncomingServer);
  pop.leaveMessagesOnServer = true;
  pop.deleteByAgeFromServer = true;
  pop.numDaysToLeaveOnServer = 14;
  server.downloadOnBiff = true;
}
const identity = MailServices.accounts.createIdentity();
identity.email = user + "@example.test";
const account = MailServices.accounts.createAccount();
account.incomingServer = server;
account.addIdentity(identity);
server.doBiff = true;
server.loginAtStartUp = true;
Services.prefs.savePrefFile(null);
return server.key;
"""

GET = """
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const server = MailServices.accounts.accounts.map(a => a.incomingServer).find(s => s.type == args[0]);
const inbox = server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
await new Promise((done, fail) => {
  const listener = { OnStartRunningUrl() {}, OnStopRunningUrl(url, status) { status ? fail(status) : done(); } };
  server.type == "imap" ? inbox.QueryInterface(Ci.nsIMsgImapMailFolder).updateFolderWithListener(null, listener) : MailServices.pop3.GetNewMail(null, listener, inbox, server);
});
return inbox.getTotalMessages(false);
"""

# Its user looks at the inbox, as the program shows it in the morning.
OPEN = """
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const server = MailServices.accounts.accounts.map(a => a.incomingServer).find(s => s.type == args[0]);
const inbox = server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
const window = Services.wm.getMostRecentWindow("mail:3pane");
for (let i = 0; i < 100 && !window.document.getElementById("tabmail")?.currentAbout3Pane?.displayFolder; i++)
  await new Promise(done => window.setTimeout(done, 100));
window.document.getElementById("tabmail").currentAbout3Pane.displayFolder(inbox.URI);
return inbox.URI;
"""

ACT = """
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const server = MailServices.accounts.accounts.map(a => a.incomingServer).find(s => s.type == args[0]);
const inbox = server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
const [first] = [...inbox.messages];
args[1] == "read" ? inbox.markMessagesRead([first], true) : inbox.deleteMessages([first], null, false, true, null, false);
"""


class Thunderbird(Client):
    program, news = "thunderbird", 1

    def __init__(self, folder, ports, traffic, **account):
        """`traffic.octets` counts what passed between it and its server, `traffic.settles(since)` waits for the end of that."""
        super().__init__(folder, ports, **account)
        self.traffic = traffic
        self.environment["MOZ_HEADLESS"] = "1"
        self.profile = self.folder / "profile"
        self.profile.mkdir()
        self.write("profile/user.js", "".join(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()))
        # Its account is made on a first day that nobody is interested in; then it is as it is every morning.
        self.begin()
        try:
            self.marionette.script(ACCOUNT, self.protocol, self.ports[self.protocol], self.user, self.password)
        finally:
            self.close()

    def begin(self):
        told = self.profile / "MarionetteActivePort"
        told.unlink(missing_ok=True)
        self.log = (self.folder / "log").open("a")
        self.process = subprocess.Popen(
            [self.program, "--headless", "--marionette", "--remote-allow-system-access", "--profile", str(self.profile), "--no-remote"],
            env=self.environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd=self.folder)
        try:
            self.marionette = Marionette(told, self.process)
        except BaseException:
            self.end(0)
            raise

    def until_quiet(self, act):
        since = self.traffic.octets
        act()
        self.traffic.settles(since)
        self.seen = self.traffic.octets

    def open(self):
        return self.marionette.script(OPEN, self.protocol)

    def look(self):
        return self.marionette.script(GET, self.protocol)

    def morning(self):
        self.until_quiet(self.begin)

    def settle(self):
        self.until_quiet(self.open)

    def await_news(self):
        self.traffic.settles(self.seen)  # it listens; afterwards it begins to listen again

    def read(self):
        self.until_quiet(lambda: self.marionette.script(ACT, self.protocol, "read"))

    def delete(self):
        self.until_quiet(lambda: self.marionette.script(ACT, self.protocol, "delete"))

    def close(self):
        """As its user does: what it is doing comes to an end."""
        if self.process.poll() is None:
            with contextlib.suppress(AssertionError, OSError):
                self.marionette.script("Services.startup.quit(Ci.nsIAppStartup.eAttemptQuit);")
        self.marionette.socket.close()
        self.end(20)

    def end(self, patience):
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class ThunderbirdPop(Thunderbird):
    protocol, news = "pop3", 2
    read = delete = None  # in its own copies

    def settle(self):
        pass

    await_news = Thunderbird.look
