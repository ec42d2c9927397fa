#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "core/bytes.h"
#include "core/certificate.h"
#include "core/time.h"

namespace mailproof {

/// A piece of output. `secret` bytes are shown as *** in every log.
struct Output {
  Bytes bytes;
  bool secret = false;
};

enum class Wants {
  nothing,
  start_tls,  ///< hand the connection to TLS as soon as output() is empty; secured() follows
  close,      ///< close when output() is empty
};

enum class EndReason {
  none,
  closed,      ///< the other end closed (EOF)
  reset,       ///< the other end reset the connection
  refused,     ///< never connected: refused, unreachable, name unknown
  timeout,     ///< no connection, or no TLS, within its bound
  tls_failed,  ///< handshake or certificate refused
  dropped,     ///< our own doing: close, drop or cut
};
std::string_view name(EndReason reason);

/// What TLS came to. In sim it is a seal: established or not, no cryptography.
struct TlsFacts {
  bool established = false;
  std::string version;  ///< "TLSv1.3"; "sim" in simulation
  std::string cipher;
  std::string error;  ///< why not, when not established ("certificate has expired")
  std::size_t early_bytes =
      0;  ///< plaintext that arrived behind the STARTTLS reply; never parsed (CVE-2011-0411 class)
  std::optional<Certificate> certificate{};  ///< the server's, as far as it came
  /// The server took up a session of before (RFC 5246 section 7.3, RFC 8446 section 2.2): no certificate was shown
  /// again, and the one above is that session's.
  bool resumed = false;
  Duration took{};  ///< the handshake; nothing in simulation
};

/// How a peer tells its driver that output(), deadline() or wants() changed outside of a call from the driver.
class Waker {
 public:
  virtual ~Waker() = default;
  virtual void wake() = 0;  ///< never calls back into the peer; the driver looks at it soon, on the same thread
};

/// One end of a protocol conversation. Owns no socket, clock or thread; never blocks. Events go to a sink given at
/// construction. Order of calls: attach(), then opened() once or ended() at once, then feed/sent/advance/secured in any
/// order, then ended() once. For implicit TLS secured() comes before opened(). All calls come from one thread.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual void attach(Waker* waker) = 0;           ///< before anything else; null detaches
  virtual void opened(Time now) = 0;               ///< connected, and secured if TLS is implicit
  virtual void feed(Bytes in, Time now) = 0;       ///< consumes all of it
  virtual std::span<const Output> output() = 0;    ///< bytes to send; they stay put until sent() covers them
  virtual void sent(std::size_t n, Time now) = 0;  ///< the first n bytes of output() are gone
  virtual void advance(Time now) = 0;              ///< a deadline came: IDLE refresh, step bound, server autologout
  virtual std::optional<Time> deadline() const = 0;
  virtual void secured(const TlsFacts& facts, Time now) = 0;  ///< TLS is up, or failed, with what was negotiated
  virtual void ended(EndReason reason, std::string_view detail, Time now) = 0;
  virtual Wants wants() const = 0;
};

}  // namespace mailproof
