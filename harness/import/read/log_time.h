#pragma once
#include <optional>
#include <string_view>

#include "import/read/overheard.h"

namespace mailproof::imports {

/// Takes the time and the blank behind it off the front of a log's line: "Nov 29 13:42:13 " (RFC 3164), "2026-11-29
/// 13:42:13 " with or without fractions and "+0100", or "2026-11-29T13:42:13.123456+00:00 " (RFC 3339). What has no
/// zone is in this machine's (TZ); what has no year is of the year that puts it last before `newest`.
std::optional<ClockTime> take_log_time(std::string_view& line, ClockTime newest);

}  // namespace mailproof::imports
