// The engine beside the raw epoll loop in one run: the same commands and answers, 100 connections, CPU of the client
// thread a command, and the ratio. The budget is 1.25 x.
#include "bench/allocations.h"
#include "bench/imap_clients.h"
#include "bench/raw_client.h"

int main(int argc, char** argv) {
  using namespace mailproof::bench;
  const std::size_t rounds = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 9;
  constexpr std::size_t kCommands = 30'000;
  const SinkServer server;
  RawClients raw(server.port(), 100);
  ImapClients engine(server.port(), 100);
  for (const char* command : {"NOOP", "UID FETCH 1 (FLAGS BODY.PEEK[])"}) {
    raw.run(command, 10'000);
    engine.run(command, 10'000);
    std::vector<double> base, ours, ratio;
    std::uint64_t allocated = 0;
    const std::uint64_t octets = engine.octets();
    // Alternately, so that whatever else the machine does falls on both.
    for (std::size_t i = 0; i < rounds; ++i) {
      base.push_back(raw.run(command, kCommands));
      const std::uint64_t before = allocations();
      ours.push_back(engine.run(command, kCommands));
      allocated += allocations() - before;
      ratio.push_back(ours.back() / base.back());
    }
    const auto done = static_cast<double>(rounds * kCommands);
    std::printf(
        "%-32s raw %6.0f ns, engine %6.0f ns of CPU a command: %.2f x  (%.3f allocations, %.0f octets of mail)\n",
        command, median(base), median(ours), median(ratio), static_cast<double>(allocated) / done,
        static_cast<double>(engine.octets() - octets) / done);
  }
  std::printf("%llu commands, response p50 %lld us, p99 %lld us\n",
              static_cast<unsigned long long>(engine.operation().ok),
              static_cast<long long>(engine.operation().response.percentile(50).count() / 1000),
              static_cast<long long>(engine.operation().response.percentile(99).count() / 1000));
}
