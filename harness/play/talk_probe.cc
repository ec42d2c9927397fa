#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "play/talk_bring_up.h"
#include "play/talk_match.h"

namespace mailproof::play {

using scenario::Standing;
using scenario::TalkTls;

namespace {

scenario::TalkConnect before_login(scenario::TalkConnect how) {
  how.standing = Standing::authorization;
  return how;
}

}  // namespace

TalkProbe::TalkProbe(Context& context, std::uint32_t session, const scenario::TalkConnect& how,
                     const Endpoint& endpoint, std::vector<std::string> wanted)
    : connection_(context, session, how.protocol),
      how_(how),
      bring_up_(context, connection_, before_login(how), endpoint),
      wanted_(std::move(wanted)) {}

/// The words of `wanted` are a capability and arguments that it must have, in any order: "SASL PLAIN".
bool Offered::has(std::string_view wanted) const {
  if (iequals(wanted, "CAPA")) return listed;
  if (iequals(wanted, "APOP")) {
    const auto open = greeting.find('<');
    return open != std::string::npos && greeting.find('@', open) != std::string::npos &&
           greeting.find('>', open) != std::string::npos;
  }
  const auto want = pattern_words(wanted);
  return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
    const auto have = pattern_words(line);
    if (have.empty() || !iequals(have.front(), want.front())) return false;
    return std::all_of(want.begin() + 1, want.end(), [&](const std::string& argument) {
      return std::any_of(have.begin() + 1, have.end(), [&](const std::string& one) { return iequals(one, argument); });
    });
  });
}

bool TalkProbe::everything_known() const {
  return std::all_of(wanted_.begin(), wanted_.end(), [&](const std::string& one) { return offered_.has(one); });
}

void TalkProbe::take(const TalkReply& reply) {
  if (how_.protocol == Protocol::pop3) {
    for (const std::string& line : reply.block) offered_.lines.push_back(line);
    return;
  }
  // "* CAPABILITY IMAP4rev1 STARTTLS": each word is one.
  const auto words = pattern_words(reply.line);
  if (words.size() > 2 && iequals(words[1], "CAPABILITY"))
    for (std::size_t i = 2; i < words.size(); ++i) offered_.lines.push_back(words[i]);
}

bool TalkProbe::broken() {
  problem_ =
      fmt::format("what the server offers could not be asked: the connection ended ({})", name(connection_.end()));
  step_ = Step::over;
  return true;
}

bool TalkProbe::ask(std::string_view command, Step next) {
  connection_.send({{fmt::format("{}{}\r\n", how_.protocol == Protocol::imap ? "probe0 " : "", command), false}});
  step_ = next;
  return false;
}

bool TalkProbe::go_on() {
  const bool pop = how_.protocol == Protocol::pop3;
  const std::string_view list = pop ? "CAPA" : "CAPABILITY";
  while (step_ != Step::over) {
    if (step_ == Step::greeting || step_ == Step::raising) {
      const auto state = bring_up_.go_on();
      if (state == TalkBringUp::State::busy) return false;
      if (state == TalkBringUp::State::up) {
        if (step_ == Step::greeting || offered_.listed) {
          ask(list, step_ == Step::greeting ? Step::before : Step::after);
        } else {
          ask("XTOP 1 0", Step::trying);
          trying_ = "XTOP";
        }
        continue;
      }
      // A login that does not work here is the business of whoever talks: what was told before it stands.
      if (step_ == Step::greeting) problem_ = bring_up_.why();
      step_ = Step::over;
      break;
    }
    if (connection_.replies.empty()) {
      if (!connection_.over()) return false;
      if (step_ == Step::quitting) break;
      return broken();
    }
    const TalkReply reply = std::move(connection_.replies.front());
    connection_.replies.pop_front();
    if (!pop && !reply.line.starts_with("probe0 ")) {
      take(reply);
      continue;
    }
    switch (step_) {
      case Step::before: {
        offered_.greeting = connection_.greeting();
        offered_.listed = !pop || reply.multi;
        take(reply);
        const bool in_clear = how_.tls == TalkTls::clear || how_.tls == TalkTls::none;
        if (everything_known() || in_clear) {
          ask(pop ? "QUIT" : "LOGOUT", Step::quitting);
          break;
        }
        bring_up_.raise(Standing::authenticated);
        step_ = Step::raising;
        if (pop && !offered_.listed) offered_.lines.emplace_back("USER");
        break;
      }
      case Step::after:
        offered_.complete = true;
        take(reply);
        ask(pop ? "QUIT" : "LOGOUT", Step::quitting);
        break;
      case Step::trying:
        // An empty maildrop refuses TOP 1 0 as well, but not in the words for what is no command.
        offered_.complete = true;
        if (trying_ == "XTOP") unknown_ = reply.line;
        if (trying_ != "XTOP" && (istarts_with(reply.line, "+OK") || reply.line != unknown_))
          offered_.lines.push_back(trying_);
        if (trying_ == "XTOP") {
          trying_ = "UIDL";
          ask("UIDL", Step::trying);
        } else if (trying_ == "UIDL") {
          trying_ = "TOP";
          ask("TOP 1 0", Step::trying);
        } else {
          ask("QUIT", Step::quitting);
        }
        break;
      default:
        break;
    }
  }
  step_ = Step::over;
  return true;
}

}  // namespace mailproof::play
