#pragma once
#include <string>
#include <string_view>

#include "core/result.h"
#include "wire/sasl/salted_passwords.h"

/// The messages of SCRAM (RFC 5802 section 7) and the proofs made from them; used by both sides.
namespace mailproof::sasl::scram {

struct ServerFirst {
  std::string nonce;
  std::string salt;  ///< raw octets
  int iterations = 0;
};

struct ClientFirst {
  std::string header;  ///< gs2-header, as sent: "n,,"
  std::string bare;    ///< client-first-message-bare
  std::string authzid;
  std::string user;
  std::string nonce;
};

struct ClientFinal {
  std::string channel_binding;  ///< raw octets of c=
  std::string nonce;
  std::string proof;          ///< raw octets
  std::string without_proof;  ///< client-final-message-without-proof
};

Result<ServerFirst> parse_server_first(std::string_view text);
Result<ClientFirst> parse_client_first(std::string_view text);
Result<ClientFinal> parse_client_final(std::string_view text);

/// saslname: "=" and "," are written =3D and =2C.
std::string encode_name(std::string_view name);
Result<std::string> decode_name(std::string_view text);

std::string client_proof(const Key& salted_password, std::string_view auth_message);
std::string server_signature(const Key& salted_password, std::string_view auth_message);

}  // namespace mailproof::sasl::scram
