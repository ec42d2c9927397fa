#include <gmock/gmock.h>

#include <numeric>

#include "net/tests/certs.h"
#include "net/tests/raw.h"
#include "net/tests/world.h"

namespace mailproof::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::shared_ptr<TlsContext> certificate(const std::string& name) {
  auto made = TlsContext::server(certs() / (name + ".pem"), certs() / (name + ".key"));
  EXPECT_TRUE(made) << made.error().message();
  return *made;
}

class TlsTest : public World {
 protected:
  explicit TlsTest(LoopOptions options = trusting()) : World(std::move(options)) {}

  void serve(const std::string& name, bool tls_first, const std::string& bind = "127.0.0.1") {
    ListenerOptions options;
    options.host = bind;
    options.tls_first = tls_first;
    options.tls = certificate(name);
    listener = listen(options);
  }
  /// A server and a client that agree on STARTTLS and then talk.
  void script_starttls(const std::string& reply = "a1 OK begin TLS now\r\n") {
    server->on_opened = [this] { server->say("* OK ready\r\n"); };
    server->on_feed = [this, reply] {
      if (server->received.starts_with("a1 STARTTLS\r\n") && server->facts.version.empty()) {
        server->say(reply);
        server->ask(Wants::start_tls);
      }
      if (server->received.ends_with("a2 NOOP\r\n")) server->say("a2 OK NOOP\r\n");
    };
    client.on_feed = [this] {
      if (client.received.ends_with("ready\r\n")) client.say("a1 STARTTLS\r\n");
      if (client.received.find("begin TLS now\r\n") != std::string::npos && client.facts.version.empty())
        client.ask(Wants::start_tls);
    };
    client.on_secured = [this] {
      if (client.facts.established) client.say("a2 NOOP\r\n");
    };
  }
};

TEST_F(TlsTest, ImplicitTlsIsSecuredBeforeItIsOpened) {
  serve("good", true);
  open(TlsMode::implicit);
  greet();
  EXPECT_EQ(client.calls, "so");
  EXPECT_EQ(server->calls, "so");
  EXPECT_TRUE(client.facts.established);
  EXPECT_EQ(client.facts.version, "TLSv1.3");
  EXPECT_FALSE(client.facts.cipher.empty());
  ASSERT_TRUE(client.facts.certificate);
  const Certificate& certificate = *client.facts.certificate;
  EXPECT_TRUE(certificate.verified) << certificate.trouble;
  EXPECT_EQ(certificate.subject, "mailproof good");
  EXPECT_EQ(certificate.issuer, "mailproof test CA");
  EXPECT_THAT(certificate.names, ElementsAre("localhost", "127.0.0.1", "::1"));
  EXPECT_EQ(certificate.valid_until - certificate.valid_from, std::chrono::days(26));
  EXPECT_FALSE(server->facts.certificate) << "we showed none";
  client.say("a1 LOGOUT\r\n");
  server->on_feed = [this] { server->ask(Wants::close); };
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.reason, EndReason::closed);
  EXPECT_EQ(client.detail, "closed by the other end");
}

TEST_F(TlsTest, ByNameAndOverIPv6) {
  serve("good", true, "::1");
  host = "::1";
  open(TlsMode::implicit);
  greet();
  serve("good", true);
  host = "localhost";
  Actor other;
  server = std::make_shared<Actor>();
  const auto second = loop.open(at(listener->port(), TlsMode::implicit), other);
  ASSERT_TRUE(play_until([&] { return other.calls == "so"; })) << other.detail;
}

TEST_F(TlsTest, MegabytesPassUnaltered) {
  serve("good", true);
  open(TlsMode::implicit);
  greet();
  std::string big;
  for (int i = 0; big.size() < 3'000'000; ++i) big += "line " + std::to_string(i) + "\r\n";
  // In pieces of every length, so that records are gathered, split and cut by a full socket.
  for (std::size_t at = 0, n = 1; at < big.size(); at += n, n = n * 7 % 30011 + 1)
    server->out.body(std::make_shared<std::string>(big.substr(at, n)));
  server->say("");
  ASSERT_TRUE(play_until([&] { return client.received.size() >= big.size(); }));
  EXPECT_TRUE(client.received == big);
}

TEST_F(TlsTest, RecordsThatArriveTogetherAreAllDelivered) {
  serve("good", true);
  open(TlsMode::implicit);
  greet();
  int left = 20;
  server->on_sent = [&] {  // each from inside the last write: a record of its own, all before the client reads
    if (--left > 0) server->say("* 1 EXISTS\r\n");
  };
  server->say("* 1 EXISTS\r\n");
  ASSERT_TRUE(play_until([this] { return client.received.size() == 20 * 12; }));
}

