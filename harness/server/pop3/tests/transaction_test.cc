#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/smtp/tests/delivery_rig.h"
#include "wire/text/dot_stuffing.h"

namespace mailproof::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// What a multi-line reply carried, unstuffed; empty with a failure when it is not one.
std::string block(std::string_view reply) {
  EXPECT_TRUE(reply.starts_with("+OK")) << reply;
  reply.remove_prefix(reply.find("\r\n") + 2);
  text::DotReader reader;
  std::string content;
  while (!reply.empty() && !reader.done()) content += reader.take(reply);
  EXPECT_TRUE(reader.done());
  EXPECT_TRUE(reply.empty());
  return content;
}

TEST(Pop3Transaction, EveryOctetComesBackAndIsCounted) {
  Rig rig;
  const std::vector<std::string> messages{mime_message(), "Subject: no final newline\r\n\r\nlast words",
                                          "Subject: only a header\r\n", "\r\n.\r\n..\r\nno header, dots only\r\n.",
                                          "Subject: bare\r\n\r\na\n.\nb\r\n" + std::string(70'000, 'y') + "\r\n"};
  for (const auto& message : messages) rig.append("alice", message);
  auto client = pop3_login(rig, "alice");
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    auto expected = messages[i];
    if (!expected.ends_with("\r\n")) expected += "\r\n";
    EXPECT_EQ(block(client.say(fmt::format("RETR {}", i + 1))), expected);
    EXPECT_EQ(client.say(fmt::format("LIST {}", i + 1)), fmt::format("+OK {} {}\r\n", i + 1, expected.size()));
    sum += expected.size();
  }
  EXPECT_EQ(client.say("STAT"), fmt::format("+OK {} {}\r\n", messages.size(), sum));
}

TEST(Pop3Transaction, TopGivesHeaderEmptyLineAndThatManyLines) {
  Rig rig;
  const std::string header = "From: bob@example.test\r\nSubject: dots\r\n\r\n";
  rig.append("alice", header + ".first\r\n.\r\nthird\r\nunfinished");
  rig.append("alice", "Subject: no body at all\r\n");
  rig.append("alice", "\r\nbody only\r\nmore\r\n");
  auto client = pop3_login(rig, "alice");
  EXPECT_EQ(block(client.say("TOP 1 0")), header);
  EXPECT_EQ(block(client.say("TOP 1 1")), header + ".first\r\n");
  EXPECT_EQ(block(client.say("TOP 1 2")), header + ".first\r\n.\r\n");
  EXPECT_EQ(block(client.say("TOP 1 99")), header + ".first\r\n.\r\nthird\r\nunfinished\r\n");
  EXPECT_EQ(block(client.say("TOP 2 5")), "Subject: no body at all\r\n");
  EXPECT_EQ(block(client.say("TOP 3 1")), "\r\nbody only\r\n");
  for (const auto* wrong : {"TOP", "TOP 1", "TOP 4 1", "TOP 0 1", "TOP 1 -1", "TOP x 1"}) {
    EXPECT_THAT(client.say(wrong), StartsWith("-ERR")) << wrong;
  }
}

TEST(Pop3Transaction, DeletedMessagesKeepTheirNumberAndComeBackWithRset) {
  Rig rig;
  for (const std::size_t octets : {400U, 500U, 600U}) rig.append("alice", text_message(octets));
  auto client = pop3_login(rig, "alice");
  EXPECT_EQ(client.say("LIST"), "+OK 3 messages (1500 octets)\r\n1 400\r\n2 500\r\n3 600\r\n.\r\n");
  const auto ids = client.say("UIDL");
  EXPECT_THAT(client.say("DELE 2"), StartsWith("+OK"));
  EXPECT_EQ(client.say("STAT"), "+OK 2 1000\r\n");
  EXPECT_EQ(client.say("LIST"), "+OK 2 messages (1000 octets)\r\n1 400\r\n3 600\r\n.\r\n");
  for (const auto* command : {"DELE 2", "RETR 2", "LIST 2", "UIDL 2", "TOP 2 0"}) {
    EXPECT_THAT(client.say(command), StartsWith("-ERR")) << command;
  }
  EXPECT_THAT(client.say("RSET"), StartsWith("+OK"));
  EXPECT_EQ(client.say("UIDL"), ids);
  EXPECT_EQ(client.say("LIST 2"), "+OK 2 500\r\n");
}

TEST(Pop3Transaction, NumbersStayWhateverOtherSessionsDo) {
  Rig rig;
  const auto first = rig.append("alice", mime_message("first"));
  rig.append("alice", mime_message("second"));
  auto client = pop3_login(rig, "alice");
  const auto list = client.say("LIST");
  const auto ids = client.say("UIDL");
  const Uid gone[] = {first->uid};
  rig.store.expunge(rig.account("alice"), rig.account("alice").inbox(), gone);
  rig.append("alice", mime_message("third"));
  EXPECT_EQ(client.say("LIST"), list);
  client.say("RSET");
  EXPECT_EQ(client.say("UIDL"), ids);
  EXPECT_EQ(block(client.say("RETR 1")), mime_message("first"));
  client.say("DELE 2");
  EXPECT_THAT(client.say("QUIT"), StartsWith("+OK"));
  EXPECT_THAT(rig.inbox("alice"), ElementsAre(mime_message("third")));
}

TEST(Pop3Transaction, UniqueIdsAreStableDistinctAndNeverReused) {
  Rig rig;
  rig.append("alice", mime_message());
  rig.append("alice", mime_message());
  std::string ids;
  {
    auto client = pop3_login(rig, "alice");
    ids = client.say("UIDL");
    EXPECT_NE(client.say("UIDL 1").substr(6), client.say("UIDL 2").substr(6));
    client.say("DELE 2");
    client.say("QUIT");
  }
  rig.append("alice", mime_message());
  auto client = pop3_login(rig, "alice");
  EXPECT_THAT(ids, HasSubstr(client.say("UIDL 1").substr(4)));
  EXPECT_THAT(ids, ::testing::Not(HasSubstr(client.say("UIDL 2").substr(6))));
}

/// The same conversation, in one packet and cut at every octet, must give the same answers.
TEST(Pop3Transaction, AnswersDoNotDependOnHowCommandsArrive) {
  const std::string conversation =
      "USER alice\r\nPASS ecila\r\nSTAT\r\nUIDL\r\nRETR 1\r\nTOP 1 3\r\nDELE 1\r\nLIST\r\nRSET\r\nNOOP\r\nDELE "
      "2\r\nQUIT\r\n";
  const auto play = [&](std::size_t cut) {
    Rig rig;
    rig.append("alice", mime_message("one"));
    rig.append("alice", mime_message("two"));
    auto client = pop3(rig);
    auto said = client.send(std::string_view(conversation).substr(0, cut));
    said += client.send(std::string_view(conversation).substr(cut));
    EXPECT_TRUE(client.closing());
    EXPECT_THAT(rig.inbox("alice"), ElementsAre(mime_message("one")));
    return said;
  };
  const auto whole = play(0);
  for (std::size_t cut = 1; cut < conversation.size(); ++cut) ASSERT_EQ(play(cut), whole) << "cut at " << cut;
}

/// RFC 1939 section 6: only QUIT in the TRANSACTION state removes anything. Every octet before it does not count.
TEST(Pop3Transaction, AConnectionLostAnywhereBeforeQuitRemovesNothing) {
  const std::string conversation = "USER alice\r\nPASS ecila\r\nRETR 1\r\nDELE 1\r\nDELE 2\r\nQUIT\r\n";
  for (std::size_t cut = 0; cut <= conversation.size(); ++cut) {
    Rig rig;
    rig.append("alice", mime_message("one"));
    rig.append("alice", mime_message("two"));
    auto client = pop3(rig);
    client.send(std::string_view(conversation).substr(0, cut));
    client.drop();
    const bool quit = cut == conversation.size();
    ASSERT_EQ(rig.inbox("alice").size(), quit ? 0U : 2U) << "cut at " << cut;
    ASSERT_THAT(pop3_login(rig, "alice").say("STAT"), StartsWith(quit ? "+OK 0 0" : "+OK 2 "));
  }
}

TEST(Pop3Latitude, SnapshotMaildropLetsASecondSessionIn) {
  auto rig = Rig::with_latitude("pop3.snapshot-maildrop");
  rig.append("alice", mime_message("one"));
  rig.append("alice", mime_message("two"));
  auto first = pop3_login(rig, "alice");
  auto second = pop3_login(rig, "alice");
  first.say("DELE 1");
  first.say("QUIT");
  EXPECT_EQ(block(second.say("RETR 1")), mime_message("one"));
  second.say("DELE 1");
  EXPECT_THAT(second.say("QUIT"), StartsWith("+OK"));
  EXPECT_THAT(rig.inbox("alice"), ElementsAre(mime_message("two")));
}

TEST(Pop3Latitude, RetrMaySetSeen) {
  for (const bool sets : {false, true}) {
    auto rig = sets ? Rig::with_latitude("pop3.retr-sets-seen") : Rig();
    const auto message = rig.append("alice", mime_message());
    auto client = pop3_login(rig, "alice");
    client.say("TOP 1 0");
    EXPECT_FALSE(message->flags.has(imap::Flag::seen));
    client.say("RETR 1");
    EXPECT_EQ(message->flags.has(imap::Flag::seen), sets);
  }
}

}  // namespace
}  // namespace mailproof::server
