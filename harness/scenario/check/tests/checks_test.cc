#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenario/scenario.h"

namespace mailproof::scenario {
namespace {

using Op = TalkLine::Op;
using testing::ElementsAre;
using testing::HasSubstr;

std::string file(const std::string& checks) {
  return "id: pop3.1939-5\ntitle: TRANSACTION\nneeds: [pop3]\nmailbox: {messages: 3}\nchecks:\n" + checks;
}
std::string check(const std::string& rest) { return "  - id: one\n    level: MUST\n    title: a title\n" + rest; }
std::string talk(const std::string& lines, const std::string& more = "") {
  std::string out = more + "    talk: |\n";
  for (std::size_t from = 0; from < lines.size();) {
    const auto end = std::min(lines.find('\n', from), lines.size());
    out += "      " + lines.substr(from, end - from) + "\n";
    from = end + 1;
  }
  return check(out);
}

Scenario only(const std::string& text) {
  const auto loaded = parse(text, "file.yaml");
  for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.message();
  EXPECT_EQ(loaded.scenarios.size(), 1U);
  return loaded.scenarios.empty() ? Scenario() : loaded.scenarios.front();
}
std::string complaint(const std::string& text) {
  const auto loaded = parse(text, "file.yaml");
  EXPECT_TRUE(loaded.scenarios.empty());
  return loaded.problems.empty() ? "" : loaded.problems.front().message();
}

TEST(Checks, EachIsAScenarioOfItsOwn) {
  const auto loaded =
      parse(file(talk("C: NOOP\nS: +OK") +
                 "  - id: two\n    level: SHOULD\n    title: t\n    talk: |\n      C: STAT\n      S: +OK\n"),
            "f");
  ASSERT_EQ(loaded.scenarios.size(), 2U);
  EXPECT_EQ(loaded.scenarios[0].id, "pop3.1939-5.one");
  EXPECT_EQ(loaded.scenarios[1].id, "pop3.1939-5.two");
  EXPECT_EQ(loaded.scenarios[1].check->level, Level::should);
  EXPECT_EQ(loaded.scenarios[0].steps.size(), 1U) << "the mailbox is filled first";
  EXPECT_EQ(loaded.scenarios[0].steps[0].get<Deliver>().count, 3);
  EXPECT_EQ(loaded.scenarios[0].check->first.standing, Standing::authenticated);
}

TEST(Checks, EnableIsSaidWhileNoMailboxIsOpen) {
  const auto said = [](const std::string& state, const std::string& lines) {
    return parse("id: enable.5161-3.1\ntitle: t\nneeds: [imap]\nstate: " + state + "\nchecks:\n" + talk(lines), "f");
  };
  const std::string enable = "C: ENABLE X-NEW\nS: OK";
  for (const auto& [state, lines] : {std::pair<std::string, std::string>{"selected", enable},
                                     {"authenticated", "C: SELECT INBOX\nP: OK\n" + enable},
                                     {"authenticated", "C: e1 examine INBOX\nP: OK\n" + enable},
                                     {"authenticated", "connect: imap selected\n" + enable}}) {
    const auto loaded = said(state, lines);
    ASSERT_FALSE(loaded.problems.empty()) << lines;
    EXPECT_THAT(loaded.problems.front().message(), HasSubstr("ENABLE where no mailbox is open")) << lines;
  }
  for (const std::string& lines : {enable, "C: SELECT INBOX\nP: OK\nC: CLOSE\nP: OK\n" + enable,
                                   "2> connect: imap selected\n2> C: NOOP\n2> P: OK\n" + enable})
    EXPECT_TRUE(said("authenticated", lines).problems.empty()) << lines;
}

TEST(Checks, WhatACheckSaysItselfComesBeforeItsFile) {
  const auto one = only(file(
      talk("S: +OK",
           "    mailbox: [plain, dots-20, {kind: edge-4096, via: append}]\n    state: greeting\n    tls: implicit\n")));
  ASSERT_EQ(one.steps.size(), 3U);
  EXPECT_EQ(one.steps[1].get<Deliver>().kind, MessageKind::dots);
  EXPECT_EQ(one.steps[1].get<Deliver>().size, 20U);
  EXPECT_EQ(one.steps[2].get<Deliver>().kind, MessageKind::edge);
  EXPECT_EQ(one.steps[2].get<Deliver>().via, Way::append);
  EXPECT_EQ(one.check->first.standing, Standing::greeting);
  EXPECT_EQ(one.check->first.tls, TalkTls::implicit);
}

TEST(Checks, TheFirstWordOfTheIdTellsTheProtocol) {
  for (const std::string id : {"imap.9051-6.4.9", "condstore.7162-3.1", "id.2971-3.1", "quota.9208-4.1.2"}) {
    const auto one = only("id: " + id + "\ntitle: t\nchecks:\n" + talk("C: NOOP\nS: OK"));
    EXPECT_EQ(one.check->first.protocol, Protocol::imap) << id;
    EXPECT_EQ(one.check->first.standing, Standing::selected) << id;
  }
  for (const std::string id : {"pop3.1939-5", "x", "identity.acme", "imaginary.1-1"}) {
    const auto one = only("id: " + id + "\ntitle: t\nchecks:\n" + talk("C: NOOP\nS: +OK"));
    EXPECT_EQ(one.check->first.protocol, Protocol::pop3) << id;
  }
}

TEST(Checks, AMessageOfItsOwnIsAppendedAsItIsWritten) {
  const auto one = only(file(talk("C: NOOP\nS: +OK",
                                  "    mailbox:\n      - plain\n      - mime: |\n          From: a@example.org\n"
                                  "          Subject: x\n           y\n\n          text\n"
                                  "      - mime: \"From: b\\n\\na\\rb\\xff\\n\"\n")));
  ASSERT_EQ(one.steps.size(), 3U);
  EXPECT_EQ(one.steps[0].get<Deliver>().mime, "");
  EXPECT_EQ(one.steps[1].get<Deliver>().mime, "From: a@example.org\r\nSubject: x\r\n y\r\n\r\ntext\r\n");
  EXPECT_EQ(one.steps[1].get<Deliver>().via, Way::append);
  EXPECT_EQ(one.steps[2].get<Deliver>().mime, "From: b\r\n\r\na\rb\u00ff\r\n") << "YAML's escapes are characters";
}

TEST(Checks, AMessageOfItsOwnHasNoStampOfItsOwn) {
  const auto with = [](const std::string& mime) {
    return complaint(file(talk("C: NOOP\nS: +OK", "    mailbox: [{mime: \"" + mime + "\"}]\n")));
  };
  EXPECT_THAT(with("From: a\\nmessage-id: <a@b>\\n\\nx"), HasSubstr("no Message-ID in it"));
  EXPECT_THAT(with("X-Mailproof: v1\\n\\nx"), HasSubstr("no X-Mailproof in it"));
  EXPECT_THAT(with("From: a\\n"), HasSubstr("a header, a blank line and a body"));
  only(file(talk("C: NOOP\nS: +OK", "    mailbox: [{mime: \"From: a\\n\\nMessage-ID: <a@b>\"}]\n")));
  EXPECT_THAT(complaint(file(talk("C: NOOP\nS: +OK", "    mailbox: [{mime: \"A: b\\n\\n\", size: 8KiB}]\n"))),
              HasSubstr("the whole message"));
}

TEST(Talk, NoUntaggedReplyIsLikeThat) {
  const std::string head = "id: imap.9051-7\ntitle: t\nneeds: [imap]\nchecks:\n";
  EXPECT_EQ(only(head + talk("C: NOOP\nS!~: EXPUNGE\nS: OK")).check->talk[1].op, Op::no_regex);
  EXPECT_THAT(complaint(head + talk("C: NOOP\nS!~: EXPUNGE")), HasSubstr("a line that reads the reply"));
  EXPECT_THAT(complaint(file(talk("C: NOOP\nS!~: EXPUNGE\nS: +OK"))), HasSubstr("within the block of a reply"));
}

TEST(Talk, TextsAreComparedOneBehindTheOther) {
  only(file(talk("C: STAT\nS: +OK ${a} ${b}\nsame: ${a} ${b}${a}")));
  EXPECT_THAT(complaint(file(talk("C: STAT\nS: +OK ${a} ${b}\nsame: ${a} ${b}${c}"))),
              HasSubstr("that an S line above binds"));
  EXPECT_THAT(complaint(file(talk("C: STAT\nS: +OK ${a} ${b}\nfewer: ${a} ${b}${a}"))), HasSubstr("a variable alone"));
}

TEST(Talk, ABlockEndsWithADotAndBelongsToItsReply) {
  const auto one =
      only(file(talk("C: LIST\nS: +OK\nS: 1 ${a}\nS: ...\nS~~: ^[0-9]\nS: distinct 2\nS: .\nC: NOOP\nS: +OK")));
  const auto& lines = one.check->talk;
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_TRUE(lines[1].has_block);
  ASSERT_EQ(lines[1].block.size(), 4U);
  EXPECT_EQ(lines[1].block[1].op, Op::any_lines);
  EXPECT_EQ(lines[1].block[2].op, Op::every_regex);
  EXPECT_EQ(lines[1].block[3].op, Op::distinct);
  EXPECT_EQ(lines[1].block[3].number, 2);
  EXPECT_FALSE(lines[3].has_block);
}

TEST(Talk, ConnectionsCountsAlternativesAndInstructionsAreRead) {
  const auto one = only(file(
      talk("2> connect: imap selected tls=starttls\n2> C: NOOP\nC*5: RETR 1\nS*5: +OK ${a} | -ERR | closed\n"
           "2> S2: OK\nwithin: 5s\nquiet: 500ms\nC!: A|B\\|C\ntls: either\ndeliver: 2 dot-lines 8KiB\nsame: ${a} 3")));
  const auto& lines = one.check->talk;
  ASSERT_EQ(lines.size(), 11U);
  EXPECT_EQ(lines[0].connection, 2);
  EXPECT_EQ(lines[0].connect.protocol, Protocol::imap);
  EXPECT_EQ(lines[0].connect.standing, Standing::selected);
  EXPECT_EQ(lines[0].connect.tls, TalkTls::starttls);
  EXPECT_EQ(lines[2].count, 5);
  EXPECT_THAT(lines[3].alternatives, ElementsAre("+OK ${a}", "-ERR", "closed"));
  EXPECT_EQ(lines[4].command, 2);
  EXPECT_EQ(lines[5].span, std::chrono::seconds(5));
  EXPECT_EQ(lines[7].text, "A|B\\|C");
  EXPECT_EQ(one.steps.at(lines[9].delivery).get<Deliver>().count, 2);
  EXPECT_EQ(one.steps.at(lines[9].delivery).get<Deliver>().size, 8192U);
  EXPECT_EQ(one.check->deliveries, 1U) << "what stands in the talk is not delivered before it";
}

TEST(Talk, ALineForSeveralConnectionsIsALineForEach) {
  const auto one = only(file(talk("3-5> connect: imap greeting\n2-2> C: NOOP\n2> S: +OK")));
  const auto& lines = one.check->talk;
  ASSERT_EQ(lines.size(), 5U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(lines[i].connection, static_cast<int>(i) + 3);
    EXPECT_EQ(lines[i].connect.protocol, Protocol::imap);
    EXPECT_EQ(lines[i].written, "3-5> connect: imap greeting");
  }
  EXPECT_EQ(lines[3].connection, 2);
  for (const char* line : {"5-3> C: NOOP", "0-3> C: NOOP", "3-100> C: NOOP", "3-> C: NOOP", "-3> C: NOOP"})
    EXPECT_THAT(complaint(file(talk(line))), HasSubstr("2-9> C: NOOP")) << line;
}

TEST(Talk, WhatABlockAnswersIsMarked) {
  const auto one =
      only(file(talk("C: XBLK\nC: NOOP\nC: YBLK\nS: +OK\nS: ...\nS: .\nS: +OK\nS: +OK | -ERR\nS: a\nS: .")));
  const auto& lines = one.check->talk;
  EXPECT_TRUE(lines[0].asks_block);
  EXPECT_FALSE(lines[1].asks_block);
  EXPECT_TRUE(lines[2].asks_block);
}

TEST(Talk, WhatMakesSenseIsNotComplainedOf) {
  only(file(talk("C: AUTH PLAIN\nS: +\nC: ${b64:\\0${user}\\0${pass}}\nS: +OK\nC: NOOP\nquiet: 1s",
                 "    state: authorization\n")));
  only(file(talk("C: QUIT\nC: DELE 1\nS: +OK | closed\nS?: -ERR\nS?: closed\nclose")));
  only(file(talk("C!: LI|ST\\r\\n\nS: +OK\nS: ...\nS: {mail.1}\nS: .")));
  only(file(talk("C: XYZZY", "    rule: pop3.crlf\n")));
  only(file(talk("C: NOOP\nS!: -ERR")));
  only(file(talk("within: 2s\nS: -ERR | closed")));
  only(file(talk("C: NOOP\nS: +OK\nwithin: 35m\nS: -ERR autologout\nclosed")));
  only(file(talk("2> connect: imap selected\n2> C!: a1 NO|OP\\r\\n\n2> S: a1 OK\n2> C: SEARCH SUBJECT {310}")));
  only(
      file(talk("2> connect: imap selected\n2> C: IDLE\n2> S: +\n2> C: DONE\n2> S: OK\n2> C: a1 NOOP\n2> C: a2 "
                "NOOP\n2> S2: OK\n2> S: OK\n2> C: APPEND INBOX {310+}\n2> S: BAD")));
  only(file(talk("connect: imap selected\nC: STATUS ${quoted:a\\\\b} (UIDNEXT)\nC: SELECT ${literal:a\\0b}\nS*2: OK")));
  EXPECT_THAT(complaint(file(talk("ask: NOOP\nS: +OK"))), HasSubstr("ask: on a connection of IMAP"));
  only(file(talk("C: STAT\nS: +OK ${n} ${_:holds n}")));
  EXPECT_THAT(complaint(file(talk("C: STAT\nS: +OK ${_:holds n}"))), HasSubstr("an S line above binds: holds uid"));
  EXPECT_THAT(complaint(file(talk("C: USER ${literal:x}\nS: +OK"))), HasSubstr("a literal in a C: line of IMAP"));
  EXPECT_THAT(complaint(file(talk("connect: imap selected\nC!: a1 NOOP ${literal:x}\\r\\n\nS: a1 OK"))),
              HasSubstr("a literal in a C: line of IMAP"));
  only(file(talk("connect: imap selected\nC: NOOP\nC*2: NOOP\nS*2: OK\nS~: ^t3 OK\nC*2: NOOP\nS: OK\nS: OK")));
  EXPECT_THAT(complaint(file(talk("connect: imap selected\nC*3: NOOP\nS*2: OK"))), HasSubstr("reads the reply"));
  only(file(talk("C: STAT\nS: +OK ${n:number} ${x:/a|b/}\nfewer: ${n} 5\nsame: ${x} a")));
}

TEST(Checks, ACapabilityThatIsNearlyOneOfTheRfcsIsNoted) {
  const auto loaded = parse(file(talk("C: NOOP\nS: +OK", "    when: [UIDLL, SASL PLIAN, X-OWN]\n")), "file.yaml");
  EXPECT_EQ(loaded.scenarios.size(), 1U);
  ASSERT_EQ(loaded.notes.size(), 2U);
  EXPECT_THAT(loaded.notes[0].message(), HasSubstr("'UIDLL'; expected a capability"));
  EXPECT_THAT(loaded.notes[0].message(), HasSubstr("did you mean 'UIDL'?"));
  EXPECT_THAT(loaded.notes[1].message(), HasSubstr("did you mean 'PLAIN'?"));
}

TEST(Talk, MailboxesOfItsOwnAreKnownByTheirNames) {
  const auto one =
      only(file(talk("connect: imap selected\nC: CREATE ${box2/a/B1}\nS: OK\nC: LIST \"\" \"*${token}\"\n"
                     "S: * LIST ${_} ${sep} ${lead}${token}\nS: OK\nC: a1 DELETE ${box}\nS: OK")));
  EXPECT_EQ(one.check->own, (std::set<std::string>{"box", "box2/a/B1", "sep", "token"}));
  EXPECT_TRUE(only(file(talk("connect: imap selected\nC: RENAME INBOX INBOX\nS: NO"))).check->own.empty());
  for (const char* name : {"box/", "box//a", "box/a/", "box1", "box10", "boxes", "token/a", "box/a b", "box:x"})
    EXPECT_THAT(complaint(file(talk(std::string("connect: imap selected\nC: SELECT ${") + name + "}\nS: OK"))),
                HasSubstr("a variable that an S line above binds"))
        << name;
}

TEST(Talk, OtherMailboxesAreNeitherMadeNorRemoved) {
  for (const char* line : {"CREATE Archive", "a1 DELETE Archive", "RENAME Archive Old", "SUBSCRIBE Archive"})
    EXPECT_THAT(complaint(file(talk(std::string("connect: imap selected\nC: ") + line + "\nS: OK"))),
                HasSubstr("a mailbox of the check's own, like ${box} or ${box/a}, or INBOX"))
        << line;
  EXPECT_THAT(complaint(file(talk("connect: imap selected\nC!: a1 DELETE {7+}\\r\\nArchive\\r\\n\nS: a1 OK"))),
              HasSubstr("a mailbox of the check's own"));
}

TEST(Talk, MistakesAreNamedWithTheirLine) {
  EXPECT_THAT(complaint(file(talk("C: NOOP\nS: +OK\nwati: 5s"))), HasSubstr("file.yaml:12:"));
  EXPECT_THAT(complaint(file(talk("C: NOOP\nwati: 5s"))), HasSubstr("did you mean 'wait'?"));
  EXPECT_THAT(complaint(file(talk("C: LIST\nS: ."))), HasSubstr("a reply before it"));
  EXPECT_THAT(complaint(file(talk("S~: ([a"))), HasSubstr("regular expression"));
  EXPECT_THAT(complaint(file(talk("S~: ^.OK ${n}$"))), HasSubstr("it knows no variables"));
  EXPECT_THAT(complaint(file(talk("quiet: soon"))), HasSubstr("quiet: 500ms"));
  EXPECT_THAT(complaint(file(talk("connect: selected"))), HasSubstr("a state of POP3"));
  EXPECT_THAT(complaint(file(talk("C: NOOP\nS: +OK\ntook: 5"))), HasSubstr("took: ${login}"));
  EXPECT_THAT(complaint(file(talk("C: NOOP\nS: +OK\nnote: ${t} ms\nC: ${t}"))),
              HasSubstr("that an S line above binds"));
  EXPECT_THAT(complaint(file(talk("connect: user2"))), HasSubstr("user2 where the check has accounts"));
  EXPECT_THAT(complaint(file(talk("deliver: 2 fancy"))), HasSubstr("kinds are plain"));
}

TEST(Checks, MistakesAreNamed) {
  EXPECT_THAT(complaint(file("  - id: One\n    level: MUST\n    title: t\n    talk: 'C: X'\n")),
              HasSubstr("lower-case words"));
  EXPECT_THAT(complaint(file("  - id: one\n    level: must\n    title: t\n    talk: 'C: X'\n")),
              HasSubstr("MUST, SHOULD"));
  EXPECT_THAT(complaint(file(check(""))), HasSubstr("also talk: or steps:"));
  EXPECT_THAT(complaint(file(talk("C: X", "    harm: lost\n"))), HasSubstr("level: PRACTICE"));
  EXPECT_THAT(complaint("id: pop3\ntitle: t\nchecks: [{id: a, level: MUST, title: t, talk: 'C: X'}]"),
              HasSubstr("the id of an RFC section"));
  EXPECT_THAT(complaint(file(check("    steps: []\n    talk: 'C: X'\n"))), HasSubstr("not both"));
}

std::string mail_file(const std::string& checks) { return "id: smtp.5321-3.3\ntitle: t\nchecks:\n" + checks; }

TEST(Checks, SmtpIsSpokenWhereTheIdSaysSo) {
  const Scenario scenario = only(mail_file(talk("C: EHLO a\nS: 250-SIZE ${n}\nS!~: AUTH\nS: 250\nC: DATA\nS: 5xx")));
  const auto& talk_lines = scenario.check->talk;
  EXPECT_EQ(scenario.check->first.protocol, Protocol::smtp);
  EXPECT_EQ(scenario.check->first.standing, Standing::hello);
  ASSERT_EQ(talk_lines.size(), 4U);
  EXPECT_TRUE(talk_lines[1].has_block);
  EXPECT_EQ(talk_lines[1].block.size(), 2U);
  EXPECT_EQ(only("id: dsn.3464-2\ntitle: t\nchecks:\n" + talk("C: NOOP\nS: 250")).check->first.protocol,
            Protocol::smtp);
  EXPECT_EQ(only("id: lmtp.2033-4\ntitle: t\nchecks:\n" + talk("C: NOOP\nS: 250")).check->first.protocol,
            Protocol::lmtp);
  EXPECT_EQ(only(file(talk("connect: smtp connected\nC: NOOP\nS: 250"))).check->talk[0].connect.protocol,
            Protocol::smtp);
}

TEST(Checks, MailGoesToWhomTheCheckWasLentOnly) {
  for (const std::string path :
       {"<${address}>", "<>", "<${nobody}>", "<${mixed}> NOTIFY=NEVER", "<${quoted-address}>", "<${nobody-empty}>",
        "<${nobody-mixed}>", "<${capitals}>", "<${address}> ENVID=${envid:xtext}"})
    only(mail_file(talk("C: MAIL FROM:" + path + "\nS: 250")));
  EXPECT_THAT(complaint(mail_file(talk("C: MAIL FROM:<${address}>\nS: 250\nC: rcpt to:<bob@example.com>\nS: 250"))),
              HasSubstr("an address that the check was lent"));
  for (const std::string path : {"<${address}x@example.com>", "<${x}>", "${user}@example.com"})
    EXPECT_THAT(complaint(mail_file(talk("C: NOOP\nS: 250 ${x}\nC: MAIL FROM:" + path + "\nS: 250"))),
                HasSubstr("an address that the check was lent"));
  EXPECT_THAT(complaint(mail_file(talk("C: NOOP\nS: 250\nC!: RCPT TO: <a@${address}>\\r\\n\nS: 250"))),
              HasSubstr("an address that the check was lent"));
}

TEST(Checks, WhatSmtpCannotMean) {
  const auto wrong = [](const std::string& lines) { return complaint(mail_file(talk(lines))); };
  EXPECT_THAT(wrong("C: MAIL FROM:<> ENVID=${envid:text}\nS: 250"), HasSubstr("${envid:xtext}"));
  EXPECT_THAT(wrong("C: NOOP\nS: +OK"), HasSubstr("a reply's code, like 250 or 5xx"));
  EXPECT_THAT(wrong("C: NOOP"), HasSubstr("a line that reads the reply, like S: 250"));
  EXPECT_THAT(wrong("C: NOOP\nS: 250\nS: 250"), HasSubstr("a C: line above that this is the reply to"));
  EXPECT_THAT(wrong("C: EHLO a\nS: 250-SIZE"), HasSubstr("behind it the last line of that reply"));
  EXPECT_THAT(wrong("C: EHLO a\nS: 250-SIZE | 250\nS: 250"), HasSubstr("all about one line of a reply"));
  EXPECT_THAT(wrong("C: {mail}\nS: 250"), HasSubstr("S: 354 above"));
  EXPECT_THAT(wrong("C: DATA\nS: 354\nC: {mial}\nC: .\nS: 250"), HasSubstr("'{mial}'; expected {mail}, a new message"));
  EXPECT_THAT(wrong("C: BDAT {mial 2KiB} LAST\nS: 250"), HasSubstr("'{mial 2KiB}'; expected {mail}, a new message"));
  EXPECT_THAT(wrong("C: BDAT {mail giant} LAST\nS: 250"), HasSubstr("{mail dot-lines 8KiB}"));
  EXPECT_THAT(wrong("C: NOOP\nS: 250\narrives: mail.1"), HasSubstr("a message that was delivered before"));
  EXPECT_THAT(wrong("C: NOOP\nS: 250\narrives: tomorrow"), HasSubstr("a message that was delivered before"));
}

}  // namespace
}  // namespace mailproof::scenario
