#include "cli/signals.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>

namespace mailproof::cli {
namespace {

std::atomic<bool> g_interrupted{false};
std::array<std::atomic<net::Loop*>, 64> g_loops{};

void on_signal(int) {
  if (g_interrupted.exchange(true)) _exit(130);
  for (auto& slot : g_loops)
    if (net::Loop* loop = slot.load()) loop->nudge();
}

}  // namespace

void catch_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file that may grow no more is a write that fails
}

bool interrupted() { return g_interrupted.load(); }

Nudged::Nudged(net::Loop& loop) : slot_(0) {
  for (; slot_ < g_loops.size(); ++slot_) {
    net::Loop* none = nullptr;
    if (g_loops[slot_].compare_exchange_strong(none, &loop)) return;
  }
}

Nudged::~Nudged() {
  if (slot_ < g_loops.size()) g_loops[slot_] = nullptr;
}

}  // namespace mailproof::cli
