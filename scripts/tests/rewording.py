"""Says what a server says in other words that are as right by the RFCs: a proxy for tests of what must not be accused.
What it may do stands beside each rewording; a seed decides where it does it, and each can be played alone."""
import asyncio
import collections
import contextlib
import datetime
import random
import re
import threading

REWORDINGS = {
    "pieces": "TCP is a stream: bytes arrive in any pieces",
    "case": "RFC 3501 section 9: except as noted otherwise, all alphabetic characters are case-insensitive; RFC 2449 section 5: so are CAPA's tags",
    "inbox": "RFC 3501 section 5.1: INBOX in any case is one mailbox",
    "strings": "RFC 3501 section 4.3: a string is a literal or a quoted string",
    "dates": "RFC 3501 section 9, date-day-fixed: a space or a zero before the day; the same moment in another zone",
    "order": "RFC 9051 section 7.5.2: data of a message are pairs of name and value; flags, capabilities, resources, what SEARCH finds have no order",
    "rows": "RFC 9051 section 7.5.2: FETCH responses also come by the server's own decision; nothing asks for one a message",
    "unasked": "RFC 3501 section 7: a client MUST be prepared to accept any server response at all times",
    "texts": "RFC 3501 section 7.1, RFC 1939 section 3, RFC 5321 section 4.2: the text behind the status is for people",
    "names": "RFC 3501 section 7.2.1, RFC 9051 section 7.3.1, RFC 2449 section 5: clients ignore names that they do not know",
    "behind": "RFC 1939 section 5: no requirement on what follows the size in STAT",
    "uidl": "RFC 1939 section 7: 1 to 70 characters from 0x21 to 0x7E",
    "lines": "RFC 5321 section 4.2.1: multiline replies are allowed for any command",
}
TEXTS = ["x", "OK", "* 3 EXISTS", "(0.001 + 0.000 secs)", "{5}", "NO such thing", "]"]
UNASKED = ["* OK Still here\r\n", "* OK [X-FOO bar] x\r\n", "* ok [ALERT] The disk is 80% full\r\n"]
LITERAL = re.compile(r"(~?)\{(\d+)\}\r\n")


class Rewording:
    """Of one connection; `done` counts what was reworded."""

    def __init__(self, seed, names, done):
        self.random, self.names, self.done = random.Random(seed), names, done

    def does(self, name, chance=0.5):
        does = name in self.names and self.random.random() < chance
        self.done[name] += does
        return does

    def cased(self, word):
        return self.random.choice([word.lower(), word.upper(), word.title()]) if self.does("case") else word

    def shuffled(self, items):
        return self.random.sample(items, len(items)) if self.does("order") else items

    def text(self, text):
        return self.random.choice(TEXTS) if self.does("texts") else text


# A value is ("atom", text), ("string", text) or a list of (what stands before it, value).
def values(line, at=0, inside=False):
    out, before = [], ""
    while at < len(line):
        if line[at] == " ":
            before, at = " ", at + 1
            continue
        if line[at] == ")" and inside:
            return out, at + 1
        if line[at] == "(":
            value, at = values(line, at + 1, True)
        elif line[at] == '"':
            quoted = re.compile(r'"((?:[^"\\]|\\.)*)"').match(line, at)
            value, at = ("string", re.sub(r"\\(.)", r"\1", quoted[1])), quoted.end()
        elif literal := LITERAL.match(line, at):
            end = literal.end() + int(literal[2])
            value, at = ("atom", line[at:end]) if literal[1] else ("string", line[literal.end():end]), end
        else:  # with what stands in brackets: BODY[HEADER.FIELDS (DATE)]<0>
            end = re.compile(r"(?:\[[^\]]*\]|[^ ()\[])+").match(line, at).end()
            value, at = ("atom", line[at:end]), end
        out.append((before, value))
        before = ""
    return out, at


