#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "history/talk_ends.h"
#include "play/talk/imap.h"
#include "play/talk/smtp.h"
#include "play/talk/talk.h"
#include "scenario/check/talk.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using Op = scenario::TalkLine::Op;

constexpr const char* kOnlyTls = "a TLS handshake that succeeds, and no clear text behind the reply before it";

}  // namespace

std::string shown(const TalkReply& reply) {
  std::string out = printable(reply.line, 400);
  if (!reply.multi && reply.block.size() > 1) {  // SMTP
    out.clear();
    for (std::size_t i = 0; i < reply.block.size() && i < 20; ++i)
      out += fmt::format("{}{}", i == 0 ? "" : "\n", printable(reply.block[i], 200));
  }
  if (reply.multi)
    out += reply.block.size() == 1 ? std::string("\n(1 line follows)")
                                   : fmt::format("\n({} lines follow)", reply.block.size());
  return out;
}

namespace {

/// The commands that LOGIN-DELAY is enforced at: RFC 2449 section 8.1.1.
bool is_refused_login(const TalkReply& reply) {
  const std::string_view word = std::string_view(reply.command).substr(0, reply.command.find(' '));
  const bool login = iequals(word, "USER") || iequals(word, "PASS") || iequals(word, "AUTH") || iequals(word, "APOP");
  return login && istarts_with(reply.line, "-ERR");
}

}  // namespace

std::string Talk::how_it_ended(const Line& at) const {
  const std::string unfinished = at.connection->unfinished();
  const std::string rest = unfinished.empty() ? "" : fmt::format(", after \"{}\"", printable(unfinished, 120));
  if (at.connection->garbled()) return fmt::format("bytes that are no DEFLATE data (RFC 1951){}", rest);
  switch (at.connection->end()) {
    case EndReason::closed:
      return fmt::format("the server closed the connection{}", rest);
    case EndReason::reset:
      return fmt::format("the server reset the connection{}", rest);
    default:
      return fmt::format("the connection is over ({}{}{}){}", name(at.connection->end()),
                         at.connection->end_detail().empty() ? "" : ": ", at.connection->end_detail(), rest);
  }
}

bool Talk::may_close(const scenario::TalkLine& line) const {
  return std::find(line.alternatives.begin(), line.alternatives.end(), "closed") != line.alternatives.end();
}

std::string Talk::expected(const scenario::TalkLine& line) const {
  if (line.op == Op::reply_regex) return fmt::format("a line like {}", line.text);
  std::string out;
  for (std::size_t i = 0; i < line.alternatives.size(); ++i) {
    if (i > 0) out += ", or ";
    out += line.alternatives[i] == "closed" ? std::string("the connection closed")
                                            : filled_in(line.alternatives[i], variables_);
  }
  return line.op == Op::never ? fmt::format("anything but {}", out) : out;
}

/// `tag`: what the reply must begin with; the patterns are about the rest.
bool Talk::one_of(const Line& at, const scenario::TalkLine& line, const TalkReply& reply, std::string_view tag) {
  if (!reply.line.starts_with(tag)) return false;
  if (scenario::is_mail(at.how.protocol)) return fits_mail_reply(line, reply, variables_);
  const bool imap = at.how.protocol == Protocol::imap;
  if (line.op == Op::reply_regex) return imap ? search_imap(reply.line, line.text) : search(reply.line, line.text);
  const std::string_view text = std::string_view(reply.line).substr(tag.size());
  for (const std::string& pattern : line.alternatives) {
    if (pattern == "closed") continue;
    TalkTrial trial(variables_);
    if (imap ? match_imap(pattern, text, true, variables_) : match_line(pattern, text, variables_)) return trial.keep();
  }
  return false;
}

void Talk::record(Line* at, const scenario::TalkLine& line, Type type, std::string wanted, std::string actual,
                  std::string code) {
  const std::uint32_t session = at == nullptr ? 0 : at->connection->session();
  auto e = context_.event(Type::expect, What::talk, session);
  e.text = line.written;
  e.facts = history::TalkFacts{static_cast<std::uint32_t>(line.line)};
  e.set = std::move(wanted);
  const std::uint32_t index = context_.append(std::move(e));
  auto came = context_.event(type, What::talk, session);
  came.command = index;
  came.code = std::move(code);
  came.text = std::move(actual);
  if (at != nullptr) came.raw = at->connection->here();
  context_.append(std::move(came));
}

