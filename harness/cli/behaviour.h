#pragma once
#include "cli/options.h"

namespace mailproof::cli {

/// What `probe --behaviour` is told.
struct BehaviourFlags : PlayFlags {
  unsigned jobs = 1;
  bool json = false;
};

/// Plays the folder `behaviour` of the scenarios against the target and says which of the ways there it goes.
/// \return the exit status
int probe_behaviour(const BehaviourFlags& flags);

}  // namespace mailproof::cli
