#pragma once
#include <array>

#include "server/server.h"

namespace mailproof::server {

/// One line a defect: name, what the server then does, the judge that must fire. It acts where `defect("its name")` is
/// asked.
inline constexpr std::array<Switch, 0> kDeliveryDefects = {};

}  // namespace mailproof::server
