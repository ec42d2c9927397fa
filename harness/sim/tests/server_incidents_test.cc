#include <gtest/gtest.h>

#include <memory>

#include "core/outbox.h"
#include "sim/sim_network.h"

namespace mailproof::sim {
namespace {

/// A client that says a line when told to, and writes down what comes and when.
class Device final : public Peer {
 public:
  void attach(Waker* waker) override { waker_ = waker; }
  void opened(Time) override { calls += 'o'; }
  void feed(Bytes in, Time now) override {
    heard += as_text(in);
    heard_at = now;
  }
  std::span<const Output> output() override { return box_.output(); }
  void sent(std::size_t n, Time) override {
    box_.sent(n);
    sent_octets += n;
  }
  void advance(Time) override {}
  std::optional<Time> deadline() const override { return std::nullopt; }
  void secured(const TlsFacts&, Time) override { calls += 's'; }
  void ended(EndReason why, std::string_view text, Time) override {
    calls += 'e';
    reason = why;
    detail = text;
  }
  Wants wants() const override { return Wants::nothing; }

  void say(const std::string& lines) {
    box_.text(lines + "\r\n");
    if (waker_ != nullptr) waker_->wake();
  }
  bool over() const { return reason != EndReason::none; }

  std::string calls, heard, detail;
  Time heard_at{};
  std::size_t sent_octets = 0;
  EndReason reason = EndReason::none;

 private:
  Outbox box_;
  Waker* waker_ = nullptr;
};

struct World {
  explicit World(SimNetwork::Options how = {}) : server(options()), network(server, how) {}
  static server::ServerOptions options() {
    server::ServerOptions out;
    out.accounts.push_back({"alice", "alice@example.test", Secret("pass"), std::nullopt});
    out.accounts.push_back({"bob", "bob@example.test", Secret("pass"), std::nullopt});
    return out;
  }
  std::unique_ptr<Link> open(Device& device, std::uint16_t port = 110, Protocol protocol = Protocol::pop3,
                             TlsMode tls = TlsMode::none) {
    return network.open({protocol, "sim", port, tls, false, ""}, device);
  }
  /// Says it and waits until this was heard.
  std::string ask(Device& device, const std::string& lines, std::string_view until) {
    device.heard.clear();
    device.say(lines);
    EXPECT_TRUE(network.run([&] { return device.over() || device.heard.find(until) != std::string::npos; }));
    return device.heard;
  }
  void greet(Device& device) {
    EXPECT_TRUE(network.run([&] { return device.heard.ends_with("\r\n"); }));
  }
  /// Everything that is on its way arrives.
  void settle() {
    struct Bell final : Alarm {
      void ring(Time) override { rung = true; }
      bool rung = false;
    } bell;
    network.set_alarm(bell, network.now() + std::chrono::seconds(1));
    EXPECT_TRUE(network.run([&] { return bell.rung; }));
  }

