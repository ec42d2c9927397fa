#include "server/imap/command_reader.h"

#include <algorithm>
#include <charconv>

namespace mailproof::server {

void Command::clear() {
  line_.clear();
  octets_.clear();
  literals_.clear();
  skipped_ = false;
}

imap::LogicalLine Command::line() {
  for (std::size_t i = 0; i < literals_.size(); ++i) literals_[i].data = octets_[i];
  return {.text = line_, .literals = literals_};
}

CommandReader::Event CommandReader::next(std::string_view& in) {
  if (state_ == State::done) {
    command_.clear();
    state_ = State::line;
  }
  while (!in.empty()) {
    if (state_ == State::literal) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(literal_left_, in.size()));
      if (keep_) command_.octets_.back().append(in.substr(0, n));
      in.remove_prefix(n);
      literal_left_ -= n;
      if (literal_left_ == 0) state_ = State::line;
      continue;
    }
    const auto eol = in.find('\n');
    const auto piece = in.substr(0, eol);
    const std::size_t room = kLineLimit - std::min(kLineLimit, command_.line_.size());
    if (state_ == State::line) command_.line_.append(piece.substr(0, room));
    if (piece.size() > room) state_ = State::skip_line;
    if (eol == std::string_view::npos) {
      in = {};
      break;
    }
    in.remove_prefix(eol + 1);
    if (state_ == State::skip_line) {
      state_ = State::done;
      return Event::too_long;
    }
    if (!command_.line_.empty() && command_.line_.back() == '\r') command_.line_.pop_back();
    if (!raw_ && announces_literal()) {
      state_ = State::asked;
      return Event::literal;
    }
    state_ = State::done;
    return Event::command;
  }
  return Event::need_more;
}

// literal = "{" number ["+"] "}" CRLF *CHAR8
bool CommandReader::announces_literal() {
  const std::string& line = command_.line_;
  if (line.empty() || line.back() != '}' || command_.literals_.size() >= kLiteralCount) return false;
  const auto open = line.rfind('{');
  if (open == std::string::npos) return false;
  const char* begin = line.data() + open + 1;
  const char* end = line.data() + line.size() - 1;
  std::uint64_t size = 0;
  const auto [stop, failed] = std::from_chars(begin, end, size);
  if (failed != std::errc{} || (stop != end && !(stop + 1 == end && *stop == '+'))) return false;
  literal_at_ = open;
  literal_size_ = size;
  literal_synchronising_ = stop == end;
  return true;
}

void CommandReader::begin_literal(bool keep) {
  imap::Literal literal;
  literal.at = literal_at_;
  literal.marker = command_.line_.size() - literal_at_;
  literal.size = literal_size_;
  literal.in_memory = keep;
  literal.number = static_cast<std::uint32_t>(command_.literals_.size());
  command_.literals_.push_back(literal);
  command_.octets_.emplace_back();
  if (!keep) command_.skipped_ = true;
  keep_ = keep;
  literal_left_ = literal_size_;
  state_ = literal_left_ > 0 ? State::literal : State::line;
}

}  // namespace mailproof::server
