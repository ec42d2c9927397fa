#include "play/talk/takes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mailproof::play {
namespace {

using Takes = Taking::What;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kOwn = "mailproof-a1b2c3d4e5f60718";

OpenMailbox opened(const std::string& mailbox, const std::vector<std::string>& heard = {}) {
  OpenMailbox open;
  open.said("s SELECT " + mailbox + "\r\n");
  for (const auto& line : heard) open.heard(line);
  open.heard("s OK done");
  return open;
}

/// What a look into INBOX found: so many of ours, with these UIDs.
std::map<std::string, OwnedSoFar> looked(const std::vector<std::uint32_t>& uids, std::uint32_t uidnext = 0) {
  ImapGuard guard(false);
  guard.opened("INBOX", 1);
  for (const auto uid : uids) guard.saw(uid, {Whose::ours, 1});
  return {{"INBOX", *guard.all_ours(static_cast<std::uint32_t>(uids.size()), uidnext)}};
}

std::string refused(const OpenMailbox& open, const std::string& bytes,
                    const std::map<std::string, OwnedSoFar>& looks = looked({11, 12, 13}, 20)) {
  return TakingWrite(open, bytes).refused(looks);
}

TEST(Takes, WhatRemovesChangesMovesCopiesOrReads) {
  for (const char* line :
       {"a STORE 1 +FLAGS (x)", "a uid store 1 FLAGS ()", "a COPY 1 x", "a UID MOVE 1 x", "a FETCH 1 BODY[]",
        "a FETCH 1 (FLAGS BODY[TEXT]<0.5>)", "a FETCH 1 RFC822", "a FETCH 1 (RFC822.TEXT)", "a FETCH 1 BINARY[1]",
        "a FETCH 1 (BODY.PEEK[])", "a FETCH 1 BODY.PEEK[1.MIME]", "a  FETCH  1  BODY[HEADER]", "a FETCH 1 PREVIEW",
        "a UID FETCH 1 X-SOMETHING", "a REPLACE 1 INBOX {5}", "a uid replace 1 x {5}", "a FETCH 1 (BODY[",
        "a FETCH 1 (BODY.PEEK[HEADER] BODY[])"})
    EXPECT_TRUE(what_it_takes(line).what == Takes::numbers || what_it_takes(line).what == Takes::uids) << line;
  for (const char* line : {"a EXPUNGE", "a close", "a UID EXPUNGE 1:3"})
    EXPECT_EQ(what_it_takes(line).what, Takes::marked) << line;
  for (const char* line : {"a DELETE inbox", "a RENAME \"INBOX\" x", "a DELETE {5}\r\ninbox"}) {
    EXPECT_EQ(what_it_takes(line).what, Takes::mailbox) << line;
    EXPECT_EQ(what_it_takes(line).mailbox, "INBOX") << line;
  }
}

TEST(Takes, WhatShowsHeadersFlagsAndSizesTakesNothing) {
  for (const char* line :
       {"a FETCH 1:* (FLAGS UID)", "a FETCH 1 ALL", "a UID FETCH 1 (ENVELOPE BODYSTRUCTURE BODY RFC822.SIZE)",
        "a FETCH 1 RFC822.HEADER", "a FETCH 1 (BODY.PEEK[HEADER.FIELDS (DATE X-BODY[])])",
        "a FETCH 1 (BODY.PEEK[HEADER]<0.10>)", "a FETCH 1 (MODSEQ) (CHANGEDSINCE 5 VANISHED)", "a NOOP", "a UNSELECT",
        "a APPEND INBOX {5}\r\nSTORE", "a SEARCH ALL", "a STATUS INBOX (MESSAGES)", "a UID", "", "a",
        "a UID FETCH 1:* (RFC822.SIZE) (PARTIAL -1:-2)"})
    EXPECT_EQ(what_it_takes(line).what, Takes::nothing) << line;
}

/// RFC 3501 leaves it to extensions what a command does.
TEST(Takes, WhatNobodyKnowsIsLookedAtBefore) {
  for (const char* line : {"a XYZZY", "a UID SNATCH 1", "a XLIST"})
    EXPECT_EQ(what_it_takes(line).what, Takes::unknown) << line;
  EXPECT_THAT(TakingWrite(opened("INBOX"), "a XYZZY\r\n").mailboxes(), ElementsAre("INBOX"));
  EXPECT_THAT(TakingWrite(OpenMailbox(), "a XYZZY\r\n").mailboxes(), IsEmpty());
}

/// RFC 5182 section 2.1: what a SEARCH saves may have come in since the look.
TEST(Takes, WhatASearchOfTheSameWriteSavesMayBeSomebodyElses) {
  EXPECT_THAT(refused(opened("INBOX"), "a SEARCH RETURN (SAVE) ALL\r\nb STORE $ +FLAGS (\\Deleted)\r\n"),
              HasSubstr("number $ may be somebody else's"));
  EXPECT_EQ(refused(opened("INBOX"), "b STORE $ +FLAGS (\\Deleted)\r\n"), "");
  EXPECT_EQ(refused(opened("INBOX"), "a SEARCH RETURN (SAVE) ALL\r\nb FETCH $ (FLAGS)\r\n"), "");
  EXPECT_THAT(refused(opened("INBOX"), "a REPLACE 1 x {1+}\r\nz\r\nb STORE 2 +FLAGS (x)\r\n"),
              HasSubstr("number 2 may be somebody else's"))
      << "REPLACE expunges";
}

TEST(Takes, ALineEndsWhereItsLiteralsDo) {
  const std::string all = "a LOGIN {4}\r\nuser {4+}\r\npa\r\n\r\nb NOOP\nc STORE 1";
  const auto lines = command_lines(all);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].text, "a LOGIN {4}\r\nuser {4+}\r\npa\r\n");
  EXPECT_EQ(lines[1].text, "b NOOP");
  EXPECT_THAT(command_lines("a APPEND x {100}\r\nSTORE 1\r\n"), IsEmpty()) << "its literal has not ended";
}