  server::Server server;
  SimNetwork network;
};

TEST(ResetConnections, EveryClientSeesAReset) {
  World world;
  Device phone, pc, gone;
  const auto first = world.open(phone, 143, Protocol::imap), second = world.open(pc);
  auto third = world.open(gone);
  for (Device* device : {&phone, &pc, &gone}) world.greet(*device);
  third->drop(false);
  world.settle();
  ASSERT_EQ(gone.reason, EndReason::dropped);
  world.network.reset_connections();
  world.settle();
  for (const Device* device : {&phone, &pc}) {
    EXPECT_EQ(device->reason, EndReason::reset);
    EXPECT_EQ(device->detail, "connection reset by peer");
    EXPECT_EQ(device->calls, "oe");
  }
  EXPECT_EQ(gone.calls, "oe") << "what was over before stays as it was";
}

TEST(ResetConnections, WhatIsSaidAtThatMomentIsNotHeard) {
  World world;
  Device phone;
  const auto link = world.open(phone, 143, Protocol::imap);
  world.greet(phone);
  phone.heard.clear();
  phone.say("a1 NOOP");
  ASSERT_TRUE(world.network.run([&] { return phone.sent_octets == 9; }));
  world.network.reset_connections();
  world.settle();
  EXPECT_EQ(phone.heard, "");
  EXPECT_EQ(phone.reason, EndReason::reset);
}

TEST(ResetConnections, TheServersSideEndsAndNewOnesAreServed) {
  World world;
  Device pc, again;
  const auto link = world.open(pc);
  world.greet(pc);
  world.ask(pc, "USER alice\r\nPASS pass", "(0 octets)");
  world.network.reset_connections();
  const auto later = world.open(again);
  world.greet(again);
  EXPECT_EQ(world.ask(again, "USER alice\r\nPASS pass", "(0 octets)\r\n"),
            "+OK now the password\r\n+OK maildrop has 0 messages (0 octets)\r\n")
      << "the maildrop's lock died with its session (RFC 1939 section 4)";
  world.settle();
  EXPECT_EQ(pc.reason, EndReason::reset);
  EXPECT_FALSE(again.over());
}

TEST(ResetConnections, AConnectionThatIsJustBeingMadeIsResetToo) {
  World world;
  Device phone;
  const auto link = world.open(phone, 143, Protocol::imap);
  world.network.reset_connections();
  world.settle();
  EXPECT_EQ(phone.heard, "");
  EXPECT_EQ(phone.reason, EndReason::reset);
}

TEST(ResetConnections, ManyConnectionsAreAllKnown) {
  World world;
  std::vector<std::unique_ptr<Device>> devices;
  std::vector<std::unique_ptr<Link>> links;
  for (int i = 0; i < 100; ++i) {
    devices.push_back(std::make_unique<Device>());
    links.push_back(world.open(*devices.back(), 143, Protocol::imap));
    if (i % 2 == 1) links[static_cast<std::size_t>(i) - 1].reset();
  }
  world.settle();
  world.network.reset_connections();
  world.settle();
  for (std::size_t i = 1; i < devices.size(); i += 2) EXPECT_EQ(devices[i]->reason, EndReason::reset) << i;
}

TEST(StandStill, NothingIsAnsweredUntilItIsOver) {
  World world;
  Device phone, pc;
  const auto first = world.open(phone, 143, Protocol::imap), second = world.open(pc);
  world.greet(phone);
  world.greet(pc);
  const Time still_until = world.network.now() + 2s;
  world.network.stand_still(still_until);
  phone.say("a1 NOOP");
  EXPECT_EQ(world.ask(phone, "a2 NOOP", "a2 OK").substr(0, 5), "a1 OK") << "nothing is lost";
  EXPECT_GE(phone.heard_at, still_until);
  EXPECT_LT(phone.heard_at, still_until + 100ms);
  world.ask(pc, "CAPA", ".\r\n");
  EXPECT_LT(pc.heard_at, still_until + 200ms) << "afterwards it is as quick as before";
  EXPECT_FALSE(phone.over() || pc.over()) << "connections outlive it";
}

TEST(StandStill, AnAnswerWaitsThoughTheQuestionCameBefore) {
  World world;
  Device phone;
  const auto link = world.open(phone, 143, Protocol::imap);
  world.greet(phone);
  phone.heard.clear();
  phone.say("a1 NOOP");
  ASSERT_TRUE(world.network.run([&] { return phone.sent_octets == 9; }));  // on its way
  const Time still_until = world.network.now() + 2s;
  world.network.stand_still(still_until);
  ASSERT_TRUE(world.network.run([&] { return !phone.heard.empty(); }));
  EXPECT_GE(phone.heard_at, still_until);
}

TEST(StandStill, NewConnectionsWaitToo) {
  World world;
  const Time still_until = world.network.now() + 2s;
  world.network.stand_still(still_until);
  Device pc;
  const auto link = world.open(pc);
  world.greet(pc);
  EXPECT_GE(pc.heard_at, still_until);
}

TEST(TlsPorts, ThereNobodyLogsInBeforeTls) {
  World world({.tls_ports = {110, 143}});
  Device strict, open, phone, sealed;
  const auto first = world.open(strict, 110), second = world.open(open, 1100),
             third = world.open(phone, 143, Protocol::imap),
             fourth = world.open(sealed, 110, Protocol::pop3, TlsMode::implicit);
  for (Device* device : {&strict, &open, &phone, &sealed}) world.greet(*device);
  EXPECT_EQ(world.ask(strict, "USER alice", "\r\n").substr(0, 4), "-ERR");
  EXPECT_EQ(world.ask(open, "USER alice", "\r\n").substr(0, 3), "+OK") << "another port of the same server";
  EXPECT_EQ(world.ask(phone, "c1 LOGIN bob pass", "\r\n").substr(0, 5), "c1 NO");
  EXPECT_EQ(world.ask(sealed, "USER alice", "\r\n").substr(0, 3), "+OK");
}

}  // namespace
}  // namespace mailproof::sim
