#pragma once
#include <string>
#include <vector>

#include "core/result.h"
#include "load/report.h"

namespace mailproof::load {

/// What was read of one run directory.
struct Part {
  std::string name;  ///< the directory
  LoadResult result;
};

/// The load that shards played together, as one process that did all of it would report it: counts, histograms and
/// slices add up exactly, in whatever order the parts are given. A shard that is missing, was interrupted, began late
/// or at another time is said first, and then nothing passes. An error where the parts are not of one load, or one of
/// them is there twice.
Result<LoadResult> merge(std::vector<Part> parts);

}  // namespace mailproof::load
