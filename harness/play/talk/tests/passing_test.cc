// What may pass: refusals that say "not now", and a connection that ends without a word. Played once more, it counts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "play/talk/tests/checked.h"

namespace mailproof::play {
namespace {

using history::What;
using testing::StartsWith;

/// Code and words of what the last line came to. `before`: it was played and ended so, at its last S line or at that.
std::string came(const std::string& connect, const std::string& lines, const WrongBlock& block,
                 const std::string& before = "", std::string at = "") {
  std::optional<EarlierEnd> earlier;
  if (at.empty()) at = lines.substr(lines.rfind("S: "), lines.size() - 1 - lines.rfind("S: "));
  if (!before.empty()) earlier = EarlierEnd{at, "", "so it was", before};
  const std::string needs = connect.starts_with("imap")   ? "    needs: [imap]\n"
                            : connect.starts_with("smtp") ? "    needs: [smtp]\n"
                                                          : "";
  const Checked check("connect: " + connect + "\n" + lines, needs, {}, {{{block}}}, earlier);
  return check.rig.last(What::talk).code + "; " + check.end();
}

WrongBlock hanging_up(const std::string& command, Protocol protocol) {
  WrongBlock block = instead_of(command, {}, protocol);
  block.actions.push_back({.kind = WrongAction::Kind::close});
  return block;
}

TEST(TalkPassing, WhoHangsUpOnceIsAskedAgainAndWhoAlwaysDoesIsWrong) {
  for (const auto& [connect, line, protocol] : {std::tuple("imap selected", "C: NOOP\nS: OK\n", kImap),
                                                std::tuple("imap selected", "C: NOOP\nS: * 3 EXISTS\nS: OK\n", kImap),
                                                std::tuple("pop3", "C: NOOP\nS: +OK\n", Protocol::pop3),
                                                std::tuple("smtp", "C: NOOP\nS: 250\n", Protocol::smtp)}) {
    EXPECT_THAT(came(connect, line, hanging_up("NOOP", protocol)), StartsWith("hung-up; info: ")) << connect;
    EXPECT_THAT(came(connect, line, hanging_up("NOOP", protocol), "hung-up"), StartsWith("; fail: ")) << connect;
  }
}

TEST(TalkPassing, TwoThatHaveNothingToDoWithEachOtherAreNoBreach) {
  for (const char* code : {"hung-up", "silent"}) {
    EXPECT_THAT(came("imap selected", "C: NOOP\nS: OK\n", hanging_up("NOOP", kImap), code), StartsWith("; fail: "));
    EXPECT_THAT(came("imap selected", "C: NOOP\nS: OK\n", hanging_up("NOOP", kImap), code, "S: * 3 EXISTS"),
                StartsWith("hung-up; info: "));
  }
}

TEST(TalkPassing, ABugOfItsOwnIsOneWhenItComesAgain) {
  for (const char* words : {"NO [SERVERBUG] internal error", "NO [CONTACTADMIN] corrupt"}) {
    const WrongBlock no = instead_of("NOOP", {std::string("${tag} ") + words + "\r\n"}, kImap);
    EXPECT_THAT(came("imap selected", "C: NOOP\nS: OK\n", no), StartsWith("not-now; info: "));
    EXPECT_THAT(came("imap selected", "C: NOOP\nS: OK\n", no, "not-now"), StartsWith("; fail: "));
  }
}

TEST(TalkPassing, ARefusalThatSaysNotNowAccusesNobody) {
  const auto no = [](const std::string& words) { return instead_of("NOOP", {"${tag} " + words + "\r\n"}, kImap); };
  const std::string noop = "C: NOOP\nS: OK\n";
  for (const char* words : {"NO [UNAVAILABLE] later", "NO [inuse] by another", "NO [LIMIT] of sessions"}) {
    EXPECT_THAT(came("imap selected", noop, no(words)), StartsWith("not-now; info: t1 NO")) << words;
    EXPECT_THAT(came("imap selected", noop, no(words), "not-now"), StartsWith("not-now; info: t1 NO")) << words;
  }
  for (const char* words : {"NO later", "NO [ALREADYEXISTS] no", "BAD [UNAVAILABLE] what"})
    EXPECT_THAT(came("imap selected", noop, no(words)), StartsWith("; fail: t1 ")) << words;
  EXPECT_THAT(came("imap selected", "C: NOOP\nS: OK | NO [INUSE]\n", no("NO [UNAVAILABLE] later")),
              StartsWith("not-now; info: "));
  EXPECT_THAT(came("imap selected", "C: NOOP\nS!: NO [UNAVAILABLE]\nS: OK\n", no("NO [UNAVAILABLE] later")),
              StartsWith("; fail: "))
      << "it is about that";
  EXPECT_THAT(came("pop3", "C: NOOP\nS: +OK\n", instead_of("NOOP", {"-ERR [SYS/TEMP] later\r\n"})),
              StartsWith("not-now; info: "));
  EXPECT_THAT(came("pop3", "C: NOOP\nS: +OK\n", instead_of("NOOP", {"-ERR [IN-USE] locked\r\n"})),
              StartsWith("; fail: "));
}

TEST(TalkPassing, MailMayBePutOffButNoopMayNot) {
  const std::string mail = "C: MAIL FROM:<${address}>\nS: 250\n";
  WrongBlock busy = instead_of("MAIL", {"451 4.3.2 busy\r\n"}, Protocol::smtp);
  busy.at = WrongBlock::At::prefix;
  EXPECT_THAT(came("smtp", mail, busy), StartsWith("not-now; info: 451"));
  EXPECT_THAT(came("smtp", "C: MAIL FROM:<${address}>\nS: 250 | 450\n", busy), StartsWith("; fail: 451"));
  EXPECT_THAT(came("smtp", "C: NOOP\nS: 250\n", instead_of("NOOP", {"451 4.3.2 busy\r\n"}, Protocol::smtp)),
              StartsWith("; fail: 451"));
}

TEST(TalkPassing, A421ThatFitsEndsTheServiceAllTheSame) {
  WrongBlock bye = instead_of("NOOP", {"421 4.3.2 shutting down\r\n"}, Protocol::smtp);
  bye.actions.push_back({.kind = WrongAction::Kind::close});
  EXPECT_THAT(came("smtp", "C: NOOP\nS: 250 | 4xx\nC: RSET\nS: 250\n", bye), StartsWith("service-ended; info: "));
  EXPECT_THAT(came("smtp", "C: NOOP\nS: 250 | 4xx\n", bye), StartsWith("; ok: 421"));
}

}  // namespace
}  // namespace mailproof::play
