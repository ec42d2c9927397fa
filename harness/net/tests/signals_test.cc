#include "net/signals.h"

#include <unistd.h>

#include <csignal>
#include <thread>

#include "net/tests/world.h"

namespace mailproof::net {
namespace {

class SignalsTest : public World {};

TEST_F(SignalsTest, TheFirstWakesALoopThatHasNothingToDo) {
  for (const int number : {SIGINT, SIGTERM}) {
    Signals signals;
    const Signals::Nudged nudged(signals, loop);
    if (!listener) listener = listen();  // keeps the loop waiting
    EXPECT_FALSE(signals.came());
    std::thread other([number] { kill(getpid(), number); });
    const bool reached = play_until([&] { return signals.came(); });
    other.join();
    EXPECT_TRUE(reached);
  }
}

TEST_F(SignalsTest, AllLoopsHearOfIt) {
  Signals signals;
  std::atomic<int> waiting = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      Loop own;
      const auto open = Listener::listen(own, {}, [](bool) { return nullptr; });
      const Signals::Nudged nudged(signals, own);
      ++waiting;
      own.run([&] { return signals.came(); });
    });
  ASSERT_TRUE(play_until([&] {
    loop.nudge();
    return waiting == 4;
  }));
  kill(getpid(), SIGINT);
  for (auto& thread : threads) thread.join();
}

TEST(SignalsAndLoops, OneMayComeWhileLoopsAreMadeAndDestroyed) {
  for (int round = 0; round < 100; ++round) {
    Signals signals;
    std::thread other([] { kill(getpid(), SIGINT); });
    while (!signals.came()) {
      Loop loop;
      const Signals::Nudged nudged(signals, loop);
      loop.run([] { return false; });
    }
    other.join();
  }
}

TEST(SignalsDeathTest, TheSecondEndsTheProcessThoughALoopIsBusy) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        alarm(20);  // an end to waiting
        const Signals signals;
        kill(getpid(), SIGINT);
        while (!signals.came()) {
        }
        kill(getpid(), SIGTERM);
        for (;;) pause();
      },
      ::testing::ExitedWithCode(130), "");
}

}  // namespace
}  // namespace mailproof::net
