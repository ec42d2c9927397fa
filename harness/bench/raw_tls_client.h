#pragma once
#include <fcntl.h>
#include <openssl/ssl.h>

#include "bench/cpu.h"
#include "bench/sink_server.h"

namespace mailproof::bench {

/// The baseline over TLS: nothing but epoll, SSL_write and SSL_read. No parsing, no clock, no histogram.
class RawTlsClients {
 public:
  RawTlsClients(std::uint16_t port, std::size_t connections)
      : context_(SSL_CTX_new(TLS_client_method())), epoll_(epoll_create1(EPOLL_CLOEXEC)), all_(connections) {
    for (One& one : all_) {
      one.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in at{};
      at.sin_family = AF_INET;
      at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      at.sin_port = htons(port);
      if (connect(one.fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) std::exit(3);
      const int on = 1;
      setsockopt(one.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      one.ssl = SSL_new(context_);
      SSL_set_fd(one.ssl, one.fd);
      if (SSL_connect(one.ssl) != 1) std::exit(3);
      one.missing = kGreeting.size();
      while (one.missing > 0) take(one);
      fcntl(one.fd, F_SETFL, O_NONBLOCK);
      epoll_event event{.events = EPOLLIN, .data = {.ptr = &one}};
      epoll_ctl(epoll_, EPOLL_CTL_ADD, one.fd, &event);
    }
  }
  ~RawTlsClients() {
    for (const One& one : all_) {
      SSL_free(one.ssl);
      close(one.fd);
    }
    SSL_CTX_free(context_);
    close(epoll_);
  }
  RawTlsClients(const RawTlsClients&) = delete;

  /// Nanoseconds of CPU a command, over `commands` of them; `body`: octets of the answer without its completion.
  double run(std::string_view command, std::size_t commands, std::size_t body) {
    std::size_t begun = 0, done = 0;
    const auto start = thread_cpu();
    for (One& one : all_) begin(one, command, body, begun);
    std::array<epoll_event, 256> events;
    while (done < commands) {
      const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < n; ++i) {
        One& one = *static_cast<One*>(events[static_cast<std::size_t>(i)].data.ptr);
        while (one.missing > 0 && take(one)) {
        }
        if (one.missing > 0) continue;
        ++done;
        if (begun < commands) begin(one, command, body, begun);
      }
    }
    return static_cast<double>((thread_cpu() - start).count()) / static_cast<double>(commands);
  }

 private:
  struct One {
    int fd = -1;
    SSL* ssl = nullptr;
    std::size_t missing = 0;
    std::uint32_t number = 0;
  };

  void begin(One& one, std::string_view command, std::size_t body, std::size_t& begun) {
    std::array<char, 128> line;
    const int tag = std::snprintf(line.data(), line.size(), "a%u", ++one.number);
    const int size = std::snprintf(line.data(), line.size(), "a%u %.*s\r\n", one.number,
                                   static_cast<int>(command.size()), command.data());
    one.missing = body + static_cast<std::size_t>(tag) + kCompletion.size();
    ++begun;
    if (SSL_write(one.ssl, line.data(), size) != size) std::exit(3);
  }
  /// False: there is nothing more to be had now.
  bool take(One& one) {
    const int n = SSL_read(one.ssl, scratch_.data(), static_cast<int>(scratch_.size()));
    if (n <= 0) {
      if (SSL_get_error(one.ssl, n) == SSL_ERROR_WANT_READ) return false;
      std::exit(3);
    }
    one.missing -= static_cast<std::size_t>(n);
    return true;
  }

  SSL_CTX* context_;
  int epoll_;
  std::vector<One> all_;
  std::array<char, 64 * 1024> scratch_{};
};

}  // namespace mailproof::bench
