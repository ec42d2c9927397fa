#pragma once
#include <memory>

#include "session/pop3/client.h"
#include "session/tests/line_dialogue.h"

namespace mailproof::session {

/// A Pop3Client whose sink writes down what it is told; contents of one message are joined.
class Pop3Rig final : public SessionRig, public Pop3Sink {
 public:
  explicit Pop3Rig(ClientConfig config, std::shared_ptr<Offers> offers = nullptr)
      : client_(std::move(config), *this), offers_(std::move(offers)) {}
  Peer& peer() override { return client_; }
  bool awaiting() const override { return !client_.ready() || client_.busy(); }
  std::vector<std::string> truth(std::string_view said, std::string_view heard) const override;
  std::vector<std::string> odd_answers() const override;
  std::vector<std::string> floods() const override;

  void on_greeting(std::string_view text, Time) override;
  void on_secured(const TlsFacts& facts, Time) override {
    if (offers_) offers_->secured(facts);
  }
  void on_capabilities(std::span<const std::string> words, Stage stage, Time) override {
    if (offers_) offers_->offered(words, stage);
  }
  void on_ready(Time) override;
  void on_done(const Pop3Completion& done, Time) override;
  void on_stat(std::uint32_t messages, std::uint64_t octets, Time) override;
  void on_list(std::uint32_t number, std::uint64_t octets, Time) override;
  void on_uidl(std::uint32_t number, std::string_view id, Time) override;
  void on_content_begin(std::uint32_t number, bool top, Time) override;
  void on_content(std::string_view chunk) override;
  void on_content_end(std::uint64_t octets, Time) override;
  void on_deviation(const Deviation& deviation, Time) override;
  void on_ended(const Ended& ended, Time) override;

 private:
  Pop3Client client_;
  std::shared_ptr<Offers> offers_;
  std::string content_;
};

ClientConfig pop3_config(TlsMode tls = TlsMode::none, std::string mechanism = "");
inline Pop3Client& pop3(Peer& peer) { return static_cast<Pop3Client&>(peer); }

}  // namespace mailproof::session
