#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "import/observe/login.h"
#include "import/observe/mail_scan.h"
#include "import/observe/recording.h"
#include "wire/pop3/command.h"
#include "wire/pop3/response_reader.h"
#include "wire/text/line_reader.h"

namespace mailproof::imports {

/// Listens to a POP3 session. Replies come in the order of the commands (RFC 1939 section 3, RFC 2449 section 6.6).
class Pop3Observer final : public Listener {
 public:
  Pop3Observer(Recording& recording, Conversation about);

  void client(std::string_view octets, Time now) override;
  void server(std::string_view octets, Time now) override;

 private:
  struct Asked {
    pop3::Verb verb = pop3::Verb::unknown;
    pop3::Success success = pop3::Success::one_line;
    std::uint32_t number = 0, lines = 0;
    std::uint32_t event = 0;  ///< its invoke; 0 = the history has none
  };
  struct Entry {
    std::string uidl;
    std::uint32_t message = 0;
  };

  void start();
  void command(std::string_view line);
  void log_command(const pop3::Command& command, std::string_view line);
  void invoke(Asked& asked);
  void status(const pop3::StatusLine& status);
  void row(std::string_view line);
  void content();
  void body_end();
  void answered(history::Type type, std::string_view code, std::string_view text);
  void login_over(bool ok, std::string_view text);
  void abandon(std::string_view why) override;
  history::Event about_maildrop(history::Type type, history::What what) const;

  text::LineReader lines_{pop3::kSaslLineLimit};
  pop3::ResponseReader replies_;
  LoginHeard login_;
  std::deque<Asked> pending_;
  std::map<std::uint32_t, Entry> entries_;  ///< by number
  MailScan scan_;
  std::string kept_text_;  ///< of the +OK before a body
  std::uint32_t messages_ = 0;
  std::uint64_t octets_ = 0;
  bool started_ = false;
  bool authenticating_ = false;
  bool refused_sasl_ = false;
  bool commanded_ = false;  ///< a command that is known was heard
  bool greeted_;            ///< by the greeting, or by the reply to a login that was not heard
};

}  // namespace mailproof::imports
