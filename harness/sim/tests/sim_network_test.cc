#include "sim/sim_network.h"

#include <gtest/gtest.h>

#include "core/outbox.h"

namespace mailproof::sim {
namespace {

/// A client that says its lines one at a time, the next when a reply has come, and writes down what it sees and when.
class Script final : public Peer {
 public:
  explicit Script(std::vector<std::string> lines) : lines_(std::move(lines)) {}
  void attach(Waker* waker) override { waker_ = waker; }
  void opened(Time now) override { note(now, "opened"); }
  void feed(Bytes in, Time now) override {
    const std::string_view text = as_text(in);
    note(now, "S: " + std::string(text));
    if (!text.ends_with("\r\n")) return;
    if (next_ < lines_.size()) {
      const std::string& line = lines_[next_++];
      if (line == "<tls>") {
        wants_ = Wants::start_tls;
      } else if (line == "<close>") {
        wants_ = Wants::close;
      } else {
        box_.text(line + "\r\n");
      }
    }
  }
  std::span<const Output> output() override { return box_.output(); }
  void sent(std::size_t n, Time now) override {
    note(now, "sent " + std::to_string(n));
    box_.sent(n);
  }
  void advance(Time now) override {
    note(now, "deadline");
    deadline_.reset();
  }
  std::optional<Time> deadline() const override { return deadline_; }
  void secured(const TlsFacts& facts, Time now) override {
    note(now, facts.established ? "sealed, early " + std::to_string(facts.early_bytes) : "not sealed: " + facts.error);
    wants_ = Wants::nothing;
    if (facts.established && next_ < lines_.size()) box_.text(lines_[next_++] + "\r\n");
  }
  void ended(EndReason reason, std::string_view, Time now) override {
    note(now, "ended " + std::string(name(reason)));
    over = true;
  }
  Wants wants() const override { return wants_; }

  void say(const std::string& line) {
    box_.text(line + "\r\n");
    waker_->wake();
  }
  void want(Time deadline) {
    deadline_ = deadline;
    waker_->wake();
  }
  bool saw(std::string_view what) const { return log.find(what) != std::string::npos; }
  std::string log;
  bool over = false;

