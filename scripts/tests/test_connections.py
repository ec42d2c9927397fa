"""A run keeps to the connections that the target file allows a user and an address."""
import socket
import threading

import reference_server
import tool

STORIES = ["mixed.pop-download-empties-the-phone", "sync.read-on-phone-read-everywhere", "pop3.delete-on-download",
           "mixed.pop-leave-on-server-is-safe", "sync.folders-and-moves-replicate", "sync.copies-are-independent"]


class Doors:
    """Stand in front of a server's ports, and count who is inside at the same time."""

    def __init__(self, server):
        self.lock, self.inside, self.most, self.listeners = threading.Lock(), 0, 0, []
        self.ports = {name: self.door(getattr(server, name)) for name in ("imap", "pop3", "lmtp")}

    def door(self, address):
        listener = socket.create_server(("127.0.0.1", 0))
        self.listeners.append(listener)

        def accept():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=self.through, args=(client, socket.create_connection(address)), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return listener.getsockname()[1]

    def through(self, client, server):
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        back = threading.Thread(target=self.copy, args=(server, client), daemon=True)
        back.start()
        self.copy(client, server)
        with self.lock:  # the client has closed: it counts no longer, whatever is on its way to it
            self.inside -= 1
        back.join()

    @staticmethod
    def copy(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        for listener in self.listeners:
            listener.close()


def played(tmp_path, name, more=""):
    """The stories, four at a time, and the most connections that were open."""
    with reference_server.server(users=40) as server:
        doors = Doors(server)
        target = tmp_path / f"{name}.yaml"
        target.write_text("target: doors\n" + "".join(f"{protocol}: [{{port: {doors.ports[protocol]}}}]\n"
                                                       for protocol in ("imap", "pop3", "lmtp"))
                          + "accounts:\n  - {login: 'user%04d', address: 'user%04d@example.test', first: 1, count: 40, "
                            "password_env: MAILPROOF_PASSWORD}\n" + more)
        ran = tool.mailproof("run", *STORIES, "--target", target, "--jobs", 4, "--out", tmp_path / name,
                             env={**tool.ENVIRONMENT, "MAILPROOF_PASSWORD": reference_server.PASSWORD}, timeout=120)
        doors.close()
    return ran, tool.complete_run(tmp_path / name), doors.most


def test_scenarios_wait_for_each_other_where_an_address_may_not_have_more(tmp_path):
    ran, written, most = played(tmp_path, "free")
    assert ran.status == 0 and most > 6, (most, ran.text)
    ran, written, most = played(tmp_path, "bound", "connections: {address: 6}\n")
    assert ran.status == 0 and most <= 6, (most, ran.text)
    assert {one["verdict"] for one in written["scenarios"]} == {"pass"}, ran.text


def test_a_story_that_needs_more_is_not_applicable_and_says_how_many(tmp_path):
    ran, written, most = played(tmp_path, "few", "connections: {user: 3, address: 6}\n")
    notes = {one["id"]: one["note"] for one in written["scenarios"] if one["verdict"] == "not-applicable"}
    assert "sync.read-on-phone-read-everywhere" in notes and most <= 6, (most, ran.text)
    assert all("the target file allows" in note for note in notes.values()), notes
    assert "mixed.pop-leave-on-server-is-safe" not in notes, notes
