// What accuses nobody: what only prepares, what is not offered where it is used, and silence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "play/talk/tests/checked.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Preparation, WhatOnlyPreparesIsNotWhatTheCheckIsAbout) {
  const auto refused = instead_of("DELE 1", {"-ERR no\r\n"});
  Checked check("C: DELE 1\nP: +OK\nC: RETR 1\nS: -ERR", "", {refused});
  EXPECT_EQ(check.end(), "info: -ERR no");
  EXPECT_EQ(check.rig.last(What::talk).code, "preparation");
  EXPECT_EQ(Checked("C: DELE 1\nS: +OK\nC: RETR 1\nS: -ERR", "", {refused}).end(), "fail: -ERR no");
  EXPECT_THAT(Checked("C: DELE 1\nP: +OK\nC: RETR 1\nS: +OK").end(), HasSubstr("fail: -ERR"));
  Checked block("C: RETR 1\nP: +OK\nS: ...\nS: X-Nobody: ${_}\nS: ...\nS: .\nC: NOOP\nS: +OK");
  EXPECT_EQ(block.rig.last(What::talk).code, "preparation") << "its block prepares with it";
  EXPECT_EQ(Checked("C: QUIT\nP: -ERR | +OK\nP: closed\nconnect: transaction\nC: NOOP\nS: +OK").end().substr(0, 3),
            "ok:");
}

TEST(Preparation, ACommandOfImapThatIsRefusedBroughtNoRows) {
  const auto bad = instead_of("SEARCH HEADER Message-ID x", {"${tag} BAD no such key\r\n"}, kImap);
  Checked check("connect: imap selected\nC: SEARCH HEADER Message-ID x\nS: * SEARCH ${n:seq}\nP: OK\nC: NOOP\nS: OK",
                "    needs: [imap]\n", {bad});
  EXPECT_THAT(check.end(), HasSubstr("info: t1 BAD no such key"));
}

TEST(Preparation, MailThatNeverCameIsALossAndNotTheChecks) {
  const auto losing = [](server::ServerOptions& options) { options.defects = {"delivery.accepts-and-drops"}; };
  Checked check("C: STAT\nS: +OK 3", "", losing);
  EXPECT_THAT(check.talked(), IsEmpty()) << "nothing of it is played";
  EXPECT_EQ(check.rig.last(What::problem).code, "mailbox");
  EXPECT_EQ(check.rig.last(What::problem).text,
            "its mailbox could not be prepared: of 3 messages mail.2 was accepted and never seen");
  EXPECT_EQ(check.rig.fate(2), history::Fate::lost);
  EXPECT_EQ(check.rig.told(What::settle).size(), 1U) << "absence is looked at twice";
}

TEST(Preparation, ProperMailThatIsRefusedAndAConnectionThatEndsSayNothingOfTheCheck) {
  const auto filled = [](const std::string& mailbox, const std::string& command, std::vector<WrongAction> actions) {
    WrongBlock block{.at = WrongBlock::At::regex, .protocol = kImap, .text = command};
    block.actions = std::move(actions);
    Checked check("C: STAT\nS: +OK", "    mailbox: " + mailbox + "\n", {block});
    EXPECT_THAT(check.talked(), IsEmpty());
    const auto& events = check.rig.player->history().events();
    const bool neutral =
        std::any_of(events.begin(), events.end(), [](const auto& e) { return e.what == What::not_applicable; });
    return neutral ? std::string("not-applicable") : check.rig.last(What::problem).code;
  };
  const std::vector<WrongAction> no{{.kind = WrongAction::Kind::say, .text = "${tag} NO I do not like it\r\n"}};
  const std::vector<WrongAction> crash{{.kind = WrongAction::Kind::close}};
  const std::string proper =
      "[{mime: \"From: a@example.org\\r\\nDate: Mon, 7 Feb 1994 21:52:25 -0800\\r\\n\\r\\nx\\r\\n\"}]";
  const std::string odd = "[{mime: \"From: a@example.org\\r\\n\\r\\nx\\r\\n\"}]";
  EXPECT_EQ(filled("[{kind: dot-lines, via: append}]", "^APPEND", no), "mailbox") << "RFC 5321 section 4.5.2";
  EXPECT_EQ(filled("[{kind: bare-lf, via: append}]", "^APPEND", no), "not-applicable");
  EXPECT_EQ(filled("[{kind: bare-lf, via: append}]", "^APPEND", crash), "mailbox");
  EXPECT_EQ(filled(proper, "^APPEND", no), "mailbox");
  EXPECT_EQ(filled(odd, "^APPEND", no), "not-applicable") << "without a Date";
  EXPECT_EQ(filled("[{kind: plain, via: append}, {kind: bare-lf, via: append}]", "^APPEND", no), "mailbox")
      << "the first that is refused";
}

