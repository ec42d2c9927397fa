#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "load/report.h"

namespace mailproof::load {

/// The setting behind a reply that lets nobody in any more; nothing where it is none of those that are known.
std::optional<std::string_view> setting_behind(std::string_view said);
/// What the server said in this load that is a limit of its own, each once, with its setting.
std::vector<std::string> limits_told(const LoadResult& result);

}  // namespace mailproof::load
