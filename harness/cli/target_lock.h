#pragma once
#include <utility>

#include "cli/options.h"

namespace mailproof::cli {

/// One process at a time plays on the server of a target file: its accounts are lent once, and each run takes the
/// mailboxes for its own. Held by a lock on the file (flock(2)), so it ends with the process, however that ends.
/// Nothing is held for the built-in server, nor where flags stand for a file.
class TargetLock {
 public:
  /// Waits, and says so on stderr. An error when the file cannot be opened or the waiting is interrupted.
  static Result<TargetLock> take(const TargetFlags& flags);

  TargetLock(TargetLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  TargetLock& operator=(TargetLock&&) = delete;
  ~TargetLock();

 private:
  explicit TargetLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace mailproof::cli
