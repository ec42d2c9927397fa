"""The target file of a throwaway: where it listens, its accounts, and what scripts/servers can do to it."""

# What every server can be made to do, then what some can: the target file's verb -> that of scripts/servers.
ALWAYS = {"restart": "restart {name}", "kill": "kill {name}", "pause": 'pause {name} "{{milliseconds}}"'}
QUOTA = {"set_quota": 'quota {name} "{{login}}" "{{octets}}"'}
DELIVER = {"deliver": 'deliver {name} "{{address}}"'}


def endpoint(port, tls):
    return f"{{host: 127.0.0.1, port: {port}, tls: {tls}}}"


def mailbox_endpoints(server):
    """The last of each is for who wants to see that a password is refused without TLS."""
    return {protocol: [endpoint(server.port(protocol), "starttls"), endpoint(server.port(f"{protocol}s"), "implicit"),
                       endpoint(server.port(protocol), "none")] for protocol in ("imap", "pop3")}


def account_class(prefix, digits, count, quota=""):
    login = f"{prefix}%0{digits}d"
    return f'{{login: "{login}", address: "{login}@example.test", first: 1, count: {count}, {quota}' \
           "password_env: MAILPROOF_PASSWORD}"


def known(server):
    """The deviations that are known of this server: fixtures/servers/NAME/known.yaml, and what it shares with others."""
    folder = server.root / "fixtures/servers"
    own = folder / server.name / "known.yaml"
    paths = [*([own] if own.is_file() else []), *(folder / shared for shared in server.known_also)]
    lines = [line for path in paths for line in path.read_text("utf-8").splitlines()]
    return ["known:", *("  " + line for line in lines)] if lines else []


def admin_script(server):
    """How mailproof, with whatever environment, comes to this very server and to no other of its name."""
    return f'/usr/bin/env, "MAILPROOF_STATE={server.state.parent}", {server.root / "scripts/servers"}'


def target_file(server, endpoints, delivery, classes, verbs, tls=True):
    script = admin_script(server)
    lines = [f"target: {server.name}"]
    lines += [f"{protocol}: [{', '.join(places)}]" for protocol, places in endpoints.items()]
    lines += [f"delivery: [{', '.join(delivery)}]"]
    lines += [f"tls: {{ca: {server.state}/certs/ca.pem}}"] if tls else []
    lines += ["settle: 5s", "accounts:", *(f"  - {one}" for one in classes), "admin:"]
    for verb, command in {**ALWAYS, **verbs}.items():
        words = command.format(name=server.name).split()
        lines.append(f"  {verb}: [{script}, {', '.join(words)}]")
    return "\n".join([*lines, "allow: [failed-logins, floods, limits, restarts]", *known(server), ""])