TEST(OpenMailbox, IsWhatWasSelectedAndAnswered) {
  OpenMailbox open;
  EXPECT_THAT(open.names(), IsEmpty());
  for (const char byte : std::string("t1 SEL")) open.said({&byte, 1});
  open.said("ECT {5}\r\n");
  open.said("inbox\r\n");
  EXPECT_THAT(open.names(), ElementsAre("INBOX"));
  open.heard("* 3 EXISTS");
  open.heard("t1 OK [READ-WRITE] done");
  open.heard("* 2 EXPUNGE");
  EXPECT_EQ(open.messages(), 2U);
  open.heard("* VANISHED 5,7");
  open.heard("* VANISHED (EARLIER) 1,2,3");
  EXPECT_EQ(open.messages(), 0U);
  open.said("t2 EXAMINE " + kOwn + "\r\n");
  EXPECT_THAT(open.names(), ElementsAre("INBOX", kOwn)) << "it is not answered yet";
  open.heard("t2 OK done");
  EXPECT_THAT(open.names(), ElementsAre(kOwn));
  open.said("t3 SELECT nowhere\r\n");
  open.heard("t3 NO there is none");
  EXPECT_THAT(open.names(), ElementsAre(kOwn, "nowhere")) << "whether the one before is closed nobody knows";
}

