// Cyrus telemetry: one file a process or session, in chunks as they were read and written, with the second.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "import/read/overheard.h"

namespace mailproof::imports {
namespace {

struct Marker {
  Piece::Kind kind = Piece::Kind::client;
  std::int64_t seconds = 0;
  std::size_t at = 0, size = 0;
};

/// "<1795342502<" or ">1795342502>", no earlier than what came before: it may stand in the middle of a line, and
/// nothing keeps mail from holding what looks like one.
std::optional<Marker> next_marker(std::string_view text, std::size_t from, std::int64_t earliest) {
  for (std::size_t at = text.find_first_of("<>", from); at != std::string_view::npos;
       at = text.find_first_of("<>", at + 1)) {
    const std::size_t end = text.find_first_not_of("0123456789", at + 1);
    if (end == std::string_view::npos || text[end] != text[at] || end - at - 1 < 9 || end - at - 1 > 11) continue;
    std::int64_t seconds = 0;
    std::from_chars(text.data() + at + 1, text.data() + end, seconds);
    if (seconds < earliest || !clock_time(seconds)) continue;
    return Marker{text[at] == '<' ? Piece::Kind::client : Piece::Kind::server, seconds, at, end + 1 - at};
  }
  return std::nullopt;
}

/// "---------- alice Sun Nov 22 10:15:02 2026" and an empty line, as imap/telemetry.c writes them (ctime's date). A
/// line of dashes alone begins nothing: mail that was forwarded has one.
bool is_header(std::string_view text) {
  constexpr std::string_view kDashes = "---------- ";
  constexpr std::string_view kDate = "aaa aaa dd dd:dd:dd dddd";
  const std::size_t end = text.find('\n');
  if (!text.starts_with(kDashes) || end == std::string_view::npos) return false;
  std::string_view line = text.substr(0, end), rest = text.substr(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() <= kDashes.size() + kDate.size() + 1) return false;
  const std::string_view date = line.substr(line.size() - kDate.size());
  for (std::size_t i = 0; i < kDate.size(); ++i) {
    const char c = date[i];
    const bool digit = c >= '0' && c <= '9', letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    const bool fits = kDate[i] == 'a' ? letter : kDate[i] == 'd' ? digit || (i == 8 && c == ' ') : c == kDate[i];
    if (!fits) return false;
  }
  return line[line.size() - kDate.size() - 1] == ' ' && (rest.starts_with('\n') || rest.starts_with("\r\n"));
}

/// What stands behind one header, "---------- alice Sun Nov 22 10:15:02 2026".
void read_session(const std::string& path, std::string_view header, std::string_view text,
                  std::vector<Overheard>& out) {
  constexpr std::string_view kDashes = "---------- ";
  if (!header.starts_with(kDashes)) return;  // the end of something that is not here
  Overheard conversation;
  conversation.file = path;
  conversation.about.server = path;
  conversation.about.resolution = 1;
  header.remove_prefix(kDashes.size());
  conversation.about.user = header.substr(0, header.find(' '));
  auto marker = next_marker(text, 0, 0);
  while (marker) {
    const std::size_t begin = marker->at + marker->size;
    const auto next = next_marker(text, begin, marker->seconds);
    const std::string_view octets = text.substr(begin, (next ? next->at : text.size()) - begin);
    conversation.pieces.push_back({marker->kind, *clock_time(marker->seconds), std::string(octets), false});
    marker = next;
  }
  if (!recognise(conversation)) return;
  // It begins when somebody has logged in.
  if (conversation.about.begin != Begin::greeting) conversation.about.begin = Begin::login;
  out.push_back(std::move(conversation));
}

}  // namespace

Result<std::vector<Overheard>> read_cyrus_telemetry(const std::string& path, const std::string& text) {
  constexpr std::string_view kHeader = "\n---------- ";
  std::vector<Overheard> out;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t line_end = std::min(rest.find('\n'), rest.size());
    std::size_t next = rest.find(kHeader, line_end);
    while (next != std::string_view::npos && !is_header(rest.substr(next + 1))) next = rest.find(kHeader, next + 1);
    next = std::min(next, rest.size());
    read_session(path, rest.substr(0, line_end), rest.substr(line_end, next + 1 - line_end),
                 out);  // with its own line end
    rest.remove_prefix(std::min(next + 1, rest.size()));
  }
  return out;
}

}  // namespace mailproof::imports
