#pragma once
#include <memory>

#include "bench/cpu.h"
#include "bench/sink_server.h"
#include "core/outbox.h"
#include "net/loop.h"

namespace mailproof::bench {

/// What one command does to all connections of a client under measurement.
struct Round {
  std::string_view command;
  std::size_t body = 0;
  std::size_t commands = 0;
  std::size_t begun = 0;
  std::size_t done = 0;
};

/// A peer that counts bytes, as the raw loop does: all that is measured is the way between it and the socket.
class CountingPeer final : public Peer {
 public:
  explicit CountingPeer(Round& round) : round_(round) { missing_ = kGreeting.size(); }
  void begin() {
    std::array<char, 128> line;
    const int tag = std::snprintf(line.data(), line.size(), "a%u", ++number_);
    const int size = std::snprintf(line.data(), line.size(), "a%u %.*s\r\n", number_,
                                   static_cast<int>(round_.command.size()), round_.command.data());
    missing_ = round_.body + static_cast<std::size_t>(tag) + kCompletion.size();
    ++round_.begun;
    out_.text({line.data(), static_cast<std::size_t>(size)});
    if (waker_ != nullptr) waker_->wake();
  }

  void attach(Waker* waker) override { waker_ = waker; }
  void opened(Time) override {}
  void feed(Bytes in, Time) override {
    missing_ -= in.size();
    if (missing_ > 0) return;
    ++round_.done;
    if (round_.begun < round_.commands) begin();
  }
  std::span<const Output> output() override { return out_.output(); }
  void sent(std::size_t n, Time) override { out_.sent(n); }
  void advance(Time) override {}
  std::optional<Time> deadline() const override { return std::nullopt; }
  void secured(const TlsFacts&, Time) override {}
  void ended(EndReason, std::string_view detail, Time) override {
    std::fprintf(stderr, "connection lost: %.*s\n", static_cast<int>(detail.size()), detail.data());
    std::exit(3);
  }
  Wants wants() const override { return Wants::nothing; }

 private:
  Round& round_;
  Outbox out_;
  Waker* waker_ = nullptr;
  std::size_t missing_ = 0;
  std::uint32_t number_ = 0;
};

class CountingClients {
 public:
  CountingClients(std::uint16_t port, std::size_t connections) {
    Endpoint endpoint;
    endpoint.port = port;
    for (std::size_t i = 0; i < connections; ++i) {
      peers_.push_back(std::make_unique<CountingPeer>(round_));
      links_.push_back(loop_.open(endpoint, *peers_.back()));
    }
    loop_.run([&] { return round_.done == connections; });
  }

  /// Nanoseconds of CPU a command, over `commands` of them.
  double run(std::string_view command, std::size_t commands) {
    round_ = {.command = command, .body = answer_body(command).size(), .commands = commands, .begun = 0, .done = 0};
    const auto start = thread_cpu();
    for (auto& peer : peers_) peer->begin();
    loop_.run([&] { return round_.done == commands; });
    return static_cast<double>((thread_cpu() - start).count()) / static_cast<double>(commands);
  }

 private:
  Round round_;
  net::Loop loop_;
  std::vector<std::unique_ptr<CountingPeer>> peers_;
  std::vector<std::unique_ptr<Link>> links_;
};

}  // namespace mailproof::bench
