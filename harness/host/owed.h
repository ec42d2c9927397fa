#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/secret_mask.h"
#include "scenario/target/target.h"

namespace mailproof::host {

/// What was changed at a target by its own commands and is to be put in order again: a limit, a server that is down or
/// stands still. It is noted before the change is made, in a file of the run as well, so that a run that is killed
/// leaves word of it. Any thread.
class Owed {
 public:
  explicit Owed(const scenario::Target& target);
  Owed(const Owed&) = delete;

  using Number = std::uint64_t;
  /// `command`: program and arguments; empty = the target has none for it.
  Number owe(const std::string& what, const std::vector<std::string>& command);
  void done(Number debt);
  /// A line each: what it is, and the command that does it, for a shell. No password is in it.
  std::map<Number, std::string> left() const;

  void note_in(std::string file);  ///< kept there as long as something is owed, and removed when nothing is
  /// Is told what is done about it at the end. Any thread; may be empty.
  std::function<void(const std::string& line)> say;

 private:
  void note() const;  ///< the mutex is held

  SecretMask secrets_;
  mutable std::mutex mutex_;
  std::map<Number, std::string> debts_;
  Number next_ = 1;
  std::string file_;
};

}  // namespace mailproof::host
