#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "play/talk/bring_up.h"
#include "play/talk/match.h"
#include "scenario/check/talk.h"

namespace mailproof::play {

using scenario::Standing;
using scenario::TalkTls;

namespace {

scenario::TalkConnect before_login(scenario::TalkConnect how) {
  how.standing = scenario::is_mail(how.protocol) ? Standing::hello : Standing::authorization;
  return how;
}

bool has_timestamp(std::string_view greeting) {
  const auto open = greeting.find('<');
  return open != std::string_view::npos && greeting.find('@', open) != std::string_view::npos &&
         greeting.find('>', open) != std::string_view::npos;
}

/// What was said, without the command that a server may repeat.
std::string without(std::string_view command, const std::string& said) {
  std::string out = upper(said);
  for (auto at = out.find(command); at != std::string::npos; at = out.find(command, at)) out.erase(at, command.size());
  return out;
}

}  // namespace

TalkProbe::TalkProbe(Context& context, std::uint32_t session, const scenario::TalkConnect& how,
                     const Endpoint& endpoint, std::vector<WantedOffer> wanted)
    : connection_(context, session, how.protocol),
      how_(how),
      bring_up_(context, connection_, before_login(how), endpoint),
      wanted_(std::move(wanted)) {}

bool Offered::has(const WantedOffer& wanted) const {
  using Where = WantedOffer::Where;
  if (iequals(wanted.words, "CAPA")) return listed;
  if (iequals(wanted.words, "APOP")) return apop.value_or(false);
  if (iequals(wanted.words, "USER") && !by_password.value_or(true)) return false;
  const auto want = pattern_words(wanted.words);
  const auto fits = [&](const std::string& line) {
    const auto have = pattern_words(line);
    if (wanted.words == kDelayedLogins) return have.size() > 1 && iequals(have[0], "LOGIN-DELAY") && have[1] != "0";
    if (have.empty()) return false;
    const bool begins = want.front().ends_with('*');
    if (begins ? !istarts_with(have.front(), want.front().substr(0, want.front().size() - 1))
               : !iequals(have.front(), want.front()))
      return false;
    return std::all_of(want.begin() + 1, want.end(), [&](const std::string& argument) {
      return std::any_of(have.begin() + 1, have.end(), [&](const std::string& one) { return iequals(one, argument); });
    });
  };
  return (wanted.where != Where::after_login && std::any_of(before.begin(), before.end(), fits)) ||
         (wanted.where != Where::before_login && std::any_of(after.begin(), after.end(), fits));
}

bool Offered::knows(const WantedOffer& wanted) const {
  if (iequals(wanted.words, "APOP")) return apop.has_value();
  if (iequals(wanted.words, "CAPA")) return true;
  if (iequals(wanted.words, "USER") && instead_of_password(before)) return by_password.has_value();
  if (has(wanted) || complete) return true;
  // A delay is announced in both states (RFC 2449 section 6.5).
  return listed && (wanted.where == WantedOffer::Where::before_login || wanted.words == kDelayedLogins);
}

bool TalkProbe::everything_known() const {
  return std::all_of(wanted_.begin(), wanted_.end(), [&](const WantedOffer& one) { return offered_.knows(one); });
}

void TalkProbe::take(const TalkReply& reply) {
  auto& lines = step_ == Step::after ? offered_.after : offered_.before;
  if (how_.protocol == Protocol::pop3) {
    for (const std::string& line : reply.block) lines.push_back(line);
    return;
  }
  // "* CAPABILITY IMAP4rev1 STARTTLS": each word is one.
  const auto words = pattern_words(reply.line);
  if (words.size() > 2 && iequals(words[1], "CAPABILITY"))
    for (std::size_t i = 2; i < words.size(); ++i) lines.push_back(words[i]);
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

void TalkProbe::quit() { ask(how_.protocol == Protocol::imap ? "LOGOUT" : "QUIT", Step::quitting); }

/// SMTP, LMTP: a keyword a line, behind the one that greets (RFC 5321 section 4.1.1.1).
void TalkProbe::greeted() {
  const auto& lines = bring_up_.hello().block;
  for (std::size_t i = 1; i < lines.size(); ++i)
    offered_.before.push_back(lines[i].substr(std::min<std::size_t>(4, lines[i].size())));
  offered_.greeting = connection_.greeting();
  offered_.listed = offered_.complete = true;
  quit();
}

/// What is told after login may be more.
void TalkProbe::log_in() {
  if (everything_known() || how_.tls == TalkTls::clear || how_.tls == TalkTls::none) return quit();
  step_ = Step::raising;
  by_password_ = how_.protocol == Protocol::pop3 && instead_of_password(offered_.before) &&
                 std::ranges::any_of(wanted_, [](const WantedOffer& one) { return iequals(one.words, "USER"); });
  if (by_password_) return bring_up_.raise_by_password(Standing::authenticated);
  bring_up_.raise(Standing::authenticated);
}

/// Whether it is refused in the words for what is no command: RFC 1939 section 9 leaves the text to the server, so one
/// that says the same to everything has nothing that could be told from its refusal.
bool TalkProbe::as_unknown(std::string_view command, const std::string& said) const {
  return without(command, said) == without(command == "APOP" ? "XPOP" : "XTOP", unknown_);
}

void TalkProbe::tried(const TalkReply& reply) {
  if (trying_ == "XTOP" || trying_ == "XPOP") {
    unknown_ = reply.line;
    trying_ = trying_ == "XTOP" ? "UIDL" : "APOP";
    ask(trying_, step_);
  } else if (trying_ == "APOP") {
    offered_.apop = !as_unknown("APOP", reply.line);
    log_in();
  } else if (trying_ == "UIDL") {
    if (istarts_with(reply.line, "+OK")) offered_.after.push_back(trying_);
    trying_ = "TOP";
    ask("TOP 1 0", Step::trying);
  } else {
    // An empty maildrop refuses it as well, but in other words.
    if (istarts_with(reply.line, "+OK") || !as_unknown("TOP", reply.line)) offered_.after.push_back(trying_);
    offered_.complete = true;
    quit();
  }
}

/// Logged in, or not.
void TalkProbe::raised(TalkBringUp::State state) {
  const bool pop = how_.protocol == Protocol::pop3;
  if (by_password_ && state != TalkBringUp::State::refused) offered_.by_password = state == TalkBringUp::State::up;
  if (by_password_ && state == TalkBringUp::State::failed) {
    step_ = Step::over;
    connection_.drop(false);
  } else if (state != TalkBringUp::State::up) {
    refused_ = state == TalkBringUp::State::refused;
    problem_ = fmt::format("what the server offers after login could not be asked: {}", bring_up_.why());
    step_ = Step::over;
    connection_.drop(false);
  } else if (offered_.listed) {
    ask(pop ? "CAPA" : "CAPABILITY", Step::after);
  } else {
    if (bring_up_.user_taken()) offered_.before.emplace_back("USER");
    trying_ = "XTOP";
    ask("XTOP 1 0", Step::trying);
  }
}

void TalkProbe::listed(const TalkReply& reply) {
  const bool pop = how_.protocol == Protocol::pop3;
  offered_.greeting = connection_.greeting();
  offered_.listed = !pop || reply.multi;
  take(reply);
  const bool wants_apop =
      std::any_of(wanted_.begin(), wanted_.end(), [](const WantedOffer& one) { return iequals(one.words, "APOP"); });
  if (wants_apop && !has_timestamp(offered_.greeting)) offered_.apop = false;
  if (!wants_apop || offered_.apop) return log_in();
  trying_ = "XPOP";
  ask("XPOP", Step::apop);
}

bool TalkProbe::go_on() {
  const bool pop = how_.protocol == Protocol::pop3;
  while (step_ != Step::over) {
    if (step_ == Step::greeting || step_ == Step::raising) {
      const auto state = bring_up_.go_on();
      if (state == TalkBringUp::State::busy) return false;
      if (step_ == Step::raising) {
        raised(state);
      } else if (state == TalkBringUp::State::up && scenario::is_mail(how_.protocol)) {
        greeted();
      } else if (state == TalkBringUp::State::up) {
        ask(pop ? "CAPA" : "CAPABILITY", Step::before);
      } else {
        problem_ = bring_up_.why();
        step_ = Step::over;
      }
      continue;
    }
    if (connection_.replies.empty()) {
      if (!connection_.over()) return false;
      if (step_ == Step::quitting) break;
      return broken();
    }
    const TalkReply reply = std::move(connection_.replies.front());
    connection_.replies.pop_front();
    if (how_.protocol == Protocol::imap && !reply.line.starts_with("probe0 ")) {
      take(reply);
      continue;
    }
    switch (step_) {
      case Step::before:
        listed(reply);
        break;
      case Step::after:
        offered_.complete = true;
        take(reply);
        quit();
        break;
      case Step::apop:
      case Step::trying:
        tried(reply);
        break;
      default:
        break;
    }
  }
  step_ = Step::over;
  return true;
}

}  // namespace mailproof::play
