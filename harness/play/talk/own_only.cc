// Before a line that takes messages by their number: whose they are.
#include <fmt/format.h>

#include <charconv>
#include <set>

#include "core/bytes.h"
#include "play/ownership.h"
#include "play/talk/talk.h"

namespace mailproof::play {
namespace {

using Op = scenario::TalkLine::Op;

std::string first_word(std::string_view text) { return upper(text.substr(0, text.find_first_of(" |\\"))); }

/// It removes a message, or shows all of it (RFC 1939 section 5).
bool takes(std::string_view text) { return first_word(text) == "DELE" || first_word(text) == "RETR"; }

bool logs_in(std::string_view text) {
  const std::string word = first_word(text);
  return word == "PASS" || word == "APOP" || word == "AUTH";
}

/// Of "+OK n octets".
std::uint32_t count_of(std::string_view reply) {
  std::uint32_t out = 0;
  const auto digits = reply.substr(std::min(reply.size(), std::string_view("+OK ").size()));
  std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return out;
}

}  // namespace

/// The lines of the write that comes next; behind "stop-reading" no reply to a look would be read.
bool Talk::next_write(int connection, bool (*is)(std::string_view)) const {
  for (std::size_t i = next_; i < check_.talk.size(); ++i) {
    const TalkLine& line = check_.talk[i];
    if (line.connection == connection && line.op == Op::stop_reading) continue;
    if (line.connection != connection || (line.op != Op::send && line.op != Op::send_raw)) return false;
    if (is(line.text)) return true;
  }
  return false;
}

/// Delivery reports about the talk's own mail that were seen in the connection's INBOX.
std::size_t Talk::known_reports(const Line& at) const {
  std::set<std::pair<std::uint32_t, std::uint32_t>> found;
  for (const auto& e : context_.history.events())
    if (e.what == history::What::report && e.message != 0 && iequals(e.mailbox, "INBOX") && e.session != 0 &&
        context_.history.session(e.session).account == at.how.account + 1)
      found.insert({e.uidvalidity, e.uid});
  return found.size();
}

/// Numbers of POP3 are a session's own (RFC 1939 section 4), in whatever order, and its maildrop may hold what no other
/// view of the account showed. So once in a session, before its first line that takes one of them, each is looked at in
/// that very session, by its header. Anything that is not ours ends the check there: nothing of it is removed or read.
Talk::Came Talk::only_ours(Line& at) {
  using State = Line::Looking;
  if (!guarded() || at.how.protocol != Protocol::pop3) return Came::on;
  if (at.looking == State::over || !next_write(at.number, takes)) {
    at.said_login = at.said_login || next_write(at.number, logs_in);
    return Came::on;
  }
  TalkConnection& connection = *at.connection;
  if (at.looking == State::not_yet) {
    const bool logged_in = at.how.standing == scenario::Standing::authenticated || at.said_login;
    // Before a login nothing can be taken; behind commands whose replies nobody read yet, nothing can be asked.
    if (!logged_in || connection.over() || connection.unanswered() != 0) return Came::on;
    at.looking = State::asked_count;
    at.unread = connection.replies.size();
    connection.send({{"STAT\r\n", false}});
    since_ = context_.network.now();
  }
  while (at.looking != State::over) {
    if (connection.replies.size() <= at.unread) {
      if (connection.over()) break;  // nothing can be taken over it any more
      return waits() ? Came::blocked : not_ours("the server did not answer when its maildrop was looked through");
    }
    const TalkReply reply = std::move(connection.replies.back());
    connection.replies.pop_back();
    if (at.looking == State::asked_count) {
      if (!istarts_with(reply.line, "+OK")) break;  // it is nobody's maildrop yet
      at.count = count_of(reply.line);
      at.looking = State::asked_header;
    } else if (!istarts_with(reply.line, "+OK")) {
      // Without TOP the look before the first line has to do, where it was one over IMAP and there are no more by now.
      if (context_.endpoint(Protocol::imap) != nullptr && at.count <= context_.history.messages().size()) break;
      return not_ours(fmt::format("TOP {} 0 was answered {}", at.looked, printable(reply.line, 100)));
    } else {
      mail::ContentScanner scanner;
      scanner.begin();
      scanner.add(reply.body);
      scanner.end();
      const Whose whose = identify(context_.messages, scanner).whose;
      // As many as the talk awaited, and IMAP found to be about its mail, are ours.
      const bool known = whose == Whose::maybe_report && ++at.reports <= known_reports(at);
      if (whose == Whose::foreign || (whose == Whose::maybe_report && !known))
        return not_ours(fmt::format("message {} of the maildrop is not ours", at.looked));
    }
    if (at.looked == at.count) break;
    connection.send({{fmt::format("TOP {} 0\r\n", ++at.looked), false}});
    since_ = context_.network.now();
  }
  at.looking = State::over;
  return Came::on;
}

/// What could not be looked at is somebody else's: the check ends there, and nobody is accused of it.
Talk::Came Talk::not_ours(const std::string& why) {
  context_.fail("foreign", fmt::format("{}; nothing was fetched or removed", why));
  return Came::ended;
}

}  // namespace mailproof::play
