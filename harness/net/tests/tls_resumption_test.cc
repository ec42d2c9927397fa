#include <gtest/gtest.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <array>
#include <thread>

#include "net/tests/certs.h"
#include "net/tests/raw.h"
#include "net/tests/world.h"
#include "net/tls_sessions.h"

// A client whose TLS takes up sessions, against a plain OpenSSL server that gives and takes them.

namespace mailproof::net {
namespace {

/// OpenSSL as a server has it without us: one connection at a time, a line to each.
class OpensslServer {
 public:
  explicit OpensslServer(int version, const std::string& certificate = "good")
      : context_(SSL_CTX_new(TLS_server_method())) {
    SSL_CTX_set_min_proto_version(context_, version);
    SSL_CTX_set_max_proto_version(context_, version);
    SSL_CTX_use_certificate_chain_file(context_, (certs() / (certificate + ".pem")).c_str());
    SSL_CTX_use_PrivateKey_file(context_, (certs() / (certificate + ".key")).c_str(), SSL_FILETYPE_PEM);
    constexpr std::array<unsigned char, 4> id{'t', 'e', 's', 't'};
    SSL_CTX_set_session_id_context(context_, id.data(), id.size());
  }
  ~OpensslServer() {
    if (thread_.joinable()) thread_.join();
    SSL_CTX_free(context_);
  }
  std::uint16_t port() const { return raw_.port(); }
  void without_tickets() { SSL_CTX_set_options(context_, SSL_OP_NO_TICKET); }
  /// As after a restart: it reads no ticket of before.
  void forget() {
    std::array<unsigned char, 80> keys{};
    ASSERT_EQ(RAND_bytes(keys.data(), keys.size()), 1);
    ASSERT_EQ(SSL_CTX_set_tlsext_ticket_keys(context_, keys.data(), keys.size()), 1);
    SSL_CTX_flush_sessions(context_, 0x7fffffff);
  }
  void serve_one() {
    if (thread_.joinable()) thread_.join();
    thread_ = std::thread([this] {
      Fd fd = raw_.accept();
      SSL* ssl = SSL_new(context_);
      SSL_set_fd(ssl, fd.get());
      if (SSL_accept(ssl) == 1) {
        resumed = SSL_session_reused(ssl) == 1;
        SSL_write(ssl, "* OK ready\r\n", 12);
        std::array<char, 64> in{};
        while (SSL_read(ssl, in.data(), in.size()) > 0) continue;
        SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);  // else OpenSSL forgets the session
      }
      SSL_free(ssl);
    });
  }
  bool resumed = false;  ///< the newest, as the server sees it

 private:
  RawServer raw_;
  SSL_CTX* context_;
  std::thread thread_;
};

class TlsResumption : public World {
 protected:
  explicit TlsResumption(LoopOptions options = trusting()) : World(std::move(options)) {}

  /// One connection of this client, from the hello to the greeting; how it ends is the caller's.
  const TlsFacts& connect(OpensslServer& to, std::optional<std::uint64_t> who, bool break_off = false) {
    to.serve_one();
    actor_ = std::make_unique<Actor>();
    auto connection = loop.open(at(to.port(), TlsMode::implicit), *actor_);
    if (who) connection->resume_as(*who);
    EXPECT_TRUE(play_until([this] { return actor_->over() || !actor_->received.empty(); }));
    facts_ = actor_->facts;
    if (!break_off) {
      actor_->ask(Wants::close);
      EXPECT_TRUE(play_until([this] { return actor_->over(); }));
    }
    return facts_;
  }

 private:
  std::unique_ptr<Actor> actor_;
  TlsFacts facts_;
};

class EachVersion : public TlsResumption, public ::testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Tls, EachVersion, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& one) { return one.param == TLS1_2_VERSION ? "of12" : "of13"; });

TEST_P(EachVersion, TheSecondHandshakeOfAClientIsToldAsResumed) {
  OpensslServer to(GetParam());
  const TlsFacts first = connect(to, 1);
  EXPECT_TRUE(first.established);
  EXPECT_FALSE(first.resumed);
  EXPECT_GT(first.took, Duration{});
  for (int again = 0; again < 4; ++again) {
    const TlsFacts next = connect(to, 1);
    EXPECT_TRUE(next.established) << again;
    EXPECT_TRUE(next.resumed) << again;
    EXPECT_TRUE(to.resumed) << again;
    EXPECT_EQ(next.version, first.version);
    ASSERT_TRUE(next.certificate);
    EXPECT_EQ(next.certificate->label(), first.certificate->label());
    EXPECT_TRUE(next.certificate->verified);
  }
}

TEST_P(EachVersion, WhoDoesNotSayThatHeResumesDoesNot) {
  OpensslServer to(GetParam());
  connect(to, std::nullopt);
  EXPECT_FALSE(connect(to, std::nullopt).resumed);
  EXPECT_FALSE(to.resumed);
}

