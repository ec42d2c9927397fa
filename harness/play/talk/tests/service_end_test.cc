// 421 and BYE: a server that ends its service in place of the reply that is awaited.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "play/talk/tests/checked.h"

namespace mailproof::play {
namespace {

using history::What;
using testing::HasSubstr;
using testing::StartsWith;

WrongBlock ending(const std::string& command, const std::string& words, Protocol protocol, bool closes = true) {
  WrongBlock block = instead_of(command, {words}, protocol);
  if (closes) block.actions.push_back({.kind = WrongAction::Kind::close});
  return block;
}

std::string smtp(const std::string& lines, const WrongBlock& block) {
  return Checked("connect: smtp\n" + lines, "    needs: [smtp]\n", {block}).end();
}
std::string imap(const std::string& lines, const WrongBlock& block) {
  return Checked("connect: imap selected\n" + lines, "    needs: [imap]\n", {block}).end();
}

const std::string kDown = "421 4.3.2 shutting down\r\n";
const std::string kBye = "* BYE shutting down\r\n";

TEST(TalkServiceEnd, WhoSays421AndClosesAccusesNobody) {
  const Checked check("connect: smtp\nC: NOOP\nS: 250\n", "    needs: [smtp]\n",
                      {ending("NOOP", kDown, Protocol::smtp)});
  EXPECT_EQ(check.end(), "info: the server ended the service: 421 4.3.2 shutting down");
  EXPECT_EQ(check.rig.last(What::talk).code, "service-ended");
  EXPECT_THAT(smtp("C: NOOP\nS: 421\n", ending("NOOP", kDown, Protocol::smtp)), StartsWith("ok: 421"));
  EXPECT_THAT(smtp("C: NOOP\nS: 250 | closed\n", ending("NOOP", kDown, Protocol::smtp)), StartsWith("ok: "));
}

TEST(TalkServiceEnd, WhoSays421AloneIsWrong) {
  EXPECT_THAT(smtp("C: NOOP\nS: 250\n", ending("NOOP", kDown, Protocol::smtp, false)), StartsWith("fail: 421"));
  EXPECT_THAT(smtp("C: NOOP\nS: 250\n", ending("NOOP", "451 not now\r\n", Protocol::smtp)), StartsWith("fail: 451"));
  EXPECT_THAT(smtp("C: NOOP\nS!: 421\nS: 250\n", ending("NOOP", kDown, Protocol::smtp)), StartsWith("fail: 421"));
  EXPECT_THAT(smtp("C: NOOP\nS: 250\nC: NOOP\nS!: 421\nS: 250\n", ending("NOOP", kDown, Protocol::smtp)),
              StartsWith("fail: 421"))
      << "it is about a session that lives on";
}

TEST(TalkServiceEnd, WhoSaysByeAndClosesAccusesNobody) {
  EXPECT_EQ(imap("C: NOOP\nS: OK\n", ending("NOOP", kBye, kImap)),
            "info: the server ended the service: * BYE shutting down");
  EXPECT_EQ(imap("C: NOOP\nS: * 3 EXISTS\nS: OK\n", ending("NOOP", kBye, kImap)),
            "info: the server ended the service: * BYE shutting down");
  EXPECT_THAT(imap("C: NOOP\nS: OK | closed\n", ending("NOOP", kBye, kImap)), StartsWith("ok: "));
  EXPECT_THAT(imap("C: NOOP\nS!: * BYE ${_:rest}\nS: OK\n", ending("NOOP", kBye, kImap)), HasSubstr("fail: "));
  EXPECT_EQ(imap("C: NOOP\nS: OK\n", ending("NOOP", kBye + "t1 NO no\r\n", kImap)), "fail: t1 NO no") << "it answered";
  EXPECT_THAT(imap("C: LOGOUT\nS: * BYE\nS: OK\n", ending("LOGOUT", kBye, kImap)), StartsWith("fail: "))
      << "that is what LOGOUT asks for";
}

TEST(TalkServiceEnd, WhoHangsUpHasNotSaidThatItNeedNotDoSo) {
  const auto code = [](const std::string& talk, const WrongBlock& block) {
    const Checked check("connect: imap selected\n" + talk + "C: NOOP\nS: OK\n", "    needs: [imap]\n", {block});
    EXPECT_THAT(check.rig.told(What::not_applicable), testing::IsEmpty()) << talk;
    return check.rig.last(What::talk).code + ": " + check.rig.last(What::talk).text;
  };
  const std::string rows = "C: CHECK\nA: * 4 EXISTS\n";
  EXPECT_THAT(code("C: CHECK\nS!: BAD\nA: OK\n", ending("CHECK", "", kImap)), StartsWith("unsaid: the server closed"));
  EXPECT_THAT(code("C: CHECK\nA: OK\n", ending("CHECK", kBye, kImap)), StartsWith("service-ended: "));
  EXPECT_THAT(code(rows + "A: OK\n", ending("CHECK", "", kImap)), StartsWith("unsaid: ")) << "of the rows";
  const Checked refused("connect: imap selected\nC: CHECK\nA: OK\nC: NOOP\nS: OK\n", "    needs: [imap]\n",
                        {instead_of("CHECK", {"${tag} NO not here\r\n"}, kImap)});
  EXPECT_EQ(refused.rig.last(What::not_applicable).text, "A: OK: t1 NO not here");
}

TEST(TalkServiceEnd, WhatMustNotComeWithinATimeMayStayAway) {
  const std::string talk = "C: IDLE\nS: +\nwithin: 300ms\nS!: OK\nC: DONE\nS: OK\n";
  EXPECT_THAT(Checked("connect: imap selected\n" + talk, "    needs: [imap]\n").end(), StartsWith("ok: "));
  EXPECT_EQ(imap(talk, instead_of("IDLE", {"+ idling\r\n", "${tag} OK done\r\n"}, kImap)), "fail: t1 OK done");
}

}  // namespace
}  // namespace mailproof::play
