// What ends a check and may pass: a refusal that says "not now", an end of the connection without a word. It is played
// once more because of it. And what no server said: a connection that never was, a certificate that *we* refuse, our
// own bounds.
#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "history/not_now.h"
#include "history/talk_ends.h"
#include "play/talk/smtp.h"
#include "play/talk/talk.h"
#include "scenario/check/talk.h"

namespace mailproof::play {
namespace {

using history::Type;

/// The commands that 4yz is an answer to: "the action may be requested again" (RFC 5321 sections 4.2.1 and 4.3.2). 454
/// puts off TLS (RFC 3207 section 4) and a login (RFC 4954 section 6).
bool may_be_put_off(std::string_view command) {
  const std::string word = upper(command.substr(0, command.find_first_of(" \r")));
  for (const std::string_view known : {"MAIL", "RCPT", "DATA", ".", "BDAT", "STARTTLS", "AUTH"})
    if (word == known) return true;
  return false;
}

/// What does not pass by itself: "the server encountered a bug in itself", somebody has to see to it (RFC 5530 section
/// 3, RFC 3206 section 4). Once it may be bad luck.
bool is_lasting(std::string_view reply) {
  const std::string words = upper(reply);
  for (const std::string_view known : {"NO [SERVERBUG", "NO [CONTACTADMIN", "-ERR [SYS/PERM"})
    if (words.find(known) != std::string::npos) return true;
  return false;
}

/// "certificate verify failed: ...", or as net/ names the one that it refused.
bool is_refusal_of_a_certificate(std::string_view trouble) {
  return trouble.find("certificate verify failed") != std::string_view::npos || trouble.starts_with("certificate of ");
}

/// "UNAVAILABLE" of "t1 NO [UNAVAILABLE] later", "" = none.
std::string_view code_of_no(std::string_view line) {
  line.remove_prefix(std::min(line.find(' '), line.size() - 1) + 1);
  if (!istarts_with(line, "NO [")) return {};
  line.remove_prefix(4);
  return line.substr(0, line.find_first_of(" ]"));
}

/// Whether the command was to succeed: a refusal that was to be another one is what the line is about.
bool awaits_success(const scenario::TalkLine& line, bool mail) {
  const auto has = [&](std::string_view word) { return line.text.find(word) != std::string::npos; };
  if (line.op == scenario::TalkLine::Op::reply_regex)
    return mail ? line.text.starts_with("^2") || line.text.starts_with("^3")
                : has("OK") && !has("NO") && !has("BAD") && !has("ERR");
  return std::any_of(line.alternatives.begin(), line.alternatives.end(), [](const std::string& one) {
    return istarts_with(one, "OK") || one.starts_with('+') || one.starts_with('2') || one.starts_with('3');
  });
}

}  // namespace

bool Talk::again_at(const scenario::TalkLine& line) const {
  const auto& earlier = context_.options.earlier;
  const bool known = earlier && earlier->number != 0;
  return earlier && earlier->line == line.written &&
         (!known || earlier->number == static_cast<std::uint32_t>(line.line));
}

/// A check of certificates has to be told about them.
bool Talk::certificate_refused(std::string_view trouble) const {
  return is_refusal_of_a_certificate(trouble) &&
         std::find(check_.unless.begin(), check_.unless.end(), kUnverified) == check_.unless.end();
}

bool Talk::was(std::string_view code) const {
  return context_.options.earlier && context_.options.earlier->code == code;
}

/// Not where the talk names it: then it is what the check is about.
bool Talk::names(std::string_view word) const {
  return std::any_of(check_.talk.begin(), check_.talk.end(), [&](const auto& line) {
    const bool awaited = line.op != scenario::TalkLine::Op::send && line.op != scenario::TalkLine::Op::send_raw;
    return awaited && upper(line.written).find(word) != std::string::npos;
  });
}

/// RFC 5530 section 3 (UNAVAILABLE, INUSE, LIMIT, SERVERBUG, CONTACTADMIN), RFC 3206 section 4 ([SYS/TEMP],
/// [SYS/PERM]), RFC 5321 section 4.2.1 (4yz): a server may say that it cannot do it at the moment. [IN-USE] is what
/// checks of POP3's locks are about.
bool Talk::says_not_now(const Line& at, const TalkReply& reply) const {
  switch (at.how.protocol) {
    case Protocol::imap: {
      const std::string code = upper(code_of_no(reply.line));
      return history::says_not_now(code) && !names(code);
    }
    case Protocol::pop3:
      return istarts_with(reply.line, "-ERR [SYS/") && !names("[SYS/");
    default:
      // 452 to RCPT is about their number (RFC 5321 section 4.5.3.1.10).
      if (reply.line.starts_with("452") && istarts_with(reply.command, "RCPT")) return false;
      return reply.line.starts_with('4') && may_be_put_off(reply.command) && !names(": 4") && !names("| 4");
  }
}

/// The reply does not fit.
Talk::Came Talk::refused(Line& at, const scenario::TalkLine& line, std::string wanted, const TalkReply& reply) {
  std::string actual = scenario::is_mail(at.how.protocol) || reply.multi ? shown(reply) : printable(reply.line, 300);
  const bool mail = scenario::is_mail(at.how.protocol);
  const bool counts = line.prepares || check_.level == scenario::Level::may || !awaits_success(line, mail) ||
                      !says_not_now(at, reply) || (is_lasting(reply.line) && again_at(line));
  // What a server need not do it may refuse for good in these words as well.
  if (counts || (line.applies && (mail || is_lasting(reply.line) || code_of_no(reply.line) == "LIMIT")))
    return wrong(&at, line, std::move(wanted), std::move(actual));
  record(&at, line, Type::info, std::move(wanted), std::move(actual), std::string(history::kNotNow));
  return Came::ended;
}

/// The connection is over, and something was to come. A server that ends it whenever it is asked this, or is silent and
/// ends it then, is wrong; once, it may have been the network, or a process that somebody stopped.
Talk::Came Talk::gone(Line& at, const scenario::TalkLine& line, std::string wanted, std::string actual) {
  const auto& connection = *at.connection;
  const bool refused_by_us = connection.end() == EndReason::tls_failed && certificate_refused(connection.end_detail());
  if (connection.end() == EndReason::refused || refused_by_us) {
    context_.fail("connect", how_it_ended(at));
    return Came::ended;
  }
  if (connection.end() == EndReason::timeout) return unanswered(&at, line, std::move(wanted), std::move(actual));
  if (connection.beyond_bounds()) {
    record(&at, line, Type::info, std::move(wanted), std::move(actual), std::string(history::kBeyondBounds));
    return Came::ended;
  }
  // Who says that he closes is no network that failed.
  const bool said = at.farewell || std::any_of(at.untagged.begin(), at.untagged.end(), [](const TalkReply& reply) {
                      return istarts_with(reply.line, "* BYE");
                    });
  const bool hung_up = !said && (connection.end() == EndReason::closed || connection.end() == EndReason::reset);
  const bool again = again_at(line) && (was(history::kHungUp) || was(history::kSilent));
  if (!hung_up || line.applies || line.prepares || again || check_.level == scenario::Level::may)
    return wrong(&at, line, std::move(wanted), std::move(actual));
  record(&at, line, Type::info, std::move(wanted), std::move(actual), std::string(history::kHungUp));
  return Came::ended;
}

}  // namespace mailproof::play
