#include "net/tests/raw.h"
#include "net/tests/world.h"

namespace mailproof::net {
namespace {

const std::string kCommand = "a1 FETCH 1:* (FLAGS UID BODY.PEEK[])\r\n";

class FaultsTest : public World {
 protected:
  void begin(const LinkFaults& faults) {
    open();
    greet();
    link->misbehave(faults);
  }
};

TEST_F(FaultsTest, WritesAreSplit) {
  LinkFaults faults;
  faults.split_writes = 3;
  begin(faults);
  client.say(kCommand);
  ASSERT_TRUE(play_until([this] { return server->received == kCommand; }));
  EXPECT_EQ(client.sends.size(), (kCommand.size() + 2) / 3);
  for (const std::size_t n : client.sends) EXPECT_LE(n, 3U);
}

TEST_F(FaultsTest, EachWriteWaits) {
  LinkFaults faults;
  faults.split_writes = 10;
  faults.write_delay = 3ms;
  begin(faults);
  const Time start = loop.now();
  client.say(kCommand);
  ASSERT_TRUE(play_until([this] { return server->received == kCommand; }));
  ASSERT_EQ(client.send_times.size(), (kCommand.size() + 9) / 10);
  Time last = start;
  for (const Time at : client.send_times) {
    EXPECT_GE(at - last, 3ms);
    last = at;
  }
  for (const std::size_t n : server->feeds) EXPECT_LE(n, 10U);
}

TEST_F(FaultsTest, CutAfterBytesSent) {
  for (const bool with_reset : {true, false}) {
    for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{9}, kCommand.size()}) {
      server = std::make_shared<Actor>();
      Actor device;
      if (!listener) listener = listen();
      const auto own = loop.open(at(listener->port()), device);
      ASSERT_TRUE(play_until([&] { return device.calls == "o" && server->calls == "o"; }));
      LinkFaults faults;
      faults.cut_after_sent = n;
      faults.cut_with_reset = with_reset;
      own->misbehave(faults);
      device.say(kCommand + kCommand);
      ASSERT_TRUE(play_until([&] { return device.over() && server->over(); }));
      EXPECT_EQ(server->received, (kCommand + kCommand).substr(0, n));
      EXPECT_EQ(server->reason, with_reset ? EndReason::reset : EndReason::closed);
      EXPECT_EQ(device.reason, EndReason::dropped);
      EXPECT_EQ(device.detail, with_reset ? "cut by us with a reset" : "cut by us");
    }
  }
}

TEST_F(FaultsTest, CutAfterBytesReceivedDeliversNoByteMore) {
  LinkFaults faults;
  faults.cut_after_received = 7;
  begin(faults);
  server->say("* 1 FETCH (UID 4)\r\n");
  ASSERT_TRUE(play_until([this] { return client.over() && server->over(); }));
  EXPECT_EQ(client.received, "* 1 FET");
  EXPECT_EQ(client.reason, EndReason::dropped);
  EXPECT_EQ(server->reason, EndReason::reset);
}

TEST_F(FaultsTest, HalfClosedClientsGetTheirAnswers) {
  LinkFaults faults;
  faults.half_close = true;
  open();
  greet();
  const auto big = std::make_shared<std::string>(6'000'000, 'x');
  server->on_feed = [&] {
    server->out.body(big);
    server->say("a1 OK\r\n");
  };
  client.say(kCommand);
  link->misbehave(faults);
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(server->received, kCommand);
  EXPECT_EQ(client.received.size(), big->size() + 7);
  EXPECT_TRUE(client.received.ends_with("a1 OK\r\n"));
  EXPECT_EQ(client.reason, EndReason::closed);
  EXPECT_EQ(server->reason, EndReason::closed);
}

TEST_F(FaultsTest, OneThatStopsReadingFillsTheServerUntilItReadsAgain) {
  LinkFaults faults;
  faults.stop_reading = true;
  begin(faults);
  const auto big = std::make_shared<std::string>(32'000'000, 'x');
  server->out.body(big);
  server->say("a1 OK\r\n");
  std::size_t before = 1;
  ASSERT_TRUE(play_until([&] {  // until the server makes no more headway between two looks
    loop.nudge();
    return std::exchange(before, server->out.size()) == server->out.size() && !server->sends.empty();
  }));
  EXPECT_GT(server->out.size(), 0U);
  EXPECT_EQ(client.received, "");
  client.say(kCommand);
  ASSERT_TRUE(play_until([this] { return server->received == kCommand; })) << "it still writes";
  link->misbehave({});
  ASSERT_TRUE(play_until([&] { return client.received.size() == big->size() + 7; }));
}

TEST_F(FaultsTest, OneThatStopsReadingStillLearnsOfAReset) {
  const RawServer raw;
  link = loop.open(at(raw.port()), client);
  ASSERT_TRUE(play_until([this] { return client.calls == "o"; }));
  LinkFaults faults;
  faults.stop_reading = true;
  link->misbehave(faults);
  {
    const Fd accepted = raw.accept();
    raw_send(accepted, "* OK never read\r\n");
    set_reset_on_close(accepted.get());
  }
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.reason, EndReason::reset);
  EXPECT_EQ(client.received, "");
}

TEST_F(FaultsTest, BothSidesShutWhileNobodyReadsDoesNotSpin) {
  const RawServer raw;
  link = loop.open(at(raw.port()), client);
  ASSERT_TRUE(play_until([this] { return client.calls == "o"; }));
  LinkFaults faults;
  faults.stop_reading = true;
  faults.half_close = true;
  link->misbehave(faults);
  const Fd accepted = raw.accept();
  raw_send(accepted, "* BYE\r\n");
  shutdown(accepted.get(), SHUT_WR);
  client.due = loop.now() + 10ms;
  client.waker()->wake();
  int turns = 0;
  ASSERT_TRUE(play_until([&] { return ++turns, client.advances == 1; }));
  EXPECT_LT(turns, 20);
  link->misbehave({});
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.received, "* BYE\r\n");
  EXPECT_EQ(client.reason, EndReason::closed);
}

}  // namespace
}  // namespace mailproof::net
