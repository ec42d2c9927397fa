#pragma once
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/network.h"
#include "net/loop.h"

namespace mailproof::net {

/// How a program ended: its exit status, 128 + the signal that ended it, or -1 when it never ran or did not end in
/// time.
struct CommandResult {
  int status = 0;
  std::string output;  ///< the end of what it wrote to both its outputs, at most kCommandOutput octets
};
inline constexpr std::size_t kCommandOutput = 4096;

/// Runs programs beside a loop, each watched by a thread of its own: a handful in a run, so that a thread costs nothing
/// that counts. Belongs to the loop's thread. Destroying it kills what still runs.
class Commands final : private Alarm {
 public:
  using Done = std::function<void(const CommandResult&)>;
  /// `secrets`: variables of our environment that no program inherits. It inherits no descriptor but its three.
  explicit Commands(Loop& loop, std::vector<std::string> secrets = {});
  ~Commands() override;

  /// `input` goes to its standard input; null = there is none. After `bound` it is killed with all it started in its
  /// process group. `done` is called from the loop's run.
  void run(std::vector<std::string> arguments, std::shared_ptr<const std::string> input, Duration bound, Done done);

 private:
  struct Child;
  void ring(Time now) override;
  void ended(Child* child, CommandResult result);

  Loop& loop_;
  std::vector<std::string> secrets_;
  std::list<std::unique_ptr<Child>> children_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< what was posted may come after the end
};

}  // namespace mailproof::net
