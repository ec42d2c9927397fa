#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/store_mailbox.h"

namespace mailproof::server {

/// date-time of RFC 3501 section 9, without its quotes: "17-Jul-1996 02:44:25 -0700", the day with a leading space or
/// zero.
std::optional<InternalDate> parse_date_time(std::string_view text);
std::string format_date_time(const InternalDate& date);

/// A calendar day, counted from 1970-01-01, for the search keys that disregard time and zone (RFC 3501 section 6.4.4).
using Day = std::int64_t;
std::optional<Day> parse_date(std::string_view text);  ///< date = "1-Feb-1994", quotes taken off
Day day_of(const InternalDate& date);                  ///< in its own zone
/// The day a Date: field names, in its own zone: "Mon, 7 Feb 1994 21:52:25 -0800 (PST)" (RFC 5322 section 3.3, also its
/// obsolete forms). Nothing when there is none.
std::optional<Day> parse_header_day(std::string_view field);

}  // namespace mailproof::server