Talk::Came Talk::right(Line* at, const scenario::TalkLine& line, std::string actual) {
  record(at, line, Type::ok, expected(line), std::move(actual));
  if (at != nullptr) at->heard = context_.network.now();
  within_.reset();
  next();
  return Came::on;
}

/// The server ended the connection, as the line lets it.
Talk::Came Talk::ended(Line& at, const scenario::TalkLine& line, std::string actual) {
  at.end_taken = true;
  return right(&at, line, std::move(actual));
}

Talk::Came Talk::wrong(Line* at, const scenario::TalkLine& line, std::string wanted, std::string actual) {
  if (actual.empty()) actual = "an empty line";
  if (line.applies) {
    not_applicable(fmt::format("{}: {}", line.written, printable(actual.substr(0, actual.find('\n')), 200)));
    return Came::ended;
  }
  if (line.prepares) {
    record(at, line, Type::info, std::move(wanted), std::move(actual), "preparation");
    return Came::ended;
  }
  if (check_.level == scenario::Level::may) {
    auto e = context_.event(Type::obs, What::observed);
    e.text = fmt::format("not so (a MAY): {}", actual.substr(0, actual.find('\n')));
    context_.append(std::move(e));
  }
  record(at, line, Type::fail, fmt::format("{}\n(line {}: {})", wanted, line.line, line.written), std::move(actual));
  return Came::ended;
}

/// Whether what did not come may still come: then the line is looked at again, at its bound at the latest.
bool Talk::waits() {
  const Time late = since_ + bound();
  if (context_.network.now() >= late) return false;
  look_at_ = late;
  return true;
}

/// Nothing is there yet: come again, until the bound.
Talk::Came Talk::wait_for(Line& at, const scenario::TalkLine& line) {
  if (waits()) return Came::blocked;
  const std::string unfinished = at.connection->unfinished();
  if (line.has_block && at.connection->in_block())
    return silent(at, line, fmt::format("{} and a block of lines that ends with a dot", expected(line)),
                  fmt::format("{}\nand no end of a block within {}{}", printable(at.connection->status(), 200),
                              format_duration(bound()),
                              at.connection->line_begun().empty()
                                  ? ""
                                  : fmt::format(", after \"{}\"", printable(at.connection->line_begun(), 120))));
  // An untagged BAD is of no command (RFC 9051 section 7.1.3): who waits for his tag goes on waiting.
  const auto bad = std::find_if(at.untagged.begin(), at.untagged.end(),
                                [](const TalkReply& reply) { return istarts_with(reply.line, "* BAD"); });
  std::string besides;
  if (bad != at.untagged.end()) {
    besides = fmt::format(", but for \"{}\", which has no tag", printable(bad->line, 120));
  } else if (!unfinished.empty()) {
    besides = fmt::format(", but for \"{}\"", printable(unfinished, 120));
  }
  return silent(at, line, expected(line), fmt::format("nothing within {}{}", format_duration(bound()), besides));
}

/// With what the server ended its service in place of a reply, and closed: 421 may answer any command, and BYE come at
/// any time (RFC 5321 sections 3.8 and 4.2.1, RFC 9051 section 7.1.5). Not where the talk says "S!: 421" or "S!: *
/// BYE": it is about a session that lives on. BYE to LOGOUT is its answer.
const TalkReply* Talk::goodbye(const Line& at) const {
  const bool mail = scenario::is_mail(at.how.protocol);
  const std::string_view word = mail ? "421" : "* BYE";
  if (at.connection->end() != EndReason::closed && at.connection->end() != EndReason::reset) return nullptr;
  const scenario::TalkLine* said = nullptr;
  for (std::size_t i = 0; i < check_.talk.size(); ++i) {
    const auto& line = check_.talk[i];
    if (line.op == Op::never && istarts_with(line.text, word)) return nullptr;
    const bool is_said = line.op == Op::send || line.op == Op::send_raw;
    if (i < next_ && is_said && line.connection == at.number) said = &line;
  }
  if (!mail && said != nullptr && upper(said->text).find("LOGOUT") != std::string::npos) return nullptr;
  const auto says = [&](const TalkReply& reply) { return istarts_with(reply.line, word); };
  if (mail) {
    const auto& replies = at.connection->replies;
    if (replies.empty()) return at.farewell ? &*at.farewell : nullptr;
    return says(replies.front()) ? &replies.front() : nullptr;
  }
  const auto found = std::find_if(at.untagged.begin(), at.untagged.end(), says);
  return found == at.untagged.end() ? nullptr : &*found;
}

