#include "scenario/imaptest/imaptest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailproof::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Op = TalkLine::Op;

struct Read {
  explicit Read(const std::string& text, const std::string& set = "") {
    Complaints complaints("script");
    const ImapTestScript script{"one", "script", text,
                                "From a\nSubject: s1\n\nbody1\n\nFrom a\nSubject: s2\n\nbody2\n"};
    scenario = read_imaptest(
        script, [&](const std::string& name) { return name == set; }, complaints);
    for (const auto& problem : complaints.take()) problems += problem.message() + "\n";
  }
  std::vector<std::string> sent() const {
    std::vector<std::string> out;
    for (const auto& line : scenario.check->talk)
      if (line.op == Op::send)
        out.push_back(std::to_string(line.connection) + ">" + line.text.substr(line.text.find(' ') + 1));
    return out;
  }
  std::vector<ImapTestReplies> awaited() const {
    std::vector<ImapTestReplies> out;
    for (const auto& line : scenario.check->talk)
      if (line.imaptest) out.push_back(*line.imaptest);
    return out;
  }
  Scenario scenario;
  std::string problems;
};

TEST(ImapTest, MessagesOfAnMboxKeepTheEmptyLineBehindThem) {
  EXPECT_THAT(messages_of_mbox("From a\nSubject: s\n\nFrom b\nX: y\n\nz\n"),
              ElementsAre("Subject: s\r\n\r\n", "X: y\r\n\r\nz\r\n"));
  EXPECT_THAT(messages_of_mbox("From a\nA: b\n\nx\nFrom here\n\nFrom b\nX: y\n\n"),
              ElementsAre("A: b\r\n\r\nx\r\nFrom here\r\n\r\n", "X: y\r\n\r\n"));
}

TEST(ImapTest, WhatImapTestDoesBeforeTheFirstCommandIsDoneHere) {
  const Read read("messages: 3\nconnections: 2\n\n1 ok noop\n");
  EXPECT_EQ(read.problems, "");
  EXPECT_EQ(read.scenario.id, "imaptest.one");
  EXPECT_THAT(
      read.sent(),
      ElementsAre("1>CREATE ${box}", "1>APPEND ${box} ${literal:${message1}}", "1>APPEND ${box} ${literal:${message2}}",
                  "1>APPEND ${box} ${literal:${message1}}", "1>SELECT ${box}", "2>SELECT ${box}", "1>noop"));
  EXPECT_EQ(Read("state: auth\n\nok noop\n").sent().size(), 1u);
  EXPECT_EQ(Read("state: nonauth\n\nok noop\n").scenario.check->first.standing, Standing::authorization);
  EXPECT_EQ(Read("state: nonauth\n\n* ok\nok noop\n").scenario.check->first.standing, Standing::greeting);
  EXPECT_THAT(Read("capabilities: MOVE UIDPLUS\n\nok noop\n").scenario.check->when, ElementsAre("MOVE", "UIDPLUS"));
}

TEST(ImapTest, CommandsAreWrittenInThreeWays) {
  const Read read(
      "state: auth\n\nok noop\n* 1 exists\n! 2 exists\n? bye\n"
      "select $mailbox\nno [trycreate]\n"
      "tag1 status ${mailbox}2 (messages)\ntag2 noop\n* status x ()\ntag2 ok\ntag1 \"\"\n");
  EXPECT_EQ(read.problems, "");
  EXPECT_THAT(read.sent(), ElementsAre("1>noop", "1>select ${box}", "1>status ${box}2 (messages)", "1>noop"));
  const auto awaited = read.awaited();
  ASSERT_EQ(awaited.size(), 3u);
  ASSERT_EQ(awaited[0].untagged.size(), 3u);
  EXPECT_EQ(awaited[0].untagged[1].is, ImapTestReplies::Untagged::Is::must_not);
  EXPECT_EQ(awaited[0].untagged[2].is, ImapTestReplies::Untagged::Is::may);
  EXPECT_EQ(awaited[0].tagged[0].pattern, "ok");
  EXPECT_EQ(awaited[1].tagged[0].pattern, "no [trycreate]");
  ASSERT_EQ(awaited[2].tagged.size(), 2u);
  EXPECT_EQ(awaited[2].tagged[0].pattern, "") << "any";
  EXPECT_EQ(awaited[2].tagged[1].pattern, "ok");
}

TEST(ImapTest, WhatIsSaidIsInTheNotationOfATalk) {
  const Read read(
      "state: created\n\nok store 1 +flags ($$keyword)\nok fetch $uid1,$3 ${sep}x\nappend\nok [x]\n"
      "ok append ${mailbox}2 (\\seen)\nok append $mailbox {{{\nA: b\n\nc\n}}}\nok noop\n* 1 fetch (body[] "
      "~{{{\nd\n}}})\n");
  EXPECT_EQ(read.problems, "");
  EXPECT_THAT(read.sent(),
              ElementsAre("1>CREATE ${box}", "1>store 1 +flags ($keyword)", "1>fetch ${uid1},3 ${sep}x",
                          "1>APPEND ${box} ${literal:${message1}}", "1>append ${box}2 (\\seen) ${literal:${message2}}",
                          "1>append ${box} ${literal:${text1}}", "1>noop"));
  EXPECT_EQ(read.scenario.check->given.at("text1"), "A: b\r\n\r\nc");
  EXPECT_EQ(read.scenario.check->given.at("message1"), "Subject: s1\r\n\r\nbody1\r\n\r\n");
  EXPECT_EQ(read.awaited().back().untagged[0].pattern, "1 fetch (body[] ~{1}\r\nd)");
}

TEST(ImapTest, TheEnvironmentChooses) {
  const std::string text = "state: auth\n\n!ifenv A\nok one\n!ifnenv B\nok two\n!endif\n!else\nok three\n!endif\n";
  EXPECT_THAT(Read(text, "A").sent(), ElementsAre("1>one", "1>two"));
  EXPECT_THAT(Read(text, "B").sent(), ElementsAre("1>three"));
  EXPECT_THAT(Read(text).sent(), ElementsAre("1>three"));
}

TEST(ImapTest, WhatIsNoScriptIsNamedWithItsLine) {
  EXPECT_THAT(Read("state: asleep\n\nok noop\n").problems, HasSubstr("script:1:1: 'asleep'"));
  EXPECT_THAT(Read("\nnoop\nok\nnoop\n").problems, HasSubstr("expected the reply to it"));
  EXPECT_THAT(Read("connections: 2\n\nok noop\n").problems, HasSubstr("script:3:1: 'ok noop'; expected the number of"));
  EXPECT_THAT(Read("\n!ifenv A\nok noop\n").problems, HasSubstr("expected !endif"));
  EXPECT_THAT(Read("\n!else\nok noop\n").problems, HasSubstr("expected !ifenv before it"));
  EXPECT_THAT(Read("state: auth\n").problems, HasSubstr("expected commands"));
  EXPECT_THAT(Read("\nok append {{{\nx\n").problems, HasSubstr("}}} that ends it"));
}

}  // namespace
}  // namespace mailproof::scenario
