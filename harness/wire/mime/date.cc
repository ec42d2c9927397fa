#include "wire/mime/date.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdlib>

#include "core/bytes.h"
#include "wire/mime/tokens.h"
#include "wire/text/words.h"

namespace mailproof::mime {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

std::chrono::sys_days days_of(const DateTime& d) {
  return std::chrono::year(d.year) / std::chrono::month(static_cast<unsigned>(d.month)) /
         std::chrono::day(static_cast<unsigned>(d.day));
}

bool valid(const DateTime& d) {
  if (d.year < 1 || d.year > 9999 || d.month < 1 || d.month > 12 || d.day < 1 || d.day > 31) return false;
  const std::chrono::year_month_day ymd{std::chrono::year(d.year), std::chrono::month(static_cast<unsigned>(d.month)),
                                        std::chrono::day(static_cast<unsigned>(d.day))};
  return ymd.ok() && d.hour < 24 && d.minute < 60 && d.second <= 60;
}

std::optional<int> digits(std::string_view text, std::size_t least, std::size_t most) {
  if (text.size() < least || text.size() > most) return std::nullopt;
  return text::parse_number<int>(text);
}

std::optional<int> month_number(std::string_view name) {
  for (std::size_t i = 0; i < kMonths.size(); ++i)
    if (iequals(name, kMonths[i])) return static_cast<int>(i) + 1;
  return std::nullopt;
}

/// zone = ("+" / "-") 4DIGIT
std::optional<int> numeric_zone(std::string_view text) {
  if (text.size() != 5 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const auto hours = digits(text.substr(1, 2), 2, 2);
  const auto minutes = digits(text.substr(3, 2), 2, 2);
  if (!hours || !minutes || *minutes > 59) return std::nullopt;
  const int total = *hours * 60 + *minutes;
  return text[0] == '-' ? -total : total;
}

/// obs-zone (RFC 5322 section 4.3); unknown names count as -0000.
int named_zone(std::string_view name) {
  struct Zone {
    std::string_view name;
    int minutes;
  };
  constexpr std::array<Zone, 8> kZones{{{"EDT", -240},
                                        {"EST", -300},
                                        {"CDT", -300},
                                        {"CST", -360},
                                        {"MDT", -360},
                                        {"MST", -420},
                                        {"PDT", -420},
                                        {"PST", -480}}};
  for (const Zone& zone : kZones)
    if (iequals(name, zone.name)) return zone.minutes;
  return 0;
}

/// time-of-day = hour ":" minute [ ":" second ]
bool read_time(std::string_view text, std::size_t least_digits, bool seconds_needed, DateTime& date) {
  const std::size_t first = text.find(':');
  if (first == std::string_view::npos) return false;
  const std::size_t second = text.find(':', first + 1);
  if (second == std::string_view::npos && seconds_needed) return false;
  const auto hour = digits(text.substr(0, first), least_digits, 2);
  const auto minute =
      digits(text.substr(first + 1, second == std::string_view::npos ? second : second - first - 1), least_digits, 2);
  const auto seconds =
      second == std::string_view::npos ? std::optional(0) : digits(text.substr(second + 1), least_digits, 2);
  if (!hour || !minute || !seconds) return false;
  date.hour = *hour;
  date.minute = *minute;
  date.second = *seconds;
  return true;
}

/// date-text = date-day "-" date-month "-" date-year
std::optional<DateTime> read_dashed_date(std::string_view text, std::size_t least_day_digits) {
  const std::size_t first = text.find('-');
  const std::size_t second = first == std::string_view::npos ? first : text.find('-', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto day = digits(text.substr(0, first), least_day_digits, 2);
  const auto month = month_number(text.substr(first + 1, second - first - 1));
  const auto year = digits(text.substr(second + 1), 4, 4);
  if (!day || !month || !year) return std::nullopt;
  DateTime date;
  date.year = *year;
  date.month = *month;
  date.day = *day;
  return date;
}

std::string zone_text(int minutes) {
  const int absolute = std::abs(minutes);
  return fmt::format("{}{:02}{:02}", minutes < 0 ? '-' : '+', absolute / 60, absolute % 60);
}

std::string_view next_token(std::string_view& rest, std::string_view specials = "(,") {
  skip_cfws(rest);
  return take_until(rest, specials);
}

}  // namespace

std::int64_t DateTime::unix_seconds() const {
  const std::int64_t days = days_of(*this).time_since_epoch().count();
  return days * 86400 + hour * 3600 + minute * 60 + second - std::int64_t{zone_minutes} * 60;
}

DateTime from_unix_seconds(std::int64_t seconds, int zone_minutes) {
  seconds += std::int64_t{zone_minutes} * 60;
  std::int64_t days = seconds / 86400;
  std::int64_t rest = seconds % 86400;
  if (rest < 0) {
    rest += 86400;
    --days;
  }
  const std::chrono::year_month_day ymd{std::chrono::sys_days{std::chrono::days{days}}};
  DateTime date;
  date.year = static_cast<int>(ymd.year());
  date.month = static_cast<int>(static_cast<unsigned>(ymd.month()));
  date.day = static_cast<int>(static_cast<unsigned>(ymd.day()));
  date.hour = static_cast<int>(rest / 3600);
  date.minute = static_cast<int>(rest / 60 % 60);
  date.second = static_cast<int>(rest % 60);
  date.zone_minutes = zone_minutes;
  return date;
}

std::string format_message_date(const DateTime& d) {
  const std::chrono::weekday weekday{days_of(d)};
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} {}", kDays[weekday.c_encoding()], d.day,
                     kMonths[static_cast<std::size_t>(d.month - 1)], d.year, d.hour, d.minute, d.second,
                     zone_text(d.zone_minutes));
}

