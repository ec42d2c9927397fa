#include "cli/arena.h"

#include <chrono>

namespace mailproof::cli {

Result<std::unique_ptr<Arena>> Arena::make(const PlayFlags& flags, const scenario::Target& target) {
  auto hosted = host_builtin(flags.target, target);
  if (!hosted) return hosted.error();
  auto out = std::unique_ptr<Arena>(new Arena(flags, std::move(*hosted)));
  return out;
}

Result<std::unique_ptr<Arena>> Arena::make_right(const PlayFlags& flags) {
  PlayFlags right = flags;
  right.target = {};
  right.target.sim = true;
  if (flags.target.sim || flags.target.sockets) right.target.builtin.latitudes = flags.target.builtin.latitudes;
  return make(right, host::sim_target(right.target.builtin));
}

Arena::Arena(const PlayFlags& flags, Hosted hosted) : hosted_(std::move(hosted)), pool_(hosted_.target) {
  setup_ = setup_of(flags, hosted_);
  setup_.settings.slow = true;  // what was asked for by name is played
  setup_.pool = &pool_;
  setup_.quiet = &quiet_;
}

report::ScenarioResult Arena::play(const scenario::Scenario& story, std::uint32_t copy) {
  setup_.run_id = setup_.settings.simulated ? setup_.settings.seed : fresh_run_id();
  return run::play(setup_, {&story, copy, 0});
}

}  // namespace mailproof::cli
