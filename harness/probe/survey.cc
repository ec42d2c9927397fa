#include "probe/survey.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cctype>
#include <chrono>

#include "core/bytes.h"
#include "core/version.h"
#include "host/signals.h"

namespace mailproof::probe {
namespace {

using scenario::PoolAccount;
using session::Outcome;

constexpr std::size_t kMostAccounts = 8;  // classes beyond these are not looked into
constexpr int kNoops = 20;
constexpr int kConnects = 5;
constexpr Duration kConnectsEnough = std::chrono::seconds(10);  // a server that makes callers wait is not asked again
constexpr Duration kLookEnough = std::chrono::seconds(60);
constexpr unsigned kCrowd = 12;
constexpr std::size_t kMostSearched = 10;       // mailboxes
constexpr std::uint64_t kMostMessages = 2'000;  // a search through more is a load

Duration scaled(Duration bound, double patience) { return std::chrono::duration_cast<Duration>(bound * patience); }

double milliseconds(Duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

std::optional<double> median(std::vector<Duration> times) {
  if (times.empty()) return std::nullopt;
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return milliseconds(*middle);
}

/// The login without its numbers: "user%" of user0017.
std::string family(const std::string& login) {
  std::string out;
  for (const char c : login)
    if (c < '0' || c > '9') out += c;
  return out;
}

/// Where a server repeats a password. A short one inside another word is no repetition: "pass" in "password".
void hide(std::string& text, const std::string& secret) {
  const auto in_word = [&](std::size_t at) {
    return at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0);
  };
  for (std::size_t at = 0; !secret.empty() && (at = text.find(secret, at)) != std::string::npos;) {
    if ((at > 0 && in_word(at - 1)) || in_word(at + secret.size())) {
      ++at;
    } else {
      text.replace(at, secret.size(), "***");
      at += 3;
    }
  }
}

std::uint64_t open_files() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

std::vector<std::string> ways(const scenario::Target& target) {
  std::vector<std::string> out;
  for (const scenario::Way way : target.delivery) {
    const bool leads_somewhere = (way == scenario::Way::lmtp && !target.lmtp.empty()) ||
                                 (way == scenario::Way::smtp && !target.smtp.empty()) ||
                                 (way == scenario::Way::append && !target.imap.empty()) ||
                                 (way == scenario::Way::command && target.admin.contains("deliver"));
    if (leads_somewhere) out.emplace_back(name(way));
  }
  return out;
}

net::LoopOptions loop_options(const scenario::Target& target, double patience, bool insecure) {
  net::LoopOptions options;
  options.tls.ca_file = target.ca_file;
  options.tls.insecure = insecure;
  for (Duration* bound : {&options.connect_timeout, &options.tls_timeout}) *bound = scaled(*bound, patience);
  return options;
}

}  // namespace

ProbeSurvey::ProbeSurvey(const scenario::Target& target, double patience)
    : target_(target),
      patience_(patience),
      loop_(std::make_unique<net::Loop>(loop_options(target, patience, target.insecure))),
      credulous_(std::make_unique<net::Loop>(loop_options(target, patience, true))) {}

ProbeSurvey::~ProbeSurvey() = default;

report::Probe ProbeSurvey::run() {
  const host::Nudged nudged(*loop_);
  const host::Nudged nudged_too(*credulous_);
  probe_.target = target_.name;
  probe_.version = kVersion;
  probe_.at = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  probe_.insecure = target_.insecure;
  probe_.delivery = ways(target_);
  probe_.open_files = open_files();
  probe_.pool = target_.accounts.size();
  probe_.pool_limited = static_cast<std::size_t>(std::count_if(
      target_.accounts.begin(), target_.accounts.end(), [](const PoolAccount& one) { return one.quota.has_value(); }));
  choose_accounts();
  for (const auto* all : {&target_.imap, &target_.pop3, &target_.lmtp, &target_.smtp})
    for (const Endpoint& one : *all) probe_.endpoints.emplace_back().endpoint = one;
  // A login that is refused without TLS says least about the account: first those with TLS.
  for (const bool plain : {false, true})
    for (report::ProbedEndpoint& out : probe_.endpoints)
      if ((out.endpoint.tls == TlsMode::none) == plain && !host::interrupted()) endpoint(out);
  remaining_accounts(Protocol::imap);
  remaining_accounts(Protocol::pop3);
  // Last: who met a limit may be shut out for a while.
  for (report::ProbedEndpoint& out : probe_.endpoints)
    if (out.usable && !host::interrupted()) crowd(out);
  for (Watched& one : watched_) probe_.accounts.push_back(std::move(one.seen));
  probe_.interrupted = host::interrupted();
  return std::move(probe_);
}

/// The first of each class, and two at least: an account alone says little about the others.
void ProbeSurvey::choose_accounts() {
  const auto& all = target_.accounts;
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < all.size() && chosen.size() < kMostAccounts; ++i)
    if (i == 0 || all[i].quota != all[i - 1].quota || family(all[i].login) != family(all[i - 1].login))
      chosen.push_back(i);
  if (chosen.size() == 1 && all.size() > 1) chosen.push_back(1);
  for (const std::size_t i : chosen) {
    Watched& one = watched_.emplace_back();
    one.pool = &all[i];
    one.seen.login = all[i].login;
    one.seen.quota = all[i].quota;
  }
}

