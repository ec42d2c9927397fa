#pragma once
#include "net/signals.h"

namespace mailproof::host {

/// Ctrl-C, SIGTERM and SIGHUP: the first asks for an orderly end with a report, the second ends at once. SIGPIPE is
/// ignored.
void catch_signals();
bool interrupted();
/// A loop that blocks is nudged when the first comes.
class Nudged {
 public:
  explicit Nudged(net::Loop& loop);

 private:
  net::Signals::Nudged nudged_;
};

}  // namespace mailproof::host
