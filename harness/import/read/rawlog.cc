// Dovecot's rawlog: two files a connection, each line with the time when it passed. ImapTest's: one file, with the
// direction in each line.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "import/read/overheard.h"

namespace mailproof::imports {
namespace {

/// "1795342502.104113 " off the front.
std::optional<ClockTime> take_stamp(std::string_view& line) {
  const std::size_t dot = line.find('.');
  if (dot == std::string_view::npos || dot > 12) return std::nullopt;
  std::int64_t seconds = 0, micros = 0;
  const auto number = [](std::string_view digits, std::int64_t& into) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    return !digits.empty() && error == std::errc() && end == digits.data() + digits.size();
  };
  if (line.size() < dot + 8 || line[dot + 7] != ' ' || !number(line.substr(0, dot), seconds) ||
      !number(line.substr(dot + 1, 6), micros))
    return std::nullopt;
  const auto at = clock_time(seconds);
  if (!at) return std::nullopt;
  line.remove_prefix(dot + 8);
  return *at + std::chrono::microseconds(micros);
}

/// Takes one line with its LF off the front.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end);
  return line;
}

Error no_stamp(const std::string& path, std::size_t number, std::string_view line) {
  return Error{fmt::format("{}:{}:1", path, number),
               fmt::format("expected the time, as \"1795342502.104113 \", and here is: {}", printable(line, 60))};
}

/// One side of a conversation.
Result<std::vector<Piece>> read_side(const std::string& path, const std::string& text, Piece::Kind kind) {
  std::vector<Piece> out;
  std::string_view rest = text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    std::string_view line = take_line(rest);
    const std::string_view whole = line;
    const auto at = take_stamp(line);
    if (!at && rest.empty() && !whole.ends_with('\n')) break;  // it is being written, or its writer was killed
    if (!at) return no_stamp(path, number, whole);
    out.push_back({kind, *at, std::string(line), false});
  }
  return out;
}

}  // namespace

Result<std::vector<Overheard>> read_dovecot_rawlog(const std::string& path, const std::string& client,
                                                   const std::string& server) {
  auto in = read_side(path + ".in", client, Piece::Kind::client);
  if (!in) return in.error();
  auto out = read_side(path + ".out", server, Piece::Kind::server);
  if (!out) return out.error();
  Overheard conversation;
  conversation.file = path;
  conversation.about.server = path;
  // What passed at the same moment: the client asks, the server answers.
  std::merge(std::make_move_iterator(in->begin()), std::make_move_iterator(in->end()),
             std::make_move_iterator(out->begin()), std::make_move_iterator(out->end()),
             std::back_inserter(conversation.pieces), [](const Piece& a, const Piece& b) { return a.at < b.at; });
  std::vector<Overheard> all;
  if (recognise(conversation)) all.push_back(std::move(conversation));
  return all;
}

/// "1795342502.104113 I: * 2 EXISTS". I is what comes in to ImapTest, from the server. Of an unfinished line, "I>" and
/// "O>", the line end is the log's own.
Result<std::vector<Overheard>> read_imaptest_rawlog(const std::string& path, const std::string& text) {
  Overheard conversation;
  conversation.file = path;
  conversation.about.server = path;
  std::string_view rest = text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    std::string_view line = take_line(rest);
    const std::string_view whole = line;
    const auto at = take_stamp(line);
    if (!at && rest.empty() && !whole.ends_with('\n')) break;
    if (!at) return no_stamp(path, number, whole);
    const bool form = line.size() >= 3 && (line[0] == 'I' || line[0] == 'O') && (line[1] == ':' || line[1] == '>');
    if (!form)
      return Error{fmt::format("{}:{}:{}", path, number, whole.size() - line.size() + 1),
                   fmt::format("expected \"I: \", \"O: \", \"I> \" or \"O> \", and here is: {}", printable(line, 60))};
    const Piece::Kind kind = line[0] == 'I' ? Piece::Kind::server : Piece::Kind::client;
    const bool complete = line[1] == ':';
    line.remove_prefix(3);
    if (line.ends_with('\n')) line.remove_suffix(1);
    std::string octets(line);
    if (complete) octets += octets.ends_with('\r') ? "\n" : "\r\n";
    conversation.pieces.push_back({kind, *at, std::move(octets), false});
  }
  std::vector<Overheard> all;
  if (recognise(conversation)) all.push_back(std::move(conversation));
  return all;
}

}  // namespace mailproof::imports
