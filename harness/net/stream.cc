#include "net/stream.h"

#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace mailproof::net {
namespace {

constexpr std::size_t kPieces = 16;
constexpr std::size_t kRecord = 16 * 1024;  // a TLS record's plaintext (RFC 8446 section 5.1)
constexpr std::size_t kDrainLimit = 1024 * 1024;
constexpr std::size_t kEarlyLimit = 1024 * 1024;  // who sends more before TLS is not worth counting further
constexpr std::byte kTlsHandshake{22};            // ContentType (RFC 8446 section 5.1)

IoResult from_errno(int error) {
  if (error == ECONNRESET) return {.status = Io::reset, .why = "connection reset by the other end"};
  if (error == EPIPE) return {.status = Io::eof, .why = "closed by the other end"};
  return {.status = Io::failed, .why = errno_text(error)};
}

/// OpenSSL wants an empty queue before a call. To empty one goes through all its places, to ask whether it is empty
/// not.
void forget_errors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

IoResult sent_result(long n) {
  if (n >= 0) return {.status = Io::ok, .n = static_cast<std::size_t>(n), .drained = false};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {.status = Io::wait_write};
  return from_errno(errno);
}

}  // namespace

IoResult Stream::plain_result(long n, std::size_t room) const {
  if (n > 0) return {.status = Io::ok, .n = static_cast<std::size_t>(n), .drained = static_cast<std::size_t>(n) < room};
  if (n == 0) return {.status = Io::eof, .why = "closed by the other end"};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {.status = Io::wait_read};
  return from_errno(errno);
}

IoResult Stream::tls_result(int n) {
  const int saved = errno;
  switch (SSL_get_error(ssl_.get(), n)) {
    case SSL_ERROR_WANT_READ:
      return {.status = Io::wait_read};
    case SSL_ERROR_WANT_WRITE:
      return {.status = Io::wait_write};
    case SSL_ERROR_ZERO_RETURN:
      return {.status = Io::eof, .why = "closed by the other end"};
    case SSL_ERROR_SYSCALL:
      ERR_clear_error();
      if (saved == 0) return {.status = Io::eof, .why = "closed by the other end without TLS close_notify"};
      return from_errno(saved);
    default:
      break;
  }
  if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    ERR_clear_error();
    return {.status = Io::eof, .why = "closed by the other end without TLS close_notify"};
  }
  return {.status = Io::failed, .why = tls_error(ssl_.get())};
}

IoResult Stream::read(std::span<std::byte> into) {
  if (!ssl_) return plain_result(recv(fd_.get(), into.data(), into.size(), 0), into.size());
  forget_errors();
  errno = 0;
  std::size_t n = 0;
  const int outcome = SSL_read_ex(ssl_.get(), into.data(), into.size(), &n);
  if (outcome != 1) return tls_result(outcome);
  return {.status = Io::ok, .n = n, .drained = !pending()};
}

IoResult Stream::write(std::span<const Output> from, std::size_t limit) {
  return ssl_ ? write_tls(from, limit) : write_plain(from, limit);
}

IoResult Stream::write_plain(std::span<const Output> from, std::size_t limit) {
  if (from.size() == 1) {  // the usual case, and a tenth of a send cheaper than sendmsg
    const Bytes only = from.front().bytes.first(std::min(from.front().bytes.size(), limit));
    return sent_result(send(fd_.get(), only.data(), only.size(), MSG_NOSIGNAL));
  }
  std::array<iovec, kPieces> pieces;
  std::size_t count = 0;
  std::size_t total = 0;
  for (const Output& piece : from) {
    if (count == pieces.size() || total == limit) break;
    const std::size_t size = std::min(piece.bytes.size(), limit - total);
    pieces[count++] = {const_cast<std::byte*>(piece.bytes.data()), size};
    total += size;
  }
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = count;
  return sent_result(sendmsg(fd_.get(), &message, MSG_NOSIGNAL));
}

IoResult Stream::write_tls(std::span<const Output> from, std::size_t limit) {
  // Small pieces go out as one record; a secret among them is no reason for a record of its own.
  std::array<std::byte, kRecord> record;
  const std::size_t size = std::max(std::min(limit, kRecord), owed_);
  Bytes next = from.front().bytes;
  if (next.size() < size && from.size() > 1) {
    std::size_t filled = 0;
    for (const Output& piece : from) {
      const std::size_t part = std::min(piece.bytes.size(), size - filled);
      if (part == 0) break;
      std::memcpy(record.data() + filled, piece.bytes.data(), part);
      filled += part;
    }
    next = Bytes(record.data(), filled);
  }
  next = next.first(std::min(next.size(), size));
  forget_errors();
  errno = 0;
  std::size_t n = 0;
  const int outcome = SSL_write_ex(ssl_.get(), next.data(), next.size(), &n);
  if (outcome == 1) {
    owed_ = 0;
    return {.status = Io::ok, .n = n, .drained = false};
  }
  const IoResult result = tls_result(outcome);
  owed_ = result.status == Io::wait_write || result.status == Io::wait_read ? next.size() : 0;
  return result;
}

IoResult Stream::handshake() {
  ERR_clear_error();
  errno = 0;
  const int outcome = SSL_do_handshake(ssl_.get());
  if (outcome == 1) return {.status = Io::ok};
  return tls_result(outcome);
}

std::size_t Stream::drop_early_bytes(bool keep_tls) {
  std::array<std::byte, 4096> early;
  std::size_t dropped = 0;
  while (dropped < kEarlyLimit) {
    if (keep_tls && recv(fd_.get(), early.data(), 1, MSG_PEEK | MSG_DONTWAIT) == 1 && early[0] == kTlsHandshake) break;
    const auto n = recv(fd_.get(), early.data(), early.size(), MSG_DONTWAIT);
    if (n <= 0) break;
    dropped += static_cast<std::size_t>(n);
  }
  return dropped;
}

int Stream::pending_error() const {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

void Stream::end_sending() {
  if (ssl_) SSL_shutdown(ssl_.get());
  shutdown(fd_.get(), SHUT_WR);
}

void Stream::close_orderly() {
  end_sending();
  std::array<std::byte, 16 * 1024> unread;
  for (std::size_t total = 0; total < kDrainLimit;) {
    const auto n = recv(fd_.get(), unread.data(), unread.size(), MSG_DONTWAIT);
    if (n <= 0) break;
    total += static_cast<std::size_t>(n);
  }
  close();
}

void Stream::close_reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

void Stream::close() {
  ssl_.reset();
  fd_.close();
  owed_ = 0;
}

}  // namespace mailproof::net
