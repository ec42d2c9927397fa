#pragma once
#include "net/loop.h"

namespace mailproof::cli {

/// Ctrl-C and SIGTERM: the first asks for an orderly end with a report, the second ends at once.
void catch_signals();
bool interrupted();
/// Loops that block are nudged when a signal comes. At most 64.
class Nudged {
 public:
  explicit Nudged(net::Loop& loop);
  ~Nudged();
  Nudged(const Nudged&) = delete;

 private:
  std::size_t slot_;
};

}  // namespace mailproof::cli