/// date-time = [ day-of-week "," ] day month year hour ":" minute [ ":" second ] zone
std::optional<DateTime> parse_message_date(std::string_view rest) {
  DateTime date;
  std::string_view token = next_token(rest);
  skip_cfws(rest);
  if (rest.starts_with(',')) {
    rest.remove_prefix(1);
    token = next_token(rest);
  }
  const auto day = digits(token, 1, 2);
  const auto month = month_number(next_token(rest));
  const std::string_view year_text = next_token(rest);
  const auto year = digits(year_text, 2, 4);
  if (!day || !month || !year || !read_time(next_token(rest), 1, false, date)) return std::nullopt;
  date.day = *day;
  date.month = *month;
  date.year = *year;
  // RFC 5322 section 4.3: two digits below 50 are 20xx, other two or three digits are counted from 1900.
  if (year_text.size() == 2 && *year < 50) {
    date.year += 2000;
  } else if (year_text.size() < 4) {
    date.year += 1900;
  }
  const std::string_view zone = next_token(rest);
  const auto minutes = numeric_zone(zone);
  if (!minutes && (zone.starts_with('+') || zone.starts_with('-'))) return std::nullopt;
  date.zone_minutes = minutes ? *minutes : named_zone(zone);
  if (!valid(date)) return std::nullopt;
  return date;
}

std::string format_internal_date(const DateTime& d) {
  return fmt::format("{:2}-{}-{:04} {:02}:{:02}:{:02} {}", d.day, kMonths[static_cast<std::size_t>(d.month - 1)],
                     d.year, d.hour, d.minute, d.second, zone_text(d.zone_minutes));
}

/// date-time = date-day-fixed "-" date-month "-" date-year SP time SP zone; date-day-fixed = (SP DIGIT) / 2DIGIT
std::optional<DateTime> parse_internal_date(std::string_view text) {
  if (text.size() != 26 || text[11] != ' ' || text[20] != ' ') return std::nullopt;
  const bool padded = text[0] == ' ';
  auto date = read_dashed_date(text.substr(padded ? 1 : 0, padded ? 10 : 11), padded ? 1 : 2);
  const auto zone = numeric_zone(text.substr(21));
  if (!date || !zone || !read_time(text.substr(12, 8), 2, true, *date)) return std::nullopt;
  date->zone_minutes = *zone;
  return valid(*date) ? date : std::nullopt;
}

bool same_internal_date(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto one = parse_internal_date(a), other = parse_internal_date(b);
  return one && other && one->unix_seconds() == other->unix_seconds();
}

std::optional<DateTime> parse_search_date(std::string_view text) {
  const auto date = read_dashed_date(text, 1);
  return date && valid(*date) ? date : std::nullopt;
}

}  // namespace mailproof::mime
