#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "play/talk/tests/checked.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Talk, EveryLineThatCameIsInTheHistory) {
  Checked check(
      "C: STAT\nS: +OK 3 ${octets}\nC: LIST\nS: +OK\nS: ${octets:sum}\nS: .\nC: RETR 2\nS: +OK\nS: {mail.2}\nS: .\nC: "
      "QUIT\nS: +OK\nclosed");
  EXPECT_EQ(check.rig.problem(), "");
  EXPECT_THAT(check.end(), HasSubstr("ok: the server closed"));
  EXPECT_EQ(check.talked().size(), 10U) << "five expectations and how they came out";
  ASSERT_EQ(check.talked(true).size(), 4U) << "and what was said";
  EXPECT_EQ(check.talked(true)[2].text, "C: RETR 2");
  EXPECT_EQ(check.rig.player->history().session(check.talked(true)[2].session).label, "connection-1#1");
}

TEST(Talk, TheFirstLineThatIsWrongEndsIt) {
  Checked check("C: RETR 9\nS: +OK\nC: NOOP\nS: +OK");
  EXPECT_EQ(check.end(), "fail: -ERR no message 9");
  EXPECT_EQ(check.talked().size(), 2U);
  const auto& expected = check.rig.player->history().event(check.rig.last(What::talk).command);
  EXPECT_THAT(expected.set, HasSubstr("+OK"));
  EXPECT_EQ(expected.text, "S: +OK");
}

TEST(Talk, WhatAPatternCannotBeTriedOnIsOurProblemAndNoFault) {
  Checked check("C: NOOP\nS~: ^\\+OK (a+)+$\nC: QUIT\nS: +OK\n", "",
                {instead_of("NOOP", {"+OK " + std::string(40, 'a') + "b\r\n"})});
  EXPECT_THAT(check.talked(), IsEmpty()) << "neither right nor wrong";
  EXPECT_EQ(check.rig.last(What::problem).code, "pattern");
  EXPECT_THAT(check.rig.problem(), AllOf(HasSubstr("S~: ^\\+OK (a+)+$: a text of 45 octets could not be compared"),
                                         HasSubstr("it takes too many steps")));
}

TEST(Talk, ALongLineIsComparedToItsEnd) {
  Checked check("C: NOOP\nS~: ^\\+OK (a|b)*$\nC: QUIT\nS: +OK\n", "",
                {instead_of("NOOP", {"+OK " + std::string(64U << 10, 'a') + "\r\n"})});
  EXPECT_EQ(check.rig.problem(), "");
  EXPECT_THAT(check.end(), HasSubstr("ok: +OK"));
}

TEST(Talk, OfABlockTheLineThatIsWrongIsNamed) {
  Checked check("C: LIST\nS: +OK\nS: 1 ${a}\nS: 9 ${b}\nS: 3 ${c}\nS: .");
  EXPECT_THAT(check.end(), AllOf(HasSubstr("fail: 1 "), HasSubstr("\n3 "))) << "lists have no order, so all of it";
  const auto& expected = check.rig.player->history().event(check.rig.last(What::talk).command);
  EXPECT_EQ(expected.text, "S: 9 ${b}");
  EXPECT_THAT(expected.set, HasSubstr("(line 13: S: 9 ${b})"));
}

WrongDialogue answering(std::string_view command, std::vector<std::string> lines) {
  WrongBlock block;
  block.text = command;
  for (auto& line : lines) block.actions.push_back({.kind = WrongAction::Kind::say, .text = line + "\r\n"});
  return {{block}};
}

TEST(Talk, ABlockIsReadForACommandThatOnlyTheTalkKnows) {
  const std::string lines = "C: XBLK\nC: NOOP\nS: +OK\nS: 1 ${a}\nS: ...\nS: .\nS: +OK done";
  const auto noop = answering("NOOP", {"+OK done"});
  Checked check(lines, "", {}, {answering("XBLK", {"+OK here", "1 one", "+OK not a status", "..", "+", "."}), noop});
  EXPECT_EQ(check.end(), "ok: +OK done");
  Checked none("C: XBLK\nS: +OK\nS: ...\nS: .", "", {}, {answering("XBLK", {"+OK here"})});
  EXPECT_EQ(none.end(), "info: +OK here\nand no end of a block within 10s");
  EXPECT_THAT(none.rig.player->history().event(none.rig.last(What::talk).command).set,
              HasSubstr("+OK and a block of lines that ends with a dot"));
  Checked refused("C: XBLK\nS: +OK\nS: ...\nS: .");
  EXPECT_THAT(refused.end(), HasSubstr("fail: -ERR"));
}

