#pragma once
#include <cstdint>
#include <memory>
#include <shared_mutex>

#include "cli/commands.h"
#include "run/worker.h"

namespace mailproof::cli {

/// Plays one story after the other, each in a world of its own, or on the target.
class Arena {
 public:
  static Result<std::unique_ptr<Arena>> make(const PlayFlags& flags, const scenario::Target& target);
  /// The built-in server without a bug, in simulation: a story that fails there is wrong itself. Latitudes of `flags`
  /// stay, where they are those of the built-in server.
  static Result<std::unique_ptr<Arena>> make_right(const PlayFlags& flags);

  report::ScenarioResult play(const scenario::Scenario& story, std::uint32_t copy);

 private:
  Arena(const PlayFlags& flags, Hosted hosted);

  Hosted hosted_;
  run::AccountPool pool_;
  std::shared_mutex quiet_;
  run::Setup setup_;
};

}  // namespace mailproof::cli