TEST(Preparation, OverSmtpOnlyTheNewMessageIsAwaited) {
  SimRig rig(
      scenario::parse("id: pop3.1939-7\ntitle: t\nneeds: [pop3]\nmailbox: {messages: 3}\nchecks:\n  - id: one\n"
                      "    level: MUST\n    title: it is so\n    talk: |\n" +
                          Checked::indented("C: DELE 1\nS: +OK\nC: DELE 2\nS: +OK\nC: QUIT\nS: +OK\ndeliver: 2\n"
                                            "connect: transaction\nC: STAT\nS: +OK 3"),
                      "check.yaml"));
  rig.target.delivery = {scenario::Way::smtp};
  rig.play();
  EXPECT_THAT(rig.told(What::talk).back(), HasSubstr("ok  +OK 3"));
  EXPECT_LT(rig.took(), std::chrono::seconds(5)) << "what the check deleted itself is not waited for";
}

TEST(Preparation, NeedsNothingOfAnMtaWhereItCanAppend) {
  const auto over_smtp = [](const std::string& mailbox, std::vector<scenario::Way> ways) {
    SimRig rig(scenario::parse("id: pop3.1939-7\ntitle: t\nneeds: [pop3]\nmailbox: " + mailbox +
                                   "\nchecks:\n  - id: one\n    level: MUST\n    title: it is so\n    talk: |\n" +
                                   Checked::indented("C: STAT\nS: +OK 1"),
                               "check.yaml"));
    rig.target.delivery = std::move(ways);
    rig.play();
    EXPECT_THAT(rig.told(What::talk).back(), HasSubstr("ok  +OK 1"));
    const auto& sessions = rig.player->history().sessions();
    return std::any_of(sessions.begin(), sessions.end(),
                       [](const auto& session) { return session.protocol == Protocol::smtp; });
  };
  using enum scenario::Way;
  EXPECT_FALSE(over_smtp("[plain]", {smtp, append}));
  EXPECT_TRUE(over_smtp("[plain]", {smtp})) << "where the target file does not have mail appended it is not";
  EXPECT_FALSE(over_smtp("[long-lines]", {smtp})) << "a line of more than 998 octets may be refused (RFC 5321)";
}

TEST(Preparation, ADeliveryMeanwhileThatIsLostEndsIt) {
  const auto losing = [](server::ServerOptions& options) { options.defects = {"delivery.accepts-and-drops"}; };
  SimRig rig(
      scenario::parse("id: pop3.1939-7\ntitle: t\nneeds: [pop3, imap]\nmailbox: {messages: 1}\nchecks:\n  - id: one\n"
                      "    level: MUST\n    title: it is so\n    talk: |\n" +
                          Checked::indented("C: NOOP\nS: +OK\ndeliver: 1\nconnect: transaction\nC: STAT\nS: +OK 2"),
                      "check.yaml"),
      losing);
  rig.play();
  EXPECT_EQ(rig.last(What::talk).code, "preparation");
}

/// What CAPA says the first time on a connection, before login, and what it says the second time.
std::vector<WrongBlock> capa(std::vector<std::string> before, std::vector<std::string> after) {
  std::vector<WrongBlock> out;
  for (auto* lines : {&before, &after}) {
    lines->insert(lines->begin(), "+OK");
    lines->push_back(".");
    for (auto& line : *lines) line += "\r\n";
    out.push_back(instead_of("CAPA", *lines));
  }
  return out;
}

