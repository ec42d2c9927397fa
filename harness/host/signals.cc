#include "host/signals.h"

#include <signal.h>

namespace mailproof::host {
namespace {

net::Signals& signals() {
  static net::Signals caught;
  return caught;
}

}  // namespace

void catch_signals(int status) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file that may grow no more is a write that fails
  signals().end_at_once(status);
}

void end_in_order() { signals().end_at_once(0); }

bool interrupted() { return signals().came(); }

Nudged::Nudged(net::Loop& loop) : nudged_(signals(), loop) {}

}  // namespace mailproof::host
