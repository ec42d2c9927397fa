#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "core/hash.h"
#include "session/pop3/impl.h"

namespace mailproof::session {
namespace {

constexpr std::size_t kCommandLine = 255;  // RFC 2449 section 4, CRLF included

bool has_line_end(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

}  // namespace

void Pop3Client::Impl::on_open(Time) {
  stage_ = Stage::greeting;
  step("greeting");
  await(config().greeting_bound);
}

void Pop3Client::Impl::on_tls(Time) {
  // RFC 2595 section 4: nothing learnt before TLS counts, so the server is asked again.
  reader_ = pop3::ResponseReader();
  capa_known_ = false;
  capabilities_.clear();
  capability_lines_.clear();
  if (config().capabilities != AskCapabilities::never) return ask_capabilities(Stage::capa_secured);
  stage_ = Stage::capa_secured;
  capabilities_known();
}

void Pop3Client::Impl::bring_up_status(const pop3::StatusLine& status, std::string_view behind) {
  using Kind = pop3::StatusLine::Kind;
  if (status.kind == Kind::challenge && !(stage_ == Stage::login && sasl_))
    return end(EndReason::dropped, "a challenge where none is due", true);
  switch (stage_) {
    case Stage::connecting:
    case Stage::ready:
      return;
    case Stage::greeting:
      return greeted(status);
    case Stage::capa:
    case Stage::capa_secured:
    case Stage::capa_authenticated:
      if (status.kind == Kind::err) return capabilities_known();
      capabilities_.clear();
      capability_lines_.clear();
      return reader_.expect(pop3::ResponseReader::Body::lines);
    case Stage::stls:
      if (status.kind == Kind::err) return end(EndReason::dropped, "TLS refused");
      step("TLS");
      await(config().greeting_bound);
      return start_tls(behind);
    case Stage::utf8:  // a server may refuse it (RFC 6856 section 2.1)
      return log_in();
    case Stage::login:
      return login_status(status);
  }
}

void Pop3Client::Impl::greeted(const pop3::StatusLine& status) {
  if (status.kind == pop3::StatusLine::Kind::err) return end(EndReason::dropped, "refused");
  if (const auto timestamp = pop3::apop_timestamp(status.text)) apop_timestamp_ = *timestamp;
  sink_.on_greeting(status.text, now());
  if (over()) return;
  if (config().capabilities != AskCapabilities::never) return ask_capabilities(Stage::capa);
  stage_ = Stage::capa;
  capabilities_known();
}

void Pop3Client::Impl::ask_capabilities(Stage stage) {
  stage_ = stage;
  step("CAPA");
  out_.text("CAPA\r\n");
  await(config().greeting_bound);
}

void Pop3Client::Impl::capabilities_known() {
  switch (stage_) {
    case Stage::capa:
      if (config().endpoint.tls == TlsMode::starttls) return ask_tls();
      [[fallthrough]];
    case Stage::capa_secured:
      if (config().utf8 && config().log_in && capabilities_.has("UTF8")) return ask_utf8();
      return config().log_in ? log_in() : enter_transaction();
    default:
      return enter_transaction();
  }
}

/// Of the CAPA that was just answered.
void Pop3Client::Impl::tell_capabilities() {
  const bool secured = stage_ == Stage::capa_secured || config().endpoint.tls == TlsMode::implicit;
  sink_.on_capabilities(capability_lines_,
                        stage_ == Stage::capa_authenticated ? session::Stage::authenticated
                        : secured                           ? session::Stage::secured
                                                            : session::Stage::plaintext,
                        now());
}

void Pop3Client::Impl::ask_tls() {
  stage_ = Stage::stls;
  step("STLS");
  // Never on in the clear: a server that does not offer what was asked for ends the session.
  if (capa_known_ && !capabilities_.has("STLS")) return end(EndReason::dropped, "TLS is not offered");
  out_.text("STLS\r\n");
  await(config().greeting_bound);
}

void Pop3Client::Impl::ask_utf8() {
  stage_ = Stage::utf8;
  step("UTF8");
  out_.text("UTF8\r\n");
  await(config().greeting_bound);
}

/// The strongest of what is offered. APOP comes last: a timestamp in the greeting does not say that it works.
std::string Pop3Client::Impl::best_mechanism() const {
  const auto offered = capabilities_.sasl();
  for (const std::string& one : config().login.preferred) {
    if (iequals(one, "USER") && (!capa_known_ || capabilities_.has("USER"))) return "USER";
    const auto known = sasl::parse_mechanism(one);
    if (known && std::find(offered.begin(), offered.end(), *known) != offered.end())
      return std::string(sasl::name(*known));
  }
  if (const auto best = sasl::choose(offered, true)) return std::string(sasl::name(*best));
  if (!capa_known_ || capabilities_.has("USER") || apop_timestamp_.empty()) return "USER";
  return "APOP";
}

void Pop3Client::Impl::log_in() {
  stage_ = Stage::login;
  step("login");
  const Login& login = config().login;
  if (has_line_end(login.user) || has_line_end(login.password.reveal()))
    return end(EndReason::dropped, "the user name or the password holds a line end");
  log_in_with(login.mechanism.empty() ? best_mechanism() : upper(login.mechanism));
}

void Pop3Client::Impl::log_in_with(std::string_view mechanism) {
  const Login& login = config().login;
  login_as_ = mechanism;
  // The maildrop is locked before the answer (RFC 1939 section 4), and a server may wait for whoever has it: no
  // deadline.
  await(config().command_bound);
  if (mechanism == "USER") {
    step("USER");
    out_.text("USER ");
    out_.text(login.user);
    out_.text("\r\n");
  } else if (mechanism == "APOP") {
    step("APOP");
    if (apop_timestamp_.empty()) return end(EndReason::dropped, "the greeting has no timestamp");
    out_.text("APOP ");
    out_.text(login.user);
    out_.text(" ");
    out_.secret(md5_hex(apop_timestamp_ + login.password.reveal()));
    out_.text("\r\n");
  } else if (const auto known = sasl::parse_mechanism(mechanism)) {
    step("AUTH");
    sasl_.emplace(*known, config(), now());
    sasl_->begin(out_, kCommandLine);
  } else {
    end(EndReason::dropped, fmt::format("mechanism {} is not spoken here", printable(mechanism, 40)));
  }
}

void Pop3Client::Impl::login_status(const pop3::StatusLine& status) {
  using Kind = pop3::StatusLine::Kind;
  if (status.kind == Kind::err) {
    set_login_refused();
    return end(EndReason::dropped, fmt::format("login with {} refused", login_as_));
  }
  await(config().command_bound);
  if (status.kind == Kind::challenge) {
    const auto answered = sasl_->challenge(status.text, out_);
    if (!answered) end(EndReason::dropped, answered.error().message(), true);
    return;
  }
  if (login_as_ == "USER" && !user_sent_) {
    user_sent_ = true;
    step("PASS");
    out_.text("PASS ");
    out_.secret(config().login.password.reveal());
    out_.text("\r\n");
    return;
  }
  if (sasl_) {
    const auto proven = sasl_->accepted();
    if (!proven) return end(EndReason::dropped, proven.error().message(), true);
    sasl_.reset();
  }
  if (config().capabilities != AskCapabilities::usual) return enter_transaction();
  ask_capabilities(Stage::capa_authenticated);
}

void Pop3Client::Impl::enter_transaction() {
  stage_ = Stage::ready;
  command_from_ = received();
  responses_ = 0;
  await_nothing();
  set_ready();
  sink_.on_ready(now());
  if (!over()) pump();
}

}  // namespace mailproof::session
