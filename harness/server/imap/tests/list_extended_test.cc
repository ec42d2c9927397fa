#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/imap/tests/rig.h"

namespace mailproof::server {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ListExtended : public testing::Test {
 protected:
  ListExtended() {
    phone_.say("CREATE Work/2026");
    phone_.say("SUBSCRIBE Work/2026");
  }
  ImapWorld world_;
  ImapDevice phone_{world_, "alice"};
};

TEST_F(ListExtended, ListsWhatAnyOfThePatternsMatchesOnce) {
  EXPECT_EQ(
      phone_.say("LIST \"\" (Work Wo% Sent)"),
      "* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent\"\r\n* LIST (\\HasChildren) \"/\" \"Work\"\r\na4 OK Done\r\n");
}

TEST_F(ListExtended, WithoutOptionsItIsTheListOfRfc3501) {
  EXPECT_THAT(phone_.say("LIST \"\" \"\""), StartsWith("* LIST (\\Noselect) \"/\" \"\"\r\n"));
  EXPECT_EQ(phone_.say("LIST () \"\" \"\""), "a5 OK Done\r\n") << "an empty pattern asks for no delimiter (section 3)";
}

TEST_F(ListExtended, SelectsSubscriptionsWhetherTheyAreThereOrNot) {
  phone_.say("CREATE Gone");
  phone_.say("SUBSCRIBE Gone");
  phone_.say("DELETE Gone");
  const auto answer = phone_.say("LIST (SUBSCRIBED) \"\" (Gone Work Work/%)");
  EXPECT_THAT(answer, HasSubstr("* LIST (\\NonExistent \\Subscribed \\HasNoChildren) \"/\" \"Gone\"\r\n"));
  EXPECT_THAT(answer, HasSubstr("* LIST (\\Subscribed \\HasNoChildren) \"/\" \"Work/2026\"\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("\"Work\"")));
}

TEST_F(ListExtended, RecursiveMatchTellsOfChildrenOnly) {
  EXPECT_THAT(phone_.say("LIST (SUBSCRIBED RECURSIVEMATCH) \"\" Work"),
              StartsWith("* LIST (\\HasChildren) \"/\" \"Work\" (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"));
  EXPECT_THAT(phone_.say("LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (Work Work/%)"), Not(HasSubstr("CHILDINFO")))
      << "the child is listed itself (section 3.5)";
  EXPECT_EQ(phone_.status("LIST (RECURSIVEMATCH) \"\" *"), "BAD");
  EXPECT_EQ(phone_.status("LIST (REMOTE RECURSIVEMATCH) \"\" *"), "BAD");
}

TEST_F(ListExtended, UnknownOptionsAreBad) {
  EXPECT_EQ(phone_.status("LIST (XBOGUS) \"\" *"), "BAD");
  EXPECT_EQ(phone_.status("LIST \"\" * RETURN (XBOGUS)"), "BAD");
  EXPECT_EQ(phone_.status("LIST \"\" * GIVE (CHILDREN)"), "BAD");
  EXPECT_EQ(phone_.status("LIST \"\" ()"), "BAD");
}

TEST_F(ListExtended, StatusFollowsWhereThereIsAMailbox) {
  phone_.append("Work", plain_message(1));
  EXPECT_THAT(phone_.say("LIST \"\" Work RETURN (STATUS (MESSAGES UNSEEN))"),
              StartsWith("* LIST (\\HasChildren) \"/\" \"Work\"\r\n* STATUS \"Work\" (MESSAGES 1 UNSEEN 1)\r\n"));
  phone_.say("DELETE Work");
  EXPECT_THAT(phone_.say("LIST \"\" (Work) RETURN (STATUS (MESSAGES))"), Not(HasSubstr("* STATUS")));
  EXPECT_EQ(phone_.status("LIST \"\" * RETURN (STATUS (BOGUS))"), "BAD");
  EXPECT_EQ(phone_.status("LIST \"\" * RETURN (STATUS ())"), "BAD");
}

TEST_F(ListExtended, SpecialUsesAreSelectedAndCreated) {
  EXPECT_THAT(phone_.say("CREATE Old (USE (\\Archive))"), HasSubstr("] Created"));
  const auto uses = phone_.say("LIST (SPECIAL-USE) \"\" *");
  EXPECT_THAT(uses, HasSubstr("* LIST (\\HasNoChildren \\Archive) \"/\" \"Old\"\r\n"));
  EXPECT_THAT(uses, Not(HasSubstr("INBOX")));
  EXPECT_THAT(phone_.say("CREATE New (USE (\\Flagged))"), HasSubstr("NO [USEATTR]"));
  EXPECT_THAT(phone_.say("SELECT New"), HasSubstr("NO [NONEXISTENT]"));
  EXPECT_EQ(phone_.status("CREATE New (SIZE 3)"), "BAD");
  phone_.say("CREATE Plain");
  EXPECT_THAT(phone_.say("LIST \"\" Plain RETURN (SPECIAL-USE)"), StartsWith("* LIST (\\HasNoChildren) \"/\""));
}

}  // namespace
}  // namespace mailproof::server
