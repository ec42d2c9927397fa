#pragma once
#include <string>
#include <string_view>

#include "server/store/mailbox.h"

namespace mailproof::server {

/// "Thu, 01 Jan 2026 00:00:00 +0000" (RFC 5322 section 3.3).
std::string date_time(const InternalDate& date);

/// How a message came to a mailbox. `client` is empty for what this server wrote itself.
struct Trace {
  std::string_view sender;
  std::string_view recipient;
  std::string_view client;
  std::string_view host;
  std::string_view with;
  std::string_view id;
  InternalDate date;
};

/// Return-Path, Delivered-To and Received, to be put on top of a message (RFC 5321 section 4.4).
std::string trace_fields(const Trace& trace);

}  // namespace mailproof::server