session::ClientConfig ProbeSurvey::config(const Endpoint& endpoint, const PoolAccount* account) const {
  session::ClientConfig out;
  out.endpoint = endpoint;
  out.log_in = account != nullptr;
  if (account != nullptr) out.login = {account->login, account->password, ""};
  out.greeting_bound = scaled(std::chrono::seconds(10), patience_);
  out.command_bound = scaled(std::chrono::seconds(30), patience_);
  out.max_response_bytes = 1U << 20;
  out.max_responses = 20'000;
  out.max_literal = 1U << 16;
  return out;
}

/// Who may log in over this protocol: a password that was refused is not tried again, because somebody may be counting.
ProbeSurvey::Watched* ProbeSurvey::candidate(Protocol protocol) {
  const bool once = protocol == Protocol::pop3 && login_delay_;
  for (Watched& one : watched_)
    if (const auto& known = one.over(protocol); !known || (known->ok && !once)) return &one;
  return nullptr;
}

void ProbeSurvey::endpoint(report::ProbedEndpoint& out) {
  const bool access = out.endpoint.protocol == Protocol::imap || out.endpoint.protocol == Protocol::pop3;
  access ? mail_access(out, candidate(out.endpoint.protocol)) : submission(out);
  if (out.certificate && !out.certificate->verified && !target_.insecure) behind_a_bad_certificate(out);
  if (out.usable && !host::interrupted()) connects(out);
}

void ProbeSurvey::mail_access(report::ProbedEndpoint& out, Watched* who) {
  const auto look = look_at(*loop_, config(out.endpoint, who != nullptr ? who->pool : nullptr));
  look->await_ready();
  take(look->seen(), out);
  if (look->seen().ready && who != nullptr) into(*look, out, *who);
  look->leave();
  if (!look->seen().ended || look->seen().ready) return;
  if (!look->seen().ended->login_refused || who == nullptr) return;
  auto& known = who->over(out.endpoint.protocol);
  // What is refused here alone, or for want of TLS, says nothing about the account.
  out.login_refused = known && known->ok;
  if (out.login_refused) out.trouble = fmt::format("the login of {} is refused: {}", who->pool->login, out.trouble);
  if (out.login_refused || refuses_plaintext(out)) return;
  known = {false, said(*look->seen().ended), true, std::nullopt};
  out.usable = true;
  out.trouble.clear();
}

void ProbeSurvey::submission(report::ProbedEndpoint& out) {
  const auto refused = [](const std::optional<report::ProbedLogin>& login) {
    return login && !login->ok && login->tried;
  };
  const auto who = std::find_if(watched_.begin(), watched_.end(),
                                [&](const Watched& one) { return !refused(one.seen.imap) && !refused(one.seen.pop3); });
  const PoolAccount* account = out.endpoint.auth && who != watched_.end() ? who->pool : nullptr;
  const auto look = look_at(*loop_, config(out.endpoint, account));
  look->await_ready();
  take(look->seen(), out);
  look->leave();
  if (account != nullptr && look->seen().ended && look->seen().ended->login_refused)
    out.trouble = fmt::format("the login of {} is refused: {}", account->login, out.trouble);
}

