#include "server/delivery_trace.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdlib>

namespace mailproof::server {
namespace {

constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

}  // namespace

std::string date_time(const InternalDate& date) {
  using std::chrono::days;
  const std::chrono::sys_seconds shown{std::chrono::seconds(date.seconds + date.zone_minutes * 60)};
  const auto day = std::chrono::floor<days>(shown);
  const std::chrono::year_month_day calendar{day};
  const std::chrono::hh_mm_ss clock{shown - day};
  const int zone = std::abs(date.zone_minutes);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} {}{:02}{:02}", kDays[std::chrono::weekday{day}.c_encoding()],
                     static_cast<unsigned>(calendar.day()), kMonths[static_cast<unsigned>(calendar.month()) - 1],
                     static_cast<int>(calendar.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count(), date.zone_minutes < 0 ? '-' : '+', zone / 60, zone % 60);
}

std::string trace_fields(const Trace& trace) {
  auto text = fmt::format("Return-Path: <{}>\r\nDelivered-To: {}\r\nReceived: ", trace.sender, trace.recipient);
  if (!trace.client.empty()) text += fmt::format("from {} ", trace.client);
  text += fmt::format("by {} with {} id {}\r\n\tfor <{}>; {}\r\n", trace.host, trace.with, trace.id, trace.recipient,
                      date_time(trace.date));
  return text;
}

}  // namespace mailproof::server
