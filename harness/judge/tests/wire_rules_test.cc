#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "judge/rules/pop3_exchanges.h"
#include "judge/rules/rule.h"
#include "judge/tests/wire_talk.h"

namespace mailproof::judge {
namespace {

using history::WireBytes;

std::vector<Violation> look(std::string_view rule, const WireBytes& bytes) {
  std::vector<Violation> out;
  const WireRule* found = find_wire_rule(rule);
  if (found == nullptr) {
    ADD_FAILURE() << "no rule " << rule;
    return out;
  }
  found->look(bytes, out);
  return out;
}

const std::string kLong(600, 'x');

/// A connection with one thing wrong, and what the rule says of it.
struct Planted {
  std::string rule;
  WireBytes bytes;
  std::string actual;  ///< part of what is found
};

WireBytes imap(WireBytes bytes) {
  bytes.protocol = Protocol::imap;
  return bytes;
}

std::vector<Planted> planted_rules() {
  return {
      {"pop3.status-line-512", wire_talk({"S: +OK hi", "C: NOOP", "S: +OK " + kLong}), "line of 606 octets"},
      {"pop3.status-line-512", wire_talk({"S: +OK hi", "C: LIST", "S: -ERR " + kLong}), "reply to LIST"},
      {"pop3.status-line-512", wire_talk({"S: +OK " + kLong}), "the greeting"},
      {"pop3.status-upper-case", wire_talk({"S: +OK hi", "C: noop", "S: +Ok fine"}), "+Ok"},
      {"pop3.status-upper-case", wire_talk({"S: +OK hi", "C: DELE 9", "S: -err none"}), "-err"},
      {"pop3.status-only-two", wire_talk({"S: +OK hi", "C: NOOP", "S: 250 fine"}), "250 fine"},
      {"pop3.status-only-two", wire_talk({"S: * OK hi"}), "the greeting is: * OK hi"},
      {"pop3.status-only-two", wire_talk({"S: +OK hi", "C: NOOP", "S: + go ahead"}), "reply to NOOP"},
      {"pop3.status-only-two", wire_talk({"S: +OK hi", "C: NOOP", "S: +OKAY"}), "+OKAY"},
      // The second line of the greeting stands where the reply to a command should be.
      {"pop3.status-only-two", wire_talk({"S: +OK hi", "C!: NOOP\r\nSTAT\r\n", "S: +OK", "S: welcome", "S: +OK 0 0"}),
       "welcome"},
      {"pop3.crlf", wire_talk({"S!: +OK hi\n"}), "the greeting has a line that ends in LF"},
      {"pop3.crlf", wire_talk({"S: +OK hi", "C: NOOP", "S!: +OK\r fine\r\n"}), "CR that no LF follows"},
      {"pop3.crlf", wire_talk({"S: +OK hi", "C: LIST", "S: +OK", "S!: 1 20\n", "S: ."}), "reply to LIST"},
      {"pop3.crlf", wire_talk({"S: +OK hi", "C: CAPA", "S: +OK", "S!: TOP\r\r\n", "S: ."}), "CR that no LF follows"},
      {"pop3.crlf", wire_talk({"S: +OK hi", "C: UIDL", "S: +OK", "S: 1 a", "S!: .\n"}), "ends in LF without CR"},
      {"pop3.crlf", wire_talk({"S: +OK hi", "C: STLS", "S: +OK", "TLS", "C: NOOP", "S!: -ERR\n"}), "reply to NOOP"},
      {"pop3.response-code-bracket",
       wire_talk({"S: +OK hi", "C: CAPA", "S: +OK", "S: resp-codes", "S: .", "C: DELE 9", "S: -ERR [no such message"}),
       "reply to DELE 9 is: -ERR [no such message"},
      {"pop3.response-code-bracket", wire_talk({"S: +OK [hi", "C: CAPA", "S: +OK", "S: RESP-CODES", "S: ."}),
       "the greeting"},
      {"pop3.response-code-grammar", wire_talk({"S: +OK hi", "C: PASS secret", "S: -ERR [SYS TEMP] later"}),
       "PASS *** is: -ERR [SYS TEMP] later"},
      {"pop3.response-code-grammar", wire_talk({"S: +OK hi", "C: NOOP", "S: +OK [] fine"}), "[]"},
      {"pop3.response-code-grammar", wire_talk({"S: +OK hi", "C: NOOP", "S: +OK [SYS//TEMP]"}), "[SYS//TEMP]"},
      {"pop3.auth-code-announced",
       wire_talk({"S: +OK hi", "C: CAPA", "S: +OK", "S: RESP-CODES", "S: .", "C: USER a", "S: +OK", "C: PASS secret",
                  "S: -ERR [AUTH] no"}),
       "does not list AUTH-RESP-CODE"},
      {"pop3.capa-tag-syntax", wire_talk({"S: +OK hi", "C: CAPA", "S: +OK", "S: SASL ", "S: ."}),
       "no parameter behind"},
      {"pop3.capa-tag-syntax", wire_talk({"S: +OK hi", "C: CAPA", "S: +OK", "S: X.Y", "S: ."}), "tag with a dot"},
      {"pop3.capa-tag-syntax", wire_talk({"S: +OK hi", "C: CAPA", "S: +OK", "S: ", "S: ."}), "is empty"},
      {"pop3.capa-tag-syntax", wire_talk({"S: +OK hi", "C: CAPA", "S: +OK", "S:  TOP", "S: ."}), "begins with a blank"},
      {"pop3.capa-tag-syntax", wire_talk({"S: +OK hi", "C: CAPA", "S: +OK", "S: EXPIRE  0", "S: ."}), "no parameter"},
      {"pop3.capa-tag-syntax", wire_talk({"S: +OK hi", "C: CAPA", "S: +OK", "S: X \xc3\xa4", "S: ."}), "not printable"},
      {"pop3.capa-tag-syntax", wire_talk({"S: +OK hi", "C: CAPA", "S: +OK", "S: X " + kLong, "S: ."}),
       "longer than 512"},
      {"pop3.capa-subset",
       wire_talk({"S: +OK hi", "C: CAPA", "S: +OK", "S: TOP", "S: UIDL", "S: .", "C: USER a", "S: +OK",
                  "C: PASS secret", "S: +OK", "C: CAPA", "S: +OK", "S: UIDL", "S: ."}),
       "CAPA lists TOP before login and not after it"},
      {"pop3.capa-subset",
       wire_talk({"S: +OK hi", "C: CAPA", "S: +OK", "S: SASL PLAIN LOGIN", "S: .", "C: AUTH PLAIN", "S: + ",
                  "C: AGEAYg==", "S: +OK", "C: CAPA", "S: +OK", "S: SASL PLAIN", "S: ."}),
       "SASL lacks a mechanism"},
      {"pop3.capa-subset",
       wire_talk({"S: +OK hi", "C: CAPA", "S: +OK", "S: EXPIRE NEVER", "S: .",
                  "C: APOP a c4c9334bac560ecc979e58001b3e22fb", "S: +OK", "C: CAPA", "S: +OK", "S: EXPIRE 30", "S: ."}),
       "promises less retention"},
      {"pop3.capa-subset",
       wire_talk({"S: +OK hi", "C: CAPA", "S: +OK", "S: LOGIN-DELAY 60 USER", "S: .",
                  "C: AUTH PLAIN AGEAYg==", "S: +OK", "C: CAPA", "S: +OK", "S: LOGIN-DELAY 900", "S: ."}),
       "longer delay"},
      {"pop3.retr-size",
       wire_talk({"S: +OK hi", "C: LIST", "S: +OK", "S: 1 19", "S: .", "C: RETR 1", "S: +OK", "S: Subject: x",
                  "S: ", "S: ..", "S: ."}),
       "RETR 1 sent 17 octets"},
      {"pop3.retr-size", wire_talk({"S: +OK hi", "C: LIST 2", "S: +OK 2 3", "C: RETR 2", "S: +OK", "S: .", "C: QUIT"}),
       "RETR 2 sent 0 octets"},
      {"imap.crlf", imap(wire_talk({"S!: * OK hi\n"})), "ends in LF without CR"},
      {"imap.crlf", imap(wire_talk({"S: * OK hi", "C: a NOOP", "S!: a OK\r done\r\n"})), "a CR that no LF follows"},
      {"imap.crlf", imap(wire_talk({"S: * OK hi", "C: a FETCH 1 BODY[]", "S!: * 1 FETCH (BODY[] {3}\r\na\nb)\n"})),
       "ends in LF without CR"},
      {"imap.crlf", imap(wire_talk({"S: * OK hi", "C: a STARTTLS", "S: a OK", "TLS", "C: b NOOP", "S!: b OK x\n"})),
       "ends in LF without CR"},
      {"imap.completion-once", imap(wire_talk({"S: * OK hi", "C: a NOOP", "S: a OK done", "S: a OK done"})),
       "another completion of a"},
      {"imap.completion-once", imap(wire_talk({"S: * OK hi", "C: a NOOP", "S: A OK done"})), "no tag of the client's"},
      {"imap.completion-once",
       imap(wire_talk({"S: * OK hi", "C: a APPEND INBOX {1}", "S: a NO [TOOBIG]", "C: b NOOP", "S: a NO", "S: b OK"})),
       "another completion of a"},
  };
}

TEST(WireRules, APlantedBreachIsFound) {
  for (const Planted& plant : planted_rules()) {
    const auto found = look(plant.rule, plant.bytes);
    ASSERT_FALSE(found.empty()) << plant.rule << ": " << plant.actual;
    EXPECT_EQ(found.size(), 1U) << plant.rule << ": " << plant.actual;
    EXPECT_THAT(found.front().actual, testing::HasSubstr(plant.actual)) << plant.rule;
    EXPECT_FALSE(found.front().expected.empty());
    EXPECT_THAT(found.front().excerpt, testing::HasSubstr("S: "));
    for (const auto& text : {found.front().actual, found.front().excerpt, found.front().expected})
      EXPECT_THAT(text, testing::Not(testing::HasSubstr("secret")));
  }
}

TEST(WireRules, ImapThatIsRightIsLeftInPeace) {
  const std::vector<WireBytes> right = {
      imap(wire_talk({"S: * OK hi", "C: a NOOP", "S: * 1 EXISTS", "S: a OK done", "C: a NOOP", "S: a OK done"})),
      imap(wire_talk({"S: * OK hi", "C!: a NOOP\r\nb NOOP\r\n", "S!: b OK x\r\na OK x\r\n"})),
      // What stands in a literal, and a brace in a text that announces none.
      imap(wire_talk({"S: * OK hi", "C: a FETCH 1 BODY[]", "S!: * 1 FETCH (BODY[] {9}\r\na\nb\rc OK\n)\r\n",
                      "S: a OK costs {3}", "C: b NOOP", "S: b OK done"})),
      imap(wire_talk({"S: * OK hi", "C: a AUTHENTICATE PLAIN", "S: + ", "C: AGEAYg==", "S: a OK in"})),
      // The last line is cut.
      imap(wire_talk({"S: * OK hi", "C: a NOOP", "S!: a OK do"})),
      imap(wire_talk({"S: * OK hi", "C: a STARTTLS", "S!: a OK", "S!:  go\r\n", "TLS", "C: b NOOP", "S: b OK done"})),
      // A line that is too long is answered before it ends.
      imap(wire_talk(
          {"S: * OK hi", "C!: a NOOP AAAA", "S: a BAD too long", "C!: AAAA\r\n", "C: b NOOP", "S: b OK done"})),
      // A tag that is none may be answered so, or not.
      imap(wire_talk({"S: * OK hi", "C: a+b NOOP", "S: a+b BAD no", "C: ", "S: * BAD no"})),
  };
  for (const WireBytes& bytes : right)
    for (const char* rule : {"imap.crlf", "imap.completion-once"})
      EXPECT_TRUE(look(rule, bytes).empty()) << rule << ": " << look(rule, bytes).front().excerpt;
}

TEST(WireRules, EveryRuleIsPlanted) {
  std::set<std::string> planted;
  for (const Planted& plant : planted_rules()) planted.insert(plant.rule);
  for (const WireRule& rule : wire_rules()) EXPECT_TRUE(planted.contains(std::string(rule.name))) << rule.name;
  EXPECT_EQ(planted.size(), wire_rules().size());
}

TEST(WireRules, NoMoreThanFiveOfAConnection) {
  WireBytes bytes = wire_talk({"S: +OK hi"});
  for (int i = 0; i < 20; ++i) {
    const WireBytes more = wire_talk({"C: NOOP", "S: +ok"});
    bytes.pieces.insert(bytes.pieces.end(), more.pieces.begin(), more.pieces.end());
  }
  EXPECT_EQ(look("pop3.status-upper-case", bytes).size(), kMostViolations);
}

struct Correct {
  std::string name;
  WireBytes bytes;
};

/// Servers that did nothing wrong, whatever the client did.
std::vector<Correct> correct() {
  return {
      {"a session", wire_talk({"S: +OK ready <1.2@host>",
                               "C: CAPA",
                               "S: +OK list",
                               "S: TOP",
                               "S: SASL PLAIN",
                               "S: RESP-CODES",
                               "S: AUTH-RESP-CODE",
                               "S: EXPIRE 5 USER",
                               "S: LOGIN-DELAY 900 USER",
                               "S: STLS",
                               "S: IMPLEMENTATION a b",
                               "S: .",
                               "C: USER alice",
                               "S: +OK",
                               "C: PASS secret",
                               "S: -ERR [AUTH] no",
                               "C: USER alice",
                               "S: +OK",
                               "C: PASS secret",
                               "S: +OK [X-HI/there] two",
                               "C: CAPA",
                               "S: +OK",
                               "S: top",
                               "S: SASL LOGIN PLAIN",
                               "S: RESP-CODES",
                               "S: AUTH-RESP-CODE",
                               "S: EXPIRE 30",
                               "S: LOGIN-DELAY 60",
                               "S: IMPLEMENTATION",
                               "S: .",
                               "C: LIST",
                               "S: +OK",
                               "S: 1 18",
                               "S: 2 9 octets",
                               "S: .",
                               "C: RETR 1",
                               "S: +OK 18 octets",
                               "S: Subject: x",
                               "S: ",
                               "S: ..a",
                               "S: .",
                               "C: LIST 2",
                               "S: +OK 2 9",
                               "C: TOP 2 0",
                               "S: +OK",
                               "S: .",
                               "C: UIDL 1",
                               "S: +OK 1 abc",
                               "C: QUIT",
                               "S: +OK bye"})},
      {"pipelined", wire_talk({"S: +OK hi", "C!: USER a\r\nPASS secret\r\nLIST\r\nRETR 1\r\nNOOP\r\n",
                               "S!: +OK\r\n+OK\r\n+OK\r\n1 3\r\n.\r\n+OK\r\na\r\n.\r\n+OK\r\n"})},
      {"lone CR and LF in messages", wire_talk({"S: +OK hi", "C: LIST", "S: +OK", "S: 1 10", "S: .", "C: RETR 1",
                                                "S: +OK", "S!: a\rb\nc\n.\n", "S!: \r\n.\r\n", "C: NOOP", "S: +OK"})},
      {"no message text is a status line",
       wire_talk({"S: +OK hi", "C: RETR 1", "S: +OK", "S: 250 x", "S: +ok", "S: [", "S: .", "C: NOOP", "S: +OK"})},
      {"SASL", wire_talk({"S: +OK hi", "C: AUTH", "S: +OK", "S: PLAIN", "S: .", "C: AUTH SCRAM-SHA-256", "S: + ",
                          "C: " + kLong, "S: + " + kLong, "C: *", "S: -ERR no", "C: AUTH PLAIN", "S: +",
                          "C: AA==", "S: +OK", "C: NOOP", "S: +OK"})},
      {"STLS", wire_talk({"S: +OK hi", "C: CAPA", "S: +OK", "S: STLS", "S: X-BEFORE", "S: .", "C: STLS", "S: +OK",
                          "TLS", "C: USER a", "S: +OK", "C: PASS secret", "S: +OK", "C: CAPA", "S: +OK", "S: TOP",
                          "S: .", "C: QUIT", "S: +OK"})},
      {"STLS refused", wire_talk({"S: +OK hi", "C: STLS", "S: -ERR no", "C: NOOP", "S: +OK"})},
      {"commands behind STLS", wire_talk({"S: +OK hi", "C!: STLS\r\nNOOP\r\n", "S: +OK", "TLS", "S: 250 of the NOOP",
                                          "C: STAT", "S: +OK 0 0"})},
      {"implicit TLS", wire_talk({"TLS", "S: +OK hi", "C: NOOP", "S: +OK", "C: QUIT", "S: +OK"})},
      {"empty lines", wire_talk({"S: +OK hi", "C: ", "C: NOOP", "S: +OK", "C: STAT", "S: odd"})},
      {"an over-long line", wire_talk({"S: +OK hi", "C: NOOP " + kLong, "S: -ERR", "S: garbled"})},
      {"raw bytes", wire_talk({"S: +OK hi", "C!: \x01\x02\r\n", "S: what?", "C: NOOP", "S: +OK"})},
      {"a bare LF of the client", wire_talk({"S: +OK hi", "C!: NOOP\nSTAT\r\n", "S: what?"})},
      {"a blank behind the command", wire_talk({"S: +OK hi", "C: LIST ", "S: +OK", "S: 1 2", "S: ."})},
      {"a command of its own", wire_talk({"S: +OK hi", "C: XTND LIST", "S: +OK", "S: a", "S: .", "C: NOOP", "S: +OK"})},
      {"a line that nobody asked for", wire_talk({"S: +OK hi", "C: NOOP", "S: +OK", "S: shutting down", "C: NOOP"})},
      {"cut in a status line", wire_talk({"S: +OK hi", "C: NOOP", "S!: +O"})},
      {"cut in a list", wire_talk({"S: +OK hi", "C: CAPA", "S: +OK", "S!: SASL "})},
      {"cut in a message",
       wire_talk({"S: +OK hi", "C: LIST", "S: +OK", "S: 1 900", "S: .", "C: RETR 1", "S: +OK", "S!: Subject"})},
      {"cut before TLS", wire_talk({"S: +OK hi", "C: STLS", "S: +OK"})},
      {"nothing came", wire_talk({})},
      {"sizes behind UTF8", wire_talk({"S: +OK hi", "C: LIST", "S: +OK", "S: 1 8", "S: .", "C: UTF8", "S: +OK",
                                       "C: RETR 1", "S: +OK", "S: a", "S: ."})},
      {"no CAPA asked",
       wire_talk({"S: +OK hi", "C: PASS secret", "S: -ERR [AUTH] no", "C: NOOP", "S: +OK [SYS/TEMP]"})},
      {"SYS without AUTH-RESP-CODE",
       wire_talk({"S: +OK hi", "C: CAPA", "S: +OK", "S: RESP-CODES", "S: .", "C: NOOP", "S: -ERR [SYS/PERM] no"})},
  };
}

TEST(WireRules, SilentOnServersThatKeepThem) {
  for (const Correct& one : correct())
    for (const WireRule& rule : wire_rules())
      for (const Violation& violation : look(rule.name, one.bytes))
        ADD_FAILURE() << one.name << ": " << rule.name << " says " << violation.actual;
}

/// However the bytes of one side are cut: only who spoke before whom counts.
TEST(WireRules, TheSameHoweverThePiecesAreCut) {
  for (const Planted& plant : planted_rules()) {
    WireBytes octets = plant.bytes;
    octets.pieces.clear();
    for (const auto& piece : plant.bytes.pieces)
      for (const char c : piece.bytes) octets.pieces.push_back({piece.from_server, piece.secured, piece.at, {c}});
    EXPECT_EQ(look(plant.rule, octets).size(), 1U) << plant.rule << ": " << plant.actual;
  }
}

TEST(WireRules, OtherProtocolsArePassedOver) {
  for (const Planted& plant : planted_rules()) {
    WireBytes bytes = plant.bytes;
    bytes.protocol = bytes.protocol == Protocol::imap ? Protocol::pop3 : Protocol::imap;
    EXPECT_TRUE(look(plant.rule, bytes).empty()) << plant.rule;
  }
}

TEST(Pop3Exchanges, PairWhatWasSaidWithTheReplies) {
  const WireBytes bytes =
      wire_talk({"S: +OK hi", "C!: AUTH PLAIN\r\nAGEAYg==\r\nUIDL\r\n", "S!: + \r\n+OK\r\n+OK\r\n1 x\r\n.\r\n"});
  const Pop3Exchanges talk(bytes);
  std::vector<std::string> told;
  for (const auto& exchange : talk.all()) told.push_back(exchange.said() + " -> " + std::string(exchange.status));
  EXPECT_THAT(told, testing::ElementsAre("the greeting -> +OK hi", "AUTH PLAIN -> + ", "a response within AUTH -> +OK",
                                         "UIDL -> +OK"));
  ASSERT_TRUE(talk.all().back().whole);
  EXPECT_EQ(body_lines(talk.all().back()).front().text, "1 x");
}

}  // namespace
}  // namespace mailproof::judge
