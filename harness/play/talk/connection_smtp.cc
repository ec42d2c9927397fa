// SMTP and LMTP: where a reply ends, and which command it answers.
#include <algorithm>
#include <charconv>

#include "core/bytes.h"
#include "play/talk/connection.h"

namespace mailproof::play {
namespace {

bool is_command(std::string_view line, std::string_view word) {
  return istarts_with(line, word) && (line.size() == word.size() || line[word.size()] == ' ');
}

}  // namespace

bool is_mail_reply(std::string_view line) {
  if (line.size() < 3 || !std::all_of(line.begin(), line.begin() + 3, [](char c) { return c >= '0' && c <= '9'; }))
    return false;
  return line.size() == 3 || line[3] == ' ' || line[3] == '-';
}

/// A line has ended in buffer_; a hyphen behind its code says that the reply goes on. What is no reply is one line.
void TalkConnection::mail_line() {
  std::string text = std::exchange(buffer_, {});
  text.resize(text.size() - (text.ends_with("\r\n") ? 2 : 1));
  TalkReply& reply = building_;
  const bool known = is_mail_reply(text);
  reply.one_code =
      reply.one_code && (reply.block.empty() || (known && reply.block.front().starts_with(text.substr(0, 3))));
  reply.body += (reply.block.empty() ? "" : "\n") + text;
  kept_ += text.size() + sizeof(std::string);
  reply.block.push_back(text);
  const bool more = known && text.size() > 3 && text[3] == '-';
  if (more) reply.block.back()[3] = ' ';
  if (more) return;
  reply.line = std::move(text);
  if (greeted_) mail_answered(reply);
  put(std::exchange(building_, {}));
}

/// 354 and 334 ask for more of the same command: its reply is still to come.
void TalkConnection::mail_answered(const TalkReply& reply) {
  const bool goes_on = reply.line.starts_with('3');
  if (commands_.empty()) return;
  const std::string& command = commands_.front().text;
  if (goes_on) {
    (is_command(command, "AUTH") ? answering_ : content_) = true;
    line_begins_ = true;
    return;
  }
  answering_ = false;
  const bool mail = command == "." || is_command(command, "BDAT");
  if (mail && protocol_ == Protocol::smtp && reply.line.starts_with('2')) ++taken_;
  if (is_command(command, "RCPT") && reply.line.starts_with('2')) ++recipients_;
  if (is_command(command, "MAIL") || is_command(command, "RSET")) recipients_ = 0;
  building_.command = command;
  commands_.pop_front();
}

void TalkConnection::mail_said(const std::string& line) {
  if (!is_command(line, "BDAT")) return;
  const std::string_view size = std::string_view(line).substr(std::min<std::size_t>(5, line.size()));
  std::from_chars(size.data(), size.data() + size.size(), chunk_);
  const bool last = upper(size).ends_with(" LAST");
  if (last && protocol_ == Protocol::lmtp)
    for (std::size_t i = 1; i < recipients_; ++i) commands_.push_back(Command(commands_.back()));
}

/// The final dot. LMTP has a reply for each recipient (RFC 2033 section 4.2); the first is the one that DATA is owed.
void TalkConnection::mail_sent() {
  content_ = false;
  if (commands_.empty()) return;
  commands_.front().text = ".";
  if (protocol_ == Protocol::lmtp)
    for (std::size_t i = 1; i < recipients_; ++i) commands_.push_front(Command(commands_.front()));
}

}  // namespace mailproof::play
