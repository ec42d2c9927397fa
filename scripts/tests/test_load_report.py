"""What a load leaves: the files of a run, figures that add up second by second, a page that needs nothing else; and shards
that merge into what one process reports."""
import html.parser
import json
import re
import time
import xml.etree.ElementTree as ElementTree

import jsonschema
import pytest

import reference_server
import tool
from reference_server import ROOT
from test_load import target_file

POP = "mixed.pop-download-empties-the-phone"
READ = "sync.read-on-phone-read-everywhere"
FILES = ["findings.json", "history.jsonl", "junit.xml", "report.html", "run.json", "stats.json", "summary.md"]


def load(out, *arguments, status=0):
    ran = tool.mailproof("load", *arguments, "--out", out)
    assert ran.status == status, ran.text
    return ran


def read(out, name):
    return json.loads((out / name).read_text("utf-8"))


def schema(name):
    return json.loads((ROOT / "reports" / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A load with a bug in it, so that something is found."""
    out = tmp_path_factory.mktemp("load") / "run"
    load(out, POP, READ, "--sim", "--copies", 30, "--rate", "10/s", "--for", "12s", "--defect", "delivery.drops-one-in-200",
         status=1)
    return out


def test_leaves_what_a_run_leaves(played):
    assert sorted(one.name for one in played.iterdir() if one.is_file()) == FILES
    run, stats = read(played, "run.json"), read(played, "stats.json")
    jsonschema.validate(run, schema("run.schema.json"))
    jsonschema.validate(stats, schema("stats.schema.json"))
    assert run["verdict"] == stats["verdict"] == "fail"
    assert [one["id"] for one in run["scenarios"]] == [POP, READ, "load.generator", "load.arrivals", "load.ledger"]
    assert read(played, "findings.json")["findings"][0]["id"].endswith("/loss/lost")
    junit = ElementTree.parse(played / "junit.xml").getroot()
    assert junit.get("failures") == "2" and junit.get("tests") == "5"
    summary = (played / "summary.md").read_text("utf-8")
    assert summary.startswith("# mailproof: fail") and "| imap.fetch |" in summary and "The same again:" in summary


def test_the_command_repeats_it(played, tmp_path):
    command = read(played, "run.json")["load"]["command"]
    assert command.startswith("mailproof load ")
    load(tmp_path / "again", *command.split()[2:], status=1)
    assert (tmp_path / "again/stats.json").read_bytes() == (played / "stats.json").read_bytes()


def test_the_seconds_add_up_to_the_whole(played):
    stats = read(played, "stats.json")
    for story in stats["stories"]:
        for name, operation in story["operations"].items():
            slices = operation["slices"]
            for column in ("started", "ok", "fail", "info"):
                assert sum(slices[column]) == operation[column], (name, column)
            assert sum(slices["due"]) == operation["intended"]
            counts = sum(sum(one[1::2]) for one in slices["response"])
            assert counts == operation["response"]["count"] == sum(bucket[2] for bucket in operation["response"]["buckets"])
        moved = story["octets"]
        assert sum(moved["in"]) > 0 and sum(moved["out"]) > 0
        # Copies under way: the mean of each second; together the time that all copies took.
        under_way = sum(story["over_time"]["running"]["area_ns"]) / 1e9
        assert 0 < under_way < 120 * 12


def test_the_audit_is_counted_apart(played):
    for story in read(played, "stats.json")["stories"]:
        assert story["audit"]["operations"]["imap.fetch"]["ok"] > 0 and sum(story["audit"]["octets"]["in"]) > 0
    # A POP3 session a copy, the download; the audit's own sessions are in no figure of the load.
    pop = read(played, "stats.json")["stories"][0]
    assert pop["operations"]["pop3.connect"]["ok"] == pop["ledger"]["copies"]


def test_errors_come_with_what_went_over_the_wire(tmp_path):
    load(tmp_path / "run", "quota.account-quota-blocks-all-its-mailboxes", "--sim", "--copies", 4, "--rate", "4/s")
    samples = read(tmp_path / "run", "stats.json")["samples"]
    errors, shown = next(iter(samples.items()))
    assert errors.startswith("lmtp.deliver: ") and len(shown) <= 3
    assert [one["copy"] for one in shown] == sorted(one["copy"] for one in shown)
    assert re.search(r"S: .*(452|552)", shown[0]["text"]), shown
    page = (tmp_path / "run/report.html").read_text("utf-8")
    assert "<details open><summary>" in page and "quota" in page.lower()


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self.words, self.inside = [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = tag
        if tag == "script":
            self.scripts.append([dict(attributes), ""])

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts[-1][1] += data
        elif self.inside != "style":
            self.words.append(data)


def test_one_page_that_needs_nothing_else(played):
    text = (played / "report.html").read_text("utf-8")
    page = Page(text)
    assert not [tag for tag, attributes in page.tags if tag in ("link", "img", "iframe") or "src" in attributes]
    for _, attributes in page.tags:
        assert attributes.get("href", "#").startswith("#"), attributes
    assert "Permission is hereby granted" in text, "uPlot goes with its licence"
    words = " ".join(page.words)
    assert words.index("fail") < words.index("Operations"), "the verdict comes first"
    for part in ("imap.fetch", "deliveries attempted", "generator on", "The same again:"):
        assert part in words, part
    data = json.loads(page.scripts[0][1])
    assert page.scripts[0][0] == {"type": "application/json", "id": "data"}
    stats = read(played, "stats.json")
    for operation in data["operations"]:
        done = sum(operation["ok"]) * data["seconds"]
        assert done == pytest.approx(stats["operations"][operation["name"]]["ok"], rel=0.01)
        assert sum(sum(column[1:]) for column in operation["heat"]["columns"]) == stats["operations"][operation["name"]]["response"]["count"]


def test_ten_minutes_fit_half_a_megabyte(tmp_path):
    load(tmp_path / "run", POP, "--sim", "--copies", 4, "--rate", "0.5/s", "--for", "10m")
    assert (tmp_path / "run/report.html").stat().st_size < 500_000
    stats = read(tmp_path / "run", "stats.json")
    assert len(stats["operations"]["imap.fetch"]["slices"]["ok"]) == 599  # the last copy is due after 598 s


# --- shards

def shards(tmp_path, *arguments, which=(1, 2, 3), of=3):
    for k in which:
        load(tmp_path / f"s{k}", *arguments, "--shard", f"{k}/{of}")
    return [tmp_path / f"s{k}" for k in which]


@pytest.mark.parametrize("stories", [[POP], [POP, READ]])
def test_merged_shards_are_what_one_process_reports(stories, tmp_path):
    arguments = [*stories, "--sim", "--copies", 12, "--rate", "6/s", "--for", "6s"]
    parts = shards(tmp_path, *arguments)
    whole = load(tmp_path / "whole", *arguments, "--jobs", 3)
    merged = tool.mailproof("merge", *reversed(parts), "--out", tmp_path / "merged")
    assert merged.status == 0, merged.text
    assert (tmp_path / "merged/stats.json").read_bytes() == (tmp_path / "whole/stats.json").read_bytes()
    assert merged.out.splitlines()[:-1] == whole.out.splitlines()[:-1]  # the last line is the directory
    assert sorted(one.name for one in (tmp_path / "merged").iterdir()) == FILES
    run = read(tmp_path / "merged", "run.json")
    assert run["verdict"] == "pass" and "--shard" not in run["load"]["command"]


def test_a_missing_shard_comes_first_and_voids_it(tmp_path):
    parts = shards(tmp_path, POP, "--sim", "--copies", 6, which=(1, 3))
    merged = tool.mailproof("merge", *parts, "--out", tmp_path / "merged")
    assert merged.status == 3 and merged.out.startswith("SHARD 2 OF 3 IS MISSING"), merged.text
    assert read(tmp_path / "merged", "stats.json")["verdict"] == read(tmp_path / "merged", "run.json")["verdict"] == "inconclusive"
    page = (tmp_path / "merged/report.html").read_text("utf-8")
    assert "SHARD 2 OF 3 IS MISSING" in page


def test_shards_of_different_loads_are_refused(tmp_path):
    first, = shards(tmp_path, POP, "--sim", "--copies", 6, which=(1,))
    other, = shards(tmp_path, POP, "--sim", "--copies", 6, "--seed", 2, which=(2,))
    ran = tool.mailproof("merge", first, other, "--out", tmp_path / "merged")
    assert ran.status == 2 and "it is of another load" in ran.err and not (tmp_path / "merged").exists()
    whole = tmp_path / "whole"
    load(whole, POP, "--sim", "--copies", 2)
    ran = tool.mailproof("merge", first, whole, "--out", tmp_path / "merged")
    assert ran.status == 2 and "it is no shard of a load" in ran.err


@pytest.mark.parametrize("wrong", ["0/2", "3/2", "2", "a/b", "1/20000"])
def test_a_shard_that_there_is_not(wrong, tmp_path):
    ran = tool.mailproof("load", POP, "--sim", "--shard", wrong, "--out", tmp_path / "run")
    assert ran.status == 2 and f"--shard {wrong}" in ran.err, ran.text


def test_who_is_ready_too_late_says_so_first(tmp_path):
    """A time that has passed: the load begins at once, and nothing of it counts."""
    ran = load(tmp_path / "run", POP, "--sockets", "--copies", 2, "--rate", "10/s", "--shard", "1/2", "--start-at",
               "2020-01-01T00:00:00Z", status=3)
    assert ran.out.startswith("LATE: the mailboxes were looked at"), ran.text
    ran = tool.mailproof("load", POP, "--sockets", "--start-at", "tomorrow", "--out", tmp_path / "other")
    assert ran.status == 2 and "expected a time in UTC" in ran.err


def test_two_processes_play_one_load_on_one_server(tmp_path):
    """Each on accounts of its own, from one moment on; merged, every message of both is accounted for."""
    with reference_server.server(users=8) as server:
        target = target_file(tmp_path, count=8, **{name: server.ports[name] for name in ("imap", "pop3", "lmtp")})
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 6))
        environment = {**tool.ENVIRONMENT, "MAILPROOF_PASSWORD": reference_server.PASSWORD}
        both = [tool.start("load", POP, "--target", target, "--copies", 8, "--rate", "4/s", "--for", "3s", "--shard", f"{k}/2",
                           "--start-at", start, "--out", tmp_path / f"s{k}", env=environment) for k in (1, 2)]
        for ran in map(tool.finish, both):
            assert ran.status == 0 and "of this load: its figures are a part" in ran.out, ran.text
    shards_ = [read(tmp_path / f"s{k}", "stats.json")["shard"] for k in (1, 2)]
    assert all(one["late_ns"] == 0 and one["began"] == start.replace("Z", ".000Z") for one in shards_), shards_
    merged = tool.mailproof("merge", tmp_path / "s1", tmp_path / "s2", "--out", tmp_path / "merged")
    assert merged.status == 0, merged.text
    stats = read(tmp_path / "merged", "stats.json")
    assert stats["played"] == stats["copies"] == 12 and stats["ledger"]["fates"] == {"removed-by-client": 36}
    # Four a second, two from each: in the seconds of the whole the arrivals of both.
    assert stats["operations"]["story"]["slices"]["due"][:3] == [4, 4, 4]


def test_a_load_that_was_interrupted_leaves_all_files(tmp_path):
    process = tool.start("load", POP, "--sockets", "--copies", 20, "--rate", "10/s", "--for", "1m", "--out", tmp_path / "run")
    time.sleep(3)
    process.send_signal(tool.signal.SIGINT)
    ran = tool.finish(process)
    assert ran.status == 3, ran.text
    assert sorted(one.name for one in (tmp_path / "run").iterdir() if one.is_file()) == FILES
    assert read(tmp_path / "run", "run.json")["interrupted"] and read(tmp_path / "run", "stats.json")["interrupted"]
