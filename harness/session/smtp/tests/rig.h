#pragma once
#include <memory>

#include "session/smtp/client.h"
#include "session/tests/line_dialogue.h"

namespace mailproof::session {

/// An SmtpClient whose sink writes down what it is told.
class SmtpRig final : public SessionRig, public SmtpSink {
 public:
  explicit SmtpRig(ClientConfig config, std::shared_ptr<Offers> offers = nullptr)
      : lmtp_(config.endpoint.protocol == Protocol::lmtp),
        client_(std::move(config), "client.example.test", *this),
        offers_(std::move(offers)) {}
  Peer& peer() override { return client_; }
  bool awaiting() const override { return !client_.ready() || client_.busy(); }
  std::vector<std::string> truth(std::string_view said, std::string_view heard) const override;
  std::vector<std::string> odd_answers() const override;
  std::vector<std::string> floods() const override;

  void on_greeting(const SmtpReply& reply, Time) override;
  void on_secured(const TlsFacts& facts, Time) override {
    if (offers_) offers_->secured(facts);
  }
  void on_extensions(std::span<const std::string> words, Stage stage, Time) override {
    if (offers_) offers_->offered(words, stage);
  }
  void on_ready(Time) override;
  void on_reply(std::string_view command, const SmtpReply& reply, Time) override;
  void on_final_dot(CommandId id, Time) override;
  void on_recipient(CommandId id, const RecipientResult& result, Time) override;
  void on_done(CommandId id, Outcome outcome, Time sent, Time now) override;
  void on_deviation(const Deviation& deviation, Time) override;
  void on_ended(const Ended& ended, Time) override;

 private:
  bool lmtp_;
  SmtpClient client_;
  std::shared_ptr<Offers> offers_;
};

ClientConfig smtp_config(Protocol protocol = Protocol::smtp, TlsMode tls = TlsMode::none, bool auth = false,
                         std::string mechanism = "");
inline SmtpClient& smtp(Peer& peer) { return static_cast<SmtpClient&>(peer); }

/// A small MIME message with a line that begins with a dot; `eight_bit` puts raw UTF-8 into it.
std::string mime_message(bool eight_bit = false);
/// What the client wants to be called for, as a loop would.
DialogueStep due();
DialogueStep send_to(std::vector<std::string> recipients, std::string message = mime_message());

}  // namespace mailproof::session
