#pragma once
#include <optional>
#include <string>
#include <vector>

#include "session/fifo.h"
#include "session/line_client.h"
#include "session/pop3/client.h"
#include "session/sasl_dialogue.h"
#include "wire/pop3/listing.h"
#include "wire/pop3/response_reader.h"

namespace mailproof::session {

/// The state behind Pop3Client. pop3_bring_up.cc leads it to the TRANSACTION state, pop3_commands.cc from there on.
struct Pop3Client::Impl final : LineClient {
  enum class Stage { connecting, greeting, capa, stls, capa_secured, utf8, login, capa_authenticated, ready };
  enum class Verb { stat, list, list_one, uidl, uidl_one, retr, top, dele, rset, noop, last, capa, quit };

  static std::string_view name(Verb verb);

  struct Command {
    CommandId id = 0;
    Verb verb = Verb::noop;
    std::uint32_t number = 0;
    std::uint32_t lines = 0;
    std::uint64_t end = 0;  ///< where it ends in the output, once written
    Time sent_at{};
  };

  Impl(ClientConfig config, Pop3Sink& sink) : LineClient(std::move(config)), sink_(sink) {}

  // LineClient
  void on_open(Time now) override;
  void on_bytes(std::string_view in, Time now) override;
  void on_tls(Time now) override;
  void on_secured(const TlsFacts& facts, Time now) override { sink_.on_secured(facts, now); }
  void on_handed(Time now) override;
  void on_over(const Ended& end, Time now) override;
  void on_lax(const Deviation& deviation, Time now) override { sink_.on_deviation(deviation, now); }

  // Bring-up
  void bring_up_status(const pop3::StatusLine& status, std::string_view behind);
  void greeted(const pop3::StatusLine& status);
  void ask_capabilities(Stage stage);
  void capabilities_known();
  void tell_capabilities();
  void ask_tls();
  void ask_utf8();
  void log_in();
  void log_in_with(std::string_view mechanism);
  void login_status(const pop3::StatusLine& status);
  std::string best_mechanism() const;
  void enter_transaction();

  // Transaction
  CommandId ask(Verb verb, std::uint32_t number = 0, std::uint32_t lines = 0);
  void pump();
  void write(Command& command);
  void command_status(const pop3::StatusLine& status);
  void told_one(const Command& command, std::string_view text);
  void row(std::string_view line);
  void body_end();
  /// The front command is over: tells the sink, then goes on with the next.
  void complete(Outcome outcome, std::string_view code, std::string_view text);
  Command pop();
  void count_response();
  void check_limits();
  void forward_deviations();

  Pop3Sink& sink_;
  Stage stage_ = Stage::connecting;
  pop3::ResponseReader reader_;
  pop3::Capabilities capabilities_;
  std::vector<std::string> capability_lines_;
  bool capa_known_ = false;
  bool pipelining_ = false;
  std::string apop_timestamp_;
  std::string login_as_;  ///< "USER", "APOP" or a SASL mechanism
  bool user_sent_ = false;
  std::optional<SaslDialogue> sasl_;

  Fifo<Command> queue_;
  std::size_t written_commands_ = 0;  ///< of the queue, from its front
  std::size_t sent_commands_ = 0;     ///< ... and of these, handed to the link whole
  CommandId last_id_ = 0;
  std::uint64_t command_from_ = 0;  ///< received() when the front command became the front
  std::uint64_t responses_ = 0;
  std::string kept_text_;  ///< of the +OK before a body
};

}  // namespace mailproof::session
