#include "play/talk/bring_up.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "core/hash.h"
#include "play/talk/match.h"
#include "scenario/check/talk.h"

namespace mailproof::play {
namespace {

constexpr std::string_view kClientName = "mailproof.invalid";  // RFC 2606: nobody's

/// What EHLO's answer lists: a keyword a line, behind its code (RFC 5321 section 4.1.1.1).
std::vector<std::string> keywords(const TalkReply& hello) {
  std::vector<std::string> out;
  for (const std::string& line : hello.block) out.push_back(line.substr(std::min<std::size_t>(4, line.size())));
  return out;
}

}  // namespace

using scenario::Standing;
using scenario::TalkTls;

const Endpoint* talk_endpoint(const scenario::Target& target, const scenario::TalkConnect& how) {
  const auto& all = how.protocol == Protocol::imap   ? target.imap
                    : how.protocol == Protocol::pop3 ? target.pop3
                    : how.protocol == Protocol::smtp ? target.smtp
                                                     : target.lmtp;
  const auto with = [&](TlsMode mode) -> const Endpoint* {
    const auto at = std::find_if(all.begin(), all.end(), [&](const Endpoint& e) { return e.tls == mode; });
    return at == all.end() ? nullptr : &*at;
  };
  switch (how.tls) {
    case TalkTls::target:
      return all.empty() ? nullptr : &all.front();
    case TalkTls::none:
      return with(TlsMode::none);
    case TalkTls::clear:
    case TalkTls::starttls:
      return with(TlsMode::starttls);
    case TalkTls::implicit:
      return with(TlsMode::implicit);
  }
  return nullptr;
}

TalkBringUp::TalkBringUp(Context& context, TalkConnection& connection, const scenario::TalkConnect& how,
                         const Endpoint& endpoint)
    : context_(context),
      connection_(connection),
      how_(how),
      endpoint_(endpoint),
      account_(context.accounts.at(how.account)),
      wants_starttls_(endpoint.tls == TlsMode::starttls && how.tls != TalkTls::clear),
      wants_auth_(endpoint.auth) {
  if (how_.standing == Standing::greeting) step_ = Step::up;
}

void TalkBringUp::raise(Standing standing) {
  how_.standing = standing;
  if (step_ == Step::up) at(Step::mechanisms);
}

void TalkBringUp::raise_by_password(Standing standing) {
  how_.standing = standing;
  if (step_ == Step::up) at(how_.protocol == Protocol::pop3 ? Step::user : Step::login);
}

/// Where one logs in, and whether in clear text: what is offered differs.
std::string TalkBringUp::door() const { return endpoint_.label() + (connection_.tls() ? " tls" : ""); }

void TalkBringUp::say(std::string text, bool secret) { connection_.send({{std::move(text), secret}, {"\r\n", false}}); }

TalkBringUp::State TalkBringUp::fail(std::string why) {
  why_ = std::move(why);
  return State::failed;
}

/// What comes there in clear text anybody on the wire may have said, and it is never read.
TalkBringUp::State TalkBringUp::clear_text(std::string_view what) {
  return fail(fmt::format("clear text behind the reply to {}: {}",
                          how_.protocol == Protocol::pop3 ? "STLS" : "STARTTLS", what));
}

std::string TalkBringUp::credentials() const {
  std::string text;
  text += '\0';
  text += account_.login;
  text += '\0';
  text += account_.password.reveal();
  return base64(text);
}

/// Says what the step says. Steps that are not needed lead on to the next.
TalkBringUp::State TalkBringUp::at(Step step) {
  step_ = step;
  const bool pop = how_.protocol == Protocol::pop3;
  switch (step) {
    case Step::hello:
      say(fmt::format("{} {}", how_.protocol == Protocol::lmtp ? "LHLO" : "EHLO", kClientName));
      return State::busy;
    case Step::starttls:
      if (!wants_starttls_) return at(Step::mechanisms);
      say(pop ? "STLS" : how_.protocol == Protocol::imap ? "tls0 STARTTLS" : "STARTTLS");
      return State::busy;
    case Step::tls:
      connection_.start_tls();
      return State::busy;
    case Step::mechanisms: {
      if (how_.standing == Standing::authorization) return at(Step::up);
      if (scenario::is_mail(how_.protocol)) return at(Step::plain);
      // A run asks once. In simulation nothing is learnt, and the password is what one logs in with.
      const auto known =
          context_.options.learnt != nullptr ? context_.options.learnt->way_in(door()) : std::optional(play::WayIn{});
      if (!known) {
        say(pop ? "CAPA" : "caps0 CAPABILITY");
        return State::busy;
      }
      if (!known->mechanism) return at(pop ? Step::user : Step::login);
      sasl_ = std::make_unique<TalkSasl>(context_, account_, endpoint_, *known->mechanism);
      return at(Step::exchange);
    }
    case Step::exchange:
      say(fmt::format("{} {}", pop || scenario::is_mail(how_.protocol) ? "AUTH" : "login1 AUTHENTICATE",
                      sasl_->mechanism()));
      return State::busy;
    case Step::user:
      say(fmt::format("USER {}", account_.login));
      return State::busy;
    case Step::pass:
      say(fmt::format("PASS {}", account_.password.reveal()), true);
      return State::busy;
    case Step::plain:
      if (const auto other = instead_of_password(keywords(hello_))) {
        sasl_ = std::make_unique<TalkSasl>(context_, account_, endpoint_, *other);
        return at(Step::exchange);
      }
      say(fmt::format("AUTH PLAIN {}", credentials()), true);
      return State::busy;
    case Step::login:
      login_.begin("login0", "LOGIN", imap::LiteralSupport::synchronising);
      login_.astring(account_.login);
      login_.secret_astring(account_.password);
      login_.end();
      go_on_with_login();
      return State::busy;
    case Step::authenticate:
      say("login1 AUTHENTICATE PLAIN");
      return State::busy;
    case Step::select:
      if (how_.standing != Standing::selected) return at(Step::up);
      say("select0 SELECT INBOX");
      return State::busy;
    default:
      return step == Step::up ? State::up : State::busy;
  }
}

/// Says LOGIN as far as its next literal.
void TalkBringUp::go_on_with_login() {
  Outbox out;
  login_.send(out);
  std::vector<TalkConnection::Piece> pieces;
  for (const Output& piece : out.output()) pieces.push_back({std::string(as_text(piece.bytes)), piece.secret});
  connection_.send(pieces);
}

bool TalkBringUp::tagged(const std::string& line) const {
  return step_ == Step::greeting
             ? line.starts_with('*')
             : line.starts_with("tls0 ") || line.starts_with("caps0 ") || line.starts_with("login0 ") ||
                   line.starts_with("login1 ") || line.starts_with("select0 ") || line.starts_with('+');
}

TalkBringUp::State TalkBringUp::go_on() {
  const bool pop = how_.protocol == Protocol::pop3;
  while (step_ != Step::up) {
    if (step_ == Step::tls) {
      if (connection_.tls() && !connection_.tls()->established)
        return fail(fmt::format("TLS failed: {}", connection_.tls()->error));
      if (!connection_.tls()) {
        if (connection_.over()) return fail("the connection ended in the TLS handshake");
        return State::busy;
      }
      if (const auto early = connection_.tls()->early_bytes; early != 0)
        return clear_text(fmt::format("{} octets", early));
      at(behind_tls());
      continue;
    }
    if (connection_.replies.empty()) {
      if (!connection_.over()) return State::busy;
      return fail(fmt::format("the connection ended before the talk began ({}{}{})", name(connection_.end()),
                              connection_.end_detail().empty() ? "" : ": ", connection_.end_detail()));
    }
    const TalkReply reply = std::move(connection_.replies.front());
    connection_.replies.pop_front();
    const std::string& line = reply.line;
    if (scenario::is_mail(how_.protocol)) {
      if (const State state = mail(reply); state != State::busy) return state;
      continue;
    }
    if (step_ == Step::mechanisms) {
      mechanisms(reply);
      continue;
    }
    if (!pop && !tagged(line)) continue;
    const auto status = [&](std::string_view word) {
      const auto from = pop ? 0 : std::min(line.find(' ') + 1, line.size());
      return istarts_with(std::string_view(line).substr(from), word);
    };
    const bool ok = status(pop ? "+OK" : "OK") || (step_ == Step::greeting && !pop && status("PREAUTH"));
    switch (step_) {
      case Step::greeting:
        if (!ok) return fail(fmt::format("the greeting was {}", printable(line)));
        at(Step::starttls);
        break;
      case Step::starttls:
        if (!ok) return fail(fmt::format("TLS was refused: {}", printable(line)));
        if (const std::string behind = connection_.untaken(); !behind.empty()) return clear_text(printable(behind));
        at(Step::tls);
        break;
      case Step::user:
        user_taken_ = ok;
        at(ok ? Step::pass : Step::plain);
        break;
      case Step::pass:
      case Step::plain: {
        if (ok) {
          at(Step::up);
          break;
        }
        why_ = fmt::format("the login was refused: {}", printable(line));
        const std::string told = upper(line);
        const bool locked = told.find("IN-USE") != std::string::npos || told.find("LOCK") != std::string::npos ||
                            told.find("IN USE") != std::string::npos || told.find("BUSY") != std::string::npos ||
                            told.find("[LOGIN-DELAY]") != std::string::npos;
        return locked ? State::refused : State::failed;
      }
      case Step::login:
        if (line.starts_with('+') && login_.waiting()) {
          go_on_with_login();
          break;
        }
        at(ok ? Step::select : Step::authenticate);
        break;
      case Step::authenticate:
        if (line.starts_with('+')) {
          say(credentials(), true);
        } else if (ok) {
          at(Step::select);
        } else {
          return fail(fmt::format("the login was refused: {}", printable(line)));
        }
        break;
      case Step::exchange:
        if (const auto state = exchange(line, ok)) return *state;
        break;
      case Step::select:
        if (!ok) return fail(fmt::format("INBOX could not be opened: {}", printable(line)));
        at(Step::up);
        break;
      default:
        break;
    }
  }
  return State::up;
}

/// A line that came in an exchange of SASL. Nothing: it goes on.
std::optional<TalkBringUp::State> TalkBringUp::exchange(std::string_view line, bool ok) {
  const bool mail = scenario::is_mail(how_.protocol);
  if (mail ? line.starts_with("334") : line.starts_with('+') && !ok) {
    const auto answer = sasl_->answer(line);
    if (!answer) return fail(answer.error().message());
    say(*answer, true);
    return std::nullopt;
  }
  if (!ok) return fail(fmt::format("the login was refused: {}", printable(line)));
  if (const auto proven = sasl_->accepted(); !proven) return fail(proven.error().message());
  at(how_.protocol == Protocol::imap ? Step::select : Step::up);
  return std::nullopt;
}

/// What the server offers to log in with. One that tells nothing is taken at its word: by the password.
void TalkBringUp::mechanisms(const TalkReply& reply) {
  if (how_.protocol == Protocol::pop3) {
    capabilities_ = reply.block;
  } else if (istarts_with(reply.line, "* CAPABILITY")) {
    capabilities_ = pattern_words(reply.line);
  }
  if (how_.protocol == Protocol::imap && !reply.line.starts_with("caps0 ")) return;
  context_.options.learnt->way_in(door(), {instead_of_password(capabilities_)});
  at(Step::mechanisms);
}

/// RFC 3207 section 4.2: nothing learnt before TLS counts, so the server is greeted again.
TalkBringUp::Step TalkBringUp::behind_tls() const {
  if (!scenario::is_mail(how_.protocol)) return Step::mechanisms;
  return how_.standing == Standing::authorization ? Step::up : Step::hello;
}

/// What a reply of SMTP or LMTP leads to. busy: the next is awaited, or it is up.
TalkBringUp::State TalkBringUp::mail(const TalkReply& reply) {
  const std::string& line = reply.line;
  const bool ok = line.starts_with('2') && reply.one_code;
  const bool secured = connection_.tls().has_value();
  switch (step_) {
    case Step::greeting:
      if (!ok) return fail(fmt::format("the greeting was {}", printable(line)));
      at(how_.standing == Standing::authorization && !wants_starttls_ ? Step::up : Step::hello);
      break;
    case Step::hello:
      if (!ok)
        return fail(
            fmt::format("{} was refused: {}", how_.protocol == Protocol::lmtp ? "LHLO" : "EHLO", printable(line)));
      hello_ = reply;
      if (wants_starttls_ && !secured) {
        at(Step::starttls);
      } else {
        at(how_.standing == Standing::authenticated || wants_auth_ ? Step::plain : Step::up);
      }
      break;
    case Step::starttls:
      if (!ok) return fail(fmt::format("TLS was refused: {}", printable(line)));
      if (const std::string behind = connection_.untaken(); !behind.empty()) return clear_text(printable(behind));
      at(Step::tls);
      break;
    case Step::plain:
      if (!ok) return fail(fmt::format("the login was refused: {}", printable(line)));
      at(Step::up);
      break;
    case Step::exchange:
      if (const auto state = exchange(line, ok)) return *state;
      break;
    default:
      break;
  }
  return State::busy;
}

}  // namespace mailproof::play
