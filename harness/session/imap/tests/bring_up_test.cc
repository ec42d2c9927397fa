#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/hash.h"
#include "session/imap/tests/dialogue.h"
#include "wire/sasl/server.h"

namespace mailproof::session {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using tests::ImapDialogue;

ClientConfig starttls() {
  ClientConfig config = ImapDialogue::plain();
  config.endpoint.tls = TlsMode::starttls;
  return config;
}

ClientConfig with_mechanism(std::string mechanism) {
  ClientConfig config = ImapDialogue::plain();
  config.login.mechanism = std::move(mechanism);
  return config;
}

class ImapBringUp : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Pieces, ImapBringUp, testing::Values(0, 1, 3));

TEST_P(ImapBringUp, LogsIn) {
  ImapDialogue d(ImapDialogue::plain(), GetParam());
  d.open();
  d.says("");
  d.server("* OK mail.example.test ready\r\n");
  d.says("a1 CAPABILITY\r\n");
  d.server("* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na1 OK done\r\n");
  d.says("a2 LOGIN user0001 \"***\"\r\n");
  d.server("a2 OK logged in\r\n");
  d.says("a3 CAPABILITY\r\n");
  d.tells({"greeting mail.example.test ready"});
  d.server("* CAPABILITY IMAP4rev1 MOVE\r\na3 OK done\r\n");
  d.tells({"ready"});
  EXPECT_TRUE(d.client.has("move"));
  EXPECT_FALSE(d.client.has("AUTH=PLAIN"));
  EXPECT_TRUE(d.client.ready());
  EXPECT_FALSE(d.client.deadline());
}

TEST_P(ImapBringUp, TakesVolunteeredCapabilities) {
  ImapDialogue d(ImapDialogue::plain(), GetParam());
  d.open();
  d.server("* OK [CAPABILITY IMAP4rev1] ready\r\n");
  d.says("a1 LOGIN user0001 \"***\"\r\n");
  d.server("* CAPABILITY IMAP4rev1 IDLE\r\na1 OK in\r\n");
  d.tells({"greeting ready", "ready"});
  EXPECT_TRUE(d.client.has("IDLE"));
}

TEST_P(ImapBringUp, UpgradesToTls) {
  ImapDialogue d(starttls(), GetParam());
  d.open();
  d.server("* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\r\n");
  d.says("a1 STARTTLS\r\n");
  EXPECT_EQ(d.client.wants(), Wants::nothing);
  d.server("a1 OK begin\r\n");
  EXPECT_EQ(d.client.wants(), Wants::start_tls);
  d.says("");
  TlsFacts facts;
  facts.established = true;
  d.client.secured(facts, d.now);
  EXPECT_EQ(d.client.wants(), Wants::nothing);
  d.says("a2 CAPABILITY\r\n");
  d.server("* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na2 OK\r\n");
  d.says("a3 LOGIN user0001 \"***\"\r\n");
  d.server("a3 OK [CAPABILITY IMAP4rev1] in\r\n");
  d.tells({"greeting ready", "deviation imap.text.missing", "ready"});
  EXPECT_THAT(d.sink.offers, ElementsAre("plaintext IMAP4rev1 STARTTLS LOGINDISABLED", "secured",
                                         "secured IMAP4rev1 AUTH=PLAIN", "authenticated IMAP4rev1"));
}

TEST(ImapBringUp, AskedNotToLogInIsReadyInFrontOfIt) {
  ClientConfig config = starttls();
  config.log_in = false;
  ImapDialogue d(config);
  d.open();
  d.server("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n");
  d.says("a1 STARTTLS\r\n");
  d.server("a1 OK begin\r\n");
  TlsFacts facts;
  facts.established = true;
  d.client.secured(facts, d.now);
  d.says("a2 CAPABILITY\r\n");
  d.server("* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na2 OK done\r\n");
  d.says("");
  d.tells({"greeting ready", "ready"});
  d.client.logout();
  d.says("a3 LOGOUT\r\n");
  d.server("* BYE\r\na3 OK done\r\n");
  EXPECT_TRUE(d.sink.end.clean);
}

