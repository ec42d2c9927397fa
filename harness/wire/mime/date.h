#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mailproof::mime {

/// A moment as mail writes it: local time and its zone. Years 1 to 9999.
struct DateTime {
  int year = 1970;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;        ///< 60 in a leap second
  int zone_minutes = 0;  ///< east of UTC
  bool operator==(const DateTime&) const = default;

  /// Seconds since 1970-01-01 00:00:00 UTC.
  std::int64_t unix_seconds() const;
};
DateTime from_unix_seconds(std::int64_t seconds, int zone_minutes = 0);

/// "Sun, 22 Nov 2026 10:12:07 +0000" (RFC 5322 section 3.3).
std::string format_message_date(const DateTime& date);
/// Reads also the obsolete forms: no day of week, two-digit years, zone names, no seconds, comments.
std::optional<DateTime> parse_message_date(std::string_view text);

/// "22-Nov-2026 10:12:07 +0000", the day as two characters (RFC 3501 date-time), without quotes.
std::string format_internal_date(const DateTime& date);
std::optional<DateTime> parse_internal_date(std::string_view text);
/// The same text, or two internal dates of one moment: a day has a space or a zero in front (RFC 3501 section 9,
/// date-day-fixed), and a server may tell a moment in another zone after it was moved or its clock was changed.
bool same_internal_date(std::string_view a, std::string_view b);

/// "22-Nov-2026", of SEARCH (RFC 3501 date-text); the day may have one digit.
std::optional<DateTime> parse_search_date(std::string_view text);

}  // namespace mailproof::mime
