#include "net/self_signed.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "net/tests/world.h"

namespace mailproof::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A certificate and its key in files, as the built-in server hands them to OpenSSL.
struct Files {
  Files() {
    static int made = 0;
    const std::string stem = std::filesystem::temp_directory_path() /
                             ("mailproof-self-signed-" + std::to_string(getpid()) + "-" + std::to_string(++made));
    certificate = stem + ".pem";
    key = stem + ".key";
    const auto pair = make_self_signed();
    EXPECT_TRUE(pair) << pair.error().message();
    std::ofstream(certificate) << pair->certificate;
    std::ofstream(key) << pair->key;
  }
  ~Files() {
    std::filesystem::remove(certificate);
    std::filesystem::remove(key);
  }
  std::string certificate, key;
};

const Files& own() {
  static const Files files;
  return files;
}

LoopOptions trusting(const std::string& certificate) {
  LoopOptions options;
  options.tls.ca_file = certificate;
  return options;
}

class SelfSignedTest : public World {
 protected:
  explicit SelfSignedTest(LoopOptions options = trusting(own().certificate)) : World(std::move(options)) {
    auto context = TlsContext::server(own().certificate, own().key);
    EXPECT_TRUE(context) << context.error().message();
    tls = *context;
  }
  void connect(const std::string& bind, const std::string& name) {
    ListenerOptions options;
    options.host = bind;
    options.tls_first = true;
    options.tls = tls;
    listener = listen(options);
    host = name;
    open(TlsMode::implicit);
  }
  std::shared_ptr<TlsContext> tls;
};

class SelfSignedNameTest : public SelfSignedTest,
                           public ::testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(SelfSignedNameTest, ItIsItsOwnAuthority) {
  connect(GetParam().first, GetParam().second);
  greet();
  ASSERT_TRUE(client.facts.certificate);
  EXPECT_TRUE(client.facts.certificate->verified) << client.facts.certificate->trouble;
  EXPECT_EQ(client.calls, "so");
}

INSTANTIATE_TEST_SUITE_P(Names, SelfSignedNameTest,
                         ::testing::Values(std::pair("127.0.0.1", "127.0.0.1"), std::pair("127.0.0.1", "localhost"),
                                           std::pair("::1", "::1")));

TEST_F(SelfSignedTest, SaysWhoItIsAndForHowLong) {
  connect("127.0.0.1", "127.0.0.1");
  greet();
  ASSERT_TRUE(client.facts.certificate);
  const Certificate& shown = *client.facts.certificate;
  EXPECT_EQ(shown.subject, "mailproof reference server");
  EXPECT_EQ(shown.issuer, shown.subject);
  EXPECT_THAT(shown.names, ElementsAre("localhost", "127.0.0.1", "::1"));
  EXPECT_EQ(shown.valid_until - shown.valid_from, std::chrono::hours(25));
}

TEST_F(SelfSignedTest, ForAnotherAddressOfThisMachineItIsRefused) {
  connect("127.0.0.2", "127.0.0.2");
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.reason, EndReason::tls_failed);
  EXPECT_THAT(client.detail, HasSubstr("127.0.0.2"));
}

class StrangersCertificateTest : public SelfSignedTest {
 protected:
  StrangersCertificateTest() : SelfSignedTest(trusting(stranger().certificate)) {}
  static const Files& stranger() {
    static const Files files;
    return files;
  }
};

TEST_F(StrangersCertificateTest, TwoHaveDifferentKeys) {
  connect("127.0.0.1", "127.0.0.1");
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.reason, EndReason::tls_failed);
  EXPECT_FALSE(client.facts.established);
}

}  // namespace
}  // namespace mailproof::net
