// net::Loop with a peer that only counts bytes, beside the raw epoll loop in one run: what joining peers to sockets
// costs.
#include "bench/counting_peer.h"
#include "bench/raw_client.h"

int main() {
  using namespace mailproof;
  using namespace mailproof::bench;
  const SinkServer server;
  RawClients raw(server.port(), 100);
  CountingClients engine(server.port(), 100);
  for (const char* command : {"NOOP", "UID FETCH 1 (FLAGS BODY.PEEK[])"}) {
    raw.run(command, 10'000);
    engine.run(command, 10'000);
    std::vector<double> base, ours, ratio;
    for (int i = 0; i < 9; ++i) {
      base.push_back(raw.run(command, 30'000));
      ours.push_back(engine.run(command, 30'000));
      ratio.push_back(ours.back() / base.back());
    }
    std::printf("%-32s raw %6.0f ns, net::Loop %6.0f ns of CPU a command: %.2f x\n", command, median(base),
                median(ours), median(ratio));
  }
}
