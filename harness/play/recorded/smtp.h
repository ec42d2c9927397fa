#pragma once
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "play/context.h"
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

/// One SMTP or LMTP connection that writes down everything it does and sees; same rules as ImapSession. What was asked
/// for is answered from the loop, never from inside the call that asked.
class SmtpSession final : public session::SmtpSink, private Alarm {
 public:
  using Then = std::function<void(bool ok, const std::string& why)>;
  using Sent = std::function<void(const std::vector<Delivered>&)>;

  SmtpSession(Context& context, std::uint32_t device, const Endpoint& endpoint, std::uint32_t login_account);
  ~SmtpSession() override;

  void open(Then then);
  /// `to` = account numbers. `then` after all recipients have an outcome, also when the connection dies.
  void send(std::uint32_t message, std::shared_ptr<const std::string> text, const std::string& from,
            const std::vector<std::uint32_t>& to, Sent then);
  void quit(std::function<void()> then);
  void drop(bool with_reset);
  void misbehave(const LinkFaults& faults);
  std::function<void()> final_dot;  ///< called when the last byte of a message went out

  bool ready() const { return client_->ready() && !ended_; }
  bool over() const { return ended_; }

  // session::SmtpSink
  void on_ready(Time now) override;
  void on_reply(std::string_view command, const session::SmtpReply& reply, Time now) override;
  void on_final_dot(session::CommandId id, Time now) override;
  void on_recipient(session::CommandId id, const session::RecipientResult& result, Time now) override;
  void on_done(session::CommandId id, session::Outcome outcome, Time sent, Time now) override;
  void on_deviation(const session::Deviation& deviation, Time now) override;
  void on_ended(const session::Ended& ended, Time now) override;

 private:
  struct Pending {
    std::uint32_t event = 0, message = 0;
    std::vector<std::uint32_t> to;
    std::vector<Delivered> results;
    Sent then;
  };
  history::Event event(history::Type type, history::What what) const;
  void later(std::function<void()> what);
  void ring(Time now) override;

  Context& context_;
  std::uint32_t number_;
  std::unique_ptr<session::SmtpClient> client_;
  std::unique_ptr<history::RecordedPeer> recorded_;
  std::unique_ptr<Link> link_;
  Endpoint endpoint_;
  std::map<session::CommandId, Pending> pending_;
  std::function<void()> quit_;
  std::vector<std::function<void()>> later_;  ///< answers that no word of the server is awaited for
  Then opened_;
  std::uint32_t connect_event_ = 0;
  bool ended_ = false;
};

}  // namespace mailproof::play
