#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/connection.h"
#include "server/sasl_exchange.h"
#include "server/smtp/delivery.h"
#include "wire/smtp/command.h"
#include "wire/text/dot_stuffing.h"
#include "wire/text/line_reader.h"

namespace mailproof::server {

/// The server's end of an SMTP (RFC 5321) or LMTP (RFC 2033) connection. Takes mail for its own domain only, also
/// without AUTH, as the last hop does. Enhanced status codes (RFC 2034) on every reply that may have one.
class SmtpSession final : public Connection {
 public:
  /// RFC 5321 section 4.5.3.2.7: at least 5 minutes.
  static constexpr Duration kTimeout = std::chrono::minutes(5);
  /// Octets of a message, as SIZE announces them (RFC 1870).
  static constexpr std::uint64_t kSizeLimit = 10U << 20U;
  /// RFC 5321 section 4.5.3.1.8 asks for at least 100.
  static constexpr std::size_t kMostRecipients = 1000;

  SmtpSession(ServerContext& context, bool tls, bool lmtp)
      : Connection(context, tls), lmtp_(lmtp), lines_(smtp::kCommandLimit) {}

 private:
  struct Command {
    smtp::Verb verb;
    void (SmtpSession::*run)(std::string_view arguments);
  };
  static const Command kCommands[];

  void on_open() override;
  void on_bytes(std::string_view bytes) override;
  void on_timeout() override { write("421 4.4.2 no command came for too long\r\n"); }
  void on_secured() override;
  void on_end() override;
  Duration idle_limit() const override { return kTimeout; }

  void handle(std::string_view line);

  // smtp_session.cc
  void helo(std::string_view arguments);
  void ehlo(std::string_view arguments);
  void lhlo(std::string_view arguments);
  void rset(std::string_view arguments);
  void noop(std::string_view arguments);
  void vrfy(std::string_view arguments);
  void help(std::string_view arguments);
  void quit(std::string_view arguments);
  void greet(std::string_view client, bool extended);
  bool takes_none(std::string_view arguments);

  // smtp_auth.cc
  void starttls(std::string_view arguments);
  void auth(std::string_view arguments);
  void go_on(const SaslExchange::Step& step);

  // smtp_transaction.cc
  void mail(std::string_view arguments);
  void rcpt(std::string_view arguments);
  void data(std::string_view arguments);
  void bdat(std::string_view arguments);
  void take_data(std::string_view& bytes);
  bool ends_wrongly(std::string_view& bytes);
  bool ends_nowhere_wrongly_ = false;  ///< what has come at once was looked through already
  void take_chunk(std::string_view& bytes);
  void finish_data();
  void forget();
  void reply(const DeliveryReply& reply);
  AccountState* recipient(std::string_view path);
  bool refuse_address(std::string_view address);
  std::string_view with(bool utf8) const;

  const bool lmtp_;
  text::LineReader lines_;
  std::string client_;     ///< what EHLO, HELO or LHLO said; empty before
  bool extended_ = false;  ///< EHLO or LHLO, not HELO
  bool authenticated_ = false;
  bool utf8_ = false;  ///< MAIL said SMTPUTF8 (RFC 6531)
  std::optional<SaslExchange> exchange_;
  std::optional<Envelope> envelope_;       ///< from MAIL to the end of DATA, or RSET
  std::optional<text::DotReader> reader_;  ///< while a message comes in
  /// While the octets of a BDAT come in (RFC 3030). One that is refused is read all the same.
  struct Chunk {
    std::uint64_t missing = 0;
    bool last = false;
    bool refused = false;
  };
  std::optional<Chunk> chunk_;
  bool chunked_ = false;  ///< the message of envelope_ comes by BDAT
  std::string message_;
};

}  // namespace mailproof::server
