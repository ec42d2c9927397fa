#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "core/peer.h"
#include "net/fd.h"
#include "net/tls.h"

namespace mailproof::net {

enum class Io {
  ok,
  wait_read,   ///< nothing more until the socket is readable
  wait_write,  ///< nothing more until the socket is writable
  eof,
  reset,
  failed,
};

struct IoResult {
  Io status = Io::ok;
  std::size_t n = 0;     ///< bytes moved, when ok
  bool drained = false;  ///< a read that took everything there was: asking again would only cost a call
  std::string why{};     ///< for people, when eof, reset or failed
};

/// A connected socket, plain or under TLS; never blocks.
class Stream {
 public:
  Stream() = default;
  explicit Stream(Fd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }
  bool is_open() const { return static_cast<bool>(fd_); }
  bool secure() const { return ssl_ != nullptr; }
  /// Bytes wait inside TLS, where epoll cannot see them.
  bool pending() const { return ssl_ && SSL_has_pending(ssl_.get()) == 1; }

  IoResult read(std::span<std::byte> into);
  /// At most `limit` bytes of `from`.
  IoResult write(std::span<const Output> from, std::size_t limit);

  void start_tls(const TlsContext& context, const std::string& host, const std::string& tls_max,
                 Resumption* resumption) {
    ssl_ = context.start(fd_.get(), host, tls_max, resumption);
  }
  IoResult handshake();
  SSL* ssl() const { return ssl_.get(); }

  /// Throws away plaintext that lies in the socket before TLS starts and says how much it was. With `keep_tls`, what
  /// begins like a TLS record stays: a client that was quicker than us may already have said hello.
  std::size_t drop_early_bytes(bool keep_tls);

  int pending_error() const;  ///< the errno of a connection that broke, 0 when it did not
  void end_sending();         ///< close_notify and FIN; reading goes on
  /// FIN, then empties the receive queue (1 MiB at most), because close() with unread bytes would send RST instead.
  void close_orderly();
  void close_reset();  ///< RST; discards what was not yet sent
  void close();

 private:
  IoResult plain_result(long n, std::size_t room) const;
  IoResult tls_result(int n);
  IoResult write_plain(std::span<const Output> from, std::size_t limit);
  IoResult write_tls(std::span<const Output> from, std::size_t limit);

  Fd fd_;
  TlsContext::Session ssl_;
  std::size_t owed_ = 0;  // length OpenSSL was promised by a write it could not finish; a retry must not be shorter
};

}  // namespace mailproof::net
