#include "net/listener.h"

#include <sys/socket.h>

#include <cerrno>

#include "net/connection.h"

namespace mailproof::net {
namespace {

constexpr int kAcceptsATurn = 64;
constexpr Duration kPause = 100ms;  // without descriptors to accept with, a readable listening socket would spin

bool out_of_means(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

}  // namespace

/// The listening socket. Outlives the Listener by the rest of a turn, as any Source does.
class Listener::Door final : public Source, public Owner {
 public:
  Door(Reactor& reactor, Fd fd, ListenerOptions options, Limits limits, Accept accept, Trouble trouble)
      : reactor_(reactor),
        fd_(std::move(fd)),
        options_(std::move(options)),
        limits_(limits),
        accept_(std::move(accept)),
        trouble_(std::move(trouble)),
        port_(local_port(fd_.get())) {
    reactor_.watch(fd_.get(), *this, EPOLLIN);
  }

  std::uint16_t port() const { return port_; }
  std::size_t connections() const { return connections_.size(); }

  void close() {
    if (!fd_) return;
    fd_.close();
    reactor_.forget();
    drop_connections();
  }

  void drop_connections() {
    for (auto& [raw, connection] : connections_) {
      raw->abandon();
      reactor_.bury(std::move(connection));
    }
    connections_.clear();
  }

  void events(std::uint32_t, Time now) override {
    for (int turn = 0; turn < kAcceptsATurn && fd_; ++turn) {
      Fd accepted(accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (accepted) {
        admit(std::move(accepted));
      } else if (out_of_means(errno)) {
        return pause(errno, now);
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        return;
      }
    }
  }
  void ready(Time) override {}
  void fire(Time) override {
    if (fd_) reactor_.rewatch(fd_.get(), *this, EPOLLIN);
  }

  void over(Connection& connection) override {
    const auto known = connections_.find(&connection);
    if (known == connections_.end()) return;
    auto dead = std::move(known->second);
    connections_.erase(known);
    reactor_.bury(std::move(dead));
  }

 private:
  void admit(Fd accepted) {
    set_no_delay(accepted.get());
    auto peer = accept_(options_.tls_first);
    if (!peer || !fd_) return;
    auto connection = std::make_unique<Connection>(reactor_, std::move(accepted), options_.tls_first, options_.tls,
                                                   limits_, std::move(peer), *this);
    Connection* raw = connection.get();
    connections_.emplace(raw, std::move(connection));
  }

  void pause(int error, Time now) {
    reactor_.rewatch(fd_.get(), *this, 0);
    reactor_.set_timer(*this, now + kPause);
    if (trouble_) trouble_(Error(options_.host + ":" + std::to_string(port_), "cannot accept: " + errno_text(error)));
  }

  Reactor& reactor_;
  Fd fd_;
  ListenerOptions options_;
  Limits limits_;
  Accept accept_;
  Trouble trouble_;
  std::uint16_t port_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
};

Listener::Listener(Reactor& reactor, std::unique_ptr<Door> door) : reactor_(reactor), door_(std::move(door)) {}

Listener::~Listener() {
  door_->close();
  reactor_.bury(std::move(door_));
}

std::uint16_t Listener::port() const { return door_->port(); }
std::size_t Listener::connections() const { return door_->connections(); }
void Listener::drop_connections() { door_->drop_connections(); }

Result<std::unique_ptr<Listener>> Listener::listen(Loop& loop, ListenerOptions options, Accept accept,
                                                   Trouble trouble) {
  const std::string where = options.host + ":" + std::to_string(options.port);
  if (options.tls_first && !options.tls) return Error(where, "TLS without a certificate");
  Resolver resolver;
  const auto& found = resolver.resolve(options.host);
  if (!found) return found.error();
  auto fd = listen_on(found->front().with_port(options.port), options.backlog);
  if (!fd) return Error(where, fd.error().why);
  const Limits limits{.connect = loop.options().connect_timeout, .tls = loop.options().tls_timeout};
  auto door = std::make_unique<Door>(loop.reactor(), std::move(*fd), std::move(options), limits, std::move(accept),
                                     std::move(trouble));
  return std::unique_ptr<Listener>(new Listener(loop.reactor(), std::move(door)));
}

}  // namespace mailproof::net
