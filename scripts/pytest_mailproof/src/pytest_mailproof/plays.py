"""Which items are played by one process of the tool, and how all workers of a session share what it found.

A check takes milliseconds, and the tool plays on a server in one process at a time (it locks the target file): so the items
of a batch, usually all that were selected, are played by one, several at a time; an item that is selected alone plays alone.
The first that needs the batch plays it; other workers of pytest-xdist wait and read the same run.json."""
import collections
import json
import re
import tempfile

from .tool import Run, Trouble, locked

ITEM, FILE, SESSION = BATCHES = ("item", "file", "session")
WORST_FIRST = ("error", "fail", "unexpected-pass", "inconclusive", "latitude", "pass", "known-fail", "not-applicable")


class Plays:
    """`folder()` and `testrun` are the same for all workers of a session; another session's files are not believed."""

    def __init__(self, tool, folder, testrun, batch, jobs):
        self.tool, self.folder, self.testrun, self.batch, self.jobs = tool, folder, testrun, batch, jobs
        self.members = collections.defaultdict(list)  # batch -> its items
        self.runs = {}  # batch -> its run, or the Trouble it had
        self.asked = set()

    def selected(self, items):
        """All items of the session that will be played; every worker is told the same."""
        self.members.clear()
        for item in items:
            if not item.left_out:
                self.members[self.key(item)].append(item)

    def key(self, item):
        return {ITEM: item.nodeid, FILE: item.parent.nodeid, SESSION: "all"}[self.batch]

    def entry(self, item):
        """The item's entry in run.json, the worst of several; None if the tool left it out or would. An item that is asked
        for again (a rerun) is played again, alone."""
        if item.left_out:
            return None
        if item.nodeid in self.asked:
            run = self.run([item], tempfile.mkdtemp(prefix="again-", dir=self.folder()))
        else:
            self.asked.add(item.nodeid)
            run = self.shared(item)
        verdicts = {one["verdict"] for one in run.result["scenarios"]}
        if run.status != 0 and verdicts and verdicts <= {"pass", "latitude"}:
            raise Trouble(f"mailproof ended with {run.status}, though every verdict is good\n{run.err.strip()}")
        entries = [one for one in run.result["scenarios"] if one["id"] == item.name]
        if not entries and run.result["interrupted"]:
            raise Trouble(f"the run was interrupted before {item.name} was played")
        return min(entries, key=lambda one: WORST_FIRST.index(one["verdict"]), default=None)

    def shared(self, item):
        key = self.key(item)
        if key not in self.runs:
            try:
                self.runs[key] = self.once(key, self.members[key])
            except Trouble as trouble:
                self.runs[key] = trouble
        if isinstance(self.runs[key], Trouble):
            raise self.runs[key]
        return self.runs[key]

    def once(self, key, items):
        folder = self.folder() / re.sub(r"[^A-Za-z0-9._-]+", "-", key)[-200:]
        folder.mkdir(parents=True, exist_ok=True)
        done = folder / "done.json"
        with locked(folder / "lock"):
            kept = json.loads(done.read_text()) if done.exists() else {}
            if kept.get("testrun") != self.testrun:
                kept = {"testrun": self.testrun, "trouble": None, "status": None}
                try:
                    kept["status"] = self.run(items, folder).status
                except Trouble as trouble:
                    kept["trouble"] = str(trouble)
                done.write_text(json.dumps(kept))
        if kept["trouble"]:
            raise Trouble(kept["trouble"])
        return Run.read(kept["status"], folder)

    def without_a_word(self):
        """What ended in this session, of all workers, if none of it says anything about the server: the tool ends with 3
        there. "" = something does, or nothing was played."""
        seen, statuses = collections.Counter(), set()
        for done in self.folder().glob("*/done.json"):
            kept = json.loads(done.read_text())
            if kept["testrun"] != self.testrun or kept["trouble"]:
                continue
            run = Run.read(kept["status"], done.parent)
            seen.update(one["verdict"] for one in (run.result or {}).get("scenarios", []))
            statuses.add(run.status)
        if not seen or not set(seen) <= {"not-applicable", "known-fail"} or not any(statuses):
            return ""
        return ", ".join(f"{count} {verdict}" for verdict, count in sorted(seen.items()))

    def run(self, items, folder):
        wanted = collections.Counter(item.parent for item in items)
        arguments = [file.shown for file in wanted]
        if any(count < file.holds for file, count in wanted.items()):
            for item in items:
                arguments += ["--only", item.name]
        if not self.tool.has("--jobs"):
            arguments += ["--jobs", str(self.jobs)]
        return self.tool.run(*arguments, directory=folder)
