#include "net/connection.h"
#include "net/reactor.h"
#include "net/tests/raw.h"
#include "net/tests/world.h"

namespace mailproof::net {
namespace {

class LinkTest : public World {};

TEST_F(LinkTest, BytesGoBothWaysInTheOrderOfCallsThatPeersArePromised) {
  server->on_opened = [this] { server->say("* OK mail.example.test ready\r\n"); };
  server->on_feed = [this] {
    if (server->received == "a1 LOGOUT\r\n") {
      server->say("* BYE\r\na1 OK done\r\n");
      server->ask(Wants::close);
    }
  };
  client.on_feed = [this] {
    if (client.received.ends_with("ready\r\n")) client.say("a1 LOGOUT\r\n");
  };
  open();
  EXPECT_EQ(client.calls, "") << "nothing may be called from inside open()";
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.received, "* OK mail.example.test ready\r\n* BYE\r\na1 OK done\r\n");
  EXPECT_EQ(client.calls, "oe");
  EXPECT_EQ(client.reason, EndReason::closed);
  EXPECT_EQ(server->reason, EndReason::dropped);
}

TEST_F(LinkTest, BigOutputPassesThroughFullSocketBuffers) {
  open();
  greet();
  const auto big = std::make_shared<std::string>();
  for (int i = 0; big->size() < 8'000'000; ++i) *big += "line " + std::to_string(i) + "\r\n";
  server->out.body(big);
  server->say("a OK\r\n");
  ASSERT_TRUE(play_until([&] { return client.received.size() >= big->size() + 6; }));
  EXPECT_TRUE(client.received == *big + "a OK\r\n") << "altered on the way";
  EXPECT_GT(server->sends.size(), 1U) << "the socket took all at once: the test shows nothing";
}

TEST_F(LinkTest, WakeFromOutsideIsServedAndNeverReenters) {
  open();
  greet();
  struct Prod final : mailproof::Alarm {
    Actor* actor = nullptr;
    void ring(Time) override {
      actor->say("a NOOP\r\n");
      EXPECT_TRUE(actor->sends.empty()) << "written from inside wake()";
    }
  } prod;
  prod.actor = &client;
  loop.set_alarm(prod, loop.now() + 1ms);
  ASSERT_TRUE(play_until([this] { return server->received == "a NOOP\r\n"; }));
}

TEST_F(LinkTest, DeadlinesOfPeersAreKept) {
  open();
  greet();
  const Time due = loop.now() + 5ms;
  client.due = due;
  Time advanced{};
  client.on_advance = [&] { advanced = loop.now(); };
  client.waker()->wake();
  ASSERT_TRUE(play_until([this] { return client.advances == 1; }));
  EXPECT_GE(advanced, due);
}

TEST_F(LinkTest, ADeadlineThatMovedAwayIsNotRung) {
  open();
  greet();
  client.due = loop.now() + 3ms;
  client.waker()->wake();
  ASSERT_TRUE(play_until([&, first = true]() mutable { return !std::exchange(first, false); }));
  const Time later = loop.now() + 20ms;
  client.due = later;
  client.waker()->wake();
  Time advanced{};
  client.on_advance = [&] { advanced = loop.now(); };
  ASSERT_TRUE(play_until([this] { return client.advances > 0; }));
  EXPECT_GE(advanced, later);
  EXPECT_EQ(client.advances, 1);
}

TEST_F(LinkTest, ADeadlineThatCameNearerIsKept) {
  open();
  greet();
  client.due = loop.now() + 1h;
  client.waker()->wake();
  client.on_sent = [this] { client.due = loop.now() + 1ms; };
  client.say("a1 NOOP\r\n");
  ASSERT_TRUE(play_until([this] { return client.advances == 1; }));
}

TEST_F(LinkTest, RefusedConnectionSaysSo) {
  const DeadPort dead;
  link = loop.open(at(dead.port()), client);
  EXPECT_FALSE(client.over());
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.calls, "e");
  EXPECT_EQ(client.reason, EndReason::refused);
  EXPECT_EQ(client.detail, "connection refused");
}

TEST_F(LinkTest, IPv6) {
  ListenerOptions options;
  options.host = "::1";
  listener = listen(options);
  host = "::1";
  open();
  greet();
  EXPECT_EQ(client.calls, "o");
  EXPECT_EQ(at(143).label(), "imap [::1]:143");
}

