#pragma once
#include <memory>

#include "bench/counting_peer.h"
#include "net/loop.h"
#include "session/imap/client.h"
#include "stats/operations.h"

namespace mailproof::bench {

/// One IMAP session under measurement: logs in, selects, then asks the same thing again and again.
class ImapDevice final : public session::ImapSink {
 public:
  ImapDevice(net::Loop& loop, Round& round, stats::Operation& operation, const Endpoint& endpoint)
      : loop_(loop), round_(round), operation_(operation), client_(config(endpoint), *this) {
    link_ = loop_.open(endpoint, client_);
  }

  void begin() {
    begun_ = loop_.now();
    operation_.due();
    operation_.begin(begun_, begun_);
    ++round_.begun;
    if (round_.command == "NOOP") {
      client_.noop();
    } else {
      client_.uid_fetch("1", "(FLAGS BODY.PEEK[])");
    }
  }

  void on_ready(Time) override { client_.select("INBOX"); }
  void on_done(const session::ImapCompletion& done, Time now) override {
    if (done.outcome != session::Outcome::ok) {
      std::fprintf(stderr, "%.*s failed: %.*s\n", static_cast<int>(done.command.size()), done.command.data(),
                   static_cast<int>(done.text.size()), done.text.data());
      std::exit(3);
    }
    ++round_.done;
    if (round_.commands == 0) return;  // that was SELECT
    operation_.succeed(begun_, done.sent, now);
    if (round_.begun < round_.commands) begin();
  }
  void on_exists(std::uint32_t, std::uint32_t, Time) override {}
  void on_expunge(std::uint32_t, std::uint32_t, Time) override {}
  void on_content(std::string_view chunk) override { octets += chunk.size(); }
  void on_fetch(const session::ImapFetchRow& row, Time) override { rows += row.uid == 1; }
  void on_deviation(const session::Deviation& deviation, Time) override {
    std::fprintf(stderr, "deviation %.*s\n", static_cast<int>(deviation.code.size()), deviation.code.data());
  }
  void on_ended(const session::Ended& ended, Time) override {
    std::fprintf(stderr, "%s\n", ended.message().c_str());
    std::exit(3);
  }

  std::uint64_t octets = 0;
  std::uint64_t rows = 0;

 private:
  static session::ClientConfig config(const Endpoint& endpoint) {
    session::ClientConfig made;
    made.endpoint = endpoint;
    made.login = {.user = "user0001", .password = Secret("swordfish"), .mechanism = "LOGIN"};
    return made;
  }

  net::Loop& loop_;
  Round& round_;
  stats::Operation& operation_;
  session::ImapClient client_;
  std::unique_ptr<Link> link_;
  Time begun_{};
};

/// Sockets, session, parsing, mailbox view and histograms together, as a load run has them.
class ImapClients {
 public:
  ImapClients(std::uint16_t port, std::size_t connections) {
    Endpoint endpoint;
    endpoint.port = port;
    for (std::size_t i = 0; i < connections; ++i)
      devices_.push_back(std::make_unique<ImapDevice>(loop_, round_, operation_, endpoint));
    loop_.run([&] { return round_.done == connections; });
  }

  /// Nanoseconds of CPU a command, over `commands` of them.
  double run(std::string_view command, std::size_t commands) {
    round_ = {.command = command, .body = 0, .commands = commands, .begun = 0, .done = 0};
    const auto start = thread_cpu();
    for (auto& device : devices_) device->begin();
    loop_.run([&] { return round_.done == commands; });
    return static_cast<double>((thread_cpu() - start).count()) / static_cast<double>(commands);
  }

  std::uint64_t octets() const {
    std::uint64_t sum = 0;
    for (const auto& device : devices_) sum += device->octets;
    return sum;
  }
  const stats::Operation& operation() const { return operation_; }

 private:
  Round round_;
  stats::Operation operation_;
  net::Loop loop_;
  std::vector<std::unique_ptr<ImapDevice>> devices_;
};

}  // namespace mailproof::bench
