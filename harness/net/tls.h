#pragma once
#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "core/peer.h"
#include "core/result.h"
#include "net/tls_sessions.h"

namespace mailproof::net {

/// What a client demands of a server's certificate.
struct TlsOptions {
  std::string ca_file;      ///< PEM; empty = the system's store
  std::string server_name;  ///< name to ask for and to verify, when it is not the endpoint's host
  bool insecure = false;    ///< accept any certificate
};

/// One set of TLS settings, shared by all connections of a loop. TLS 1.2 or newer. No session is resumed, so that every
/// login costs the same, but by a client whose Resumption says so.
class TlsContext {
 public:
  static Result<std::shared_ptr<TlsContext>> client(const TlsOptions& options);
  /// PEM files; the certificate file may hold the chain behind the certificate.
  static Result<std::shared_ptr<TlsContext>> server(const std::string& certificate_file, const std::string& key_file);

  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  using Session = std::unique_ptr<SSL, Free>;

  /// A connection on `fd` that will verify `host`, or on a server's context one that waits to be spoken to.
  /// `tls_max`: see Endpoint. `resumption`: of a client that resumes sessions; must outlive the connection.
  Session start(int fd, const std::string& host, const std::string& tls_max = {},
                Resumption* resumption = nullptr) const;

 private:
  TlsContext(TlsOptions options, bool is_server);
  std::unique_ptr<SSL_CTX, Free> context_;
  TlsOptions options_;
  bool server_;
};

/// What an established session negotiated.
TlsFacts tls_facts(SSL* ssl);

/// The handshake failed because of the other end's certificate.
bool certificate_refused(SSL* ssl);

/// Why the last call on `ssl` failed ("unsupported protocol", "certificate of 'mail.example.test' (names: a, b; valid
/// until 2026-01-01) has expired"); empties OpenSSL's error queue.
std::string tls_error(SSL* ssl);

}  // namespace mailproof::net
