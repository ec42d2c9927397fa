#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/connection.h"
#include "server/pop3/maildrop.h"
#include "server/sasl_exchange.h"
#include "wire/pop3/command.h"
#include "wire/text/line_reader.h"

namespace mailproof::server {

/// The server's end of a POP3 connection: RFC 1939, 2449 (CAPA, response codes, pipelining), 2595 (STLS), 5034 (AUTH),
/// 3206 (AUTH and SYS response codes), 6856 (UTF8 and LANG). The maildrop is locked from login to QUIT or the
/// connection's end.
class Pop3Session final : public Connection {
 public:
  /// RFC 1939 section 3: the autologout timer is at least 10 minutes.
  static constexpr Duration kAutologout = std::chrono::minutes(10);

  Pop3Session(ServerContext& context, bool tls) : Connection(context, tls), lines_(pop3::kCommandLimit) {}

 private:
  enum class State : std::uint8_t { authorization, transaction, update };
  struct Command {
    pop3::Verb verb;
    State state;  ///< where it may be given; CAPA, LANG and QUIT may be given anywhere
    void (Pop3Session::*run)(std::string_view argument);
  };
  static const Command kCommands[];

  void on_open() override;
  void on_bytes(std::string_view bytes) override;
  void on_timeout() override;
  void on_secured() override;
  void on_end() override;
  Duration idle_limit() const override { return kAutologout; }

  void handle(std::string_view line);

  // Either state (session.cc).
  void capa(std::string_view argument);
  void quit(std::string_view argument);
  void lang(std::string_view argument);  // lang.cc

  // AUTHORIZATION (authorization.cc).
  void user(std::string_view argument);
  void pass(std::string_view argument);
  void apop(std::string_view argument);
  void auth(std::string_view argument);
  void stls(std::string_view argument);
  void go_on(const SaslExchange::Step& step);
  void log_in(AccountState* account);
  std::chrono::seconds login_delay() const;

  // RFC 6856 section 2 (utf8.cc).
  void utf8(std::string_view argument);
  bool refuse_malformed(std::string_view name_or_password);
  bool refuse_without_utf8(std::string_view message);

  // TRANSACTION (transaction.cc).
  void stat(std::string_view argument);
  void list(std::string_view argument);
  void uidl(std::string_view argument);
  void retr(std::string_view argument);
  void top(std::string_view argument);
  void dele(std::string_view argument);
  void rset(std::string_view argument);
  void noop(std::string_view argument);
  std::optional<std::uint32_t> message_number(std::string_view argument);
  std::optional<std::uint32_t> present(std::uint32_t number);
  void write_message(const std::shared_ptr<const std::string>& content, std::size_t before);

  bool refuse_argument(std::string_view argument);
  void unlock();

  text::LineReader lines_;
  State state_ = State::authorization;
  std::string timestamp_;  ///< APOP's, with brackets
  std::string user_;       ///< USER was given
  bool utf8_ = false;      ///< UTF8 was given: messages go out as they are
  std::optional<SaslExchange> exchange_;
  AccountState* account_ = nullptr;
  std::optional<Maildrop> maildrop_;
};

}  // namespace mailproof::server
