#include "play/talk/match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/pattern.h"
#include "play/talk/imap.h"

namespace mailproof::play {
namespace {

bool line(std::string_view pattern, std::string_view text) {
  TalkVariables variables;
  return match_line(pattern, text, variables);
}
bool imap(std::string_view pattern, std::string_view text, bool open_end = false) {
  TalkVariables variables;
  return match_imap(pattern, text, open_end, variables);
}

TEST(TalkLine, WordsAreComparedFromTheLeftWithoutCase) {
  EXPECT_TRUE(line("+OK", "+OK 3 messages"));
  EXPECT_TRUE(line("-err [in-use]", "-ERR [IN-USE] later"));
  EXPECT_FALSE(line("+OK", "-ERR"));
  EXPECT_FALSE(line("+OK 3", "+OK 31"));
  EXPECT_FALSE(line("+OK 3 120", "+OK 3"));
}

TEST(TalkLine, WithinAWordAKnownValueStandsForItself) {
  TalkVariables variables;
  variables.values["sep"] = ".";
  variables.values["token"] = "a.b";
  EXPECT_TRUE(match_line("${lead}${sep}${token}", "user.alice.a.b", variables));
  EXPECT_EQ(variables.values["lead"], "user.alice");
  EXPECT_FALSE(match_line("${_}${token}", "user.alice.aXb", variables));
}

TEST(TalkLine, AServerMayCoerceTheNamesOfMailboxesToOneCase) {
  TalkVariables variables;
  variables.values["box"] = "mailproof-a";
  variables.values["said"] = "mailproof-a";
  EXPECT_TRUE(match_imap("* LIST ${_} ${_} ${box}", R"(* LIST () "/" Mailproof-A)", false, variables));
  EXPECT_FALSE(match_imap("* LIST ${_} ${_} ${box}", R"(* LIST () "/" mailproof-b)", false, variables));
  EXPECT_FALSE(match_imap("* LIST ${_} ${_} ${said}", R"(* LIST () "/" Mailproof-A)", false, variables));
}

TEST(TalkLine, AStringHasItsOctets) {
  const std::string_view pattern = "* 1 FETCH (RFC822.SIZE ${size} BODY[] ${size:octets})";
  EXPECT_TRUE(imap(pattern, "* 1 FETCH (RFC822.SIZE 4 BODY[] {4}\r\na\r\n\n)"));
  EXPECT_TRUE(imap(pattern, "* 1 FETCH (BODY[] \"ab\" RFC822.SIZE 2)"));
  EXPECT_FALSE(imap(pattern, "* 1 FETCH (RFC822.SIZE 3 BODY[] {4}\r\na\r\n\n)"));
}

TEST(TalkLine, AnInstantIsOneInEveryZone) {
  const std::string_view pattern = "* 1 FETCH (INTERNALDATE ${_:at 01-Feb-2003 04:05:06 +0700})";
  EXPECT_TRUE(imap(pattern, "* 1 FETCH (INTERNALDATE \" 1-Feb-2003 04:05:06 +0700\")"));
  EXPECT_TRUE(imap(pattern, "* 1 FETCH (INTERNALDATE \"31-Jan-2003 21:05:06 +0000\")"));
  EXPECT_TRUE(imap(pattern, "* 1 FETCH (INTERNALDATE \"01-Feb-2003 02:50:06 +0545\")"));
  EXPECT_FALSE(imap(pattern, "* 1 FETCH (INTERNALDATE \"01-Feb-2003 04:05:06 +0000\")"));
  EXPECT_FALSE(imap(pattern, "* 1 FETCH (INTERNALDATE \"soon\")"));
}

TEST(TalkLine, WhereALongRowIsNotAsItShouldBeIsSaid) {
  TalkVariables variables;
  const auto where = [&](std::string_view pattern, std::string_view row) {
    return where_unlike(pattern, row, variables);
  };
  EXPECT_EQ(where("* 1 FETCH (ENVELOPE (NIL ${_} NIL))", "* 1 FETCH (UID 3 ENVELOPE (NIL \"s\" ()))"),
            "in ENVELOPE, item 3: expected NIL, found ()");
  EXPECT_EQ(where("* 1 FETCH (BODYSTRUCTURE ((TEXT PLAIN (CHARSET a)) MIXED ...))",
                  "* 1 FETCH (BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" (\"CHARSET\" NIL)) \"MIXED\" NIL))"),
            "in BODYSTRUCTURE, item 1.3.2: expected a, found NIL");
  EXPECT_EQ(where("* 1 FETCH (X (1 2))", "* 1 FETCH (X (1))"), "in X, item 2: expected 2, found the end");
  EXPECT_EQ(where("* 1 FETCH (RFC822.SIZE 7)", "* 1 FETCH (RFC822.SIZE 8)"), "in RFC822.SIZE: expected 7, found 8");
  EXPECT_EQ(where("* 2 FETCH (RFC822.SIZE 7)", "* 1 FETCH (RFC822.SIZE 8)"), "");
  EXPECT_EQ(where("* 1 FETCH (RFC822.SIZE 7)", "* 1 FETCH (UID 8)"), "");
  EXPECT_EQ(where("* SEARCH 2", "* SEARCH 3"), "");
}

TEST(TalkLine, ADollarAtTheEndForbidsFurtherText) {
  EXPECT_TRUE(line("+OK 2 120 $", "+OK 2 120"));
  EXPECT_FALSE(line("+OK 2 120 $", "+OK 2 120 octets"));
}

TEST(TalkLine, AVariableBindsOnceAndMustMatchAfter) {
  TalkVariables variables;
  EXPECT_TRUE(match_line("+OK ${n} ${size}", "+OK 3 120", variables));
  EXPECT_TRUE(match_line("+OK ${n}", "+OK 3", variables));
  EXPECT_FALSE(match_line("+OK ${n}", "+OK 4", variables));
  EXPECT_TRUE(match_line("+OK ${_} ${_}", "+OK 9 9", variables));
  EXPECT_TRUE(match_line("+OK ${all:rest}", "+OK several words", variables));
  EXPECT_EQ(variables.values.at("all"), "several words");
}

TEST(TalkLine, TypesSayWhatFits) {
  EXPECT_TRUE(line("${x:number}", "0120"));
  EXPECT_FALSE(line("${x:number}", "12a"));
  EXPECT_FALSE(line("${x:uid}", "0"));
  EXPECT_TRUE(line("${x:uidl}", "!~abc"));
  EXPECT_FALSE(line("${x:uidl}", std::string(71, 'a')));
  EXPECT_TRUE(line("${x:/[a-f]{2,3}/}", "abc"));
  EXPECT_FALSE(line("${x:/[a-f]{2,3}/}", "abcd"));
  EXPECT_TRUE(line("${x:base64}", "YWJj"));
  EXPECT_FALSE(line("${x:base64}", "YWJ"));
  EXPECT_FALSE(line("${x:nonsense}", "x")) << "a type that is not known never fits";
}

TEST(TalkLine, VariablesStandWithinWords) {
  TalkVariables variables;
  EXPECT_TRUE(match_line("+OK <${stamp}> hello", "+OK <1.2@host> hello", variables));
  EXPECT_EQ(variables.values.at("stamp"), "1.2@host");
}

TEST(TalkLine, DistinctValuesNeverComeTwice) {
  TalkVariables variables;
  EXPECT_TRUE(match_line("+OK ${id:distinct}", "+OK a", variables));
  EXPECT_TRUE(match_line("+OK ${id:distinct}", "+OK b", variables));
  EXPECT_FALSE(match_line("+OK ${id:distinct}", "+OK a", variables));
}

TEST(TalkImap, ALiteralThatIsLargerThanTheLineEndsWithIt) {
  EXPECT_FALSE(imap("* X done", "* X \"{40}\r\n\" {18446744073709551592}\r\nxxxxxxxxxxxxxx end"));
  EXPECT_TRUE(imap("* X ${all:literal}", "* X {18446744073709551600}\r\nxxx end"));
}

TEST(TalkLine, WhatAPatternBoundThatDoesNotFitIsTakenBack) {
  TalkVariables variables;
  {
    TalkTrial trial(variables);
    EXPECT_FALSE(match_line("+OK ${n} ${id:distinct} x", "+OK 3 a y", variables));
    const TalkTrial inner(variables);
    EXPECT_TRUE(match_line("+OK ${m}", "+OK 4", variables));
  }
  EXPECT_TRUE(variables.values.empty() && variables.on_trial.empty());
  {
    TalkTrial trial(variables);
    EXPECT_TRUE(match_line("+OK ${n} ${id:distinct}", "+OK 4 a", variables) && trial.keep());
  }
  {
    const TalkTrial trial(variables);
    EXPECT_TRUE(match_line("+OK ${id:distinct}", "+OK b", variables));
  }
  EXPECT_EQ(variables.values.at("n"), "4");
  EXPECT_EQ(variables.values.at("id"), "a");
  EXPECT_TRUE(match_line("${id:distinct}", "b", variables));
}

/// A block of LIST.
TalkReply listing(std::initializer_list<std::string> lines) {
  TalkReply out;
  out.line = "+OK";
  out.multi = true;
  for (const auto& one : lines) {
    out.block.push_back(one);
    out.body += one + "\r\n";
  }
  return out;
}

scenario::TalkLine wanted(scenario::TalkLine::Op op, const std::string& text) {
  scenario::TalkLine out;
  out.op = op;
  out.text = text;
  out.alternatives = {text};
  return out;
}
scenario::TalkLine s(const std::string& text) {
  return wanted(text == "..." ? scenario::TalkLine::Op::any_lines : scenario::TalkLine::Op::reply, text);
}

std::optional<TalkMismatch> block(const std::vector<scenario::TalkLine>& lines, const TalkReply& reply,
                                  TalkVariables variables = {}, BlockOrder order = BlockOrder::as_written) {
  const auto message = [](std::string_view name) {
    if (name == "mail.1") return std::optional<std::string>("X-Mailproof: 1\r\n\r\nbody\r\n.\r\n");
    if (name == "mail.2") return std::optional<std::string>("X-Mailproof: 2\r\n\r\nother\r\n");
    return std::optional<std::string>();
  };
  return match_block(lines, reply, order, message, variables);
}

TEST(TalkBlock, LinesComeInOrderAndNoOthers) {
  EXPECT_FALSE(block({s("1 ${a}"), s("2 ${b}")}, listing({"1 100", "2 200"})));
  EXPECT_TRUE(block({s("2 ${b}"), s("1 ${a}")}, listing({"1 100", "2 200"})));
  EXPECT_TRUE(block({s("1 ${a}")}, listing({"1 100", "2 200"})));
  EXPECT_TRUE(block({s("1 ${a}"), s("2 ${b}"), s("3 ${c}")}, listing({"1 100", "2 200"})));
  EXPECT_TRUE(block({}, listing({"1 100"}))) << "a block without lines is an empty one";
  EXPECT_FALSE(block({}, listing({})));
}

TEST(TalkBlock, ThreeDotsAreAnyLines) {
  EXPECT_FALSE(block({s("1 ${a}"), s("..."), s("4 ${d}")}, listing({"1 1", "2 2", "3 3", "4 4"})));
  EXPECT_FALSE(block({s("..."), s("4 ${d}"), s("...")}, listing({"4 4"})));
  EXPECT_TRUE(block({s("..."), s("5 ${d}")}, listing({"1 1", "4 4"})));
}

TEST(TalkBlock, CapabilitiesComeInAnyOrder) {
  EXPECT_FALSE(block({s("UIDL"), s("TOP")}, listing({"TOP", "SASL PLAIN", "UIDL"}), {}, order_of_reply("capa")));
  EXPECT_TRUE(block({s("UIDL"), s("STLS")}, listing({"TOP", "SASL PLAIN", "UIDL"}), {}, order_of_reply("CAPA")));
}

TEST(TalkBlock, NoRfcOrdersTheLinesOfLists) {
  const auto order = order_of_reply("LIST");
  EXPECT_FALSE(block({s("1 ${a}"), s("2 ${b}")}, listing({"2 200", "1 100"}), {}, order));
  EXPECT_TRUE(block({s("1 ${a}")}, listing({"2 200", "1 100"}), {}, order)) << "but each message has one line";
  EXPECT_TRUE(block({s("1 ${a}"), s("3 ${b}")}, listing({"2 200", "1 100"}), {}, order));
  EXPECT_FALSE(block({s("1 ${a}"), s("...")}, listing({"2 200", "1 100"}), {}, order));
  EXPECT_TRUE(block({s("2 ${b}"), s("1 ${a}")}, listing({"1 100", "2 200"}), {}, order_of_reply("RETR 1")));
}

TEST(TalkBlock, TheWholeIsMeasured) {
  TalkVariables variables;
  variables.values = {{"n", "2"}, {"sum", "300"}, {"size", "14"}};
  EXPECT_FALSE(block({s("${n:lines}"), s("${sum:sum}"), s("${size:octets}")}, listing({"1 100", "2 200"}), variables));
  EXPECT_TRUE(block({s("${sum:sum}")}, listing({"1 100", "2 201"}), variables));
  EXPECT_TRUE(block({s("${n:lines}")}, listing({"1 100"}), variables));
  EXPECT_TRUE(block({s("${size:octets}")}, listing({"1 100", "2 2000"}), variables));
}

TEST(TalkBlock, AMessageIsComparedByteForByteBehindItsTraceHeaders) {
  EXPECT_FALSE(block({s("{mail.1}")}, listing({"Received: x", "X-Mailproof: 1", "", "body", "."})));
  EXPECT_TRUE(block({s("{mail.1}")}, listing({"Received: x", "X-Mailproof: 1", "", "body"})));
  EXPECT_TRUE(block({s("{mail.1}")}, listing({"body"})));
  EXPECT_FALSE(block({s("{mail.1}")}, listing({"X-Mailproof: 1", "Status: RO", "X-UIDL: a", "\tb", "", "body", "."})))
      << "a store keeps its own fields there";
  EXPECT_TRUE(block({s("{mail.1}")}, listing({"X-Mailproof: 1", "", "Status: RO", "body", "."})));
  EXPECT_TRUE(block({s("{mail.1}")}, listing({"X-Mailproof: 1", "x-mailproof: 2", "", "body", "."})));
  EXPECT_FALSE(block({s("{mail.1 top 1}")}, listing({"X-Mailproof: 1", "", "body"})));
  EXPECT_TRUE(block({s("{mail.1 top 0}")}, listing({"X-Mailproof: 1", "", "body"})));
}

TEST(TalkBlock, OfAMessageTheTextAloneMayBeCompared) {
  EXPECT_FALSE(block({s("{mail.1 text}")}, listing({"X-Mailproof: 2", "From: x", "", "body", "."})));
  EXPECT_TRUE(block({s("{mail.1 text}")}, listing({"X-Mailproof: 1", "", "body"})));
  EXPECT_TRUE(block({s("{mail.1 text}")}, listing({"X-Mailproof: 1", "", "Body", "."})));
  EXPECT_TRUE(block({s("{mail.1 text}")}, listing({"From: x", "", "body", "."}))) << "whose is it?";
}

TEST(TalkBlock, AFieldMayBeFoldedBehindItsColon) {
  EXPECT_FALSE(block({s("Received: from a"), s("To: b")}, listing({"Received: from a", "To: b"})));
  EXPECT_FALSE(block({s("Received: from a"), s("To: b")}, listing({"Received:", "\tfrom a", "To: b"})));
  EXPECT_FALSE(block({s("Received: from a"), s("To: b")}, listing({"received:from", " a", "To: b"})));
  EXPECT_TRUE(block({s("Received: from a"), s("To: b")}, listing({"Received:", "from a", "To: b"})));
  EXPECT_TRUE(block({s("Received: from a"), s("To: b")}, listing({"Received:", "\tfrom b", "To: b"})));
}

TEST(TalkBlock, AnyOfASetIsTakenOnce) {
  TalkVariables variables;
  const auto message = [](std::string_view name) {
    return name == "mail.1" ? std::optional<std::string>("X-Mailproof: 1\r\n") : std::nullopt;
  };
  const TalkReply reply = listing({"X-Mailproof: 1"});
  EXPECT_FALSE(match_block({s("{mail.*}")}, reply, BlockOrder::as_written, message, variables));
  EXPECT_TRUE(match_block({s("{mail.*}")}, reply, BlockOrder::as_written, message, variables)) << "it came before";
}

TEST(TalkBlock, RegularExpressionsLookAtEveryLine) {
  using Op = scenario::TalkLine::Op;
  EXPECT_FALSE(block({wanted(Op::every_regex, "^[0-9]+ [0-9]+$")}, listing({"1 1", "2 2"})));
  EXPECT_TRUE(block({wanted(Op::every_regex, "^[0-9]+ [0-9]+$")}, listing({"1 1", "2 2 x"})));
  EXPECT_TRUE(block({wanted(Op::no_regex, "x")}, listing({"1 1", "2 2 x"})));
  auto distinct = wanted(Op::distinct, "distinct 2");
  distinct.number = 2;
  EXPECT_FALSE(block({distinct}, listing({"1 a", "2 b"})));
  EXPECT_TRUE(block({distinct}, listing({"1 a", "2 a"})));
}

/// RFC 5322 section 2.2.3: "Each header field should be treated in its unfolded form".
TEST(TalkBlock, AFieldThatMustNotComeMayComeFolded) {
  const auto encoded = wanted(scenario::TalkLine::Op::no_regex, "^(?i:Content-Transfer-Encoding):[ \\t]*(?i:base64)");
  EXPECT_TRUE(block({encoded}, listing({"Subject: x", "Content-Transfer-Encoding:", "\tbase64", ""})));
  EXPECT_FALSE(block({encoded}, listing({"Subject: Content-Transfer-Encoding:", " base64", "8bit: x", ""})));
}

TEST(TalkBlock, ALongLineIsComparedToItsEnd) {
  using Op = scenario::TalkLine::Op;
  const std::string line_of_64(64U << 10, 'a');
  EXPECT_FALSE(block({wanted(Op::every_regex, "^(a|b)*$")}, listing({line_of_64})));
  EXPECT_TRUE(block({wanted(Op::every_regex, "^(a|b)*$")}, listing({line_of_64 + "c"})));
  EXPECT_TRUE(block({wanted(Op::no_regex, "c$")}, listing({line_of_64 + "c"})));
  EXPECT_FALSE(block({wanted(Op::reply_regex, "^a+$")}, listing({line_of_64})));
  EXPECT_TRUE(line("${x:/(a|b)*/}", line_of_64));
  EXPECT_TRUE(line("<${x}>", "<" + line_of_64 + ">"));
}

TEST(TalkBlock, WhatAPatternCannotBeTriedOnIsNeitherRightNorWrong) {
  using Op = scenario::TalkLine::Op;
  const std::string endless(8U << 20, 'a'), slow = std::string(40, 'a') + "b";
  EXPECT_THROW(block({wanted(Op::every_regex, "^(a|b)*$")}, listing({endless})), PatternTrouble);
  EXPECT_THROW(block({wanted(Op::no_regex, "^(a+)+$")}, listing({slow})), PatternTrouble);
  EXPECT_THROW(block({wanted(Op::reply_regex, "^(a+)+$")}, listing({slow})), PatternTrouble);
  EXPECT_THROW(line("${x:/(a+)+/}", slow), PatternTrouble);
}

TEST(TalkImap, ItemsOfFetchComeInAnyOrderAndFurtherOnesAreFree) {
  EXPECT_TRUE(imap("* 1 FETCH (UID ${a} FLAGS ${_})", "* 1 FETCH (FLAGS (\\Seen) UID 4 MODSEQ (9))"));
  EXPECT_FALSE(imap("* 1 FETCH (UID ${a:uid})", "* 1 FETCH (FLAGS (\\Seen))"));
  EXPECT_FALSE(imap("* 2 FETCH (UID ${a})", "* 1 FETCH (UID 4)"));
}

TEST(TalkImap, LiteralQuotedAndAtomAreTheSame) {
  EXPECT_TRUE(imap("* LIST (\\HasNoChildren) \"/\" INBOX", "* LIST (\\HasNoChildren) \"/\" \"INBOX\""));
  EXPECT_TRUE(imap("* LIST () \"/\" \"a b\"", "* LIST () \"/\" {3}\r\na b"));
  EXPECT_FALSE(imap("* LIST () \"/\" \"a b\"", "* LIST () \"/\" {3}\r\na c"));
}

TEST(TalkImap, CapabilitiesAreFreeAndNumbersFoundAreNot) {
  EXPECT_TRUE(imap("* CAPABILITY", "* CAPABILITY IMAP4rev1 IDLE"));
  EXPECT_TRUE(imap("* CAPABILITY idle", "* CAPABILITY IMAP4rev1 IDLE"));
  EXPECT_FALSE(imap("* CAPABILITY MOVE", "* CAPABILITY IMAP4rev1 IDLE"));
  EXPECT_TRUE(imap("* SEARCH 2 1", "* SEARCH 1 2"));
  EXPECT_FALSE(imap("* SEARCH", "* SEARCH 1 2"));
}

TEST(TalkImap, TheRestIsAllThatFollows) {
  TalkVariables variables;
  EXPECT_TRUE(match_imap("NO ${said:rest}", "NO [AUTHENTICATIONFAILED] no such thing", true, variables));
  EXPECT_EQ(variables.values.at("said"), "[AUTHENTICATIONFAILED] no such thing");
  EXPECT_TRUE(match_imap("NO ${said:rest}", "NO [AUTHENTICATIONFAILED] no such thing", true, variables));
  EXPECT_FALSE(match_imap("NO ${said:rest}", "NO [AUTHENTICATIONFAILED] no such user", true, variables));
  EXPECT_FALSE(match_imap("NO ${said:rest}", "NO", true, variables));
}

TEST(TalkImap, FlagsAreASet) {
  EXPECT_TRUE(imap("* FLAGS (\\Seen \\Deleted)", "* flags (\\Deleted \\Seen)"));
  EXPECT_FALSE(imap("* FLAGS (\\Seen)", "* FLAGS (\\Deleted \\Seen)"));
}

TEST(TalkImap, AnEmptyListAndASingleAtomAreWhatTheyAre) {
  EXPECT_TRUE(imap("* 1 FETCH (ENVELOPE (NIL \"a\"))", "* 1 FETCH (ENVELOPE (nil \"a\"))"));
  EXPECT_FALSE(imap("* 1 FETCH (ENVELOPE (NIL \"a\"))", "* 1 FETCH (ENVELOPE (\"NIL\" \"a\"))"))
      << "a string is no NIL";
  EXPECT_TRUE(imap("* 1 FETCH (BINARY[1] ab)", "* 1 FETCH (BINARY[1] ~{2}\r\nab)"));
}

TEST(TalkImap, DotsLetAListGoOn) {
  EXPECT_TRUE(
      imap("* 1 FETCH (BODYSTRUCTURE (TEXT PLAIN ...))", R"(* 1 FETCH (BODYSTRUCTURE ("text" "plain" NIL 3)))"));
  EXPECT_TRUE(imap("* 1 FETCH (BODYSTRUCTURE (TEXT PLAIN ...))", R"(* 1 FETCH (BODYSTRUCTURE ("text" "plain")))"));
  EXPECT_FALSE(imap("* 1 FETCH (BODYSTRUCTURE (TEXT PLAIN ...))", R"(* 1 FETCH (BODYSTRUCTURE ("text" "html" NIL)))"));
  EXPECT_FALSE(imap("* 1 FETCH (BODYSTRUCTURE (TEXT PLAIN))", R"(* 1 FETCH (BODYSTRUCTURE ("text" "plain" NIL)))"));
}

TEST(TalkImap, EsearchTellsInAnyOrderAndMaySayMore) {
  EXPECT_TRUE(imap("* ESEARCH ALL 1:3", "* ESEARCH (TAG \"t1\") COUNT 3 ALL 3,1:2"));
  EXPECT_TRUE(imap("* ESEARCH (TAG \"t1\") MIN 1 COUNT 3", "* ESEARCH (TAG \"t1\") COUNT 3 MIN 1"));
  EXPECT_FALSE(imap("* ESEARCH (TAG \"t1\") ALL 1", "* ESEARCH (TAG \"t2\") ALL 1"));
  EXPECT_FALSE(imap("* ESEARCH (TAG \"t1\") ALL 1", "* ESEARCH ALL 1"));
  EXPECT_FALSE(imap("* ESEARCH ALL 1:3", "* ESEARCH ALL 1:4"));
  EXPECT_FALSE(imap("* ESEARCH UID ALL 1", "* ESEARCH ALL 1"));
  EXPECT_FALSE(imap("* ESEARCH ALL 1", "* ESEARCH UID ALL 1"));
  EXPECT_TRUE(imap("* ESEARCH $", "* ESEARCH (TAG \"t1\")"));
  EXPECT_FALSE(imap("* ESEARCH $", "* ESEARCH (TAG \"t1\") ALL 1"));
  EXPECT_FALSE(imap("* ESEARCH ALL 1", "* SEARCH 1"));
  EXPECT_FALSE(imap("* ESEARCH ALL 1", "* ESEARCH ALL 1:4294967295")) << "written out only as far as it can matter";
}

TEST(TalkImap, ARangeInSearchIsEachOfItsNumbers) {
  EXPECT_TRUE(imap("* SEARCH 1:4", "* SEARCH 4 1 3 2"));
  EXPECT_TRUE(imap("* SEARCH 1,3:4", "* search 1 3 4 "));
  EXPECT_FALSE(imap("* SEARCH 1:4", "* SEARCH 4"));
  EXPECT_FALSE(imap("* SEARCH 1:4", "* SEARCH 1 2 3 4 5"));
  EXPECT_FALSE(imap("* SEARCH 1:4", "* SEARCH 1 2 3 3"));
  EXPECT_FALSE(imap("* SEARCH 1:4", "* SEARCH 1:4")) << "a SEARCH response has no sets";
  EXPECT_FALSE(imap("* SEARCH 1:4", "* SEARCH 1 2 3 4 (MODSEQ 5)"));
  EXPECT_FALSE(imap("* SEARCH 1:4", "* ESEARCH ALL 1:4"));
}

TEST(TalkImap, ASortedSetIsTheSameInAnyOrder) {
  TalkVariables variables;
  EXPECT_TRUE(match_imap("OK [COPYUID 7 ${from:sorted} ${to:set}]", "OK [COPYUID 7 4,1:2 3,1:2]", true, variables));
  EXPECT_EQ(variables.values["from"], "1,2,4");
  EXPECT_EQ(variables.values["to"], "3,1,2");
  EXPECT_FALSE(is_of_type("1:*", "sorted"));
}

TEST(TalkImap, ASetHoldsANumberHoweverItIsWritten) {
  TalkVariables variables;
  variables.values["one"] = "3";
  const auto holds = [&](std::string_view set) {
    return match_imap("* VANISHED (EARLIER) ${_:holds one}", "* VANISHED (EARLIER) " + std::string(set), true,
                      variables);
  };
  EXPECT_TRUE(holds("3"));
  EXPECT_TRUE(holds("1,4:2"));
  EXPECT_TRUE(holds("1:4294967295"));
  EXPECT_FALSE(holds("1:2,4,30"));
  EXPECT_FALSE(holds("x"));
}

TEST(TalkImap, RowsOfAMessageSayTogetherWhatTheyFirstSaid) {
  const auto together = [](std::string_view pattern, const std::vector<std::string_view>& rows) {
    TalkVariables variables;
    return match_fetch(pattern, rows, variables);
  };
  const std::string_view pattern = "* 1 FETCH (UID 7 FLAGS (\\Seen))";
  EXPECT_TRUE(together(pattern, {"* 1 FETCH (FLAGS (\\Seen))", "* 1 fetch (uid 7)"}));
  EXPECT_TRUE(together(pattern, {"* 1 FETCH (UID 7)", "* 1 FETCH (UID 7 FLAGS (\\Seen))"}));
  EXPECT_FALSE(together(pattern, {"* 1 FETCH (UID 7 FLAGS ())", "* 1 FETCH (FLAGS (\\Seen))"}));
  EXPECT_FALSE(together(pattern, {"* 1 FETCH (UID 7)", "* 1 FETCH (UID 7)"}));
  EXPECT_FALSE(together("* OK ${_}", {"* OK a", "* OK b"}));
  EXPECT_EQ(fetched_number("* 12 fetch (UID 7)"), "12");
  EXPECT_EQ(fetched_number("* 12 EXPUNGE"), "");
  EXPECT_EQ(fetched_number("* FETCH "), "");
}

TEST(TalkImap, ExtendedDataOfListAreFree) {
  EXPECT_TRUE(imap("* LIST () \"/\" a", "* LIST () \"/\" a (\"OLDNAME\" (b))"));
  EXPECT_FALSE(imap("* LIST () \"/\" a $", "* LIST () \"/\" a (\"OLDNAME\" (b))"));
  EXPECT_FALSE(imap("* LIST () \"/\" a", "* LIST () \"/\" a b"));
  EXPECT_FALSE(imap("* LSUB () \"/\" a", "* LSUB () \"/\" a (\"OLDNAME\" (b))"));
  EXPECT_FALSE(imap("* LIST () \"/\" a (\"CHILDINFO\" ${_})", "* LIST () \"/\" a (\"OLDNAME\" (b))"));
}

TEST(TalkImap, MonthsAreTheSameInAnyCase) {
  EXPECT_TRUE(imap("${_:date}", "\" 1-FEB-2003 04:05:06 +0700\""));
  EXPECT_TRUE(imap("${_:at 01-Feb-2003 04:05:06 +0700}", "\"01-feb-2003 04:05:06 +0700\""));
  EXPECT_FALSE(imap("${_:date}", "\" 1-Fev-2003 04:05:06 +0700\""));
}

TEST(TalkImap, ASetIsItsNumbersOneByOne) {
  TalkVariables variables;
  EXPECT_TRUE(match_imap("OK [COPYUID 9 ${from:set} ${to:set}]", "OK [COPYUID 9 7,3:5 11:12,10] ok", true, variables));
  EXPECT_EQ(variables.values.at("from"), "7,3,4,5");
  EXPECT_EQ(variables.values.at("to"), "11,12,10");
  EXPECT_TRUE(match_imap("${from:set}", "7,5:3", false, variables));
  EXPECT_FALSE(imap("${x:set}", "1:*"));
  EXPECT_FALSE(imap("${x:set}", "0"));
}

TEST(TalkImap, ASetOfOneMayBeARange) {
  EXPECT_TRUE(imap("* VANISHED 2", "* VANISHED 2:2"));
  EXPECT_TRUE(imap("* VANISHED (EARLIER) 2", "* VANISHED (EARLIER) 2:2"));
  EXPECT_TRUE(imap("OK [MODIFIED 2]", "OK [MODIFIED 2:2] not all", true));
  EXPECT_TRUE(imap("OK [COPYUID 9 2 5]", "OK [COPYUID 9 2:2 5:5]", true));
  EXPECT_TRUE(imap("* ESEARCH PARTIAL (5:900 5)", "* ESEARCH (TAG \"a\") PARTIAL (5:900 5:5)"));
  EXPECT_TRUE(imap("* ESEARCH ADDTO (0 2)", "* ESEARCH (TAG \"a\") ADDTO (0 2:2)"));
  EXPECT_FALSE(imap("* VANISHED 2", "* VANISHED 2:3"));
  EXPECT_FALSE(imap("OK [MODIFIED 2]", "OK [MODIFIED 1:2]", true));
  EXPECT_FALSE(imap("* ESEARCH PARTIAL (5:5 1)", "* ESEARCH (TAG \"a\") PARTIAL (5:6 1)"));
}

TEST(TalkImap, CodesOfStatusLinesHaveValues) {
  TalkVariables variables;
  EXPECT_TRUE(match_imap("OK [APPENDUID ${v} ${u:uid}]", "OK [APPENDUID 17 5] done", true, variables));
  EXPECT_EQ(variables.values.at("u"), "5");
  EXPECT_FALSE(imap("NO [OVERQUOTA]", "NO [TRYCREATE] no", true));
}

TEST(TalkImap, WordsOfBodySectionsStayOne) {
  EXPECT_TRUE(imap("* 1 FETCH (BODY[HEADER.FIELDS (DATE)] ${x:literal})",
                   "* 1 FETCH (BODY[HEADER.FIELDS (DATE)] {2}\r\n\r\n UID 3)"));
}

TEST(MatchImap, AllCapabilitiesAreTakenInOneOrder) {
  TalkVariables variables;
  EXPECT_TRUE(match_imap("* CAPABILITY ${all:rest}", "* CAPABILITY IMAP4rev1 ID acl", false, variables));
  EXPECT_EQ(variables.values["all"], "ACL ID IMAP4REV1");
  EXPECT_TRUE(match_imap("* CAPABILITY ${all:rest}", "* CAPABILITY ID ACL IMAP4rev1", false, variables));
  EXPECT_FALSE(match_imap("* CAPABILITY ${all:rest}", "* CAPABILITY ID IMAP4rev1", false, variables));
  EXPECT_TRUE(match_imap("* OK [CAPABILITY ${all:rest}]", "* OK [CAPABILITY Acl ID IMAP4rev1] hi", true, variables));
  EXPECT_FALSE(match_imap("* OK [CAPABILITY ${all:rest}]", "* OK [CAPABILITY ID IMAP4rev1] hi", true, variables));
}

}  // namespace
}  // namespace mailproof::play
