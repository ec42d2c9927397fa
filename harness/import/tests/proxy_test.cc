// Who stands between a client and a server ends a session when it is over, and not before.
#include "import/record/proxy.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "net/fd.h"
#include "net/tests/raw.h"

namespace mailproof::imports {
namespace {

using net::Fd;

class ProxyTest : public testing::Test {
 protected:
  void open(Duration lingering) {
    Passage passage;
    passage.upstream.protocol = Protocol::pop3;
    passage.upstream.host = "127.0.0.1";
    passage.upstream.port = upstream.port();
    passage.lingering = lingering;
    auto made = Proxy::open(loop, recording, std::move(passage));
    ASSERT_TRUE(made);
    proxy = std::move(*made);
    client = net::raw_connect(proxy->port());
    // The backlog has the proxy's connection once it has accepted the client.
    pause(50ms);
    server = upstream.accept();
    net::raw_send(server, "+OK hello\r\n");
    for (const char* line : {"USER alice\r\n", "PASS x\r\n"}) {
      pause(20ms);
      net::raw_send(client, line);
      pause(20ms);
      net::raw_send(server, "+OK\r\n");
    }
    pause(50ms);
    char got[64] = {};
    ASSERT_EQ(recv(server.get(), got, sizeof got, MSG_DONTWAIT), 20);
  }

  void pause(Duration duration) {
    const Time until = loop.now() + duration;
    struct Bell final : Alarm {
      void ring(Time) override {}
    } bell;
    loop.set_alarm(bell, until);
    loop.run([&] { return loop.now() >= until; });
    loop.set_alarm(bell, std::nullopt);
  }

  std::string ended() const {
    for (const auto& e : recording.history.events())
      if (e.what == history::What::end) return e.code;
    return "";
  }

  net::RawServer upstream;
  net::Loop loop;
  Recording recording{history::HistoryInfo{}};
  std::unique_ptr<Proxy> proxy;
  Fd client, server;
};

TEST_F(ProxyTest, ASessionThatTheServerEndedIsOverAlthoughItsClientNeverCloses) {
  open(200ms);
  server = Fd();
  pause(100ms);
  EXPECT_EQ(ended(), "");
  pause(400ms);
  EXPECT_EQ(ended(), "closed");
}

TEST_F(ProxyTest, WhoStillSendsIsHeard) {
  open(300ms);
  shutdown(server.get(), SHUT_WR);
  for (int i = 0; i < 5; ++i) {
    net::raw_send(client, "NOOP\r\n");
    pause(150ms);
  }
  EXPECT_EQ(ended(), "");
  char got[64] = {};
  EXPECT_EQ(recv(server.get(), got, sizeof got, MSG_DONTWAIT), 30);
  pause(500ms);
  EXPECT_EQ(ended(), "closed");
}

}  // namespace
}  // namespace mailproof::imports
