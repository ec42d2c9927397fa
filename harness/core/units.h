#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace mailproof {

/// "64KiB", "10MB", "8 KiB", "512": octets. kB/MB/GB are powers of 1000, KiB/MiB/GiB of 1024. Nothing on overflow or
/// other words.
std::optional<std::uint64_t> parse_size(std::string_view text);
std::string format_size(std::uint64_t octets);
/// Octets of so many units of 1024, as quotas are told (RFC 9208 section 5.1): more than 2^63 - 1 are that many.
std::uint64_t octets_of_kib(std::uint64_t units);

/// "250ms", "5s", "2m", "1h", "3d". A unit is required. Nothing on anything else.
std::optional<Duration> parse_duration(std::string_view text);

/// "20/s", "1200/m": per second.
std::optional<double> parse_rate(std::string_view text);

/// The known word nearest to `word`, for "did you mean": letters added, left out, changed or swapped, at most a third;
/// before all others the only one that begins with it and a dash: "removed-by-client" of "removed".
std::optional<std::string> nearest_word(std::string_view word, const std::vector<std::string>& known);

}  // namespace mailproof
