#pragma once
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace mailproof::bench {

/// What the sink answers to one command, tag aside. The raw loop counts these bytes, the engine parses them.
inline const std::string& answer_body(std::string_view command) {
  static const std::string none;
  static const std::string fetch = [] {
    std::string mail = "From: Ada <user0001@example.test>\r\nSubject: minutes\r\n\r\n";
    while (mail.size() < 2046) mail += "All work and no play makes a dull benchmark"[mail.size() % 43];
    mail += "\r\n";
    return "* 1 FETCH (UID 1 FLAGS (\\Seen) BODY[] {" + std::to_string(mail.size()) + "}\r\n" + mail + ")\r\n";
  }();
  static const std::string select =
      "* FLAGS (\\Seen \\Deleted)\r\n* 1 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7] valid\r\n* OK [UIDNEXT 2] "
      "next\r\n";
  static const std::string capability = "* CAPABILITY IMAP4rev1 UIDPLUS\r\n";
  if (command.starts_with("UID FETCH")) return fetch;
  if (command.starts_with("SELECT")) return select;
  if (command.starts_with("CAPABILITY")) return capability;
  return none;
}
inline constexpr std::string_view kGreeting = "* OK sink ready\r\n";
inline constexpr std::string_view kCompletion = " OK done\r\n";

/// A child process that says OK to everything, as fast as it can and on one thread: the smallest IMAP-like server whose
/// answers a real client accepts. Ends with this object, or with the parent.
class SinkServer {
 public:
  SinkServer() {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (bind(listener, reinterpret_cast<sockaddr*>(&at), size) != 0 || listen(listener, 4096) != 0 ||
        getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size) != 0) {
      std::perror("sink server");
      std::exit(3);
    }
    port_ = ntohs(at.sin_port);
    child_ = fork();
    if (child_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      serve(listener);
    }
    close(listener);
  }
  ~SinkServer() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  SinkServer(const SinkServer&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  struct Client {
    int fd;
    std::string unfinished;
  };

  [[noreturn]] static void serve(int listener) {
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    Client door{listener, {}};
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &door}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    std::array<epoll_event, 256> events;
    for (;;) {
      const int n = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < n; ++i) {
        auto* client = static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr);
        if (client != &door) {
          answer(client);
          continue;
        }
        const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        event.data.ptr = new Client{fd, {}};
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
        say(fd, kGreeting);
      }
    }
  }

  static void answer(Client* client) {
    std::array<char, 16 * 1024> in;
    const auto n = recv(client->fd, in.data(), in.size(), 0);
    if (n <= 0) {
      close(client->fd);
      delete client;
      return;
    }
    client->unfinished.append(in.data(), static_cast<std::size_t>(n));
    std::string out;
    std::size_t from = 0;
    for (std::size_t end; (end = client->unfinished.find("\r\n", from)) != std::string::npos; from = end + 2) {
      const std::string_view line = std::string_view(client->unfinished).substr(from, end - from);
      const std::size_t space = line.find(' ');
      const std::string_view tag = line.substr(0, space);
      out += answer_body(space == std::string_view::npos ? line : line.substr(space + 1));
      out.append(tag).append(kCompletion);
    }
    client->unfinished.erase(0, from);
    say(client->fd, out);
  }

  static void say(int fd, std::string_view text) {
    if (send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0) return;  // the reader of this end sees it closed
  }

  std::uint16_t port_ = 0;
  pid_t child_ = -1;
};

}  // namespace mailproof::bench
