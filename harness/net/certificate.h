#pragma once
#include <openssl/ssl.h>

#include <optional>
#include <string>

#include "core/certificate.h"

namespace mailproof::net {

/// To be called by OpenSSL for every step of verifying; keeps a certificate that is refused, because the session
/// forgets it. Changes no verdict.
int keep_refused_certificate(int verified, X509_STORE_CTX* store);

/// The server's certificate and what verifying it came to. Nothing on the server's side, or when none came yet.
std::optional<Certificate> peer_certificate(SSL* ssl);

}  // namespace mailproof::net