TEST(OpenMailbox, KeepsWhatPermanentflagsLists) {
  const std::vector<std::string> told = {R"(* FLAGS (\Answered \Flagged \Deleted \Seen \Draft))",
                                         R"(* OK [PERMANENTFLAGS (\Deleted \seen \*)] Limited)"};
  const OpenMailbox limited = opened("INBOX", told);
  EXPECT_EQ(limited.not_kept(R"(a STORE 1 +FLAGS (\Seen \Flagged))"), "\\Flagged");
  EXPECT_EQ(limited.not_kept(R"(a uid store 1:* (UNCHANGEDSINCE 5) flags.silent \draft)"), "\\Draft");
  for (const char* kept : {R"(a STORE 1 +FLAGS (\Seen \Deleted))", R"(a STORE 1 -FLAGS (\Flagged))",
                           R"(a STORE 1 FLAGS ($Junk \FlaggedTwice))", R"(a SEARCH FLAGGED)", "a STORE", ""})
    EXPECT_EQ(limited.not_kept(kept), "") << kept;
  const std::string flagged = R"(a STORE 1 FLAGS (\Flagged))";
  EXPECT_EQ(opened("INBOX").not_kept(flagged), "") << "without PERMANENTFLAGS all are kept";
  OpenMailbox other = limited;
  other.said("e EXAMINE INBOX\r\n");
  other.heard("* OK [PERMANENTFLAGS ()] None");
  other.heard("e OK done");
  EXPECT_EQ(other.not_kept(flagged), "") << "open for reading only: what becomes of it is the check's affair";
  other.said("s SELECT INBOX\r\n");
  other.heard("* OK [PERMANENTFLAGS ()] None");
  EXPECT_EQ(other.not_kept(flagged), "\\Flagged");
  other.heard("s OK [READ-ONLY] done");
  EXPECT_EQ(other.not_kept(flagged), "\\Flagged");
}

/// RFC 3501 section 6.4.5: these set \Seen; a mailbox that does not keep it ignores that.
TEST(OpenMailbox, KeepsWhatAFetchSets) {
  const OpenMailbox limited = opened("INBOX", {R"(* OK [PERMANENTFLAGS (\Deleted \SeenTwice \*)] Limited)"});
  for (const char* sets : {"a FETCH 1 BODY[]", "a uid fetch 1:* (FLAGS body[header.fields (To)]<0.9>)",
                           "a FETCH 1 RFC822", "a FETCH 1 (RFC822.SIZE RFC822.TEXT)", "a FETCH 1 BINARY[1]"})
    EXPECT_EQ(limited.not_kept(sets), "\\Seen") << sets;
  for (const char* peeks : {"a FETCH 1 BODY.PEEK[TEXT]", "a FETCH 1 (RFC822.HEADER RFC822.SIZE)", "a FETCH 1 BODY",
                            "a FETCH 1 BINARY.PEEK[1]", "a SEARCH BODY[]", "a COPY 1 RFC822"})
    EXPECT_EQ(limited.not_kept(peeks), "") << peeks;
  EXPECT_EQ(opened("INBOX", {R"(* OK [PERMANENTFLAGS (\seen)] Limited)"}).not_kept("a FETCH 1 BODY[]"), "");
}

TEST(OpenMailbox, LetsNobodyChangeWhatSelectOpenedForReading) {
  OpenMailbox open;
  open.said("s SELECT INBOX\r\n");
  open.heard("s OK [READ-ONLY] done");
  for (const char* changes : {R"(a STORE 1 -FLAGS (x))", "a uid expunge 1", "a EXPUNGE", "a MOVE 1 x",
                              "a UID REPLACE 1 x", "a FETCH 1 BODY[]"})
    EXPECT_TRUE(open.not_let(changes)) << changes;
  for (const char* reads : {"a FETCH 1 BODY.PEEK[]", "a COPY 1 x", "a SEARCH ALL", "a NOOP", "a APPEND INBOX {1}", ""})
    EXPECT_FALSE(open.not_let(reads)) << reads;
  open.said("e EXAMINE INBOX\r\n");
  open.heard("e OK [READ-ONLY] done");
  EXPECT_FALSE(open.not_let("a EXPUNGE")) << "what becomes of it is the check's affair";
  open.said("s SELECT INBOX\r\n");
  open.heard("s OK [READ-WRITE] done");
  EXPECT_FALSE(open.not_let("a EXPUNGE"));
}

