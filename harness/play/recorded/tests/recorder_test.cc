// What the sessions of all protocols have in common: asked too late, they answer from the loop, once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "play/recorded/imap.h"
#include "play/recorded/pop3.h"
#include "play/recorded/smtp.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using ::testing::ElementsAre;

/// The test is the server, and the loop.
class Hand final : public Network {
 public:
  Time now() const override { return Time{}; }
  std::unique_ptr<Link> open(const Endpoint&, Peer& peer) override {
    peer_ = &peer;
    return std::make_unique<HandLink>(*this);
  }
  void set_alarm(Alarm& alarm, std::optional<Time> at) override {
    if (at) {
      alarms_.insert(&alarm);
    } else {
      alarms_.erase(&alarm);
    }
  }
  bool run(const std::function<bool()>&) override {
    while (!alarms_.empty()) (*alarms_.extract(alarms_.begin()).value()).ring(now());
    return true;
  }
  bool simulated() const override { return true; }

  void open_and_say(const std::vector<std::string>& words) {
    peer_->opened(now());
    for (const std::string& text : words) {
      drain();
      peer_->feed(as_bytes(text), now());
    }
    drain();
  }
  void end(EndReason reason) { peer_->ended(reason, "", now()); }
  void drain() {
    std::size_t n = 0;
    for (const Output& o : peer_->output()) n += o.bytes.size();
    if (n != 0) peer_->sent(n, now());
  }
  int drops = 0;

 private:
  class HandLink final : public Link {
   public:
    explicit HandLink(Hand& hand) : hand_(hand) {}
    ~HandLink() override { hand_.peer_ = nullptr; }
    void misbehave(const LinkFaults&) override {}
    void drop(bool) override {
      ++hand_.drops;
      hand_.end(EndReason::dropped);
    }

   private:
    Hand& hand_;
  };
  Peer* peer_ = nullptr;
  std::set<Alarm*> alarms_;
};

struct World {
  World() {
    history.info.devices.emplace_back();
    scenario::PoolAccount account;
    account.address = account.login = "a@example.test";
    context.accounts.push_back(account);
  }
  /// Events of the commands, "invoke", "fail TEXT"; connect and end left out.
  std::vector<std::string> commands() const {
    std::vector<std::string> out;
    constexpr std::string_view types[] = {"invoke", "ok", "fail", "info"};
    for (const history::Event& e : history.events()) {
      if (e.what == What::connect || e.what == What::end || e.type == Type::obs) continue;
      std::string line(types[static_cast<std::size_t>(e.type)]);
      if (e.type != Type::invoke) line += " " + e.text;
      out.push_back(line);
    }
    return out;
  }
  Hand hand;
  scenario::Target target;
  history::History history;
  history::Ledger ledger{history};
  Messages messages{history, 7, 11, "Thu, 01 Jan 2026 00:00:00 +0000"};
  PlayOptions options;
  Context context{hand, target, history, ledger, messages, options, {}, {}, {}, 0, false, {}};
};

/// A session, and one thing to ask of it.
struct Asked {
  std::unique_ptr<RecordedImap> imap;
  std::unique_ptr<RecordedPop3> pop3;
  std::unique_ptr<RecordedSmtp> smtp;

  Asked(World& world, Protocol protocol) {
    Endpoint endpoint;
    endpoint.protocol = protocol;
    switch (protocol) {
      case Protocol::imap:
        imap = std::make_unique<RecordedImap>(world.context, 1, 1, 0, endpoint);
        break;
      case Protocol::pop3:
        pop3 = std::make_unique<RecordedPop3>(world.context, 1, 1, 0, endpoint);
        break;
      default:
        smtp = std::make_unique<RecordedSmtp>(world.context, 1, endpoint, 0);
        break;
    }
  }
  void open(std::function<void(bool ok)> then) {
    const auto told = [then](const Completion& result) { then(result.ok()); };
    if (imap) imap->open(told);
    if (pop3) pop3->open(told);
    if (smtp) smtp->open([then](bool ok, const std::string&) { then(ok); });
  }
  void ask(std::function<void(session::Outcome)> then) {
    const auto told = [then](const Completion& result) { then(result.outcome); };
    if (imap) imap->noop(told);
    if (pop3) pop3->stat(told);
    if (smtp)
      smtp->send(1, std::make_shared<const std::string>("Subject: x\r\n\r\n"), "", {1},
                 [then](const std::vector<Delivered>& to) { then(to.at(0).outcome); });
  }
  void drop() { imap ? imap->drop(true) : pop3 ? pop3->drop(true) : smtp->drop(true); }
  static std::vector<std::string> until_ready(Protocol protocol) {
    if (protocol == Protocol::imap) return {"* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n"};
    if (protocol == Protocol::pop3) return {"+OK\r\n", "-ERR\r\n", "+OK\r\n", "+OK\r\n", "-ERR\r\n"};
    return {"220 x\r\n", "250 x\r\n"};
  }
};

