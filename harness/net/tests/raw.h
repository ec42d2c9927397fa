#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "net/fd.h"

namespace mailproof::net {

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(port);
  return at;
}

/// A socket bound to a free port of 127.0.0.1.
class RawPort {
 public:
  RawPort() : fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in at = loopback(0);
    socklen_t size = sizeof at;
    bind(fd.get(), reinterpret_cast<sockaddr*>(&at), size);
    getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size);
    port = ntohs(at.sin_port);
  }
  Fd fd;
  std::uint16_t port = 0;
};

/// A listening socket without any loop behind it: a server that does only what the test does by hand.
class RawServer {
 public:
  explicit RawServer(int backlog = 8) { listen(at_.fd.get(), backlog); }
  std::uint16_t port() const { return at_.port; }
  /// Takes the connection that is already in the backlog.
  Fd accept(sockaddr_in* from = nullptr) const {
    socklen_t size = sizeof(sockaddr_in);
    for (;;) {
      Fd got(::accept(at_.fd.get(), reinterpret_cast<sockaddr*>(from), from ? &size : nullptr));
      if (got || errno != EAGAIN) return got;
    }
  }

 private:
  RawPort at_;
};

/// Connects, or with `flags` SOCK_NONBLOCK begins to.
inline Fd raw_connect(std::uint16_t port, int flags = 0) {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  const sockaddr_in at = loopback(port);
  [[maybe_unused]] const int begun = connect(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at);
  return fd;
}

inline void raw_send(const Fd& fd, std::string_view text) {
  [[maybe_unused]] const auto n = send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
}

inline void set_reset_on_close(int fd) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/// A port of 127.0.0.1 on which nobody listens, held so that nobody can.
class DeadPort {
 public:
  std::uint16_t port() const { return at_.port; }

 private:
  RawPort at_;
};

}  // namespace mailproof::net
