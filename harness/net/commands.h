#pragma once
#include <chrono>
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
  bool began = true;   ///< false: it never ran, and changed nothing
};
inline constexpr std::size_t kCommandOutput = 4096;

/// What becomes of a program that still runs when nobody waits for it any more.
enum class Unawaited { killed, asked_to_end, left };

/// Runs programs beside a loop and on its thread; needs Linux 5.3 to be told when one ends. Destroying it kills those
/// of what still runs that are to be.
class Commands {
 public:
  using Done = std::function<void(const CommandResult&)>;
  /// `secrets`: variables of our environment that no program inherits. It inherits no descriptor but its three.
  explicit Commands(Loop& loop, std::vector<std::string> secrets = {});
  ~Commands();
  Commands(const Commands&) = delete;

  /// `input` goes to its standard input; null = there is none. After `bound` it is asked to end (SIGTERM), and killed
  /// kGrace later, with all it started in its process group. `done` is called from the loop's run, or from await().
  void run(const std::vector<std::string>& arguments, const std::shared_ptr<const std::string>& input, Duration bound,
           Done done, Unawaited unawaited = Unawaited::killed);
  static constexpr Duration kGrace = std::chrono::seconds(5);

  /// Waits without the loop, which nothing else is to happen in: until everything ended, but no longer than this. Also
  /// for what is begun meanwhile.
  void await(Time until);
  /// Sends SIGTERM to what is `asked_to_end`.
  void ask_to_end();
  /// Kills what would be `killed`; nobody is told of it.
  void drop();

 private:
  class Child;
  void forget(const Child& child);

  Loop& loop_;
  std::vector<std::string> secrets_;
  std::vector<std::shared_ptr<Child>> children_;
};

}  // namespace mailproof::net