/// A reply is awaited and none is there: it may still come, or the server closed, which the line may allow.
Talk::Came Talk::without_reply(Line& at, const scenario::TalkLine& line) {
  if (!at.connection->over()) return wait_for(at, line);
  if (may_close(line) && !at.connection->given_up()) return ended(at, line, "closed");
  if (const TalkReply* said = goodbye(at); said != nullptr && !line.prepares) {
    record(&at, line, Type::info, expected(line), "the server ended the service: " + shown(*said),
           std::string(history::kServiceEnded));
    return Came::ended;
  }
  return line.applies ? unsaid(at, line, how_it_ended(at)) : gone(at, line, expected(line), how_it_ended(at));
}

/// What a server need not do it says by a reply. One that hangs up, or is silent, may as well have failed at it: a
/// crash is not "not applicable", and a network may be to blame, so that nothing is known. At whom guesses
/// passwords a server may hang up (RFC 9051 section 11.7).
Talk::Came Talk::unsaid(Line& at, const scenario::TalkLine& line, std::string actual) {
  if (std::find(check_.allow.begin(), check_.allow.end(), "failed-logins") != check_.allow.end())
    return wrong(&at, line, expected(line), std::move(actual));
  record(&at, line, Type::info, expected(line), std::move(actual), "unsaid");
  return Came::ended;
}

Talk::Came Talk::reply(Line& at, const scenario::TalkLine& line) {
  if (line.op == Op::maybe) return maybe(at, line);
  if (line.op == Op::never) return never(at, line);
  auto& replies = at.connection->replies;
  while (true) {
    if (replies.empty()) return without_reply(at, line);
    const TalkReply came = std::move(replies.front());
    replies.pop_front();
    const bool pop = at.how.protocol == Protocol::pop3;
    if (const Came what = pop ? pop3_reply(at, line, came) : mail_reply(at, line, came); what != Came::on) return what;
    if (++times_ >= line.count) return right(&at, line, printable(came.line, 200));
  }
}

Talk::Came Talk::pop3_reply(Line& at, const scenario::TalkLine& line, const TalkReply& came) {
  at.refused = istarts_with(came.line, "-ERR");
  if (!one_of(at, line, came, {})) {
    if (!delays_ || !is_refused_login(came)) return refused(at, line, expected(line), came);
    not_applicable("the server lists LOGIN-DELAY and refuses a login: " + printable(came.line, 200));
    return Came::ended;
  }
  if (!line.has_block) return Came::on;
  // "S: +OK | -ERR" with a block: the block is about the +OK.
  if (!came.multi && line.alternatives.size() > 1 && !istarts_with(came.line, "+OK")) return Came::on;
  if (!came.multi)
    return wrong(&at, line, fmt::format("{} and a block of lines", expected(line)),
                 fmt::format("{}\nand no block", shown(came)));
  const auto text = [this](std::string_view name) { return message(name); };
  if (auto mismatch = match_block(line.block, came, order_of_reply(came.command), text, variables_))
    return wrong(&at, mismatch->line == nullptr ? line : *mismatch->line, std::move(mismatch->expected),
                 std::move(mismatch->actual));
  return Came::on;
}

Talk::Came Talk::maybe(Line& at, const scenario::TalkLine& line) {
  auto& replies = at.connection->replies;
  if (replies.empty() && !at.connection->over()) {
    if (waits()) return Came::blocked;
  } else if (!replies.empty() && one_of(at, line, replies.front(), awaited_tag(at, line, replies.front()))) {
    // What the command's other lines want to be compared with is there now.
    if (at.how.protocol == Protocol::imap) return imap_status(at, line);
    replies.pop_front();
  }
  if (replies.empty() && may_close(line)) at.end_taken = at.connection->over();
  within_.reset();
  next();
  return Came::on;
}

