#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/imap/tests/rig.h"

namespace mailproof::server {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Metadata : public testing::Test {
 protected:
  Metadata() { phone_.say("CREATE Work"); }
  ImapWorld world_;
  ImapDevice phone_{world_, "alice"};
};

TEST_F(Metadata, IsSetToldAndRemoved) {
  EXPECT_EQ(phone_.status("SETMETADATA Work (/shared/comment \"ours\" /Private/Comment {4+}\r\nmine)"), "OK");
  EXPECT_THAT(phone_.say("GETMETADATA Work (/private/comment /shared/comment)"),
              StartsWith("* METADATA \"Work\" (/shared/comment \"ours\" /private/comment \"mine\")\r\n"));
  EXPECT_EQ(phone_.status("SETMETADATA Work (/shared/comment NIL)"), "OK");
  EXPECT_EQ(phone_.say("GETMETADATA Work /shared/comment"), "a6 OK Done\r\n");
}

TEST_F(Metadata, IsAllOrNothing) {
  phone_.say("SETMETADATA Work (/shared/comment \"before\")");
  EXPECT_THAT(phone_.say("SETMETADATA Work (/shared/comment \"after\" /shared/unheard-of \"x\")"),
              HasSubstr("NO [CANNOT]"));
  EXPECT_THAT(phone_.say("SETMETADATA Work (/shared/comment {40000+}\r\n" + std::string(40'000, 'x') + ")"),
              HasSubstr("NO [METADATA MAXSIZE 32768]"));
  EXPECT_THAT(phone_.say("GETMETADATA Work /shared/comment"), HasSubstr("\"before\""));
  for (int i = 0; i < 99; ++i) phone_.say("SETMETADATA Work (/shared/vendor/x/" + std::to_string(i) + " \"v\")");
  EXPECT_THAT(phone_.say("SETMETADATA Work (/shared/vendor/x/last \"v\")"), HasSubstr("NO [METADATA TOOMANY]"));
}

TEST_F(Metadata, DepthAndMaxsizeLimitWhatIsTold) {
  phone_.say("SETMETADATA Work (/shared/comment \"deep value\" /shared/vendor/a/b \"x\")");
  const auto children = phone_.say("GETMETADATA (DEPTH 1) Work /shared");
  EXPECT_THAT(children, HasSubstr("/shared/comment"));
  EXPECT_THAT(children, Not(HasSubstr("vendor")));
  EXPECT_THAT(phone_.say("GETMETADATA (DEPTH infinity) Work /shared"), HasSubstr("/shared/vendor/a/b \"x\""));
  EXPECT_THAT(phone_.say("GETMETADATA (MAXSIZE 4) Work (/shared/comment)"),
              StartsWith("a6 OK [METADATA LONGENTRIES 10]"));
  EXPECT_THAT(phone_.say("GETMETADATA Work (MAXSIZE 10) /shared/comment"), HasSubstr("deep value"));
}

TEST_F(Metadata, SyntaxErrorsAreBad) {
  for (const auto* command :
       {"SETMETADATA Work ()", "SETMETADATA Work (/shared/* \"x\")", "SETMETADATA Work (/shared/a/ \"x\")",
        "SETMETADATA Work (comment \"x\")", "GETMETADATA (DEPTH 2) Work /shared", "GETMETADATA Work ()",
        "SETMETADATA Work (/shared/comment)"})
    EXPECT_EQ(phone_.status(command), "BAD") << command;
  EXPECT_THAT(phone_.say("GETMETADATA Nowhere /shared/comment"), HasSubstr("NO [NONEXISTENT]"));
}

TEST_F(Metadata, FollowsRenameAndGoesWithDelete) {
  phone_.say("SETMETADATA Work (/shared/comment \"goes along\")");
  phone_.say("RENAME Work Play");
  EXPECT_THAT(phone_.say("GETMETADATA Play /shared/comment"), HasSubstr("goes along"));
  phone_.say("DELETE Play");
  phone_.say("CREATE Play");
  EXPECT_THAT(phone_.say("GETMETADATA Play /shared/comment"), Not(HasSubstr("goes along")));
}

TEST_F(Metadata, OfTheServerUsersSetTheirOwnOnly) {
  EXPECT_THAT(phone_.say("SETMETADATA \"\" (/shared/comment \"x\")"), HasSubstr("NO [NOPERM]"));
  EXPECT_EQ(phone_.status("SETMETADATA \"\" (/private/vendor/x/y \"mine\")"), "OK");
  EXPECT_THAT(phone_.say("GETMETADATA \"\" /private/vendor/x/y"),
              StartsWith("* METADATA \"\" (/private/vendor/x/y \"mine\")\r\n"));
  ImapDevice bob(world_, "bob");
  EXPECT_THAT(bob.say("GETMETADATA \"\" /private/vendor/x/y"), Not(HasSubstr("mine")));
}

TEST_F(Metadata, ListTellsIt) {
  phone_.say("SETMETADATA Work (/private/comment \"about work\")");
  EXPECT_THAT(phone_.say("LIST \"\" Work RETURN (METADATA (/private/comment))"),
              HasSubstr("* METADATA \"Work\" (/private/comment \"about work\")\r\n"));
}

}  // namespace
}  // namespace mailproof::server
