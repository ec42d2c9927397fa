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

}  // namespace
}  // namespace mailproof::imap