class Imap(Rewording):
    def said(self, value):
        if isinstance(value, list):
            return "(" + self.all(value) + ")"
        kind, text = value
        if kind == "atom":
            return text
        if re.search(r'[\r\n\0\x80-\xff]', text) or self.does("strings"):
            return "{%d}\r\n%s" % (len(text), text)
        return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'

    def all(self, items):
        return "".join(before + self.said(value) for before, value in items)

    def response(self, line):
        """What is said instead of a response, with its CRLF."""
        if line.startswith("+"):
            return line
        if match := re.match(r"(\S+) (OK|NO|BAD|BYE|PREAUTH) (\[[^\]]*\] ?)?(.*)\r\n$", line, re.S | re.I):
            tag, status, code, text = match.groups(default="")
            code = re.sub(r"^\[\S+?(?=[ \]])", lambda word: self.cased(word[0]), code)
            return f"{tag} {self.cased(status)} {code}{text if status == 'NO' else self.text(text)}\r\n"
        if not line.startswith("* "):
            return line
        words = line[2:-2].split(" ", 2)
        name = words[1] if words[0].isdigit() else words[0]
        rewrite = getattr(self, "on_" + name.lower(), None)
        out = rewrite(line) if rewrite else line
        return self.random.choice(UNASKED) + out if self.does("unasked", 0.2) else out

    def on_exists(self, line):
        return line * (2 if self.does("unasked") else 1)

    def on_capability(self, line):
        words = line.split()[2:] + (["X-FOO", "XBAR=BAZ"] if self.does("names", 1) else [])
        return "* CAPABILITY " + " ".join(self.cased(word) for word in self.shuffled(words)) + "\r\n"

    def on_search(self, line):
        words = line.split()
        if "(" in line or len(words) < 4:
            return line
        found = self.shuffled(words[2:])
        cut = self.random.randrange(1, len(found)) if self.does("rows") else len(found)
        return "".join(f"* {self.cased('SEARCH')} {' '.join(part)}\r\n" for part in (found[:cut], found[cut:]) if part)

    def on_list(self, line):
        attributes, separator, mailbox, *more = (value for _, value in values(line[2:-2])[0][1:])
        if self.does("names"):
            attributes = attributes + [(" " if attributes else "", ("atom", "\\XFoo"))]
        if mailbox[1].upper() == "INBOX" and self.does("inbox"):
            mailbox = (mailbox[0], self.random.choice(["Inbox", "inbox"]))
        told = [PLAIN.said(attributes), PLAIN.said(separator), self.said(mailbox), *map(PLAIN.said, more)]
        return f"* {self.cased('LIST')} {' '.join(told)}\r\n"

    def on_quota(self, line):
        _, (_, root), (_, resources) = values(line[2:-2])[0]
        each = [resources[i:i + 3] for i in range(0, len(resources), 3)]
        told = " ".join(self.cased(name[1][1]) + self.all(rest) for name, *rest in self.shuffled(each))
        return f"* QUOTA {self.said(root)} ({told})\r\n"

    def on_fetch(self, line):
        number = line.split(" ")[1]
        items = [value for _, value in values(line[2:-2])[0][2][1]]
        pairs = [self.item(items[i][1], items[i + 1]) for i in range(0, len(items), 2)]
        groups = [self.shuffled(pairs)]
        own = [pair for pair in pairs if pair[0].upper() == "UID"]
        together = [pair for pair in pairs if pair[0].upper() in ("FLAGS", "MODSEQ")]  # RFC 7162 section 3.2.4
        others = [pair for pair in pairs if pair not in own + together]
        if others and self.does("rows", 0.3):
            groups = [own + [pair] for pair in others] + ([own + together] if together else [])
        elif together and self.does("unasked", 0.2):
            groups.append(own + together)
        return "".join(f"* {number} {self.cased('FETCH')} ({' '.join(f'{n} {v}' for n, v in g)})\r\n" for g in groups)

    def item(self, name, value):
        if name.upper() == "FLAGS":
            said = " ".join(self.cased(v) if v[0] == "\\" else v for v in self.shuffled([v for _, (_, v) in value]))
            return self.cased(name), f"({said})"
        if name.upper() in ("INTERNALDATE", "SAVEDATE"):
            return self.cased(name), value[1] if value[0] == "atom" else f'"{self.date(value[1])}"'
        if name.upper() == "BODYSTRUCTURE":  # media-text and media-message have quoted strings, never literals
            return self.cased(name), PLAIN.said(value)
        return self.cased(name), self.said(value)

    def date(self, text):
        if not self.does("dates"):
            return text
        moment = datetime.datetime.strptime(text.strip(), "%d-%b-%Y %H:%M:%S %z")
        zone = datetime.timezone(datetime.timedelta(minutes=self.random.choice([0, 330, -210, 840])))
        out = moment.astimezone(zone).strftime("%d-%b-%Y %H:%M:%S %z")
        return " " + out[1:] if out[0] == "0" and self.does("dates") else out


PLAIN = Imap(0, frozenset(), collections.Counter())  # for what must not be a literal


class Pop3(Rewording):
    def status(self, line, command, argument):
        """Of a reply its first line; the greeting is the reply to no command."""
        ok, _, text = line[:-2].partition(" ")
        if ok != "+OK" or command in ("", "LANG"):
            return line
        if command == "STAT" or (command == "LIST" and argument):
            return f"+OK {text}{' octets' if self.does('behind') and command == 'STAT' else ''}\r\n"
        if command == "UIDL" and argument:
            number, uidl = text.split(" ")
            return f"+OK {number} {self.uidl(uidl)}\r\n"
        return f"+OK {self.text(text)}\r\n"

    def uidl(self, text):
        if not self.does("uidl", 1):
            return text
        other = "".join(chr(33 + (ord(c) - 33) * 41 % 94) for c in text)  # each of the 94 is another one
        return other.ljust(70, "~") if sum(map(ord, text)) % 3 == 0 else other

    def block(self, lines, command):
        if command == "UIDL":
            return [f"{number} {self.uidl(uidl)}\r\n" for number, uidl in (line[:-2].split(" ") for line in lines)]
        if command == "CAPA":
            more = ["X-FOO\r\n", "XBAR a b=c\r\n"] if self.does("names", 1) else []
            return self.shuffled([re.sub(r"^\S+", lambda tag: self.cased(tag[0]), line) for line in lines + more])
        return lines


