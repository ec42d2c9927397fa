#include "server/imap/session.h"

namespace mailproof::server {

std::string ImapSession::capabilities() const {
  std::string list = "IMAP4rev1 LITERAL+ SASL-IR ID ENABLE IDLE";
  if (!logged_in()) {
    if (context().options.offer_tls && !secure()) list += " STARTTLS";
    if (!may_send_password() && !context().has(latitude("imap.takes-plaintext-login"))) list += " LOGINDISABLED";
    const auto mechanisms = offered_mechanisms(may_send_password(), "AUTH=");
    if (!mechanisms.empty()) list += " " + mechanisms;
  }
  if (logged_in()) list += " COMPRESS=DEFLATE";
  list += " NAMESPACE CHILDREN SPECIAL-USE UNSELECT CONDSTORE QRESYNC ESEARCH STATUS=SIZE";
  if (!context().has(latitude("imap.no-move"))) list += " MOVE";
  if (!context().has(latitude("imap.no-uidplus"))) list += " UIDPLUS";
  return list + " QUOTA QUOTA=RES-STORAGE QUOTASET";
}

void ImapSession::cmd_capability(imap::Cursor& c) {
  if (!c.end()) return bad(c);
  print("* CAPABILITY {}\r\n", capabilities());
  ok("Done");
}

void ImapSession::cmd_noop(imap::Cursor& c) {
  if (!c.end()) return bad(c);
  ok("Done");
}

void ImapSession::cmd_logout(imap::Cursor& c) {
  if (!c.end()) return bad(c);
  if (view_ && !view_->read_only() && context().has(defect("imap.logout-expunges"))) expunge_deleted(std::nullopt);
  write("* BYE Logging out\r\n");
  print("{} OK Done\r\n", tag_);
  close();
}

void ImapSession::cmd_id(imap::Cursor& c) {
  c.sp();
  c.skip_value();
  if (!c.end()) return bad(c);
  write("* ID (\"name\" \"mailproof reference server\")\r\n");
  ok("Done");
}

void ImapSession::cmd_starttls(imap::Cursor& c) {
  if (!c.end()) return bad(c);
  if (secure() || !context().options.offer_tls) return bad("TLS is not offered here");
  ok("Begin TLS negotiation now");
  start_tls();
}

void ImapSession::cmd_login(imap::Cursor& c) {
  c.sp();
  const auto user = c.astring().text();
  c.sp();
  const auto password = c.astring().text();
  if (!c.end()) return bad("LOGIN wants a user and a password");
  if (!may_send_password() && !context().has(latitude("imap.takes-plaintext-login"))) {
    return no("[PRIVACYREQUIRED] Passwords are taken over TLS only");
  }
  auto* account = check_password(context(), user, password);
  if (account == nullptr) return no("[AUTHENTICATIONFAILED] Wrong user or password");
  logged_in_as(*account);
}

void ImapSession::cmd_authenticate(imap::Cursor& c) {
  c.sp();
  const auto name = c.atom();
  std::optional<std::string_view> initial;
  if (c.ok() && c.accept(' ')) {
    initial = c.rest();
    c.text();
  }
  if (!c.end()) return bad(c);
  const auto mechanism = sasl::parse_mechanism(name);
  if (!mechanism) return no("[CANNOT] No such mechanism");
  if (!offered(*mechanism, may_send_password())) return no("[PRIVACYREQUIRED] Passwords are taken over TLS only");
  sasl_.emplace(context(), *mechanism);
  take_sasl_step(sasl_->begin(initial));
}

void ImapSession::on_sasl_response(std::string_view line) { take_sasl_step(sasl_->line(line)); }

void ImapSession::take_sasl_step(const SaslExchange::Step& step) {
  using Kind = SaslExchange::Step::Kind;
  if (step.kind == Kind::challenge) {
    print("+ {}\r\n", step.challenge);
    return;
  }
  sasl_.reset();
  switch (step.kind) {
    case Kind::success:
      return logged_in_as(*step.account);
    case Kind::cancelled:
      return bad("Authentication cancelled");
    case Kind::malformed:
      return bad("That is not base64");
    default:
      return no("[AUTHENTICATIONFAILED] Wrong user or password");
  }
}

void ImapSession::logged_in_as(AccountState& account) {
  account_ = &account;
  ok(fmt::format("[CAPABILITY {}] Logged in", capabilities()));
}

void ImapSession::cmd_enable(imap::Cursor& c) {
  std::string enabled;
  bool condstore = false;
  do {
    c.sp();
    const auto name = c.atom();
    if (iequals(name, "QRESYNC")) {
      qresync_ = condstore = true;
      enabled += " QRESYNC";
    } else if (iequals(name, "CONDSTORE")) {
      condstore = true;
      enabled += " CONDSTORE";
    }
  } while (c.ok() && !c.at_end());
  if (!c.end()) return bad(c);
  print("* ENABLED{}\r\n", enabled);
  if (condstore) enable_condstore();
  ok("Done");
}

}  // namespace mailproof::server