Talk::Came Talk::never(Line& at, const scenario::TalkLine& line) {
  auto& replies = at.connection->replies;
  if (replies.empty()) {
    if (!at.connection->over()) {
      if (!within_) return wait_for(at, line);
      return waits() ? Came::blocked : right(&at, line, fmt::format("nothing within {}", format_duration(bound())));
    }
    if (may_close(line)) return gone(at, line, expected(line), how_it_ended(at));
    return ended(at, line, how_it_ended(at));
  }
  if (one_of(at, line, replies.front(), awaited_tag(at, line, replies.front())))
    return wrong(&at, line, expected(line), shown(replies.front()));
  return right(&at, line, printable(replies.front().line, 200));
}

Talk::Came Talk::closed(Line& at, const scenario::TalkLine& line) {
  if (!at.connection->replies.empty())
    return wrong(&at, line, "the server closes the connection, and nothing more before that",
                 shown(at.connection->replies.front()));
  if (at.connection->given_up()) return gone(at, line, "the server closes the connection", how_it_ended(at));
  if (at.connection->over() && !line.text.empty()) {
    const auto& tls = at.connection->tls();
    const bool secured = tls && tls->established;
    const bool whole = at.connection->end() == EndReason::closed &&
                       at.connection->end_detail().find("close_notify") == std::string::npos;
    if (!secured || !whole)
      return wrong(&at, line, "a TLS close_notify alert before the end of the connection",
                   !secured                                    ? fmt::format("{}, and it had no TLS", how_it_ended(at))
                   : at.connection->end() == EndReason::closed ? at.connection->end_detail()
                                                               : how_it_ended(at));
  }
  if (at.connection->over()) return ended(at, line, how_it_ended(at));
  if (waits()) return Came::blocked;
  return silent(at, line, "the server closes the connection",
                fmt::format("it is still open after {}", format_duration(bound())));
}

Talk::Came Talk::quiet(Line& at, const scenario::TalkLine& line) {
  const bool came = at.connection->octets() != octets_ || !at.connection->replies.empty();
  if (came) {
    const auto& replies = at.connection->replies;
    return wrong(&at, line, fmt::format("nothing for {}", format_duration(line.span)),
                 replies.empty() ? printable(at.connection->unfinished(), 200) : shown(replies.front()));
  }
  if (at.connection->over() && !at.end_taken && at.connection->end() != EndReason::dropped)
    return gone(at, line, fmt::format("nothing for {}, and the connection stays open", format_duration(line.span)),
                how_it_ended(at));
  const Time until = since_ + line.span;
  if (context_.network.now() >= until || at.connection->over()) return right(&at, line, "nothing");
  look_at_ = until;
  return Came::blocked;
}

Talk::Came Talk::tls(Line& at, const scenario::TalkLine& line) {
  if (times_++ == 0) {
    if (line.text == "either" && at.refused) {  // behind a no there is no TLS to wait for
      at.skipped = true;
      return right(&at, line, "no TLS: it was refused");
    }
    const std::string behind = at.connection->untaken();
    if (line.text.empty() && !behind.empty()) return wrong(&at, line, kOnlyTls, printable(behind, 200));
    at.connection->start_tls();
  }
  const auto& facts = at.connection->tls();
  const bool failed = (facts && !facts->established) || at.connection->over();
  if (!failed && !facts) {
    if (waits()) return Came::blocked;
    return unanswered(&at, line, "a TLS handshake", fmt::format("none within {}", format_duration(bound())));
  }
  const std::string how =
      !failed ? fmt::format("TLS is up ({})", facts->version)
              : fmt::format("no TLS: {}", facts && !facts->error.empty() ? facts->error : how_it_ended(at));
  if (line.text == "fails" && !failed) return wrong(&at, line, "a TLS handshake that fails", how);
  if (line.text.empty() && failed) {
    const bool refused_by_us = facts && certificate_refused(facts->error);
    if (refused_by_us) context_.fail("connect", how);
    return refused_by_us ? Came::ended : wrong(&at, line, "a TLS handshake that succeeds", how);
  }
  if (line.text.empty() && facts->early_bytes != 0)
    return wrong(&at, line, kOnlyTls, fmt::format("{} octets of clear text", facts->early_bytes));
  at.skipped = failed;
  return right(&at, line, how);
}

}  // namespace mailproof::play
