#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/peer.h"

namespace mailproof {

enum class Protocol { imap, pop3, smtp, lmtp };
std::string_view name(Protocol protocol);

enum class TlsMode { none, starttls, implicit };
std::string_view name(TlsMode mode);

/// Where a service of the target is. `starttls` is asked for by the peer; net/ only makes `implicit` happen by itself.
struct Endpoint {
  Protocol protocol = Protocol::imap;
  std::string host = "127.0.0.1";  ///< name or address, IPv4 or IPv6
  std::uint16_t port = 0;
  TlsMode tls = TlsMode::none;
  bool auth = false;          ///< SMTP: log in before MAIL
  std::string source;         ///< source address to bind, or empty
  std::string tls_max = {};   ///< "1.0", "1.1": offers nothing newer, and what is that old; empty = what is safe
  std::string label() const;  ///< "imap 127.0.0.1:143"
};

/// What a misbehaving device does to its connection. Byte counts are from the moment misbehave() is called.
struct LinkFaults {
  std::size_t split_writes = 0;                     ///< write at most this many bytes at a time; 0 = as they come
  Duration write_delay{};                           ///< wait this long before each write
  std::optional<std::uint64_t> cut_after_sent;      ///< end the connection once n more bytes were sent
  std::optional<std::uint64_t> cut_after_received;  ///< ... once n more bytes arrived; bytes beyond are not delivered
  bool cut_with_reset = true;                       ///< RST, else an orderly close
  bool half_close = false;                          ///< shut down our sending side when output is empty, go on reading
  bool stop_reading = false;                        ///< leave what the server sends in the socket
};

/// One connection between a peer and the target. Destroying it drops the connection without a word to the peer.
class Link {
 public:
  virtual ~Link() = default;
  virtual void misbehave(const LinkFaults& faults) = 0;
  virtual void drop(bool with_reset) = 0;  ///< ends it now; the peer gets ended(dropped) before or after this returns
  /// Said before anything happens: TLS may take up where the last connection of this client to this endpoint left off,
  /// as real clients do. Clients have numbers of whoever plays them. Where nobody says so every handshake is a full
  /// one.
  virtual void resume_as(std::uint64_t client) { (void)client; }
};

/// Something that wants to be called at a time of its own. It must outlive its last set_alarm, or be cleared with
/// nullopt.
class Alarm {
 public:
  virtual ~Alarm() = default;
  virtual void ring(Time now) = 0;
};

/// The world that peers live in: real sockets (net/) or links in memory under a virtual clock (sim/). One thread each.
class Network {
 public:
  virtual ~Network() = default;
  virtual Time now() const = 0;
  /// Never fails at once: an unreachable endpoint ends the peer. `peer` must outlive the Link.
  virtual std::unique_ptr<Link> open(const Endpoint& endpoint, Peer& peer) = 0;
  /// At most one pending time an alarm; setting again moves it, nullopt clears it.
  virtual void set_alarm(Alarm& alarm, std::optional<Time> at) = 0;
  /// Handles events until done() or until nothing can happen any more. False in the latter case (sim: a deadlock).
  virtual bool run(const std::function<bool()>& done) = 0;
  virtual bool simulated() const = 0;
};

}  // namespace mailproof
