#include "wire/imap/response.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/imap/framer.h"
#include "wire/imap/tests/support.h"

namespace mailproof::imap {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = Response::Kind;

/// Decodes one response of the stream and lets `look` see it; every other line is an error.
void decode(std::string_view bytes, const std::function<void(const Response&)>& look, std::uint64_t deviations = 0) {
  tests::Recorder sink;
  int lines = 0;
  Response response;
  Framer framer(Framer::Reads::responses, sink);
  sink.when_line = [&](const LogicalLine& line) {
    ++lines;
    decode_response(line, response, &framer.deviations());
    look(response);
  };
  framer.feed(bytes);
  EXPECT_EQ(lines, 1);
  EXPECT_EQ(framer.deviations().count(), deviations) << bytes;
}

TEST(Response, TaggedStatusWithCode) {
  decode("a002 OK [READ-WRITE] SELECT completed\r\n", [](const Response& r) {
    EXPECT_EQ(r.kind, Kind::tagged);
    EXPECT_EQ(r.tag, "a002");
    EXPECT_EQ(r.status, Status::ok);
    EXPECT_TRUE(r.code.is("read-write"));
    EXPECT_EQ(r.text, "SELECT completed");
  });
  decode("A5 NO [OVERQUOTA] Sorry\r\n", [](const Response& r) {
    EXPECT_EQ(r.status, Status::no);
    EXPECT_EQ(r.code.name, "OVERQUOTA");
    EXPECT_EQ(r.code.arguments, "");
  });
  decode("* BYE Autologout; idle for too long\r\n", [](const Response& r) {
    EXPECT_EQ(r.kind, Kind::status);
    EXPECT_EQ(r.status, Status::bye);
  });
  decode("* PREAUTH IMAP4rev1 server logged in as Smith\r\n",
         [](const Response& r) { EXPECT_EQ(r.status, Status::preauth); });
}

TEST(Response, CodesThatCarrySomething) {
  decode("A003 OK [APPENDUID 38505 3955] APPEND completed\r\n", [](const Response& r) {
    EXPECT_EQ(r.code.uidvalidity, 38505U);
    EXPECT_EQ(r.code.destination.format(), "3955");
  });
  decode("A004 OK [COPYUID 38505 304,319:320 3956:3958] Done\r\n", [](const Response& r) {
    EXPECT_EQ(r.code.uidvalidity, 38505U);
    EXPECT_EQ(r.code.source.format(), "304,319:320");
    EXPECT_EQ(r.code.destination.format(), "3956:3958");
  });
  decode("* OK [PERMANENTFLAGS (\\Deleted \\Seen \\*)] Limited\r\n",
         [](const Response& r) { EXPECT_EQ(r.code.flags.format(), "(\\Seen \\Deleted \\*)"); });
  decode("* OK [UIDVALIDITY 3857529045] UIDs valid\r\n",
         [](const Response& r) { EXPECT_EQ(r.code.number, 3857529045U); });
  decode("* OK [HIGHESTMODSEQ 715194045007] Highest\r\n",
         [](const Response& r) { EXPECT_EQ(r.code.modseq, 715194045007U); });
  decode("* OK [NOMODSEQ] Sorry\r\n", [](const Response& r) {
    EXPECT_TRUE(r.code.is("NOMODSEQ"));
    EXPECT_FALSE(r.code.modseq);
  });
  decode("d105 OK [MODIFIED 7,9] Conditional STORE failed\r\n",
         [](const Response& r) { EXPECT_EQ(r.code.source.format(), "7,9"); });
  decode("* OK [CAPABILITY IMAP4rev1 LITERAL+ AUTH=PLAIN] ready\r\n",
         [](const Response& r) { EXPECT_THAT(r.code.words, ElementsAre("IMAP4rev1", "LITERAL+", "AUTH=PLAIN")); });
  decode("* OK [CLOSED] Previous mailbox is now closed\r\n",
         [](const Response& r) { EXPECT_TRUE(r.code.is("CLOSED")); });
  decode("a NO [X-NEW thing (with) \"quotes] text ] more\r\n", [](const Response& r) {
    EXPECT_EQ(r.code.arguments, "thing (with) \"quotes");
    EXPECT_EQ(r.text, "text ] more");
  });
  decode("a NO [BADCHARSET (\"UTF-8]\" {5}\r\nASCII)] no\r\n", [](const Response& r) {
    EXPECT_EQ(r.code.arguments, "(\"UTF-8]\" {5})");
    EXPECT_EQ(r.text, "no");
  });
}

TEST(Response, ACodeThatIsWrongLeavesItsResponseReadable) {
  for (const char* line : {"A OK [APPENDUID 0 1] x\r\n", "A OK [APPENDUID 1] x\r\n", "A OK [COPYUID 1 1:2] x\r\n",
                           "A OK [UIDNEXT -1] x\r\n", "A OK [UIDVALIDITY 4294967296] x\r\n",
                           "A OK [PERMANENTFLAGS \\Seen] x\r\n", "A OK [HIGHESTMODSEQ x] x\r\n"}) {
    decode(
        line,
        [](const Response& r) {
          EXPECT_EQ(r.kind, Kind::tagged);
          EXPECT_EQ(r.code.number, 0U);
          EXPECT_EQ(r.code.uidvalidity, 0U);
          EXPECT_TRUE(r.code.source.empty() && r.code.destination.empty());
          EXPECT_EQ(r.text, "x");
        },
        1);
  }
}

// resp-text = ["[" resp-text-code "]" SP] [text], and TEXT-CHAR has "[" and SP in it.
TEST(Response, ABracketThatBeginsNoCodeIsText) {
  for (const char* text : {"[done", "[] done", "[(null)] no such mailbox", "[ IMAP ready", "[", "[ALERT",
                           "[ALERT no end", "[Errno: (2)", "[x{5}", " two spaces", "  [ALERT] behind a space"}) {
    decode(fmt::format("a3 OK {}\r\n", text), [&](const Response& r) {
      EXPECT_EQ(r.kind, Kind::tagged) << text;
      EXPECT_FALSE(r.code) << text;
      EXPECT_EQ(r.text, text);
    });
  }
}

TEST(Response, ACodeEndsBehindItsArguments) {
  decode("* OK [INPROGRESS (\"a]b\\\"]\" 1 2)] x\r\n", [](const Response& r) {
    EXPECT_EQ(r.code.arguments, "(\"a]b\\\"]\" 1 2)");
    EXPECT_EQ(r.text, "x");
  });
  decode("a NO [REFERRAL imap://[::1]/INBOX] see there [1]\r\n", [](const Response& r) {
    EXPECT_EQ(r.code.arguments, "imap://[::1]/INBOX");
    EXPECT_EQ(r.text, "see there [1]");
  });
  decode(
      "a NO [REFERRAL imap://x/y]see\r\n", [](const Response& r) { EXPECT_EQ(r.text, "see"); }, 1);
  decode("a NO [INPROGRESS (\"open] x\r\n", [](const Response& r) { EXPECT_EQ(r.text, "x"); });
}

TEST(Response, MissingTextIsADeviationOnly) {
  decode(
      "a1 OK\r\n", [](const Response& r) { EXPECT_EQ(r.kind, Kind::tagged); }, 1);
  decode("a1 OK \r\n", [](const Response& r) { EXPECT_EQ(r.kind, Kind::tagged); });
  decode("a1 OK [READ-ONLY] \r\n", [](const Response& r) { EXPECT_EQ(r.code.name, "READ-ONLY"); });
  decode("a1 OK [READ-ONLY]\r\n", [](const Response& r) { EXPECT_EQ(r.code.name, "READ-ONLY"); });
  decode(
      "+\r\n", [](const Response& r) { EXPECT_EQ(r.kind, Kind::continuation); }, 1);
  decode("+ cGFzc3dvcmQ=\r\n", [](const Response& r) { EXPECT_EQ(r.text, "cGFzc3dvcmQ="); });
}

TEST(Response, MessageData) {
  decode("* 18 EXISTS\r\n", [](const Response& r) {
    EXPECT_EQ(r.kind, Kind::exists);
    EXPECT_EQ(r.number, 18U);
  });
  decode("* 0 EXISTS\r\n", [](const Response& r) { EXPECT_EQ(r.kind, Kind::exists); });
  decode("* 5 RECENT\r\n", [](const Response& r) { EXPECT_EQ(r.kind, Kind::recent); });
  decode("* 44 EXPUNGE\r\n", [](const Response& r) {
    EXPECT_EQ(r.kind, Kind::expunge);
    EXPECT_EQ(r.number, 44U);
  });
  decode("* VANISHED (EARLIER) 41,43:116,118\r\n", [](const Response& r) {
    EXPECT_EQ(r.kind, Kind::vanished);
    EXPECT_TRUE(r.earlier);
    EXPECT_EQ(r.set.format(), "41,43:116,118");
  });
  decode("* VANISHED 405\r\n", [](const Response& r) {
    EXPECT_FALSE(r.earlier);
    EXPECT_EQ(r.set.format(), "405");
  });
}

TEST(Response, FetchWithEverything) {
  const std::string_view bytes =
      "* 12 FETCH (FLAGS (\\Seen $Forwarded) UID 4827313 MODSEQ (65402) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" "
      "RFC822.SIZE 4286 ENVELOPE (\"Wed, 17 Jul 1996\" {3}\r\na)b NIL ((\"x\" NIL \"y\" \"z\")) NIL NIL NIL NIL NIL "
      "NIL) "
      "BODY (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 3028 92) "
      "BODY[HEADER.FIELDS (\"From\" TO)]<0> {11}\r\nFrom: a@b\r\n BODY[TEXT] NIL X-GM-LABELS (\"a\" (b)) BODY[1.MIME] "
      "\"in line\" "
      "BINARY.SIZE[1] 77 EMAILID (M001) BINARY[1] ~{2}\r\n";
  std::string all(bytes);
  all += std::string_view("\0\1)\r\n", 5);
  const auto same = tests::expect_same_at_every_split(all, [&](const std::vector<std::string_view>& pieces) {
    tests::Recorder sink;
    std::vector<std::string> seen;
    Framer framer(Framer::Reads::responses, sink);
    sink.when_line = [&](const LogicalLine& line) {
      Response r;
      decode_response(line, r, &framer.deviations());
      EXPECT_EQ(r.kind, Kind::fetch) << r.problem;
      EXPECT_EQ(r.number, 12U);
      EXPECT_EQ(r.fetch.uid, 4827313U);
      EXPECT_EQ(r.fetch.modseq, 65402U);
      EXPECT_EQ(r.fetch.size, 4286U);
      EXPECT_EQ(r.fetch.flags.format(), "(\\Seen $Forwarded)");
      EXPECT_EQ(r.fetch.internaldate.raw(), "17-Jul-1996 02:44:25 -0700");
      EXPECT_EQ(r.fetch.envelope, "(\"Wed, 17 Jul 1996\" {3} NIL ((\"x\" NIL \"y\" \"z\")) NIL NIL NIL NIL NIL NIL)");
      EXPECT_TRUE(r.fetch.bodystructure.starts_with("(\"TEXT\" \"PLAIN\""));
      for (const FetchSection& s : r.fetch.sections) {
        std::string one(s.item);
        one.append("[").append(s.section).append("]");
        if (s.origin) one.append("<").append(std::to_string(*s.origin)).append(">");
        one.append(s.content.is_nil() ? " NIL" : " =").append(s.content.text());
        seen.push_back(one);
      }
    };
    for (const std::string_view piece : pieces) framer.feed(piece);
    EXPECT_EQ(framer.deviations().count(), 0U);
    return seen;
  });
  EXPECT_THAT(same, ElementsAre("BODY[HEADER.FIELDS (\"From\" TO)]<0> =From: a@b\r\n", "BODY[TEXT] NIL",
                                "BODY[1.MIME] =in line", std::string("BINARY[1] =\0\1", 13)));
}

TEST(Response, OldFetchItems) {
  decode("* 1 FETCH (RFC822 {4}\r\nmail RFC822.HEADER \"h\" RFC822.TEXT NIL)\r\n", [](const Response& r) {
    ASSERT_EQ(r.fetch.sections.size(), 3U);
    EXPECT_EQ(r.fetch.sections[0].content.text(), "mail");
    EXPECT_EQ(r.fetch.sections[1].item, "RFC822.HEADER");
    EXPECT_TRUE(r.fetch.sections[2].content.is_nil());
  });
}

TEST(Response, ListAndLsub) {
  decode("* LIST (\\Noselect \\HasChildren) \"/\" ~/Mail/foo\r\n", [](const Response& r) {
    EXPECT_EQ(r.kind, Kind::list);
    EXPECT_THAT(r.list.attributes, ElementsAre("\\Noselect", "\\HasChildren"));
    EXPECT_EQ(r.list.separator, '/');
    EXPECT_EQ(r.list.mailbox.text(), "~/Mail/foo");
  });
  decode("* LSUB () \"\\\\\" {7}\r\nfoo bar\r\n", [](const Response& r) {
    EXPECT_EQ(r.kind, Kind::lsub);
    EXPECT_EQ(r.list.separator, '\\');
    EXPECT_EQ(r.list.mailbox.text(), "foo bar");
  });
  decode("* LIST () NIL inbox (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n", [](const Response& r) {
    EXPECT_EQ(r.list.separator, 0);
    EXPECT_EQ(r.list.mailbox.text(), "inbox");
  });
}

TEST(Response, StatusSearchAndFlags) {
  decode("* STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292 HIGHESTMODSEQ 7011231777 MAILBOXID (F22))\r\n",
         [](const Response& r) {
           EXPECT_EQ(r.mailbox.text(), "blurdybloop");
           ASSERT_EQ(r.items.size(), 4U);
           EXPECT_EQ(r.items[1].name, "UIDNEXT");
           EXPECT_EQ(r.items[1].value, 44292U);
           EXPECT_EQ(r.items[2].value, 7011231777U);
           EXPECT_EQ(r.items[3].raw, "(F22)");
         });
  decode("* SEARCH 2 84 (MODSEQ 917162500)\r\n", [](const Response& r) {
    EXPECT_EQ(r.kind, Kind::search);
    EXPECT_EQ(r.modseq, 917162500U);
  });
  decode("* ESEARCH (TAG \"A282\") UID MIN 2 MAX 47 COUNT 25 ALL 2,10:15,21 MODSEQ 1236\r\n", [](const Response& r) {
    EXPECT_EQ(r.esearch.tag.text(), "A282");
    EXPECT_TRUE(r.esearch.uid);
    EXPECT_EQ(r.esearch.min, 2U);
    EXPECT_EQ(r.esearch.max, 47U);
    EXPECT_EQ(r.esearch.count, 25U);
    EXPECT_EQ(r.esearch.all.format(), "2,10:15,21");
    EXPECT_EQ(r.esearch.modseq, 1236U);
  });
  decode("* ESEARCH (TAG \"A283\")\r\n", [](const Response& r) {
    EXPECT_EQ(r.kind, Kind::esearch);
    EXPECT_FALSE(r.esearch.has_all);
  });
  decode("* FLAGS (\\Answered \\Flagged)\r\n",
         [](const Response& r) { EXPECT_EQ(r.flags.format(), "(\\Answered \\Flagged)"); });
  decode("* ENABLED CONDSTORE QRESYNC\r\n",
         [](const Response& r) { EXPECT_THAT(r.words, ElementsAre("CONDSTORE", "QRESYNC")); });
  decode("* ENABLED\r\n", [](const Response& r) { EXPECT_THAT(r.words, IsEmpty()); });
}

TEST(Response, QuotaNamespaceId) {
  decode("* QUOTAROOT INBOX \"\" #user/alice\r\n", [](const Response& r) {
    EXPECT_EQ(r.mailbox.text(), "INBOX");
    ASSERT_EQ(r.quota_roots.size(), 2U);
    EXPECT_EQ(r.quota_roots[0].text(), "");
    EXPECT_EQ(r.quota_roots[1].text(), "#user/alice");
  });
  decode("* QUOTA \"\" (STORAGE 10 512 MESSAGE 3 100)\r\n", [](const Response& r) {
    ASSERT_EQ(r.quota.size(), 2U);
    EXPECT_EQ(r.quota[0].usage, 10U);
    EXPECT_EQ(r.quota[1].limit, 100U);
  });
  decode("* QUOTA NIL ()\r\n", [](const Response& r) {
    EXPECT_EQ(r.kind, Kind::quota);
    EXPECT_EQ(r.quota_roots[0].text(), "NIL");
  });
  decode("* QUOTAROOT INBOX NIL\r\n", [](const Response& r) { EXPECT_EQ(r.quota_roots[0].text(), "NIL"); });
  decode("* NAMESPACE ((\"\" \"/\")(\"#mh/\" \"/\" \"X-PARAM\" (\"F1\"))) NIL ((\"Public Folders/\" NIL))\r\n",
         [](const Response& r) {
           ASSERT_EQ(r.namespaces.size(), 3U);
           EXPECT_EQ(r.namespaces[1].prefix.text(), "#mh/");
           EXPECT_EQ(r.namespaces[2].of, NamespaceEntry::Class::shared);
           EXPECT_EQ(r.namespaces[2].separator, 0);
         });
  decode("* ID (\"name\" \"Cyrus\" \"os\" NIL)\r\n", [](const Response& r) {
    ASSERT_EQ(r.id.size(), 2U);
    EXPECT_EQ(r.id[0].value.text(), "Cyrus");
    EXPECT_TRUE(r.id[1].value.is_nil());
  });
  decode("* ID NIL\r\n", [](const Response& r) { EXPECT_THAT(r.id, IsEmpty()); });
}

TEST(Response, WhatCannotBeReadSaysWhy) {
  for (const char* line : {"hello world",
                           "* 1 FETCH (FLAGS (\\Seen)",
                           "* 0 EXPUNGE",
                           "* 0 FETCH (UID 1)",
                           "* 1 FETCH (UID 0)",
                           "* 1 FETCH (RFC822.SIZE -1)",
                           "* LIST (\\Noselect) \"//\" x",
                           "a1 MAYBE x",
                           "a1 BYE x",
                           "* STATUS x (MESSAGES)",
                           "* 4294967296 EXISTS",
                           "* VANISHED (LATER) 1",
                           "",
                           " ",
                           "*",
                           "* ",
                           "a1",
                           "* 1",
                           "* 1 FETCH",
                           "* 1 FETCH (BODY[",
                           "* 1 FETCH (BODY[] {3}x",
                           "* QUOTA \"\" (STORAGE 1)",
                           "* ESEARCH ALL 0"}) {
    Response r;
    LogicalLine logical;
    logical.text = line;
    decode_response(logical, r);
    EXPECT_EQ(r.kind, Kind::unreadable) << line;
    EXPECT_THAT(r.problem, testing::StartsWith("column ")) << line;
  }
}

TEST(Response, UnknownDataIsKeptAsText) {
  decode(
      "* XNEWMAIL arrived (in INBOX)\r\n",
      [](const Response& r) {
        EXPECT_EQ(r.kind, Kind::other);
        EXPECT_EQ(r.name, "XNEWMAIL");
        EXPECT_EQ(r.text, "arrived (in INBOX)");
      },
      1);
}

TEST(Response, AnEsearchMayNameItsMailbox) {
  decode(
      "* ESEARCH (MAILBOX \"in\" UIDVALIDITY 7 TAG \"b1\") UID ALL 1\r\n",
      [](const Response& r) {
        EXPECT_EQ(r.kind, Kind::esearch);
        EXPECT_TRUE(r.esearch.uid);
        EXPECT_TRUE(r.esearch.has_all);
      },
      0);
}

TEST(Response, DataOfExtensionsThatAreNotReadIsNoDeviation) {
  for (const std::string line : {"* THREAD (1 (3)(4))(2 5)", "* METADATA INBOX (/private/comment NIL)",
                                 "* MYRIGHTS INBOX lrs", "* 8 UIDFETCH (FLAGS ())"})
    decode(
        line + "\r\n", [](const Response& r) { EXPECT_EQ(r.kind, Kind::other); }, 0);
}

TEST(Response, TwoMillionParenthesesAreUnreadableAndCheap) {
  std::string line = "* 1 FETCH (BODYSTRUCTURE ";
  line.append(2'000'000, '(');
  Response r;
  LogicalLine logical;
  logical.text = line;
  decode_response(logical, r);
  EXPECT_EQ(r.kind, Kind::unreadable);
  EXPECT_THAT(r.problem, testing::HasSubstr("64 deep"));
}

TEST(Response, ReuseLeavesNothingBehind) {
  Response used;
  LogicalLine line;
  for (const char* text :
       {"a OK [COPYUID 1 2 3] x", "* 3 FETCH (UID 9 FLAGS (\\Seen a) MODSEQ (5) BODY[] \"x\")", "* ESEARCH UID ALL 1:3",
        "* QUOTA x (STORAGE 1 2)", "* ID (\"a\" \"b\")", "* VANISHED (EARLIER) 1:5"}) {
    line.text = text;
    decode_response(line, used);
  }
  line.text = "* OK hello";
  decode_response(line, used);
  EXPECT_FALSE(used.code);
  EXPECT_TRUE(used.code.source.empty());
  EXPECT_EQ(used.number, 0U);
  EXPECT_TRUE(used.fetch.sections.empty());
  EXPECT_TRUE(used.set.empty());
  EXPECT_FALSE(used.earlier);
  EXPECT_TRUE(used.quota.empty() && used.id.empty());
}

TEST(ContentLiteral, IsKnownFromTheLineSoFar) {
  const auto whole = content_literal("* 12 FETCH (UID 7 BODY[] {310}");
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->message, 12U);
  EXPECT_EQ(whole->item, "BODY");
  EXPECT_EQ(whole->section, "");
  const auto part = content_literal("* 1 FETCH (BODY[HEADER.FIELDS (FROM TO)]<100> {310}");
  ASSERT_TRUE(part);
  EXPECT_EQ(part->section, "HEADER.FIELDS (FROM TO)");
  EXPECT_EQ(part->origin, 100U);
  EXPECT_EQ(content_literal("* 1 FETCH (RFC822.TEXT {1}")->item, "RFC822.TEXT");
  EXPECT_EQ(content_literal("* 1 FETCH (BINARY[1.2] ~{1}")->section, "1.2");
  for (const char* line : {"* 1 FETCH (ENVELOPE (\"date\" {5}", "* LIST () \"/\" {5}", "a1 NO [BADCHARSET ({5}",
                           "* 1 FETCH (X[1] {5}", "* 1 FETCH ({5}", "{5}", "* 1 FETCH ]{5}", "* 1 FETCH >{5}"}) {
    EXPECT_FALSE(content_literal(line)) << line;
  }
}

}  // namespace
}  // namespace mailproof::imap