TEST(TakingWrite, SaysWhereItTakes) {
  EXPECT_THAT(TakingWrite(opened("INBOX"), "a STORE 1 FLAGS ()\r\n").mailboxes(), ElementsAre("INBOX"));
  EXPECT_THAT(TakingWrite(opened("INBOX"), "a NOOP\r\nb CLOSE\r\n").mailboxes(), ElementsAre("INBOX"));
  EXPECT_THAT(TakingWrite(opened(kOwn), "a EXPUNGE\r\nb DELETE " + kOwn + "\r\n").mailboxes(), IsEmpty());
  EXPECT_THAT(TakingWrite(opened(kOwn), "a SELECT Trash\r\nb EXPUNGE\r\n").mailboxes(), ElementsAre("Trash"));
  EXPECT_THAT(TakingWrite(OpenMailbox(), "a DELETE INBOX\r\n").mailboxes(), ElementsAre("INBOX"));
  EXPECT_THAT(TakingWrite(OpenMailbox(), "a STORE 1 FLAGS ()\r\n").mailboxes(), IsEmpty()) << "nothing is open";
  OpenMailbox begun = opened("INBOX");
  begun.said("a EXP");
  EXPECT_THAT(TakingWrite(begun, "UNGE\r\n").mailboxes(), ElementsAre("INBOX"));
}

TEST(TakingWrite, NamesNothingAboveWhatWasLookedAt) {
  const OpenMailbox inbox = opened("INBOX", {"* 3 EXISTS"});
  for (const char* set : {"1", "1:3", "3,1", "99", "2,4294967295", "$"})
    EXPECT_EQ(refused(inbox, std::string("a STORE ") + set + " FLAGS ()\r\n"), "") << set;
  for (const char* set : {"4", "1:4", "1:4294967295", "66", "2,5"})
    EXPECT_THAT(refused(inbox, std::string("a STORE ") + set + " FLAGS ()\r\n"), HasSubstr("may be somebody else's"))
        << set;
  for (const char* set : {"11:13", "19", "5000"})
    EXPECT_EQ(refused(inbox, std::string("a UID FETCH ") + set + " BODY[]\r\n"), "") << set;
  for (const char* set : {"20", "13:20", "13:4000000000"})
    EXPECT_THAT(refused(inbox, std::string("a UID FETCH ") + set + " BODY[]\r\n"), HasSubstr("UID")) << set;
  EXPECT_EQ(refused(opened("INBOX", {"* 5 EXISTS"}), "a STORE 5 FLAGS ()\r\n"), "")
      << "it is in view, and was expunged elsewhere";
  EXPECT_NE(refused(inbox, "a SELECT INBOX\r\nb STORE 4 FLAGS ()\r\n"), "");
  EXPECT_NE(refused(inbox, "a EXPUNGE\r\nb STORE 3 FLAGS ()\r\n"), "") << "3 is another one by then";
  EXPECT_EQ(refused(inbox, "a EXPUNGE\r\nb UID STORE 13 FLAGS ()\r\n"), "");
  EXPECT_THAT(refused(inbox, "a STORE 1 FLAGS ()\r\n", {}), HasSubstr("was not looked into"));
}

TEST(TakingWrite, WritesAStarAsTheNewestThatWasLookedAt) {
  const OpenMailbox inbox = opened("INBOX", {"* 3 EXISTS"});
  TakingWrite write(inbox, "a NOOP\r\nb UID COPY 11:*,* x\r\nc STORE * FLAGS (a*b)\r\n");
  EXPECT_EQ(write.refused(looked({11, 12, 13}, 20)), "");
  EXPECT_THAT(write.stars(), ElementsAre(testing::Pair(22, "13"), testing::Pair(24, "13"), testing::Pair(37, "3")));
  EXPECT_NE(refused(inbox, "a STORE 1:* FLAGS ()\r\n", looked({})), "") << "what is there by then came in meanwhile";
  EXPECT_NE(refused(inbox, "a UID STORE 4000000000:* FLAGS ()\r\n"), "");
}

TEST(AllOurs, NothingIsWhereSomebodyElsesIsOrWasNotSeen) {
  ImapGuard guard(false);
  guard.opened("INBOX", 1);
  guard.saw(5, {Whose::ours, 1});
  ASSERT_TRUE(guard.all_ours(1, 0));
  EXPECT_EQ(guard.all_ours(1, 0)->last_uid(), 5U) << "UIDNEXT was not told";
  EXPECT_FALSE(guard.all_ours(2, 0)) << "one was not seen";
  guard.saw(6, {Whose::foreign, 0});
  EXPECT_FALSE(guard.all_ours(2, 0));
  EXPECT_FALSE(guard.all_ours(1, 0));
}

}  // namespace
}  // namespace mailproof::play
