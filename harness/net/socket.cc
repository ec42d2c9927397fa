#include "net/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/bytes.h"

namespace mailproof::net {
namespace {

constexpr std::size_t kDrainLimit = 1024 * 1024;

void set_flag(int fd, int level, int option) {
  const int on = 1;
  setsockopt(fd, level, option, &on, sizeof on);
}

}  // namespace

void Fd::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

std::string errno_text(int error) {
  std::string text = std::strerror(error);
  if (text.size() > 1 && to_lower(text[1]) == text[1]) text[0] = to_lower(text[0]);
  return text;
}

void set_no_delay(int fd) { set_flag(fd, IPPROTO_TCP, TCP_NODELAY); }

void set_reset_on_close(int fd) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void finish_sending(int fd) {
  shutdown(fd, SHUT_WR);
  std::array<char, 16 * 1024> dropped;
  for (std::size_t total = 0; total < kDrainLimit;) {
    const auto n = recv(fd, dropped.data(), dropped.size(), MSG_DONTWAIT);
    if (n <= 0) return;
    total += static_cast<std::size_t>(n);
  }
}

Dialled dial(const Address& to, const std::optional<Address>& from) {
  Fd fd(socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return {Fd(), errno};
  set_no_delay(fd.get());
  if (from) {
    // The kernel then chooses the port at connect(), by the whole four-tuple: far more connections an address.
    set_flag(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
    if (bind(fd.get(), from->get(), from->size) != 0) return {Fd(), errno};
  }
  if (connect(fd.get(), to.get(), to.size) != 0 && errno != EINPROGRESS) return {Fd(), errno};
  return {std::move(fd), 0};
}

int connect_outcome(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

Result<Fd> listen_on(const Address& at, int backlog) {
  const auto failed = [&](const char* step) { return Error(at.host(), std::string(step) + ": " + errno_text(errno)); };
  Fd fd(socket(at.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return failed("cannot make a socket");
  set_flag(fd.get(), SOL_SOCKET, SO_REUSEADDR);
  if (at.family() == AF_INET6) set_flag(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY);
  if (bind(fd.get(), at.get(), at.size) != 0) return failed("cannot bind");
  if (listen(fd.get(), backlog) != 0) return failed("cannot listen");
  return fd;
}

std::uint16_t local_port(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return 0;
  if (storage.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port);
  return ntohs(reinterpret_cast<sockaddr_in*>(&storage)->sin_port);
}

}  // namespace mailproof::net
