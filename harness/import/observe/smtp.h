#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "import/observe/login.h"
#include "import/observe/mail_scan.h"
#include "import/observe/recording.h"
#include "wire/smtp/command.h"
#include "wire/smtp/reply.h"
#include "wire/text/dot_stuffing.h"
#include "wire/text/line_reader.h"

namespace mailproof::imports {

/// Listens to an SMTP or LMTP session: which message was handed over, and what each recipient was answered.
class SmtpObserver final : public Listener {
 public:
  SmtpObserver(Recording& recording, Conversation about);

  void client(std::string_view octets, Time now) override;
  void server(std::string_view octets, Time now) override;

 private:
  enum class Of { command, rcpt, data, final_dot, bdat, auth };
  struct Asked {
    Of of = Of::command;
    smtp::Verb verb = smtp::Verb::unknown;
    std::string path;   ///< RCPT
    bool last = false;  ///< BDAT
  };
  struct Recipient {
    std::string path;
    int code = 0;
    std::string status, text;
  };

  void command(std::string_view line);
  void begin_data(smtp::Verb verb, std::string_view arguments);
  void take(std::string_view octets);
  void message_over();
  void reply(const smtp::Reply& reply);
  void told(const Recipient& recipient, history::Type type, std::string_view how);
  void final_reply(const smtp::Reply& reply);
  void forget_transaction();
  void abandon(std::string_view why) override;
  bool lmtp() const { return about().protocol == Protocol::lmtp; }

  text::LineReader lines_{smtp::kSaslLineLimit};
  smtp::ReplyReader replies_;
  LoginHeard login_;
  std::deque<Asked> pending_;
  std::vector<Recipient> accepted_, refused_at_rcpt_;
  std::size_t answered_ = 0;               ///< recipients of the message that was handed over
  std::uint32_t event_ = 0, message_ = 0;  ///< of the message on its way: the invoke; 0 = none
  text::DotReader dots_;
  MailScan scan_;
  std::uint64_t chunk_ = 0;  ///< octets of a BDAT that are still to come
  bool in_chunk_ = false, last_chunk_ = false, scan_open_ = false;
  bool in_data_ = false, waiting_for_go_ = false, authenticating_ = false, refused_sasl_ = false, greeted_ = false;
  bool commanded_ = false;  ///< a command that is known was heard
  std::string held_;        ///< what came behind DATA before its reply
};

}  // namespace mailproof::imports
