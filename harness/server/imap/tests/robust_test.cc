#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/imap/tests/rig.h"

namespace mailproof::server {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// A whole session in one direction: literals of every kind, IDLE, SASL, mistakes.
std::string dialogue() {
  const auto message = plain_message(4);
  return fmt::format(
      "c1 AUTHENTICATE PLAIN\r\nAGFsaWNlAHNlY3JldA==\r\n"
      "c2 ENABLE CONDSTORE\r\n"
      "c3 SELECT {{5+}}\r\nINBOX\r\n"
      "c4 APPEND {{5+}}\r\nINBOX (\\Flagged) {{{}+}}\r\n{}\r\n"
      "c5 FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS ({{7+}}\r\nSubject)])\r\n"
      "c6 NONSENSE {{3+}}\r\nabc\r\n"
      "c7 IDLE\r\nDONE\r\n"
      "c8 STORE 1 +FLAGS.SILENT (\\Deleted)\r\n"
      "c9 EXPUNGE\r\n"
      "c10 SEARCH SUBJECT \"figures\"\r\n"
      "c11 LOGOUT\r\n",
      message.size(), message);
}

struct Prepared {
  Prepared() {
    ImapDevice setup(world, "alice");
    for (int i = 1; i <= 3; ++i) setup.append("INBOX", plain_message(i));
  }
  ImapWorld world;
};

std::string played(std::string_view bytes, std::size_t first_piece, std::size_t piece) {
  Prepared prepared;
  ImapDevice device(prepared.world);
  std::string all;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto n = std::min(bytes.size() - at, at == 0 ? first_piece : piece);
    device.send(bytes.substr(at, n));
    all += device.take();
    at += n;
  }
  return all;
}

TEST(ImapRobust, SameAnswersHoweverTheBytesAreCut) {
  const auto bytes = dialogue();
  const auto expected = played(bytes, bytes.size(), bytes.size());
  ASSERT_THAT(expected, HasSubstr("c11 OK Done\r\n"));
  for (const auto* part :
       {"c1 OK", "c3 OK", "c4 OK [APPENDUID", "c5 OK", "c6 BAD", "c7 OK", "* 1 EXPUNGE", "* SEARCH 1 2 3"}) {
    ASSERT_THAT(expected, HasSubstr(part));
  }
  EXPECT_EQ(played(bytes, 1, 1), expected);
  for (std::size_t split = 1; split < bytes.size(); ++split) {
    ASSERT_EQ(played(bytes, split, bytes.size()), expected) << "split at " << split;
  }
}

// A connection that ends anywhere has done exactly the commands it had finished, and leaves nothing behind.
TEST(ImapRobust, EndsAnywhereWithoutHalfACommand) {
  const auto bytes = dialogue();
  const auto append_done = bytes.find("c5 ");
  const auto expunge_done = bytes.find("c10 ");
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    Prepared prepared;
    {
      ImapDevice device(prepared.world);
      device.send(std::string_view(bytes).substr(0, cut));
    }
    // The line's CR is enough for nothing: a command is finished by its LF.
    const int expected = 3 + (cut >= append_done ? 1 : 0) - (cut >= expunge_done ? 1 : 0);
    ImapDevice other(prepared.world, "alice");
    ASSERT_THAT(other.say("STATUS INBOX (MESSAGES)"), HasSubstr(fmt::format("(MESSAGES {})", expected))) << cut;
    ASSERT_THAT(other.append("INBOX", plain_message(5)), HasSubstr("OK"));
  }
}

TEST(ImapRobust, EndlessLinesAndLiteralsAreRefused) {
  ImapWorld world;
  ImapDevice phone(world, "alice");
  EXPECT_EQ(phone.status("NOOP " + std::string(200'000, 'x')), "BAD");
  EXPECT_EQ(phone.status("NOOP"), "OK");
  EXPECT_THAT(phone.say("LOGIN {10000000000}"), HasSubstr("NO [TOOBIG]"));
  EXPECT_THAT(phone.say("APPEND INBOX {10000000000}"), HasSubstr("NO [TOOBIG]"));
  EXPECT_EQ(phone.status("NOOP"), "OK");
  EXPECT_EQ(phone.status("LIST \"\" " + std::string(500, '*') + std::string(500, '%')), "OK");
  EXPECT_EQ(phone.status("STATUS INBOX " + std::string(10'000, '(')), "BAD");
  phone.say("SELECT INBOX");
  EXPECT_EQ(phone.status("UID FETCH 1:4294967295 FLAGS"), "OK");
}

TEST(ImapRobust, WhoNeverReadsIsLeft) {
  ImapWorld world;
  ImapDevice phone(world, "alice");
  phone.append("INBOX", "Subject: large\r\n\r\n" + std::string(20U << 20U, 'x') + "\r\n");
  phone.say("SELECT INBOX");
  for (int i = 0; i < 20 && phone.peer().wants() == Wants::nothing; ++i) phone.send("x FETCH 1 BODY.PEEK[]\r\n");
  EXPECT_EQ(phone.peer().wants(), Wants::close);
}

TEST(ImapRobust, NulAndBareLineFeedsInAMessage) {
  ImapWorld world;
  ImapDevice phone(world, "alice");
  EXPECT_THAT(phone.append("INBOX", std::string("Subject: x\r\n\r\n\0\r\n", 17)), HasSubstr("BAD"));
  phone.append("INBOX", "Subject: unix\n\nline\n");
  phone.say("SELECT INBOX");
  EXPECT_THAT(phone.say("FETCH 1 BODY.PEEK[]"), HasSubstr("{23}\r\nSubject: unix\r\n\r\nline\r\n)"));
  EXPECT_THAT(phone.append("Nowhere", plain_message(1)), HasSubstr("NO [TRYCREATE]"));
  EXPECT_THAT(phone.append("INBOX", plain_message(1), "(\\Nonsense) "), HasSubstr("BAD"));
  EXPECT_THAT(phone.append("INBOX", plain_message(1), "\"yesterday\" "), HasSubstr("BAD"));
}

}  // namespace
}  // namespace mailproof::server
