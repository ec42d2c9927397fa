#pragma once
#include <optional>
#include <string>

#include "scenario/target/target.h"

namespace mailproof::host {

/// The first host of a target that is not this machine, or none.
std::optional<std::string> foreign_host(const scenario::Target& target);

}  // namespace mailproof::host
