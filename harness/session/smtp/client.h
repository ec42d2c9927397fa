#pragma once
#include <memory>
#include <optional>
#include <span>

#include "session/client.h"

namespace mailproof::session {

/// One message to send. Addresses are bare ("a@example.test"); an empty `from` is the null reverse-path.
struct Envelope {
  std::string from;
  std::vector<std::string> to;
  std::string notify;  ///< RFC 3461 NOTIFY value, e.g. "FAILURE", sent where DSN is offered; "" = none
  std::string ret;     ///< RFC 3461 RET value; "" = none
  std::string envid;   ///< RFC 3461 ENVID; "" = none
  bool bdat = false;   ///< by BDAT (RFC 3030) where CHUNKING is offered
};

struct SmtpReply {
  int code = 0;               ///< 250; 0 = none came
  std::string_view enhanced;  ///< "5.2.2"; "" = none
  std::string_view text;      ///< lines joined by " / "
};

/// What became of one recipient.
struct RecipientResult {
  std::size_t recipient = 0;        ///< index into Envelope::to
  Outcome outcome = Outcome::info;  ///< ok = the server took responsibility; fail = refused; info = connection lost
                                    ///< after the final dot
  bool at_rcpt = false;             ///< refused at RCPT already (or MAIL, or DATA): nothing was sent for it
  SmtpReply reply;
  bool locally = false;  ///< refused by ourselves: not a word of it was sent, and `reply` is what we say of it
  EndReason lost = EndReason::none;  ///< how the session ended, where that is why there is no answer
};

/// Where an SmtpClient tells what happens; same rules as ImapSink.
class SmtpSink {
 public:
  virtual ~SmtpSink() = default;
  virtual void on_greeting(const SmtpReply&, Time) {}
  virtual void on_secured(const TlsFacts&, Time) {}                         ///< TLS is up, or failed
  virtual void on_extensions(std::span<const std::string>, Stage, Time) {}  ///< of each EHLO or LHLO
  virtual void on_ready(Time) = 0;                                          ///< EHLO/LHLO (after TLS and AUTH) accepted
  virtual void on_reply(std::string_view command, const SmtpReply&,
                        Time) = 0;               ///< every reply: "MAIL", "RCPT", "DATA", "end of data", ...
  virtual void on_final_dot(CommandId, Time) {}  ///< the last byte of the message was handed to the link
  virtual void on_recipient(CommandId, const RecipientResult&, Time) = 0;  ///< exactly once a recipient, in order
  virtual void on_done(CommandId, Outcome, Time sent,
                       Time now) = 0;                   ///< after all recipients; ok = at least one was accepted
  virtual void on_deviation(const Deviation&, Time) {}  ///< e.g. "lmtp.replies.missing", "lmtp.replies.extra"
  virtual void on_ended(const Ended&, Time) = 0;
};

/// An SMTP (RFC 5321) or LMTP (RFC 2033) client session; the endpoint's protocol decides. Greeting, EHLO or LHLO,
/// STARTTLS and EHLO again if the endpoint says so, AUTH if it says so, then messages one after another. PIPELINING is
/// used where offered. A SIZE that is offered is declared and respected: a bigger message is refused locally, before
/// MAIL, with the code that the server would use (RFC 1870 section 6.1); an address that would end its command early
/// is, too. That is told from the loop, like every outcome: never before send() has returned.
class SmtpClient final : public Peer {
 public:
  SmtpClient(ClientConfig config, std::string helo, SmtpSink& sink);
  ~SmtpClient() override;

  /// `message` has CRLF line ends and is dot-stuffed on the way out.
  CommandId send(Envelope envelope, std::shared_ptr<const std::string> message);
  CommandId quit();
  void give_up(std::string_view why);

  bool ready() const;
  bool busy() const;
  bool has(std::string_view extension) const;
  const std::vector<std::string>& extensions() const;  ///< "SIZE 52428800"
  std::uint64_t received() const;

  // Peer
  void attach(Waker* waker) override;
  void opened(Time now) override;
  void feed(Bytes in, Time now) override;
  std::span<const Output> output() override;
  void sent(std::size_t n, Time now) override;
  void advance(Time now) override;
  std::optional<Time> deadline() const override;
  void secured(const TlsFacts& facts, Time now) override;
  void ended(EndReason reason, std::string_view detail, Time now) override;
  Wants wants() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mailproof::session
