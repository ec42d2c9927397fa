#include "wire/imap/command.h"

#include <gtest/gtest.h>

#include "wire/imap/cursor.h"
#include "wire/imap/framer.h"
#include "wire/imap/tests/support.h"

namespace mailproof::imap {
namespace {

/// What goes out, secrets as ***; "|" where the writer waits for "+".
std::string written(CommandWriter& command) {
  std::string all;
  for (bool more = true; more;) {
    Outbox out;
    more = command.send(out);
    for (const Output& piece : out.output()) all += piece.secret ? "***" : std::string(as_text(piece.bytes));
    if (more) all += "|";
  }
  return all;
}

std::string with_astring(std::string_view value, LiteralSupport support) {
  CommandWriter c;
  c.begin("a1", "X", support);
  c.astring(value);
  c.end();
  return written(c);
}

TEST(CommandWriter, ChoosesTheSimplestString) {
  const auto plus = LiteralSupport::plus;
  EXPECT_EQ(with_astring("INBOX", plus), "a1 X INBOX\r\n");
  EXPECT_EQ(with_astring("a]b", plus), "a1 X a]b\r\n");
  EXPECT_EQ(with_astring("", plus), "a1 X \"\"\r\n");
  EXPECT_EQ(with_astring("nil", plus), "a1 X \"nil\"\r\n");
  EXPECT_EQ(with_astring("two words", plus), "a1 X \"two words\"\r\n");
  EXPECT_EQ(with_astring("say \"hi\\\"", plus), "a1 X \"say \\\"hi\\\\\\\"\"\r\n");
  EXPECT_EQ(with_astring("50%", plus), "a1 X \"50%\"\r\n");
  EXPECT_EQ(with_astring("caf\u00e9", plus), "a1 X {5+}\r\ncaf\u00e9\r\n");
  EXPECT_EQ(with_astring("a\r\nb", plus), "a1 X {4+}\r\na\r\nb\r\n");
  EXPECT_EQ(with_astring("{5}", plus), "a1 X \"{5}\"\r\n");
}

TEST(CommandWriter, WaitsAtSynchronisingLiterals) {
  EXPECT_EQ(with_astring("caf\u00e9", LiteralSupport::synchronising), "a1 X {5}\r\n|caf\u00e9\r\n");
  EXPECT_EQ(with_astring("caf\u00e9", LiteralSupport::minus), "a1 X {5+}\r\ncaf\u00e9\r\n");
  const std::string large(4097, 'x');
  EXPECT_EQ(with_astring(large, LiteralSupport::minus).substr(0, 14), "a1 X {4097}\r\n|");
  EXPECT_EQ(with_astring(large, LiteralSupport::plus).substr(0, 15), "a1 X {4097+}\r\nx");
}

TEST(CommandWriter, AppendsByReference) {
  const auto message = std::make_shared<const std::string>("From: a@example.test\r\n\r\nbody\r\n");
  const std::vector<std::string> flags{"\\Seen", "$Work"};
  CommandWriter c;
  c.begin("a7", "APPEND", LiteralSupport::synchronising);
  c.mailbox("Entw\u00fcrfe");
  c.flag_list(flags);
  c.literal(message);
  c.end();
  Outbox out;
  ASSERT_TRUE(c.send(out));
  ASSERT_EQ(out.output().size(), 1U);
  EXPECT_EQ(as_text(out.output()[0].bytes), "a7 APPEND Entw&APw-rfe (\\Seen $Work) {30}\r\n");
  out.sent(out.size());
  EXPECT_FALSE(c.send(out));
  const auto pieces = out.output();
  ASSERT_GE(pieces.size(), 2U);
  EXPECT_EQ(as_text(pieces[0].bytes).data(), message->data()) << "not copied";
}

TEST(CommandWriter, HidesSecrets) {
  CommandWriter c;
  c.begin("a1", "LOGIN", LiteralSupport::synchronising);
  c.astring("user0001");
  c.secret_astring(Secret("pass \"word"));
  c.end();
  EXPECT_EQ(written(c), "a1 LOGIN user0001 \"***\"\r\n");
  c.begin("a2", "LOGIN", LiteralSupport::synchronising);
  c.astring("user0001");
  c.secret_astring(Secret("p\u00e4ss"));
  c.end();
  EXPECT_EQ(written(c), "a2 LOGIN user0001 {5}\r\n|***\r\n");
}

TEST(CommandWriter, LeavesWildcardsBareInPatterns) {
  CommandWriter c;
  c.begin("a1", "LIST", LiteralSupport::plus);
  c.mailbox("");
  c.list_mailbox("Archive/%");
  c.end();
  EXPECT_EQ(written(c), "a1 LIST \"\" Archive/%\r\n");
}

TEST(CommandWriter, SendsNamesThatAreNotUtf8AsTheyAre) {
  CommandWriter c;
  c.begin("a1", "SELECT", LiteralSupport::plus);
  c.mailbox("x\xff");
  c.end();
  EXPECT_EQ(written(c), "a1 SELECT {2+}\r\nx\xff\r\n");
}

// What is written is read again by the framer and cursor a server uses, however it is cut.
TEST(CommandWriter, IsReadBackByTheServerSide) {
  const std::vector<std::string> values{"INBOX",  "",       "nil",   "two words", "\"\\\"", "caf\u00e9",
                                        "{10}",   "a\r\nb", "(x)",   "*",         "]",      std::string(2000, 'y'),
                                        "x {3+}", "~{2}",   "\\Seen"};
  CommandWriter c;
  c.begin("tag1", "LOGIN", LiteralSupport::plus);
  for (const std::string& value : values) c.astring(value);
  c.end();
  Outbox out;
  EXPECT_FALSE(c.send(out));
  std::string bytes;
  for (const Output& piece : out.output()) bytes += as_text(piece.bytes);
  const auto read = tests::expect_same_at_every_split(bytes, [&](const std::vector<std::string_view>& pieces) {
    tests::Recorder sink;
    std::vector<std::string> strings;
    sink.when_line = [&](const LogicalLine& line) {
      Cursor cursor(line);
      strings.emplace_back(cursor.tag());
      cursor.sp();
      strings.emplace_back(cursor.word());
      while (cursor.ok() && !cursor.at_end()) {
        cursor.sp();
        strings.push_back(cursor.astring().text());
      }
      EXPECT_TRUE(cursor.ok());
    };
    Framer framer(Framer::Reads::commands, sink);
    for (const std::string_view piece : pieces) framer.feed(piece);
    return strings;
  });
  std::vector<std::string> expected{"tag1", "LOGIN"};
  expected.insert(expected.end(), values.begin(), values.end());
  EXPECT_EQ(read, expected);
}

}  // namespace
}  // namespace mailproof::imap