TEST(Talk, ARuleOfTheHouseIsNoRfc) {
  SimRig rig(
      scenario::parse("id: imap.acme-rules\ntitle: t\nneeds: [imap]\nchecks:\n  - id: one\n    level: MUST\n    "
                      "title: it is so\n    talk: |\n      C: NOOP\n      S: OK\n",
                      "check.yaml"));
  rig.play();
  EXPECT_EQ(rig.player->history().info.check->requirement, "Common practice (MUST): it is so");
}

TEST(Talk, AVariableThatNothingBoundIsNoFaultOfTheServer) {
  Checked sent("C: LIST 9\nS: +OK 9 ${size} | -ERR\nC: RETR ${size}\nS: +OK");
  EXPECT_THAT(sent.rig.problem(), HasSubstr("${size}"));
  EXPECT_THAT(sent.end(), HasSubstr("ok: -ERR"));
  Checked compared("C: LIST 9\nS: +OK 9 ${size} | -ERR\nat-most: ${size} 3");
  EXPECT_THAT(compared.rig.problem(), HasSubstr("${size}"));
  Checked words("C: NOOP\nS: +OK ${n}\nfewer: ${n} 3", "", {}, {answering("NOOP", {"+OK done"})});
  EXPECT_THAT(words.rig.problem(), HasSubstr("\"done\""));
}

TEST(Talk, PipelinedCommandsGoOutInOneWrite) {
  Checked check("C: STAT\nC: RETR 1\nC: NOOP\nS: +OK 3\nS: +OK\nS: {mail.1}\nS: .\nS: +OK $");
  EXPECT_EQ(check.end(), "ok: +OK");
}

TEST(Talk, SeveralConnectionsAndProtocolsShareTheMailbox) {
  Checked check(
      "2> connect: imap selected\nC: DELE 1\nS: +OK\n2> C: NOOP\n2> S!: * 1 EXPUNGE\n2> S: OK\nC: QUIT\nS: "
      "+OK\nclosed\n"
      "2> C: NOOP\n2> S: * 1 EXPUNGE\n2> S: OK\n2> C: FETCH 1 (RFC822.SIZE BODY.PEEK[])\n2> S: * 1 FETCH (BODY[] "
      "${_:literal})\n2> S: OK",
      "    needs: [imap]\n");
  EXPECT_THAT(check.end(), HasSubstr("ok: "));
}

TEST(Talk, AMessageThatGoesInAsALiteralIsCounted) {
  Checked check(
      "2> connect: imap selected\n2> C: APPEND INBOX {mail.1}\n2> S: OK [APPENDUID ${_} ${_}]\nconnect: "
      "transaction\nC: STAT\nS: +OK 4",
      "    needs: [imap]\n");
  EXPECT_THAT(check.end(), HasSubstr("ok: +OK 4"));
}

TEST(Talk, ALiteralThatIsRefusedIsNotSent) {
  Checked check("2> connect: imap selected\n2> C: APPEND Nowhere {mail.1}\n2> S: NO\n2> C: NOOP\n2> S: OK",
                "    needs: [imap]\n");
  EXPECT_THAT(check.end(), HasSubstr("ok: "));
}

TEST(Talk, ALiteralWaitsForItsOwnCommand) {
  const std::string imap = "    needs: [imap]\n";
  const Checked behind("connect: imap selected\nC: NOOP\nC: APPEND INBOX {mail.1}\nS: OK\nS: OK [APPENDUID ${_} ${_}]",
                       imap);
  EXPECT_THAT(behind.end(), HasSubstr("ok: t2 OK [APPENDUID"));
  const Checked before(
      "connect: imap selected\nC: APPEND Nowhere {mail.1}\nC: NOOP\nC: APPEND INBOX {mail.1}\n"
      "C: NOOP\nS: NO\nS: OK\nS: OK [APPENDUID ${_} ${_}]\nS: OK",
      imap);
  EXPECT_THAT(before.end(), HasSubstr("ok: t4 OK"));
  for (const Checked* check : {&behind, &before}) EXPECT_LT(check->rig.took(), std::chrono::seconds(1));
}

