// The raw epoll loop alone: what a command costs when nobody looks at the answer.
#include "bench/raw_client.h"

int main() {
  using namespace mailproof::bench;
  const SinkServer server;
  RawClients clients(server.port(), 100);
  for (const char* command : {"NOOP", "UID FETCH 1 (FLAGS BODY.PEEK[])"}) {
    clients.run(command, 10'000);
    std::vector<double> rounds;
    for (int i = 0; i < 5; ++i) rounds.push_back(clients.run(command, 50'000));
    std::printf("raw loop, 100 connections, %-32s %7.0f ns of CPU a command\n", command, median(rounds));
  }
}
