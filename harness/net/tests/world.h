#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/outbox.h"
#include "net/listener.h"
#include "net/loop.h"

namespace mailproof::net {

/// A peer that writes down what happens to it and does what the test hooked in.
class Actor final : public Peer {
 public:
  std::function<void()> on_opened, on_secured, on_feed, on_sent, on_advance, on_ended;

  std::string received;            ///< all bytes fed
  std::vector<std::size_t> feeds;  ///< their sizes, feed by feed
  std::vector<std::size_t> sends;  ///< the sizes of sent()
  std::vector<Time> send_times;
  std::string calls;  ///< a letter a call: o s e for opened, secured, ended
  TlsFacts facts;
  EndReason reason = EndReason::none;
  std::string detail;
  std::optional<Time> due;
  Wants want = Wants::nothing;
  Outbox out;
  int advances = 0;

  bool over() const { return reason != EndReason::none; }
  void say(std::string_view text) {
    out.text(text);
    if (waker_ != nullptr) waker_->wake();
  }
  void ask(Wants wants) {
    want = wants;
    if (waker_ != nullptr) waker_->wake();
  }
  Waker* waker() const { return waker_; }

  void attach(Waker* waker) override { waker_ = waker; }
  void opened(Time) override { note('o', on_opened); }
  void feed(Bytes in, Time) override {
    received += as_text(in);
    feeds.push_back(in.size());
    if (on_feed) on_feed();
  }
  std::span<const Output> output() override { return out.output(); }
  void sent(std::size_t n, Time now) override {
    out.sent(n);
    sends.push_back(n);
    send_times.push_back(now);
    if (on_sent) on_sent();
  }
  void advance(Time) override {
    ++advances;
    due.reset();
    if (on_advance) on_advance();
  }
  std::optional<Time> deadline() const override { return due; }
  void secured(const TlsFacts& tls, Time) override {
    facts = tls;
    want = Wants::nothing;
    note('s', on_secured);
  }
  void ended(EndReason why, std::string_view text, Time) override {
    reason = why;
    detail = text;
    note('e', on_ended);
  }
  Wants wants() const override { return want; }

 private:
  void note(char call, const std::function<void()>& hook) {
    calls += call;
    if (hook) hook();
  }
  Waker* waker_ = nullptr;
};

/// Lends an Actor to a listener: the test keeps it after the connection is over.
class Lent final : public Peer {
 public:
  explicit Lent(std::shared_ptr<Actor> actor) : actor_(std::move(actor)) {}
  void attach(Waker* waker) override { actor_->attach(waker); }
  void opened(Time now) override { actor_->opened(now); }
  void feed(Bytes in, Time now) override { actor_->feed(in, now); }
  std::span<const Output> output() override { return actor_->output(); }
  void sent(std::size_t n, Time now) override { actor_->sent(n, now); }
  void advance(Time now) override { actor_->advance(now); }
  std::optional<Time> deadline() const override { return actor_->deadline(); }
  void secured(const TlsFacts& facts, Time now) override { actor_->secured(facts, now); }
  void ended(EndReason reason, std::string_view detail, Time now) override { actor_->ended(reason, detail, now); }
  Wants wants() const override { return actor_->wants(); }

 private:
  std::shared_ptr<Actor> actor_;
};

/// A loop, one client and one server on it, over loopback.
class World : public ::testing::Test, private Alarm {
 protected:
  explicit World(LoopOptions options = {}) : loop(std::move(options)), server(std::make_shared<Actor>()) {}

  std::unique_ptr<Listener> listen(ListenerOptions options = {}) {
    auto made = Listener::listen(loop, std::move(options), [this](bool) { return std::make_unique<Lent>(server); });
    EXPECT_TRUE(made) << made.error().message();
    return std::move(*made);
  }
  Endpoint at(std::uint16_t port, TlsMode tls = TlsMode::none) const {
    Endpoint endpoint;
    endpoint.host = host;
    endpoint.port = port;
    endpoint.tls = tls;
    return endpoint;
  }
  void open(TlsMode tls = TlsMode::none) {
    if (!listener) listener = listen();
    link = loop.open(at(listener->port(), tls), client);
  }
  /// Plays until `done`; a world that does not get there is broken, so there is an end to waiting.
  [[nodiscard]] bool play_until(const std::function<bool()>& done) {
    late_ = false;
    loop.set_alarm(*this, loop.now() + 20s);
    loop.run([&] { return late_ || done(); });
    loop.set_alarm(*this, std::nullopt);
    return !late_;
  }
  [[nodiscard]] bool play_to_the_end() {
    return play_until([this] { return client.over(); });
  }
  /// A line each way, so that both ends are open.
  void greet() {
    server->on_opened = [this] { server->say("* OK mail.example.test ready\r\n"); };
    ASSERT_TRUE(play_until([this] { return !client.received.empty(); }));
    server->on_opened = {};
    client.received.clear();
  }

  std::string host = "127.0.0.1";
  Loop loop;
  std::shared_ptr<Actor> server;
  Actor client;
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Link> link;

 private:
  void ring(Time) override { late_ = true; }
  bool late_ = false;
};

}  // namespace mailproof::net
