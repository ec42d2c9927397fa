#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/hash.h"
#include "session/imap/client_impl.h"
#include "session/sasl_dialogue.h"

namespace mailproof::session {
namespace {

std::string said(const imap::Response& r) {
  std::string text(imap::name(r.status));
  if (r.code) text += fmt::format(" [{}]", printable(r.code.name));
  if (!r.text.empty()) text += fmt::format(" {}", printable(r.text));
  return text;
}

}  // namespace

// From the greeting to the authenticated state: CAPABILITY where it was not volunteered, STARTTLS where the endpoint
// asks for it (and CAPABILITY again, RFC 9051 section 6.2.1), LOGIN or AUTHENTICATE.

void ImapClient::Impl::greet(const imap::Response& r) {
  const bool greeting = r.kind == imap::Response::Kind::status;
  if (greeting && r.status == imap::Status::bye)
    return refused(fmt::format("the server refused the session: {}", printable(r.text)));
  if (!greeting || r.status == imap::Status::no || r.status == imap::Status::bad)
    return broken("this is no IMAP greeting");
  sink.on_greeting(r.text, now);
  if (phase == Phase::over) return;
  phase = Phase::bring_up;
  patience.begin(now);
  if (r.code.is("CAPABILITY")) set_capabilities(r.code.words);
  if (config.capabilities == AskCapabilities::before_login) capabilities_fresh = false;
  authenticated = r.status == imap::Status::preauth;
  if (authenticated && config.endpoint.tls == TlsMode::starttls && !tls_up) {
    bring_up_step = "STARTTLS";
    return refused("the server greets with PREAUTH, which leaves no place for STARTTLS");
  }
  next_step();
}

void ImapClient::Impl::next_step() {
  if (!capabilities_fresh) {
    bring_up_step = "CAPABILITY";
    return enqueue_own(prepare(bring_up_step, ImapVerb::capability));
  }
  const auto offered = capabilities;
  sink.on_capabilities(*offered,
                       authenticated ? Stage::authenticated
                       : tls_up      ? Stage::secured
                                     : Stage::plaintext,
                       now);
  if (phase == Phase::over) return;
  if (config.endpoint.tls == TlsMode::starttls && !tls_up) {
    bring_up_step = "STARTTLS";
    if (!has("STARTTLS")) return refused("the server does not offer STARTTLS");
    return enqueue_own(prepare(bring_up_step, ImapVerb::starttls));
  }
  if (!authenticated && config.log_in) return log_in();
  if (authenticated && config.people_names && has("NAMESPACE")) {
    bring_up_step = "NAMESPACE";
    return enqueue_own(prepare(bring_up_step, ImapVerb::name_space));
  }
  become_ready();
}

void ImapClient::Impl::log_in() {
  const std::string& wanted = entry->login.mechanism;
  const auto mechanism = sasl::parse_mechanism(wanted);
  std::vector<sasl::Mechanism> offered;
  for (const std::string& capability : *capabilities)
    if (istarts_with(capability, "AUTH="))
      if (const auto one = sasl::parse_mechanism(std::string_view(capability).substr(5))) offered.push_back(*one);
  // Capabilities of before the login say nothing about those after it.
  capabilities_fresh = false;
  if (iequals(wanted, "LOGIN")) return start_login_command();
  if (!wanted.empty()) {
    bring_up_step = "AUTHENTICATE";
    if (!mechanism) return refused(fmt::format("the mechanism {} is not spoken here", printable(wanted)));
    return start_authenticate(*mechanism);
  }
  for (const std::string& one : entry->login.preferred) {
    if (iequals(one, "LOGIN") && !has("LOGINDISABLED")) return start_login_command();
    const auto known = sasl::parse_mechanism(one);
    if (known && std::find(offered.begin(), offered.end(), *known) != offered.end()) return start_authenticate(*known);
  }
  if (const auto best = sasl::choose(offered, true)) return start_authenticate(*best);
  start_login_command();
}

void ImapClient::Impl::start_login_command() {
  bring_up_step = "LOGIN";
  // RFC 9051 section 6.2.3: a client MUST NOT issue LOGIN where LOGINDISABLED is advertised.
  if (has("LOGINDISABLED")) return refused("the server offers no way to log in here: LOGINDISABLED");
  ImapPending& c = prepare(bring_up_step, ImapVerb::login);
  c.writer->astring(entry->login.user);
  c.writer->secret_astring(entry->login.password);
  enqueue_own(c);
}

void ImapClient::Impl::start_authenticate(sasl::Mechanism mechanism) {
  bring_up_step = "AUTHENTICATE";
  const Login& login = entry->login;
  entry->client = sasl::make_client(mechanism, {login.user, login.password, ""},
                                    make_nonce(config.endpoint, login.user, now), config.salted_passwords);
  ImapPending& c = prepare(bring_up_step, ImapVerb::authenticate);
  c.writer->raw(sasl::name(mechanism));
  auto& initial = entry->initial = entry->client->initial();
  if (initial && has("SASL-IR")) {
    // RFC 4959 section 3: an empty initial response is "=".
    c.writer->secret_raw(Secret(initial->empty() ? "=" : base64(initial->reveal())));
    initial.reset();
  }
  enqueue_own(c);
}

void ImapClient::Impl::authenticate_continues(std::string_view challenge) {
  if (entry->initial) {
    send_sasl(*entry->initial);
    entry->initial.reset();
    return;
  }
  const auto raw = unbase64(challenge);
  Result<Secret> answer = raw ? entry->client->respond(*raw) : Result<Secret>(Error{"", "the challenge is not base64"});
  if (answer) return send_sasl(*answer);
  entry->problem = answer.error().message();
  out.text("*\r\n");
}

void ImapClient::Impl::send_sasl(const Secret& raw) {
  out.secret(base64(raw.reveal()));
  out.text("\r\n");
}

void ImapClient::Impl::bring_up_completed(ImapPending& done, const imap::Response& r) {
  const bool ok = r.status == imap::Status::ok;
  switch (done.verb) {
    case ImapVerb::starttls:
      if (!ok) return refused(fmt::format("the server answered {}", said(r)));
      return grant_starttls();
    case ImapVerb::capability:
      if (!ok) return refused(fmt::format("the server answered {}", said(r)));
      if (!capabilities_fresh) return broken("the server answered OK without its capabilities");
      return next_step();
    case ImapVerb::name_space:
      return become_ready();  // a refusal leaves names as they are
    default:
      break;
  }
  if (!entry->problem.empty()) return refused(fmt::format("{}; the server then answered {}", entry->problem, said(r)));
  login_refused = !ok;
  if (!ok) return refused(fmt::format("the server refused the login of {}: {}", printable(entry->login.user), said(r)));
  if (entry->client != nullptr) {
    const auto proven = entry->client->accepted();
    entry->client.reset();
    if (!proven) return broken(proven.error().message());
  }
  authenticated = true;
  next_step();
}

void ImapClient::Impl::grant_starttls() {
  phase = Phase::securing;
  patience.begin(now);
  wants = Wants::start_tls;
  framer.stop();
}

void ImapClient::Impl::secured(const TlsFacts& facts, Time at) {
  learn(at);
  if (phase == Phase::over) return;
  sink.on_secured(facts, at);
  if (phase == Phase::over) return;
  if (facts.early_bytes > 0) deviate("tls.bytes-behind-starttls", fmt::format("{} octets", facts.early_bytes));
  if (!facts.established) {
    if (phase == Phase::connecting) bring_up_step = "TLS";
    Ended end;
    end.reason = EndReason::tls_failed;
    end.why = facts.error.empty() ? "TLS was not established" : facts.error;
    return finish(std::move(end));
  }
  tls_up = true;
  if (phase != Phase::securing) return;
  phase = Phase::bring_up;
  patience.begin(at);
  wants = Wants::nothing;
  capabilities_fresh = false;
  framer.restart();
  next_step();
}

void ImapClient::Impl::become_ready() {
  phase = Phase::ready;
  was_ready = true;
  entry.reset();
  sink.on_ready(now);
  pump();
}

/// A server says the same to all its sessions: the few lists that there are, are kept once.
std::shared_ptr<const std::vector<std::string>> ImapClient::Impl::kept_once(
    const std::vector<std::string_view>& words) {
  thread_local std::array<std::shared_ptr<const std::vector<std::string>>, 8> latest;
  thread_local std::size_t next = 0;
  const auto same = std::find_if(latest.begin(), latest.end(), [&](const auto& one) {
    return one != nullptr && std::equal(one->begin(), one->end(), words.begin(), words.end());
  });
  if (same != latest.end()) return *same;
  auto kept = std::make_shared<const std::vector<std::string>>(words.begin(), words.end());
  latest[next++ % latest.size()] = kept;
  return kept;
}

void ImapClient::Impl::set_capabilities(const std::vector<std::string_view>& words) {
  if (words.empty()) return;  // no server has none: IMAP4rev1 or IMAP4rev2 is one
  capabilities = kept_once(words);
  capabilities_fresh = true;
  literals = has("LITERAL+")                       ? imap::LiteralSupport::plus
             : has("LITERAL-") || has("IMAP4rev2") ? imap::LiteralSupport::minus
                                                   : imap::LiteralSupport::synchronising;
}

bool ImapClient::Impl::lists(std::string_view capability) const {
  return std::any_of(capabilities->begin(), capabilities->end(),
                     [&](const std::string& c) { return iequals(c, capability); });
}

/// RFC 9051 appendix E, 2: what IMAP4rev2 has in it a server need not list by name. One that offers IMAP4rev1 as well
/// has it listed for clients of that.
bool ImapClient::Impl::has(std::string_view capability) const {
  if (lists(capability)) return true;
  constexpr std::array<std::string_view, 12> kFoldedIn = {"NAMESPACE",     "UNSELECT",    "UIDPLUS", "ESEARCH",
                                                          "SEARCHRES",     "ENABLE",      "IDLE",    "SASL-IR",
                                                          "LIST-EXTENDED", "LIST-STATUS", "MOVE",    "LITERAL-"};
  const bool folded_in =
      std::any_of(kFoldedIn.begin(), kFoldedIn.end(), [&](std::string_view one) { return iequals(one, capability); });
  return folded_in && lists("IMAP4rev2") && !lists("IMAP4rev1");
}

}  // namespace mailproof::session