void ProbeSurvey::take(const Seen& seen, report::ProbedEndpoint& out) {
  out.greeting = seen.greeting;
  if (seen.before_tls) out.before_tls = seen.before_tls;
  if (seen.after_tls) out.after_tls = seen.after_tls;
  if (seen.after_login) out.after_login = seen.after_login;
  if (seen.tls) {
    out.tls_version = seen.tls->version;
    out.cipher = seen.tls->cipher;
    out.certificate = seen.tls->certificate;
  }
  out.answered = seen.greeted.has_value() || out.certificate.has_value();
  out.usable = seen.ready;
  if (!seen.ready && seen.ended) out.trouble = said(*seen.ended);
  for (const auto* words : {&seen.before_tls, &seen.after_tls, &seen.after_login})
    for (const std::string& word : words->value_or(std::vector<std::string>{}))
      if (out.endpoint.protocol == Protocol::pop3 && istarts_with(word, "LOGIN-DELAY ") &&
          !word.substr(12).starts_with("0"))
        login_delay_ = true;
}

/// What is offered there is seen without a login: no password goes to who has not proven who he is.
void ProbeSurvey::behind_a_bad_certificate(report::ProbedEndpoint& out) {
  const auto look = look_at(*credulous_, config(out.endpoint, nullptr));
  look->await_ready();
  const Seen& seen = look->seen();
  if (out.greeting.empty()) out.greeting = seen.greeting;
  out.after_tls = seen.after_tls;
  if (seen.tls && seen.tls->established) {
    out.tls_version = seen.tls->version;
    out.cipher = seen.tls->cipher;
  }
  look->leave();
}

/// A server that answers every command just in time is asked no more of them.
bool ProbeSurvey::in_time(const Look& look) const {
  return !host::interrupted() && loop_->now() - look.seen().began < scaled(kLookEnough, patience_);
}

/// Why a session came to its end, in the server's words where it refused the login; never with a password, should a
/// server repeat it.
std::string ProbeSurvey::said(const session::Ended& end) const {
  const bool imap = end.where.starts_with("imap");
  // In front of its words stands our tag.
  std::string text = imap ? end.seen.substr(end.seen.find(' ') + 1) : end.seen;
  if (!end.login_refused || text.empty()) {
    const bool quoted =
        end.reason == EndReason::tls_failed || (imap && end.reason == EndReason::dropped && !end.broken);
    text = fmt::format("{}: {}", end.step, end.why);
    if (!end.seen.empty() && !quoted) text += fmt::format(" (last seen: \"{}\")", end.seen);
  }
  for (const PoolAccount& account : target_.accounts) hide(text, account.password.reveal());
  return text;
}

void ProbeSurvey::into(Look& look, report::ProbedEndpoint& out, Watched& who) {
  out.logged_in = true;
  report::ProbedLogin login;
  login.ok = true;
  std::vector<Duration> times;
  if (auto* imap = dynamic_cast<ImapLook*>(&look)) {
    if (!who.seen.imap) {
      mailboxes(*imap, who);
      const auto messages = imap->messages("INBOX");
      if (messages) login.messages = static_cast<std::uint32_t>(*messages);
      if (!messages) login.text = messages.error().why;
    } else {
      login = *who.seen.imap;
    }
    for (int i = 0; i < kNoops && !out.noop_ms && in_time(look); ++i)
      if (const Answer answer = imap->noop(); answer.outcome == Outcome::ok) times.push_back(answer.round_trip);
    who.seen.imap = login;
  } else if (auto* pop3 = dynamic_cast<Pop3Look*>(&look)) {
    const auto messages = pop3->messages();
    if (messages) login.messages = *messages;
    if (!messages) login.text = messages.error().why;
    for (int i = 0; i < kNoops && !out.noop_ms && in_time(look); ++i)
      if (const Answer answer = pop3->noop(); answer.outcome == Outcome::ok) times.push_back(answer.round_trip);
    who.seen.pop3 = login;
  }
  if (!times.empty()) out.noop_ms = median(times);
}

void ProbeSurvey::mailboxes(ImapLook& look, Watched& who) {
  std::size_t searched = 0;
  for (const std::string& mailbox : look.mailboxes()) {
    if (!in_time(look)) break;
    const auto messages = look.messages(mailbox);
    if (!messages || *messages == 0) continue;
    report::ProbedMailbox& one = who.seen.mailboxes.emplace_back();
    one.name = mailbox;
    one.messages = *messages;
    if (*messages <= kMostMessages && searched++ < kMostSearched) one.ours = look.ours(mailbox);
  }
  if (const auto quotas = look.quotas()) {
    auto& out = who.seen.quotas.emplace();
    for (const ImapLook::Quota& one : *quotas) out.push_back({one.root, one.resource, one.used, one.limit});
  }
}

