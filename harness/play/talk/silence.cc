// Silence is late, not wrong: no RFC gives a reply a deadline. A check that ends by it is played once more with more
// patience. What is silent then is asked something else: a server that answers that at once and never answers what came
// before has swallowed a command.
#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "history/talk_ends.h"
#include "play/talk/talk.h"

namespace mailproof::play {
namespace {

using history::Type;
using Op = scenario::TalkLine::Op;

/// Of the patience for a reply: what comes within that comes at once.
constexpr int kAtOnce = 10;
constexpr int kEnough = 2;  ///< commands that were answered

/// Behind a CR too: what a server kept of a block's end is missing in front of its next reply.
bool is_status(std::string_view line) {
  if (line.starts_with('\r')) line.remove_prefix(1);
  return istarts_with(line, "+OK") || istarts_with(line, "-ERR");
}

}  // namespace

Talk::Came Talk::unanswered(Line* at, const scenario::TalkLine& line, std::string wanted, std::string actual) {
  record(at, line, Type::info, std::move(wanted), std::move(actual), std::string(history::kSilent));
  return Came::ended;
}

Talk::Came Talk::silent(Line& at, const scenario::TalkLine& line, std::string wanted, std::string actual) {
  const bool untagged = at.how.protocol == Protocol::imap && line.text.starts_with("* ");  // may be told at any time
  if (!was(history::kSilent) || untagged || at.connection->over())
    return unanswered(&at, line, std::move(wanted), std::move(actual));
  after_ = After{.wanted = std::move(wanted),
                 .actual = std::move(actual),
                 .began_in_block = at.connection->in_block(),
                 .in_block = at.connection->block().size()};
  if (!at.tags.empty()) after_->tag = awaited_tag(at, line, {});
  ask_after(at);
  return Came::blocked;
}

/// Something that has an answer in every state, and is not what was left without one.
void Talk::ask_after(Line& at) {
  After& after = *after_;
  after.since = context_.network.now();
  look_at_ = after.since + bound();
  ++after.asked;
  if (at.how.protocol == Protocol::imap) {
    after.said = fmt::format("late{} NOOP", after.asked);
  } else if (after.said.empty()) {
    after.said = istarts_with(at.connection->oldest_unanswered(), "NOOP")
                     ? (at.how.protocol == Protocol::pop3 ? "STAT" : "RSET")
                     : "NOOP";
  }
  at.connection->send({{after.said + "\r\n", false}});
}

/// The status lines that came since.
std::vector<std::string> Talk::answers_after(const Line& at) const {
  std::vector<std::string> out;
  const bool imap = at.how.protocol == Protocol::imap;
  for (const TalkReply& reply : at.connection->replies)
    if (!imap || reply.line.starts_with("late")) out.push_back(reply.line);
  if (at.connection->in_block() && !after_->began_in_block) out.push_back(at.connection->status());
  const auto& block = at.connection->block();
  for (std::size_t i = after_->in_block; at.connection->in_block() && i < block.size(); ++i)
    if (is_status(block[i])) out.push_back(block[i]);
  return out;
}

/// Whether a reply is missing still. POP3's come in the order of the commands, so the last one tells.
bool Talk::still_owed(const Line& at) const {
  if (at.how.protocol != Protocol::imap) return at.connection->unanswered() > 0 || at.connection->in_block();
  return std::none_of(at.connection->replies.begin(), at.connection->replies.end(),
                      [&](const TalkReply& reply) { return reply.line.starts_with(after_->tag); });
}

/// Two commands, one after the other, must be answered at once and the reply be missing long after: a server that is
/// merely slow would have answered them late as well, and in order (RFC 1939 section 3, RFC 2449 section 6.6).
Talk::Came Talk::after_silence(Line& at, const scenario::TalkLine& line) {
  After& after = *after_;
  const Time now = context_.network.now();
  const Time late = after.since + bound();
  const bool over = at.connection->over();
  const auto came = answers_after(at);
  const auto given_up = [&](const std::string& more) {
    return unanswered(&at, line, std::move(after.wanted), after.actual + more);
  };
  const auto swallowed = [&](std::string actual) {
    if (line.applies) return unsaid(at, line, std::move(actual));
    return wrong(&at, line, std::move(after.wanted), std::move(actual));
  };
  const auto shown = [&] { return fmt::format("{} -> {}", after.said, printable(came.back(), 120)); };
  if (line.op == Op::closed) {
    if (!came.empty()) return swallowed(fmt::format("{}, and answers: {}", after.actual, shown()));
    if (over || now >= late) return given_up(over ? ", and was closed after that" : "");
    look_at_ = late;
    return Came::blocked;
  }
  if (after.waiting) {
    if (!still_owed(at)) return given_up("; it came later");
    if (over || now >= late)
      return swallowed(fmt::format("{}, and what was sent after it was answered at once: {}", after.actual, shown()));
    look_at_ = late;
    return Came::blocked;
  }
  if (came.size() < static_cast<std::size_t>(after.asked)) {
    if (over || now >= late)
      return given_up(over ? fmt::format("; {} was sent, and {}", after.said, how_it_ended(at)) : "");
    look_at_ = late;
    return Came::blocked;
  }
  const bool at_once = now - after.since <= context_.scaled(kBound) / kAtOnce;
  if (!still_owed(at))
    return given_up(at_once ? fmt::format("; it came when {} was sent", after.said) : "; it came later");
  if (!at_once) return given_up("; it came later");
  if (after.asked < kEnough) {
    ask_after(at);
  } else {  // nothing more is sent: only what is owed is awaited
    after.waiting = true;
    after.since = now;
    look_at_ = now + bound();
  }
  return Came::blocked;
}

}  // namespace mailproof::play
