#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>

#include "net/certificate.h"
#include "net/fd.h"

namespace mailproof::net {
namespace {

std::string queued_error() {
  const unsigned long code = ERR_peek_error();
  ERR_clear_error();
  if (code == 0) return "unknown TLS error";
  if (ERR_SYSTEM_ERROR(code)) return errno_text(ERR_GET_REASON(code));
  if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
      (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER || ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST)) {
    return "the other end does not speak TLS here";
  }
  const char* reason = ERR_reason_error_string(code);
  return reason ? reason : "unknown TLS error";
}

Error failed(const std::string& where, const std::string& why) { return Error(where, why + ": " + queued_error()); }

}  // namespace

TlsContext::TlsContext(TlsOptions options, bool is_server)
    : context_(SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method())),
      options_(std::move(options)),
      server_(is_server) {
  SSL_CTX* context = context_.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_read_ahead(context, 1);  // one recv a record instead of two
}

Result<std::shared_ptr<TlsContext>> TlsContext::client(const TlsOptions& options) {
  ERR_clear_error();
  std::shared_ptr<TlsContext> made(new TlsContext(options, false));
  SSL_CTX* context = made->context_.get();
  if (!options.ca_file.empty()) {
    if (SSL_CTX_load_verify_file(context, options.ca_file.c_str()) != 1)
      return failed(options.ca_file, "cannot use these CA certificates");
  } else if (SSL_CTX_set_default_verify_paths(context) != 1) {
    return failed("", "cannot use the system's CA certificates");
  }
  SSL_CTX_set_verify(context, options.insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, keep_refused_certificate);
  Resumption::allow(context);
  return made;
}

Result<std::shared_ptr<TlsContext>> TlsContext::server(const std::string& certificate_file,
                                                       const std::string& key_file) {
  ERR_clear_error();
  std::shared_ptr<TlsContext> made(new TlsContext({}, true));
  SSL_CTX* context = made->context_.get();
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1)
    return failed(certificate_file, "cannot use this certificate");
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return failed(key_file, "cannot use this key");
  return made;
}

TlsContext::Session TlsContext::start(int fd, const std::string& host, const std::string& tls_max,
                                      Resumption* resumption) const {
  Session session(SSL_new(context_.get()));
  SSL* ssl = session.get();
  SSL_set_fd(ssl, fd);
  if (server_) {
    SSL_set_accept_state(ssl);
    return session;
  }
  SSL_set_connect_state(ssl);
  if (!tls_max.empty()) {
    // What is that old is below every security level but none.
    SSL_set_security_level(ssl, 0);
    SSL_set_min_proto_version(ssl, TLS1_VERSION);
    SSL_set_max_proto_version(ssl, tls_max == "1.0" ? TLS1_VERSION : TLS1_1_VERSION);
  }
  const std::string& name = options_.server_name.empty() ? host : options_.server_name;
  boost::system::error_code no_address;
  boost::asio::ip::make_address(name, no_address);
  const bool address = !no_address;
  if (!address) SSL_set_tlsext_host_name(ssl, name.c_str());
  // What OpenSSL does not take for an address is compared as a name, so that nothing goes unverified.
  if (!address || X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) != 1)
    SSL_set1_host(ssl, name.c_str());
  if (resumption != nullptr) resumption->start(ssl);
  return session;
}

TlsFacts tls_facts(SSL* ssl) {
  TlsFacts facts;
  facts.established = true;
  facts.version = SSL_get_version(ssl);
  facts.cipher = SSL_get_cipher_name(ssl);
  facts.certificate = peer_certificate(ssl);
  facts.resumed = SSL_session_reused(ssl) == 1;
  return facts;
}

bool certificate_refused(SSL* ssl) {
  return SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE && SSL_get_verify_result(ssl) != X509_V_OK;
}

std::string tls_error(SSL* ssl) {
  if (!certificate_refused(ssl)) return queued_error();
  ERR_clear_error();
  if (const auto certificate = peer_certificate(ssl)) return certificate->label() + " " + certificate->trouble;
  return X509_verify_cert_error_string(SSL_get_verify_result(ssl));
}

}  // namespace mailproof::net
