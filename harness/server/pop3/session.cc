#include "server/pop3/session.h"

namespace mailproof::server {

using pop3::Verb;

namespace {

/// Of each 4096 octets, but for the last of them, what ends in a line end.
std::string without_split_lines(std::string_view bytes) {
  constexpr std::size_t kRead = 4096;
  std::string kept;
  for (; bytes.size() > kRead; bytes.remove_prefix(kRead)) {
    const auto piece = bytes.substr(0, kRead);
    kept += piece.substr(0, piece.rfind('\n') + 1);
  }
  return kept += bytes;
}

}  // namespace

const Pop3Session::Command Pop3Session::kCommands[] = {
    {Verb::user, State::authorization, &Pop3Session::user}, {Verb::pass, State::authorization, &Pop3Session::pass},
    {Verb::apop, State::authorization, &Pop3Session::apop}, {Verb::auth, State::authorization, &Pop3Session::auth},
    {Verb::stls, State::authorization, &Pop3Session::stls}, {Verb::stat, State::transaction, &Pop3Session::stat},
    {Verb::list, State::transaction, &Pop3Session::list},   {Verb::retr, State::transaction, &Pop3Session::retr},
    {Verb::dele, State::transaction, &Pop3Session::dele},   {Verb::noop, State::transaction, &Pop3Session::noop},
    {Verb::rset, State::transaction, &Pop3Session::rset},   {Verb::top, State::transaction, &Pop3Session::top},
    {Verb::uidl, State::transaction, &Pop3Session::uidl},   {Verb::utf8, State::authorization, &Pop3Session::utf8},
};

std::unique_ptr<Connection> make_pop3(ServerContext& context, bool tls) {
  return std::make_unique<Pop3Session>(context, tls);
}

void Pop3Session::on_open() {
  const auto number = (std::uint64_t{context().rng.next()} << 32U) | context().rng.next();
  timestamp_ = fmt::format("<{}@{}>", number, context().options.host);
  print("+OK mailproof POP3 server ready {}\r\n", timestamp_);
}

void Pop3Session::on_bytes(std::string_view bytes) {
  std::string kept;
  if (context().has(defect("pop3.command-lost-at-4096"))) bytes = kept = without_split_lines(bytes);
  for (bool first = true; open(); first = false) {
    lines_.set_limit(exchange_ ? pop3::kSaslLineLimit : pop3::kCommandLimit);
    const auto line = lines_.next(bytes);
    if (!line) break;
    if (exchange_) {
      go_on(line->cut ? SaslExchange::Step{.kind = SaslExchange::Step::Kind::malformed, .challenge = {}}
                      : exchange_->line(line->text));
    } else if (line->cut) {
      write("-ERR line too long\r\n");
    } else {
      handle(line->text);
      if (!first && open() && context().has(defect("pop3.pipelined-twice"))) handle(line->text);
    }
  }
}

void Pop3Session::handle(std::string_view line) {
  const auto [verb, keyword, arguments] = pop3::parse_command(line);
  if (verb == Verb::capa) return capa(arguments);
  if (verb == Verb::quit) return quit(arguments);
  if (verb == Verb::lang) return lang(arguments);
  for (const auto& command : kCommands) {
    if (command.verb != verb) continue;
    if (command.state != state_) return write("-ERR not in this state\r\n");
    if (maildrop_) maildrop_->before_command();
    return (this->*command.run)(arguments);
  }
  write("-ERR unknown command\r\n");
}

void Pop3Session::capa(std::string_view argument) {
  if (refuse_argument(argument)) return;
  write("+OK capability list follows\r\nTOP\r\n");
  if (!context().has(latitude("pop3.no-uidl"))) write("UIDL\r\n");
  write("RESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n");
  print("LOGIN-DELAY {}\r\nUTF8 USER\r\nLANG\r\n", login_delay().count());
  if (context().has(latitude("pop3.expire-0")))
    write("EXPIRE 0\r\n");
  else if (!context().has(latitude("pop3.removes-downloaded")))
    write("EXPIRE NEVER\r\n");
  if (may_send_password()) write("USER\r\n");
  print("SASL {}\r\n", offered_mechanisms(may_send_password()));
  if (context().options.offer_tls && !secure()) write("STLS\r\n");
  write("IMPLEMENTATION mailproof\r\n.\r\n");
}

/// RFC 2449 section 6.5.
std::chrono::seconds Pop3Session::login_delay() const {
  return std::chrono::seconds(context().has(latitude("pop3.login-delay")) ? 10 : 0);
}

void Pop3Session::quit(std::string_view argument) {
  if (refuse_argument(argument)) return;
  if (maildrop_) maildrop_->update();
  state_ = State::update;
  if (account_ != nullptr && context().has(latitude("pop3.lock-released-after-reply")))
    account_->maildrop_free_at = now() + std::chrono::seconds(2);
  unlock();
  if (!context().has(defect("pop3.quit-unanswered"))) write("+OK bye\r\n");
  close();
}

bool Pop3Session::refuse_argument(std::string_view argument) {
  if (argument.empty()) return false;
  write("-ERR no argument expected\r\n");
  return true;
}

/// RFC 1939 section 3: no word to the client, no UPDATE state.
void Pop3Session::on_timeout() { unlock(); }

/// What was said in the clear counts no more (RFC 2595 section 4).
void Pop3Session::on_secured() { user_.clear(); }

void Pop3Session::on_end() {
  if (state_ != State::transaction) return;
  if (context().has(defect("pop3.dele-without-quit"))) maildrop_->update();
  if (!context().has(defect("pop3.lock-kept-after-drop"))) unlock();
}

void Pop3Session::unlock() {
  if (account_ != nullptr && account_->maildrop_owner == this) account_->maildrop_owner = nullptr;
}

}  // namespace mailproof::server
