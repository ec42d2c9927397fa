#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/network.h"
#include "net/dial.h"
#include "net/faults.h"
#include "net/reactor.h"
#include "net/stream.h"

namespace mailproof::net {

struct Limits {
  Duration connect{};  ///< all addresses together
  Duration tls{};      ///< the handshake
};

/// A peer that passes on what comes: it holds up who sends faster than that goes on, and its connection is over when
/// both ends have ended. FIN says only that its sender has no more data to send (RFC 9293 section 3.6).
class Relaying {
 public:
  virtual ~Relaying() = default;
  virtual bool takes_more() const = 0;  ///< false: nothing is read; the peer wakes its connection when it is true again
  virtual void finished(Time now) = 0;  ///< the other end sends nothing more, and may still read
  virtual bool finishes() const = 0;    ///< our sending side is shut down when the output is empty
};

/// Told when a connection that serves an accepted socket is over; it may then be buried.
class Owner {
 public:
  virtual ~Owner() = default;
  virtual void over(class Connection& connection) = 0;
};

/// Joins a Peer to a socket: moves bytes, starts TLS, keeps deadlines, does what LinkFaults say.
/// The peer may destroy its Link, or ask for anything, from inside every call it gets.
class Connection final : public Source, public Waker {
 public:
  /// The client's side. `context` may be null when the route never needs TLS.
  Connection(Reactor& reactor, std::shared_ptr<const Route> route, std::shared_ptr<TlsContext> context, Limits limits,
             Peer& peer);
  /// The server's side: owns the peer, tells `owner` when it is over.
  Connection(Reactor& reactor, Fd accepted, bool tls_first, std::shared_ptr<TlsContext> context, Limits limits,
             std::unique_ptr<Peer> peer, Owner& owner);
  ~Connection() override;

  void misbehave(const LinkFaults& faults);
  /// Said before it is dialled: its TLS may take up a session of this client, out of `sessions`.
  void resume_as(TlsSessions& sessions, std::uint64_t client);
  void drop(bool with_reset);
  void abandon();  ///< closes without a word to the peer

  void wake() override;
  void events(std::uint32_t epoll_events, Time now) override;
  void ready(Time now) override;
  void fire(Time now) override;

 private:
  enum class State : std::uint8_t { fresh, connecting, connected, handshaking, open, flushing, over };
  enum class Drop : std::uint8_t { no, orderly, reset };
  enum class Closing : std::uint8_t { plain, orderly, reset };

  bool is_open() const { return state_ == State::open || state_ == State::flushing; }
  bool deaf() const {
    return (plan_ && plan_->faults().stop_reading) || (relaying_ != nullptr && (read_all_ || !relaying_->takes_more()));
  }
  bool waits_for_tls() const { return !stream_.secure() && peer_->wants() == Wants::start_tls; }

  void work(Time now, bool readable);
  void begin(Time now);
  void dialled(Dial::Outcome outcome, Time now);
  void start_tls(Time now);
  void continue_handshake(Time now);
  void opened(Time now);

  void read(Time now);
  void reading_stopped(const IoResult& result, Time now);
  void settle(Time now);
  bool write(Time now);
  bool write_some(std::span<const Output> from, Time now);
  void writing_broke(const IoResult& result, Time now);
  std::span<const Output> to_send() {
    return plan_ && plan_->half_closed ? std::span<const Output>() : peer_->output();
  }

  void fail_tls(EndReason reason, const std::string& error, const std::string& detail, Time now);
  void end(EndReason reason, std::string_view detail, Time now, Closing closing = Closing::plain);
  void close_socket(Closing closing);

  std::optional<Time> next_due() const;
  void renew_interest();
  void renew_timer();

  Reactor& reactor_;
  std::shared_ptr<const Route> route_;  // null on the server's side
  std::shared_ptr<TlsContext> context_;
  Limits limits_;
  Peer* peer_;
  Relaying* relaying_;  ///< the peer, where it is one
  std::unique_ptr<Peer> owned_peer_;
  Owner* owner_ = nullptr;
  std::shared_ptr<Dial> dial_;
  std::unique_ptr<Resumption> resumption_;  // outlives the stream
  Stream stream_;
  std::unique_ptr<FaultPlan> plan_;
  std::optional<Time> own_deadline_;  // of connecting or of the handshake
  std::size_t early_bytes_ = 0;
  std::uint32_t interest_ = 0;
  State state_ = State::fresh;
  Drop drop_ = Drop::no;
  bool opened_ = false;
  bool tls_first_ = false;
  bool want_write_ = false;  // the socket took no more
  bool handshake_writes_ = false;
  bool muted_ = false;
  bool working_ = false;
  bool again_ = false;     // woken while working
  bool read_all_ = false;  // of one that relays: there is nothing more to read, or to write
  bool sent_all_ = false;
};

}  // namespace mailproof::net
