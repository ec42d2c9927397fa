// Whether a check is about what the server offers: asked before the talk begins.
#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "play/talk/takes.h"
#include "play/talk/talk.h"
#include "scenario/check/talk.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using Where = WantedOffer::Where;

/// What belongs to one state wherever a check begins: by the "Commands valid in states" of RFC 2449 section 6, RFC 3206
/// section 6, RFC 5034 section 3 and RFC 6856 section 2; IMAP's are of RFC 3501 sections 6.2 and 7.2.1, RFC 4959.
constexpr std::string_view kOfLogin[] = {"USER", "SASL", "STLS",     "LOGIN-DELAY",   "AUTH-RESP-CODE",
                                         "UTF8", "APOP", "STARTTLS", "LOGINDISABLED", "SASL-IR"};
constexpr std::string_view kOfMail[] = {"TOP", "UIDL"};

/// What unless: names counts wherever it stands, but for LOGINDISABLED: Cyrus announces it to those who are in.
WantedOffer unwanted(const std::string& capability) {
  return {capability, iequals(capability, "LOGINDISABLED") ? Where::before_login : Where::anywhere};
}

}  // namespace

/// INBOX is emptied with all that is in it (RFC 9051 section 6.3.6), or goes where a server does what it must not, also
/// what came after it was looked at.
static bool takes_inbox(const scenario::Check& check) {
  return std::any_of(check.talk.begin(), check.talk.end(), [](const scenario::TalkLine& line) {
    if (line.op == scenario::TalkLine::Op::send_raw) {
      const std::string text = upper(line.text);
      return text.find("RENAME INBOX") != std::string::npos || text.find("DELETE INBOX") != std::string::npos;
    }
    if (line.op != scenario::TalkLine::Op::send) return false;
    const Taking taking = what_it_takes("t " + line.text);
    return taking.what == Taking::What::mailbox && iequals(taking.mailbox, "INBOX");
  });
}

void Talk::look(std::function<void(bool)> then) {
  if (check_.real_tls() && context_.network.simulated()) {
    not_applicable("the simulation has no versions of TLS, no alerts and no certificates");
    return then(false);
  }
  if (takes_inbox(check_) && guarded()) {
    not_applicable(
        "RENAME INBOX and DELETE INBOX may take along what comes in for somebody else meanwhile: with "
        "--i-own-these-mailboxes only");
    return then(false);
  }
  std::vector<WantedOffer> asked;
  for (const auto& one : check_.when) asked.push_back(used_in_its_state(one));
  for (const auto& one : check_.unless)
    if (!is_of_the_target(one)) asked.push_back(unwanted(one));
  if (asked.empty()) return then(true);
  if (const Offered* known = offered_before(asked)) return then(applicable(*known));
  looked_ = std::move(then);
  asked_ = std::move(asked);
  look_until_ = context_.network.now() + context_.scaled(kBound);
  ask_what_is_offered();
}

/// A capability of a command counts where the command does; any other where the check begins. Without TLS nobody logs
/// in to look.
WantedOffer Talk::used_in_its_state(const std::string& capability) const {
  const std::string_view word = std::string_view(capability).substr(0, capability.find(' '));
  if (scenario::is_mail(check_.first.protocol)) return {capability, Where::before_login};
  const auto is = [&](std::string_view known) { return iequals(known, word); };
  const scenario::TalkConnect& first = check_.first;
  const bool clear = first.tls == scenario::TalkTls::clear || first.tls == scenario::TalkTls::none;
  const bool begins_before =
      first.standing == scenario::Standing::greeting || first.standing == scenario::Standing::authorization;
  if (clear || std::ranges::any_of(kOfLogin, is) || istarts_with(word, "AUTH="))
    return {capability, Where::before_login};
  if (std::ranges::any_of(kOfMail, is)) return {capability, Where::after_login};
  return {capability, begins_before ? Where::before_login : Where::after_login};
}

void Talk::ask_what_is_offered() {
  const Endpoint* endpoint = talk_endpoint(context_.target, check_.first);
  const auto session = context_.new_session(kClient, check_.first.protocol, 1, 0, *endpoint, "looking");
  probe_ = std::make_unique<TalkProbe>(context_, session, check_.first, *endpoint, asked_);
  probe_->connection().changed = [this] { again(); };
  probe_->connection().open(*endpoint);
  look_at_.reset();
  context_.network.set_alarm(*this, look_until_);
}

void Talk::looking(Time now) {
  const bool late = now >= look_until_;
  if (look_at_) {  // the maildrop was somebody else's
    if (now < *look_at_) return context_.network.set_alarm(*this, *look_at_);
    return ask_what_is_offered();
  }
  if (!probe_->go_on() && !late) return context_.network.set_alarm(*this, look_until_);
  if (probe_->refused() && !late) {
    look_at_ = now + kLockRetry;
    return context_.network.set_alarm(*this, *look_at_);
  }
  const bool silent = late && !probe_->leaving() && probe_->problem().empty();
  if (!probe_->problem().empty()) context_.fail("connect", probe_->problem());
  auto looked = std::exchange(looked_, {});
  if (silent) {
    unanswered(nullptr, check_.talk.empty() ? TalkLine{} : check_.talk.front(), "what the server offers",
               fmt::format("no answer within {}", format_duration(context_.scaled(kBound))));
    return looked(false);
  }
  if (!context_.problem.empty()) return looked(false);
  if (context_.options.offered != nullptr) (*context_.options.offered)[offered_key()] = probe_->offered();
  looked(applicable(probe_->offered()));
}

std::string Talk::offered_key() const {
  return fmt::format("{} {}", talk_endpoint(context_.target, check_.first)->label(),
                     static_cast<int>(check_.first.tls));
}

/// What was asked before, if it tells enough: before login only what is there is known, not what is not.
const Offered* Talk::offered_before(const std::vector<WantedOffer>& asked) const {
  if (context_.options.offered == nullptr) return nullptr;
  const auto known = context_.options.offered->find(offered_key());
  if (known == context_.options.offered->end()) return nullptr;
  const Offered& offered = known->second;
  const bool enough =
      std::all_of(asked.begin(), asked.end(), [&](const WantedOffer& one) { return offered.knows(one); });
  return enough ? &offered : nullptr;
}

bool Talk::applicable(const Offered& offered) {
  std::string why;
  for (const auto& one : check_.when) {
    const WantedOffer wanted = used_in_its_state(one);
    if (offered.has(wanted)) continue;
    why = fmt::format("the server does not offer {}", one);
    if (iequals(one, "USER") && offered.by_password == false)
      why = "USER and PASS do not let this user in, to whom other mechanisms are offered (RFC 2449 section 6.2)";
    if (offered.has({one})) why += wanted.where == Where::before_login ? " before login" : " after login";
  }
  for (const auto& one : check_.unless) {
    if (is_of_the_target(one) || !offered.has(unwanted(one))) continue;
    if (one == kDelayedLogins) {
      delays_ = true;
    } else {
      why = fmt::format("the server offers {}", one);
    }
  }
  if (!why.empty()) not_applicable(why);
  return why.empty();
}

void Talk::not_applicable(std::string why) {
  auto e = context_.event(Type::obs, What::not_applicable);
  e.text = std::move(why);
  context_.append(std::move(e));
}

}  // namespace mailproof::play