class Mail(Rewording):
    """SMTP and LMTP."""

    def reply(self, lines):
        code, text = lines[-1][:3], lines[-1][4:]
        if len(lines) > 1 or code in ("220", "334", "421"):  # of EHLO the lines are keywords
            return lines
        status = re.match(r"([245]\.\d+\.\d+ )?(.*)\r\n", text)
        said = (status[1] or "") + self.text(status[2]) + "\r\n"
        more = [f"{code}-{status[1] or ''}{self.text('and more')}\r\n"] if self.does("lines") else []
        return more + [f"{code} {said}"]


async def literal_lines(reader):
    """A response of IMAP, with its literals."""
    line = await reader.readuntil(b"\n")
    while line.startswith(b"* ") and not re.match(rb"\* (OK|NO|BAD|BYE|PREAUTH) ", line, re.I):
        literal = re.search(rb"\{(\d+)\}\r\n$", line)
        if not literal:
            break
        line += await reader.readexactly(int(literal[1]))
        line += await reader.readuntil(b"\n")
    return line


class Proxy:
    """Stands before a port; `count` seeds the connections apart."""

    def __init__(self, protocol, port, seed, names, done):
        self.protocol, self.port, self.seed, self.names, self.done, self.count = protocol, port, seed, names, done, 0

    async def serve(self, reader, writer):
        self.count += 1
        seed = f"{self.seed} {self.protocol} {self.count}"
        with contextlib.suppress(ConnectionError):
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 26)
            commands, raw = [], asyncio.Event()
            both = [asyncio.create_task(self.onward(reader, to_server, commands, raw)),
                    asyncio.create_task(self.back(from_server, writer, seed, commands, raw))]
            await asyncio.wait(both, return_when=asyncio.FIRST_EXCEPTION)
            for task in both:
                if not task.cancel() and task.exception() and not isinstance(task.exception(), ConnectionError):
                    print("rewording:", repr(task.exception()))
            to_server.transport.abort()
            writer.close()

    async def onward(self, reader, writer, commands, raw):
        rest = b""
        while data := await reader.read(65536):
            *lines, rest = (rest + data).split(b"\n")
            commands += [line.decode("latin1").upper().split() for line in lines]
            if self.protocol == "imap" and re.search(rb"COMPRESS", data, re.I):
                raw.set()
            writer.write(data)
            await writer.drain()
        writer.write_eof()

    async def back(self, reader, writer, seed, commands, raw):
        words = {"imap": Imap, "pop3": Pop3}.get(self.protocol, Mail)(seed, self.names, self.done)
        try:
            await getattr(self, self.protocol if self.protocol in ("imap", "pop3") else "mail")(
                reader, writer, words, commands, raw)
        except asyncio.IncompleteReadError as end:
            writer.write(end.partial)
        writer.write_eof()

    async def send(self, writer, words, text):
        data = text.encode("latin1")
        step = words.random.choice([1, 3, 7]) if words.does("pieces", 0.15) and len(data) < 500 else len(data)
        for at in range(0, len(data), max(1, step)):
            writer.write(data[at:at + step])
            await writer.drain()
            await asyncio.sleep(0)

    async def imap(self, reader, writer, words, _, raw):
        greeting = True
        while not raw.is_set():
            line = (await literal_lines(reader)).decode("latin1")
            await self.send(writer, words, line if greeting or raw.is_set() else words.response(line))
            greeting = False
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    async def pop3(self, reader, writer, words, commands, _):
        command, continued = None, False
        while True:
            line = (await reader.readuntil(b"\n")).decode("latin1")
            if command is not None and commands:
                said = commands.pop(0)
                command = command if continued else said or [""]  # what answers a "+" is no command
            continued = line.startswith("+ ")
            name, argument = command[0] if command else "", len(command or []) > 1
            out = [line if continued else words.status(line, name, argument)]
            if line.startswith("+OK") and (name in ("RETR", "TOP", "CAPA")
                                           or (name in ("LIST", "UIDL", "LANG", "AUTH") and not argument)):
                lines = []
                while not lines or lines[-1] != ".\r\n":
                    lines.append((await reader.readuntil(b"\n")).decode("latin1"))
                out += words.block(lines[:-1], name) + lines[-1:]
            await self.send(writer, words, "".join(out))
            command = command or [""]

    async def mail(self, reader, writer, words, *_):
        while True:
            lines = []
            while not lines or lines[-1][3:4] == "-":
                lines.append((await reader.readuntil(b"\n")).decode("latin1"))
            await self.send(writer, words, "".join(words.reply(lines)))


@contextlib.contextmanager
def reworded(ports, seed, names=frozenset(REWORDINGS)):
    """Proxies before the ports of a server on loopback, by protocol; gives their ports, and what was reworded how often."""
    loop, done = asyncio.new_event_loop(), collections.Counter()

    async def start():
        out = {}
        for protocol, port in ports.items():
            server = await asyncio.start_server(
                Proxy(protocol, port, seed, names, done).serve, "127.0.0.1", 0, limit=1 << 26)
            out[protocol] = server.sockets[0].getsockname()[1]
        return out

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result(10), done
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