TEST(Talk, ACapabilityCountsWhereItIsUsed) {
  const std::string noop = "C: NOOP\nS: +OK", before = "    state: authorization\n";
  const std::string stat = "C: STAT\nS: -ERR";
  const auto plays = [](const Checked& check) { return !check.talked().empty(); };
  const auto proxy = capa({"USER"}, {"PIPELINING", "UIDL"});
  const Checked none(stat, "    when: PIPELINING\n" + before, proxy);
  EXPECT_FALSE(plays(none));
  EXPECT_EQ(none.rig.last(What::not_applicable).text, "the server does not offer PIPELINING");
  EXPECT_TRUE(plays({noop, "    when: PIPELINING\n", proxy}));
  EXPECT_TRUE(plays({noop, "    when: [USER, UIDL]\n", proxy})) << "each is used where its command is";
  EXPECT_TRUE(plays({stat, "    when: [USER, UIDL]\n" + before, proxy}));
  const auto other = capa({"PIPELINING", "TOP", "AUTH-RESP-CODE"}, {"USER"});
  EXPECT_TRUE(plays({stat, "    when: PIPELINING\n" + before, other}));
  EXPECT_FALSE(plays({noop, "    when: PIPELINING\n", other}));
  EXPECT_FALSE(plays({noop, "    when: TOP\n", other}));
  EXPECT_FALSE(plays({noop, "    when: USER\n", other}));
  EXPECT_TRUE(plays({noop, "    when: AUTH-RESP-CODE\n", other}));
  EXPECT_FALSE(plays({noop, "    unless: TOP\n", other})) << "who says it anywhere is not asked";
}

TEST(Talk, ACapabilityOfImapCountsWhereItIsUsedToo) {
  const auto said = [](const std::string& words) {
    return instead_of("CAPABILITY", {"* CAPABILITY IMAP4rev1 " + words + "\r\n${tag} OK\r\n"}, kImap);
  };
  const std::vector<WrongBlock> proxy = {said("IDLE SASL-IR"), said("MOVE")};
  const auto plays = [&](const std::string& when, const std::string& state) {
    SimRig rig(scenario::parse(
                   "id: imap.3501-6\ntitle: t\nneeds: [imap]\nchecks:\n  - id: one\n    level: MUST\n    title: t\n"
                   "    when: " +
                       when + "\n    state: " + state + "\n    talk: |\n      C: NOOP\n      S: OK\n",
                   "check.yaml"),
               {}, {{proxy}});
    rig.play();
    return !rig.told(What::talk).empty();
  };
  EXPECT_TRUE(plays("MOVE", "selected"));
  EXPECT_FALSE(plays("IDLE", "selected"));
  EXPECT_TRUE(plays("SASL-IR", "selected"));
  EXPECT_TRUE(plays("IDLE", "not-authenticated"));
  EXPECT_FALSE(plays("MOVE", "not-authenticated"));
}

const EarlierEnd kSilence{"S: -ERR", "-ERR", "nothing within 10s"};
WrongAction action(WrongAction::Kind kind) { return {.kind = kind}; }
WrongAction pause(int seconds) { return {.kind = WrongAction::Kind::wait, .span = std::chrono::seconds(seconds)}; }
WrongBlock when_said(const std::string& line, std::vector<WrongAction> actions) {
  return {.protocol = Protocol::pop3, .text = line, .actions = std::move(actions)};
}

/// A check that was silent before, on a server that has these blocks in front of it.
Checked asked_again(const std::string& lines, std::vector<WrongBlock> wrong) {
  return Checked(lines, "", {}, {{std::move(wrong)}}, kSilence);
}