TEST(ImapBringUp, WhoRefusedTheLoginIsTold) {
  ImapDialogue refused;
  refused.open();
  refused.server("* OK [CAPABILITY IMAP4rev1] ready\r\n");
  refused.server("a1 NO [AUTHENTICATIONFAILED] wrong password\r\n");
  EXPECT_TRUE(refused.sink.end.login_refused);
  ImapDialogue disabled;
  disabled.open();
  disabled.server("* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] ready\r\n");
  EXPECT_EQ(disabled.sink.ends, 1);
  EXPECT_FALSE(disabled.sink.end.login_refused) << "it was not asked";
}

TEST(ImapBringUp, BytesBehindTheStarttlsReplyAreNeverParsed) {
  ImapDialogue d(starttls());
  d.open();
  d.server("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n");
  d.said();
  d.sink.events.clear();
  d.server("a1 OK begin\r\n* CAPABILITY IMAP4rev1 INJECTED\r\n");
  d.tells({"deviation tls.bytes-behind-starttls"});
  d.server("* BYE injected\r\n");
  d.tells({"deviation tls.bytes-behind-starttls"});
  TlsFacts facts;
  facts.established = true;
  facts.early_bytes = 12;
  d.client.secured(facts, d.now);
  d.tells({"deviation tls.bytes-behind-starttls"});
  EXPECT_FALSE(d.client.has("INJECTED"));
  d.says("a2 CAPABILITY\r\n");
}

TEST(ImapBringUp, ImplicitTlsComesFirst) {
  ClientConfig config = ImapDialogue::plain();
  config.endpoint.tls = TlsMode::implicit;
  ImapDialogue d(config);
  TlsFacts facts;
  facts.established = true;
  d.client.secured(facts, d.now);
  d.open();
  d.server("* OK [CAPABILITY IMAP4rev1] ready\r\n");
  d.says("a1 LOGIN user0001 \"***\"\r\n");
}

TEST(ImapBringUp, TlsThatFailsEndsTheSession) {
  ClientConfig config = ImapDialogue::plain();
  config.endpoint.tls = TlsMode::implicit;
  ImapDialogue d(config);
  TlsFacts facts;
  facts.error = "certificate has expired";
  d.client.secured(facts, d.now);
  d.tells({"ended " + std::string(name(EndReason::tls_failed)) + ": TLS: certificate has expired"});
  EXPECT_EQ(d.sink.end.reason, EndReason::tls_failed);
  d.client.ended(EndReason::tls_failed, "", d.now);
  EXPECT_EQ(d.sink.ends, 1);
}

TEST(ImapBringUp, PreauthNeedsNoLogin) {
  ImapDialogue d;
  d.open();
  d.server("* PREAUTH [CAPABILITY IMAP4rev1] welcome\r\n");
  d.tells({"greeting welcome", "ready"});
}

TEST(ImapBringUp, PreauthLeavesNoRoomForStarttls) {
  ImapDialogue d(starttls());
  d.open();
  d.server("* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] welcome\r\n");
  EXPECT_EQ(d.sink.ends, 1);
  EXPECT_EQ(d.sink.end.step, "STARTTLS");
  d.says("");
}

TEST(ImapBringUp, AuthenticatesWithAndWithoutInitialResponse) {
  const std::string expected = base64(std::string_view("\0user0001\0pass word", 19));
  for (const bool initial : {true, false}) {
    ImapDialogue d(with_mechanism("PLAIN"));
    d.open();
    d.server(fmt::format("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN{}] ready\r\n", initial ? " SASL-IR" : ""));
    if (initial) {
      d.says("a1 AUTHENTICATE PLAIN ***\r\n");
    } else {
      d.says("a1 AUTHENTICATE PLAIN\r\n");
      d.server("+ \r\n");
      ASSERT_EQ(d.client.output().size(), 2U);
      EXPECT_EQ(as_text(d.client.output()[0].bytes), expected);
      EXPECT_TRUE(d.client.output()[0].secret);
      d.says("***\r\n");
    }
    d.server("a1 OK [CAPABILITY IMAP4rev1] in\r\n");
    EXPECT_TRUE(d.client.ready());
  }
}

