#include <fmt/format.h>
#include <sys/resource.h>

#include "net/tests/raw.h"
#include "net/tests/world.h"

namespace mailproof::net {
namespace {

class ListenerTest : public World {};

/// Takes the descriptors away: none beyond those open now.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const Fd probe(dup(0));
    rlimit now = before_;
    now.rlim_cur = static_cast<rlim_t>(probe.get());
    setrlimit(RLIMIT_NOFILE, &now);
  }
  ~NoDescriptors() { give_back(); }
  void give_back() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(ListenerTest, OutOfDescriptorsIsReportedOnceAPauseAndDoesNotSpin) {
  std::vector<std::string> troubles;
  std::vector<Time> times;
  auto made = Listener::listen(
      loop, {}, [this](bool) { return std::make_unique<Lent>(server); },
      [&](const Error& error) {
        troubles.push_back(error.message());
        times.push_back(loop.now());
      });
  ASSERT_TRUE(made);
  listener = std::move(*made);
  link = loop.open(at(listener->port()), client);
  ASSERT_TRUE(play_until([&, turns = 0]() mutable { return ++turns > 1; }));  // the socket exists, nobody has accepted
  NoDescriptors none;
  int turns = 0;
  ASSERT_TRUE(play_until([&] { return ++turns, !troubles.empty() || server->calls == "o"; }));
  if (troubles.empty()) GTEST_SKIP() << "accepted before the descriptors were taken away";
  ASSERT_TRUE(play_until([&] { return ++turns, troubles.size() == 2; }));
  EXPECT_LT(turns, 20);
  EXPECT_GE(times[1] - times[0], 100ms);
  EXPECT_EQ(troubles[0], fmt::format("127.0.0.1:{}: cannot accept: too many open files", listener->port()));
  none.give_back();
  ASSERT_TRUE(play_until([this] { return server->calls == "o"; }));
}

TEST_F(ListenerTest, AClientOutOfDescriptorsEndsItsPeer) {
  const DeadPort dead;
  link = loop.open(at(dead.port()), client);
  ASSERT_TRUE(play_to_the_end());  // first with descriptors: UBSan needs some itself the first time it sees a type
  EXPECT_EQ(client.detail, "connection refused");
  NoDescriptors none;
  client.reason = EndReason::none;
  link = loop.open(at(dead.port()), client);
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.reason, EndReason::refused);
  EXPECT_EQ(client.detail, "too many open files");
}

TEST_F(ListenerTest, TwoCannotHaveOnePort) {
  listener = listen();
  ListenerOptions options;
  options.port = listener->port();
  const auto second = Listener::listen(loop, options, [](bool) { return nullptr; });
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message(), fmt::format("127.0.0.1:{}: cannot bind: address already in use", options.port));
}

TEST_F(ListenerTest, MayBeDestroyedFromInsideItsOwnPeer) {
  open();
  greet();
  server->on_feed = [this] { listener.reset(); };
  client.say("a1 NOOP\r\n");
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(server->calls, "o");
  EXPECT_EQ(client.reason, EndReason::closed);
}

TEST_F(ListenerTest, ANullPeerRefusesTheConnection) {
  auto made = Listener::listen(loop, {}, [](bool) { return nullptr; });
  listener = std::move(*made);
  open();
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.calls, "oe");
}

TEST_F(ListenerTest, ThousandConnectionsAtOnce) {
  auto made = Listener::listen(loop, {}, [](bool) {
    auto echo = std::make_unique<Actor>();
    echo->on_feed = [raw = echo.get()] { raw->say(std::exchange(raw->received, "")); };
    return echo;
  });
  listener = std::move(*made);
  std::vector<std::unique_ptr<Actor>> devices;
  std::vector<std::unique_ptr<Link>> links;
  int answered = 0;
  for (int i = 0; i < 1000; ++i) {
    auto& device = *devices.emplace_back(std::make_unique<Actor>());
    const std::string line = fmt::format("a{} NOOP\r\n", i);
    device.on_opened = [&device, line] { device.say(line); };
    device.on_feed = [&device, &answered, line] { answered += device.received == line; };
    links.push_back(loop.open(at(listener->port()), device));
  }
  ASSERT_TRUE(play_until([&] { return answered == 1000; }));
  EXPECT_EQ(listener->connections(), 1000U);
  links.clear();
  ASSERT_TRUE(play_until([this] { return listener->connections() == 0; }));
}

}  // namespace
}  // namespace mailproof::net
