"""`explain` tells one message's life of an old run: each line with how sure it is and its place in the wire log, a verdict in words of
a fixed list, and the command that shows it again."""
import json
import re
import shutil

import pytest

import tool

POP = "mixed.pop-download-empties-the-phone"
SYNC = "sync.offline-device-catches-up-by-qresync"
LINE = re.compile(r"^ +(\d+\.\d{3}) s  (certain|inferred|unknown)  +([a-z ]+?)  +(\S+)  +(.*?)  \[(lines? [\d-]+|event \d+)\]$", re.M)


def played(folder, *arguments):
    tool.mailproof("run", "--sim", *arguments, "--out", folder)
    return folder


@pytest.fixture(scope="module")
def pop(tmp_path_factory):
    """A POP client that deletes on download, on a server whose QUIT removes nothing: it fails, so that the bytes are kept."""
    return played(tmp_path_factory.mktemp("explain") / "pop", POP, "--defect", "pop3.quit-deletes-nothing")


@pytest.fixture(scope="module")
def stale(tmp_path_factory):
    return played(tmp_path_factory.mktemp("explain") / "stale", SYNC, "--defect", "imap.qresync-misses-expunge")


def explained(*arguments):
    ran = tool.mailproof("explain", *arguments)
    assert ran.status == 0, ran.text
    return ran.out


def lines(text):
    return [(word, who, what) for _, _, word, who, what, _ in LINE.findall(text)]


def test_what_a_pop_client_did_with_a_mail_is_told_over_all_sessions(pop):
    text = explained(pop, "mail.2")
    told = lines(text)
    words = [word for word, _, _ in told]
    assert words[0] == "sent" and words[1] == "accepted"
    assert ("asked", "pc#1", "DELE 2") in told and ("confirmed", "pc#1", "QUIT +OK") in told
    assert any(word == "downloaded" and who == "phone#1" for word, who, _ in told)
    assert any(word == "present" and who.startswith("audit#") for word, who, _ in told)
    assert text.startswith(f"mail.2 of {POP}: still there, not removed though asked for\n") and "Found:       fail " in text
    times = [float(found[0]) for found in LINE.findall(text)]
    assert times == sorted(times) and len(times) == len(told)
    assert f"Reproduce:   mailproof run {POP} --sim --defect pop3.quit-deletes-nothing --seed 1" in text
    assert re.search(r"^    pc#1 +pop3 sim:110 ", text, re.M)


def test_a_place_in_the_wire_log_is_the_place(pop):
    run = json.loads(explained(pop, "mail.1", "--json"))
    assert len(run["messages"]) == 1
    life = run["messages"][0]["life"]
    seen = 0
    for line in life:
        if "wire" not in line:
            continue
        log = (pop / line["wire"]["file"]).read_text("utf-8").splitlines()
        text = "\n".join(log[line["wire"]["first"] - 1:line["wire"]["last"]])
        wanted = {"accepted": "S: 250 2.0.0", "confirmed": "S: +OK", "asked": "S: +OK"}.get(line["word"])
        if wanted:
            assert wanted in text, (line, text)
            seen += 1
        # What the event says of the time is what the log says; what the scenario wants is looked at without anything coming.
        if line["word"] not in ("as wanted", "missed"):
            assert text.startswith(f"{line['at']:.3f} "), (line, text)
    assert seen >= 3


def test_without_a_message_those_that_did_not_end_as_expected_are_told(stale):
    text = explained(stale)
    assert re.findall(r"^(\S+) of (\S+): (.*)$", text, re.M) == [("mail.6", SYNC, "removed by a client, told wrongly")]
    assert explained(stale, "all") == text
    told = lines(text)
    assert any(word == "missed" and who == "laptop#2" and "the device has UID 6" in what for word, who, what in told)
    assert any(word == "told gone" and who == "phone#1" for word, who, _ in told)
    assert "first absent at" in text


def test_a_mail_that_was_lost_is_lost(tmp_path):
    run = played(tmp_path / "run", "sync.sent-copy-appears-everywhere", "--defect", "imap.append-ok-but-absent")
    text = explained(run)
    assert text.startswith("sent.1 of sync.sent-copy-appears-everywhere: lost\n")
    assert [word for word, _, _ in lines(text)][0] == "saved"
    sure = {sure for _, sure, word, *_ in LINE.findall(text) if word == "absent"}
    assert sure == {"inferred"}


def test_a_run_in_which_all_went_well_has_nothing_to_explain_and_any_message_has_a_life(tmp_path):
    run = played(tmp_path / "run", POP)
    assert "ended as expected" in explained(run)
    text = explained(run, "mail.1")
    assert text.startswith(f"mail.1 of {POP}: removed by a client\n")
    # In simulation the bytes of what passed are not kept: the place is the history's.
    assert re.search(r"\[event \d+\]$", text, re.M) and "its bytes were not kept" in text
    assert "Local copy:  pc (downloaded at" in text


