#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/imap/tests/rig.h"

namespace mailproof::server {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A world where alice has three messages, seen from two devices.
struct Story {
  explicit Story(ServerOptions options) : world(std::move(options)), phone(world, "alice"), desk(world, "alice") {
    for (int i = 1; i <= 3; ++i) phone.append("INBOX", plain_message(i));
    phone.say("SELECT INBOX");
    desk.say("SELECT INBOX");
  }
  ImapWorld world;
  ImapDevice phone;
  ImapDevice desk;
};
Story defective(std::string_view name) { return Story(ImapWorld::with_defect(name)); }
Story tolerant(std::string_view name) { return Story(ImapWorld::with_latitude(name)); }

TEST(Switches, EveryNameIsWellFormedAndSingle) {
  std::set<std::string_view> seen;
  const auto check = [&](std::span<const Switch> table) {
    for (const auto& row : table) {
      EXPECT_TRUE(seen.insert(row.name).second) << row.name;
      EXPECT_THAT(std::string(row.name), testing::MatchesRegex("(imap|pop3|delivery|quota)\\.[a-z0-9-]+"));
      EXPECT_FALSE(row.what.empty()) << row.name;
      EXPECT_FALSE(row.caught_by.empty()) << row.name;
    }
  };
  check(Server::defects());
  check(Server::latitudes());
  EXPECT_GE(Server::defects().size(), 12U);
  EXPECT_GE(Server::latitudes().size(), 6U);
}

TEST(ImapDefects, AppendOkButAbsent) {
  auto story = defective("imap.append-ok-but-absent");
  EXPECT_THAT(story.phone.append("INBOX", plain_message(4)), HasSubstr("OK [APPENDUID "));
  EXPECT_THAT(story.phone.say("STATUS INBOX (MESSAGES)"), HasSubstr("MESSAGES 0"));
}

TEST(ImapDefects, ExpungeTakesUndeleted) {
  auto story = defective("imap.expunge-takes-undeleted");
  EXPECT_THAT(story.phone.say("EXPUNGE"), Not(HasSubstr("* "))) << "with nothing marked nothing goes";
  story.phone.say("STORE 1 +FLAGS (\\Deleted)");
  story.phone.say("UID EXPUNGE 1");
  EXPECT_THAT(story.phone.say("UID SEARCH ALL"), StartsWith("* SEARCH 2\r\n"));
}

TEST(ImapDefects, ExistsShrinks) {
  auto story = defective("imap.exists-shrinks");
  story.desk.say("STORE 1 +FLAGS.SILENT (\\Deleted)");
  story.desk.say("EXPUNGE");
  EXPECT_THAT(story.phone.say("NOOP"), StartsWith("* 2 EXISTS\r\n"));
}

TEST(ImapDefects, FetchOtherBody) {
  auto story = defective("imap.fetch-other-body");
  EXPECT_THAT(story.phone.say("UID FETCH 3 BODY.PEEK[]"),
              testing::AllOf(HasSubstr("Subject: Quarterly figures, part 3"), HasSubstr("..part 2 is attached")));
  EXPECT_THAT(story.phone.say("UID FETCH 2 BODY.PEEK[]"), HasSubstr("..part 2 is attached"));
}

TEST(ImapDefects, ForeignBody) {
  auto story = defective("imap.foreign-body");
  EXPECT_THAT(story.phone.say("UID FETCH 3 BODY.PEEK[]"), HasSubstr("part 3")) << "nobody else has mail";
  ImapDevice(story.world, "bob").append("INBOX", rich_message());
  EXPECT_THAT(story.phone.say("UID FETCH 3 BODY.PEEK[]"), HasSubstr("<rich.1@example.test>"));
}

TEST(ImapDefects, MoveDoubles) {
  auto story = defective("imap.move-doubles");
  story.phone.say("UID MOVE 2 Trash");
  EXPECT_THAT(story.phone.say("STATUS Trash (MESSAGES)"), HasSubstr("MESSAGES 2"));
}

TEST(ImapDefects, UidReused) {
  auto story = defective("imap.uid-reused");
  story.phone.say("STORE 3 +FLAGS (\\Deleted)");
  story.phone.say("EXPUNGE");
  story.phone.append("INBOX", plain_message(4));
  EXPECT_THAT(story.phone.say("UID FETCH 3 BODY.PEEK[]"), HasSubstr("part 4"));
}

TEST(ImapDefects, SeenForgotten) {
  auto story = defective("imap.seen-forgotten");
  EXPECT_THAT(story.phone.say("STORE 1 +FLAGS (\\Seen \\Flagged)"),
              StartsWith("* 1 FETCH (FLAGS (\\Seen \\Flagged \\Recent))"));
  EXPECT_THAT(story.desk.say("FETCH 1 FLAGS"), HasSubstr("FLAGS (\\Flagged)"));
}

TEST(ImapLatitudes, NilForExpunged) {
  auto story = tolerant("imap.nil-for-expunged");
  story.desk.say("STORE 2 +FLAGS.SILENT (\\Deleted)");
  story.desk.say("EXPUNGE");
  EXPECT_THAT(story.phone.say("FETCH 2 (UID BODY.PEEK[] ENVELOPE)"),
              StartsWith("* 2 FETCH (UID 2 BODY[] NIL ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL))\r\n"));
  EXPECT_THAT(story.phone.say("FETCH 2 (FLAGS RFC822.SIZE INTERNALDATE)"),
              StartsWith("* 2 FETCH (RFC822.SIZE 0 INTERNALDATE \"00-Jan-0000 00:00:00 +0000\" FLAGS ())\r\n"));
  EXPECT_THAT(story.phone.say("FETCH 3 BODY.PEEK[]"), HasSubstr("part 3"));
}

TEST(ImapLatitudes, GhostsAreDeleted) {
  auto story = tolerant("imap.ghosts-are-deleted");
  story.desk.say("UID MOVE 2 Trash");
  EXPECT_THAT(story.phone.say("FETCH 1 UID"), HasSubstr("\r\n* 2 FETCH (FLAGS (\\Deleted \\Recent))\r\n"));
  story.desk.say("UID MOVE 1 Trash");
  EXPECT_THAT(story.phone.say("UID FETCH 3 UID"),
              testing::ContainsRegex(
                  "\\* 1 FETCH \\(UID 1 FLAGS \\([^)]*Deleted[^)]*\\)\\)\r\n\\* 1 EXPUNGE\r\n\\* 1 EXPUNGE\r\n"));
  story.desk.say("UID MOVE 3 Trash");
  EXPECT_THAT(story.phone.say("SEARCH ALL"), StartsWith("* SEARCH 1\r\n"));
  story.desk.say("SELECT Trash");
  EXPECT_THAT(story.desk.say("FETCH 1:3 FLAGS"), Not(HasSubstr("Deleted")));
}

TEST(ImapLatitudes, NoWithoutCode) {
  auto story = tolerant("imap.no-without-code");
  EXPECT_EQ(story.phone.say("COPY 1 Nowhere"), "a6 NO [TRYCREATE] No such mailbox\r\n") << "a MUST";
  EXPECT_EQ(story.phone.say("STATUS Nowhere (MESSAGES)"), "a7 NO No such mailbox\r\n");
}

TEST(ImapLatitudes, NoUidplus) {
  auto story = tolerant("imap.no-uidplus");
  EXPECT_THAT(story.phone.say("CAPABILITY"), Not(HasSubstr("UIDPLUS")));
  EXPECT_EQ(story.phone.say("COPY 1 Trash"), "a7 OK Copied\r\n");
  EXPECT_THAT(story.phone.append("INBOX", plain_message(4)), HasSubstr("a8 OK Appended"));
  EXPECT_EQ(story.phone.status("UID EXPUNGE 1"), "BAD");
  EXPECT_THAT(story.phone.say("MOVE 1 Trash"), StartsWith("* 1 EXPUNGE\r\n"));
}

TEST(ImapLatitudes, ExpungeWaitsForNoop) {
  auto story = tolerant("imap.expunge-waits-for-noop");
  story.desk.say("STORE 2 +FLAGS.SILENT (\\Deleted)");
  story.desk.say("EXPUNGE");
  EXPECT_THAT(story.phone.say("UID FETCH 1 FLAGS"), Not(HasSubstr("EXPUNGE")));
  EXPECT_THAT(story.phone.say("NOOP"), StartsWith("* 2 EXPUNGE\r\n"));
}

}  // namespace
}  // namespace mailproof::server