TEST(Talk, StatusLinesOfImapKnowEveryMark) {
  const auto plays = [](const std::string& lines) {
    return Checked("connect: imap selected\n" + lines, "    needs: [imap]\n").end();
  };
  EXPECT_EQ(plays("C: NOOP\nS!: BAD | NO\nS: OK"), "ok: t1 OK Done");
  EXPECT_THAT(plays("C: XYZZY\nS!: BAD\nS: OK"), HasSubstr("fail: t1 BAD"));
  EXPECT_EQ(plays("C: NOOP\nS~: ^t1 OK .*e$"), "ok: t1 OK Done");
  EXPECT_EQ(plays("C: NOOP\nS~: ^t1 NO"), "fail: t1 OK Done");
  EXPECT_EQ(plays("C: SELECT INBOX\nS: * 3 EXISTS\nS~: ^t1 OK\nC: NOOP\nS: OK"), "ok: t2 OK Done");
  EXPECT_EQ(plays("C: NOOP\nS?: BAD\nS: OK"), "ok: t1 OK Done");
  EXPECT_EQ(plays("C: NOOP\nS?: OK\nC: NOOP\nS: OK"), "ok: t2 OK Done");
}

TEST(Talk, LinesOfImapCount) {
  const auto plays = [](const std::string& lines, std::vector<WrongBlock> wrong = {}) {
    return Checked("connect: imap selected\n" + lines, "    needs: [imap]\n", std::move(wrong)).end();
  };
  EXPECT_EQ(plays("C*3: NOOP\nS*3: OK\nC: NOOP\nS: OK"), "ok: t4 OK Done");
  EXPECT_THAT(plays("C*2: NOOP\nS*3: OK"), HasSubstr("info: nothing within 10s"));
  EXPECT_EQ(plays("C!*2: t7 NO|OP\\r\\n\nS~: t7 OK\nS~: t7 OK"), "ok: t7 OK Done");
  const WrongBlock twice = instead_of("NOOP", {"* 1 X\r\n* 1 X\r\n${tag} OK Done\r\n"}, kImap);
  EXPECT_EQ(plays("C: NOOP\nS*2: * 1 X\nS: OK", {twice}), "ok: t1 OK Done");
  EXPECT_THAT(plays("C: NOOP\nS*3: * 1 X\nS: OK", {twice}), HasSubstr("fail: no such reply"));
  const std::string both = "C: NOOP\nC: SEARCH ALL\nS: * SEARCH 1 2 3\nS*2: OK\nC: NOOP\nS: OK";
  EXPECT_EQ(plays(both), "ok: t3 OK Done");
  const WrongBlock early = instead_of("NOOP", {"* SEARCH 1 2 3\r\n${tag} OK Done\r\n"}, kImap);
  const WrongBlock late = instead_of("SEARCH ALL", {"${tag} OK Done\r\n"}, kImap);
  EXPECT_EQ(plays(both, {early, late}), "ok: t3 OK Done");
  EXPECT_THAT(plays(both, {late}), HasSubstr("fail: no such reply"));
  WrongBlock held = instead_of("NOOP", {}, kImap);
  held.actions.push_back({.kind = WrongAction::Kind::silence});
  const WrongBlock both_now = instead_of("SEARCH ALL", {"* SEARCH 1 2 3\r\n${tag} OK Done\r\nt1 OK Done\r\n"}, kImap);
  EXPECT_EQ(plays("C: NOOP\nC: SEARCH ALL\nS: * SEARCH 1 2 3\nS*2: OK\nC: CHECK\nS: OK", {held, both_now}),
            "ok: t3 OK Done");
}