def test_a_message_is_named_by_name_set_id_or_subject(tmp_path):
    story = tmp_path / "story.yaml"
    story.write_text("id: test.names\nneeds: [imap, delivery]\naccounts: [alice]\n"
                     "devices: {mta: {delivers: any}, phone: {imap: alice}}\nsteps:\n"
                     "  - mta: {deliver: mail, to: alice, count: 2}\n"
                     "  - mta: {deliver: invoice, to: alice, subject: 'Rechnung März'}\n"
                     "  - phone: {see: mail}\n")
    run = played(tmp_path / "run", story, "--defect", "delivery.duplicate")
    def named(word):
        return re.findall(r"^(\S+) .*of test\.names: ", explained(run, word), re.M)
    assert named("mail") == ["mail.1", "mail.2"]
    assert named("mail.2") == ["mail.2"]
    assert named("rechnung") == ["invoice.1"] and named("invoice.1") == ["invoice.1"]
    logs = "".join(path.read_text("utf-8") for path in sorted(run.glob("wire/*/*lmtp.log")))
    ids = re.findall(r"Message-ID: (<\S+>)", logs)
    subjects = re.findall(r"Subject: (mail 2: .*)", logs)
    assert named(ids[1]) == ["mail.2"] and named(ids[1].strip("<>")) == ["mail.2"] and named(subjects[0]) == ["mail.2"]
    wrong = tool.mailproof("explain", run, "mial.1")
    assert wrong.status == 2 and "did you mean 'mail.1'" in wrong.err
    assert tool.mailproof("explain", run, "<1@example.org>").status == 2


def test_one_of_several_scenarios_is_named(stale, tmp_path):
    stale = played(tmp_path / "several", "scenarios/sync", "--defect", "imap.qresync-misses-expunge")
    text = explained(stale, "mail.1", "--scenario", SYNC)
    assert re.findall(r"^mail\.1 of (\S+): ", text, re.M) == [SYNC]
    wrong = tool.mailproof("explain", stale, "--scenario", SYNC[:-1])
    assert wrong.status == 2 and f"did you mean '{SYNC}'" in wrong.err
    several = re.findall(r"^mail\.1 of (\S+): ", explained(stale, "mail.1"), re.M)
    assert len(several) > 3 and SYNC in several


def test_the_page_has_a_lane_for_each_session_and_stands_alone(stale, tmp_path):
    page = tmp_path / "page.html"
    explained(stale, "mail.6", "--scenario", SYNC, "--html", page)
    html = page.read_text("utf-8")
    for lane in ("mta#1", "phone#1", "laptop#1", "laptop#2", "audit#"):
        assert re.search(rf'class="head"[^>]*>{lane}', html), lane
    assert html.count('<path class="way"') == 1 and html.count("<circle") > 10
    assert "told wrongly" in html
    assert not re.search(r'(src|href)="|<script|@import|url\(', html)


def test_the_copies_that_a_load_keeps_are_explained(tmp_path):
    ran = tool.mailproof("load", "--sim", POP, "--copies", 3, "--defect", "pop3.quit-deletes-nothing", "--out", tmp_path / "load")
    assert ran.status == 1, ran.text
    text = explained(tmp_path / "load", "--copy", 1)
    heads = re.findall(r"^(\S+) of (\S+), copy (\d+): (.*)$", text, re.M)
    assert heads and {copy for _, _, copy, _ in heads} == {"1"}
    assert "[line" in text and "Reproduce:   mailproof load " in text
    wrong = tool.mailproof("explain", tmp_path / "load", "--copy", 99)
    assert wrong.status == 2 and "--copy 99" in wrong.err


def test_what_is_no_run_is_said(tmp_path):
    ran = tool.mailproof("explain", tmp_path)
    assert ran.status == 2 and "run directory" in ran.err


def test_a_history_that_is_cut_is_told_as_far_as_it_goes(pop, tmp_path):
    copy = tmp_path / "cut"
    shutil.copytree(pop, copy)
    path = copy / "history.jsonl"
    path.write_text("".join(path.read_text("utf-8").splitlines(True)[:-40]), "utf-8")
    ran = tool.mailproof("explain", copy, "mail.1")
    assert ran.status == 0 and "is not whole" in ran.err and "accepted" in ran.out
    # What is missing may explain what was seen: nobody is accused.
    assert "Found:       fail" not in ran.out and "not removed though" not in ran.out
