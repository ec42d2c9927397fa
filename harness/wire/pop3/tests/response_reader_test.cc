#include "wire/pop3/response_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <deque>

#include "core/rng.h"
#include "wire/text/tests/split.h"

namespace mailproof::pop3 {
namespace {

using Body = ResponseReader::Body;
using Event = ResponseReader::Event;

/// Reads `bytes` where the n-th +OK has the n-th body kind; adjacent chunks are joined, since a split may cut them.
std::string tell(const std::vector<std::string_view>& pieces, std::deque<Body> bodies) {
  ResponseReader reader;
  std::string told;
  bool in_chunk = false;
  for (std::string_view in : pieces) {
    while (true) {
      const Event event = reader.next(in);
      if (event == Event::more) break;
      if (event != Event::chunk && std::exchange(in_chunk, false)) told += "'\n";
      switch (event) {
        case Event::status: {
          const StatusLine& s = reader.status();
          const char* kinds[] = {"ok", "err", "challenge"};
          told += fmt::format("{} [{}] '{}'\n", kinds[static_cast<int>(s.kind)], s.code_text, s.text);
          if (s.kind == StatusLine::Kind::ok && !bodies.empty()) {
            reader.expect(bodies.front());
            bodies.pop_front();
          }
          break;
        }
        case Event::chunk:
          if (!std::exchange(in_chunk, true)) told += "text '";
          told += reader.chunk();
          break;
        case Event::line:
          told += fmt::format("line '{}'\n", reader.chunk());
          break;
        case Event::end:
          told += fmt::format("end {} octets\n", reader.body_stats().octets);
          break;
        case Event::garbage:
          told += fmt::format("garbage '{}'\n", reader.chunk());
          break;
        case Event::more:
          break;
      }
    }
    EXPECT_TRUE(in.empty());
  }
  if (in_chunk) told += "'\n";
  for (const auto& d : reader.deviations().all()) told += fmt::format("! {} at {} x{}\n", d.code, d.offset, d.count);
  if (reader.unfinished()) told += "unfinished\n";
  return told;
}

std::string read(std::string_view bytes, const std::deque<Body>& bodies) {
  return text::expect_same_at_every_split(
      bytes, [&](const std::vector<std::string_view>& pieces) { return tell(pieces, bodies); });
}

TEST(Pop3Responses, ASessionWithPipelining) {
  EXPECT_EQ(read("+OK Dovecot (Debian) ready. <1af.1.5e@mail.example.test>\r\n"
                 "+OK\r\nTOP\r\nUIDL\r\nSASL PLAIN LOGIN\r\n.\r\n"
                 "+OK\r\n+OK Logged in.\r\n"
                 "+OK 2 530\r\n+OK 2 messages:\r\n1 120\r\n2 410\r\n.\r\n"
                 "+OK 120 octets\r\nSubject: dots\r\nMIME-Version: 1.0\r\n\r\n..\r\n...x\r\n.\r\n"
                 "-ERR There's no message 3.\r\n+OK Logging out, messages deleted.\r\n",
                 {Body::none, Body::lines, Body::none, Body::none, Body::none, Body::lines, Body::text, Body::none}),
            "ok [] 'Dovecot (Debian) ready. <1af.1.5e@mail.example.test>'\n"
            "ok [] ''\nline 'TOP'\nline 'UIDL'\nline 'SASL PLAIN LOGIN'\nend 29 octets\n"
            "ok [] ''\nok [] 'Logged in.'\n"
            "ok [] '2 530'\nok [] '2 messages:'\nline '1 120'\nline '2 410'\nend 14 octets\n"
            "ok [] '120 octets'\ntext 'Subject: dots\r\nMIME-Version: 1.0\r\n\r\n.\r\n..x\r\n'\nend 44 octets\n"
            "err [] 'There's no message 3.'\nok [] 'Logging out, messages deleted.'\n");
}

TEST(Pop3Responses, ResponseCodes) {
  EXPECT_EQ(
      read("-ERR [IN-USE] Mailbox in use\r\n-ERR [LOGIN-DELAY] wait\r\n-ERR [AUTH] no\r\n-ERR [SYS/TEMP] later\r\n"
           "-ERR [X-OWN/THING] hm\r\n-ERR [not a code] x\r\n-ERR [] y\r\n-ERR [\r\n",
           {}),
      "err [IN-USE] 'Mailbox in use'\nerr [LOGIN-DELAY] 'wait'\nerr [AUTH] 'no'\nerr [SYS/TEMP] 'later'\n"
      "err [X-OWN/THING] 'hm'\nerr [] '[not a code] x'\nerr [] '[] y'\nerr [] '['\n");
  text::Deviations none;
  EXPECT_EQ(parse_status_line("-ERR [in-use] x", none, 0)->code, ResponseCode::in_use);
  EXPECT_EQ(parse_status_line("-ERR [SYS/PERM]", none, 0)->code, ResponseCode::sys_perm);
  EXPECT_EQ(parse_status_line("-ERR [X]", none, 0)->code, ResponseCode::other);
}

TEST(Pop3Responses, Challenges) {
  EXPECT_EQ(read("+ \r\n+ PDE4OTY+\r\n+\r\n+OK in\r\n", {}),
            "challenge [] ''\nchallenge [] 'PDE4OTY+'\nchallenge [] ''\nok [] 'in'\n");
}

TEST(Pop3Responses, LaxServersAreReadAndNoted) {
  EXPECT_EQ(read("+ok ready\n+OKready\r\n-Err no\r\n", {}),
            "ok [] 'ready'\nok [] 'ready'\nerr [] 'no'\n"
            "! pop3.line.bare-lf at 0 x1\n! pop3.status.case at 0 x2\n! pop3.status.no-space at 10 x1\n");
}

TEST(Pop3Responses, GarbageEndsReading) {
  EXPECT_EQ(read("HTTP/1.0 400 Bad request\r\n+OK 1 2\r\n", {}),
            "garbage 'HTTP/1.0 400 Bad request'\n! pop3.status.garbage at 0 x1\n");
}

// RFC 5034 section 4: 12288 octets and more.
TEST(Pop3Responses, AChallengeMayBeLong) {
  const std::string challenge(12'000, 'A');
  EXPECT_EQ(read("+ " + challenge + "\r\n", {}), "challenge [] '" + challenge + "'\n");
  EXPECT_NE(read("+OK " + std::string(600, 'x') + "\r\n", {}).find("! pop3.line.too-long"), std::string::npos);
}

// Its lines are as long, and end as, whoever wrote the message has them; RFC 1939 section 3 bounds the responses.
TEST(Pop3Responses, WhatStandsInAMessageIsNoDeviation) {
  EXPECT_EQ(read("+OK\r\n" + std::string(2000, 'x') + "\na\n.\nb\r\n.\r\n", {Body::text}).find('!'), std::string::npos);
}

TEST(Pop3Responses, AnUnstuffedDotIsNoted) {
  EXPECT_EQ(read("+OK\r\na\nb\r\n.sig\r\nc\n.\nd\r\n.\r\n", {Body::text}),
            "ok [] ''\ntext 'a\nb\r\nsig\r\nc\n.\nd\r\n'\nend 17 octets\n"
            "! pop3.text.unstuffed-dot at 26 x1\n");
}

TEST(Pop3Responses, ACutIsSeen) {
  EXPECT_EQ(read("+OK\r\nhalf\r\n.\r", {Body::text}), "ok [] ''\ntext 'half\r\n'\nunfinished\n");
  EXPECT_EQ(read("+OK half a li", {}), "unfinished\n");
}

TEST(Pop3Responses, ABodyWithoutItsLastLineEndIsStillCutIntoLines) {
  EXPECT_EQ(read("+OK\r\n1 2\n2 3\r\n.\r\n", {Body::lines}),
            "ok [] ''\nline '1 2'\nline '2 3'\nend 9 octets\n! pop3.text.bare-lf at 17 x1\n");
}

TEST(Pop3Responses, HugeMessagesAndEndlessLinesStayBounded) {
  ResponseReader reader;
  std::string_view ok = "+OK\r\n";
  ASSERT_EQ(reader.next(ok), Event::status);
  reader.expect(Body::text);
  const std::string flood(65536, 'x');
  std::uint64_t seen = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string_view in = flood;
    while (reader.next(in) == Event::chunk) seen += reader.chunk().size();
  }
  EXPECT_EQ(seen, 2000U * 65536U);

  ResponseReader endless;
  for (int i = 0; i < 200; ++i) {
    std::string_view in = flood;
    EXPECT_EQ(endless.next(in), Event::more);
  }
  EXPECT_TRUE(endless.unfinished());
}

TEST(ApopTimestamp, IsFoundInGreetings) {
  EXPECT_EQ(apop_timestamp("POP3 server ready <1896.697170952@dbc.mtview.ca.us>"), "<1896.697170952@dbc.mtview.ca.us>");
  EXPECT_EQ(apop_timestamp("<mail> ready <1@x> now"), "<1@x>");
  EXPECT_FALSE(apop_timestamp("POP3 server ready"));
  EXPECT_FALSE(apop_timestamp("a < b"));
  EXPECT_FALSE(apop_timestamp("<>"));
}

}  // namespace
}  // namespace mailproof::pop3
