#pragma once
#include <string>

#include "history/history.h"

namespace mailproof::history {

/// The lines of history.jsonl, each an object with one of the keys "history", "device", "account", "session",
/// "message", "event", without a line end. Fields that hold nothing are left out. Server text is kept byte for byte:
/// bytes that are not UTF-8 are written as U+FFFD.
void write_info(const HistoryInfo& info, std::string& out);
void write_session(const SessionInfo& session, std::uint32_t number, std::string& out);
void write_message(const MessageInfo& message, std::uint32_t number, std::string& out);
void write_event(const Event& event, std::string& out);

/// Everything at once, a line each.
std::string write_all(const History& history);

/// Appends a JSON string literal.
void write_json_string(std::string_view text, std::string& out);

}  // namespace mailproof::history