 private:
  void note(Time now, const std::string& what) {
    log += std::to_string(now.time_since_epoch().count()) + " " + what + "\n";
  }
  std::vector<std::string> lines_;
  std::size_t next_ = 0;
  Outbox box_;
  Waker* waker_ = nullptr;
  Wants wants_ = Wants::nothing;
  std::optional<Time> deadline_;
};

server::ServerOptions options() {
  server::ServerOptions out;
  out.accounts.push_back({"alice", "alice@example.test", Secret("pass"), std::nullopt});
  return out;
}

struct World {
  explicit World(std::uint64_t seed = 1) : server(options()), network(server, {.seed = seed}) {}
  server::Server server;
  SimNetwork network;
};

Endpoint pop3(TlsMode tls = TlsMode::none) { return {Protocol::pop3, "sim", 110, tls, false, ""}; }

std::string session_log(std::uint64_t seed) {
  World world(seed);
  Script script({"USER alice", "PASS pass", "STAT", "QUIT"});
  const auto link = world.network.open(pop3(), script);
  world.network.run([&] { return script.over; });
  return script.log;
}

TEST(Sim, ASessionRunsToItsEnd) {
  const std::string log = session_log(1);
  EXPECT_NE(log.find("S: +OK 0 0"), std::string::npos) << log;
  EXPECT_NE(log.find("ended closed"), std::string::npos) << log;
}

TEST(Sim, TheSameSeedGivesTheSameBytesAtTheSameTimes) {
  EXPECT_EQ(session_log(5), session_log(5));
  EXPECT_NE(session_log(5), session_log(6));
}

TEST(Sim, BothEndsMustAskForTheSeal) {
  World world;
  Script both({"STLS", "<tls>", "CAPA"});
  auto link = world.network.open(pop3(), both);
  EXPECT_TRUE(world.network.run([&] { return both.saw("sealed, early 0"); })) << both.log;
  EXPECT_TRUE(world.network.run([&] { return both.saw("IMPLEMENTATION") || both.over; }));
  link.reset();

  Script alone({"CAPA", "<tls>"});
  const auto other = world.network.open(pop3(), alone);
  world.network.run([&] { return alone.over; });
  EXPECT_TRUE(alone.saw("not sealed")) << alone.log;
  EXPECT_TRUE(alone.saw("ended tls-failed")) << alone.log;
}

TEST(Sim, ImplicitTlsIsSealedBeforeItOpens) {
  World world;
  Script script({"QUIT"});
  const auto link = world.network.open(pop3(TlsMode::implicit), script);
  world.network.run([&] { return script.over; });
  EXPECT_LT(script.log.find("sealed"), script.log.find("opened"));
}

TEST(Sim, ALinkThatGoesAwayNeverCallsItsPeerAgain) {
  World world;
  Script other({"USER alice", "PASS pass", "STAT"});
  const auto kept = world.network.open(pop3(), other);
  {
    Script gone({"USER alice"});
    auto link = world.network.open(pop3(), gone);
    world.network.run([&] { return gone.saw("S: +OK"); });
    link.reset();
  }
  EXPECT_TRUE(world.network.run([&] { return other.saw("+OK 0 0"); })) << other.log;
}

TEST(Sim, FaultsCutWhereTheySay) {
  World world;
  Script sender({"USER alice"});
  const auto link = world.network.open(pop3(), sender);
  LinkFaults faults;
  faults.cut_after_sent = 4;
  link->misbehave(faults);
  world.network.run([&] { return sender.over; });
  EXPECT_TRUE(sender.saw("sent 4\n")) << sender.log;
  EXPECT_TRUE(sender.saw("ended dropped")) << sender.log;
  EXPECT_FALSE(sender.saw("sent 8"));

  Script reader({"USER alice"});
  const auto second = world.network.open(pop3(), reader);
  faults = {};
  faults.cut_after_received = 3;
  second->misbehave(faults);
  world.network.run([&] { return reader.over; });
  EXPECT_TRUE(reader.saw("S: +OK\n") || reader.saw("S: +OK")) << reader.log;
  EXPECT_FALSE(reader.saw("sent"));
}

TEST(Sim, WritesCanBeSplitAndSlow) {
  World world;
  Script script({"CAPA", "QUIT"});
  const auto link = world.network.open(pop3(), script);
  LinkFaults faults;
  faults.split_writes = 1;
  faults.write_delay = std::chrono::milliseconds(100);
  link->misbehave(faults);
  world.network.run([&] { return script.over; });
  EXPECT_TRUE(script.saw("IMPLEMENTATION")) << script.log;
  EXPECT_FALSE(script.saw("sent 2"));
  EXPECT_GT(world.network.now(), Time(std::chrono::milliseconds(1000)));
}

/// What it says is all sent, and nothing of the last answer has come: from here on the link has these faults.
std::unique_ptr<Link> at_the_last(World& world, Script& script, const LinkFaults& faults) {
  auto link = world.network.open(pop3(), script);
  world.network.run([&] { return script.saw("sent 6"); });
  link->misbehave(faults);
  return link;
}

TEST(Sim, AnEndStandsBehindWhatWasNotRead) {
  World world;
  Script script({"USER alice", "PASS pass", "QUIT"});
  LinkFaults faults;
  faults.stop_reading = true;
  const auto link = at_the_last(world, script, faults);
  const Time later = world.network.now() + std::chrono::seconds(5);
  world.network.run([&] { return script.over || world.network.now() > later; });
  EXPECT_FALSE(script.over || script.saw("+OK bye")) << script.log;
  link->misbehave({});
  world.network.run([&] { return script.over; });
  EXPECT_TRUE(script.saw("+OK bye") && script.saw("ended closed")) << script.log;
}

TEST(Sim, AHalfCloseStillHearsTheAnswer) {
  World world;
  Script script({"USER alice", "PASS pass", "STAT"});
  LinkFaults faults;
  faults.half_close = true;
  const auto link = at_the_last(world, script, faults);
  world.network.run([&] { return script.over; });
  EXPECT_TRUE(script.saw("+OK 0 0")) << script.log;
}

struct Bell final : Alarm {
  std::vector<Time> rung;
  void ring(Time now) override { rung.push_back(now); }
};

TEST(Sim, AlarmsRingOnceMoveAndClear) {
  World world;
  Bell bell, cleared;
  const Time now = world.network.now();
  world.network.set_alarm(bell, now + std::chrono::seconds(1));
  world.network.set_alarm(bell, now + std::chrono::seconds(3));
  world.network.set_alarm(cleared, now + std::chrono::seconds(2));
  world.network.set_alarm(cleared, std::nullopt);
  EXPECT_FALSE(world.network.run([] { return false; }));
  ASSERT_EQ(bell.rung.size(), 1U);
  EXPECT_EQ(bell.rung[0], now + std::chrono::seconds(3));
  EXPECT_TRUE(cleared.rung.empty());
}

TEST(Sim, DeadlinesAreKept) {
  World world;
  Script script({});
  const auto link = world.network.open(pop3(), script);
  world.network.run([&] { return script.saw("opened"); });
  script.want(world.network.now() + std::chrono::seconds(7));
  EXPECT_TRUE(world.network.run([&] { return script.saw("deadline"); }));
}

TEST(Sim, TheServersAutologoutEndsASilentSession) {
  World world;
  Script script({});
  const auto link = world.network.open(pop3(), script);
  EXPECT_TRUE(world.network.run([&] { return script.over; }));
  EXPECT_GE(world.network.now(), Time(std::chrono::minutes(10)));  // RFC 1939 section 3: at least ten minutes
}

}  // namespace
}  // namespace mailproof::sim