TEST_F(LinkTest, AHostIsTriedAddressByAddress) {
  listener = listen();
  const DeadPort dead, dead_too;
  const auto here = [](std::uint16_t port) { return asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), port); };
  for (const bool last_answers : {true, false}) {
    auto route = std::make_shared<Route>();
    route->addresses = {here(dead.port()), here(last_answers ? listener->port() : dead_too.port())};
    Actor device;
    auto connection = std::make_unique<Connection>(loop.reactor(), route, nullptr, Limits{10s, 10s}, device);
    ASSERT_TRUE(play_until([&] { return device.calls == "o" || device.over(); }));
    EXPECT_EQ(device.detail, last_answers ? "" : "connection refused (tried 127.0.0.1 127.0.0.1)");
    connection->abandon();
    loop.reactor().bury(std::move(connection));
  }
}

TEST_F(LinkTest, AHostThatCannotBeFoundEndsThePeer) {
  host = std::string(70, 'x');  // longer than a DNS label may be, so no question leaves this machine
  link = loop.open(at(143), client);
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.reason, EndReason::refused);
  EXPECT_TRUE(client.detail.starts_with("cannot find this host: ")) << client.detail;
}

TEST_F(LinkTest, TheSourceAddressIsTheOneAskedFor) {
  const RawServer raw;
  Endpoint endpoint = at(raw.port());
  endpoint.source = "127.0.0.2";
  link = loop.open(endpoint, client);
  ASSERT_TRUE(play_until([this] { return client.calls == "o"; }));
  sockaddr_in from{};
  const Fd accepted = raw.accept(&from);
  EXPECT_EQ(from.sin_addr.s_addr, inet_addr("127.0.0.2"));
}

TEST_F(LinkTest, ASourceAddressOfTheOtherFamilyReachesNothing) {
  Endpoint endpoint = at(143);
  endpoint.source = "::1";
  link = loop.open(endpoint, client);
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.detail, "no address of this host can be reached from ::1");
  Actor other;
  endpoint.source = "mail.example.test";
  const auto second = loop.open(endpoint, other);
  ASSERT_TRUE(play_until([&] { return other.over(); }));
  EXPECT_EQ(other.detail, "source address \"mail.example.test\" is not an IP address");
}

TEST_F(LinkTest, AResetByTheServerIsAReset) {
  const RawServer raw;
  link = loop.open(at(raw.port()), client);
  ASSERT_TRUE(play_until([this] { return client.calls == "o"; }));
  {
    const Fd accepted = raw.accept();
    set_reset_on_close(accepted.get());
  }
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.reason, EndReason::reset);
}

TEST_F(LinkTest, WhatTheServerSaidBeforeItWentIsHeardThoughWritingFails) {
  const RawServer raw;
  link = loop.open(at(raw.port()), client);
  ASSERT_TRUE(play_until([this] { return client.calls == "o"; }));
  // All within one turn, so that the write fails before epoll can point at what is there to read.
  loop.post([&] {
    Fd accepted = raw.accept();
    raw_send(accepted, "421 4.7.0 too many connections\r\n");
    set_reset_on_close(accepted.get());
    accepted.close();
    client.say("EHLO client.example.test\r\n");
  });
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.received, "421 4.7.0 too many connections\r\n");
  EXPECT_TRUE(client.sends.empty());
  EXPECT_EQ(client.reason, EndReason::reset);
}

