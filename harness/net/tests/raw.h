#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <string_view>

#include "net/socket.h"

namespace mailproof::net {

/// A listening socket without any loop behind it: a server that does only what the test does by hand.
class RawServer {
 public:
  explicit RawServer(int backlog = 8) : fd_(*listen_on(*parse_address("127.0.0.1"), backlog)) {}
  std::uint16_t port() const { return local_port(fd_.get()); }
  /// Takes the connection that is already in the backlog.
  Fd accept(sockaddr_in* from = nullptr) const {
    socklen_t size = sizeof(sockaddr_in);
    for (;;) {
      Fd got(::accept(fd_.get(), reinterpret_cast<sockaddr*>(from), from ? &size : nullptr));
      if (got || errno != EAGAIN) return got;
    }
  }

 private:
  Fd fd_;
};

inline void raw_send(const Fd& fd, std::string_view text) {
  [[maybe_unused]] const auto n = send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
}

/// A port of 127.0.0.1 on which nobody listens, held so that nobody can.
class DeadPort {
 public:
  DeadPort() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const Address any = *parse_address("127.0.0.1");
    bind(fd_.get(), any.get(), any.size);
  }
  std::uint16_t port() const { return local_port(fd_.get()); }

 private:
  Fd fd_;
};

}  // namespace mailproof::net
