#include <algorithm>

#include "server/imap/session.h"

namespace mailproof::server {

std::string ImapSession::capabilities() const {
  std::string list = "IMAP4rev1";
  if (!context().has(latitude("imap.literal-minus"))) list += " LITERAL+";
  list += " SASL-IR ENABLE";
  if (!logged_in()) {
    if (context().options.offer_tls && !secure()) list += " STARTTLS";
    if (!may_send_password() && !context().has(latitude("imap.takes-plaintext-login"))) list += " LOGINDISABLED";
    const auto mechanisms = offered_mechanisms(may_send_password(), "AUTH=");
    if (!mechanisms.empty()) list += " " + mechanisms;
  }
  list += " CHILDREN";
  for (const auto* extension : extensions_) {
    if ((extension->announced & state()) == 0) continue;
    if (!extension->capabilities.empty()) list += fmt::format(" {}", extension->capabilities);
    const auto more = extension->more_capabilities != nullptr ? extension->more_capabilities(*this) : std::string();
    if (!more.empty()) list += " " + more;
  }
  return list;
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
  if (view_) forget_flags();
  write("* BYE Logging out\r\n");
  print("{} OK Done\r\n", tag_);
  close();
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
  using Reply = SaslExchange::Step::Kind;
  if (step.kind == Reply::challenge) {
    print("+ {}\r\n", step.challenge);
    return;
  }
  sasl_.reset();
  switch (step.kind) {
    case Reply::success:
      return logged_in_as(*step.account);
    case Reply::cancelled:
      return bad("Authentication cancelled");
    case Reply::malformed:
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
  std::vector<const EnableWord*> words;
  do {
    c.sp();
    const auto* word = extensions_.find(&Extension::enables, c.atom());
    if (word != nullptr && std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
  } while (c.ok() && !c.at_end());
  if (!c.end()) return bad(c);
  if (view_ && context().has(latitude("imap.enable-before-select"))) return bad("ENABLE comes before SELECT");
  std::string enabled;
  for (const auto* word : words) enabled += fmt::format(" {}", word->name);
  print("* ENABLED{}\r\n", enabled);
  for (const auto* word : words)
    if (enabled_.emplace(upper(word->name)).second && word->run != nullptr) word->run(*this);
  ok("Done");
}

}  // namespace mailproof::server
