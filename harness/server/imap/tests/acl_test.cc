#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/imap/tests/rig.h"

namespace mailproof::server {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// alice has a mailbox with one message; bob comes to it.
class Acl : public testing::Test {
 protected:
  Acl() {
    alice_.say("CREATE Work");
    alice_.append("Work", plain_message(1));
  }
  static constexpr const char* kTheirs = "\"Other Users/alice/Work\"";
  std::string bob(std::string_view command) {
    std::string text(command);
    if (const auto at = text.find('@'); at != std::string::npos) text.replace(at, 1, kTheirs);
    return bob_.say(text);
  }
  ImapWorld world_;
  ImapDevice alice_{world_, "alice"};
  ImapDevice bob_{world_, "bob"};
};

TEST_F(Acl, NobodyKnowsOfAnothersMailboxUntilHeMay) {
  EXPECT_THAT(bob("LIST \"\" *"), Not(HasSubstr("Other Users")));
  const auto absent = bob_.say("EXAMINE \"Other Users/alice/Nothing\"");
  EXPECT_EQ(bob("EXAMINE @").substr(3), absent.substr(3));
  EXPECT_THAT(alice_.say("GETACL Work"), StartsWith("* ACL \"Work\" \"alice\" lrswipkxteacd\r\n"));
  EXPECT_EQ(alice_.status("SETACL Work bob lr"), "OK");
  EXPECT_THAT(bob("LIST \"\" *"), HasSubstr("* LIST (\\HasNoChildren) \"/\" \"Other Users/alice/Work\"\r\n"));
  EXPECT_THAT(bob("MYRIGHTS @"), StartsWith("* MYRIGHTS \"Other Users/alice/Work\" lr\r\n"));
  EXPECT_THAT(bob("SELECT @"), HasSubstr("OK [READ-ONLY]"));
  EXPECT_EQ(alice_.status("DELETEACL Work bob"), "OK");
  EXPECT_THAT(bob("EXAMINE @"), HasSubstr("NO [NONEXISTENT]"));
}

TEST_F(Acl, RightsAreAddedTakenAndShownWithTheOldOnes) {
  alice_.say("SETACL Work bob lr");
  alice_.say("SETACL Work bob +cd");
  EXPECT_THAT(bob("MYRIGHTS @"), HasSubstr(" lrkxtecd\r\n"));
  alice_.say("SETACL Work bob -c");
  EXPECT_THAT(bob("MYRIGHTS @"), HasSubstr(" lrted\r\n"));
  EXPECT_THAT(alice_.say("GETACL Work"), HasSubstr(" \"bob\" lrted\r\n"));
  EXPECT_EQ(alice_.status("SETACL Work bob lQ"), "BAD");
  EXPECT_THAT(alice_.say("SETACL Work nobody lr"), HasSubstr("NO [NONEXISTENT]"));
  EXPECT_THAT(alice_.say("SETACL Work -bob lr"), HasSubstr("NO [CANNOT]"));
  EXPECT_THAT(alice_.say("LISTRIGHTS Work bob"),
              StartsWith("* LISTRIGHTS \"Work\" \"bob\" \"\" l r s w i p k x t e a c d\r\n"));
  EXPECT_THAT(alice_.say("LISTRIGHTS Work alice"),
              StartsWith("* LISTRIGHTS \"Work\" \"alice\" la r s w i p k x t e c d\r\n"));
}

TEST_F(Acl, OnlyWhoHoldsASeesOrSetsThem) {
  alice_.say("SETACL Work bob lr");
  for (const auto* command : {"SETACL @ bob lrswi", "GETACL @", "LISTRIGHTS @ bob", "DELETEACL @ bob"})
    EXPECT_THAT(bob(command), HasSubstr("NO [NOPERM]")) << command;
  alice_.say("SETACL Work bob +a");
  EXPECT_THAT(bob("SETACL @ carol lr"), HasSubstr(" OK "));
}

TEST_F(Acl, EachCommandWantsItsRight) {
  alice_.say("SETACL Work bob lr");
  EXPECT_THAT(bob_.append(kTheirs, plain_message(2)), HasSubstr("NO [NOPERM]"));
  bob("SELECT @");
  bob_.say("FETCH 1 BODY[]");
  EXPECT_THAT(bob_.say("FETCH 1 FLAGS"), Not(HasSubstr("\\Seen")));
  alice_.say("SETACL Work bob lrwie");
  bob("SELECT @");
  EXPECT_THAT(bob_.say("STORE 1 +FLAGS (\\Seen)"), HasSubstr("NO [NOPERM]"));
  EXPECT_THAT(bob_.say("STORE 1 +FLAGS (\\Seen $Work)"), HasSubstr("FLAGS (\\Recent $Work))"));
  EXPECT_THAT(bob_.append(kTheirs, plain_message(2), "(\\Flagged \\Deleted) "), HasSubstr(" OK "));
  EXPECT_THAT(bob_.say("FETCH 2 FLAGS"), HasSubstr("FLAGS (\\Flagged \\Recent)"));
  EXPECT_THAT(bob_.say("MOVE 1 INBOX"), HasSubstr("NO [NOPERM]")) << "t is missing";
  EXPECT_THAT(bob("DELETE @"), HasSubstr("NO [NOPERM]"));
  EXPECT_THAT(bob_.say("CREATE \"Other Users/alice/Work/x\""), HasSubstr("NO [NOPERM]"));
}

TEST_F(Acl, AnOwnerMayTakeRightsFromHimselfAndKeepsTheAcl) {
  EXPECT_EQ(alice_.status("SETACL Work alice lrsx"), "OK");
  EXPECT_THAT(alice_.append("Work", plain_message(2)), HasSubstr("NO [NOPERM]"));
  EXPECT_EQ(alice_.status("SETACL Work alice lrswipkxte"), "OK") << "a is always his";
  EXPECT_THAT(alice_.append("Work", plain_message(2)), HasSubstr(" OK "));
}

TEST_F(Acl, GoesWithTheMailboxAndFollowsItsName) {
  alice_.say("SETACL Work anyone lr");
  alice_.say("RENAME Work Play");
  EXPECT_EQ(bob_.status("EXAMINE \"Other Users/alice/Play\""), "OK");
  alice_.say("DELETE Play");
  alice_.say("CREATE Play");
  EXPECT_THAT(bob_.say("EXAMINE \"Other Users/alice/Play\""), HasSubstr("NO [NONEXISTENT]"));
}

TEST_F(Acl, WhatBobPutsThereCountsForAlice) {
  alice_.say("SETACL Work bob lri");
  const std::string large(60'000, 'x');
  EXPECT_THAT(bob_.append(kTheirs, large), HasSubstr(" OK "));
  EXPECT_THAT(bob_.append(kTheirs, large), HasSubstr(" OK ")) << "bob has 64 KiB, alice has no limit";
  EXPECT_THAT(bob_.say("GETQUOTA bob"), HasSubstr("(STORAGE 0 64 MESSAGE 0 "));
}

}  // namespace
}  // namespace mailproof::server