// The best mechanism offered is SCRAM; the other side is the one a server uses.
TEST(ImapBringUp, ProvesItselfByScram) {
  for (const bool honest : {true, false}) {
    ImapDialogue d(with_mechanism(""));
    sasl::ServerFacts facts;
    facts.password_of = [](std::string_view) { return Secret("pass word"); };
    facts.nonce = "3rfcNHYJY1ZVvWVs7j";
    facts.salt = "salt of the earth";
    facts.iterations = 64;
    const auto server = sasl::make_server(sasl::Mechanism::scram_sha_256, facts);
    d.open();
    d.server("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=SCRAM-SHA-256] ready\r\n");
    d.says("a1 AUTHENTICATE SCRAM-SHA-256\r\n");
    std::string challenge = server->challenge();
    bool success = false;
    for (int turns = 0; turns < 3 && !success; ++turns) {
      d.server(fmt::format("+ {}\r\n", base64(challenge)));
      if (d.client.output().empty()) break;
      std::string line;
      for (const Output& piece : d.client.output()) line += as_text(piece.bytes);
      d.said();
      ASSERT_GE(line.size(), 2U);
      const auto step = server->step(unbase64(line.substr(0, line.size() - 2)).value());
      challenge = step.data;
      success = step.kind == sasl::Step::Kind::success;
      ASSERT_NE(step.kind, sasl::Step::Kind::failure) << step.data;
      if (!honest) break;
    }
    d.server("a1 OK [CAPABILITY IMAP4rev1] in\r\n");
    if (honest) {
      EXPECT_TRUE(d.client.ready());
    } else {
      EXPECT_EQ(d.sink.ends, 1) << "a server that never proves that it knows the password";
      EXPECT_TRUE(d.sink.end.broken);
      EXPECT_EQ(d.sink.end.step, "AUTHENTICATE");
    }
  }
}

TEST(ImapBringUp, RefusesToLogInWhereThatIsDisabled) {
  ImapDialogue d;
  d.open();
  d.server("* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] ready\r\n");
  d.says("");
  EXPECT_EQ(d.sink.ends, 1);
  EXPECT_THAT(d.sink.end.message(), HasSubstr("LOGINDISABLED"));
}

TEST(ImapBringUp, AWrongPasswordIsToldAsTheServerTellsIt) {
  ImapDialogue d;
  d.open();
  d.server("* OK [CAPABILITY IMAP4rev1] ready\r\n");
  d.said();
  d.server("a1 NO [AUTHENTICATIONFAILED] Authentication failed.\r\n");
  EXPECT_EQ(d.sink.end.why,
            "the server refused the login of user0001: NO [AUTHENTICATIONFAILED] Authentication failed.");
  EXPECT_EQ(d.sink.end.step, "LOGIN");
  EXPECT_FALSE(d.sink.end.broken);
  EXPECT_EQ(d.client.wants(), Wants::close);
  EXPECT_EQ(d.sink.end.message().find("pass word"), std::string::npos);
}

/// The whole bring-up with STARTTLS, as far as `steps` server turns.
struct Turn {
  std::string_view server;
  std::string_view step;  ///< what is awaited then
};
constexpr Turn turns[] = {
    {"* OK ready\r\n", "greeting"},  {"* CAPABILITY IMAP4rev1 STARTTLS\r\na1 OK done\r\n", "CAPABILITY"},
    {"a2 OK begin\r\n", "STARTTLS"}, {"* CAPABILITY IMAP4rev1\r\na3 OK done\r\n", "CAPABILITY"},
    {"a4 OK in\r\n", "LOGIN"},       {"* CAPABILITY IMAP4rev1\r\na5 OK done\r\n", "CAPABILITY"},
};
void play(ImapDialogue& d, std::size_t steps) {
  d.open();
  for (std::size_t i = 0; i < steps; ++i) {
    d.said();
    d.server(turns[i].server);
    if (d.client.wants() != Wants::start_tls) continue;
    TlsFacts facts;
    facts.established = true;
    d.client.secured(facts, d.now);
  }
  d.said();
}

