#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/outbox.h"
#include "core/peer.h"
#include "session/client.h"
#include "session/patience.h"

namespace mailproof::session {

/// What the POP3, SMTP and LMTP clients have in common: the connection's life from opened() to its one end, the output,
/// the bounds on time and on what is received, the TLS upgrade. The protocol is in the hooks.
class LineClient {
 public:
  explicit LineClient(ClientConfig config) : config_(std::move(config)) {}
  virtual ~LineClient() = default;
  LineClient(const LineClient&) = delete;
  LineClient& operator=(const LineClient&) = delete;

  void attach(Waker* waker) { waker_ = waker; }
  void opened(Time now);
  void feed(Bytes in, Time now);
  std::span<const Output> output() { return out_.output(); }
  void sent(std::size_t n, Time now);
  void advance(Time now);
  std::optional<Time> deadline() const;
  void secured(const TlsFacts& facts, Time now);
  void ended(EndReason reason, std::string_view detail, Time now);
  Wants wants() const { return wants_; }

  void give_up(std::string_view why);
  bool over() const { return over_; }
  bool is_ready() const { return ready_ && !over_; }
  std::uint64_t received() const { return received_; }

 protected:
  virtual void on_open(Time now) = 0;                            ///< connected: await the greeting
  virtual void on_bytes(std::string_view in, Time now) = 0;      ///< takes all of it, until over() or TLS begins
  virtual void on_tls(Time now) = 0;                             ///< the upgrade that start_tls() asked for is there
  virtual void on_secured(const TlsFacts& facts, Time now) = 0;  ///< what TLS came to, implicit or asked for
  virtual void on_handed(Time now) = 0;                          ///< handed() moved on
  virtual void on_soon(Time) {}                                  ///< see soon()
  /// What was awaited did not come in time. True: something else is awaited now; else that is the end.
  virtual bool on_late(Time) { return false; }
  virtual void on_over(const Ended& end, Time now) = 0;  ///< the only end: complete what is pending, tell the sink
  virtual void on_lax(const Deviation& deviation, Time now) = 0;

  /// What is being done, for messages: "greeting", "STLS", "RETR". Static text.
  void step(std::string_view name) { step_ = name; }
  std::string_view step() const { return step_; }
  /// Something is awaited within this bound, counted from now; see Patience for what prolongs it.
  void await(Duration bound);
  void await_nothing();
  /// Calls on_soon() from the next call of the driver, at once: what is decided without a word from the server is told
  /// from the loop, never from inside the request that it answers.
  void soon();
  /// The last thing the server said.
  void saw(std::string_view line);
  void note(std::string_view code, std::string_view excerpt, std::uint64_t offset);

  /// The server agreed to TLS; `behind` is what it sent after that, which is never parsed.
  void start_tls(std::string_view behind);
  bool upgrading() const { return wants_ == Wants::start_tls; }

  void end(EndReason reason, std::string why, bool broken = false);
  void end_beyond(std::string why);  ///< for a limit of ours, of which no RFC knows
  void end_clean();
  void set_ready() { ready_ = true; }
  void set_login_refused() { login_refused_ = true; }  ///< then end()

  /// New output may wait, or nothing is wanted any more.
  void wake();
  /// Octets ever given to out_, and those of them handed to the link: a command is sent once handed() reaches its end.
  std::uint64_t written() const { return handed_ + out_.size(); }
  std::uint64_t handed() const { return handed_; }
  /// The time of the call that is under way, or of the last one.
  Time now() const { return now_; }
  const ClientConfig& config() const { return config_; }

  Outbox out_;

 private:
  void came_behind(std::string_view in);
  void finish(Ended end);
  void arm();

  ClientConfig config_;
  Waker* waker_ = nullptr;
  Time now_{};
  bool in_call_ = false;
  bool over_ = false;
  bool ready_ = false;
  bool login_refused_ = false;
  bool soon_ = false;
  bool unarmed_ = false;  ///< awaited since a call without a time: the bound counts from the next one
  std::optional<Duration> bound_;
  Patience patience_;
  std::optional<Time> deadline_;
  Wants wants_ = Wants::nothing;
  std::uint64_t received_ = 0;
  std::uint64_t behind_ = 0;  ///< octets that came between the agreement to TLS and TLS
  std::uint64_t handed_ = 0;
  std::string_view step_ = "connect";
  std::string seen_;
};

}  // namespace mailproof::session