TEST(Talk, ARefusalSaysMoreThanWhatDidNotComeWithIt) {
  const std::string lines = "connect: imap selected\nC: SEARCH ALL\nS: * SEARCH 1 2 3\nS: OK";
  const auto said = [&](const std::string& reply) {
    return Checked(lines, "    needs: [imap]\n", {instead_of("SEARCH ALL", {reply}, kImap)}).end();
  };
  EXPECT_EQ(said("${tag} NO not today\r\n"), "fail: t1 NO not today");
  EXPECT_EQ(said("${tag} OK Done\r\n"), "fail: no such reply");
  EXPECT_EQ(said("* BAD what\r\n"), "info: nothing within 10s, but for \"* BAD what\", which has no tag");
  const std::string search = "* SEARCH 1\r\n";
  EXPECT_EQ(said(search + search + search + "* SEARCH 2\r\n${tag} OK Done\r\n"),
            "fail: no such reply among\n* SEARCH 1   (3 times)\n* SEARCH 2");
}

TEST(Talk, WhatMayBeToldLaterIsAskedForAgain) {
  const std::string lines =
      "connect: imap selected\n2> connect: imap authenticated\n2> C: APPEND INBOX {mail.1}\n2> P: OK\n"
      "ask: NOOP\nS: * 4 EXISTS\nS: * ${_} RECENT\nS: OK\nC: NOOP\nS: OK";
  const std::string needs = "    needs: [imap]\n";
  EXPECT_EQ(Checked(lines, needs).end(), "ok: t2 OK Done");
  const WrongBlock mute = instead_of("NOOP", {"${tag} OK Done\r\n"}, kImap);
  const WrongBlock half = instead_of("NOOP", {"* 4 EXISTS\r\n${tag} OK Done\r\n"}, kImap);
  const WrongBlock rest = instead_of("NOOP", {"* 1 RECENT\r\n${tag} OK Done\r\n"}, kImap);
  const Checked later(lines, needs, {mute, half, mute, rest});
  EXPECT_EQ(later.end(), "ok: t5 OK Done");
  EXPECT_GE(later.rig.took(), std::chrono::milliseconds(300));
  EXPECT_EQ(Checked(lines, needs, {mute}).end(), "info: not told within 10s to NOOP");
  EXPECT_EQ(Checked(lines, needs, {}, {{{mute}}}, EarlierEnd{}).end(), "fail: no such reply");
  EXPECT_EQ(Checked(lines, needs, {half}).end(), "info: not told within 10s to NOOP");
  const WrongBlock no = instead_of("NOOP", {"* 4 EXISTS\r\n${tag} NO\r\n"}, kImap);
  EXPECT_EQ(Checked(lines, needs, {no}).end(), "fail: t1 NO") << "the refusal says more than what did not come";
  EXPECT_THAT(Checked("connect: imap selected\nask: NOOP\nS!: * BAD\nS: OK", needs).end(), HasSubstr("ok: "));
}

TEST(Talk, WhatIsNotReadForAWhileIsThereWhenItIsRead) {
  const std::string lines = "stop-reading\nC: STAT\nwait: 2s\nC: NOOP\nread\nS: +OK 3\nS: +OK\nC: STAT\nS: +OK 3";
  EXPECT_THAT(Checked(lines).end(), HasSubstr("ok: +OK 3"));
}

TEST(Talk, OctetsOfAValueOfImapAreCounted) {
  const std::string lines =
      "connect: imap selected\nC: FETCH 1 (RFC822.SIZE)\nS: * 1 FETCH (RFC822.SIZE ${size:number})\nS: OK\n"
      "C: FETCH 1 (BODY.PEEK[])\nS: * 1 FETCH (BODY[] ${size:octets})\nS: OK";
  EXPECT_THAT(Checked(lines, "    needs: [imap]\n").end(), HasSubstr("ok: "));
  const auto lies = [](server::ServerOptions& options) { options.defects = {"imap.size-counts-lf"}; };
  EXPECT_THAT(Checked(lines, "    needs: [imap]\n", lies).end(), HasSubstr("no such reply among"));
}

