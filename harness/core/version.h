#pragma once

namespace mailproof {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace mailproof
