"""What the pages say is so: links lead somewhere, files and flags that they name exist, commands that need no server are run and
print what the page shows, and every page is found from the first one."""
import importlib.machinery
import importlib.util
import json
import os
import re
import shlex
import subprocess

import pytest

import tool
from pages import BLOCKS, PAGES, anchor, goal, headings, links, without_blocks
from reference_server import BINARY, ROOT

FRONT = "README.md"
HOUSE = "harness/README.md"
# Of a mail server's project, and of a machine: what a page names and this project has not.
READERS_OWN = {"accepted.json", "accounts.csv", "mailproof-baseline.json", "mailproof-target.yaml", "mail-server.log", "migration.yaml",
               "node-7.yaml", "our-server.yaml", ".gitlab-ci.yml", "sysexits.h"}


def script(path):
    """A program of the project without an ending, as a module."""
    loader = importlib.machinery.SourceFileLoader(path.replace("/", "_").replace("-", "_"), str(ROOT / path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def code(text):
    """All that a page shows as code: between fences, indented, between backticks."""
    fenced = re.findall(r"^```\w*\n(.*?)^```$", text, re.S | re.M)
    rest = without_blocks(text)
    return [*fenced, *re.findall(r"^    .*$", rest, re.M), *re.findall(r"`([^`]+)`", re.sub(r"^    .*$", "", rest, flags=re.M))]


# --- that they are found

def test_the_front_page_is_short():
    assert len(PAGES[FRONT].splitlines()) <= 200


@pytest.mark.parametrize("page", PAGES)
def test_no_link_is_dead(page):
    for link in links(PAGES[page]):
        path, wanted = goal(page, link)
        assert path.exists(), f"{page}: {link}"
        if wanted:
            assert wanted in map(anchor, headings(path.read_text("utf-8"))), f"{page}: {link}: no such heading"


def test_every_page_is_found_from_the_front_page():
    found, ahead = set(), [FRONT]
    while ahead:
        page = ahead.pop()
        if page in found or page not in PAGES:
            continue
        found.add(page)
        ahead += [str(goal(page, link)[0].resolve().relative_to(ROOT)) for link in links(PAGES[page])]
    assert found == set(PAGES)


SOURCES = [path for top in ("harness", "scripts", "ci", "fixtures", "scenarios", "reports") for path in (ROOT / top).rglob("*")
           if path.is_file() and path.suffix in ("", ".h", ".cc", ".py", ".json", ".yml", ".sh")]


def test_sources_that_send_somebody_to_a_page_send_him_to_one_that_exists():
    sent = 0
    for path in SOURCES:
        text = re.sub(r"\n\s*(///?|#) ?", " ", path.read_text("utf-8"))
        for page, heading in re.findall(r'\b((?:[\w-]+/)*(?:README|DESIGN|CONTRIBUTING|targets)\.md)\b(?:, \\?"([A-Z][\w ,\'-]+)\\?")?', text):
            if not (path.parent / page).exists():  # a folder's own, or by its place in the project
                assert page in PAGES, f"{path}: {page}"
                sent += 1
                assert not heading or heading in headings(PAGES[page]), f"{path}: {page} has no heading {heading}"
    assert sent > 5


# --- that what they name exists

def exists(place):
    return any(ROOT.glob(place)) if "*" in place else (ROOT / place).exists()


@pytest.mark.parametrize("page", PAGES)
def test_files_and_folders_that_a_page_names_exist(page):
    tops = "harness|scenarios|scripts|ci|fixtures|reports"
    for text in code(PAGES[page]):
        for place in re.findall(rf"(?<![\w./-])(?:mailproof/)?((?:{tops})/[\w./*<>-]*)", text):
            place = place.rstrip(".")
            if "<" not in place:
                assert exists(place), f"{page} names {place}"


def names_of_files():
    return {str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if not {"build", ".git", "runs"} & set(path.relative_to(ROOT).parts)}


def what_runs_leave(folder):
    """The names of all files that runs, a load and a search for capacity leave in their directories."""
    tool.mailproof("run", "--sim", tool.STORY, "--defect", "delivery.accepts-and-drops", "--out", folder / "first")
    tool.mailproof("run", "--sim", tool.STORY, "--baseline", folder / "first", "--out", folder / "second")
    tool.mailproof("load", "--sim", "mixed.pop-download-empties-the-phone", "--copies", 1, "--out", folder / "load")
    tool.mailproof("capacity", "--sim", "--profile", "pop-delete", "--accounts", 1, "--most", 1, "--step-for", "1s", "--out", folder / "capacity")
    return {path.name for run in ("first", "second", "load", "capacity") for path in (folder / run).iterdir()}


def what_a_matrix_leaves(folder):
    tool.mailproof("matrix", "--out", folder / "table", f"before={folder / 'first'}", f"after={folder / 'second'}")
    return {path.name for path in (folder / "table").iterdir()}


@pytest.fixture(scope="module")
def runs_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def left(runs_folder):
    return what_runs_leave(runs_folder)


@pytest.fixture(scope="module")
def compared(left, runs_folder):
    return what_a_matrix_leaves(runs_folder)


@pytest.mark.parametrize("page", PAGES)
def test_a_file_that_a_page_names_by_its_end_is_somewhere(page, left, compared):
    files = names_of_files()
    for text in re.findall(r"`([^`\n]+)`", without_blocks(PAGES[page])):
        for name in re.findall(r"(?<![\w./*<$-])([\w.][\w./-]*\.(?:yaml|yml|json|jsonl|py|cc|h|md|tsv|css|html|xml|csv|log))\b", text):
            name = name.removeprefix("../")
            known = name in left | compared | READERS_OWN or name.rpartition("/")[2] in READERS_OWN or name.startswith(".github/")
            assert known or any(("/" + file).endswith("/" + name) for file in files), f"{page} names {name}"


def test_the_page_about_runs_names_all_that_they_leave(left):
    page = PAGES["reports/README.md"]
    first_table = page[:page.index("## Verdicts")]
    named = {name.rstrip("/") for row in re.findall(r"^\| (`.*?) \|", first_table, re.M) for name in re.findall(r"`([^`]+)`", row)}
    assert named == left


# --- that what they say can be typed

def commands():
    """Every use of the program on a page: the page, the words behind `mailproof`."""
    for page, text in PAGES.items():
        for part in code(text):
            for line in part.replace("\\\n", " ").splitlines():
                found = re.match(r"\s*(?:\$ )?(?:build/release/)?mailproof ([a-z]+)\b(.*)", line)
                if found and not line.strip().startswith("mailproof:"):
                    yield page, found[1], re.split(r"\s#|\s{3,}|&&|\|", found[2])[0]


COMMANDS = sorted(set(commands()))


@pytest.fixture(scope="module")
def helps():
    top = tool.mailproof("--help").out
    found = {name: tool.mailproof(name, "--help").out for name in re.findall(r"^  ([a-z]+) ", top, re.M)}
    assert "run" in found and "prove" in found
    return found


@pytest.mark.parametrize("page, command, rest", COMMANDS, ids=[f"{page}:{command}{rest[:60]}" for page, command, rest in COMMANDS])
def test_a_command_of_a_page_is_one_that_the_program_knows(page, command, rest, helps):
    assert command in helps, f"mailproof {command}"
    for flag in re.findall(r"(?<!\S)(--[a-z-]+)", rest):
        assert re.search(rf"{flag}\b", helps[command]), f"mailproof {command} {flag}"


@pytest.mark.parametrize("page", PAGES)
def test_flags_that_a_page_names_alone_exist(page, helps):
    others = [ROOT / "scripts/test", ROOT / "scripts/setup", ROOT / "scripts/pytest_mailproof/src/pytest_mailproof/plugin.py"]
    known = "".join(helps.values()) + "".join(path.read_text("utf-8") for path in others)
    for text in re.findall(r"`(--[a-z][\w-]*)[^`]*`", without_blocks(PAGES[page])):
        # The plugin makes its options of the words behind --mailproof-.
        assert text in known or text.removeprefix("--mailproof-") in known, f"{page} names {text}"


def test_ids_in_commands_are_those_of_scenarios_and_defects():
    ids = {one["id"] for folder in ([], ["scenarios/behaviour"]) for one in json.loads(tool.mailproof("list", "--json", *folder).out)}
    sections = {identity.rpartition(".")[0] for identity in ids}
    switches = {f"--{one} ": {line.split()[0] for line in tool.mailproof("server", f"--list-{one}s").out.splitlines()}
                for one in ("defect", "latitude")}
    named = [(page, found) for page, command, rest in COMMANDS if command in ("run", "load", "prove")
             for found in re.findall(r"(?<!\S)(--defect |--latitude )?([a-z0-9]+\.[a-z0-9.-]+)(?!\S)", rest) if not found[1].endswith((".yaml", ".json")) and ".." not in found[1]]
    assert len(named) > 5
    for page, (switch, word) in named:
        assert word in switches.get(switch, ids | sections), f"{page}: {switch}{word}"


def test_the_throwaways_that_pages_use_are_there():
    verbs = {*script("scripts/servers").ACTIONS, "list"}
    servers = {path.parent.name for path in (ROOT / "fixtures/servers").glob("*/server.py")}
    used = [(page, found) for page, text in PAGES.items() for part in code(text)
            for found in re.findall(r"scripts/servers ([a-z-]+)(?: ([a-z0-9-]+))?", part)]
    assert len(used) > 5
    for page, (verb, name) in used:
        assert verb in verbs and name in servers | {""}, f"{page}: scripts/servers {verb} {name}"
    table = re.findall(r"^\| `([a-z0-9-]+)`.*\| (yes|no) \|$", PAGES["fixtures/README.md"], re.M)
    fixtures = script("scripts/servers").fixtures
    assert sorted(table) == [(name, "yes" if fixtures.module(name).Server.needs_root else "no") for name in sorted(servers)]


# --- that they show what is printed

def shown():
    """Commands of console blocks that need no server, with what the page says they print."""
    for block in BLOCKS:
        if block.kind != "console":
            continue
        for part in re.split(r"^\$ ", block.text, flags=re.M)[1:]:
            line, _, output = part.partition("\n")
            words = shlex.split(line, comments=True)
            sim = "--sim" in words or (words[0].endswith("/mailproof") and words[1] in ("prove", "list", "judge", "explain"))
            if words[0] == "build/release/mailproof" and sim and "--target" not in words:
                yield pytest.param(words, output, id=f"{block.name}:{line[24:80]}")


def comparable(line):
    """How long it took is another time every time."""
    return re.sub(r"\bin \d+\.\d s,", "in a moment,", line.rstrip())


def first_difference(wanted, printed):
    """The first line of a page that is not printed where it should be; `...` stands for any lines."""
    at, anywhere = 0, False
    for line in map(comparable, wanted):
        if line == "...":
            anywhere = True
            continue
        if not line and anywhere:
            continue
        while anywhere and at < len(printed) and comparable(printed[at]) != line:
            at += 1
        if at >= len(printed) or comparable(printed[at]) != line:
            return line
        at, anywhere = at + 1, False
    return None


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A place where the pages' commands work, and leave nothing in the real one."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "build/release").mkdir(parents=True)
    (folder / "build/release/mailproof").symlink_to(BINARY if os.path.isabs(BINARY) else ROOT / BINARY)
    for name in ("scenarios", "fixtures"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.mark.parametrize("words, output", shown())
def test_a_command_that_needs_no_server_prints_what_its_page_shows(checkout, words, output):
    ran = subprocess.run(words, cwd=checkout, capture_output=True, text=True, timeout=120)
    # A bug is found, or it is what a story is shrunk for.
    assert ran.returncode == (1 if "--defect" in words and words[1] != "shrink" else 0), ran.stdout + ran.stderr
    missing = first_difference(output.rstrip("\n").split("\n") if output.strip() else [], ran.stdout.splitlines())
    assert missing is None, f"the page shows\n{missing}\nand this was printed:\n{ran.stdout}"


def test_commands_are_run_and_a_line_that_is_not_printed_is_noticed():
    assert len(list(shown())) >= 8
    printed = ["pass  0.1 s  a", "pass  0.2 s  b", "", "pass: 2 scenarios in 1.5 s, seed 1"]
    assert first_difference(["pass  0.1 s  a", "...", "pass: 2 scenarios in 0.3 s, seed 1"], printed) is None
    assert first_difference(["...", "pass  0.2 s  a"], printed) == "pass  0.2 s  a"
    assert first_difference(["pass  0.2 s  b"], printed) == "pass  0.2 s  b"


# --- that the house is as it is drawn

def house():
    """The rooms as they are drawn, from the top: name -> what stands behind the arrow."""
    drawn = re.search(r"<!-- house -->\n```text\n(.*?)```\n<!-- /house -->", PAGES[HOUSE], re.S)[1]
    rooms = {}
    for line in drawn.splitlines():
        found = re.fullmatch(r"(\w+) +(\S.*?) +->(.*)", line)
        assert found, line
        rooms[found[1]] = re.sub(r"[()]", " ", found[3])
    return rooms


def test_the_house_is_drawn_as_check_layers_has_it():
    layers = script("ci/check-layers")
    rooms = house()
    assert sorted(rooms) == sorted(path.name for path in (ROOT / "harness").iterdir() if path.is_dir())
    for place, (room, uses) in enumerate(rooms.items()):
        if room in layers.EVERYTHING:
            assert uses.split() == ["everything"], room
            continue
        wanted = [word for word in layers.ROOMS[room]]
        assert re.findall(r"boost/\w+|[\w-]+", uses) == wanted, f"{room}: {wanted}"
        assert all(below in list(rooms)[place + 1:] for below in wanted if below in rooms), f"{room} stands below what it uses"


def test_what_cmake_links_is_held_to_the_same_table():
    layers = script("ci/check-layers")
    lines = (ROOT / "CMakeLists.txt").read_text()
    assert layers.linked(lines) == []
    for line, other in (("mailproof_room(stats USES core)", "mailproof_room(stats USES core wire)"),
                        ("mailproof_room(sim USES core server)", "mailproof_room(sim USES core)"), ("mailproof_room(mail USES core)\n", "")):
        assert line in lines and len(layers.linked(lines.replace(line, other))) == 1, line
