// What clients write down: MailKit's ProtocolLogger, and what Thunderbird remembers of POP3.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <optional>

#include "core/bytes.h"
#include "import/read/log_time.h"
#include "import/read/text_lines.h"

namespace mailproof::imports {
namespace {

constexpr std::string_view kConnected = "Connected to ";
constexpr ClockTime kNext = std::chrono::microseconds(1);  ///< between lines that have no time

/// "imap://mail.example.test:143/" as "mail.example.test:143".
std::string host_of(std::string_view url) {
  if (const std::size_t at = url.find("://"); at != std::string_view::npos) url.remove_prefix(at + 3);
  return std::string(url.substr(0, url.find('/')));
}

}  // namespace

bool is_mailkit_log(std::string_view text) { return text.starts_with(kConnected); }

/// "Connected to imap://host:143/", then "C: " and "S: " before each line, perhaps with a time before that.
Result<std::vector<Overheard>> read_mailkit_log(const std::string& path, const std::string& text) {
  std::vector<Overheard> out;
  Overheard now;
  ClockTime at{};
  const auto close = [&] {
    if (recognise(now)) out.push_back(std::move(now));
    now = {};
  };
  TextLines lines(text);
  while (lines.next()) {
    std::string_view line = lines.without_cr();
    if (line.starts_with(kConnected)) {
      close();
      now.file = path;
      now.about.server = host_of(line.substr(kConnected.size()));
      continue;
    }
    at += kNext;
    if (const auto told = take_log_time(line, {})) at = std::max(at, *told);
    const bool server = line.starts_with("S: ");
    if (!server && !line.starts_with("C: ")) {
      if (line.empty()) continue;
      return Error{
          fmt::format("{}:{}:1", path, lines.number),
          fmt::format("expected \"C: \", \"S: \" or \"Connected to \", as MailKit's ProtocolLogger writes, and "
                      "here is: {}",
                      printable(line, 60))};
    }
    now.pieces.push_back({server ? Piece::Kind::server : Piece::Kind::client, at,
                          std::string(line.substr(3)) + (lines.ended ? "\r\n" : ""), false});
  }
  close();
  return out;
}

bool is_popstate(std::string_view text) {
  TextLines lines(text);
  bool account = false;
  while (lines.next()) {
    const std::string_view line = lines.without_cr();
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with('*')) {
      account = line.find(' ') != std::string_view::npos;
      if (!account) return false;
      continue;
    }
    const bool form = line.size() > 2 && line[1] == ' ' && std::string_view("kdbf").find(line[0]) != std::string::npos;
    return account && form;
  }
  return account;
}

/// "*mail.example.test alice", then "k 000000036b0c2bb5 1795342502" for each message that Thunderbird has taken or
/// left.
Result<std::vector<Overheard>> read_popstate(const std::string& path, const std::string& text) {
  Overheard state;
  state.file = path;
  std::string host, user;
  TextLines lines(text);
  while (lines.next()) {
    std::string_view line = lines.without_cr();
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t space = line.find(' ');
    const auto wrong = [&](std::string_view expected) {
      return Error{fmt::format("{}:{}:1", path, lines.number),
                   fmt::format("expected {}, and here is: {}", expected, printable(line, 60))};
    };
    if (space == std::string_view::npos) return wrong("\"*HOST USER\" or \"k UNIQUE-ID SECONDS\"");
    if (line.front() == '*') {
      host = line.substr(1, space - 1);
      user = line.substr(space + 1);
      continue;
    }
    const std::string_view rest = line.substr(space + 1), uidl = rest.substr(0, rest.find(' '));
    const std::string_view when = uidl.size() < rest.size() ? rest.substr(uidl.size() + 1) : std::string_view();
    std::int64_t seconds = 0;
    std::from_chars(when.data(), when.data() + when.size(), seconds);
    const std::string_view state_of = line.front() == 'k'   ? "taken, and left on the server"
                                      : line.front() == 'd' ? "taken, and to be deleted"
                                      : line.front() == 'b' ? "left there, because it is too big"
                                      : line.front() == 'f' ? "to be taken whole"
                                                            : "";
    if (space != 1 || state_of.empty() || user.empty()) return wrong("k, d, b or f behind a line \"*HOST USER\"");
    const auto known_since = clock_time(seconds);
    if (!known_since) return wrong("seconds since 1970, before the year 2200");
    Logged out;
    out.at = *known_since;
    out.in_the_end = true;
    out.said.code = line.front() == 'd' ? "to-be-deleted" : "kept";
    out.said.user = user;
    out.said.uidl = uidl;
    out.said.text = fmt::format("popstate.dat of {} on {}: {}; known since {:%Y-%m-%d %H:%M:%S} UTC", user, host,
                                state_of, fmt::gmtime(static_cast<std::time_t>(seconds)));
    state.logged.push_back(std::move(out));
  }
  std::vector<Overheard> all;
  if (!state.logged.empty()) all.push_back(std::move(state));
  return all;
}

}  // namespace mailproof::imports
