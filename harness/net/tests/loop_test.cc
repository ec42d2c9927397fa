#include <thread>

#include "net/tests/raw.h"
#include "net/tests/world.h"

namespace mailproof::net {
namespace {

struct Bell final : Alarm {
  explicit Bell(std::vector<int>& log, int number) : rung(log), id(number) {}
  void ring(Time now) override {
    rung.push_back(id);
    at = now;
  }
  std::vector<int>& rung;
  int id;
  Time at{};
};

TEST(LoopTest, WithNothingToDoRunReturnsFalse) {
  Loop loop;
  EXPECT_FALSE(loop.run([] { return false; }));
  EXPECT_TRUE(loop.run([] { return true; }));
  EXPECT_FALSE(loop.simulated());
}

TEST(LoopTest, AlarmsRingOnceInOrderNeverEarly) {
  Loop loop;
  std::vector<int> rung;
  Bell a(rung, 1), b(rung, 2), c(rung, 3), d(rung, 4);
  const Time start = loop.now();
  loop.set_alarm(a, start + 4ms);
  loop.set_alarm(b, start + 2ms);
  loop.set_alarm(c, start + 1ms);
  loop.set_alarm(d, start + 2ms);
  loop.set_alarm(c, start + 6ms);  // moved
  loop.set_alarm(a, std::nullopt);
  EXPECT_FALSE(loop.run([] { return false; }));
  EXPECT_EQ(rung, (std::vector<int>{2, 4, 3}));
  EXPECT_GE(b.at, start + 2ms);
  EXPECT_GE(c.at, start + 6ms);
  EXPECT_LT(loop.load().worst_lateness, 5s);
}

TEST(LoopTest, AnAlarmMaySetItselfAgain) {
  struct Ticker final : Alarm {
    Loop& loop;
    int left = 100;
    explicit Ticker(Loop& l) : loop(l) {}
    void ring(Time now) override {
      if (--left > 0) loop.set_alarm(*this, now);
    }
  };
  Loop loop;
  Ticker ticker(loop);
  loop.set_alarm(ticker, loop.now());
  EXPECT_FALSE(loop.run([] { return false; }));
  EXPECT_EQ(ticker.left, 0);
}

TEST(LoopTest, WhatIsDueAtTheSameTimeMayBeClearedOrMovedByTheFirst) {
  struct First final : Alarm {
    std::function<void()> rung;
    void ring(Time) override { rung(); }
  };
  Loop loop;
  std::vector<int> rung;
  First first;
  Bell cleared(rung, 1), moved(rung, 2), kept(rung, 3);
  const Time start = loop.now();
  first.rung = [&] {
    loop.set_alarm(cleared, std::nullopt);
    loop.set_alarm(moved, start + 3ms);
  };
  for (Alarm* alarm : std::initializer_list<Alarm*>{&first, &cleared, &moved, &kept}) loop.set_alarm(*alarm, start);
  EXPECT_FALSE(loop.run([] { return false; }));
  EXPECT_EQ(rung, (std::vector<int>{3, 2}));
  EXPECT_GE(moved.at, start + 3ms);
}

TEST(LoopTest, ThePastRingsAtOnceAndTimeStartsWhereTold) {
  LoopOptions options;
  options.start = std::chrono::steady_clock::now() - 1h;
  Loop loop(options);
  EXPECT_GE(loop.now(), Time(1h));
  std::vector<int> rung;
  Bell bell(rung, 7);
  loop.set_alarm(bell, Time{});
  EXPECT_FALSE(loop.run([] { return false; }));
  EXPECT_EQ(rung, std::vector<int>{7});
  EXPECT_LT(loop.load().worst_lateness, 10s) << "the hour before the loop was made is not its lateness";
}

/// A loop that stalls by itself says how long: what arrived meanwhile was read so much late at most.
TEST(LoopTest, TellsHowLongTheWorkOfATurnTook) {
  struct Busy final : Alarm {
    void ring(Time) override { std::this_thread::sleep_for(50ms); }
  } busy;
  Loop loop;
  loop.set_alarm(busy, loop.now() + 100ms);
  Duration longest{};
  EXPECT_FALSE(loop.run([&] {
    longest = std::max(longest, loop.load().last_turn);
    return false;
  }));
  EXPECT_GE(longest, 50ms);
  EXPECT_LT(longest, loop.now() - Time{} - 90ms) << "waiting is no work";
}

class CrossThread : public World {};

TEST_F(CrossThread, PostedWorkRunsOnTheLoopsThreadAndWakesIt) {
  listener = listen();  // keeps the loop waiting
  const auto home = std::this_thread::get_id();
  std::thread::id ran_on;
  bool stop = false;
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) loop.post([] {});
    loop.post([&] {
      ran_on = std::this_thread::get_id();
      stop = true;
    });
  });
  const bool reached = play_until([&] { return stop; });
  other.join();
  EXPECT_TRUE(reached);
  EXPECT_EQ(ran_on, home);
}

TEST_F(CrossThread, WritingToADeadConnectionDoesNotKillTheProcess) {
  const RawServer raw;
  link = loop.open(at(raw.port()), client);
  ASSERT_TRUE(play_until([this] { return client.calls == "o"; }));
  { const Fd gone = raw.accept(); }
  client.on_sent = [this] { client.out.text("a NOOP\r\n"); };
  client.say("a NOOP\r\n");
  ASSERT_TRUE(play_to_the_end());
}

}  // namespace
}  // namespace mailproof::net
