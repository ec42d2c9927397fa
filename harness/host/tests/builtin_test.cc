#include "host/builtin.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "net/fd.h"

namespace mailproof::host {
namespace {

using testing::HasSubstr;

/// A client that says what it is told to, and waits.
class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(port);
    EXPECT_EQ(connect(fd_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  }
  void say(const std::string& text) {
    EXPECT_EQ(send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  /// What came until `end` did, or the other end closed.
  std::string until(const std::string& end) {
    std::string got;
    char some[4096];
    while (got.find(end) == std::string::npos) {
      const ssize_t n = recv(fd_.get(), some, sizeof some, 0);
      if (n <= 0) break;
      got.append(some, static_cast<std::size_t>(n));
    }
    return got;
  }

 private:
  net::Fd fd_;
};

std::unique_ptr<HostedServer> serving(Duration service) {
  BuiltinOptions options;
  options.users = 2;
  options.small = 0;
  auto started = HostedServer::start(builtin_server(options, builtin_pool(options)), "127.0.0.1",
                                     {{Protocol::imap}, {Protocol::pop3}}, "", "", service);
  EXPECT_TRUE(started) << (started ? "" : started.error().why);
  (*started)->serve_in_background();
  return std::move(*started);
}

/// A server that is ended by SIGTERM has sessions still: they go while all that they reach for is there.
TEST(HostedServer, GoesWithSessionsThatAreInTheMiddleOfSomething) {
  for (const Duration service : {Duration{}, Duration(std::chrono::milliseconds(20))}) {
    auto server = serving(service);
    Client idle(server->endpoints()[0].port), selected(server->endpoints()[0].port),
        maildrop(server->endpoints()[1].port);
    for (Client* client : {&idle, &selected}) {
      client->say("a LOGIN user0001 pass\r\n");
      EXPECT_THAT(client->until("a OK"), HasSubstr("a OK"));
      client->say("b SELECT INBOX\r\n");
      EXPECT_THAT(client->until("b OK"), HasSubstr("b OK"));
    }
    idle.say("c IDLE\r\n");
    EXPECT_THAT(idle.until("+ "), HasSubstr("+ "));
    maildrop.say("USER user0002\r\n");
    maildrop.until("\r\n");
    maildrop.say("PASS pass\r\n");
    maildrop.until("\r\n");
    selected.say("c NOOP\r\nd NOOP\r\ne APPEND INBOX {5}\r\n");  // of which a slow server has looked at none yet
    server.reset();
    EXPECT_EQ(idle.until("never").find("c OK"), std::string::npos) << "closed, and not by DONE";
  }
}

}  // namespace
}  // namespace mailproof::host
