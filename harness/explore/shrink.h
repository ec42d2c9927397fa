#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

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

/// Its steps, those at the same time counted one by one; of a check the lines of its talk.
std::size_t steps_in(const scenario::Node& story);

/// Of a conformance file only this check: the file with nothing else in it where it is a talk; a story with its steps
/// where it has some. Nothing: there is no such check, or a wire rule judges it.
std::optional<scenario::Node> only_check(const scenario::Node& file, std::string_view slug);
bool is_check(const scenario::Node& file);
/// The same for a file of one check that is a talk: the fewest lines, and the least mail before them.
Shrunk shrink_check(scenario::Node file, const std::string& path, const StillFails& still_fails,
                    const ShrinkLimits& limits = {});
std::size_t lines_in(const scenario::Node& file);

}  // namespace mailproof::explore
