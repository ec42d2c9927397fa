#include "wire/imap/structure.h"

#include <gtest/gtest.h>

#include "wire/imap/framer.h"
#include "wire/imap/response.h"
#include "wire/imap/tests/support.h"

namespace mailproof::imap {
namespace {

/// Lets `look` see a FETCH row as it comes off the wire, literals and all.
void fetch(std::string_view bytes, const std::function<void(const LogicalLine&, const FetchData&)>& look) {
  tests::Recorder sink;
  int rows = 0;
  sink.when_line = [&](const LogicalLine& line) {
    Response r;
    decode_response(line, r);
    ASSERT_EQ(r.kind, Response::Kind::fetch) << r.problem;
    ++rows;
    look(line, r.fetch);
  };
  Framer framer(Framer::Reads::responses, sink);
  framer.feed(bytes);
  EXPECT_EQ(rows, 1);
}

// The example of RFC 3501 section 8, its subject as a literal.
TEST(Structure, EnvelopeOfRfc3501) {
  fetch(
      "* 12 FETCH (FLAGS (\\Seen) ENVELOPE (\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" {49}\r\n"
      "IMAP4rev1 WG mtg \"summary\" and minutes, 2nd draft ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
      "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
      "((NIL NIL \"imap\" \"cac.washington.edu\")) ((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")"
      "(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL \"<B27397-0100000@cac.washington.edu>\") UID 7)\r\n",
      [](const LogicalLine& line, const FetchData& data) {
        const auto e = decode_envelope(line, data.envelope);
        ASSERT_TRUE(e) << e.error().message();
        EXPECT_EQ(e->date, "Wed, 17 Jul 1996 02:23:25 -0700 (PDT)");
        EXPECT_EQ(e->subject, "IMAP4rev1 WG mtg \"summary\" and minutes, 2nd draft");
        ASSERT_EQ(e->from.size(), 1U);
        EXPECT_EQ(e->from[0].name, "Terry Gray");
        EXPECT_FALSE(e->from[0].route);
        ASSERT_EQ(e->cc.size(), 2U);
        EXPECT_EQ(e->cc[1].host, "MIT.EDU");
        EXPECT_TRUE(e->bcc.empty());
        EXPECT_FALSE(e->in_reply_to);
        EXPECT_EQ(e->message_id, "<B27397-0100000@cac.washington.edu>");
      });
}

// RFC 3501 section 7.4.2: a text part and a base64 part of a multipart, here with extension data.
TEST(Structure, BodiesOfEveryKind) {
  fetch(
      "* 1 FETCH (BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 1152 23)"
      "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\" \"NAME\" \"cc.diff\") "
      "\"<960723163407.20117h@cac.washington.edu>\" "
      "\"Compiler diff\" \"BASE64\" 4554 73 \"md5==\" (\"ATTACHMENT\" (\"FILENAME\" \"cc.diff\")) (\"de\" \"en\") "
      "\"loc\" (\"more\" (1)))"
      "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"8BIT\" 99 (NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) "
      "(\"IMAGE\" \"PNG\" NIL NIL NIL \"BASE64\" 12) 4) \"MIXED\" (\"BOUNDARY\" \"b1\") NIL \"fr\" NIL 5))\r\n",
      [](const LogicalLine& line, const FetchData& data) {
        const auto b = decode_body(line, data.bodystructure);
        ASSERT_TRUE(b) << b.error().message();
        EXPECT_EQ(b->type, "multipart");
        EXPECT_EQ(b->subtype, "mixed");
        ASSERT_EQ(b->parameters.size(), 1U);
        EXPECT_EQ(b->parameters[0].second, "b1");
        EXPECT_EQ(b->languages, std::vector<std::string>{"fr"});
        ASSERT_EQ(b->parts.size(), 3U);
        EXPECT_EQ(b->parts[0].lines, 23U);
        EXPECT_FALSE(b->parts[0].md5);
        const BodyStructure& diff = b->parts[1];
        EXPECT_EQ(diff.octets, 4554U);
        EXPECT_EQ(diff.description, "Compiler diff");
        EXPECT_EQ(diff.md5, "md5==");
        EXPECT_EQ(diff.disposition, "attachment");
        EXPECT_EQ(diff.disposition_parameters[0].first, "filename");
        EXPECT_EQ(diff.languages.size(), 2U);
        EXPECT_EQ(diff.location, "loc");
        const BodyStructure& forwarded = b->parts[2];
        ASSERT_TRUE(forwarded.envelope);
        EXPECT_EQ(forwarded.envelope->subject, "inner");
        ASSERT_EQ(forwarded.parts.size(), 1U);
        EXPECT_EQ(forwarded.parts[0].type, "image");
        EXPECT_FALSE(forwarded.parts[0].lines);
        EXPECT_EQ(forwarded.lines, 4U);
      });
}

TEST(Structure, WhatIsIncompleteSaysWhere) {
  for (const char* body : {"()", "(\"TEXT\")", "(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5)",
                           "((\"A\" \"B\" NIL NIL NIL \"7BIT\" 5) MIXED)", "(\"A\" \"B\" (\"odd\") NIL NIL \"7BIT\" 5)",
                           "(\"A\" \"B\" NIL NIL NIL \"7BIT\" -1)", "(\"A\" \"B\" NIL"}) {
    LogicalLine line;
    line.text = body;
    const auto read = decode_body(line, line.text);
    ASSERT_FALSE(read) << body;
    EXPECT_EQ(read.error().where.rfind("column ", 0), 0U);
  }
  LogicalLine line;
  line.text = "(NIL NIL NIL)";
  EXPECT_FALSE(decode_envelope(line, line.text));
}

TEST(Structure, DepthIsBounded) {
  std::string deep(2'000'000, '(');
  LogicalLine line;
  line.text = deep;
  EXPECT_FALSE(decode_body(line, line.text));
}

/// What the grammar has against it, "" nothing.
std::string against(const std::string& items) {
  tests::Recorder sink;
  std::string found;
  sink.when_line = [&](const LogicalLine& line) {
    Response r;
    Deviations deviations;
    decode_response(line, r, &deviations);
    deviations.for_each([&](const Deviation& d) { found += std::string(name(d.code)) + ": " + d.told(); });
  };
  Framer framer(Framer::Reads::responses, sink);
  framer.feed("* 1 FETCH (" + items + ")\r\n");
  return found;
}

const std::string kAlone = "(NIL NIL \"a\" \"b\")";

std::string envelope_with(const std::string& from, const std::string& last = "\"<m@x>\"") {
  return "ENVELOPE (NIL \"s\" " + from + " NIL NIL NIL NIL NIL NIL " + last + ")";
}

TEST(StructureGrammar, AnEnvelopeIsWordForWord) {
  EXPECT_EQ(against(envelope_with("(" + kAlone + kAlone + ")")), "");
  EXPECT_EQ(against(envelope_with("NIL", "{4}\r\n<m>x")), "");
  EXPECT_EQ(
      against("ENVELOPE (NIL NIL ((NIL NIL \"team\" NIL)" + kAlone + "(NIL NIL NIL NIL)) NIL NIL NIL NIL NIL NIL NIL)"),
      "");
  // Reported of a bridge, of QQ, of Domino and of Exchange.
  EXPECT_EQ(
      against(envelope_with("()")),
      "imap.envelope: expected NIL or a list of at least one address, found ) NIL NIL NIL NIL NIL NIL \"<m@x>\"))");
  EXPECT_EQ(against("ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL)"),
            "imap.envelope: expected the ten fields of an envelope, found ))");
  EXPECT_NE(against("ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"), "");
  EXPECT_NE(against(envelope_with(kAlone)), "");
  EXPECT_NE(against(envelope_with("((NIL NIL \"a\"))")), "");
  EXPECT_NE(against(envelope_with("NIL", "m")), "");
}

std::string part(const std::string& fields) { return "BODYSTRUCTURE (" + fields + ")"; }

TEST(StructureGrammar, ABodyIsWordForWord) {
  const std::string text = "\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1";
  EXPECT_EQ(against(part(text)), "");
  EXPECT_EQ(against(part(text + " NIL (\"inline\" NIL) (\"en\" \"de\") NIL 7 (\"x\" (1 NIL))")), "");
  EXPECT_EQ(against(part(text + " NIL NIL \"en\" \"loc\"")), "");
  EXPECT_EQ(against(part("(" + text + ")(" + text + ") \"mixed\" (\"boundary\" \"b\") NIL NIL NIL")), "");
  EXPECT_EQ(against(part("\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 9 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) (" +
                         text + ") 2")),
            "");
  EXPECT_EQ(against(part("\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 9 NIL NIL NIL NIL")), "");
  EXPECT_EQ(against(part("\"message\" \"global\" NIL NIL NIL \"8bit\" 9 NIL NIL")), "");
  EXPECT_EQ(against("BODY (\"image\" \"gif\" (\"name\" {1}\r\nx) NIL NIL \"base64\" 9)"), "");
  // Reported of maddy, mail.ru, Exchange, QQ, Gmail and others.
  for (const std::string& wrong :
       {std::string("\"text\" \"plain\" NIL NIL NIL NIL 3 1"),
        std::string("\"text\" \"plain\" () NIL NIL \"7bit\" 3 1"),
        std::string("\"text\" \"plain\" (\"charset\" NIL) NIL NIL \"7bit\" 3 1"),
        std::string("\"text\" \"plain\" (\"charset\") NIL NIL \"7bit\" 3 1"), text + " NIL \"inline\" NIL NIL",
        text + " NIL (\"inline\") NIL NIL", text + " NIL NIL () NIL", text + " NIL NIL NIL ()",
        std::string("\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 -1"),
        std::string("\"text\" \"plain\" NIL NIL NIL \"7bit\" 3"), std::string("\"x-zip\" NIL NIL NIL \"base64\" 9"),
        std::string("\"mixed\""), std::string("NIL \"mixed\""), "(" + text + ") \"mixed\" (\"boundary\" NIL)",
        "(" + text + ") \"mixed\" NIL \"words\" NIL",
        std::string("\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 9 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) () 2")})
    EXPECT_EQ(against(part(wrong)).substr(0, 20), "imap.bodystructure: ") << wrong;
  EXPECT_EQ(against(part("\"text\" \"plain\" NIL NIL NIL NIL 3 1")),
            "imap.bodystructure: expected the transfer encoding as a string: it is never NIL, found NIL 3 1))");
}

TEST(StructureGrammar, WhatIsTooDeepForAReaderIsNoFaultOfTheServers) {
  std::string deep = "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1)";
  for (int i = 0; i < 80; ++i) deep = "(" + deep + " \"mixed\")";
  EXPECT_EQ(against("BODYSTRUCTURE " + deep).find("imap.bodystructure"), std::string::npos);
}

}  // namespace
}  // namespace mailproof::imap