class Recorded : public testing::TestWithParam<Protocol> {};
INSTANTIATE_TEST_SUITE_P(Protocols, Recorded,
                         testing::Values(Protocol::imap, Protocol::pop3, Protocol::smtp, Protocol::lmtp),
                         [](const auto& of) { return std::string(name(of.param)); });

TEST_P(Recorded, NeverConnectedIsToldOnce) {
  World world;
  Asked session(world, GetParam());
  std::vector<bool> opened;
  session.open([&](bool ok) { opened.push_back(ok); });
  world.hand.end(EndReason::refused);
  EXPECT_THAT(opened, ElementsAre(false));
  session.drop();
  EXPECT_EQ(world.hand.drops, 0) << "nothing is left to drop";
  const auto& events = world.history.events();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[1].type, Type::fail);
  EXPECT_EQ(events[1].command, events[0].index);
  EXPECT_EQ(events[1].code, name(EndReason::refused));
  EXPECT_EQ(events[2].what, What::end);
}

TEST_P(Recorded, AskedTooLateItFailsFromTheLoop) {
  World world;
  Asked session(world, GetParam());
  session.open([](bool) {});
  world.hand.end(EndReason::refused);
  std::vector<session::Outcome> told;
  session.ask([&](session::Outcome outcome) { told.push_back(outcome); });
  EXPECT_THAT(told, ElementsAre()) << "before who asked had gone on";
  EXPECT_THAT(world.commands(), ElementsAre("invoke", "fail the connection was gone before"));
  world.hand.run({});
  EXPECT_THAT(told, ElementsAre(session::Outcome::fail));
}

/// The end of one command is where the next is asked for, and the client is over by then.
TEST_P(Recorded, AskedWhileItEndsItFailsFromTheLoop) {
  World world;
  Asked session(world, GetParam());
  bool ready = false;
  session.open([&](bool ok) { ready = ok; });
  world.hand.open_and_say(Asked::until_ready(GetParam()));
  ASSERT_TRUE(ready);
  std::vector<session::Outcome> first, second;
  session.ask([&](session::Outcome outcome) {
    first.push_back(outcome);
    session.ask([&](session::Outcome late) { second.push_back(late); });
    EXPECT_THAT(second, ElementsAre());
  });
  world.hand.end(EndReason::reset);
  EXPECT_THAT(second, ElementsAre());
  world.hand.run({});  // where the line protocols tell what their end cut short, once it is known
  EXPECT_EQ(first.size(), 1U);
  world.hand.run({});
  EXPECT_EQ(first.size(), 1U);
  EXPECT_THAT(second, ElementsAre(session::Outcome::fail));
  EXPECT_EQ(world.commands().size(), 4U);
}

TEST_P(Recorded, WhatTheDeviceDropsEnds) {
  World world;
  Asked session(world, GetParam());
  session.open([](bool) {});
  world.hand.open_and_say(Asked::until_ready(GetParam()));
  std::vector<session::Outcome> told;
  session.ask([&](session::Outcome outcome) { told.push_back(outcome); });
  world.hand.drain();
  session.drop();
  session.drop();
  EXPECT_EQ(world.hand.drops, 1);
  world.hand.run({});
  // A command that went out may have been obeyed; a message without its final dot was not taken.
  const bool taken = session.smtp == nullptr;
  EXPECT_THAT(told, ElementsAre(taken ? session::Outcome::info : session::Outcome::fail));
  EXPECT_EQ(world.history.events().back().flags, "ours");
}

}  // namespace
}  // namespace mailproof::play