void expect_end(const ImapDialogue& d, std::string_view step) {
  EXPECT_EQ(d.sink.ends, 1);
  EXPECT_EQ(d.sink.end.step, step);
  EXPECT_FALSE(d.sink.end.why.empty());
  EXPECT_FALSE(d.sink.end.ready);
  EXPECT_EQ(d.sink.end.where, "imap 127.0.0.1:143");
}

TEST(ImapBringUp, EveryStepMayEndInTimeout) {
  for (std::size_t i = 0; i < std::size(turns); ++i) {
    ImapDialogue d(starttls());
    play(d, i);
    d.pass(9s);
    EXPECT_EQ(d.sink.ends, 0);
    d.server("* OK s");  // A trickle is no progress here.
    d.pass(2s);
    expect_end(d, turns[i].step);
    EXPECT_EQ(d.sink.end.reason, EndReason::timeout);
    EXPECT_THAT(d.sink.end.why, HasSubstr("within 10s"));
  }
}

TEST(ImapBringUp, EveryStepMayEndInAClosedConnection) {
  for (std::size_t i = 0; i < std::size(turns); ++i) {
    ImapDialogue d(starttls());
    play(d, i);
    d.client.ended(EndReason::reset, "", d.now);
    expect_end(d, turns[i].step);
    EXPECT_EQ(d.sink.end.reason, EndReason::reset);
    d.client.ended(EndReason::reset, "", d.now);
    d.server("* OK late\r\n");
    EXPECT_EQ(d.sink.ends, 1);
  }
}

TEST(ImapBringUp, EveryStepMayBeRefused) {
  for (const char* word : {"NO", "BAD"}) {
    for (std::size_t i = 0; i < std::size(turns); ++i) {
      ImapDialogue d(starttls());
      play(d, i);
      d.server(i == 0 ? fmt::format("* {} go away\r\n", word) : fmt::format("a{} {} go away\r\n", i, word));
      expect_end(d, turns[i].step);
      EXPECT_EQ(d.client.wants(), Wants::close);
      d.says("");
    }
  }
}

TEST(ImapBringUp, EveryStepMayMeetGarbage) {
  for (const char* garbage : {"HTTP/1.1 400 Bad Request\r\n", "\r\n", "220 mail.example.test ESMTP\r\n",
                              "\x16\x03\x01\r\n", "* 1 FETCH (\r\n"}) {
    for (std::size_t i = 0; i < std::size(turns); ++i) {
      ImapDialogue d(starttls());
      play(d, i);
      d.server(garbage);
      expect_end(d, turns[i].step);
      EXPECT_TRUE(d.sink.end.broken);
    }
  }
}

TEST(ImapBringUp, ByeAtTheGreetingIsARefusal) {
  ImapDialogue d;
  d.open();
  d.server("* BYE too many connections\r\n");
  EXPECT_EQ(d.sink.end.why, "the server refused the session: too many connections");
}

TEST(ImapBringUp, StarttlsThatIsNotOffered) {
  ImapDialogue d(starttls());
  d.open();
  d.server("* OK [CAPABILITY IMAP4rev1] ready\r\n");
  d.says("");
  expect_end(d, "STARTTLS");
}

TEST(ImapBringUp, NeverConnected) {
  ImapDialogue d;
  d.client.ended(EndReason::refused, "connection refused", d.now);
  EXPECT_EQ(d.sink.end.message(), "imap 127.0.0.1:143: connect: connection refused");
}

}  // namespace
}  // namespace mailproof::session