TEST(Talk, AnAnswerToAPlusHasNoTag) {
  Checked check(
      "2> connect: imap not-authenticated\n2> C: AUTHENTICATE PLAIN\n2> S: +\n2> C: ${b64:\\0${user}\\0${pass}}\n2> S: "
      "OK\n"
      "2> C: SELECT INBOX\n2> S: * 3 EXISTS\n2> S: OK\n2> C: IDLE\n2> S: +\n2> C: DONE\n2> S: OK",
      "    needs: [imap]\n");
  EXPECT_THAT(check.end(), HasSubstr("ok: "));
}

TEST(Talk, ThePlusIsLookedAtOctetByOctet) {
  const std::string lines =
      "connect: imap not-authenticated\nC: AUTHENTICATE PLAIN\nS~: ^\\+[ ]$\nC: *\nS: BAD\nC: NOOP\nS: OK";
  EXPECT_THAT(Checked(lines, "    needs: [imap]\n").end(), HasSubstr("ok: t2 OK"));
  const WrongBlock bare = instead_of("AUTHENTICATE PLAIN", {"+\r\n"}, kImap);
  EXPECT_EQ(Checked(lines, "    needs: [imap]\n", {bare}).end(), "fail: +");
}

TEST(Talk, DeliveriesInTheTalkComeWhereTheyStand) {
  Checked check(
      "C: STAT\nS: +OK 3\nC: QUIT\nS: +OK\nclosed\ndeliver: 2 dot-lines\nconnect: transaction\nC: STAT\nS: +OK 5");
  EXPECT_THAT(check.end(), HasSubstr("ok: +OK 5"));
}

TEST(Talk, RawBytesAreSplitAndEscaped) {
  Checked check("C!: NO|OP\\r\\n\nS: +OK\nC!: XYZ\\x5a\\r\\n\nS: -ERR");
  EXPECT_THAT(check.end(), HasSubstr("ok: -ERR"));
}

/// A talk of IMAP in the state selected, and what its NOOPs are answered.
Checked on_noop(const std::string& lines, std::vector<std::string> sent) {
  return Checked("connect: imap selected\n" + lines, "    needs: [imap]\n",
                 {instead_of("NOOP", std::move(sent), kImap)});
}

TEST(Talk, ABraceInAStatusTextIsNoLiteral) {
  const Checked check = on_noop("C: NOOP\nS: OK\nC: LOGOUT\nS: OK", {"${tag} OK see {5}\r\n"});
  EXPECT_THAT(check.end(), HasSubstr("ok: "));
  EXPECT_LT(check.rig.took(), std::chrono::seconds(1));
}

TEST(Talk, WhatALiteralHoldsAnnouncesNothing) {
  const Checked check =
      on_noop("C: NOOP\nS: * X ${a:literal} end\nS: OK", {"* X {8}\r\nabcde{5} end\r\n", "${tag} OK\r\n"});
  EXPECT_THAT(check.end(), HasSubstr("ok: "));
  const Checked at_the_end =
      on_noop("C: NOOP\nS: * X ${a:literal} $\nS: OK", {"* X {8}\r\nabcde{5}\r\n", "${tag} OK\r\n"});
  EXPECT_THAT(at_the_end.end(), HasSubstr("ok: "));
}

TEST(Talk, AnEmptyLiteralIsOne) {
  const Checked check = on_noop("C: NOOP\nS: * X ${a:literal} end\nS: OK", {"* X {0}\r\n end\r\n${tag} OK\r\n"});
  EXPECT_THAT(check.end(), HasSubstr("ok: "));
}