void ProbeSurvey::connects(report::ProbedEndpoint& out) {
  std::vector<Duration> times;
  const Time began = loop_->now();
  for (int i = 0; i < kConnects && loop_->now() - began < kConnectsEnough && !host::interrupted(); ++i) {
    const auto look = look_at(*loop_, config(out.endpoint, nullptr));
    look->await_ready();
    if (look->seen().greeted) times.push_back(*look->seen().greeted - look->seen().began);
    look->leave();
  }
  out.connect_ms = median(times);
}

/// Several sessions of one account over IMAP; over POP3, where a maildrop has one session at a time (RFC 1939 section
/// 4), an account each, and what is left over waits in front of the login.
void ProbeSurvey::crowd(report::ProbedEndpoint& out) {
  const Protocol protocol = out.endpoint.protocol;
  if (protocol != Protocol::imap && protocol != Protocol::pop3) return;
  const bool allowed = net::is_loopback(out.endpoint.host) ||
                       std::find(target_.allow.begin(), target_.allow.end(), "floods") != target_.allow.end();
  const auto known = std::find_if(watched_.begin(), watched_.end(),
                                  [&](Watched& one) { return one.over(protocol) && one.over(protocol)->ok; });
  if (!allowed) {
    out.no_crowd = "limits not tried: the target file does not allow floods";
  } else if (!out.logged_in || known == watched_.end()) {
    out.no_crowd = "limits not tried: no login works here";
  } else if (protocol == Protocol::pop3 && login_delay_) {
    out.no_crowd = "limits not tried: LOGIN-DELAY is advertised";
  }
  if (!out.no_crowd.empty()) return;

  const auto refused = [&](const PoolAccount& account) {
    return std::any_of(watched_.begin(), watched_.end(), [&](Watched& one) {
      return one.pool == &account && one.over(protocol) && !one.over(protocol)->ok;
    });
  };
  const scenario::Connections& most = target_.connections;
  unsigned wanted = kCrowd;
  for (const std::size_t limit : {most.address, protocol == Protocol::imap ? most.user : 0})
    if (limit != 0) wanted = std::min(wanted, static_cast<unsigned>(std::min<std::size_t>(limit, kCrowd)));
  std::vector<const PoolAccount*> who(wanted, protocol == Protocol::imap ? known->pool : nullptr);
  std::size_t next = 0;
  for (const PoolAccount& account : target_.accounts)
    if (protocol == Protocol::pop3 && next < who.size() && !refused(account)) who[next++] = &account;

  report::ProbedCrowd& crowd = out.crowd.emplace();
  std::vector<std::unique_ptr<Look>> looks;
  for (const PoolAccount* account : who) {
    looks.push_back(look_at(*loop_, config(out.endpoint, account)));
    crowd.logged_in += account != nullptr ? 1U : 0U;
  }
  crowd.opened = static_cast<unsigned>(looks.size());
  for (const auto& look : looks) look->await_ready();
  for (const auto& look : looks) {
    if (look->seen().ready) ++crowd.served;
    if (look->seen().ready || !look->seen().ended) continue;
    std::string text = said(*look->seen().ended);
    if (std::find(crowd.refusals.begin(), crowd.refusals.end(), text) == crowd.refusals.end())
      crowd.refusals.push_back(std::move(text));
  }
  for (const auto& look : looks) look->leave();
}

void ProbeSurvey::remaining_accounts(Protocol protocol) {
  const auto has_protocol = [&](const report::ProbedEndpoint& one) { return one.endpoint.protocol == protocol; };
  if (std::none_of(probe_.endpoints.begin(), probe_.endpoints.end(), has_protocol)) return;
  const auto where = std::find_if(probe_.endpoints.begin(), probe_.endpoints.end(),
                                  [&](const auto& one) { return has_protocol(one) && one.usable; });
  for (Watched& who : watched_) {
    auto& login = who.over(protocol);
    if (login || host::interrupted()) continue;
    if (where != probe_.endpoints.end()) {
      report::ProbedEndpoint again = *where;
      mail_access(again, &who);
      if (!where->after_login) where->after_login = again.after_login;
      where->logged_in = where->logged_in || again.logged_in;
      if (!where->noop_ms) where->noop_ms = again.noop_ms;
      if (!login) login = {false, again.trouble, false, std::nullopt};
    } else {
      login = {false, fmt::format("no {} endpoint came as far as a login", upper(name(protocol))), false, std::nullopt};
    }
  }
}

}  // namespace mailproof::probe
