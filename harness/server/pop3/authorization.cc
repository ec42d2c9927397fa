#include "core/bytes.h"
#include "core/hash.h"
#include "server/pop3/session.h"

namespace mailproof::server {
namespace {

/// Of an account: when it was last let in over POP3.
struct LastLogin {
  std::optional<Time> at;
};

}  // namespace

void Pop3Session::user(std::string_view argument) {
  if (!may_send_password()) return write("-ERR STLS comes first\r\n");
  if (argument.empty()) return write("-ERR USER needs a name\r\n");
  if (refuse_malformed(argument)) return;
  user_ = argument;
  write("+OK now the password\r\n");  // also for a name that is not known (RFC 1939 section 13)
}

void Pop3Session::pass(std::string_view argument) {
  if (user_.empty()) return write("-ERR USER comes first\r\n");
  if (refuse_malformed(argument)) return user_.clear();
  auto* account = check_password(context(), user_, argument);  // a password may hold spaces
  user_.clear();
  log_in(account);
}

void Pop3Session::apop(std::string_view argument) {
  const auto given = pop3::parse_apop(argument);
  if (!given) return print("-ERR {}\r\n", given.error().why);
  auto* account = context().store.by_login(given->name);
  const auto right = [&] { return md5_hex(timestamp_ + account->config().password.reveal()); };
  log_in(account != nullptr && iequals(right(), given->digest) ? account : nullptr);
}

void Pop3Session::auth(std::string_view argument) {
  const auto space = argument.find(' ');
  const auto mechanism = sasl::parse_mechanism(argument.substr(0, space));
  if (!mechanism) return write("-ERR mechanism not known\r\n");
  if (!offered(*mechanism, may_send_password())) return write("-ERR STLS comes first\r\n");
  exchange_.emplace(context(), *mechanism);
  go_on(exchange_->begin(space == std::string_view::npos ? std::nullopt : std::optional(argument.substr(space + 1))));
}

void Pop3Session::go_on(const SaslExchange::Step& step) {
  using Kind = SaslExchange::Step::Kind;
  if (step.kind == Kind::challenge) return print("+ {}\r\n", step.challenge);
  exchange_.reset();
  switch (step.kind) {
    case Kind::cancelled:
      return write("-ERR cancelled\r\n");
    case Kind::malformed:
      return write("-ERR not base64\r\n");
    default:
      return log_in(step.account);
  }
}

void Pop3Session::log_in(AccountState* account) {
  if (account == nullptr) return write("-ERR [AUTH] wrong user or password\r\n");
  auto& last = account->extras.get<LastLogin>().at;
  if (last && now() < *last + login_delay()) return write("-ERR [LOGIN-DELAY] that is too soon after the last one\r\n");
  if (!context().has(latitude("pop3.snapshot-maildrop"))) {
    if (account->maildrop_owner != nullptr || now() < account->maildrop_free_at)
      return write("-ERR [IN-USE] another session has the maildrop\r\n");
    account->maildrop_owner = this;
  }
  last = now();
  account_ = account;
  maildrop_.emplace(context(), *account);
  state_ = State::transaction;
  print("+OK maildrop has {} messages ({} octets)\r\n", maildrop_->count(), maildrop_->octets());
}

void Pop3Session::stls(std::string_view argument) {
  if (refuse_argument(argument)) return;
  if (secure()) return write("-ERR TLS is up already\r\n");
  if (utf8_) return write("-ERR TLS comes before UTF8\r\n");
  if (!context().options.offer_tls) return write("-ERR TLS is not offered\r\n");
  write("+OK begin TLS\r\n");
  start_tls();
}

}  // namespace mailproof::server
