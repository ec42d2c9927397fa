// What may say something of somebody goes, however it is written; what the protocols say stays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "import/anonymise/history.h"
#include "import/anonymise/words.h"

namespace mailproof::imports {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST(Pseudonyms, WhatALogWritesAsEscapesIsAWordAndStaysAsLong) {
  Pseudonyms words(7);
  const std::string line = R"(A3 SELECT "\xd0\x9f\xd1\x80jekt" \x07)", made = words.text(line);
  EXPECT_EQ(made.size(), line.size());
  EXPECT_THAT(made, Not(HasSubstr(R"(\xd0)")));
  EXPECT_THAT(made, HasSubstr(R"(\x07)"));
  EXPECT_EQ(words.text(R"(\xd0\x9f\xd1\x80jekt)"), made.substr(made.find('"') + 1, 20));
  EXPECT_NE(words.text(R"(\xd0\x9f\xd1\x81jekt)"), made.substr(made.find('"') + 1, 20));
  EXPECT_TRUE(words.replaced_words().contains("\xd0\x9f\xd1\x80jekt"));
}

TEST(Pseudonyms, AddressesOfMachinesInEveryForm) {
  Pseudonyms words(7);
  for (const char* line : {"550 Client host rejected: 203.0.113.77.", "Hello ip-203-0-113-77.dsl.example",
                           "Hello 203.0.113.77.dsl.example", "[::ffff:203.0.113.77]", "from 203_0_113_77-x"})
    EXPECT_THAT(words.text(line), Not(ContainsRegex("203.0.113.77"))) << line;
  EXPECT_THAT(words.text("[::ffff:127.0.0.1] 2.0.0 1.2.3.4.5 BODY[1.2.3]"), HasSubstr("2.0.0 1.2.3.4.5 BODY[1.2.3]"));
  EXPECT_THAT(words.text("2026-11-29 12-34-56"), testing::EndsWith("12-34-56"));
}

TEST(Pseudonyms, NamesGoWhateverTheyAre) {
  Pseudonyms words(7);
  words.keep_number(10023);
  words.name("info");
  words.name("10023");
  words.name("INBOX.8841");
  const std::string made = words.text("a LOGIN info x\n* 1 FETCH (UID 7) 10023 INBOX.8841");
  for (const char* name : {"info", "10023", "8841"}) EXPECT_THAT(made, Not(HasSubstr(name)));
  EXPECT_THAT(made, HasSubstr("* 1 FETCH (UID 7) "));
  EXPECT_THAT(made, HasSubstr(" INBOX."));
  EXPECT_THAT(words.replaced_names(), testing::ElementsAre("10023", "8841", "info"));
}

TEST(Pseudonyms, MonthsStayInDates) {
  Pseudonyms words(7);
  EXPECT_EQ(words.text("02-Mar-2026 May 14 2 Jan"), "02-Mar-2026 May 14 2 Jan");
  const std::string made = words.text("From: Jan May <jan@x>");
  EXPECT_THAT(made, Not(HasSubstr("Jan")));
  EXPECT_THAT(made, Not(HasSubstr("May")));
  EXPECT_THAT(made, Not(HasSubstr("jan")));
}

TEST(Pseudonyms, ANameThatIsANumberStaysWhereOnlyTheProtocolHasOne) {
  Pseudonyms words(7);
  words.name("Archive/2026");
  words.name("1001");
  for (const char* line :
       {"* 1 FETCH (INTERNALDATE \"02-Mar-2026 09:15:00 +0100\")", "Mon, 2 Mar 2026 09:15", "at 2026-03-02T09:15:00Z",
        "* 1001 EXISTS", "* 1 FETCH (UID 1001 BODY[] {2026}", "a APPEND x {2026+}", "RFC822.SIZE 2026)"}) {
    const auto told = [](std::string_view text, bool year) {
      return text.find(year ? "2026" : "1001") != std::string_view::npos;
    };
    const std::string made = words.text(line);
    EXPECT_EQ(told(made, true), told(line, true)) << made;
    EXPECT_EQ(told(made, false), told(line, false)) << made;
  }
  for (const char* line : {"a SELECT Archive/2026", "a SELECT \"2026\"", "USER 1001", "2026-03-02", "* LIST () / 2026",
                           "* STATUS 2026 (MESSAGES 1)", "GUID 2026", "x {2026 y", "12-Mar-20261"})
    EXPECT_THAT(words.text(line), Not(ContainsRegex("\\b(2026|1001)\\b"))) << line;
  EXPECT_THAT(words.mail("Mon, 2 Mar 2026 09:15"), Not(HasSubstr("2026")));
}

TEST(Pseudonyms, ANumberThatTheHistoryHasIsNobodysWordAlthoughMailHasIt) {
  Pseudonyms words(7);
  words.keep_number(10023);
  EXPECT_THAT(words.mail("10023 Berlin, 470022 km"), Not(HasSubstr("10023")));
  EXPECT_EQ(words.text("* 1 FETCH (UID 10023)"), "* 1 FETCH (UID 10023)");
  EXPECT_THAT(words.replaced_words(), testing::ElementsAre("470022", "berlin", "km"));
}

TEST(Anonymised, NothingOfMailIsProtocol) {
  Pseudonyms words(7);
  const std::string made = anonymised_log(
      "0.1 C: a UID FETCH 4839 BODY[]\n"
      "0.1 S: * 1 FETCH (UID 4839 BODY[] {54}\n"
      "0.1 S: * 4839 is your code\n"  // 20 octets, and 14, and 8, and 12
      "0.1 S: +49 170 1234\n"
      "0.1 S: 471 OK\n"
      "0.1 S: a UID 77 FETCH) UID 4839)\n"
      "0.1 S: a OK done\n"
      "0.1 C: * 1 stays\n",
      words);
  EXPECT_THAT(made, HasSubstr("C: a UID FETCH 4839 BODY[]"));
  EXPECT_THAT(made, HasSubstr("FETCH (UID 4839 BODY[] {54}"));
  for (const char* private_one : {"* 4839 is", "170", "1234", "471", "77"})
    EXPECT_THAT(made, Not(HasSubstr(private_one)));
  EXPECT_THAT(made, HasSubstr(" UID 4839)\n0.1 S: a OK done\n0.1 C: * 1 "));
  const std::string pop =
      anonymised_log("0.1 C: RETR 1234\n0.1 S: +OK\n0.1 S: LIST 5678\n0.1 S: .\n0.1 C: DELE 1234\n", words);
  EXPECT_THAT(pop, HasSubstr("C: RETR 1234"));
  EXPECT_THAT(pop, HasSubstr("C: DELE 1234"));
  EXPECT_THAT(pop, Not(HasSubstr("5678")));
  const std::string smtp =
      anonymised_log("0.1 C: DATA\n0.1 S: 354 go\n0.1 C: RCPT 5678\n0.1 C: .\n0.1 S: 250 2.0.0\n", words);
  EXPECT_THAT(smtp, Not(HasSubstr("5678")));
  EXPECT_THAT(smtp, HasSubstr("S: 250 2.0.0"));
}

TEST(Anonymised, AnAnswerOfPop3IsOfTheCommandThatIsNext) {
  Pseudonyms words(7);
  words.keep_number(123456);
  for (const char* begin : {"0.1 C: UIDL\n0.1 C: RETR 1\n", "0.1 C: USER a\n0.1 S: +OK\n0.1 C: UIDL\n0.1 C: RETR 1\n",
                            "0.1 C: AUTH PLAIN\n0.1 S: + \n0.1 C: ***\n0.1 C: UIDL\n0.1 C: RETR 1\n0.1 S: +OK\n"}) {
    const std::string made = anonymised_log(
        std::string("0.1 S: +OK hello\n") + begin +
            "0.1 S: +OK\n0.1 S: 1 123456\n0.1 S: .\n0.1 S: +OK\n0.1 S: LIST 5678\n0.1 S: .\n0.1 C: DELE 1234\n",
        words);
    EXPECT_THAT(made, HasSubstr("S: 1 123456\n")) << made;
    EXPECT_THAT(made, Not(HasSubstr("5678"))) << made;
    EXPECT_THAT(made, HasSubstr("C: DELE 1234")) << made;
  }
  // Where answers or commands are left out, too much is taken for mail rather than too little.
  const std::string gap = anonymised_log(
      "0.1 C: RETR 1\n0.1 C: UI\n0.1 C: DL\n0.1 C: NOOP\n0.1 C: RETR 2\n"
      "0.1 S: +OK\n0.1 S: LIST 5678\n0.1 S: .\n0.1 S: +OK\n0.1 S: LIST 6789\n0.1 S: .\n",
      words);
  EXPECT_THAT(gap, Not(ContainsRegex("5678|6789"))) << gap;
}

}  // namespace
}  // namespace mailproof::imports