TEST_P(EachVersion, NoClientOffersWhatAnotherWasGiven) {
  OpensslServer to(GetParam());
  connect(to, 1);
  EXPECT_FALSE(connect(to, 2).resumed);
  EXPECT_TRUE(connect(to, 1).resumed);
}

TEST_P(EachVersion, NorToAnotherEndpoint) {
  OpensslServer to(GetParam()), other(GetParam());
  connect(to, 1);
  EXPECT_FALSE(connect(other, 1).resumed);
  EXPECT_FALSE(other.resumed);
}

TEST_P(EachVersion, ATicketThatTheServerRefusesMakesAFullHandshake) {
  OpensslServer to(GetParam());
  connect(to, 1);
  to.forget();
  const TlsFacts next = connect(to, 1);
  EXPECT_TRUE(next.established);
  EXPECT_FALSE(next.resumed);
  EXPECT_FALSE(to.resumed);
  ASSERT_TRUE(next.certificate);
  EXPECT_TRUE(next.certificate->verified);
  EXPECT_TRUE(connect(to, 1).resumed) << "what the full one gave is good again";
}

/// Mail clients break off all the time; RFC 5246 section 7.2.1 lets them resume all the same.
TEST_P(EachVersion, OfAConnectionThatBrokeOffTheSessionIsGoodStill) {
  OpensslServer to(GetParam());
  connect(to, 1, true);
  EXPECT_TRUE(connect(to, 1, true).resumed);
  EXPECT_TRUE(connect(to, 1).resumed);
}

TEST_F(TlsResumption, OfTls12AlsoByIdentifierWithoutATicket) {
  OpensslServer to(TLS1_2_VERSION);
  to.without_tickets();
  connect(to, 1);
  EXPECT_TRUE(connect(to, 1).resumed);
  EXPECT_TRUE(to.resumed);
}

TEST_F(TlsResumption, ACertificateThatIsRefusedIsRefusedAgain) {
  OpensslServer to(TLS1_3_VERSION, "expired");
  for (int i = 0; i < 2; ++i) {
    const TlsFacts facts = connect(to, 1, true);
    EXPECT_FALSE(facts.established);
    EXPECT_FALSE(facts.resumed);
    EXPECT_NE(facts.error.find("has expired"), std::string::npos) << facts.error;
  }
}

class InsecureResumption : public TlsResumption {
 protected:
  InsecureResumption() : TlsResumption(trusting(true)) {}
};

TEST_F(InsecureResumption, WhatIsWrongWithTheCertificateIsStillSaid) {
  OpensslServer to(TLS1_3_VERSION, "expired");
  const TlsFacts first = connect(to, 1), next = connect(to, 1);
  EXPECT_TRUE(next.resumed);
  ASSERT_TRUE(next.certificate);
  EXPECT_FALSE(next.certificate->verified);
  EXPECT_EQ(next.certificate->trouble, first.certificate->trouble);
}

TlsSessions::Session made_session(int version) {
  TlsSessions::Session out(SSL_SESSION_new());
  SSL_SESSION_set_protocol_version(out.get(), version);
  return out;
}

TEST(TlsSessions, AreTheNewestOfEachClientAndNeverTooMany) {
  TlsSessions all(8);
  const int way = 0, other = 0;
  all.keep({&way, 1}, made_session(TLS1_3_VERSION));
  auto second = made_session(TLS1_3_VERSION), third = made_session(TLS1_3_VERSION);
  const SSL_SESSION *newest = third.get(), *before = second.get();
  all.keep({&way, 1}, std::move(second));
  all.keep({&way, 1}, std::move(third));
  EXPECT_EQ(all.size(), TlsSessions::kOfOne);
  EXPECT_EQ(all.take({&other, 1}), nullptr);
  EXPECT_EQ(all.take({&way, 2}), nullptr);
  EXPECT_EQ(all.take({&way, 1}).get(), newest);
  EXPECT_EQ(all.take({&way, 1}).get(), before) << "each ticket of TLS 1.3 once";
  EXPECT_EQ(all.take({&way, 1}), nullptr);
  for (std::uint64_t client = 0; client < 10; ++client) all.keep({&way, client}, made_session(TLS1_2_VERSION));
  EXPECT_EQ(all.size(), 8U);
  EXPECT_EQ(all.take({&way, 9}), nullptr) << "those that are there stay, else nobody would find his own";
  EXPECT_NE(all.take({&way, 0}), nullptr);
  EXPECT_NE(all.take({&way, 0}), nullptr) << "a session of TLS 1.2 may be taken up again and again";
  all.keep({&way, 0}, made_session(TLS1_2_VERSION));
  EXPECT_EQ(all.size(), 8U) << "its own goes for it";
}

}  // namespace
}  // namespace mailproof::net
