#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/loop.h"

namespace mailproof::net {

/// How a program ended: its exit status, 128 + the signal that ended it, or -1 when it never ran or did not end in
/// time.
struct CommandResult {
  int status = 0;
  std::string output;  ///< the end of what it wrote to both its outputs, at most kCommandOutput octets
};
inline constexpr std::size_t kCommandOutput = 4096;

/// Runs programs beside a loop and on its thread; needs Linux 5.3 to be told when one ends. Destroying it kills what
/// still runs.
class Commands {
 public:
  using Done = std::function<void(const CommandResult&)>;
  /// `secrets`: variables of our environment that no program inherits. It inherits no descriptor but its three.
  explicit Commands(Loop& loop, std::vector<std::string> secrets = {});
  ~Commands();
  Commands(const Commands&) = delete;

  /// `input` goes to its standard input; null = there is none. After `bound` it is killed with all it started in its
  /// process group. `done` is called from the loop's run.
  void run(const std::vector<std::string>& arguments, const std::shared_ptr<const std::string>& input, Duration bound,
           Done done);

 private:
  class Child;
  void forget(const Child& child);

  Loop& loop_;
  std::vector<std::string> secrets_;
  std::vector<std::shared_ptr<Child>> children_;
};

}  // namespace mailproof::net
