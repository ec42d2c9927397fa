#pragma once
#include <memory>

#include "net/loop.h"

namespace mailproof::net {

/// Waits for SIGINT, SIGTERM and SIGHUP on a thread of its own, so that a busy program hears them too. The first asks
/// for an orderly end, the second ends the process at once with status 130; the same again within 0.3 s is the first
/// still, as timeout(1) sends it twice. One at a time in a process.
class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;

  bool came() const;  ///< any thread

  /// From now on the first ends the process as well, with this status: nothing is under way that wants an orderly end.
  /// 0: something is.
  void end_at_once(int status);

  /// Of a loop that blocks: its run() asks done() again when the first signal came. Must go before the loop.
  class Nudged {
   public:
    Nudged(Signals& signals, Loop& loop);
    ~Nudged();
    Nudged(const Nudged&) = delete;

   private:
    Signals& signals_;
    Loop& loop_;
  };

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace mailproof::net
