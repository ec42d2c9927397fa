#include "server/server.h"

#include "server/context.h"
#include "server/delivery.h"

namespace mailproof::server {

struct Server::Impl {
  explicit Impl(ServerOptions given)
      : options(std::move(given)),
        store(options),
        switches(options),
        rng(derive_seed(options.seed, "server")),
        context{options, store, switches, delivery, rng, salted_passwords},
        delivery(context) {}

  const ServerOptions options;
  Store store;
  const Switches switches;
  Rng rng;
  sasl::SaltedPasswords salted_passwords;
  ServerContext context;
  Delivery delivery;
};

Server::Server(ServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Server::~Server() = default;

std::unique_ptr<Peer> Server::accept(Protocol protocol, bool tls) {
  switch (protocol) {
    case Protocol::imap:
      return make_imap(impl_->context, tls);
    case Protocol::pop3:
      return make_pop3(impl_->context, tls);
    case Protocol::smtp:
      return make_smtp(impl_->context, tls, false);
    case Protocol::lmtp:
      return make_smtp(impl_->context, tls, true);
  }
  return nullptr;
}

std::optional<Time> Server::deadline() const { return impl_->delivery.deadline(); }
void Server::advance(Time now) { impl_->delivery.advance(now); }
void Server::attach(Waker* waker) { impl_->delivery.attach(waker); }

std::span<const Switch> Server::defects() { return kAllDefects; }
std::span<const Switch> Server::latitudes() { return kAllLatitudes; }

}  // namespace mailproof::server
