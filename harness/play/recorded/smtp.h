#pragma once
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "play/context.h"
#include "play/recorded/recorder.h"
#include "session/smtp/client.h"

namespace mailproof::play {

/// What became of one recipient, kept after the call that told it.
struct Delivered {
  std::uint32_t account = 0;
  session::Outcome outcome = session::Outcome::info;
  int code = 0;
  std::string status;  ///< enhanced status code
  std::string text;
};

/// One SMTP or LMTP connection that writes down everything it does and sees; same rules as RecordedImap. What was asked
/// for is answered from the loop, never from inside the call that asked.
class RecordedSmtp final : public session::SmtpSink {
 public:
  using Then = std::function<void(bool ok, const std::string& why)>;
  using Sent = std::function<void(const std::vector<Delivered>&)>;

  RecordedSmtp(Context& context, std::uint32_t device, const Endpoint& endpoint, std::uint32_t login_account);

  void open(Then then);
  /// `to` = account numbers. `then` after all recipients have an outcome, also when the connection dies.
  void send(std::uint32_t message, std::shared_ptr<const std::string> text, const std::string& from,
            const std::vector<std::uint32_t>& to, Sent then, bool bdat = false);
  bool offers(std::string_view extension) const { return client_->has(extension); }
  void quit(std::function<void()> then);
  void drop(bool with_reset) { recorder_.drop(with_reset, ""); }
  void misbehave(const LinkFaults& faults) { recorder_.misbehave(faults); }
  std::function<void()> final_dot;  ///< called when the last byte of a message went out

  bool ready() const { return client_->ready() && !over(); }
  bool over() const { return recorder_.over(); }

  // session::SmtpSink
  void on_ready(Time) override { recorder_.ready(""); }
  void on_reply(std::string_view, const session::SmtpReply&, Time) override {}
  void on_final_dot(session::CommandId id, Time now) override;
  void on_recipient(session::CommandId id, const session::RecipientResult& result, Time now) override;
  void on_done(session::CommandId id, session::Outcome outcome, Time sent, Time now) override;
  void on_deviation(const session::Deviation& deviation, Time) override { recorder_.deviation(deviation); }
  void on_ended(const session::Ended& ended, Time now) override;

 private:
  /// A message on its way: it has an end for every recipient, so it is no command of the recorder.
  struct Delivery {
    std::uint32_t event = 0, message = 0;
    std::vector<std::uint32_t> to;
    std::vector<Delivered> results;
    Sent then;
  };
  void record(Delivery& delivery, std::size_t recipient, session::Outcome outcome, const session::SmtpReply& reply,
              std::string_view how);

  Context& context_;
  std::uint32_t session_;  ///< its number
  std::unique_ptr<session::SmtpClient> client_;
  std::map<session::CommandId, Delivery> deliveries_;
  std::function<void()> quit_;
  Recorder recorder_;  ///< last: its link goes first
};

}  // namespace mailproof::play
