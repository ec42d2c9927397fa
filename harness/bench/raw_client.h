#pragma once
#include <optional>

#include "bench/cpu.h"
#include "bench/sink_server.h"

namespace mailproof::bench {

/// The baseline: nothing but epoll, send and recv. Every connection sends a command, counts the bytes of its answer,
/// sends the next. No parsing, no clock, no histogram.
class RawClients {
 public:
  RawClients(std::uint16_t port, std::size_t connections) : epoll_(epoll_create1(EPOLL_CLOEXEC)), all_(connections) {
    for (One& one : all_) {
      one.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in at{};
      at.sin_family = AF_INET;
      at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      at.sin_port = htons(port);
      if (connect(one.fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) {
        std::perror("raw client");
        std::exit(3);
      }
      const int on = 1;
      setsockopt(one.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      one.missing = kGreeting.size();
      while (one.missing > 0) take(one);
      epoll_event event{.events = EPOLLIN, .data = {.ptr = &one}};
      epoll_ctl(epoll_, EPOLL_CTL_ADD, one.fd, &event);
    }
  }
  ~RawClients() {
    for (const One& one : all_) close(one.fd);
    close(epoll_);
  }
  RawClients(const RawClients&) = delete;

  /// Nanoseconds of CPU a command, over `commands` of them. `octets`: of the answer without its completion, where the
  /// server is another one.
  double run(std::string_view command, std::size_t commands, std::optional<std::size_t> octets = {}) {
    const std::size_t body = octets.value_or(answer_body(command).size());
    std::size_t begun = 0;
    std::size_t done = 0;
    const auto start = thread_cpu();
    for (One& one : all_) begin(one, command, body, begun);
    std::array<epoll_event, 256> events;
    while (done < commands) {
      const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < n; ++i) {
        One& one = *static_cast<One*>(events[static_cast<std::size_t>(i)].data.ptr);
        take(one);
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
    if (send(one.fd, line.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) != size) std::exit(3);
  }

  void take(One& one) {
    const auto n = recv(one.fd, scratch_.data(), scratch_.size(), 0);
    if (n <= 0) {
      std::fprintf(stderr, "the sink server went away\n");
      std::exit(3);
    }
    one.missing -= static_cast<std::size_t>(n);
  }

  int epoll_;
  std::vector<One> all_;
  std::array<char, 64 * 1024> scratch_{};
};

}  // namespace mailproof::bench
