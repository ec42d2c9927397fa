#include "net/certificate.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <memory>

namespace mailproof::net {
namespace {

constexpr int kMostNames = 100;

/// What is kept of a refusal, as long as its session lives.
struct Refused {
  X509* leaf = nullptr;
  int depth = 0;  ///< 0 = the server's own certificate, else one of those that sign it
};

void forget(void*, void* kept, CRYPTO_EX_DATA*, int, long, void*) {
  const std::unique_ptr<Refused> refused(static_cast<Refused*>(kept));
  if (refused) X509_free(refused->leaf);
}

int slot() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, forget);
  return index;
}

const Refused* refused_by(SSL* ssl) { return static_cast<const Refused*>(SSL_get_ex_data(ssl, slot())); }

std::string text_of(const ASN1_STRING* string) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, string);
  if (size < 0) return {};
  std::string out(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return out;
}

std::string common_name(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at >= 0) return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> out(BIO_new(BIO_s_mem()), BIO_free_all);
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_ONELINE);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

/// iPAddress of RFC 5280 section 4.2.1.6: four or sixteen octets.
std::string address_of(const ASN1_OCTET_STRING* octets) {
  const int size = ASN1_STRING_length(octets);
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (size != 4 && size != 16) return "address of a wrong length";
  inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(octets), text.data(), text.size());
  return text.data();
}

std::vector<std::string> alternative_names(const X509* certificate) {
  std::vector<std::string> out;
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names) && i < kMostNames; ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
    if (type == GEN_DNS) out.push_back(text_of(static_cast<const ASN1_STRING*>(value)));
    if (type == GEN_IPADD) out.push_back(address_of(static_cast<const ASN1_OCTET_STRING*>(value)));
  }
  GENERAL_NAMES_free(names);
  return out;
}

std::chrono::sys_seconds moment(const ASN1_TIME* time) {
  std::tm broken_down{};
  if (ASN1_TIME_to_tm(time, &broken_down) != 1) return {};
  return std::chrono::sys_seconds(std::chrono::seconds(timegm(&broken_down)));
}

/// The name that the certificate was to have.
std::string wanted_name(SSL* ssl) {
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl);
  if (const char* host = X509_VERIFY_PARAM_get0_host(param, 0)) return host;
  char* address = X509_VERIFY_PARAM_get1_ip_asc(param);
  std::string out = address != nullptr ? address : "";
  OPENSSL_free(address);
  return out;
}

std::string trouble_of(SSL* ssl, int depth) {
  const long result = SSL_get_verify_result(ssl);
  const std::string why = X509_verify_cert_error_string(result);
  if (depth > 0) return "is signed by one that cannot be used: " + why;
  switch (result) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "does not match host " + wanted_name(ssl);
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "is not valid yet";
    default:
      return "is not trusted: " + why;
  }
}

}  // namespace

int keep_refused_certificate(int verified, X509_STORE_CTX* store) {
  if (verified == 1) return verified;
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  X509* leaf = X509_STORE_CTX_get0_cert(store);
  if (leaf == nullptr || refused_by(ssl) != nullptr) return verified;
  X509_up_ref(leaf);
  SSL_set_ex_data(ssl, slot(), new Refused{leaf, X509_STORE_CTX_get_error_depth(store)});
  return verified;
}

std::optional<Certificate> peer_certificate(SSL* ssl) {
  const Refused* refused = refused_by(ssl);
  const X509* leaf = refused != nullptr ? refused->leaf : SSL_get0_peer_certificate(ssl);
  if (leaf == nullptr) return std::nullopt;
  Certificate out;
  out.subject = common_name(X509_get_subject_name(leaf));
  out.issuer = common_name(X509_get_issuer_name(leaf));
  out.names = alternative_names(leaf);
  out.valid_from = moment(X509_get0_notBefore(leaf));
  out.valid_until = moment(X509_get0_notAfter(leaf));
  out.verified = SSL_get_verify_result(ssl) == X509_V_OK;
  if (!out.verified) out.trouble = trouble_of(ssl, refused != nullptr ? refused->depth : 0);
  return out;
}

}  // namespace mailproof::net