TEST(Silence, ACommandIsSwallowedWhereTwoAfterItAreAnsweredAtOnceAndItNever) {
  const auto swallowed = when_said("XYZZY", {action(WrongAction::Kind::silence)});
  const std::string lines = "C: XYZZY\nS: -ERR\nC: NOOP\nS: +OK";
  EXPECT_EQ(Checked(lines, "", {swallowed}).end(), "info: nothing within 10s") << "once is not enough";
  Checked check = asked_again(lines, {swallowed});
  EXPECT_THAT(check.end(), AllOf(HasSubstr("fail: nothing within 30s, and what was sent after it was answered at once"),
                                 HasSubstr("NOOP -> +OK")));
  EXPECT_EQ(
      asked_again("C: NOOP\nS: +OK", {when_said("NOOP", {action(WrongAction::Kind::silence)})}).end().substr(0, 5),
      "fail:")
      << "NOOP itself is what it swallows";
}

TEST(Silence, ABlockThatNeverEndsIsSeenToo) {
  const auto wrong = instead_of("LIST", {"+OK\r\n1 100\r\n"});
  EXPECT_THAT(asked_again("C: LIST\nS: +OK\nS: ...\nS: .", {wrong}).end(),
              HasSubstr("fail: +OK\nand no end of a block within 30s, and what was sent after it"));
  // The last octet is missing, and the next reply stands in its place.
  const auto cut = instead_of("RETR 1", {"+OK\r\nSubject: x\r\n\r\nx\r\n.\r"});
  EXPECT_THAT(
      asked_again("C: RETR 1\nS: +OK\nS: ...\nS: .", {cut}).end(),
      HasSubstr(
          "fail: +OK\nand no end of a block within 30s, after \".\\r\", and what was sent after it was answered"));
}

TEST(Silence, ASlowServerIsNotWrong) {
  const auto pass = action(WrongAction::Kind::pass);
  const std::string lines = "C: XYZZY\nS: -ERR\nC: NOOP\nS: +OK";
  EXPECT_THAT(asked_again(lines, {when_said("XYZZY", {pause(12), pass})}).end(), HasSubstr("ok: +OK"));
  for (const int seconds : {31, 35, 45, 59, 61, 90}) {
    // What was wrong makes it wait, as a tarpit does; and whatever is said to it.
    EXPECT_THAT(asked_again(lines, {when_said("XYZZY", {pause(seconds), pass})}).end(), HasSubstr("info: ")) << seconds;
    EXPECT_THAT(
        asked_again(lines, {when_said("XYZZY", {pause(seconds), pass}), when_said("NOOP", {pause(seconds), pass})})
            .end(),
        HasSubstr("info: "))
        << seconds;
  }
}

TEST(Silence, AServerThatGoesOnAnsweringDoesNotMeanToClose) {
  const std::string lines = "C: QUIT\nS: +OK\nclosed";
  const auto wrong = instead_of("QUIT", {"+OK bye\r\n"});
  EXPECT_EQ(Checked(lines, "", {wrong}).end(), "info: it is still open after 10s");
  EXPECT_THAT(asked_again(lines, {wrong}).end(),
              HasSubstr("fail: it is still open after 30s, and answers: NOOP -> +OK"));
  const auto slow = when_said(
      "QUIT", {{.kind = WrongAction::Kind::say, .text = "+OK bye\r\n"}, pause(40), action(WrongAction::Kind::close)});
  EXPECT_EQ(asked_again(lines, {slow}).end(), "info: it is still open after 30s, and was closed after that");
}

TEST(Silence, WhatCameBeforeStandsInTheHistory) {
  Checked check = asked_again("C: NOOP\nS: +OK", {});
  const auto talked = check.talked();
  ASSERT_EQ(talked.size(), 4U);
  EXPECT_EQ(talked[0].set, "-ERR");
  EXPECT_EQ(talked[1].type, Type::info);
  EXPECT_EQ(talked[1].code, "earlier-silent");
  EXPECT_EQ(check.end(), "ok: +OK");
}

TEST(Silence, AConnectionThatDoesNotComeUpIsSilentToo) {
  auto wrong = when_said("PASS", {action(WrongAction::Kind::silence)});
  wrong.at = WrongBlock::At::prefix;
  Checked check("C: NOOP\nS: +OK", "", {wrong});
  EXPECT_EQ(check.rig.problem(), "");
  EXPECT_EQ(check.end(), "info: no answer within 10s");
}

}  // namespace
}  // namespace mailproof::play