TEST(Talk, ManyLiteralsInOneReplyAreReadAtOnce) {
  std::string many = "* X";
  for (int i = 0; i < 400'000; ++i) many += " {1}\r\nx";
  const auto began = std::clock();
  const Checked check = on_noop("C: NOOP\nS: OK", {many + "\r\n${tag} OK\r\n"});
  EXPECT_THAT(check.end(), HasSubstr("ok: "));
  EXPECT_LT((std::clock() - began) / CLOCKS_PER_SEC, 5) << "each literal copied all that was before it";
}

TEST(Talk, WhereNoRfcKnowsTheCommandTheTalkSaysWhetherABlockFollows) {
  const std::vector<WrongBlock> wrong = {instead_of("XBLK", {"+OK\r\none\r\n..two\r\n+OK\r\n.\r\n"}),
                                         instead_of("XONE", {"+OK\r\n"}), instead_of("RETR", {"+OK\r\n"})};
  const std::string block = "S: +OK\nS: one\nS: .two\nS: ...\nS: .\n";
  const Checked check("C: XBLK\n" + block + "C: STAT\nS: +OK 3", "", wrong);
  EXPECT_THAT(check.end(), HasSubstr("ok: +OK 3"));
  const Checked pipelined("C: NOOP\nC: XBLK\nC: LIST\nC: RETR\nC: STAT\nC: XBLK\nS: +OK\n" + block +
                              "S: +OK\nS: +OK\nS: +OK 3\nC: XONE\n" + block + "S: +OK",
                          "", wrong);
  EXPECT_THAT(pipelined.end(), HasSubstr("ok: +OK"));
  EXPECT_LT(pipelined.rig.took(), std::chrono::seconds(1));
}

TEST(Talk, EmptyLinesAreBoundedByWhatTheyCost) {
  std::string lines, untagged;
  for (int i = 0; i < 2'000'000; ++i) lines += "\r\n";
  for (int i = 0; i < 600'000; ++i) untagged += "* \n";
  const Checked block("C: LIST\nS: +OK\nS: ...\nS: .", "", {instead_of("LIST", {"+OK\r\n" + lines + ".\r\n"})});
  EXPECT_THAT(block.end(), HasSubstr("the server sent more than 16 MiB"));
  const Checked replies = on_noop("C: NOOP\nS: OK", {untagged + "${tag} OK\r\n"});
  EXPECT_THAT(replies.end(), HasSubstr("the server sent more than 16 MiB"));
}

TEST(Talk, WhatIsNotOfferedIsNotApplicable) {
  Checked check("C: XYZZY\nS: +OK", "    when: [CAPA, XYZZY]\n");
  EXPECT_EQ(check.rig.last(What::not_applicable).text, "the server does not offer XYZZY");
  EXPECT_THAT(check.rig.told(What::talk), IsEmpty());
}

TEST(Talk, WhatIsOfferedWithArgumentsIsFound) {
  Checked check("C: NOOP\nS: +OK", "    when: [SASL PLAIN, APOP, UIDL]\n");
  EXPECT_THAT(check.end(), HasSubstr("ok"));
  Checked unless("C: NOOP\nS: +OK", "    unless: UIDL\n");
  EXPECT_EQ(unless.rig.last(What::not_applicable).text, "the server offers UIDL");
}

TEST(Talk, TheServerThatSaysNothingIsWaitedForSoLong) {
  Checked check("C!: NOOP\nwithin: 3s\nS: +OK");
  EXPECT_EQ(check.end(), "info: nothing within 3s");
  EXPECT_EQ(check.rig.last(What::talk).code, "silent");
  EXPECT_GE(check.rig.took(), std::chrono::seconds(3));
}

TEST(Talk, SilenceIsSilence) {
  Checked check("quiet: 500ms");
  EXPECT_EQ(check.end(), "ok: nothing");
  Checked noise("C: NOOP\nquiet: 500ms");
  EXPECT_EQ(noise.end(), "fail: +OK");
  WrongBlock closing = instead_of("NOOP", {"+OK\r\n"});
  closing.actions.push_back({.kind = WrongAction::Kind::wait, .span = std::chrono::milliseconds(100)});
  closing.actions.push_back({.kind = WrongAction::Kind::close});
  const Checked torn("C: NOOP\nS: +OK\nquiet: 500ms", "", {closing});
  EXPECT_EQ(torn.end(), "info: the server closed the connection") << "an end is no silence";
  EXPECT_EQ(torn.rig.last(What::talk).code, "hung-up");
  const Checked expected("C: NOOP\nS: +OK\nclosed\nquiet: 500ms", "", {closing});
  EXPECT_EQ(expected.end(), "ok: nothing");
  const Checked permitted("C: NOOP\nS: +OK\nS?: closed\nquiet: 500ms", "", {closing});
  EXPECT_EQ(permitted.end(), "ok: nothing");
  const Checked our_own("C: NOOP\nS: +OK\nclose\nquiet: 500ms");
  EXPECT_EQ(our_own.end(), "ok: nothing");
}

TEST(Talk, TlsIsStartedWhereTheTalkSaysSo) {
  Checked check("C: STLS\nS: +OK\ntls\nC: CAPA\nS: +OK\nS: UIDL\nS: .",
                "    tls: clear\n    state: authorization\n    needs: [tls]\n");
  EXPECT_THAT(check.end(), HasSubstr("ok: +OK"));
}

/// The server's own answer and more, all of it in clear text.
WrongBlock with_more(const std::string& line, const std::string& more, Protocol protocol = Protocol::pop3) {
  WrongBlock block = instead_of(line, {more}, protocol);
  block.actions.insert(block.actions.begin(), {.kind = WrongAction::Kind::pass});
  return block;
}

TEST(Talk, ClearTextBehindTheReplyToStlsIsNotReadUnderTls) {
  const std::string starttls = "    tls: starttls\n    needs: [tls]\n";
  for (const char* more : {"+OK more\r\n", "half a line"}) {
    const Checked check("C: STAT\nS: +OK 3", starttls, {with_more("STLS", more)});
    EXPECT_THAT(check.rig.problem(), HasSubstr("clear text behind the reply to STLS"));
    EXPECT_THAT(check.rig.told(What::talk), IsEmpty());
  }
  const Checked imap("connect: imap selected\nC: NOOP\nS: OK", "    tls: starttls\n    needs: [tls, imap]\n",
                     {with_more("STARTTLS", "* BYE\r\n", kImap)});
  EXPECT_THAT(imap.rig.problem(), HasSubstr("clear text behind the reply to STARTTLS: * BYE"));
}

TEST(Talk, ClearTextBehindTheReplyIsTheTalksToJudge) {
  const std::string clear = "    tls: clear\n    state: authorization\n    needs: [tls]\n";
  const WrongBlock wrong = with_more("STLS", "+OK more\r\n");
  const Checked strict("C: STLS\nS: +OK\ntls\nC: CAPA\nS: +OK\nS: UIDL\nS: .", clear, {wrong});
  EXPECT_EQ(strict.end(), "fail: +OK more");
  const Checked either("C: STLS\nS: +OK\ntls: either\nC: STAT\nS: -ERR", clear, {wrong});
  EXPECT_THAT(either.end(), HasSubstr("ok: -ERR")) << "it is no answer to what is said within TLS";
}

TEST(Talk, WhereStlsIsRefusedNoHandshakeIsWaitedFor) {
  const std::string clear = "    tls: clear\n    state: authorization\n    needs: [tls]\n";
  const Checked check("C: STLS\nS: +OK | -ERR\ntls: either\nC: STAT\nS: +OK", clear,
                      {instead_of("STLS", {"-ERR not now\r\n"})});
  EXPECT_EQ(check.end(), "ok: no TLS: it was refused") << "nothing more is said there";
}

TEST(Talk, LoginsByHandQuoteWhatMustBeQuoted) {
  for (const char* password : {"pa\"ss", "a\\b", "two words", "p\xc3\xa4ss", ""}) {
    SimRig rig(
        scenario::parse("id: imap.9051-6\ntitle: t\nneeds: [imap]\nchecks:\n  - id: one\n    level: MUST\n"
                        "    title: it is so\n    talk: |\n      connect: imap selected\n      C: NOOP\n      S: OK\n",
                        "check.yaml"),
        [&](server::ServerOptions& options) { options.accounts.front().password = Secret(password); });
    rig.leased.front().password = Secret(password);
    rig.play();
    EXPECT_EQ(rig.problem(), "") << password;
    for (const auto& log : rig.player->logs())
      EXPECT_THAT(log->all(), Not(HasSubstr("login1 AUTHENTICATE"))) << password;
  }
}

TEST(Talk, APasswordIsSaidAsAQuotedStringAndAsALiteral) {
  for (const char* password : {"pa\"ss", "a\\b", "two words", "{3}", ""}) {
    const std::string lines =
        "connect: imap not-authenticated\nC: LOGIN ${quoted:${user}} ${quoted:${pass}}\nS: OK\n"
        "connect: imap not-authenticated\nC: LOGIN ${literal:${user}} ${literal:${pass}}\nC: NOOP\nS: OK\nS: OK\n"
        "connect: imap not-authenticated\nC: LOGIN ${literal:${user}} ${literal:x\\0} ${literal:y}\nS: BAD\n"
        "C: NOOP\nS: OK";
    SimRig rig(scenario::parse("id: imap.9051-6\ntitle: t\nneeds: [imap]\nchecks:\n  - id: one\n    level: MUST\n"
                               "    title: it is so\n    talk: |\n" +
                                   Checked::indented(lines),
                               "check.yaml"),
               [&](server::ServerOptions& options) { options.accounts.front().password = Secret(password); });
    rig.leased.front().password = Secret(password);
    rig.play();
    EXPECT_EQ(rig.problem(), "") << password;
    EXPECT_THAT(rig.told(What::talk).back(), HasSubstr("ok  t2 OK")) << password;
    if (*password == '\0') continue;
    for (const auto& log : rig.player->logs()) EXPECT_THAT(log->all(), Not(HasSubstr(password)));
  }
}

TEST(Talk, PasswordsAreShownNowhere) {
  Checked check("C: USER ${user}\nS: +OK\nC: PASS ${pass}\nS: +OK\nC: QUIT\nS: +OK", "    state: authorization\n");
  for (const auto& log : check.rig.player->logs()) EXPECT_THAT(log->all(), Not(HasSubstr("PASS pass")));
  EXPECT_THAT(check.rig.player->logs().back()->all(), HasSubstr("***"));
}

TEST(Talk, RoundsShareOnlyWhatMustDiffer) {
  Checked check("S: +OK ${all:rest}\ndistinct: ${timestamp}\nclose", "    state: greeting\n    repeat: 5\n");
  EXPECT_THAT(check.end(), HasSubstr("ok: <"));
  EXPECT_EQ(check.talked().size(), 20U);
}

TEST(Talk, AMaildropThatSomebodyHasIsAskedForAgain) {
  Checked check("C: NOOP\nS: +OK\nC: QUIT\nclose\n2> connect: transaction\n2> C: STAT\n2> S: +OK 3");
  EXPECT_THAT(check.end(), HasSubstr("ok: +OK 3"));
  Checked held("C: NOOP\nS: +OK\n2> connect: transaction");
  EXPECT_THAT(held.rig.problem(), HasSubstr("IN-USE"));
  EXPECT_GE(held.rig.took(), std::chrono::seconds(10));
}

TEST(Talk, AMailboxThatCannotBeFilledIsNotTalkedAbout) {
  Checked check("C: STAT\nS: +OK 3", "    accounts: {quota: 64KiB}\n    mailbox: {messages: 3, size: 60KiB}\n");
  EXPECT_THAT(check.rig.told(What::talk), IsEmpty());
  EXPECT_THAT(check.rig.last(What::problem).text, HasSubstr("does not take the messages"));
}

TEST(Talk, WhatIsSaidBehindCompressIsDeflatedAndLoggedAsClearText) {
  const std::string begin = "connect: imap selected\nC: COMPRESS DEFLATE\nS: OK\ncompress\n";
  const Checked right(begin + "C: FETCH 2 (UID)\nS: * 2 FETCH (UID ${_})\nS: OK\nC: COMPRESS DEFLATE\nS: BAD",
                      "    needs: [imap]\n");
  EXPECT_EQ(right.end(), "ok: t3 BAD DEFLATE is active already");
  const auto& log = *right.rig.player->logs().at(right.talked().back().session - 1);
  EXPECT_NE(log.excerpt(right.talked().back().raw).find("COMPRESS DEFLATE"), std::string::npos);
  const Checked clear(begin + "C: NOOP\nS: OK", "    needs: [imap]\n",
                      {instead_of("COMPRESS DEFLATE", {"${tag} OK active\r\n", "* OK in clear text\r\n"}, kImap)});
  EXPECT_EQ(clear.end(), "fail: bytes that are no DEFLATE data (RFC 1951)");
}

}  // namespace
}  // namespace mailproof::play
