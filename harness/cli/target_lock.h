#pragma once
#include <utility>
#include <vector>

#include "cli/options.h"

namespace mailproof::cli {

/// One process at a time plays with an account of a server: it is lent once, and each run takes the mailbox for its
/// own. Held by locks on files that are named by endpoint, its host as the addresses it has, in a directory of the
/// user's below the one for temporary files: however many target files or flags name the same endpoint and account, and
/// for as long as the process lives, however that ends. Runs on other hosts, and of other users, are not seen. Nothing
/// is held for the built-in server.
class TargetLock {
 public:
  /// Waits, and says so on stderr. An error when the locks cannot be had or the waiting is interrupted.
  static Result<TargetLock> take(const TargetFlags& flags, const scenario::Target& target);

  TargetLock(TargetLock&& other) noexcept : fds_(std::exchange(other.fds_, {})) {}
  TargetLock& operator=(TargetLock&&) = delete;
  ~TargetLock();

 private:
  TargetLock() = default;
  std::vector<int> fds_;
};

}  // namespace mailproof::cli
