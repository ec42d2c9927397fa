#include "server/server.h"

#include "server/connection.h"
#include "server/context.h"
#include "server/smtp/delivery.h"

namespace mailproof::server {

struct Server::Impl {
  explicit Impl(ServerOptions given)
      : options(std::move(given)),
        store(options),
        switches(options),
        rng(derive_seed(options.seed, "server")),
        context{options, store, switches, delivery, rng},
        delivery(context) {}

  const ServerOptions options;
  Store store;
  const Switches switches;
  Rng rng;
  ServerContext context;
  Delivery delivery;
};

Server::Server(ServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Server::~Server() = default;

std::unique_ptr<Peer> Server::accept(Protocol protocol, bool tls, bool needs_tls) {
  std::unique_ptr<Connection> connection;
  switch (protocol) {
    case Protocol::imap:
      return make_imap(impl_->context, tls, needs_tls);
    case Protocol::pop3:
      connection = make_pop3(impl_->context, tls);
      break;
    case Protocol::smtp:
    case Protocol::lmtp:
      connection = make_smtp(impl_->context, tls, protocol == Protocol::lmtp);
      break;
  }
  if (needs_tls) connection->require_tls();
  return connection;
}

void Server::killed() { impl_->store.killed(); }

void Server::disconnected() {
  for (const auto& account : impl_->store.accounts()) account->maildrop_owner = nullptr;
}

bool Server::set_quota(std::string_view login, std::optional<std::uint64_t> octets) {
  AccountState* account = impl_->store.by_login(login);
  if (account == nullptr) return false;
  impl_->store.set_quota(*account, octets);
  return true;
}

bool Server::set_customer_quota(std::string_view customer, std::optional<std::uint64_t> octets) {
  SharedLimit* shared = impl_->store.shared(customer);
  if (shared == nullptr) return false;
  shared->quota = octets;
  return true;
}

std::optional<Time> Server::deadline() const { return impl_->delivery.deadline(); }
void Server::advance(Time now) { impl_->delivery.advance(now); }
void Server::attach(Waker* waker) { impl_->delivery.attach(waker); }

std::span<const Switch> Server::defects() { return kAllDefects; }
std::span<const Switch> Server::latitudes() { return kAllLatitudes; }

}  // namespace mailproof::server
