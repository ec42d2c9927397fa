#pragma once
#include <optional>
#include <string>

#include "history/history.h"

namespace mailproof::archive {

using history::AccountInfo;
using history::DeviceInfo;
using history::Event;
using history::History;
using history::HistoryInfo;
using history::MessageInfo;
using history::SessionInfo;

/// The lines of history.jsonl, each an object with one of the keys "run", "history", "account", "device", "session",
/// "message", "event", "end", without a line end. Fields that hold nothing are left out. Server text is kept byte for
/// byte: bytes that are not UTF-8 are written as U+FFFD. What a terminal or a CI would take for a command to itself is
/// escaped, so that a history can be shown as it is.

/// The first line: how many histories there are when all is played, each with an end; without a number some of them are
/// kept only, as a load does.
void write_run(std::optional<std::size_t> histories, std::string& out);
void write_info(const HistoryInfo& info, std::string& out);
/// What turns up after the first line, in the order of their numbers: of a recording.
void write_account(const AccountInfo& info, std::string& out);
void write_device(const DeviceInfo& info, std::string& out);
void write_session(const SessionInfo& session, std::uint32_t number, std::string& out);
void write_message(const MessageInfo& message, std::uint32_t number, std::string& out);
void write_event(const Event& event, std::string& out);
/// The last line of a history: what stands before it is all there was. `took`: from its first step to its last.
void write_end(const History& history, Duration took, std::string& out);

/// A history from its first line to its end, a line each.
std::string write_all(const History& history, Duration took);

}  // namespace mailproof::archive
