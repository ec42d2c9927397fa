#pragma once
#include <openssl/ssl.h>

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

namespace mailproof::net {

/// TLS sessions that clients may take up again. Each belongs to one client and one way to a server: no client ever
/// offers what another was given. Half full, one is kept of each, and full, no more clients'; of one client the oldest
/// goes. Belongs to one loop.
class TlsSessions {
 public:
  static constexpr std::size_t kMost = 16'384;        ///< some 5 KB each, the server's certificate included
  static constexpr std::size_t kOfOne = 2;            ///< of a client and way: so many tickets TLS 1.3 servers send
  using Key = std::pair<const void*, std::uint64_t>;  ///< a way to a server, and a client
  struct Free {
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
  };
  using Session = std::unique_ptr<SSL_SESSION, Free>;

  explicit TlsSessions(std::size_t most = kMost) : most_(most) {}
  void keep(const Key& key, Session session);
  /// The newest that was kept, or none. One of TLS 1.3 is offered once (RFC 8446 appendix C.4).
  Session take(const Key& key);
  std::size_t size() const { return of_.size(); }

 private:
  const std::size_t most_;
  std::multimap<Key, Session> of_;  ///< of one key the oldest first
};

/// A connection of a client that resumes: what OpenSSL is told, and what it says.
struct Resumption {
  TlsSessions& sessions;
  TlsSessions::Key key;

  /// Clients' connections on this context may resume; who has no Resumption does not.
  static void allow(SSL_CTX* context);
  /// Offers what is kept, and keeps what the server sends. Must outlive `ssl`.
  void start(SSL* ssl);
};

}  // namespace mailproof::net
