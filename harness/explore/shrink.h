#pragma once
#include <cstddef>
#include <functional>
#include <string>

#include "scenario/yaml/node.h"

namespace mailproof::explore {

/// Whether a story still shows what the first one showed. It is asked about stories that can be played only.
using StillFails = std::function<bool(const scenario::Node& story)>;

struct ShrinkLimits {
  std::size_t most_tries = 5000;    ///< of StillFails
  std::function<bool()> stop = {};  ///< asked before each; true: what was found so far is the result
};

struct Shrunk {
  scenario::Node story;
  std::size_t tries = 0;
  bool finished = true;  ///< nothing that is tried makes it shorter any more; false: a limit was reached
};

/// The shortest story that still fails, as far as leaving out and making smaller lead there (delta debugging, Zeller
/// and Hildebrandt 2002): over devices, steps, steps at the same time, messages, sizes, waits, faults and other
/// options, accounts and customers. `story` is one that fails, the map that a scenario file is; `path` is where it
/// stands, for the files that it names. The result keeps the id, and loses title, why, refs and tags: they are of the
/// longer one.
/// A candidate whose steps do not fit together any more (a message nobody sent) loses these too, before it is asked
/// about. The same story is never asked about twice. Asks nothing of time or chance: the same answers, the same result.
Shrunk shrink(scenario::Node story, const std::string& path, const StillFails& still_fails,
              const ShrinkLimits& limits = {});

/// Its steps, those at the same time counted one by one.
std::size_t steps_in(const scenario::Node& story);

}  // namespace mailproof::explore
