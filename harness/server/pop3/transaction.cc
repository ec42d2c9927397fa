#include <algorithm>

#include "server/pop3/session.h"
#include "wire/text/dot_stuffing.h"

namespace mailproof::server {
namespace {

/// The header, the empty line and so many lines of the body (RFC 1939 section 7), each of them at most `longest`.
std::string_view top_of(std::string_view message, std::uint32_t lines, std::size_t longest = std::string_view::npos) {
  const auto header_end = message.find("\r\n\r\n");
  std::size_t at = 2;
  if (!message.starts_with("\r\n")) {
    if (header_end == std::string_view::npos) return message;
    at = header_end + 4;
  }
  for (; lines > 0 && at < message.size(); --lines) {
    const auto end = message.find("\r\n", at);
    if (end == std::string_view::npos) return message;
    at = end - at > longest ? at + longest : end + 2;
  }
  return message.substr(0, at);
}

std::uint32_t header_lines(std::string_view message) {
  const auto header = message.substr(0, message.find("\r\n\r\n"));
  return static_cast<std::uint32_t>(std::count(header.begin(), header.end(), '\n')) + 1;
}

std::string_view before_dot_line(std::string_view message) {
  if (message.starts_with('.')) return {};
  const auto at = message.find("\r\n.");
  return at == std::string_view::npos ? message : message.substr(0, at + 2);
}

}  // namespace

std::optional<std::uint32_t> Pop3Session::message_number(std::string_view argument) {
  const auto wanted = pop3::parse_message_number(argument);
  if (!wanted) {
    print("-ERR {}\r\n", wanted.error().why);
    return std::nullopt;
  }
  return present(*wanted);
}

std::optional<std::uint32_t> Pop3Session::present(std::uint32_t number) {
  if (maildrop_->has(number)) return number;
  print("-ERR no message {}\r\n", number);
  return std::nullopt;
}

void Pop3Session::stat(std::string_view argument) {
  if (refuse_argument(argument)) return;
  print("+OK {} {}\r\n", maildrop_->count(), maildrop_->octets());
}

void Pop3Session::list(std::string_view argument) {
  if (!argument.empty()) {
    if (const auto n = message_number(argument)) print("+OK {} {}\r\n", *n, maildrop_->octets(*n));
    return;
  }
  print("+OK {} messages ({} octets)\r\n", maildrop_->count(), maildrop_->octets());
  for (std::uint32_t n = 1; n <= maildrop_->last(); ++n) {
    if (maildrop_->lists(n)) print("{} {}\r\n", n, maildrop_->octets(n));
  }
  write(".\r\n");
}

void Pop3Session::uidl(std::string_view argument) {
  if (context().has(latitude("pop3.no-uidl"))) return write("-ERR unknown command\r\n");
  if (!argument.empty()) {
    if (const auto n = message_number(argument)) print("+OK {} {}\r\n", *n, maildrop_->unique_id(*n));
    return;
  }
  write("+OK unique-ids follow\r\n");
  for (std::uint32_t n = 1; n <= maildrop_->last(); ++n) {
    if (maildrop_->lists(n)) print("{} {}\r\n", n, maildrop_->unique_id(n));
  }
  write(".\r\n");
}

void Pop3Session::retr(std::string_view argument) {
  const auto n = message_number(argument);
  if (!n) return;
  const auto& message = maildrop_->message(*n);
  const auto& content = message->content;
  if (refuse_without_utf8(*content)) return;
  const std::string status = fmt::format("+OK {} octets\r\n", maildrop_->octets(*n));
  write(status);
  if (message->expunged && context().has(defect("pop3.removed-is-empty"))) return write(".\r\n");
  if (context().has(defect("pop3.retr-cut-at-dot-line"))) {
    write(text::dot_stuffed(before_dot_line(*content)));
  } else {
    write_message(content, status.size());
  }
  maildrop_->downloaded(*n);
  if (context().has(latitude("pop3.retr-sets-seen"))) maildrop_->mark_seen(*n);
}

/// `before`: octets of the reply that were written already.
void Pop3Session::write_message(const std::shared_ptr<const std::string>& content, std::size_t before) {
  if (!content->ends_with('\n') && context().has(defect("pop3.unfinished-line-glued"))) {
    out().body(content);
  } else if (text::needs_dot_stuffing(*content)) {
    out().body(std::make_shared<const std::string>(text::dot_stuffed(*content)));
    return;
  }
  out().body(content);
  const bool kept = (before + content->size() + 2) % 4096 == 0 && context().has(defect("pop3.block-end-lost-at-edge"));
  write(kept ? ".\r" : ".\r\n");
}

void Pop3Session::top(std::string_view argument) {
  const auto wanted = pop3::parse_top(argument);
  if (!wanted) return print("-ERR {}\r\n", wanted.error().why);
  const auto n = present(wanted->number);
  if (!n) return;
  const auto& content = *maildrop_->message(*n)->content;
  if (refuse_without_utf8(content)) return;
  auto lines = wanted->lines;
  if (context().has(defect("pop3.top-counts-header"))) lines -= std::min(lines, header_lines(content));
  write("+OK top of message follows\r\n");
  const bool pieces = context().has(defect("pop3.top-counts-pieces"));
  write(text::dot_stuffed(pieces ? top_of(content, lines, 1024) : top_of(content, lines)));
}

void Pop3Session::dele(std::string_view argument) {
  const auto n = message_number(argument);
  if (!n) return;
  if (context().has(latitude("pop3.dele-refused"))) return write("-ERR [SYS/PERM] the maildrop is read-only\r\n");
  maildrop_->mark(*n);
  print("+OK message {} deleted\r\n", *n);
}

void Pop3Session::rset(std::string_view argument) {
  if (refuse_argument(argument)) return;
  maildrop_->unmark_all();
  print("+OK maildrop has {} messages ({} octets)\r\n", maildrop_->count(), maildrop_->octets());
}

void Pop3Session::noop(std::string_view argument) {
  if (refuse_argument(argument)) return;
  write("+OK\r\n");
}

}  // namespace mailproof::server
