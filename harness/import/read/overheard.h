#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "import/observe/recording.h"

namespace mailproof::imports {

/// Nanoseconds since 1970, by the clock of whoever recorded.
using ClockTime = std::chrono::nanoseconds;

/// What a file gives as seconds since 1970; nothing: no mail passed then, before 1970 or after 2199. A recording may
/// hold any number, and what ClockTime can hold ends in 2262.
constexpr std::optional<ClockTime> clock_time(std::int64_t seconds) {
  constexpr std::int64_t kYear2200 = 7'258'118'400;
  if (seconds < 0 || seconds >= kYear2200) return std::nullopt;
  return std::chrono::seconds(seconds);
}

/// What passed at a moment, or what is known of the conversation then.
struct Piece {
  enum class Kind : std::uint8_t { client, server, gap, end } kind = Kind::client;
  ClockTime at{};
  std::string text;        ///< octets; of a gap why
  bool by_server = false;  ///< end: the server ended it, and that is known
};

/// What a log says, and when by its own clock.
struct Logged {
  ClockTime at{};
  Witness said;
  bool in_the_end = false;  ///< it is what a client remembers when all is over; of a file all are, or none
};

/// One conversation as a file has it, in the order of time; or a log, which has none.
struct Overheard {
  std::string file;  ///< where it is found, for people
  Conversation about;
  std::vector<Piece> pieces;
  std::vector<Logged> logged;

  /// When it begins; nothing: it holds nothing that has a time.
  std::optional<ClockTime> begins() const {
    if (!pieces.empty()) return pieces.front().at;
    if (!logged.empty()) return logged.front().at;
    return std::nullopt;
  }
  /// Its stamps count from its own beginning, or are times of a day that is not told: it is in no order to others.
  bool without_date() const {
    const auto begin = begins();
    return begin && *begin < std::chrono::hours(24);
  }
};

/// Reads one file, whatever of the known forms it has, or a directory of them. The error says what was expected. Files
/// of a directory that are no recordings are named in `others`.
Result<std::vector<Overheard>> read_recording(const std::string& path, std::vector<std::string>& others);

/// What has no date is in no order to what other files have: nothing there is compared.
void keep_apart(std::vector<Overheard>& all);

/// Feeds all of them to a recording, in the order of time over all; the earliest is its beginning, which is returned.
ClockTime replay(const std::vector<Overheard>& all, Recording& recording);

/// What protocol it is and where it begins, by who says what first. False: neither a mail protocol nor anything.
bool recognise(Overheard& conversation);

// The forms, by file. Each is given the text of a file and appends what it has.
Result<std::vector<Overheard>> read_dovecot_rawlog(const std::string& path, const std::string& client,
                                                   const std::string& server);
Result<std::vector<Overheard>> read_imaptest_rawlog(const std::string& path, const std::string& text);
Result<std::vector<Overheard>> read_cyrus_telemetry(const std::string& path, const std::string& text);
Result<std::vector<Overheard>> read_curl_trace(const std::string& path, const std::string& text);
Result<std::vector<Overheard>> read_thunderbird_log(const std::string& path, const std::string& text);
Result<std::vector<Overheard>> read_mailkit_log(const std::string& path, const std::string& text);
Result<std::vector<Overheard>> read_javamail_log(const std::string& path, const std::string& text);
Result<std::vector<Overheard>> read_popstate(const std::string& path, const std::string& text);
/// Logs of servers: mail_log's lines of Dovecot, Exim's main log, Postfix's. `newest`: no line is younger, as far as is
/// known; most of them have no year.
Result<std::vector<Overheard>> read_server_log(const std::string& path, const std::string& text, ClockTime newest);
// Whether a file's beginning looks like one.
bool is_thunderbird_log(std::string_view text);
bool is_mailkit_log(std::string_view text);
bool is_javamail_log(std::string_view text);
bool is_popstate(std::string_view text);
bool is_server_log(std::string_view text);
/// Of its own name: it is read again, by libpcap.
Result<std::vector<Overheard>> read_capture(const std::string& path);

}  // namespace mailproof::imports
