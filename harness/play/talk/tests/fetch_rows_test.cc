// What a server says of one message in several FETCH responses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "play/talk/tests/checked.h"

namespace mailproof::play {
namespace {

using testing::HasSubstr;

TEST(TalkRows, OneMessageMayBeToldInSeveralRows) {
  const auto plays = [](const std::string& awaited, std::vector<std::string> rows, const std::string& more = "") {
    WrongBlock block{.protocol = kImap, .text = "FETCH 1:2 (UID FLAGS)"};
    for (const std::string& row : rows)
      block.actions.push_back({.kind = WrongAction::Kind::say, .text = "* " + row + "\r\n"});
    block.actions.push_back({.kind = WrongAction::Kind::say, .text = "${tag} OK Done\r\n"});
    return Checked("connect: imap selected\nC: FETCH 1:2 (UID FLAGS)\n" + awaited + "S: OK",
                   "    needs: [imap]\n" + more, {block})
        .end();
  };
  const std::string both = "S: * 1 FETCH (UID 7 FLAGS ())\nS: * 2 FETCH (UID 8 FLAGS ())\n";
  EXPECT_EQ(plays(both, {"1 FETCH (UID 7)", "2 FETCH (FLAGS ())", "1 FETCH (FLAGS ())", "2 FETCH (UID 8)"}),
            "ok: t1 OK Done");
  const std::string one = "S: * 1 FETCH (UID 7 FLAGS ())\n";
  EXPECT_THAT(plays(one, {"1 FETCH (UID 7)", "2 FETCH (FLAGS ())"}), HasSubstr("fail: no such reply"));
  EXPECT_THAT(plays(one, {"1 FETCH (UID 7)", "1 EXPUNGE", "1 FETCH (FLAGS ())"}), HasSubstr("fail: no such reply"))
      << "another message";
  EXPECT_THAT(plays(one, {"1 FETCH (UID 7)", "VANISHED 7", "1 FETCH (FLAGS ())"}), HasSubstr("fail: no such reply"));
  EXPECT_THAT(plays(one, {"1 FETCH (FLAGS (\\Seen))", "1 FETCH (UID 7)", "1 FETCH (FLAGS ())"}),
              HasSubstr("fail: no such reply"))
      << "what was said is not taken back";
  EXPECT_EQ(
      plays(one + "S: * 1 FETCH (MODSEQ (5))\n", {"1 FETCH (UID 7)", "1 FETCH (MODSEQ (5))", "1 FETCH (FLAGS ())"}),
      "ok: t1 OK Done")
      << "a row that adds nothing is left for others";
  const std::string never = "S!: * 1 FETCH (UID 7 FLAGS (\\Seen))\n";
  EXPECT_EQ(plays(never, {"1 FETCH (UID 7)", "1 FETCH (FLAGS (\\Seen))"}),
            "fail: * 1 FETCH (UID 7)\n* 1 FETCH (FLAGS (\\Seen))");
  EXPECT_THAT(plays(never, {"1 FETCH (UID 7 FLAGS ())", "1 FETCH (UID 7 FLAGS (\\Seen))"}), HasSubstr("fail: "));
  EXPECT_EQ(plays(never, {"1 FETCH (UID 7)", "1 EXPUNGE", "1 FETCH (FLAGS (\\Seen))"}), "ok: t1 OK Done");
}

TEST(TalkRows, WhatIsFoundMayBeToldInSeveralResponses) {
  const auto plays = [](const std::string& awaited, std::vector<std::string> rows) {
    WrongBlock block{.protocol = kImap, .text = "SEARCH ALL"};
    for (const std::string& row : rows)
      block.actions.push_back({.kind = WrongAction::Kind::say, .text = "* " + row + "\r\n"});
    block.actions.push_back({.kind = WrongAction::Kind::say, .text = "${tag} OK Done\r\n"});
    return Checked("connect: imap selected\nC: SEARCH ALL\n" + awaited + "S: OK", "    needs: [imap]\n", {block}).end();
  };
  EXPECT_EQ(plays("S: * SEARCH 1 2 3\n", {"SEARCH 3", "3 EXISTS", "search 1 2"}), "ok: t1 OK Done");
  EXPECT_EQ(plays("S: * SEARCH 1 2 3\n", {"SEARCH 1 2 3", "SEARCH"}), "ok: t1 OK Done");
  EXPECT_THAT(plays("S: * SEARCH 1 2 3\n", {"SEARCH 3", "SEARCH 1"}), HasSubstr("fail: no such reply"));
  EXPECT_THAT(plays("S: * SEARCH 1 2 3\n", {"SEARCH 1 2", "SEARCH 2 3"}), HasSubstr("fail: no such reply"));
  EXPECT_THAT(plays("S!: * SEARCH 1 2\n", {"SEARCH 1", "SEARCH 2"}), HasSubstr("fail: "));
  // That a search must say that it found nothing is what one check is about, by a regular expression.
  EXPECT_EQ(plays("S: * SEARCH | * ESEARCH $\n", {"3 EXISTS"}), "ok: t1 OK Done");
  EXPECT_THAT(plays("S: * SEARCH | * ESEARCH $\n", {"SEARCH 1"}), HasSubstr("fail: no such reply"));
  EXPECT_THAT(plays("S: * SEARCH 1\n", {"3 EXISTS"}), HasSubstr("fail: no such reply"));
  EXPECT_THAT(plays("S~: ^\\* SEARCH$\n", {"3 EXISTS"}), HasSubstr("fail: no such reply"));
}

}  // namespace
}  // namespace mailproof::play
