#include "scenario/imaptest/imaptest.h"

#include <gmock/gmock.h>

#include "play/talk/imaptest_match.h"
#include "play/talk/tests/checked.h"

namespace mailproof::play {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

bool fits(const std::string& pattern, const std::string& reply, bool prefix = false) {
  TalkVariables variables;
  return ImapTestMatcher(variables).matches(pattern, reply, prefix);
}

TEST(ImapTestMatcher, ArgumentsAreComparedWithoutCaseWhateverTheyAreWrittenAs) {
  EXPECT_TRUE(fits("search 1 2", "SEARCH 1 2"));
  EXPECT_FALSE(fits("search 1 2", "SEARCH 2 1"));
  EXPECT_FALSE(fits("search 1", "SEARCH 1 2"));
  EXPECT_FALSE(fits("search 1 2", "SEARCH 1"));
  EXPECT_TRUE(fits("list () \"/\" a", "LIST () \"/\" {1}\r\na"));
  EXPECT_FALSE(fits("x nil", "X \"NIL\"")) << "NIL is no string";
  EXPECT_TRUE(fits("thread (1)(2)", "THREAD (1)(2)"));
  EXPECT_TRUE(fits("ok [trycreate]", "OK [TRYCREATE] No such mailbox", true));
  EXPECT_FALSE(fits("ok [trycreate]", "OK No such mailbox", true));
  EXPECT_TRUE(fits("list () \"/\" ${case:INBOX/Inbox}", "LIST () \"/\" INBOX/Inbox"));
  EXPECT_FALSE(fits("list () \"/\" ${case:INBOX/Inbox}", "LIST () \"/\" INBOX/inbox"));
}

TEST(ImapTestMatcher, ListsHaveTheirDirectivesAndDefaults) {
  EXPECT_TRUE(fits("1 fetch (uid 7 flags (\\seen))", "1 FETCH (FLAGS (\\Recent \\Seen) MODSEQ (5) UID 7)"));
  EXPECT_FALSE(fits("1 fetch (flags (\\seen))", "1 FETCH (FLAGS (\\Seen \\Deleted))"));
  EXPECT_FALSE(fits("1 fetch (flags (\\seen))", "1 FETCH (FLAGS ())"));
  EXPECT_FALSE(fits("1 fetch (flags ($!extra))", "1 FETCH (UID 3 FLAGS (\\Deleted))")) << "ordered";
  EXPECT_TRUE(fits("1 fetch (flags ($!unordered))", "1 FETCH (UID 3 FLAGS (\\Deleted))"));
  EXPECT_TRUE(fits("list (\\subscribed) \"/\" a", "LIST (\\HasChildren \\Subscribed) \"/\" a"));
  EXPECT_FALSE(
      fits("list ($!unordered $!ban=\\haschildren \\subscribed) \"/\" a", "LIST (\\HasChildren \\Subscribed) \"/\" a"));
  EXPECT_TRUE(fits("status a (uidnext 2 messages 1)", "STATUS a (MESSAGES 1 UNSEEN 0 UIDNEXT 2)"));
  EXPECT_FALSE(fits("esearch (tag x) all 1", "ESEARCH (TAG x UID) ALL 1"));
  EXPECT_TRUE(fits("1 fetch (uid $ flags $)", "1 FETCH (FLAGS (\\Seen) UID 7)"));
}

TEST(ImapTestMatcher, VariablesKeepWhatTheyTookWhereTheReplyFits) {
  TalkVariables variables;
  ImapTestMatcher matcher(variables);
  EXPECT_FALSE(matcher.matches("1 fetch (uid $uid flags (\\seen))", "1 FETCH (UID 7 FLAGS ())", false));
  EXPECT_FALSE(variables.values.contains("uid"));
  EXPECT_TRUE(matcher.matches("1 fetch (uid $uid)", "1 FETCH (UID 7)", false));
  EXPECT_FALSE(matcher.matches("1 fetch (uid $uid)", "1 FETCH (UID 8)", false));
  EXPECT_FALSE(matcher.matches("esearch (tag $tag) uid all $a:$b,$uid", "ESEARCH (TAG s3) UID ALL 1:3,7", false))
      << "another command's";
  matcher.begin("s3");
  EXPECT_TRUE(matcher.matches("esearch (tag $tag) uid all $a:$b,$uid", "ESEARCH (TAG s3) UID ALL 1:3,7", false));
  EXPECT_EQ(variables.values["b"], "3");
  EXPECT_TRUE(matcher.matches("ok [copyuid $v $s]", "OK [COPYUID 4 1:2] done", true));
  EXPECT_EQ(variables.values["s"], "1:2");
  EXPECT_TRUE(matcher.matches("1 fetch (flags ($$hello))", "1 FETCH (FLAGS ($Hello))", false));
}

TEST(ImapTestMatcher, NumbersAreThoseFromBeforeTheCommand) {
  TalkVariables variables;
  ImapTestMatcher matcher(variables);
  matcher.begin("s1");
  EXPECT_TRUE(matcher.matches("$1 expunge", "1 EXPUNGE", false));
  matcher.expunged(1);
  EXPECT_FALSE(matcher.matches("$3 expunge", "3 EXPUNGE", false));
  EXPECT_TRUE(matcher.matches("$3 expunge", "2 EXPUNGE", false));
  EXPECT_FALSE(matcher.matches("$1 fetch (uid 1)", "1 FETCH (UID 1)", false));
  matcher.begin("s2");
  EXPECT_TRUE(matcher.matches("$3 expunge", "3 EXPUNGE", false));
}

TEST(ImapTestMatcher, ModseqsRiseByTheirNumbers) {
  const auto both = [](const std::string& first, const std::string& second) {
    TalkVariables variables;
    ImapTestMatcher matcher(variables);
    return matcher.matches("1 fetch (modseq ($modseq2))", "1 FETCH (MODSEQ (" + first + "))", false) &&
           matcher.matches("1 fetch (modseq ($modseq5))", "1 FETCH (MODSEQ (" + second + "))", false);
  };
  EXPECT_TRUE(both("2", "5"));
  EXPECT_TRUE(both("10", "13"));
  EXPECT_TRUE(both("10", "100"));
  EXPECT_FALSE(both("1", "5"));
  EXPECT_FALSE(both("2", "4"));
  EXPECT_FALSE(both("10", "12"));
}

/// A script, played on the built-in server.
struct Script {
  explicit Script(const std::string& text, std::vector<WrongDialogue> dialogues = {}) {
    scenario::Complaints complaints("script");
    scenario::Loaded loaded;
    loaded.scenarios.push_back(scenario::read_imaptest(
        {"one", "script", text, "From a\nSubject: s1\n\nbody1\n\nFrom a\nSubject: s2\n\nbody2\n"},
        [](const std::string&) { return false; }, complaints));
    for (const auto& problem : complaints.take()) ADD_FAILURE() << problem.message();
    rig.emplace(std::move(loaded), nullptr, std::move(dialogues));
    rig->play();
  }
  std::string end() const {
    std::string out;
    for (const auto& e : rig->player->history().events())
      if (e.what == history::What::talk && (e.type == history::Type::ok || e.type == history::Type::fail))
        out = std::string(name(e.type)) + ": " +
              (e.type == history::Type::ok ? "" : rig->player->history().event(e.command).set + "\n") + e.text;
    return out;
  }
  std::optional<SimRig> rig;
};

constexpr const char* kExpunge =
    "messages: 3\nconnections: 2\n\n1 ok store 1,3 +flags \\deleted\n* 1 fetch (flags (\\deleted))\n1 ok expunge\n"
    "* $1 expunge\n* $3 expunge\n2 ok noop\n* $1 expunge\n* $3 expunge\n! 1 exists\n2 noop\n2 ok\n";

TEST(ImapTestScript, IsPlayedToItsEnd) {
  EXPECT_THAT(Script(kExpunge).end(), StartsWith("ok: "));
  EXPECT_THAT(Script("state: nonauth\nconnections: 2\n\n1 ok logout\n* bye\n2 ok noop\n").end(), StartsWith("ok: "));
  EXPECT_THAT(Script("state: created\n\nok append\nok append ${mailbox} (\\seen)\nappend ${mailbox}nonexistent\nno "
                     "[trycreate]\nok status $mailbox (messages unseen)\n* status $mailbox (messages 2 unseen 1)\n")
                  .end(),
              StartsWith("ok: "));
  EXPECT_THAT(Script("state: auth\n\ntag1 create ${mailbox}\ntag2 status $mailbox (messages)\n* status ${mailbox} "
                     "(messages 0)\ntag2 ok\ntag1 ok\n")
                  .end(),
              StartsWith("ok: "));
}

TEST(ImapTestScript, WhatIsNotSoIsNamedByItsLine) {
  const auto untold = instead_of("NOOP", {"${tag} OK nothing new\r\n"}, kImap);
  EXPECT_THAT(Script(kExpunge, {{{untold}}}).end(),
              StartsWith("fail: * $1 expunge (script line 10)\n(line 9: 2 ok noop)"));
  EXPECT_THAT(Script("\nok noop\n! ok\nbad noop\n").end(), HasSubstr("fail: bad (script line 4)"));
  EXPECT_THAT(Script("state: auth\n\nok list \"\" \"\"\n! list ($!unordered) $ $\n").end(),
              HasSubstr("no reply like list "));
  EXPECT_THAT(Script("state: auth\nignore_extra_untagged: no\n\nok list \"\" \"\"\n").end(),
              HasSubstr("no other untagged reply"));
}

}  // namespace
}  // namespace mailproof::play