TEST_F(TlsTest, AWriteThatWaitsIsFinishedThoughWritesBecomeShorterMeanwhile) {
  serve("good", true);
  open(TlsMode::implicit);
  greet();
  const auto big = std::make_shared<std::string>(12'000'000, 'x');
  client.out.body(big);
  client.say("end\r\n");
  const auto sent = [this] { return std::accumulate(client.sends.begin(), client.sends.end(), std::size_t{0}); };
  std::size_t before = 0;
  ASSERT_TRUE(play_until([&] {  // a turn that ended before its 64 records were gone ended at a full socket
    const std::size_t moved = sent() - std::exchange(before, sent());
    return moved > 0 && moved < 64 * 16384;
  }));
  LinkFaults faults;
  faults.split_writes = 4096;
  link->misbehave(faults);
  ASSERT_TRUE(play_until([&] { return server->received.size() == big->size() + 5 || client.over(); }));
  EXPECT_FALSE(client.over()) << client.detail;
}

TEST_F(TlsTest, Starttls) {
  serve("good", false);
  script_starttls();
  open(TlsMode::starttls);
  ASSERT_TRUE(play_until([this] { return client.received.ends_with("a2 OK NOOP\r\n"); })) << client.detail;
  EXPECT_EQ(client.calls, "os");
  EXPECT_EQ(client.facts.early_bytes, 0U);
  EXPECT_EQ(server->facts.early_bytes, 0U);
}

TEST_F(TlsTest, BytesBehindTheStarttlsReplyAreCountedAndNeverParsed) {
  const RawServer raw;
  link = loop.open(at(raw.port(), TlsMode::starttls), client);
  ASSERT_TRUE(play_until([this] { return client.calls == "o"; }));
  const Fd accepted = raw.accept();
  client.on_feed = [&] {
    raw_send(accepted, "* 666 EXISTS\r\n");  // arrives after the reply was read and before TLS starts
    client.ask(Wants::start_tls);
  };
  raw_send(accepted, "a1 OK begin TLS now\r\n");
  ASSERT_TRUE(play_until([&] { return client.sends.empty() && client.want == Wants::start_tls; }));
  shutdown(accepted.get(), SHUT_RDWR);
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.received, "a1 OK begin TLS now\r\n");
  EXPECT_EQ(client.facts.early_bytes, 14U);
  EXPECT_EQ(client.reason, EndReason::tls_failed);
  EXPECT_EQ(client.detail, "closed during the TLS handshake");
}

TEST_F(TlsTest, CommandsSentBehindStarttlsAreDroppedByTheServer) {
  serve("good", false);
  server->on_opened = [this] { server->say("* OK ready\r\n"); };
  Fd raw = raw_connect(listener->port());
  server->on_feed = [&] {
    raw_send(raw, "a2 LOGIN evil evil\r\n");
    server->say("a1 OK\r\n");
    server->ask(Wants::start_tls);
  };
  raw_send(raw, "a1 STARTTLS\r\n");
  ASSERT_TRUE(play_until([this] { return server->received == "a1 STARTTLS\r\n" && server->out.empty(); }));
  raw.close();
  ASSERT_TRUE(play_until([this] { return server->over(); }));
  EXPECT_EQ(server->facts.early_bytes, 20U);
  EXPECT_EQ(server->received, "a1 STARTTLS\r\n");
}

TEST_F(TlsTest, AServerWithoutCertificateSaysSo) {
  listener = listen();
  script_starttls();
  open(TlsMode::starttls);
  ASSERT_TRUE(play_until([this] { return client.over() && server->over(); }));
  EXPECT_EQ(server->reason, EndReason::tls_failed);
  EXPECT_EQ(client.reason, EndReason::tls_failed);
}

struct BadCertificate {
  std::string name;
  std::string error;
};
class Refused : public TlsTest, public ::testing::WithParamInterface<BadCertificate> {};

TEST_P(Refused, WithTheReason) {
  serve(GetParam().name, true);
  open(TlsMode::implicit);
  ASSERT_TRUE(play_until([this] { return client.over() && server->over(); }));
  EXPECT_EQ(client.calls, "se");
  EXPECT_FALSE(client.facts.established);
  EXPECT_THAT(client.facts.error, MatchesRegex(GetParam().error));
  EXPECT_EQ(client.reason, EndReason::tls_failed);
  EXPECT_EQ(client.detail, "certificate verify failed: " + client.facts.error);
  ASSERT_TRUE(client.facts.certificate);
  EXPECT_FALSE(client.facts.certificate->verified);
  EXPECT_TRUE(client.facts.error.ends_with(" " + client.facts.certificate->trouble));
  EXPECT_EQ(server->reason, EndReason::tls_failed);
}

INSTANTIATE_TEST_SUITE_P(Certificates, Refused,
                         ::testing::Values(BadCertificate{"expired",
                                                          "certificate of 'mailproof expired' .names: localhost, "
                                                          "127.0.0.1, ::1; valid until 2020-02-01. has expired"},
                                           BadCertificate{"wronghost",
                                                          "certificate of 'mailproof wronghost' .names: "
                                                          "mail.elsewhere.test; valid until 20..-..-... does not "
                                                          "match host 127.0.0.1"},
                                           BadCertificate{"selfsigned",
                                                          "certificate of 'mailproof selfsigned' .names: .*; valid "
                                                          "until .*. is not trusted: self-signed certificate"}),
                         [](const auto& param) { return param.param.name; });

