#include "net/tls_sessions.h"

namespace mailproof::net {
namespace {

int resumption_slot() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

/// A server chooses how long its tickets are: up to 64 KiB (RFC 8446 section 4.6.1).
constexpr std::size_t kMostTicket = 16U << 10;

std::size_t ticket_octets(const SSL_SESSION* session) {
  const unsigned char* ticket = nullptr;
  std::size_t octets = 0;
  SSL_SESSION_get0_ticket(session, &ticket, &octets);
  return octets;
}

/// Called by OpenSSL for each session that a server gives: of TLS 1.2 when the handshake is done, of TLS 1.3 when a
/// ticket comes.
int given(SSL* ssl, SSL_SESSION* session) {
  if (auto* resumption = static_cast<Resumption*>(SSL_get_ex_data(ssl, resumption_slot()));
      resumption != nullptr && SSL_SESSION_is_resumable(session) == 1 && ticket_octets(session) <= kMostTicket)
    // A copy: that of a connection which ends without close_notify is taken from OpenSSL's users (RFC 5246
    // section 7.2.1 did away with that), and many of ours break off.
    resumption->sessions.keep(resumption->key, TlsSessions::Session(SSL_SESSION_dup(session)));
  return 0;  // it stays OpenSSL's
}

}  // namespace

void TlsSessions::keep(const Key& key, Session session) {
  if (!session || most_ == 0) return;
  // Half full, one each is kept, and full, none: whose are forgotten in turn resume nothing, and nobody would know why.
  const std::size_t of_one = of_.size() < most_ / 2 ? kOfOne : 1;
  while (of_.count(key) >= of_one) of_.erase(of_.lower_bound(key));
  if (of_.size() < most_) of_.emplace(key, std::move(session));
}

TlsSessions::Session TlsSessions::take(const Key& key) {
  const auto [oldest, end] = of_.equal_range(key);
  if (oldest == end) return nullptr;
  const auto newest = std::prev(end);
  if (SSL_SESSION_get_protocol_version(newest->second.get()) < TLS1_3_VERSION)
    return Session(SSL_SESSION_dup(newest->second.get()));  // OpenSSL may spoil what it was lent
  return std::move(of_.extract(newest).mapped());
}

void Resumption::allow(SSL_CTX* context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, given);
}

void Resumption::start(SSL* ssl) {
  SSL_clear_options(ssl, SSL_OP_NO_TICKET);
  SSL_set_ex_data(ssl, resumption_slot(), this);
  if (const auto session = sessions.take(key)) SSL_set_session(ssl, session.get());
}

}  // namespace mailproof::net
