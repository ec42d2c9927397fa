#include "server/imap/dates.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>

#include "core/bytes.h"

namespace mailproof::server {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [stop, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failed != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Day> day_from(std::optional<int> day, std::string_view month, std::optional<int> year) {
  if (!day || !year) return std::nullopt;
  for (unsigned m = 0; m < kMonths.size(); ++m) {
    if (!iequals(kMonths[m], month)) continue;
    const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(m + 1),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date).time_since_epoch().count();
  }
  return std::nullopt;
}

}  // namespace

std::optional<InternalDate> parse_date_time(std::string_view text) {
  // dd-Mon-yyyy hh:mm:ss +zzzz
  if (text.size() != 26 || text[2] != '-' || text[6] != '-' || text[11] != ' ' || text[14] != ':' || text[17] != ':' ||
      text[20] != ' ' || (text[21] != '+' && text[21] != '-')) {
    return std::nullopt;
  }
  const auto day = day_from(number(text.substr(text[0] == ' ' ? 1 : 0, text[0] == ' ' ? 1 : 2)), text.substr(3, 3),
                            number(text.substr(7, 4)));
  const auto hour = number(text.substr(12, 2));
  const auto minute = number(text.substr(15, 2));
  const auto second = number(text.substr(18, 2));
  const auto zone_hour = number(text.substr(22, 2));
  const auto zone_minute = number(text.substr(24, 2));
  if (!day || !hour || !minute || !second || !zone_hour || !zone_minute) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 60 || *zone_minute > 59) return std::nullopt;
  const int zone = (*zone_hour * 60 + *zone_minute) * (text[21] == '-' ? -1 : 1);
  return InternalDate{*day * 86400 + *hour * 3600 + (*minute - zone) * 60 + *second, zone};
}

std::string format_date_time(const InternalDate& date) {
  const auto local = date.seconds + date.zone_minutes * 60;
  const auto day = day_of(date);
  const auto time = local - day * 86400;
  const std::chrono::year_month_day ymd{std::chrono::sys_days(std::chrono::days(day))};
  const int zone = date.zone_minutes < 0 ? -date.zone_minutes : date.zone_minutes;
  return fmt::format("{:02}-{}-{:04} {:02}:{:02}:{:02} {}{:02}{:02}", static_cast<unsigned>(ymd.day()),
                     kMonths[static_cast<unsigned>(ymd.month()) - 1], static_cast<int>(ymd.year()), time / 3600,
                     time / 60 % 60, time % 60, date.zone_minutes < 0 ? '-' : '+', zone / 60, zone % 60);
}

std::optional<Day> parse_date(std::string_view text) {
  const auto first = text.find('-');
  const auto second = text.find('-', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos || first > 2 || text.size() - second != 5) return std::nullopt;
  return day_from(number(text.substr(0, first)), text.substr(first + 1, second - first - 1),
                  number(text.substr(second + 1)));
}

Day day_of(const InternalDate& date) {
  return std::chrono::floor<std::chrono::days>(std::chrono::seconds(date.seconds + date.zone_minutes * 60)).count();
}

std::optional<Day> parse_header_day(std::string_view field) {
  if (const auto comma = field.find(','); comma != std::string_view::npos) field.remove_prefix(comma + 1);
  std::array<std::string_view, 3> words;
  for (auto& word : words) {
    const auto begin = field.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return std::nullopt;
    field.remove_prefix(begin);
    word = field.substr(0, field.find_first_of(" \t\r\n"));
    field.remove_prefix(word.size());
  }
  auto year = number(words[2]);
  if (year && words[2].size() <= 3) *year += *year < 50 && words[2].size() == 2 ? 2000 : 1900;  // RFC 5322 section 4.3
  return day_from(number(words[0]), words[1], year);
}

}  // namespace mailproof::server
