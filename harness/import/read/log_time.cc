#include "import/read/log_time.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <ctime>

namespace mailproof::imports {
namespace {

/// So many digits off the front.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  int out = 0;
  if (text.size() < count) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + count, out);
  if (error != std::errc() || end != text.data() + count || text.front() == '-') return std::nullopt;
  text.remove_prefix(count);
  return out;
}

bool take_sign(std::string_view& text, char sign) {
  if (!text.starts_with(sign)) return false;
  text.remove_prefix(1);
  return true;
}

bool take_clock(std::string_view& text, std::tm& into) {
  const auto hour = take_digits(text, 2);
  if (!hour || !take_sign(text, ':')) return false;
  const auto minute = take_digits(text, 2);
  if (!minute || !take_sign(text, ':')) return false;
  const auto second = take_digits(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return false;
  into.tm_hour = *hour;
  into.tm_min = *minute;
  into.tm_sec = *second;
  return true;
}

ClockTime take_fraction(std::string_view& text) {
  if (!text.starts_with('.')) return {};
  text.remove_prefix(1);
  std::int64_t nanos = 0, unit = 100'000'000;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    nanos += unit * (text.front() - '0');
    unit /= 10;
    text.remove_prefix(1);
  }
  return ClockTime(nanos);
}

/// Seconds east of Greenwich: "Z", "+01:00", "+0100".
std::optional<std::int64_t> take_zone(std::string_view& text) {
  if (take_sign(text, 'Z')) return 0;
  const bool west = text.starts_with('-');
  if (!west && !text.starts_with('+')) return std::nullopt;
  std::string_view rest = text.substr(1);
  const auto hours = take_digits(rest, 2);
  take_sign(rest, ':');
  const auto minutes = take_digits(rest, 2);
  if (!hours || !minutes) return std::nullopt;
  text = rest;
  const std::int64_t east = *hours * 3600 + *minutes * 60;
  return west ? -east : east;
}

/// Of local time.
std::optional<ClockTime> moment(std::tm date) {
  date.tm_isdst = -1;
  return clock_time(std::mktime(&date));
}

std::optional<ClockTime> take_syslog(std::string_view& line, ClockTime newest) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::string_view text = line;
  std::tm date{};
  date.tm_mon = -1;
  for (std::size_t month = 0; month < kMonths.size(); ++month)
    if (text.starts_with(kMonths[month])) date.tm_mon = static_cast<int>(month);
  if (date.tm_mon < 0) return std::nullopt;
  text.remove_prefix(3);
  if (!take_sign(text, ' ')) return std::nullopt;
  const bool one_digit = take_sign(text, ' ');
  const auto day = take_digits(text, one_digit ? 1 : 2);
  if (!day || *day < 1 || *day > 31 || !take_sign(text, ' ') || !take_clock(text, date) || !take_sign(text, ' '))
    return std::nullopt;
  date.tm_mday = *day;
  const std::time_t last = std::chrono::duration_cast<std::chrono::seconds>(newest).count();
  std::tm now{};
  if (localtime_r(&last, &now) == nullptr) return std::nullopt;
  date.tm_year = now.tm_year;
  // A day of grace: what is written last may be in another zone.
  auto at = moment(date);
  if (!at || *at > newest + std::chrono::hours(24)) {
    --date.tm_year;
    at = moment(date);
  }
  if (at) line = text;
  return at;
}

}  // namespace

std::optional<ClockTime> take_log_time(std::string_view& line, ClockTime newest) {
  std::string_view text = line;
  const auto year = take_digits(text, 4);
  if (!year) return take_syslog(line, newest);
  std::tm date{};
  if (!take_sign(text, '-')) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take_sign(text, '-')) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day || (!take_sign(text, ' ') && !take_sign(text, 'T')) || !take_clock(text, date)) return std::nullopt;
  if (*month < 1 || *month > 12 || *day < 1 || *day > 31 || *year < 1970) return std::nullopt;
  date.tm_year = *year - 1900;
  date.tm_mon = *month - 1;
  date.tm_mday = *day;
  const ClockTime fraction = take_fraction(text);
  std::string_view zone = text;
  take_sign(zone, ' ');
  std::optional<ClockTime> at;
  if (const auto east = take_zone(zone)) {
    text = zone;
    at = clock_time(timegm(&date) - *east);
  } else {
    at = moment(date);
  }
  if (!at || !take_sign(text, ' ')) return std::nullopt;
  line = text;
  return *at + fraction;
}

}  // namespace mailproof::imports
