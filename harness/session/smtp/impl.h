#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "session/fifo.h"
#include "session/line_client.h"
#include "session/sasl_dialogue.h"
#include "session/smtp/client.h"
#include "wire/smtp/extensions.h"
#include "wire/smtp/reply.h"

namespace mailproof::session {

/// The state behind SmtpClient. smtp_bring_up.cc leads it to readiness, smtp_transaction.cc sends messages.
struct SmtpClient::Impl final : LineClient {
  enum class Asked { greeting, hello, helo, starttls, auth, rset, mail, rcpt, data, final, quit };

  /// A reply that is due, once the octets up to `end` are handed to the link.
  struct Awaited {
    Asked asked = Asked::greeting;
    std::size_t recipient = 0;
    std::uint64_t end = 0;
  };
  struct Job {
    CommandId id = 0;
    bool quit = false;
    Envelope envelope;
    std::shared_ptr<const std::string> message;
  };
  struct Recipient {
    enum class State { undecided, accepted, decided };
    State state = State::undecided;
    Outcome outcome = Outcome::info;
    bool at_rcpt = false;
    int code = 0;
    std::string enhanced;
    std::string text;
  };

  Impl(ClientConfig config, std::string helo, SmtpSink& sink)
      : LineClient(std::move(config)), helo_(std::move(helo)), sink_(sink) {}

  // LineClient
  void on_open(Time now) override;
  void on_bytes(std::string_view in, Time now) override;
  void on_tls(Time now) override;
  void on_secured(const TlsFacts& facts, Time now) override { sink_.on_secured(facts, now); }
  void on_handed(Time now) override;
  void on_soon(Time now) override;
  bool on_late(Time now) override;
  void on_over(const Ended& end, Time now) override;
  void on_lax(const Deviation& deviation, Time now) override { sink_.on_deviation(deviation, now); }

  bool lmtp() const { return config().endpoint.protocol == Protocol::lmtp; }
  std::string_view command_name(Asked asked) const;
  void command(Asked asked, std::string_view line, std::size_t recipient = 0);
  void expect(Asked asked, std::size_t recipient = 0);
  SmtpReply view(const smtp::Reply& reply);
  void on_reply(const smtp::Reply& reply, std::string_view behind);
  void unasked(const smtp::Reply& reply);
  void check_limits();
  void forward_deviations();

  // Bring-up
  void bring_up_reply(Asked asked, const smtp::Reply& reply, std::string_view behind);
  void say_hello();
  void greeted_back(const smtp::Reply& reply);
  void after_hello();
  void log_in();
  void auth_reply(const smtp::Reply& reply);
  void become_ready();

  // Transaction
  CommandId ask(Job job);
  void pump();
  void begin();
  bool find_refusal();
  void tell_refusal();
  void write_mail();
  void write_rcpt(std::size_t recipient);
  void write_body();
  void write_chunk();
  void await_final();
  bool chunked() const { return jobs_.front().envelope.bdat && extensions_.has("CHUNKING"); }
  void after_mail(const smtp::Reply& reply);
  void after_rcpt(std::size_t recipient, const smtp::Reply& reply);
  void after_data(const smtp::Reply& reply);
  void after_final(std::size_t recipient, const smtp::Reply& reply);
  void refused_in_the_middle(const smtp::Reply& reply);
  void decide(std::size_t recipient, Outcome outcome, bool at_rcpt, const SmtpReply& reply);
  void decide_open(Outcome outcome, bool at_rcpt, const SmtpReply& reply);
  void tell_decided();
  void complete();
  std::size_t accepted() const;

  std::string helo_;
  SmtpSink& sink_;
  smtp::ReplyReader reader_;
  Fifo<Awaited> awaited_;
  smtp::Extensions extensions_;
  std::vector<std::string> extension_lines_;
  std::optional<SaslDialogue> sasl_;
  bool secured_ = false;  ///< by STARTTLS
  std::string text_;      ///< of the reply being told, lines joined by " / "
  std::string enhanced_;

  Fifo<Job> jobs_;
  bool active_ = false;  ///< the front job has begun
  std::vector<Recipient> recipients_;
  std::size_t recipient_count_ = 0;  ///< of the front job; recipients_ keeps its strings between messages
  std::size_t told_ = 0;             ///< of these, told to the sink
  struct Refusal {
    int code = 0;
    std::string enhanced, text;
  };
  bool refused_ = false;              ///< what is being told is our own refusal
  EndReason lost_ = EndReason::none;  ///< ... or what the end of the session left without an answer
  std::optional<Refusal> refusal_;    ///< of the front job, by ourselves: told from the next call
  bool pipelined_ = false;
  bool reset_needed_ = false;  ///< the server holds a transaction that came to nothing
  bool body_begun_ = false;
  bool final_dot_handed_ = false;
  bool final_reply_seen_ = false;  ///< of the front job
  bool asks_for_replies_ = false;  ///< QUIT went out to see whether some are missing
  bool after_message_ = false;     ///< the last reply that was due was to a message
  std::uint64_t last_end_ = 0;     ///< where the last command of the front job ends
  Time sent_at_{};
  CommandId last_id_ = 0;
  std::uint64_t command_from_ = 0;
  std::uint64_t unasked_ = 0;
};

}  // namespace mailproof::session
