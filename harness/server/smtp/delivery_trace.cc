#include "server/smtp/delivery_trace.h"

#include <fmt/format.h>

#include "wire/mime/date.h"

namespace mailproof::server {

std::string date_time(const InternalDate& date) {
  return mime::format_message_date(mime::from_unix_seconds(date.seconds, date.zone_minutes));
}

std::string trace_fields(const Trace& trace) {
  auto text = fmt::format("Return-Path: <{}>\r\nDelivered-To: {}\r\nReceived: ", trace.sender, trace.recipient);
  if (!trace.client.empty()) text += fmt::format("from {} ", trace.client);
  text += fmt::format("by {} with {} id {}\r\n\tfor <{}>; {}\r\n", trace.host, trace.with, trace.id, trace.recipient,
                      date_time(trace.date));
  return text;
}

}  // namespace mailproof::server
