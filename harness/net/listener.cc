#include "net/listener.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unordered_map>

#include "net/connection.h"
#include "net/resolver.h"

namespace mailproof::net {
namespace {

using asio::ip::tcp;
using boost::system::error_code;

constexpr Duration kPause = 100ms;  // without descriptors to accept with, asking again at once would spin

bool out_of_means(const error_code& error) {
  return error == boost::system::errc::too_many_files_open ||
         error == boost::system::errc::too_many_files_open_in_system || error == asio::error::no_buffer_space ||
         error == asio::error::no_memory;
}

}  // namespace

/// The listening socket and its connections. Outlives the Listener until Asio has told it that it was closed.
class Listener::Door final : public Owner, public std::enable_shared_from_this<Door> {
 public:
  Door(Reactor& reactor, tcp::acceptor acceptor, ListenerOptions options, Limits limits, Accept accept, Trouble trouble)
      : reactor_(reactor),
        acceptor_(std::move(acceptor)),
        pause_(reactor.context()),
        options_(std::move(options)),
        limits_(limits),
        accept_(std::move(accept)),
        trouble_(std::move(trouble)),
        port_(acceptor_.local_endpoint().port()) {}

  std::uint16_t port() const { return port_; }
  std::size_t connections() const { return connections_.size(); }

  void open() {
    acceptor_.async_accept([self = shared_from_this()](const error_code& error, tcp::socket socket) {
      if (self->acceptor_.is_open()) self->accepted(error, std::move(socket));
    });
  }

  void close() {
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    drop_connections();
  }

  void drop_connections() {
    for (auto& [raw, connection] : connections_) {
      raw->abandon();
      reactor_.bury(std::move(connection));
    }
    connections_.clear();
  }

  void over(Connection& connection) override {
    const auto known = connections_.find(&connection);
    if (known == connections_.end()) return;
    auto dead = std::move(known->second);
    connections_.erase(known);
    reactor_.bury(std::move(dead));
  }

 private:
  void accepted(const error_code& error, tcp::socket socket) {
    if (out_of_means(error)) return pause(error);
    if (!error) admit(std::move(socket));
    if (acceptor_.is_open()) open();
  }

  void admit(tcp::socket socket) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    socket.native_non_blocking(true, ignored);
    auto peer = accept_(options_.tls_first);
    if (!peer || !acceptor_.is_open()) return;
    auto connection = std::make_unique<Connection>(reactor_, Fd(socket.release()), options_.tls_first, options_.tls,
                                                   limits_, std::move(peer), *this);
    Connection* raw = connection.get();
    connections_.emplace(raw, std::move(connection));
  }

  void pause(const error_code& error) {
    pause_.expires_after(kPause);
    pause_.async_wait([self = shared_from_this()](const error_code&) {
      if (self->acceptor_.is_open()) self->open();
    });
    if (trouble_)
      trouble_(Error(options_.host + ":" + std::to_string(port_), "cannot accept: " + errno_text(error.value())));
  }

  Reactor& reactor_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  ListenerOptions options_;
  Limits limits_;
  Accept accept_;
  Trouble trouble_;
  std::uint16_t port_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
};

Listener::Listener(std::shared_ptr<Door> door) : door_(std::move(door)) { door_->open(); }

Listener::~Listener() { door_->close(); }

std::uint16_t Listener::port() const { return door_->port(); }
std::size_t Listener::connections() const { return door_->connections(); }
void Listener::drop_connections() { door_->drop_connections(); }

Result<std::unique_ptr<Listener>> Listener::listen(Loop& loop, ListenerOptions options, Accept accept,
                                                   Trouble trouble) {
  const std::string where = options.host + ":" + std::to_string(options.port);
  if (options.tls_first && !options.tls) return Error(where, "TLS without a certificate");
  asio::io_context& context = loop.reactor().context();
  Resolver resolver(context);
  const auto& found = resolver.resolve(options.host);
  if (!found) return found.error();
  const tcp::endpoint at(found->front(), options.port);
  tcp::acceptor acceptor(context);
  error_code error;
  const auto failed = [&](const char* step) {
    return Error(where, std::string(step) + ": " + errno_text(error.value()));
  };
  if (acceptor.open(at.protocol(), error)) return failed("cannot make a socket");
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (at.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
  if (acceptor.bind(at, error)) return failed("cannot bind");
  if (acceptor.listen(options.backlog, error)) return failed("cannot listen");
  const Limits limits{.connect = loop.options().connect_timeout, .tls = loop.options().tls_timeout};
  auto door = std::make_shared<Door>(loop.reactor(), std::move(acceptor), std::move(options), limits, std::move(accept),
                                     std::move(trouble));
  return std::unique_ptr<Listener>(new Listener(std::move(door)));
}

}  // namespace mailproof::net
