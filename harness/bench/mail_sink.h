#pragma once
#include <charconv>
#include <map>

#include "bench/load_customers.h"
#include "bench/sink_server.h"
#include "core/outbox.h"
#include "net/listener.h"

namespace mailproof::bench {

/// What a connection to the mail sink is answered: OK to everything, and to FETCH the message of whoever logged in.
class SinkMailbox {
 public:
  explicit SinkMailbox(const std::vector<std::string>& fetches) : fetches_(fetches) {}
  void answer(std::string_view line, std::string& out) {
    const std::size_t space = line.find(' ');
    const std::string_view tag = line.substr(0, space);
    const std::string_view command = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
    if (command.starts_with("LOGIN")) {
      const std::size_t digits = command.find("user") + 4;
      std::from_chars(command.data() + digits, command.data() + command.size(), account_);
    }
    if (command.starts_with("UID FETCH"))
      out += fetches_[account_ % fetches_.size()];
    else if (command.starts_with("STATUS"))
      out += kStatus;
    else
      out += answer_body(command);
    out.append(tag).append(kCompletion);
  }
  static constexpr std::string_view kStatus = "* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7 UNSEEN 1)\r\n";
  static std::string fetch_of(std::uint32_t account) {
    const auto made = LoadCustomers::message(account);
    return fmt::format("* 1 FETCH (UID 1 BODY[] {{{}}}\r\n{})\r\n", made.text->size(), *made.text);
  }

 private:
  const std::vector<std::string>& fetches_;
  std::size_t account_ = 0;
};

/// A child process that serves it, with TLS from the first byte if there is a certificate; one thread.
class MailSink {
 public:
  explicit MailSink(std::uint32_t accounts, const std::string& certificate = "", const std::string& key = "") {
    for (std::uint32_t i = 0; i < accounts; ++i) fetches_.push_back(SinkMailbox::fetch_of(i));
    int tell[2];
    if (pipe(tell) != 0) std::exit(3);
    child_ = fork();
    if (child_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      certificate.empty() ? serve(tell[1]) : serve_tls(tell[1], certificate, key);
    }
    close(tell[1]);
    if (read(tell[0], &port_, sizeof port_) != sizeof port_) std::exit(3);
    close(tell[0]);
  }
  ~MailSink() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  MailSink(const MailSink&) = delete;
  /// It answers nothing until go_on(); what is sent to it waits in its sockets.
  void stall() const { kill(child_, SIGSTOP); }
  void go_on() const { kill(child_, SIGCONT); }
  Endpoint endpoint(TlsMode tls = TlsMode::none) const {
    Endpoint out;
    out.port = port_;
    out.tls = tls;
    return out;
  }
  std::size_t octets_of(std::string_view command) const {
    if (command.starts_with("UID FETCH")) return fetches_.front().size();
    if (command.starts_with("STATUS")) return SinkMailbox::kStatus.size();
    return 0;
  }

 private:
  struct Client {
    int fd;
    SinkMailbox mailbox;
    std::string unfinished;
  };

  static std::string replies(SinkMailbox& mailbox, std::string& unfinished) {
    std::string out;
    std::size_t from = 0;
    for (std::size_t end; (end = unfinished.find("\r\n", from)) != std::string::npos; from = end + 2)
      mailbox.answer(std::string_view(unfinished).substr(from, end - from), out);
    unfinished.erase(0, from);
    return out;
  }

  [[noreturn]] void serve(int tell) const {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (bind(listener, reinterpret_cast<sockaddr*>(&at), size) != 0 || listen(listener, 4096) != 0 ||
        getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size) != 0)
      std::_Exit(3);
    const std::uint16_t port = ntohs(at.sin_port);
    if (write(tell, &port, sizeof port) != sizeof port) std::_Exit(3);
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    std::array<epoll_event, 256> events;
    std::array<char, 16 * 1024> in;
    for (;;) {
      const int n = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < n; ++i) {
        auto* client = static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr);
        if (client == nullptr) {
          for (int fd; (fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
            const int on = 1;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            event.data.ptr = new Client{fd, SinkMailbox(fetches_), {}};
            epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
            if (send(fd, kGreeting.data(), kGreeting.size(), MSG_NOSIGNAL) < 0) continue;
          }
          continue;
        }
        const auto got = recv(client->fd, in.data(), in.size(), 0);
        if (got <= 0) {
          close(client->fd);
          delete client;
          continue;
        }
        client->unfinished.append(in.data(), static_cast<std::size_t>(got));
        const std::string out = replies(client->mailbox, client->unfinished);
        if (send(client->fd, out.data(), out.size(), MSG_NOSIGNAL) < 0) continue;
      }
    }
  }

  /// The same through net::Listener, so that it can go through TLS.
  class Answerer final : public Peer {
   public:
    explicit Answerer(const std::vector<std::string>& fetches) : mailbox_(fetches) {}
    void attach(Waker*) override {}
    void opened(Time) override { out_.text(kGreeting); }
    void feed(Bytes in, Time) override {
      unfinished_ += as_text(in);
      out_.text(replies(mailbox_, unfinished_));
    }
    std::span<const Output> output() override { return out_.output(); }
    void sent(std::size_t n, Time) override { out_.sent(n); }
    void advance(Time) override {}
    std::optional<Time> deadline() const override { return std::nullopt; }
    void secured(const TlsFacts&, Time) override {}
    void ended(EndReason, std::string_view, Time) override {}
    Wants wants() const override { return Wants::nothing; }

   private:
    SinkMailbox mailbox_;
    Outbox out_;
    std::string unfinished_;
  };

  [[noreturn]] void serve_tls(int tell, const std::string& certificate, const std::string& key) const {
    net::Loop loop;
    net::ListenerOptions options;
    auto context = net::TlsContext::server(certificate, key);
    if (!context) std::_Exit(3);
    options.tls_first = true;
    options.tls = *context;
    auto listener = net::Listener::listen(loop, options, [this](bool) { return std::make_unique<Answerer>(fetches_); });
    const std::uint16_t port = (*listener)->port();
    if (write(tell, &port, sizeof port) != sizeof port) std::_Exit(3);
    loop.run([] { return false; });
    std::_Exit(0);
  }

  std::vector<std::string> fetches_;
  std::uint16_t port_ = 0;
  pid_t child_ = -1;
};

}  // namespace mailproof::bench
