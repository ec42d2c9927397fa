#pragma once
#include <optional>
#include <string>

#include "core/outbox.h"
#include "core/peer.h"
#include "session/client.h"

namespace mailproof::session {

/// What came of a command that was sent in clear text in one piece with STARTTLS or STLS.
struct Smuggled {
  enum class What {
    silent,    ///< no answer to it came under TLS, or the server broke the connection: it was not obeyed
    answered,  ///< `text` answered it under TLS, before anything was asked there or beside the answer to that
    unknown    ///< TLS was never begun; `text` says why
  } what = What::unknown;
  std::string text;
};

class SmugglerSink {
 public:
  virtual ~SmugglerSink() = default;
  virtual void on_smuggled(const Smuggled& result, Time now) = 0;  ///< once
};

/// Looks for the STARTTLS command injection (CERT VU#555316; RFC 9051 section 6.2.1 forbids it to servers): awaits the
/// greeting, sends STARTTLS and `command` in one write, negotiates TLS, and listens for `listen`. A server may have
/// kept the command for when the next octets come: then it is asked for its capabilities, and must answer just that.
/// Does not log in.
class StarttlsSmuggler final : public Peer {
 public:
  StarttlsSmuggler(ClientConfig config, std::string command, Duration listen, SmugglerSink& sink);

  void attach(Waker* waker) override { waker_ = waker; }
  void opened(Time now) override;
  void feed(Bytes in, Time now) override;
  std::span<const Output> output() override { return out_.output(); }
  void sent(std::size_t n, Time now) override;
  void advance(Time now) override;
  std::optional<Time> deadline() const override { return due_; }
  void secured(const TlsFacts& facts, Time now) override;
  void ended(EndReason reason, std::string_view detail, Time now) override;
  Wants wants() const override { return wants_; }

 private:
  enum class Phase { connecting, greeting, asked, securing, listening, asking, after, over };
  bool under_tls() const { return phase_ >= Phase::listening && phase_ <= Phase::after; }
  void line(std::string_view text, Time now);
  void line_under_tls(Time now);
  bool answers() const;
  void ask(Time now);
  std::string told() const;
  void finish(Smuggled::What what, std::string text, Time now);

  ClientConfig config_;
  std::string command_;
  Duration listen_;
  SmugglerSink& sink_;
  Waker* waker_ = nullptr;
  Outbox out_;
  Phase phase_ = Phase::connecting;
  Wants wants_ = Wants::nothing;
  std::optional<Time> due_;
  std::string line_;
  bool in_list_ = false;  ///< POP3: of the capabilities
};

}  // namespace mailproof::session
