#pragma once
#include "net/signals.h"

namespace mailproof::host {

/// Ctrl-C, SIGTERM and SIGHUP end the process with this status as long as it only reads and tells: a file that is a
/// pipe may hold it for ever. SIGPIPE is ignored.
void catch_signals(int status);
/// Something begins that leaves mailboxes and reports: from now on the first asks for an orderly end with a report, the
/// second ends at once.
void end_in_order();
bool interrupted();
/// A loop that blocks is nudged when the first comes.
class Nudged {
 public:
  explicit Nudged(net::Loop& loop);

 private:
  net::Signals::Nudged nudged_;
};

}  // namespace mailproof::host