TEST_F(TlsTest, TheWrongNameIsRefusedByName) {
  serve("wronghost", true);
  host = "localhost";
  open(TlsMode::implicit);
  ASSERT_TRUE(play_to_the_end());
  EXPECT_THAT(client.facts.error, HasSubstr(" does not match host localhost"));
}

TEST_F(TlsTest, AServerThatSpeaksPlaintextIsNamed) {
  listener = listen();
  server->on_opened = [this] { server->say("* OK plain as day\r\n"); };
  open(TlsMode::implicit);
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.reason, EndReason::tls_failed);
  EXPECT_EQ(client.detail, "TLS handshake failed: the other end does not speak TLS here");
  EXPECT_EQ(client.received, "");
}

TEST_F(TlsTest, CutsCountPlaintext) {
  serve("good", true);
  open(TlsMode::implicit);
  greet();
  LinkFaults faults;
  faults.cut_after_received = 5;
  faults.cut_after_sent = 9;
  faults.split_writes = 4;
  link->misbehave(faults);
  client.say("a1 NOOP\r\na2 NOOP\r\n");
  ASSERT_TRUE(play_until([this] { return client.over() && server->over(); }));
  EXPECT_EQ(server->received, "a1 NOOP\r\n");
  EXPECT_EQ(client.reason, EndReason::dropped);
}

TEST_F(TlsTest, HalfCloseUnderTls) {
  serve("good", true);
  open(TlsMode::implicit);
  greet();
  server->on_feed = [this] { server->say("a1 OK\r\n"); };
  LinkFaults faults;
  faults.half_close = true;
  client.say("a1 NOOP\r\n");
  link->misbehave(faults);
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.received, "a1 OK\r\n");
  EXPECT_EQ(client.reason, EndReason::closed);
}

TEST_F(TlsTest, ALinkMayBeDestroyedInSecured) {
  serve("good", true);
  client.on_secured = [this] { link.reset(); };
  open(TlsMode::implicit);
  ASSERT_TRUE(play_until([this] { return client.calls == "s" && listener->connections() == 0; }));
}

TEST_F(TlsTest, AnEndWithoutCloseNotifyIsTold) {
  serve("good", true);
  open(TlsMode::implicit);
  greet();
  listener.reset();
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.reason, EndReason::closed);
  EXPECT_EQ(client.detail, "closed by the other end without TLS close_notify");
}

class Insecure : public TlsTest {
 protected:
  Insecure()
      : TlsTest([] {
          LoopOptions options;
          options.tls.insecure = true;
          return options;
        }()) {}
};

TEST_F(Insecure, TakesAnyCertificateWhenAskedTo) {
  serve("expired", true);
  open(TlsMode::implicit);
  greet();
  EXPECT_TRUE(client.facts.established);
  ASSERT_TRUE(client.facts.certificate);
  EXPECT_FALSE(client.facts.certificate->verified);
  EXPECT_EQ(client.facts.certificate->trouble, "is not trusted: unable to get local issuer certificate");
}

class SystemStore : public TlsTest {
 protected:
  SystemStore() : TlsTest(LoopOptions()) {}
};

TEST_F(SystemStore, DoesNotKnowOurCa) {
  serve("good", true);
  open(TlsMode::implicit);
  ASSERT_TRUE(play_to_the_end());
  EXPECT_THAT(client.facts.error, HasSubstr(" is not trusted: unable to get local issuer certificate"));
}

class OtherName : public TlsTest {
 protected:
  OtherName()
      : TlsTest([] {
          LoopOptions options = trusting();
          options.tls.server_name = "mail.elsewhere.test";
          return options;
        }()) {}
};

TEST_F(OtherName, IsVerifiedInsteadOfTheHost) {
  serve("wronghost", true);
  open(TlsMode::implicit);
  greet();
  EXPECT_TRUE(client.facts.established);
}

class MissingCa : public TlsTest {
 protected:
  MissingCa()
      : TlsTest([] {
          LoopOptions options;
          options.tls.ca_file = "/nonexistent/ca.pem";
          return options;
        }()) {}
};

TEST_F(MissingCa, EndsThePeerWithTheFilesName) {
  serve("good", true);
  open(TlsMode::implicit);
  ASSERT_TRUE(play_to_the_end());
  EXPECT_TRUE(client.detail.starts_with("/nonexistent/ca.pem: cannot use these CA certificates")) << client.detail;
  EXPECT_EQ(client.calls, "e");
}

TEST(TlsContextTest, NamesTheFileItCannotUse) {
  const auto made = TlsContext::server("/nonexistent/mail.pem", "/nonexistent/mail.key");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().where, "/nonexistent/mail.pem");
  EXPECT_EQ(made.error().why, "cannot use this certificate: no such file or directory");
}

}  // namespace
}  // namespace mailproof::net