TEST_F(LinkTest, AnOrderlyDropIsOrderlyThoughMuchWasLeftUnread) {
  const RawServer raw;
  link = loop.open(at(raw.port()), client);
  ASSERT_TRUE(play_until([this] { return client.calls == "o"; }));
  const Fd accepted = raw.accept();
  loop.post([&] {
    raw_send(accepted, std::string(60'000, 'x'));
    link->drop(false);
  });
  ASSERT_TRUE(play_to_the_end());
  char end = 0;
  EXPECT_EQ(recv(accepted.get(), &end, 1, 0), 0) << errno_text(errno);
}

TEST_F(LinkTest, DropReachesThePeerOnceAndTheServerAsAsked) {
  for (const bool with_reset : {false, true}) {
    server = std::make_shared<Actor>();
    Actor device;
    if (!listener) listener = listen();
    const auto dropped = loop.open(at(listener->port()), device);
    ASSERT_TRUE(play_until([&] { return device.calls == "o" && server->calls == "o"; }));
    dropped->drop(with_reset);
    EXPECT_EQ(device.calls, "o");
    ASSERT_TRUE(play_until([&] { return device.over() && server->over(); }));
    EXPECT_EQ(device.reason, EndReason::dropped);
    EXPECT_EQ(server->reason, with_reset ? EndReason::reset : EndReason::closed);
    dropped->drop(true);
    EXPECT_EQ(device.calls, "oe");
  }
}

TEST_F(LinkTest, DestroyingALinkSaysNothingToThePeer) {
  open();
  greet();
  link.reset();
  EXPECT_EQ(client.waker(), nullptr);
  ASSERT_TRUE(play_until([this] { return server->over(); }));
  EXPECT_EQ(client.calls, "o");
  client.say("into the void");
}

/// A peer may end its own link from inside any call; memory checkers see whether anything is touched afterwards.
TEST_F(LinkTest, ALinkMayBeDestroyedFromInsideEveryCall) {
  listener = listen();
  server->on_opened = [this] { server->say("* OK\r\n"); };
  for (const char where : {'o', 'f', 't', 'a', 'e'}) {
    auto device = std::make_unique<Actor>();
    std::unique_ptr<Link> own;
    bool hit = false;
    const auto vanish = [&] {
      hit = true;
      own.reset();
    };
    device->on_opened = [&, raw = device.get()] {
      raw->due = loop.now() + 1ms;
      raw->say("a NOOP\r\n");
      if (where == 'o') vanish();
      if (where == 'e') own->drop(false);
    };
    if (where == 'f') device->on_feed = vanish;
    if (where == 't') device->on_sent = vanish;
    if (where == 'a') device->on_advance = vanish;
    if (where == 'e') device->on_ended = vanish;
    own = loop.open(at(listener->port()), *device);
    ASSERT_TRUE(play_until([&] { return hit; })) << where;
    device.reset();
    ASSERT_TRUE(play_until([this] { return listener->connections() == 0; })) << where;
  }
}

TEST_F(LinkTest, OneThatFloodsDoesNotStarveTheOthers) {
  const RawServer raw;
  link = loop.open(at(raw.port()), client);
  ASSERT_TRUE(play_until([this] { return client.calls == "o"; }));
  const Fd accepted = raw.accept();
  const std::string flood(256 * 1024, '*');
  Actor other;
  int feeds = 0;
  client.on_feed = [&] {  // there is always more to read
    if (++feeds < 1000) send(accepted.get(), flood.data(), flood.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  };
  const auto second = loop.open(at(raw.port()), other);
  send(accepted.get(), flood.data(), flood.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  ASSERT_TRUE(play_until([&] { return other.calls == "o"; }));
  EXPECT_GT(feeds, 0);
  EXPECT_LT(feeds, 100);
}

class ConnectTimeout : public World {
 protected:
  ConnectTimeout() : World({.tls = {}, .connect_timeout = 50ms, .tls_timeout = 50ms, .start = std::nullopt}) {}
};

TEST_F(ConnectTimeout, AServerWhoseBacklogIsFullTimesOut) {
  const RawServer full(0);
  std::vector<Fd> crowd;
  for (int i = 0; i < 4; ++i) crowd.push_back(raw_connect(full.port(), SOCK_NONBLOCK));
  const Time start = loop.now();
  link = loop.open(at(full.port()), client);
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.reason, EndReason::timeout);
  EXPECT_EQ(client.detail, "no connection within 50ms");
  EXPECT_GE(loop.now() - start, 50ms);
}

TEST_F(ConnectTimeout, ALinkDestroyedWhileItDialsLeavesNothingToWaitFor) {
  const RawServer full(0);
  std::vector<Fd> crowd;
  for (int i = 0; i < 4; ++i) crowd.push_back(raw_connect(full.port(), SOCK_NONBLOCK));
  link = loop.open(at(full.port()), client);
  ASSERT_TRUE(play_until([turns = 0]() mutable { return ++turns > 1; }));  // it dials now
  link.reset();
  EXPECT_FALSE(loop.run([] { return false; }));
  EXPECT_EQ(client.calls, "");
}

TEST_F(ConnectTimeout, AServerThatNeverAnswersTheHandshakeTimesOut) {
  const RawServer silent;
  link = loop.open(at(silent.port(), TlsMode::implicit), client);
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.calls, "se");
  EXPECT_FALSE(client.facts.established);
  EXPECT_EQ(client.reason, EndReason::timeout);
  EXPECT_EQ(client.detail, "no TLS within 50ms");
}

}  // namespace
}  // namespace mailproof::net
