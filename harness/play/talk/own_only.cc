// Before a line that takes messages by their number: whose they are.
#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <set>
#include <sstream>

#include "core/bytes.h"
#include "play/ownership.h"
#include "play/talk/talk.h"

namespace mailproof::play {
namespace {

using Op = scenario::TalkLine::Op;

/// The words of a command line, in capitals.
std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> out;
  std::istringstream words{upper(line)};
  for (std::string word; words >> word;) out.push_back(std::move(word));
  return out;
}

/// It removes a message, or shows of its text (RFC 1939 sections 5 and 7): TOP with no lines shows no more than a look.
bool takes(std::string_view line) {
  const auto words = words_of(line);
  if (words.empty()) return false;
  if (words[0] == "TOP") return words.size() != 3 || words[2].find_first_not_of('0') != std::string::npos;
  return words[0] == "DELE" || words[0] == "RETR";
}

/// What goes out over POP3, line by line: whether it takes messages, and whether it logs in before it does.
struct Pop3Write {
  Pop3Write(const std::string& begun, std::string_view bytes) {
    std::istringstream lines(begun + std::string(bytes));
    bool logs_in = false;
    for (std::string line; std::getline(lines, line) && !lines.eof();) {
      logs_in = logs_in || pop3_logs_in(line);
      taking = taking || takes(line);
      blind = blind || (logs_in && takes(line));
    }
  }
  bool taking = false, blind = false;
};

/// Of "+OK n octets"; nothing where no number can be made out.
std::optional<std::uint32_t> count_of(std::string_view reply) {
  const auto words = words_of(reply);
  std::uint32_t out = 0;
  if (words.size() < 2) return std::nullopt;
  const auto [end, error] = std::from_chars(words[1].data(), words[1].data() + words[1].size(), out);
  return error == std::errc() && end == words[1].data() + words[1].size() ? std::optional(out) : std::nullopt;
}

}  // namespace

/// Behind "stop-reading" no reply to a look would be read: so before it, for the write that comes next.
bool Talk::next_write_takes(int connection) const {
  for (std::size_t i = next_; i < check_.talk.size(); ++i) {
    const TalkLine& line = check_.talk[i];
    if (line.connection == connection && line.op == Op::stop_reading) continue;
    if (line.connection != connection || (line.op != Op::send && line.op != Op::send_raw)) return false;
    if (takes(line.text)) return true;
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
/// view of the account showed. So once in a session, before its first write that takes one of them, each is looked at
/// in that very session, by its header. Anything that is not ours ends the check there: nothing of it is removed or
/// read.
Talk::Came Talk::only_ours(Line& at, std::string_view bytes) {
  using State = Line::Looking;
  TalkConnection& connection = *at.connection;
  if (at.looking == State::asked_inbox && connection.over()) {
    at.looking = State::over;  // nothing can be taken over it any more, and its look is no other's
    look_.reset();
    ++looks_;
  }
  if (!guarded() || at.how.protocol != Protocol::pop3 || at.looking == State::over || connection.over())
    return Came::on;
  if (at.looking == State::not_yet) {
    const Pop3Write write(connection.begun(), bytes);
    if (!bytes.empty() && !write.taking) return Came::on;
    if (write.blind) return not_ours("a maildrop that is taken from in the write that logs in could not be looked at");
    // A look's reply is told from the talk's own when none of those is owed any more.
    if (connection.unanswered() != 0) {
      if (!waiting_) since_ = context_.network.now();
      waiting_ = true;
      return waits() ? Came::blocked : not_ours("the server owed a reply when its maildrop was to be looked through");
    }
    waiting_ = false;
    // Before a login nothing can be taken.
    if (!connection.let_in() && at.how.standing < scenario::Standing::authenticated) return Came::on;
    if (!connection.begun().empty()) return not_ours("a line that takes was begun before it was looked what there is");
    at.looking = State::asked_count;
    at.unread = connection.replies.size();
    connection.send({{"STAT\r\n", false}});
    since_ = context_.network.now();
  }
  while (at.looking != State::over) {
    if (at.looking == State::asked_inbox) {
      if (!look_->over) return Came::blocked;
      const Look look = *std::exchange(look_, std::nullopt);
      const auto inbox = look.looked.find("INBOX");
      if (!look.why.empty()) return not_ours(look.why);
      const std::size_t there = inbox == look.looked.end() ? 0 : inbox->second.messages();
      // Fewer: of what a session listed another one may have removed some, and what is gone nobody reads or removes.
      const bool gone = there < at.count && at.count <= context_.history.messages().size();
      if (there != at.count && !gone)
        return not_ours("the maildrop has not as many messages as INBOX over IMAP, and TOP is refused");
      break;
    }
    if (connection.replies.size() <= at.unread) {
      if (connection.over()) break;  // nothing can be taken over it any more
      return waits() ? Came::blocked : not_ours("the server did not answer when its maildrop was looked through");
    }
    const TalkReply reply = std::move(connection.replies.back());
    connection.replies.pop_back();
    if (at.looking == State::asked_count) {
      const auto count = istarts_with(reply.line, "+OK") ? count_of(reply.line) : std::nullopt;
      if (!count) return not_ours(fmt::format("STAT was answered {}", printable(reply.line, 100)));
      at.count = *count;
      at.looking = State::asked_header;
    } else if (!istarts_with(reply.line, "+OK")) {
      if (const Came came = without_top(at, reply.line); came != Came::on) return came;
      continue;
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

/// What the session has was there before IMAP is asked now: where all that IMAP shows is ours, and it is as many, so is
/// that; what IMAP does not show any more is gone.
Talk::Came Talk::without_top(Line& at, std::string_view reply) {
  const bool whose = at.how.standing >= scenario::Standing::authenticated || context_.accounts.size() == 1;
  if (context_.endpoint(Protocol::imap) == nullptr || !whose)
    return not_ours(fmt::format("TOP {} 0 was answered {}", at.looked, printable(reply, 100)));
  at.looking = Line::Looking::asked_inbox;
  ++looks_;
  look_ = Look{{"INBOX"}, {at.how.account}};
  look_into(at.how.account);
  return Came::on;
}

/// What could not be looked at is somebody else's: the check ends there, and nobody is accused of it.
Talk::Came Talk::not_ours(const std::string& why) {
  context_.fail("foreign", fmt::format("{}; nothing was fetched or removed", why));
  return Came::ended;
}

}  // namespace mailproof::play
